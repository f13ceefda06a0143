//! From the input file and the API to answers: where ids come from, one HTTP exchange, logging in,
//! and the fetcher that decides what is sent when. Storing the answers and making rows of them is
//! left to others.
//!
//! Each folder knows only those before it: `waiting` and `warn_once`, which know nobody; `secret` and
//! `ids`; `api`, one
//! exchange with a server; `auth`, how one logs in; `connection`, which puts these together; and
//! the `fetcher`.

pub mod api;
pub mod auth;
pub mod connection;
pub mod fetcher;
pub mod ids;
pub mod secret;
pub(crate) mod waiting;
mod warn_once;
