//! Questions about the API as a whole: version, user, zone, look-ups.

use serde_json::Value;

use super::answer::{ProbeAnswer, word};
use super::fact::{Fact, Facts};
use super::known::Learned;
use super::question::{ProbeQuestion, get, outline_only, post};

/// Types of users that the vendor's documentation knows.
const USER_TYPES: [&str; 4] = [
    "SystemUser",
    "InternalAssociate",
    "ExternalAssociate",
    "AnonymousAssociate",
];

pub(super) fn questions() -> Vec<ProbeQuestion> {
    let no_body = |method: &'static str| move |_: &Learned| Some(post(method, "{}".to_owned()));
    vec![
        ProbeQuestion::new(
            "version",
            "what the API tells of itself without a login",
            |_| Some(get("", None)),
            members,
        ),
        ProbeQuestion::new(
            "operations",
            "whether the API lists its operations",
            |_| Some(get("v1", None)),
            members,
        ),
        ProbeQuestion::new(
            "user",
            "what kind of user is logged in",
            |_| Some(get("v1/User/currentPrincipal", None)),
            user,
        ),
        ProbeQuestion::new(
            "base_zone",
            "whether the installation tells its base zone",
            no_body("TimeZone/GetBaseTimeZoneId"),
            zone,
        ),
        ProbeQuestion::new(
            "default_zone",
            "whether it tells a default zone",
            no_body("TimeZone/GetDefaultTimeZoneInformation"),
            members,
        ),
        ProbeQuestion::new(
            "ticket_statuses",
            "whether the names of ticket statuses may be read",
            no_body("List/GetTicketStatuses"),
            items,
        ),
        ProbeQuestion::new(
            "base_currency",
            "whether the base currency may be read",
            no_body("List/GetBaseCurrency"),
            members,
        ),
        ProbeQuestion::new(
            "contact_list",
            "whether many contacts can be had in one call",
            |known| {
                let body = format!(r#"{{"ContactIds":[{},2147483647]}}"#, known.contact_id?);
                Some(post("Contact/GetContactList", body))
            },
            items,
        ),
        ProbeQuestion::new(
            "unknown_operation",
            "how the API says that it has no such operation",
            |_| Some(get("v1/NoSuchOperation", None)),
            outline_only,
        ),
    ]
}

fn members(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    match &answer.body {
        super::answer::Body::Json(Value::Object(members)) => {
            vec![("members", Fact::count(members.len()))]
        }
        _ => Facts::new(),
    }
}

fn items(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let Some(list) = answer.list() else {
        return Facts::new();
    };
    let nulls = list.iter().filter(|item| item.is_null()).count();
    vec![
        ("items", Fact::count(list.len())),
        ("null_items", Fact::count(nulls)),
    ]
}

fn user(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let Some(Value::String(found)) = answer.member("UserType") else {
        return Facts::new();
    };
    let known = USER_TYPES.into_iter().find(|known| found == known);
    let mut facts = vec![("user_type", Fact::Word(known.unwrap_or("another one")))];
    for (name, key) in [
        ("function_rights", "FunctionRights"),
        ("licences", "Licenses"),
    ] {
        if let Some(Value::Array(list)) = answer.member(key) {
            facts.push((name, Fact::count(list.len())));
        }
    }
    facts
}

fn zone(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    match &answer.body {
        super::answer::Body::Json(Value::Number(number)) => {
            vec![("is_set", Fact::Is(number.as_i64() != Some(0)))]
        }
        super::answer::Body::Json(other) => vec![("is", Fact::Word(word(other)))],
        _ => Facts::new(),
    }
}
