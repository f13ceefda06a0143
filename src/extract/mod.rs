//! From the input file and the API to answers: reader, client (exactly one HTTP attempt), verdict
//! and retry (pure decisions), pace (rate, concurrency, pauses), outage, auth, and the fetcher that
//! brings them together. Storing the answers and making rows of them is left to others.

pub mod auth;
pub mod body;
pub mod budget;
pub mod cause;
pub mod client;
pub mod connection;
pub mod fetcher;
pub mod hopeless;
pub mod inspect;
pub mod limiter;
pub mod outage;
pub mod pace;
pub mod reader;
pub mod retry;
pub mod secret;
pub mod tenant;
mod throttle;
pub mod verdict;
