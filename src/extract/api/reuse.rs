//! Whether a request went out on a connection that had served before. A server may close an idle
//! connection at any time (RFC 9112, 9.3), so that a request meets one that is about to go; that is
//! no failure of anybody. The HTTP client does not tell, so a layer around its connector notes that
//! a connection was made while a request was sent.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    static CONNECTED: Cell<bool>;
}

/// Carries a request out, and tells whether a connection was made for it.
pub(super) async fn watch<T>(request: impl Future<Output = T>) -> (T, bool) {
    let request = async {
        let result = request.await;
        (result, CONNECTED.with(Cell::get))
    };
    CONNECTED.scope(Cell::new(false), request).await
}

/// Whether an error means that the connection was lost before anything of an answer came.
pub(super) fn is_lost(error: &reqwest::Error) -> bool {
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    let is_closed = causes()
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed());
    let is_reset = causes()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        });
    is_closed || is_reset
}

/// The layer around the connector.
#[derive(Debug, Clone)]
pub(super) struct NoteConnections;

impl<S> Layer<S> for NoteConnections {
    type Service = Noting<S>;

    fn layer(&self, connector: S) -> Noting<S> {
        Noting { connector }
    }
}

/// A connector that notes what it makes.
#[derive(Debug, Clone)]
pub(super) struct Noting<S> {
    connector: S,
}

impl<S, R> Service<R> for Noting<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.connector.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            // One that comes too late for its request is finished elsewhere, and nobody watches.
            CONNECTED
                .try_with(|connected| connected.set(true))
                .unwrap_or_default();
            Ok(connection)
        })
    }
}
