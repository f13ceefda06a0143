//! The routes of the simulated API: reads the question, has it answered, compresses and delays, and
//! lets faults in. What a contact looks like and what a fault looks like is left to the modules
//! beside.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::time::Instant;

use super::archive::Archives;
use super::database::Database;
use super::faults::{Faults, LOGIN_PAGE, RECYCLING, html, json};
use super::gzip::{Gzip, is_accepted};
use super::spells::Spells;
use super::summary::{self, Selection, SummaryRequest};
use super::zone::{SimulatedZone, Wall, ZoneNames, ZoneTelling};

/// Far more than any question needs.
const LONGEST_QUESTION: usize = 64 * 1024;

/// How late timers fire on the average: they count in milliseconds and are rounded up twice, by
/// the runtime and by the system, by half a millisecond each time.
const LATE: Duration = Duration::from_millis(1);

/// Requests of archives are numbered from here, so that their faults are not those of summaries.
const FIRST_ARCHIVE_REQUEST: u64 = 1 << 40;

const NOT_FOUND: &str = "<!DOCTYPE html>\n\
    <html><head><title>404 - File or directory not found.</title></head><body>\n\
    <h2>404 - File or directory not found.</h2></body></html>\n";
const NOT_TOLD: &str = concat!(
    r#"{"Error":true,"ErrorType":"SoSentryException","#,
    r#""Message":"Access denied.","ErrorSource":"SuperOffice.Services.Implementation"}"#
);
const DESCRIPTION: &str = concat!(
    r#"{"Name":"GetContactSummary","Method":"POST","Parameters":["ContactId","Limit"],"#,
    r#""Query":["$select"],"Returns":"ContactSummary"}"#
);
const PRINCIPAL: &str = concat!(
    r#"{"UserType":"SystemUser","Associate":"SYS","AssociateId":3,"RoleName":"System","#,
    r#""RoleType":"System","FullName":"Sandbox System","#,
    r#""EMailAddress":"system@bolgesprett.example","FunctionRights":[],"Licenses":["webapi"],"#,
    r#""DatabaseContextIdentifier":"Cust00000"}"#
);

/// What all requests share.
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) archives: Archives,
    pub(super) faults: Faults,
    pub(super) spells: Spells,
    pub(super) latency: Duration,
    pub(super) zone: SimulatedZone,
    pub(super) zone_telling: ZoneTelling,
    pub(super) requests: Arc<AtomicU64>,
    pub(super) archive_requests: Arc<AtomicU64>,
    pub(super) gzip: Mutex<Gzip>,
}

/// The routes of one API, whose path ends in `/api`: those that need no login, and those that do.
pub(super) fn api(path: &str) -> (Router<Arc<Shared>>, Router<Arc<Shared>>) {
    let route = |rest: &str| format!("{path}{rest}");
    let open = Router::new()
        .route(&route(""), get(version))
        .route(&route("/"), get(version))
        .route(&route("/v1"), get(version))
        .route(&route("/v1/"), get(version));
    let guarded = Router::new()
        .route(&route("/v1/User/currentPrincipal"), get(principal))
        .route(
            &route("/v1/Agents/Contact/GetContactSummary"),
            post(contact_summary).get(description),
        )
        .route(&route("/v1/Archive/{provider}"), get(archive_page))
        .route(
            &route("/v1/Agents/TimeZone/GetBaseTimeZoneId"),
            post(base_zone),
        )
        .route(
            &route("/v1/Agents/TimeZone/GetDefaultTimeZoneInformation"),
            post(default_zone),
        );
    (open, guarded)
}

/// The page of every path that leads nowhere.
pub(super) async fn not_found() -> Response {
    html(StatusCode::NOT_FOUND, NOT_FOUND)
}

async fn version() -> Response {
    let body = concat!(
        r#"{"v1":"v1/","NetServerVersion":"11.10","NetServerLabel":"superoffice-export sandbox "#,
        env!("CARGO_PKG_VERSION"),
        r#"","Version":"11.10","Documentation":null}"#
    );
    json(StatusCode::OK, body)
}

