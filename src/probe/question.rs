//! A question to an installation: a request, and a pure reading of the answer.

use super::answer::ProbeAnswer;
use super::fact::Facts;
use super::known::Learned;
use crate::extract::api::inquiry::Inquiry;

/// Makes the request of what is known.
type MakeRequest = Box<dyn Fn(&Learned) -> Option<Inquiry>>;
/// Reads an answer.
type ReadAnswer = Box<dyn Fn(&ProbeAnswer, &mut Learned) -> Facts>;

/// One question.
pub(super) struct ProbeQuestion {
    /// What it is called in the report.
    pub(super) name: &'static str,
    /// What nobody could read up.
    pub(super) asks: &'static str,
    /// None where what it needs is not known.
    pub(super) request: MakeRequest,
    /// What the answer tells, beyond its outline.
    pub(super) reading: ReadAnswer,
}

impl ProbeQuestion {
    pub(super) fn new(
        name: &'static str,
        asks: &'static str,
        request: impl Fn(&Learned) -> Option<Inquiry> + 'static,
        reading: impl Fn(&ProbeAnswer, &mut Learned) -> Facts + 'static,
    ) -> Self {
        Self {
            name,
            asks,
            request: Box::new(request),
            reading: Box::new(reading),
        }
    }
}

/// A GET.
pub(super) fn get(path: &str, query: Option<String>) -> Inquiry {
    Inquiry {
        path: path.to_owned(),
        query,
        ..Inquiry::default()
    }
}

/// A POST of one of the agents' methods whose names begin with Get, which change nothing.
pub(super) fn post(method: &str, body: String) -> Inquiry {
    Inquiry {
        path: format!("v1/Agents/{method}"),
        body: Some(body),
        ..Inquiry::default()
    }
}

/// The outline tells it all.
pub(super) fn outline_only(_: &ProbeAnswer, _: &mut Learned) -> Facts {
    Facts::new()
}
