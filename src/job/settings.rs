//! The declaration of every job key: type, default, flag and doc line, once. The job file's
//! structs, the typed accessors with their defaults, the flags of `run`, the hints for misspelt
//! keys and the reference in the README are derived from it. What a value has to be, beyond its
//! type, is checked in the file of its section.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Deserialize;

use super::secrets::{HeaderSetting, SecretPlace};
use super::values::{
    Period, Share, Value, ValueKind, Words, days, hours, milliseconds, percent, plain_values,
    seconds,
};
use crate::extract::api::zone::TENANT_ZONE;
use crate::schema;

/// One job key.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Table of the job file, such as `fetch` or `api.auth`.
    pub(crate) section: &'static str,
    /// The key in it.
    pub(crate) key: &'static str,
    /// Writes the default as it would be typed; none where the key has no default.
    default: fn() -> Option<String>,
    /// The flag of `run` that overrides it, without the dashes.
    pub flag: Option<&'static str>,
    /// How the flag's text becomes a value.
    pub(crate) kind: ValueKind,
    /// What it does.
    pub(crate) doc: &'static str,
}

/// Declares a section. Each line is `key: Type = default, --"flag";`, with default and flag left
/// out where there is none. It becomes an accessor of that name: with a default it gives the value,
/// without one an `Option`. An accessor that nothing calls is dead code, so that no key is declared
/// in vain.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        $name:ident = $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty $(= $default:expr)? $(, --$flag:literal)?;
            )+
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Debug, Default, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name {
            $($key: Option<$type>,)+
        }

        impl $name {
            $(accessor! { $key: $type $(= $default)? })+

            const SETTINGS: &[Setting] = &[$(Setting {
                section: $section,
                key: stringify!($key),
                default: default_text!($type $(= $default)?),
                flag: flag!($($flag)?),
                kind: <$type as Value>::KIND,
                doc: concat!($($doc),+).trim_ascii(),
            },)+];
        }
    };
}

macro_rules! accessor {
    ($key:ident: $type:ty) => {
        pub(super) fn $key(&self) -> Option<<$type as Value>::Plain> {
            self.$key.clone().map(Value::plain)
        }
    };
    ($key:ident: $type:ty = $default:expr) => {
        pub(super) fn $key(&self) -> <$type as Value>::Plain {
            let given: Option<$type> = self.$key.clone();
            given.unwrap_or_else(|| $default).plain()
        }
    };
}

macro_rules! default_text {
    ($type:ty) => {
        || None
    };
    ($type:ty = $default:expr) => {
        || {
            let default: $type = $default;
            Some(default.to_string())
        }
    };
}

macro_rules! flag {
    () => {
        None
    };
    ($flag:literal) => {
        Some($flag)
    };
}

section! {
    /// `[source]`: the contact ids.
    SourceSection = "source" {
        /// CSV or Excel workbook (`.xlsx`) of contact ids; `-` is standard input, for CSV; `.gz` and
        /// `.zst` are decompressed; UTF-8, UTF-16 with a byte order mark, else Windows-1252.
        path: PathBuf, --"source";
        /// Heading of the id column; by default contactId, contact_id, Company ID, ContactId or
        /// PrimaryKey. One column needs no heading.
        column: String, --"column";
        /// Delimiter; by default that of a first line `sep=;`, else detected among comma,
        /// semicolon, tab and bar.
        delimiter: String, --"delimiter";
        /// Sheet of a workbook; by default the first one that is not hidden.
        sheet: String, --"sheet";
        /// Stop before any contact is called where there are fewer distinct contact ids than in the
        /// last export, by more than this share.
        max_shrink: Share = percent(20), --"max-shrink";
        /// Stop before any contact is called where more than this share of the lines that are not
        /// blank is rejected.
        max_rejected: Share = percent(5), --"max-rejected";
        /// Warn where the file is older than this: what writes it did not run.
        max_age: Period, --"source-max-age";
    }
}

