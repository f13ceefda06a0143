//! One HTTP exchange: building the request, sending it, reading the body within bounds, and looking
//! into it. With the API itself, and with the login server that knows where a tenant's API is. When
//! to send, and what an answer means for the run, is the fetcher's matter.

pub mod archive;
pub mod body;
pub mod cause;
pub mod certificates;
pub mod client;
pub(crate) mod inquiry;
pub mod inspect;
pub mod login_server;
pub mod proxy;
pub mod retry_after;
pub mod tenant;
pub mod transport;
pub mod zone;