async fn principal() -> Response {
    json(StatusCode::OK, PRINCIPAL)
}

async fn description() -> Response {
    json(StatusCode::OK, DESCRIPTION)
}

async fn base_zone(State(shared): State<Arc<Shared>>) -> Response {
    match shared.zone_telling {
        ZoneTelling::Base => json(StatusCode::OK, shared.zone.known().number.to_string()),
        ZoneTelling::Unset => json(StatusCode::OK, "0"),
        ZoneTelling::DefaultOnly | ZoneTelling::Refused => json(StatusCode::FORBIDDEN, NOT_TOLD),
        ZoneTelling::Odd => html(StatusCode::OK, LOGIN_PAGE),
        ZoneTelling::Away => html(StatusCode::SERVICE_UNAVAILABLE, RECYCLING),
    }
}

async fn default_zone(State(shared): State<Arc<Shared>>) -> Response {
    let ZoneNames { number, code, .. } = shared.zone.known();
    match shared.zone_telling {
        ZoneTelling::Base | ZoneTelling::Unset | ZoneTelling::DefaultOnly => {
            let body =
                format!(r#"{{"PreferenceId":0,"TZLocationId":{number},"LocationCode":"{code}"}}"#);
            json(StatusCode::OK, body)
        }
        ZoneTelling::Refused => json(StatusCode::FORBIDDEN, NOT_TOLD),
        ZoneTelling::Odd => html(StatusCode::OK, LOGIN_PAGE),
        ZoneTelling::Away => html(StatusCode::SERVICE_UNAVAILABLE, RECYCLING),
    }
}

async fn contact_summary(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let began = Instant::now();
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST_QUESTION).await else {
        return malformed("The request body could not be read.");
    };
    let answer = match question(&body, &head.uri, shared.wall(&head.headers)) {
        Ok(question) => shared.send(summary::answer(&shared.database, question), &head.headers),
        Err(reason) => return malformed(reason),
    };
    shared.deliver(answer, began, number).await
}

async fn archive_page(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let began = Instant::now();
    let number = shared.archive_requests.fetch_add(1, Ordering::Relaxed);
    let pairs: Vec<_> = decoded_pairs(query.as_deref().unwrap_or_default()).collect();
    let answer = match shared.archives.page(&shared.database, &provider, &pairs) {
        Ok(page) => shared.send(page, &headers),
        Err(no_page) => return no_page.response(),
    };
    shared
        .deliver(answer, began, FIRST_ARCHIVE_REQUEST + number)
        .await
}

impl Shared {
    /// The answer in its time, unless a fault meets the request.
    async fn deliver(&self, answer: Response, began: Instant, number: u64) -> Response {
        if !self.latency.is_zero() {
            // The time that the work took is part of the latency.
            tokio::time::sleep_until(began + self.latency.saturating_sub(LATE)).await;
        }
        let spell = self.spells.of_request(number, Instant::now());
        match spell.or_else(|| self.faults.of_request(number)) {
            None => answer,
            Some(fault) => self.faults.spoil(fault, number, answer).await,
        }
    }

    /// How the client wants instants written; none where it asks for a zone that is not known.
    fn wall(&self, headers: &HeaderMap) -> Option<Wall> {
        let header = headers.get("so-timezone");
        Wall::asked(self.zone, header.and_then(|value| value.to_str().ok()))
    }

