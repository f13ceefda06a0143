//! Where an online tenant's API is and whether it can be used: the state endpoint of the login
//! host, and what its answers mean. When it is asked is the fetcher's matter.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use reqwest::Url;
use serde::Deserialize;

use crate::extract::api::login_server::{Away, LoginServer, ServerAnswer};

/// A state is believed for at least this long, and for at most so long, whatever it says of itself:
/// not asked for on every call by a clock that is wrong, and not past an hour of a tenant's move.
/// Set by hand.
const SHORTEST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(1);
/// How long it is believed where it does not say. Set by hand.
const USUAL: Duration = Duration::from_mins(10);

/// An online tenant.
#[derive(Debug)]
pub struct Tenant {
    /// Where its state is asked.
    pub server: LoginServer,
    /// The customer's id.
    pub id: String,
    /// Whether plain http to another machine is accepted.
    pub allow_http: bool,
}

/// A tenant that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The address of its API.
    pub api: Url,
    /// How long to believe that.
    pub valid_for: Duration,
}

/// Why a tenant cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLocated {
    /// The state endpoint did not do its work.
    #[error("the state endpoint is away: {0}")]
    Away(#[from] Away),
    /// Not now.
    #[error("the tenant cannot be used now; its state is {0}")]
    NotNow(TenantState),
    /// Not in this run, however long it waits.
    #[error(transparent)]
    Never(#[from] Unusable),
}

/// Why waiting for a tenant is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Unusable {
    #[error("the tenant cannot be used; its state is {0}")]
    State(TenantState),
    #[error("the state endpoint knows no such tenant (status {status})")]
    Unknown { status: u16 },
    #[error(
        "the state endpoint names an API address that no credentials are sent to: it is not https, \
         or its host does not belong to the login host"
    )]
    Address,
}

impl Unusable {
    /// Whether the tenant may come back, so that the same command may succeed another day.
    pub fn may_pass(self) -> bool {
        match self {
            Self::State(TenantState::Suspended | TenantState::MigrationPending) => true,
            Self::State(
                TenantState::Unknown
                | TenantState::Provisioning
                | TenantState::Running
                | TenantState::Deleted
                | TenantState::OnlineMaintenance
                | TenantState::OfflineMaintenance
                | TenantState::ProvisioningFailed
                | TenantState::Deleting
                | TenantState::DeleteFailed
                | TenantState::Other,
            )
            | Self::Unknown { .. }
            | Self::Address => false,
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::State(TenantState::Suspended) => {
                "SuperOffice has suspended the tenant; ask its administrator, then run the same \
                 command again"
            }
            Self::State(TenantState::MigrationPending) => {
                "the tenant is about to be moved, which takes days; run the same command again then"
            }
            Self::State(
                TenantState::Unknown
                | TenantState::Provisioning
                | TenantState::Running
                | TenantState::Deleted
                | TenantState::OnlineMaintenance
                | TenantState::OfflineMaintenance
                | TenantState::ProvisioningFailed
                | TenantState::Deleting
                | TenantState::DeleteFailed
                | TenantState::Other,
            ) => "check `api.tenant`; a tenant in this state does not come back",
            Self::Unknown { .. } => {
                "check `api.tenant` and `api.environment`; where both are right, run the same \
                 command again later"
            }
            Self::Address => {
                "check `api.environment`; tenants of online.superoffice.com are at hosts below \
                 superoffice.com"
            }
        }
    }
}

/// The states of a tenant (vendor's page on tenant status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum TenantState {
    Unknown,
    Provisioning,
    Running,
    Deleted,
    Suspended,
    OnlineMaintenance,
    OfflineMaintenance,
    ProvisioningFailed,
    Deleting,
    DeleteFailed,
    MigrationPending,
    /// One that is newer than this program.
    #[serde(other)]
    Other,
}

impl std::fmt::Display for TenantState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => {
                formatter.write_str("Unknown (an incident, or no such tenant in this environment)")
            }
            Self::Other => formatter.write_str("one that this program does not know"),
            known => write!(formatter, "{known:?}"),
        }
    }
}

/// What is done about a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usability {
    Usable,
    /// Not now, but it may be later in this run.
    Wait,
    /// Not in this run.
    Stop,
}

