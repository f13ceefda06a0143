//! Why a page of an archive is not given, and how that travels.

use axum::http::StatusCode;
use axum::response::Response;

use crate::sandbox::faults::{html, json};

/// How the API refuses an archive to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveRefusal {
    /// 400 with the API's error object.
    BadRequest,
    /// 401, as without a login.
    Unauthorized,
    /// 403 with the API's error object.
    Forbidden,
    /// 404 of the web server.
    NotFound,
    /// 500 with the API's error object.
    ServerError,
}

/// Why a page is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum NoPage {
    Refused(ArchiveRefusal),
    /// The question is one that archives throw at.
    Thrown(&'static str),
}

const NOT_ALLOWED: &str = concat!(
    r#"{"Error":true,"ErrorType":"SoSentryException","#,
    r#""Message":"You do not have the right to see this.","ErrorSource":"ArchiveProvider"}"#
);
const NOT_AUTHORIZED: &str = r#"{"Message":"Authorization has been denied for this request."}"#;
const NO_SUCH_PAGE: &str = "<!DOCTYPE html>\n<html><body><h2>404</h2></body></html>\n";

impl NoPage {
    /// The refusal as it travels.
    pub(in crate::sandbox) fn response(self) -> Response {
        match self {
            Self::Thrown(message) => {
                let body = format!(
                    r#"{{"Error":true,"ErrorType":"ArchiveException","Message":"{message}"}}"#
                );
                json(StatusCode::INTERNAL_SERVER_ERROR, body)
            }
            Self::Refused(refusal) => match refusal {
                ArchiveRefusal::BadRequest => json(StatusCode::BAD_REQUEST, NOT_ALLOWED),
                ArchiveRefusal::Unauthorized => json(StatusCode::UNAUTHORIZED, NOT_AUTHORIZED),
                ArchiveRefusal::Forbidden => json(StatusCode::FORBIDDEN, NOT_ALLOWED),
                ArchiveRefusal::NotFound => html(StatusCode::NOT_FOUND, NO_SUCH_PAGE),
                ArchiveRefusal::ServerError => json(StatusCode::INTERNAL_SERVER_ERROR, NOT_ALLOWED),
            },
        }
    }
}
