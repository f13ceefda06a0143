//! What leaves the house: columns left out, redacted or hashed, and that nothing of what a policy
//! forbids is in any file or message, in whatever form.

mod canaries;
mod forget;
mod jobs;
mod policy;