    /// A body on its way, compressed if the client can read that.
    fn send(&self, body: Vec<u8>, headers: &HeaderMap) -> Response {
        let accepted = headers
            .get(ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .is_some_and(is_accepted);
        let compressed = if accepted {
            self.gzip
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .compress(&body)
        } else {
            None
        };
        match compressed {
            None => json(StatusCode::OK, body),
            Some(compressed) => {
                let mut response = json(StatusCode::OK, compressed);
                response
                    .headers_mut()
                    .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                response
            }
        }
    }
}

/// Reads the question from body and query. Names ignore case, as the API's do; without a limit
/// there are no items.
fn question(body: &[u8], uri: &Uri, wall: Option<Wall>) -> Result<SummaryRequest, &'static str> {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|_| "The request body is not a JSON object.")?;
    let integer = |name: &str| {
        let named = members
            .iter()
            .find(|(member, _)| member.eq_ignore_ascii_case(name));
        named
            .map(|(_, value)| {
                value
                    .as_i64()
                    .and_then(|value| i32::try_from(value).ok())
                    .ok_or("A parameter is not an Int32.")
            })
            .transpose()
    };
    let contact_id = integer("ContactId")?.ok_or("The parameter ContactId is missing.")?;
    let limit = integer("Limit")?.unwrap_or(0);
    let selection =
        query_value(uri, "$select").map_or(Selection::ALL, |names| Selection::parse(&names));
    Ok(SummaryRequest {
        contact_id,
        limit,
        selection,
        wall: wall.ok_or("The time zone is not known.")?,
    })
}

/// The value of a name in the query, decoded.
fn query_value(uri: &Uri, name: &str) -> Option<String> {
    decoded_pairs(uri.query()?)
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The pairs of a query or a form, decoded.
pub(super) fn decoded_pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (percent_decoded(key), percent_decoded(value)))
}

/// Text with `%2C` and `+` as they were meant.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let mut digit = || {
                    ahead
                        .next()
                        .and_then(|digit| char::from(digit).to_digit(16))
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                if let (Some(high), Some(low)) = (digit(), digit()) {
                    bytes.push(high * 16 + low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn malformed(detail: &'static str) -> Response {
    let body = format!(r#"{{"Message":"The request is invalid.","MessageDetail":"{detail}"}}"#);
    json(StatusCode::BAD_REQUEST, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, query: &str) -> Result<(i32, i32, Selection), &'static str> {
        let uri: Uri = format!("/x{query}").parse().unwrap();
        question(
            body.as_bytes(),
            &uri,
            Wall::asked(SimulatedZone::Norway, None),
        )
        .map(|question| (question.contact_id, question.limit, question.selection))
    }

    #[test]
    fn questions_are_read_in_any_case() {
        let all = Selection::ALL;
        assert_eq!(
            read(r#"{"ContactId":7,"Limit":100}"#, ""),
            Ok((7, 100, all))
        );
        assert_eq!(
            read(r#"{"LIMIT":5,"contactid":7,"other":null}"#, ""),
            Ok((7, 5, all))
        );
        assert_eq!(read(r#"{"contactId":-7}"#, "?lang=en"), Ok((-7, 0, all)));
        let sales = Selection::parse("Contact,Sales");
        assert_eq!(
            read(r#"{"contactId":7}"#, "?$select=contact,sales"),
            Ok((7, 0, sales))
        );
        assert_eq!(
            read(r#"{"contactId":7}"#, "?x=1&%24Select=Contact%2Csales"),
            Ok((7, 0, sales))
        );
    }

    #[test]
    fn malformed_questions_are_refused() {
        for body in [
            "",
            "[]",
            "null",
            "{",
            "{}",
            r#"{"ContactId":null}"#,
            r#"{"ContactId":"7"}"#,
            r#"{"ContactId":2147483648}"#,
            r#"{"ContactId":1.5}"#,
        ] {
            assert!(read(body, "").is_err(), "{body}");
        }
        assert!(read(r#"{"ContactId":7,"Limit":"many"}"#, "").is_err());
    }

    #[test]
    fn percent_signs_are_decoded_and_stray_ones_kept() {
        for (text, expected) in [
            ("a%20b+c", "a b c"),
            ("%C3%A5", "å"),
            ("100%", "100%"),
            ("%zz%2", "%zz%2"),
            ("%2c", ","),
        ] {
            assert_eq!(percent_decoded(text), expected);
        }
    }
}