section! {
    /// `[api]`: the SuperOffice that is asked, and what for.
    ApiSection = "api" {
        /// Online: the customer's id, such as `Cust12345`; the address is asked of the state
        /// endpoint.
        tenant: String, --"tenant";
        /// `online`, `qaonline`, `sod`, or the URL of a login host; `sandbox` is the embedded one.
        environment: String = "online".to_owned(), --"environment";
        /// Onsite, instead of `tenant`: the address of the installation, with or without `/api`;
        /// `sandbox` is the embedded one.
        base_url: String, --"base-url";
        /// Whether plain http to another machine is accepted; credentials would travel in the
        /// clear.
        allow_http: bool = false;
        /// Most items per list.
        limit: u32 = 100, --"limit";
        /// Tables to export; fewer ask the API for less.
        tables: Words = Words::of(schema::data_tables().map(|table| table.name)), --"tables";
        /// Language of list texts (`SO-Language`, `Accept-Language`).
        language: String = "en".to_owned(), --"language";
        /// Culture of numbers and dates inside texts (`SO-Culture`).
        culture: String, --"culture";
        /// Time zone in which instants are asked for (`SO-TimeZone`). `tenant` is the base zone of
        /// the installation, which is asked for it; else a name or number that SuperOffice knows,
        /// such as `NO`, `US-NY`, `UTC` or `261`.
        time_zone: String = TENANT_ZONE.to_owned(), --"time-zone";
        /// Address that this installation had before: what was fetched from there is taken over.
        formerly: String, --"formerly";
        /// Application token (`SO-AppToken`), needed online with a ticket.
        app_token: SecretPlace;
        /// More request headers, each a text or a secret.
        headers: BTreeMap<String, HeaderSetting>;
        /// Proxy; by default that of the environment (`HTTPS_PROXY`).
        proxy: String, --"proxy";
        /// PEM file of certificates to trust besides the system's.
        ca_file: PathBuf, --"ca-file";
        /// Certificate of this client and its private key, both in PEM, where the server asks for
        /// one.
        client_certificate: SecretPlace;
        /// How to log in; see `[api.auth]`.
        auth: AuthSection;
    }
}

section! {
    /// `[api.auth]`: how to log in.
    AuthSection = "api.auth" {
        /// `none`, `basic`, `ticket`, `bearer`, `oauth`, `system-user` or `xsrf`.
        scheme: String = "none".to_owned();
        /// basic: user name.
        user: String;
        /// basic: password.
        password: SecretPlace;
        /// ticket: a ticket (`7T:…`) that someone already has.
        ticket: SecretPlace;
        /// bearer: access token; xsrf: the `XSRF-TOKEN`.
        token: SecretPlace;
        /// xsrf: the session cookie.
        cookie: SecretPlace;
        /// oauth: client id.
        client_id: String;
        /// oauth: client secret.
        client_secret: SecretPlace;
        /// oauth: refresh token; where it comes from a file and the server sends a new one, the
        /// file is replaced.
        refresh_token: SecretPlace;
        /// oauth: redirect URI, where the server asks for it.
        redirect_uri: String;
        /// system-user: the system user token.
        system_user_token: SecretPlace;
        /// system-user: RSA private key, PEM or .NET XML.
        private_key: SecretPlace;
    }
}

section! {
    /// `[fetch]`: how the API is called.
    FetchSection = "fetch" {
        /// Most requests per second; default 10 with `tenant`, none with `base_url`.
        requests_per_second: f64, --"requests-per-second";
        /// Most requests in flight; default 8 with `tenant`, 32 with `base_url`.
        max_in_flight: u32, --"max-in-flight";
        /// Longest wait for a whole answer. Ten seconds of silence after its head, or in its
        /// middle, end it.
        timeout: Period = seconds(30), --"timeout";
        /// Most attempts per contact.
        max_attempts: u32 = 6, --"max-attempts";
        /// Backoff before the second attempt, at most; it doubles from there.
        retry_delay: Period = milliseconds(500), --"retry-delay";
        /// How long an outage or maintenance is waited out before the run stops (resumable).
        patience: Period = hours(2), --"patience";
        /// Answers younger than this are not fetched again.
        max_age: Period = seconds(0), --"max-age";
        /// Stop fetching after this long; the rest is pending until the next run.
        max_duration: Period, --"max-duration";
        /// Stop fetching after this many calls; the rest is pending until the next run.
        max_calls: u64, --"max-calls";
        /// A run that was cut off or stopped is continued within this time since the last answer it
        /// stored; after that a new one begins.
        resume_within: Period = hours(12), --"resume-within";
    }
}

