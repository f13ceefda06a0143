//! Sends the request of one page, with the client, the headers and the login of every other one.

use tokio::time::Instant;

use crate::extract::api::archive::request::Archive;
use crate::extract::api::client::{ApiClient, NoReply, Reply, Route, Via, read_whole, send};

impl ApiClient {
    /// Asks for the page of an archive beyond a key, and reads the answer whole.
    ///
    /// # Errors
    /// Where no whole answer came; redirects are answers.
    pub async fn archive_page(
        &self,
        route: &Route,
        page: (&Archive, i64),
        via: Via,
    ) -> Result<Reply, NoReply> {
        let (archive, after) = page;
        let mut url = route.api.clone();
        let folder = route.api.path().trim_end_matches('/');
        url.set_path(&format!("{folder}/v1/Archive/{}", archive.provider));
        url.set_query(Some(&archive.query(after)));
        let http = match via {
            Via::AnyConnection => &self.http.keeping,
            Via::NewConnection => &self.http.fresh,
        };
        let deadline = Instant::now() + self.bounds.total();
        let request = http.get(url).headers(route.headers.clone());
        read_whole(send(request, deadline).await?, &self.bounds, deadline).await
    }
}
