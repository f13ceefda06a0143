//! What is asked of the API, as one number: answers to another question are not reused.

use sha2::{Digest as _, Sha256};

use crate::connect;
use crate::job::{Installation, Job, LoginHost};

/// A number for everything that is asked, apart from the contact.
pub(super) fn request_key(job: &Job) -> i64 {
    let question = connect::question(job);
    let mut hash = Sha256::new();
    for part in [
        place(job).as_str(),
        &question.limit.to_string(),
        question.select.as_deref().unwrap_or_default(),
        &question.language,
        question.culture.as_deref().unwrap_or_default(),
        &job.api.time_zone.to_string(),
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .first_chunk()
        .copied()
        .map(i64::from_be_bytes)
        .unwrap_or_default()
}

/// Which SuperOffice is asked. For a tenant that is not the address of its API: tenants move.
fn place(job: &Job) -> String {
    let seed = job.sandbox.seed;
    match &job.api.installation {
        Installation::Sandbox => format!("sandbox {seed}"),
        Installation::BaseUrl(url) => url.to_string(),
        Installation::Tenant {
            tenant,
            login_host: LoginHost::Url(login),
        } => format!("{login} {tenant}"),
        Installation::Tenant {
            tenant,
            login_host: LoginHost::Sandbox,
        } => format!("sandbox {seed} {tenant}"),
    }
}
