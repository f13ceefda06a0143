//! From the input file and the API to stored answers: reader, client, retry, pace, auth, fetcher.

pub mod reader;
