//! What the mock can send: whole answers, broken ones, and none; and the summary that a
//! well-behaved server gives.

use serde_json::{Value, json};

/// What the server sends, and what it does then.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) then: Then,
    /// Sent only once so many requests came.
    pub(super) after_calls: usize,
    /// Sent only once the test releases it.
    pub(super) is_held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The connection is kept for the next request.
    Keep,
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes until the client goes away.
    Hang,
    /// Bytes come one at a time, without end, until the client goes away.
    Drip,
}

impl Answer {
    /// A whole answer.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect::<Vec<_>>()
            .concat();
        let length = if status == 204 {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!("HTTP/1.1 {status} Status\r\n{head}{length}\r\n");
        Self::sending([head.as_bytes(), body].concat(), Then::Keep)
    }

    /// A whole answer of JSON.
    pub(crate) fn json(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::new(
            status,
            &[("Content-Type", "application/json; charset=utf-8")],
            body,
        )
    }

    /// The API's own word for a contact that is not there.
    pub(crate) fn not_there() -> Self {
        let error =
            r#"{"Error":true,"ErrorType":"SoNotFoundException","ErrorMessage":"No such entity"}"#;
        Self::json(404, error)
    }

    /// A status without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, &[], "")
    }

    /// The summary of a contact, as it should be.
    pub(crate) fn summary(contact_id: i64) -> Self {
        Self::json(200, summary(contact_id).to_string())
    }

    /// These bytes, then the end of the connection.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self::sending(bytes.as_ref().to_vec(), Then::Close)
    }

    /// The connection is reset without an answer.
    pub(crate) fn reset() -> Self {
        Self::sending(Vec::new(), Then::Reset)
    }

    /// No answer ever comes.
    pub(crate) fn never() -> Self {
        Self::sending(Vec::new(), Then::Hang)
    }

    /// The head of an answer, and then byte after byte without end.
    pub(crate) fn drip() -> Self {
        Self::sending(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec(),
            Then::Drip,
        )
    }

    /// The same answer, cut so many bytes before its end; then the connection is closed.
    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.bytes.drain(self.bytes.len() - bytes..);
        Self {
            then: Then::Close,
            ..self
        }
    }

    /// The same answer, cut so many bytes before its end; then nothing more comes.
    pub(crate) fn stalled(self, bytes: usize) -> Self {
        Self {
            then: Then::Hang,
            ..self.cut(bytes)
        }
    }

    /// The same answer, not before so many requests came.
    pub(crate) fn after_calls(self, calls: usize) -> Self {
        Self {
            after_calls: calls,
            ..self
        }
    }

    /// The same answer, not before [`Mock::release`].
    pub(crate) fn held(self) -> Self {
        Self {
            is_held: true,
            ..self
        }
    }

    fn sending(bytes: Vec<u8>, then: Then) -> Self {
        Self {
            bytes,
            then,
            after_calls: 0,
            is_held: false,
        }
    }
}

/// The summary of a contact: a few rows in every table, a function of its id.
pub(crate) fn summary(contact_id: i64) -> Value {
    let instant = |minute: i64| {
        format!(
            "2026-03-{:02}T10:{minute:02}:00.1234567+01:00",
            contact_id % 28 + 1
        )
    };
    let tickets: Vec<_> = (1..=contact_id % 3)
        .map(|number| {
            let ticket_id = contact_id * 10 + number;
            json!({
                "TicketId": ticket_id,
                "TicketStatus": 1,
                "Title": format!("Sak {ticket_id}"),
                "Registered": instant(number),
                "IconHint": "ticket",
            })
        })
        .collect();
    json!({
        "Contact": {
            "ContactId": contact_id,
            "Name": format!("Blåbær {contact_id} AS"),
            "OrgNr": format!("0{contact_id}"),
            "AssociateId": 7,
            "IsOwnerContact": false,
            "Address": { "Wgs84Latitude": 59.91, "Street": { "City": "Tromsø" } },
        },
        "Tickets": tickets,
        "Followups": [{
            "AppointmentId": contact_id,
            "DocumentId": 0,
            "Date": instant(0),
            "Description": "Ring",
            "Completed": "NotStarted",
        }],
        "Documents": [],
        "Sales": [{
            "SaleId": contact_id,
            "SaleDate": "2026-06-30T00:00:00+02:00",
            "Amount": 1250.5,
            "Currency": "NOK",
            "Status": "Open",
        }],
        "Chats": null,
    })
}
