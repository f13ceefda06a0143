//! `[api.auth]` as typed, checked into the scheme that a run logs in with.

use std::path::Path;

use super::secrets::SecretPlace;
use super::settings::AuthSection;
use super::{Installation, Problem, wrong};
use crate::extract::auth::{OAuthKeys, Scheme, SystemUserKeys};
use crate::extract::secret::Secret;

const SCHEMES: &str =
    "must be \"none\", \"basic\", \"ticket\", \"bearer\", \"oauth\", \"system-user\" or \"xsrf\"";

/// The scheme, with every key it needs and none that it does not know.
pub(super) fn scheme(
    section: &AuthSection,
    app_token: Option<&Secret>,
    installation: &Installation,
    folder: &Path,
) -> Result<Scheme, Problem> {
    let name = section.scheme();
    no_strangers(section, &name)?;
    let missing = |key: &'static str| wrong(key, format!("is missing; scheme \"{name}\" needs it"));
    let needed = |place: Option<SecretPlace>, key: &'static str| {
        place
            .map(|place| place.secret(key, folder))
            .ok_or_else(|| missing(key))
    };
    Ok(match name.as_str() {
        "none" => Scheme::None,
        "basic" => Scheme::Basic {
            user: section.user().ok_or_else(|| missing("api.auth.user"))?,
            password: needed(section.password(), "api.auth.password")?,
        },
        "ticket" => Scheme::Ticket {
            ticket: needed(section.ticket(), "api.auth.ticket")?,
        },
        "bearer" => Scheme::Bearer {
            token: needed(section.token(), "api.auth.token")?,
        },
        "xsrf" => Scheme::Xsrf {
            token: needed(section.token(), "api.auth.token")?,
            cookie: needed(section.cookie(), "api.auth.cookie")?,
        },
        "oauth" => {
            ensure_online(installation, &name)?;
            Scheme::OAuth(OAuthKeys {
                client_id: section
                    .client_id()
                    .ok_or_else(|| missing("api.auth.client_id"))?,
                client_secret: needed(section.client_secret(), "api.auth.client_secret")?,
                refresh_token: needed(section.refresh_token(), "api.auth.refresh_token")?,
                redirect_uri: section.redirect_uri(),
            })
        }
        "system-user" => {
            ensure_online(installation, &name)?;
            Scheme::SystemUser(SystemUserKeys {
                system_user_token: needed(
                    section.system_user_token(),
                    "api.auth.system_user_token",
                )?,
                private_key: needed(section.private_key(), "api.auth.private_key")?,
                app_token: app_token.cloned().ok_or_else(|| missing("api.app_token"))?,
            })
        }
        _ => return Err(wrong("api.auth.scheme", SCHEMES)),
    })
}

fn ensure_online(installation: &Installation, scheme: &str) -> Result<(), Problem> {
    match installation {
        Installation::Tenant { .. } => Ok(()),
        Installation::Sandbox | Installation::BaseUrl(_) => Err(wrong(
            "api.auth.scheme",
            format!(
                "\"{scheme}\" logs in at SuperOffice Online; \
                 give `api.tenant` in place of `api.base_url`"
            ),
        )),
    }
}

