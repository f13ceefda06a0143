//! The declaration of every job key: type, default, flag and doc line, once. The job file's
//! structs, the flags of `run`, the hints for misspelt keys and the reference in the README are
//! derived from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Deserialize;

use super::values::{Period, SecretPlace, Share};

/// One job key.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Table of the job file, such as `fetch` or `api.auth`.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// The default as typed; empty where there is none.
    pub default: &'static str,
    /// The flag of `run` that overrides it, without the dashes.
    pub flag: Option<&'static str>,
    /// How the flag's text becomes a value.
    pub kind: Kind,
    /// What it does.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, or a value written as text.
    Text,
    /// A path.
    Path,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of words; separated by commas in a flag.
    List,
    /// A place to read a secret from, or a table; never a flag.
    Table,
}

trait HasKind {
    const KIND: Kind;
}

macro_rules! kinds {
    ($($type:ty => $kind:ident),+ $(,)?) => { $(impl HasKind for $type { const KIND: Kind = Kind::$kind; })+ };
}

kinds! {
    String => Text, Period => Text, Share => Text, PathBuf => Path, u32 => Integer, u64 => Integer, f64 => Number, bool => Boolean,
    Vec<String> => List, SecretPlace => Table, BTreeMap<String, HeaderValue> => Table, AuthSection => Table,
}

macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        $name:ident = $section:literal {
            $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:literal $(, --$flag:literal)?;)+
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Debug, Default, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[expect(missing_docs, reason = "each key has its doc line in the declaration")]
        pub struct $name { $(pub $key: Option<$type>,)+ }

        impl $name {
            const SETTINGS: &[Setting] = &[$(Setting {
                section: $section,
                key: stringify!($key),
                default: $default,
                flag: flag!($($flag)?),
                kind: <$type as HasKind>::KIND,
                doc: concat!($($doc),+).trim_ascii(),
            },)+];
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
        /// CSV of contact ids; `-` is standard input; `.gz` and `.zst` are decompressed; UTF-8,
        /// else Windows-1252.
        path: PathBuf = "", --"source";
        /// Heading of the id column; by default contactId, contact_id, Company ID, ContactId or
        /// PrimaryKey. One column needs no heading.
        column: String = "", --"column";
        /// Delimiter; by default that of a first line `sep=;`, else detected among comma,
        /// semicolon, tab and bar.
        delimiter: String = "", --"delimiter";
    }
}

section! {
    /// `[api]`: the SuperOffice that is asked, and what for.
    ApiSection = "api" {
        /// Online: the customer's id, such as `Cust12345`; the address is asked of the state
        /// endpoint.
        tenant: String = "", --"tenant";
        /// `online`, `qaonline`, `sod`, or the URL of a login host; `sandbox` is the embedded one.
        environment: String = "online", --"environment";
        /// Onsite, instead of `tenant`: the address of the installation, with or without `/api`;
        /// `sandbox` is the embedded one.
        base_url: String = "", --"base-url";
        /// Whether plain http to another machine is accepted; credentials would travel in the
        /// clear.
        allow_http: bool = "false";
        /// Most items per list.
        limit: u32 = "100", --"limit";
        /// Tables to export; fewer ask the API for less.
        tables: Vec<String> = "contacts,tickets,followups,documents,sales,chats", --"tables";
        /// Language of list texts (`SO-Language`, `Accept-Language`).
        language: String = "en", --"language";
        /// Culture of numbers and dates inside texts (`SO-Culture`).
        culture: String = "", --"culture";
        /// Time zone in which instants are asked for (`SO-TimeZone`).
        time_zone: String = "UTC", --"time-zone";
        /// Application token (`SO-AppToken`), needed online with a ticket.
        app_token: SecretPlace = "";
        /// More request headers, each a text or a secret.
        headers: BTreeMap<String, HeaderValue> = "";
        /// Proxy; by default that of the environment (`HTTPS_PROXY`).
        proxy: String = "", --"proxy";
        /// PEM file of certificates to trust besides the system's.
        ca_file: PathBuf = "", --"ca-file";
        /// Certificate of this client and its private key, both in PEM, where the server asks for
        /// one.
        client_certificate: SecretPlace = "";
        /// How to log in; see `[api.auth]`.
        auth: AuthSection = "";
    }
}

