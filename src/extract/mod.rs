//! From the input file and the API to answers: where ids come from, one HTTP attempt, logging in,
//! and the fetcher that decides what is sent when. Storing the answers and making rows of them is
//! left to others.

pub mod api;
pub mod auth;
pub mod fetcher;
pub mod ids;
pub mod secret;
