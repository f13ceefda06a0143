//! How fast answers become rows, alone and against a bare typed parse of the same bodies.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::struct_field_names, reason = "the names are those on the wire")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use superoffice_export::contact::{ContactId, Ending, Outcome, Target};
use superoffice_export::flatten::{AnswerBody, Flattener};
use superoffice_export::sandbox;
use superoffice_export::schema::View;

const BODIES: u16 = 2_000;
const ROUNDS: usize = 40;

/// The members that have columns.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Summary {
    contact: Option<Contact>,
    tickets: Option<Vec<Ticket>>,
    followups: Option<Vec<Activity>>,
    documents: Option<Vec<Activity>>,
    sales: Option<Vec<Sale>>,
    chats: Option<Vec<Chat>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Contact {
    contact_id: i64,
    name: Option<String>,
    department: Option<String>,
    full_name: Option<String>,
    org_nr: Option<String>,
    number1: Option<String>,
    number2: Option<String>,
    kananame: Option<String>,
    category_name: Option<String>,
    business_name: Option<String>,
    associate_id: Option<i64>,
    associate_full_name: Option<String>,
    country_id: Option<i64>,
    country_name: Option<String>,
    city: Option<String>,
    direct_phone: Option<String>,
    email_address: Option<String>,
    email_address_name: Option<String>,
    #[serde(rename = "URL")]
    url: Option<String>,
    #[serde(rename = "URLName")]
    url_name: Option<String>,
    formatted_address: Option<String>,
    is_owner_contact: Option<bool>,
    active_erp_links: Option<i64>,
    address: Option<Address>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Address {
    wgs84_latitude: Option<f64>,
    wgs84_longitude: Option<f64>,
    formatted: Option<String>,
    street: Option<Lines>,
    postal: Option<Lines>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Lines {
    address1: Option<String>,
    address2: Option<String>,
    address3: Option<String>,
    city: Option<String>,
    county: Option<String>,
    state: Option<String>,
    zipcode: Option<String>,
    formatted: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Ticket {
    ticket_id: Option<i64>,
    ticket_status: Option<i64>,
    title: Option<String>,
    registered: Option<String>,
    icon_hint: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Activity {
    appointment_id: Option<i64>,
    document_id: Option<i64>,
    date: Option<String>,
    description: Option<String>,
    completed: Option<String>,
    registered: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Sale {
    sale_id: Option<i64>,
    sale_date: Option<String>,
    probability: Option<i64>,
    heading: Option<String>,
    amount: Option<f64>,
    currency: Option<String>,
    amount_in_base_currency: Option<f64>,
    status: Option<String>,
    completed: Option<String>,
    registered: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Chat {
    chat_session_id: Option<i64>,
    name: Option<String>,
    company_name: Option<String>,
    first_message: Option<String>,
    last_message: Option<String>,
    when_requested: Option<String>,
    when_ended: Option<String>,
}

/// Answers of the simulated API that have a Contact.
fn answers() -> Vec<(Target, String)> {
    let ending = Ending {
        outcome: Outcome::Exported,
        http_status: Some(200),
        attempts: 1,
        error: None,
        message: None,
        fetched_at: Some(0),
    };
    let answer = |number: i32| {
        let body = String::from_utf8(sandbox::answer(number, 100))
            .expect("the simulated API answers in UTF-8");
        let contact_id = ContactId::new(number.into());
        (
            Target {
                contact_id,
                input_line: 1,
                input_value: number.to_string(),
                ending: ending.clone(),
            },
            body,
        )
    };
    (1..)
        .map(answer)
        .filter(|(_, body)| body.starts_with("{\"Contact\":{"))
        .take(BODIES.into())
        .collect()
}

/// Flattens all answers; returns the number of tables, so that nothing is optimised away.
fn flatten(answers: &[(Target, String)]) -> usize {
    let mut flattener = Flattener::new(&View::all());
    for (target, body) in answers {
        let answer = AnswerBody {
            json: body.as_bytes(),
            limit: 100,
            has_same_zone: true,
        };
        let outcome = flattener.append(target.clone(), Some(answer));
        assert_eq!(outcome, Outcome::Exported);
    }
    black_box(flattener.take()).len()
}

fn parse(answers: &[(Target, String)]) -> usize {
    let parsed = answers.iter().map(|(_, body)| {
        black_box(serde_json::from_slice::<Summary>(body.as_bytes()).expect("a summary"))
    });
    parsed.filter(|summary| summary.contact.is_some()).count()
}

/// The fastest of many rounds, both by turns, so that other work on the machine disturbs them
/// alike.
fn ratio(answers: &[(Target, String)]) {
    let time = |work: fn(&[(Target, String)]) -> usize| {
        let start = Instant::now();
        black_box(work(answers));
        start.elapsed()
    };
    let (mut flattening, mut parsing) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        flattening = flattening.min(time(flatten));
        parsing = parsing.min(time(parse));
    }
    let rate = f64::from(BODIES) / flattening.as_secs_f64();
    println!(
        "flatten: {rate:.0} bodies/s, ratio to a typed serde_json parse: {:.2}",
        parsing.as_secs_f64() / flattening.as_secs_f64()
    );
}

fn bench(criterion: &mut Criterion) {
    let answers = answers();
    let size = answers.iter().map(|(_, body)| body.len()).sum::<usize>() / answers.len();
    println!("bodies of {size} bytes");
    ratio(&answers);
    let mut group = criterion.benchmark_group("bodies");
    group
        .throughput(Throughput::Elements(BODIES.into()))
        .sample_size(20);
    group.bench_function("flatten", |bencher| bencher.iter(|| flatten(&answers)));
    group.bench_function("typed parse", |bencher| bencher.iter(|| parse(&answers)));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