/// A key of another scheme shows that the scheme is not the one that was meant.
fn no_strangers(section: &AuthSection, name: &str) -> Result<(), Problem> {
    #[rustfmt::skip]
    let given: [(_, _, &[&str]); _] = [
        ("api.auth.user", section.user().is_some(), &["basic"]),
        ("api.auth.password", section.password().is_some(), &["basic"]),
        ("api.auth.ticket", section.ticket().is_some(), &["ticket"]),
        ("api.auth.token", section.token().is_some(), &["bearer", "xsrf"]),
        ("api.auth.cookie", section.cookie().is_some(), &["xsrf"]),
        ("api.auth.client_id", section.client_id().is_some(), &["oauth"]),
        ("api.auth.client_secret", section.client_secret().is_some(), &["oauth"]),
        ("api.auth.refresh_token", section.refresh_token().is_some(), &["oauth"]),
        ("api.auth.redirect_uri", section.redirect_uri().is_some(), &["oauth"]),
        ("api.auth.system_user_token", section.system_user_token().is_some(), &["system-user"]),
        ("api.auth.private_key", section.private_key().is_some(), &["system-user"]),
    ];
    match given
        .iter()
        .find(|(_, is_given, schemes)| *is_given && !schemes.contains(&name))
    {
        Some((key, _, schemes)) => Err(wrong(
            key,
            format!(
                "belongs to scheme \"{}\", but `scheme` is \"{name}\"",
                schemes.join("\" or \"")
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    fn read(auth: &str, api: &str) -> Result<&'static str, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.toml");
        let text = format!(
            "[source]\npath = \"x\"\n[output]\ndir = \"y\"\n[api]\n{api}\nauth = {{ {auth} }}\n"
        );
        std::fs::write(&path, text).unwrap();
        let job = crate::job::read(&path, &[]);
        job.map(|job| job.api.auth.name())
            .map_err(|error| error.to_string().split_once(": ").unwrap().1.to_owned())
    }

    #[test]
    fn each_scheme_wants_its_keys_and_no_others() {
        const ONSITE: &str = "base_url = \"https://crm.example.com\"";
        const ONLINE: &str = "tenant = \"Cust1\"\napp_token = { env = \"A\" }";
        let cases = [
            ("scheme = \"none\"", ONSITE, Ok("none")),
            (
                "scheme = \"basic\", user = \"u\", password = { env = \"P\" }",
                ONSITE,
                Ok("basic"),
            ),
            (
                "scheme = \"ticket\", ticket = { env = \"T\" }",
                ONLINE,
                Ok("ticket"),
            ),
            (
                "scheme = \"xsrf\", token = { env = \"T\" }, cookie = { env = \"C\" }",
                ONSITE,
                Ok("xsrf"),
            ),
            (
                "scheme = \"oauth\", client_id = \"c\", client_secret = { env = \"S\" }, \
                 refresh_token = { file = \"r\" }",
                ONLINE,
                Ok("oauth"),
            ),
            (
                "scheme = \"system-user\", system_user_token = { env = \"T\" }, \
                 private_key = { file = \"k\" }",
                ONLINE,
                Ok("system-user"),
            ),
            (
                "scheme = \"ntlm\"",
                ONSITE,
                Err("`api.auth.scheme`: must be"),
            ),
            (
                "scheme = \"basic\", user = \"u\"",
                ONSITE,
                Err("`api.auth.password`: is missing; scheme \"basic\" needs it"),
            ),
            (
                "scheme = \"xsrf\", token = { env = \"T\" }",
                ONSITE,
                Err("`api.auth.cookie`: is missing"),
            ),
            (
                "ticket = { env = \"T\" }",
                ONSITE,
                Err("`api.auth.ticket`: belongs to scheme \"ticket\", but `scheme` is \"none\""),
            ),
            (
                "scheme = \"basic\", token = { env = \"T\" }",
                ONSITE,
                Err("`api.auth.token`: belongs to scheme \"bearer\" or \"xsrf\""),
            ),
            (
                "scheme = \"system-user\"",
                ONSITE,
                Err("`api.auth.scheme`: \"system-user\" logs in at SuperOffice Online"),
            ),
            (
                "scheme = \"system-user\"",
                "tenant = \"Cust1\"",
                Err("`api.auth.system_user_token`: is missing"),
            ),
            (
                "scheme = \"system-user\", system_user_token = { env = \"T\" }, \
                 private_key = { file = \"k\" }",
                "tenant = \"Cust1\"",
                Err("`api.app_token`: is missing; scheme \"system-user\" needs it"),
            ),
        ];
        for (auth, api, expected) in cases {
            match (read(auth, api), expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name, expected, "{auth}"),
                (Err(message), Err(expected)) => {
                    assert!(message.starts_with(expected), "{message:?} for {auth}");
                }
                (found, _) => panic!("{found:?} for {auth}"),
            }
        }
    }
}
