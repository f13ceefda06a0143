//! Exactly one HTTP attempt. What the answer means is the verdict's matter; trying again is the
//! fetcher's.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::{Instant, timeout_at};

use crate::contact::{ContactId, Reason};
use crate::extract::api::body::Bounds;
use crate::extract::api::cause;
use crate::extract::api::retry_after::retry_after;
use crate::extract::api::transport::{Error, HttpClients};

/// The operation, below the address of the API (vendor's OpenAPI file of the contact agent).
const OPERATION: &str = "v1/Agents/Contact/GetContactSummary";
/// Who is logged in.
const PRINCIPAL: &str = "v1/User/currentPrincipal";
/// The base zone of the installation, and the zone of the user or what is there in place of it
/// (vendor's client of the time zone agent).
const BASE_ZONE: &str = "v1/Agents/TimeZone/GetBaseTimeZoneId";
const DEFAULT_ZONE: &str = "v1/Agents/TimeZone/GetDefaultTimeZoneInformation";

/// What is asked of the API, apart from the contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryQuestion {
    /// Most items per list.
    pub limit: u32,
    /// The root members asked for; all where none are named.
    pub select: Option<String>,
    /// `SO-Language` and `Accept-Language`.
    pub language: String,
    /// `SO-Culture`.
    pub culture: Option<String>,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the body is still compressed.
    pub is_gzip: bool,
    /// The body.
    pub body: Bytes,
}

/// An attempt that brought no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoReply {
    /// What went wrong.
    pub reason: Reason,
    /// The status, where at least that came.
    pub status: Option<u16>,
    /// How far the request came.
    pub reach: Reach,
}

/// How far a request came that brought no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// There was no connection, so nothing was sent.
    Nowhere,
    /// The same, since the server's certificate was not accepted.
    Untrusted,
    /// It went out, but the connection was lost before an answer came. Where that was one that had
    /// served before, the server may have closed it for being idle, as it may (RFC 9112, 9.3).
    LostConnection,
    /// It went out.
    Sent,
}

impl NoReply {
    /// Whether the server's certificate was not accepted.
    pub fn is_untrusted(&self) -> bool {
        self.reach == Reach::Untrusted
    }
}

/// Which connection a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Any, as a rule one that has served before.
    AnyConnection,
    /// Only one of its own.
    NewConnection,
}

/// Sends requests to the API.
#[derive(Debug, Clone)]
pub struct ApiClient {
    pub(super) http: HttpClients,
    headers: HeaderMap,
    query: Option<String>,
    limit: u32,
    pub(super) bounds: Bounds,
}

/// Where requests go and what they carry: the address of the API, the question's headers and the
/// login's.
#[derive(Debug)]
pub struct Route {
    summary: Url,
    principal: Url,
    base_zone: Url,
    default_zone: Url,
    /// The address of the API.
    pub(super) api: Url,
    pub(super) headers: HeaderMap,
}

impl ApiClient {
    /// A client; `headers` go with every request, besides those of the question.
    ///
    /// # Errors
    /// Where a setting makes no header.
    pub fn new(
        http: HttpClients,
        bounds: Bounds,
        question: &SummaryQuestion,
        headers: &HeaderMap,
    ) -> Result<Self, Error> {
        let mut all = question.headers()?;
        all.extend(headers.clone());
        let query = question
            .select
            .as_ref()
            .map(|select| format!("$select={select}"));
        Ok(Self {
            http,
            headers: all,
            query,
            limit: question.limit,
            bounds,
        })
    }

    /// The way to the API at this address, logged in with these headers, for instants in the zone
    /// of that `SO-TimeZone`.
    pub fn route(&self, api: &Url, login: &HeaderMap, zone: HeaderValue) -> Route {
        let below = |operation: &str| {
            let mut url = api.clone();
            url.set_path(&format!("{}/{operation}", api.path().trim_end_matches('/')));
            url
        };
        let mut summary = below(OPERATION);
        summary.set_query(self.query.as_deref());
        let mut headers = self.headers.clone();
        headers.insert(HeaderName::from_static("so-timezone"), zone);
        headers.extend(login.clone());
        Route {
            summary,
            principal: below(PRINCIPAL),
            base_zone: below(BASE_ZONE),
            default_zone: below(DEFAULT_ZONE),
            api: api.clone(),
            headers,
        }
    }

