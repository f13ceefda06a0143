//! The archives as the program's own client reads them, over the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use superoffice_export::changes::{Kind, RowSum, Sums};
use superoffice_export::contact::ContactId;
use superoffice_export::extract::api::archive::{Archive, read_page};
use superoffice_export::extract::api::body::Bounds;
use superoffice_export::extract::api::client::{ApiClient, Route, SummaryQuestion, Via};
use superoffice_export::extract::api::inspect::decode;
use superoffice_export::extract::api::transport::{Transport, http_clients};
use superoffice_export::gzip::Unpacker;
use superoffice_export::sandbox::{self, ArchiveSettings, Sandbox, ServerSettings};

const CONTACTS: i32 = 400;

/// The server of a night, and a client of it.
struct Night {
    _sandbox: Sandbox,
    client: ApiClient,
    route: Route,
    runtime: tokio::runtime::Runtime,
}

impl Night {
    fn new(night: u32, archives: ArchiveSettings) -> Self {
        let sandbox = sandbox::start(ServerSettings {
            night,
            archives,
            contacts: Some(CONTACTS.unsigned_abs()),
            ..ServerSettings::default()
        })
        .unwrap();
        let timeout = Duration::from_mins(1);
        let clients = http_clients(&Transport {
            is_plain: true,
            direct: true,
            timeout,
            proxy: None,
            certificates: None,
            identity: None,
        })
        .unwrap();
        let request = SummaryQuestion {
            limit: 100,
            select: None,
            language: "en".to_owned(),
            culture: None,
        };
        let none = HeaderMap::new();
        let client = ApiClient::new(clients, Bounds::new(timeout), &request, &none).unwrap();
        let api = format!("{}/api", sandbox.base_url()).parse().unwrap();
        let zone = HeaderValue::from_static("UTC, includeTZOffset");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            _sandbox: sandbox,
            route: client.route(&api, &none, zone),
            client,
            runtime,
        }
    }

    /// Walks an archive to its end. Gives the pages it took, and the sums.
    fn walk(&self, archive: &Archive) -> (u32, BTreeMap<i64, RowSum>) {
        let contacts: Vec<_> = (1..=2 * i64::from(CONTACTS))
            .filter_map(ContactId::new)
            .collect();
        let mut sums = Sums::new(&contacts);
        let mut unpacker = Unpacker::default();
        let (mut after, mut pages) = (0, 0);
        loop {
            let page = self
                .client
                .archive_page(&self.route, (archive, after), Via::AnyConnection);
            let reply = self.runtime.block_on(page).unwrap();
            assert_eq!(reply.status, 200, "{archive:?}");
            let body = decode(&reply, &mut unpacker).unwrap();
            let page = read_page(archive, after, body).unwrap();
            pages += 1;
            let Some(last) = page.rows.last() else { break };
            after = last.key;
            for row in &page.rows {
                if let Some(contact_id) = row.contact_id {
                    assert!(sums.add(contact_id, row.sum), "a contact beyond the list");
                }
            }
        }
        let sums = sums.iter().map(|(contact_id, sum)| (contact_id.get(), sum));
        (pages, sums.collect())
    }

    fn summary(&self, contact_id: i64) -> Vec<u8> {
        let contact_id = ContactId::new(contact_id).unwrap();
        let attempt = self
            .client
            .attempt(&self.route, contact_id, Via::AnyConnection);
        self.runtime.block_on(attempt).unwrap().body.to_vec()
    }
}

#[test]
fn sums_do_not_depend_on_where_pages_end() {
    let whole = Night::new(3, ArchiveSettings::default());
    let pieces = Night::new(
        3,
        ArchiveSettings {
            page_maximum: 90,
            short_pages: 0.5,
            ..ArchiveSettings::default()
        },
    );
    for kind in Kind::ALL {
        let archive = Archive::of(*kind);
        let (few, sums) = whole.walk(archive);
        let (many, same) = pieces.walk(archive);
        assert!(few < many, "{kind}: {few} pages, and {many}");
        assert_eq!(sums, same, "{kind}");
        let with_rows = sums.values().filter(|sum| **sum != RowSum::default());
        assert!(with_rows.count() > 20, "{kind}");
    }
    let (_, contacts) = whole.walk(Archive::of(Kind::Contact).fallback().unwrap());
    let (_, same) = whole.walk(Archive::of(Kind::Contact));
    assert_eq!(contacts, same, "the fallback shows the same contacts");
}

#[test]
fn sums_of_two_nights_differ_where_summaries_do() {
    let [before, after] = [3, 4].map(|night| Night::new(night, ArchiveSettings::default()));
    let mut differing = BTreeSet::new();
    for kind in Kind::ALL {
        let archive = Archive::of(*kind);
        let ((_, then), (_, now)) = (before.walk(archive), after.walk(archive));
        differing.extend(
            then.iter()
                .filter(|(id, sum)| now[*id] != **sum)
                .map(|(id, _)| *id),
        );
    }
    let changed: BTreeSet<i64> = (1..=2 * i64::from(CONTACTS))
        .filter(|contact_id| before.summary(*contact_id) != after.summary(*contact_id))
        .collect();
    let unseen: Vec<_> = changed.difference(&differing).collect();
    assert!(
        changed.len() > 5,
        "the night changed too little to show anything"
    );
    // Edits that move no stamp are rare, and for the sweep.
    assert!(
        unseen.len() * 10 <= changed.len(),
        "{unseen:?} of {changed:?}"
    );
    assert!(
        differing.len() * 3 < 400,
        "{} contacts differ",
        differing.len()
    );
}