section! {
    /// `[output]`: the export.
    OutputSection = "output" {
        /// Folder of the exports and of the state.
        dir: PathBuf, --"dir";
        /// `parquet` or `csv`.
        format: String = "parquet".to_owned(), --"format";
        /// CSV: whether text that begins with `=`, `+`, `-`, `@`, a tab or CR, or with an
        /// apostrophe, gets an apostrophe before it, so that no spreadsheet runs it as a formula.
        csv_safe: bool = true;
        /// Who may read published runs: `owner` (the user who runs the job), `group` (that of `dir`,
        /// too) or `everyone` on the machine. The state stays the owner's.
        access: String = "owner".to_owned();
        /// Published runs kept.
        keep: u32 = 14, --"keep";
        /// Above this share of failed targets the run is not published.
        max_failed: Share = percent(1), --"max-failed";
        /// An older answer is not shown in place of a failure where it is older than this.
        max_stale: Period = days(30), --"max-stale";
        /// Above this share of the last export's contacts that are missing now the run is not
        /// published.
        max_missing: Share = percent(2), --"max-missing";
        /// A run is not published where a table lost more than this share of its rows, or of the
        /// contacts that had rows in it.
        max_loss: Share = percent(50), --"max-loss";
        /// Answers of contacts that are no longer in the input are deleted when they have not been
        /// for so long and in three published runs.
        forget_after: Period = days(7), --"forget-after";
    }
}

section! {
    /// `[privacy]`: what leaves the house.
    PrivacySection = "privacy" {
        /// Columns that this job's tables do not have, as `table.column`, or `*.column` for those of
        /// every table; what they would hold is not stored either.
        drop: Words;
        /// Text columns that show a hash in place of each value: HMAC-SHA256 under `key`, the same
        /// in every table and every night, so that they still join.
        hash: Words;
        /// Columns that stay and are always null; what they would hold is not stored either.
        redact: Words;
        /// Key of the hashes, at least 16 bytes.
        key: SecretPlace;
        /// What becomes of what no column takes: `drop` (not stored, and `extra` is null) or `keep`;
        /// `drop` as soon as any column is listed, else `keep`.
        extra: String;
    }
}

section! {
    /// `[sandbox]`: the embedded SuperOffice, where `base_url` or `environment` is `"sandbox"`.
    SandboxSection = "sandbox" {
        /// Seed of the invented data.
        seed: u64 = 1, --"sandbox-seed";
        /// Number of contact ids at the beginning; without it every contact id exists, and archives
        /// show the first 10,000.
        contacts: u32, --"sandbox-contacts";
        /// How many nights of changes have passed, each of which meets some 2% of the contacts that
        /// archives show.
        night: u32 = 0, --"sandbox-night";
        /// Wait before each answer.
        latency: Period = seconds(0), --"sandbox-latency";
        /// Share of requests that meet a fault.
        faults: Share = percent(0), --"sandbox-faults";
        /// How long it hangs after each 4,000 requests, in turn with `drops`.
        hangs: Period = seconds(0), --"sandbox-hangs";
        /// How long it drops every connection then.
        drops: Period = seconds(0), --"sandbox-drops";
    }
}

plain_values! {
    AuthSection => Table,
}

/// The job file, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JobFile {
    pub(super) source: SourceSection,
    pub(super) api: ApiSection,
    pub(super) fetch: FetchSection,
    pub(super) output: OutputSection,
    pub(super) privacy: PrivacySection,
    pub(super) sandbox: SandboxSection,
}

/// Every job key, section by section.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        SourceSection::SETTINGS,
        ApiSection::SETTINGS,
        AuthSection::SETTINGS,
        FetchSection::SETTINGS,
        OutputSection::SETTINGS,
        PrivacySection::SETTINGS,
        SandboxSection::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// The reference of all keys, in Markdown, for the README.
///
/// # Panics
/// Never: it is written to memory.
pub fn reference() -> String {
    let mut page = String::from("| key | default | |\n|---|---|---|\n");
    for setting in settings() {
        let default = (setting.default)()
            .map(|default| format!("`{default}`"))
            .unwrap_or_default();
        let flag = setting
            .flag
            .map(|flag| format!(" (`--{flag}`)"))
            .unwrap_or_default();
        writeln!(
            page,
            "| `{}.{}`{flag} | {default} | {} |",
            setting.section, setting.key, setting.doc
        )
        .expect("writing to a String cannot fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_unique_and_every_key_has_a_doc_line() {
        let all: Vec<_> = settings().collect();
        for (index, setting) in all.iter().enumerate() {
            assert!(
                setting.doc.ends_with('.'),
                "{}.{}",
                setting.section,
                setting.key
            );
            assert!(
                setting.flag.is_none()
                    || all[..index].iter().all(|other| other.flag != setting.flag),
                "--{:?} twice",
                setting.flag
            );
            assert!(
                setting.flag.is_none()
                    || !matches!(setting.kind, ValueKind::Secret | ValueKind::Table)
            );
        }
    }

    #[test]
    fn the_reference_names_every_key() {
        let page = reference();
        assert_eq!(page.lines().count(), settings().count() + 2);
        assert!(page.contains("| `api.limit` (`--limit`) | `100` | Most items per list. |"));
    }
}
