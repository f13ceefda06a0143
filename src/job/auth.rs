//! `[api.auth]` as typed, checked into the scheme that a run logs in with.

use std::path::Path;

use super::settings::AuthSection;
use super::values::SecretPlace;
use super::{Problem, default, secret};
use crate::extract::auth::Scheme;

/// The scheme, with every key it needs.
pub(super) fn scheme(section: AuthSection, folder: &Path) -> Result<Scheme, Problem> {
    let name: String = section.scheme.clone().unwrap_or_else(|| default("api.auth", "scheme"));
    let missing = |key: &'static str| (key, format!("is missing; scheme \"{name}\" needs it"));
    let needed = |place: Option<SecretPlace>, key: &'static str| place.map(|place| secret(place, key, folder)).ok_or_else(|| missing(key));
    Ok(match name.as_str() {
        "none" => Scheme::None,
        "basic" => Scheme::Basic {
            user: section.user.ok_or_else(|| missing("api.auth.user"))?,
            password: needed(section.password, "api.auth.password")?,
        },
        "ticket" => Scheme::Ticket { ticket: needed(section.ticket, "api.auth.ticket")? },
        "bearer" => Scheme::Bearer { token: needed(section.token, "api.auth.token")? },
        _ => return Err(("api.auth.scheme", "must be \"none\", \"basic\", \"ticket\" or \"bearer\"".to_owned())),
    })
}
