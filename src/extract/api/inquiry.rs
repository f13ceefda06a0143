//! A request that no run makes: whoever wants to know how an installation behaves asks this way,
//! with the client, the address and the login of a run. What the answer means is left to them.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::client::{ApiClient, NoReply, Reply, Route, read_whole, send};

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inquiry {
    /// Below the address of the API, such as `v1/Archive`.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Sent by POST; without one the request is a GET.
    pub(crate) body: Option<String>,
    /// Headers in place of the usual ones; none leaves one out.
    pub(crate) headers: Vec<(HeaderName, Option<HeaderValue>)>,
}

/// The answer, with the headers that came with it.
#[derive(Debug)]
pub(crate) struct Inquired {
    pub(crate) reply: Reply,
    pub(crate) headers: HeaderMap,
}

impl ApiClient {
    /// Sends one such request and reads the answer whole.
    pub(crate) async fn inquire(
        &self,
        route: &Route,
        inquiry: &Inquiry,
    ) -> Result<Inquired, NoReply> {
        let mut url = route.api.clone();
        let folder = route.api.path().trim_end_matches('/');
        url.set_path(format!("{folder}/{}", inquiry.path).trim_end_matches('/'));
        url.set_query(inquiry.query.as_deref());
        let mut headers = route.headers.clone();
        for (name, value) in &inquiry.headers {
            match value {
                Some(value) => drop(headers.insert(name, value.clone())),
                None => drop(headers.remove(name)),
            }
        }
        let http = &self.http.keeping;
        let request = match &inquiry.body {
            Some(body) => http.post(url).body(body.clone()),
            None => http.get(url),
        };
        let deadline = Instant::now() + self.bounds.total();
        let response = send(request.headers(headers), deadline).await?;
        let headers = response.headers().clone();
        let reply = read_whole(response, &self.bounds, deadline).await?;
        Ok(Inquired { reply, headers })
    }
}