section! {
    /// `[api.auth]`: how to log in.
    AuthSection = "api.auth" {
        /// `none`, `basic`, `ticket`, `bearer`, `oauth`, `system-user` or `xsrf`.
        scheme: String = "none";
        /// basic: user name.
        user: String = "";
        /// basic: password.
        password: SecretPlace = "";
        /// ticket: a ticket (`7T:…`) that someone already has.
        ticket: SecretPlace = "";
        /// bearer: access token; xsrf: the `XSRF-TOKEN`.
        token: SecretPlace = "";
        /// xsrf: the session cookie.
        cookie: SecretPlace = "";
        /// oauth: client id.
        client_id: String = "";
        /// oauth: client secret.
        client_secret: SecretPlace = "";
        /// oauth: refresh token; where it comes from a file and the server sends a new one, the
        /// file is replaced.
        refresh_token: SecretPlace = "";
        /// oauth: redirect URI, where the server asks for it.
        redirect_uri: String = "";
        /// system-user: the system user token.
        system_user_token: SecretPlace = "";
        /// system-user: RSA private key, PEM or .NET XML.
        private_key: SecretPlace = "";
    }
}

section! {
    /// `[fetch]`: how the API is called.
    FetchSection = "fetch" {
        /// Most requests per second; default 10 with `tenant`, none with `base_url`.
        requests_per_second: f64 = "", --"requests-per-second";
        /// Most requests in flight; default 8 with `tenant`, 32 with `base_url`.
        max_in_flight: u32 = "", --"max-in-flight";
        /// Longest wait for a whole answer. Ten seconds of silence after its head, or in its
        /// middle, end it.
        timeout: Period = "30s", --"timeout";
        /// Most attempts per contact.
        max_attempts: u32 = "6", --"max-attempts";
        /// Backoff before the second attempt, at most; it doubles from there.
        retry_delay: Period = "500ms", --"retry-delay";
        /// How long an outage or maintenance is waited out before the run stops (resumable).
        patience: Period = "2h", --"patience";
        /// Answers younger than this are not fetched again.
        max_age: Period = "0s", --"max-age";
        /// Stop fetching after this long; the rest is pending until the next run.
        max_duration: Period = "", --"max-duration";
        /// Stop fetching after this many calls; the rest is pending until the next run.
        max_calls: u64 = "", --"max-calls";
    }
}

section! {
    /// `[output]`: the export.
    OutputSection = "output" {
        /// Folder of the exports and of the state.
        dir: PathBuf = "", --"dir";
        /// `parquet` or `csv`.
        format: String = "parquet", --"format";
        /// Published runs kept.
        keep: u32 = "14", --"keep";
        /// Above this share of failed targets the run is not published.
        max_failed: Share = "1%", --"max-failed";
    }
}

section! {
    /// `[sandbox]`: the embedded SuperOffice, where `base_url` or `environment` is `"sandbox"`.
    SandboxSection = "sandbox" {
        /// Seed of the invented data.
        seed: u64 = "1", --"sandbox-seed";
        /// Wait before each answer.
        latency: Period = "0s", --"sandbox-latency";
        /// Share of requests that meet a fault.
        faults: Share = "0%", --"sandbox-faults";
    }
}

/// The job file, as typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the sections have theirs")]
pub struct JobFile {
    pub source: SourceSection,
    pub api: ApiSection,
    pub fetch: FetchSection,
    pub output: OutputSection,
    pub sandbox: SandboxSection,
}

/// A request header in the job: plain text, or a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Plain text.
    Text(String),
    /// A secret.
    Secret(SecretPlace),
}

impl std::fmt::Debug for HeaderValue {
    // People put secrets into plain headers too.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::Secret(place) => formatter.debug_tuple("Secret").field(place).finish(),
        }
    }
}

impl<'de> Deserialize<'de> for HeaderValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self::Text(text)),
            other => SecretPlace::try_from(other)
                .map(Self::Secret)
                .map_err(serde::de::Error::custom),
        }
    }
}

/// Every job key, section by section.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        SourceSection::SETTINGS,
        ApiSection::SETTINGS,
        AuthSection::SETTINGS,
        FetchSection::SETTINGS,
        OutputSection::SETTINGS,
        SandboxSection::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// The declared default of a key, parsed.
///
/// # Panics
/// Never where the tests of this file pass: they parse every default.
pub(super) fn default<T: std::str::FromStr>(section: &str, key: &str) -> T {
    let setting = settings()
        .find(|setting| setting.section == section && setting.key == key)
        .expect("the key is declared");
    setting
        .default
        .parse()
        .ok()
        .expect("a declared default parses")
}

/// The reference of all keys, in Markdown, for the README.
///
/// # Panics
/// Never: it is written to memory.
pub fn reference() -> String {
    let mut page = String::from("| key | default | |\n|---|---|---|\n");
    for setting in settings() {
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", setting.default)
        };
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
            assert!(setting.flag.is_none() || setting.kind != Kind::Table);
        }
    }

    #[test]
    fn the_reference_names_every_key() {
        let page = reference();
        assert_eq!(page.lines().count(), settings().count() + 2);
        assert!(page.contains("| `api.limit` (`--limit`) | `100` | Most items per list. |"));
    }
}
