//! What goes wrong on the way, as often as asked for: which fault meets a request, and how it looks
//! on the wire.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::dice::{falls_into, generator, pick};

/// A way in which a server, or a proxy before it, spoils an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// 500 with the API's error object.
    ServerError,
    /// 502 with the HTML of a proxy.
    BadGateway,
    /// 503 with HTML, some with a `Retry-After` of 0 or 1 second.
    Unavailable,
    /// 429 with a `Retry-After` of 1 second.
    TooManyRequests,
    /// The connection is closed without an answer.
    Disconnect,
    /// The connection is closed in the middle of the body.
    BodyCut,
    /// 200 with the HTML of a login page.
    HtmlPage,
    /// 200 with an empty body.
    EmptyBody,
    /// The right answer, but late.
    Slow,
    /// No answer at all; the connection stays.
    Hang,
}

impl FaultKind {
    /// Every kind that spoils an answer: a slow one is right in the end, and one that hangs takes a
    /// connection for as long as somebody waits for it.
    pub const SPOILING: [Self; 8] = [
        Self::ServerError,
        Self::BadGateway,
        Self::Unavailable,
        Self::TooManyRequests,
        Self::Disconnect,
        Self::BodyCut,
        Self::HtmlPage,
        Self::EmptyBody,
    ];
}

/// How often which faults occur.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    pub(super) seed: u64,
    pub(super) share: f64,
    pub(super) kinds: Vec<FaultKind>,
    /// How much longer a slow answer takes.
    pub(super) slow: Duration,
}

impl Faults {
    /// The fault that meets the request of that number. Since a retry has another number, it can
    /// succeed.
    pub(super) fn of_request(&self, number: u64) -> Option<FaultKind> {
        let mut rng = generator(self.seed, number, 4);
        if falls_into(&mut rng, self.share) {
            rng.choice(&self.kinds).copied()
        } else {
            None
        }
    }

    /// How long the server wants the client to wait, where it says so.
    fn retry_after(&self, number: u64) -> Option<&'static str> {
        *pick(
            &mut generator(self.seed, number, 5),
            &[&None, &Some("0"), &Some("1")],
        )
    }

    /// The answer to the request of that number as the fault leaves it.
    pub(super) async fn spoil(&self, fault: FaultKind, number: u64, answer: Response) -> Response {
        match fault {
            FaultKind::ServerError => json(StatusCode::INTERNAL_SERVER_ERROR, SERVER_ERROR),
            FaultKind::BadGateway => html(StatusCode::BAD_GATEWAY, BAD_GATEWAY),
            FaultKind::Unavailable => with_retry_after(
                html(StatusCode::SERVICE_UNAVAILABLE, RECYCLING),
                self.retry_after(number),
            ),
            FaultKind::TooManyRequests => {
                with_retry_after(html(StatusCode::TOO_MANY_REQUESTS, TOO_MANY), Some("1"))
            }
            FaultKind::Disconnect => {
                Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(Cut)])))
            }
            FaultKind::BodyCut => cut(answer),
            FaultKind::HtmlPage => html(StatusCode::OK, LOGIN_PAGE),
            FaultKind::EmptyBody => StatusCode::OK.into_response(),
            FaultKind::Slow => {
                tokio::time::sleep(self.slow).await;
                answer
            }
            FaultKind::Hang => std::future::pending().await,
        }
    }
}

const SERVER_ERROR: &str = concat!(
    r#"{"Error":true,"ErrorType":"NullReferenceException","#,
    r#""Message":"Object reference not set to an instance of an object.","#,
    r#""ErrorSource":"SuperOffice.Services.Implementation"}"#
);
const BAD_GATEWAY: &str = "<html><head><title>502 Bad Gateway</title></head>\
    <body><h1>502 Bad Gateway</h1></body></html>\n";
/// What IIS says while it starts or is told not to.
pub(super) const RECYCLING: &str = "<!DOCTYPE html>\n\
    <html><head><title>Service Unavailable</title></head><body><h2>Service Unavailable</h2>\n\
    <p>HTTP Error 503. The service is unavailable.</p></body></html>\n";
const TOO_MANY: &str = "<html><body>Too many requests</body></html>\n";
pub(super) const LOGIN_PAGE: &str = "<!DOCTYPE html>\n\
    <html><head><title>Log in</title></head>\
    <body><form action=\"/login\"></form></body></html>\n";

/// Ends the connection from within the body.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut on purpose")]
struct Cut;

/// An answer of JSON.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(status, "application/json; charset=utf-8", body.into())
}

/// An answer of HTML, as IIS and proxies give it.
pub(super) fn html(status: StatusCode, body: &'static str) -> Response {
    typed(status, "text/html; charset=utf-8", body.into())
}

fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn with_retry_after(mut response: Response, seconds: Option<&'static str>) -> Response {
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

/// Sends the head of the answer with its full length, and a part of its body.
fn cut(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let length = axum::body::HttpBody::size_hint(&body).exact().unwrap_or(0);
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    let first_half = async move {
        let whole = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|_| Cut)?;
        Ok(whole.slice(..whole.len() / 2))
    };
    // The server writes out what it has when it must wait, so the first half is sent before the end
    // comes.
    let end = async {
        tokio::task::yield_now().await;
        Err(Cut)
    };
    let parts: Body = Body::from_stream(stream::once(first_half).chain(stream::once(end)));
    Response::from_parts(head, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(share: f64) -> Vec<FaultKind> {
        let faults = Faults {
            seed: 1,
            share,
            kinds: FaultKind::SPOILING.to_vec(),
            slow: Duration::ZERO,
        };
        (0..4_000)
            .filter_map(|number| faults.of_request(number))
            .collect()
    }

    #[test]
    fn faults_occur_at_the_share_that_was_set() {
        assert_eq!(met(0.0), []);
        assert_eq!(met(1.0).len(), 4_000);
        let tenth = met(0.1);
        assert!((320..=480).contains(&tenth.len()), "{}", tenth.len());
        assert_eq!(tenth, met(0.1));
        for kind in FaultKind::SPOILING {
            assert!(tenth.contains(&kind), "{kind:?}");
        }
    }

    #[test]
    fn no_kinds_are_no_faults() {
        let faults = Faults {
            seed: 1,
            share: 1.0,
            kinds: Vec::new(),
            slow: Duration::ZERO,
        };
        assert_eq!(faults.of_request(1), None);
    }
}