impl TenantState {
    /// A state that is newer than this program is usable where the answer says that it runs.
    fn usability(self, is_running: Option<bool>) -> Usability {
        match self {
            _ if is_running == Some(true) => Usability::Usable,
            Self::Running | Self::OnlineMaintenance if is_running.is_none() => Usability::Usable,
            Self::Deleted
            | Self::Deleting
            | Self::DeleteFailed
            | Self::ProvisioningFailed
            | Self::Suspended
            | Self::MigrationPending => Usability::Stop,
            Self::Running
            | Self::OnlineMaintenance
            | Self::OfflineMaintenance
            | Self::Provisioning
            | Self::Unknown
            | Self::Other => Usability::Wait,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: Option<TenantState>,
    is_running: Option<bool>,
    endpoint: Option<String>,
    api: Option<String>,
    valid_until: Option<String>,
}

impl Tenant {
    /// Asks for the tenant's state. `was_located` says that it was before: then it is known to be
    /// there.
    ///
    /// # Errors
    /// Where it cannot be used, or nothing can be learnt of it.
    pub async fn locate(&self, was_located: bool) -> Result<Located, NotLocated> {
        let url = self.server.at(&format!("api/state/{}", self.id));
        let answer = self.server.send(self.server.http.get(url)).await?;
        self.read(&answer, was_located, Timestamp::now())
    }

    fn read(
        &self,
        answer: &ServerAnswer,
        was_located: bool,
        now: Timestamp,
    ) -> Result<Located, NotLocated> {
        if !answer.is_success() {
            let status = answer.status;
            // What the endpoint says of a mistyped tenant is not documented, so any body may be
            // that. Other statuses come from what stands before it, since it wants no login.
            let is_unknown = !was_located && matches!(status, 400 | 404 | 410);
            return Err(if is_unknown {
                Unusable::Unknown { status }.into()
            } else {
                Away::Status(status).into()
            });
        }
        let status: Status = answer.json().ok_or(Away::Unreadable)?;
        let state = status.state.unwrap_or(TenantState::Other);
        match state.usability(status.is_running) {
            Usability::Usable => {}
            Usability::Wait => return Err(NotLocated::NotNow(state)),
            Usability::Stop => return Err(Unusable::State(state).into()),
        }
        let api = status
            .api
            .or_else(|| Some(format!("{}/api", status.endpoint?.trim_end_matches('/'))))
            .ok_or(Away::Unreadable)?;
        let api = address(&api, &self.server.url, self.allow_http).ok_or(Unusable::Address)?;
        Ok(Located {
            api,
            valid_for: valid_for(status.valid_until.as_deref(), now),
        })
    }
}

/// The address that the state endpoint names, where credentials may be sent to it: https, and a
/// host of the same owner as the login host. That is: the same host or one below it, both below
/// superoffice.com, or both on this machine.
fn address(api: &str, login: &Url, allow_http: bool) -> Option<Url> {
    let url = Url::parse(api).ok()?;
    let (host, login_host) = (url.host_str()?, login.host_str()?);
    let is_below = |parent: &str| {
        host.strip_suffix(parent)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    let is_local = is_loopback(&url) && is_loopback(login);
    let of_vendor = |host: &str| host.ends_with(".superoffice.com");
    let same_owner = host == login_host
        || is_below(login_host)
        || is_local
        || (of_vendor(host) && of_vendor(login_host));
    let is_secret = url.scheme() == "https" || (url.scheme() == "http" && (allow_http || is_local));
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (same_owner && is_secret && is_plain).then_some(url)
}

/// Whether a URL leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// How long to believe a state. An instant without an offset is read as UTC.
fn valid_for(until: Option<&str>, now: Timestamp) -> Duration {
    let instant = |text: &str| {
        text.parse::<Timestamp>().ok().or_else(|| {
            Offset::UTC
                .to_timestamp(text.parse::<DateTime>().ok()?)
                .ok()
        })
    };
    let Some(until) = until.and_then(instant) else {
        return USUAL;
    };
    Duration::try_from(until.duration_since(now))
        .unwrap_or(Duration::ZERO)
        .clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::api::body::Bounds;

    fn tenant(login: &str) -> Tenant {
        let server = LoginServer {
            http: reqwest::Client::new(),
            bounds: Bounds::new(Duration::from_secs(1)),
            url: Url::parse(login).unwrap(),
        };
        Tenant {
            server,
            id: "Cust12345".to_owned(),
            allow_http: false,
        }
    }

    fn read(status: u16, body: &str) -> Result<Located, NotLocated> {
        tenant("https://online.superoffice.com").read(
            &ServerAnswer::new(status, body),
            false,
            "2026-02-23T09:42:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn every_state_is_used_waited_for_or_given_up() {
        use Usability::{Stop, Usable, Wait};

        let cases = [
            ("Unknown", 0, Wait),
            ("Provisioning", 0, Wait),
            ("Running", 1, Usable),
            ("Deleted", 0, Stop),
            ("Suspended", 0, Stop),
            ("OnlineMaintenance", 1, Usable),
            ("OfflineMaintenance", 0, Wait),
            ("ProvisioningFailed", 0, Stop),
            ("Deleting", 0, Stop),
            ("DeleteFailed", 0, Stop),
            ("MigrationPending", 0, Stop),
            ("SomethingNew", 0, Wait),
            ("SomethingNew", 1, Usable),
            ("Running", 0, Wait),
        ];
        for (state, running, expected) in cases {
            let api = "https://online2.superoffice.com/Cust12345/api";
            let body = format!(
                r#"{{"State":"{state}","IsRunning":{},"Api":"{api}"}}"#,
                running == 1
            );
            let found = match read(200, &body) {
                Ok(located) => {
                    assert_eq!(located.api.as_str(), api);
                    Usable
                }
                Err(NotLocated::NotNow(_)) => Wait,
                Err(NotLocated::Never(Unusable::State(_))) => Stop,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, expected, "{state} {running}");
        }
    }

    #[test]
    fn members_may_be_absent() {
        let api = |body: &str| read(200, body).map(|located| located.api.to_string());
        let endpoint = r#""Endpoint":"https://online2.superoffice.com/Cust12345""#;
        let expected = Ok("https://online2.superoffice.com/Cust12345/api".to_owned());
        assert_eq!(
            api(&format!(r#"{{"State":"Running",{endpoint}}}"#)),
            expected
        );
        assert_eq!(
            api(&format!(r#"{{"IsRunning":true,{endpoint},"Api":null}}"#)),
            expected
        );
        assert_eq!(
            api(r#"{"State":"Running","IsRunning":true}"#),
            Err(Away::Unreadable.into())
        );
        assert_eq!(
            api(&format!("{{{endpoint}}}")),
            Err(NotLocated::NotNow(TenantState::Other))
        );
    }

    #[test]
    fn answers_that_are_no_state() {
        let unknown = |status| Err(Unusable::Unknown { status }.into());
        let away = |status| Err(Away::Status(status).into());
        // What is made of it at first, and once the tenant was located.
        let cases = [
            (404, "<html>", unknown(404), away(404)),
            (404, r#"{"Message":"no"}"#, unknown(404), away(404)),
            (400, "", unknown(400), away(400)),
            (403, "<html>", away(403), away(403)),
            (500, "{}", away(500), away(500)),
            (
                200,
                "<html>",
                Err(Away::Unreadable.into()),
                Err(Away::Unreadable.into()),
            ),
        ];
        let now = Timestamp::UNIX_EPOCH;
        for (status, body, at_first, later) in cases {
            let tenant = tenant("https://online.superoffice.com");
            let read =
                |was_located| tenant.read(&ServerAnswer::new(status, body), was_located, now);
            assert_eq!(
                (read(false), read(true)),
                (at_first, later),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn credentials_go_to_the_owner_of_the_login_host_only() {
        let online = "https://online.superoffice.com";
        let own = "https://login.example.com";
        let cases = [
            (
                online,
                "https://online2.superoffice.com/Cust12345/api",
                true,
            ),
            (
                online,
                "https://online2.superoffice.com:443/Cust12345/api",
                true,
            ),
            (
                online,
                "https://ONLINE2.SuperOffice.com/Cust12345/api",
                true,
            ),
            (
                online,
                "http://online2.superoffice.com/Cust12345/api",
                false,
            ),
            (
                online,
                "https://online2.superoffice.com.example.com/Cust12345/api",
                false,
            ),
            (online, "https://evilsuperoffice.com/Cust12345/api", false),
            (online, "https://superoffice.com/Cust12345/api", false),
            (
                online,
                "https://user@online2.superoffice.com/Cust12345/api",
                false,
            ),
            (
                online,
                "https://online2.superoffice.com/Cust12345/api?x=1",
                false,
            ),
            (online, "https://127.0.0.1/api", false),
            (online, "/Cust12345/api", false),
            (online, "ftp://online.superoffice.com/", false),
            (own, "https://login.example.com/api", true),
            (own, "https://data.login.example.com/api", true),
            (own, "https://data.example.com/api", false),
            (own, "https://xlogin.example.com/api", false),
            (own, "https://online2.superoffice.com/api", false),
            (
                "http://127.0.0.1:8080",
                "http://localhost:8080/Cust00000/api",
                true,
            ),
            (
                "http://localhost:8080",
                "http://[::1]:8080/Cust00000/api",
                true,
            ),
        ];
        for (login, api, accepted) in cases {
            assert_eq!(
                address(api, &Url::parse(login).unwrap(), false).is_some(),
                accepted,
                "{api} from {login}"
            );
        }
        assert!(
            address(
                "http://login.example.com/api",
                &Url::parse("http://login.example.com").unwrap(),
                true
            )
            .is_some()
        );
    }

    #[test]
    fn a_state_is_believed_as_long_as_it_says_within_bounds() {
        let now: Timestamp = "2026-02-23T09:42:00Z".parse().unwrap();
        let cases = [
            (Some("2026-02-23T09:52:01.9342965Z"), 601),
            (Some("2026-02-23T10:52:00+01:00"), 600),
            (Some("2026-02-23T09:52:00"), 600),
            (Some("2026-02-23T09:42:01Z"), 60),
            (Some("2026-02-23T00:00:00Z"), 60),
            (Some("2027-01-01T00:00:00"), 3_600),
            (Some("soon"), 600),
            (None, 600),
        ];
        for (until, seconds) in cases {
            assert_eq!(valid_for(until, now).as_secs(), seconds, "{until:?}");
        }
    }
}
