//! A job as the manifest tells it: every key as typed, and nothing that may be a secret.

use toml::{Table, Value};

use super::secrets::may_be_shown;

/// The job as typed, for the manifest: a secret shows where it comes from. Header values, the
/// arguments of programs and names that look like no name are left out, since people put secrets
/// there.
pub(super) fn describe(table: &Table) -> serde_json::Value {
    let mut table = table.clone();
    if let Some(Value::Table(api)) = table.get_mut("api") {
        if let Some(Value::Table(headers)) = api.get_mut("headers") {
            *headers = headers
                .keys()
                .map(|name| if may_be_shown(name) { name } else { LEFT_OUT })
                .map(|name| (name.to_owned(), left_out()))
                .collect();
        }
        leave_out_arguments(api);
    }
    serde_json::to_value(table).unwrap_or_default()
}

const LEFT_OUT: &str = "…";

fn left_out() -> Value {
    Value::String(LEFT_OUT.to_owned())
}

fn leave_out_arguments(section: &mut Table) {
    for (key, value) in section {
        match value {
            Value::Table(inner) => leave_out_arguments(inner),
            Value::Array(words) if key == "command" => words
                .iter_mut()
                .skip(1)
                .for_each(|argument| *argument = left_out()),
            _ => {}
        }
    }
}