    /// Sends one request for a contact and reads the answer whole.
    ///
    /// # Errors
    /// Where no whole answer came; redirects are answers.
    pub async fn attempt(
        &self,
        route: &Route,
        contact_id: ContactId,
        via: Via,
    ) -> Result<Reply, NoReply> {
        let http = match via {
            Via::AnyConnection => &self.http.keeping,
            Via::NewConnection => &self.http.fresh,
        };
        let body = format!(r#"{{"ContactId":{contact_id},"Limit":{}}}"#, self.limit);
        exchange(
            http.post(route.summary.clone())
                .headers(route.headers.clone())
                .body(body),
            &self.bounds,
        )
        .await
    }

    /// Asks who is logged in. The answer is about a person; its status is what matters.
    ///
    /// # Errors
    /// Where no whole answer came.
    pub async fn principal(&self, route: &Route) -> Result<Reply, NoReply> {
        exchange(
            self.http
                .keeping
                .get(route.principal.clone())
                .headers(route.headers.clone()),
            &self.bounds,
        )
        .await
    }

    /// Asks the installation for its base zone.
    ///
    /// # Errors
    /// Where no whole answer came.
    pub async fn base_zone(&self, route: &Route) -> Result<Reply, NoReply> {
        self.ask(route, &route.base_zone).await
    }

    /// Asks for the zone of the user, or what the installation has in place of it.
    ///
    /// # Errors
    /// Where no whole answer came.
    pub async fn default_zone(&self, route: &Route) -> Result<Reply, NoReply> {
        self.ask(route, &route.default_zone).await
    }

    /// Calls an operation that takes no parameters.
    async fn ask(&self, route: &Route, operation: &Url) -> Result<Reply, NoReply> {
        let request = self.http.keeping.post(operation.clone());
        let request = request.headers(route.headers.clone()).body("{}");
        exchange(request, &self.bounds).await
    }
}

/// Sends one request and reads the answer whole; of one that is no success, the body as far as it
/// can be had.
///
/// # Errors
/// Where no whole answer came; redirects are answers.
pub async fn exchange(request: RequestBuilder, bounds: &Bounds) -> Result<Reply, NoReply> {
    let deadline = Instant::now() + bounds.total();
    let response = send(request, deadline).await?;
    read_whole(response, bounds, deadline).await
}

/// Sends a request; gives the head of its answer.
pub(super) async fn send(request: RequestBuilder, deadline: Instant) -> Result<Response, NoReply> {
    let sent = timeout_at(deadline, request.send()).await;
    let sent = sent.map_err(|_| NoReply {
        reason: cause::timed_out(),
        status: None,
        reach: Reach::Sent,
    })?;
    sent.map_err(|error| NoReply {
        reason: cause::reason(&error, Reason::Connection),
        status: None,
        reach: reach(&error),
    })
}

/// Reads an answer whole whose head has come.
pub(super) async fn read_whole(
    mut response: Response,
    bounds: &Bounds,
    deadline: Instant,
) -> Result<Reply, NoReply> {
    let status = response.status().as_u16();
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let retry_after = header(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now()));
    let is_gzip = header(CONTENT_ENCODING).is_some_and(is_gzip);
    let body = match bounds.read(&mut response, deadline).await {
        Ok(body) => body,
        // What another status means does not hang on its body.
        Err(_) if !response.status().is_success() => Bytes::new(),
        Err(reason) => {
            return Err(NoReply {
                reason,
                status: Some(status),
                reach: Reach::Sent,
            });
        }
    };
    Ok(Reply {
        status,
        retry_after,
        is_gzip,
        body,
    })
}

/// How far a request came that ended in this error.
fn reach(error: &reqwest::Error) -> Reach {
    if cause::is_untrusted(error) {
        Reach::Untrusted
    } else if error.is_connect() {
        Reach::Nowhere
    } else if cause::is_lost(error) {
        Reach::LostConnection
    } else {
        Reach::Sent
    }
}

/// Whether a Content-Encoding is gzip, by its name or the older one (RFC 9110, 8.4.1.3).
fn is_gzip(content_encoding: &str) -> bool {
    ["gzip", "x-gzip"]
        .into_iter()
        .any(|name| content_encoding.trim().eq_ignore_ascii_case(name))
}

impl SummaryQuestion {
    /// The headers that say what is asked.
    fn headers(&self) -> Result<HeaderMap, Error> {
        let text = |text: &str, key| HeaderValue::from_str(text).map_err(|_| Error::Header { key });
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        headers.insert(ACCEPT_LANGUAGE, text(&self.language, "api.language")?);
        headers.insert(
            HeaderName::from_static("so-language"),
            text(&self.language, "api.language")?,
        );
        if let Some(culture) = &self.culture {
            headers.insert(
                HeaderName::from_static("so-culture"),
                text(culture, "api.culture")?,
            );
        }
        Ok(headers)
    }
}
