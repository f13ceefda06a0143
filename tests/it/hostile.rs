//! Answers that mean harm, or look like it: every bound holds, the run goes on, and what can be
//! kept is kept by rule.

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::{Job, Row, gzip};

/// One byte more than a body may have.
const TOO_LARGE: usize = 16 * 1024 * 1024 + 1;

/// Contact 7 ends so where the server always gives this answer, and contact 8 is exported all the
/// same.
#[track_caller]
fn check(answer: Answer, keys: &[&str], expected: &str) {
    let mock = Mock::always_for(7, answer);
    let job = Job::against(&mock)
        .ids([7, 8])
        .with("output.max_failed = \"50%\"")
        .with("fetch.max_attempts = 2");
    let job = keys.iter().fold(job, |job, key| job.with(key));
    job.run().expect(0);
    assert_eq!(job.export().outcome(7), expected);
    assert!(job.export().outcome(8).starts_with("exported"));
}

/// The rows that this body for contact 7 makes.
#[track_caller]
fn cells(body: impl AsRef<[u8]>) -> std::collections::BTreeMap<&'static str, Vec<Row>> {
    let mock = Mock::always(Answer::json(200, body));
    let job = Job::against(&mock).ids([7]);
    job.run().expect(0);
    assert_eq!(job.export().outcome(7), "exported - 200 after 1");
    job.export().cells()
}

#[test]
fn a_body_is_read_up_to_its_bound() {
    let announced = Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {TOO_LARGE}\r\n\r\n{{"
    ));
    check(announced, &[], "failed body_too_large 200 after 1");
    check(
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"),
        &[],
        "failed body_too_large 200 after 1",
    );
    let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOO_LARGE:x}\r\n");
    let unannounced = [head.as_bytes(), &vec![b' '; TOO_LARGE], b"\r\n0\r\n\r\n"].concat();
    check(
        Answer::raw(unannounced),
        &[],
        "failed body_too_large 200 after 1",
    );
    let until_the_end = [
        b"HTTP/1.1 200 OK\r\n\r\n".as_slice(),
        &vec![b' '; TOO_LARGE],
    ]
    .concat();
    check(
        Answer::raw(until_the_end),
        &[],
        "failed body_too_large 200 after 1",
    );
}

#[test]
fn a_body_that_unpacks_without_end_stops_at_the_bound() {
    let bomb = gzip(&vec![b' '; 256 * 1024 * 1024]);
    check(
        Answer::new(200, &[("Content-Encoding", "gzip")], bomb),
        &[],
        "failed body_too_large 200 after 1",
    );
    check(
        Answer::new(
            500,
            &[("Content-Encoding", "gzip")],
            gzip(&vec![b'['; TOO_LARGE]),
        ),
        &[],
        "failed http_status 500 after 2",
    );
}

#[test]
fn a_body_that_drips_meets_the_deadline() {
    check(
        Answer::drip(),
        &["fetch.timeout = \"500ms\""],
        "failed timeout 200 after 2",
    );
}

#[test]
fn a_body_that_falls_silent_ends_long_before_its_deadline() {
    let silent = Answer::summary(7).stalled(1);
    check(
        silent,
        &["fetch.timeout = \"1h\"", "fetch.max_attempts = 1"],
        "failed timeout 200 after 1",
    );
}

#[test]
fn large_bodies_come_whole_though_they_wait_for_each_other() {
    let body = |contact_id: i64| {
        format!(
            r#"{{"Contact":{{"ContactId":{contact_id}}},"Tickets":[{}]}}"#,
            vec![format!(r#"{{"New":"{}"}}"#, "x".repeat(2_000_000)); 3].join(",")
        )
    };
    let mock = Mock::answering(move |request| {
        let body = body(request.contact_id);
        let chunk = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        if request.contact_id % 2 == 0 {
            Answer::json(200, body)
        } else {
            Answer::raw(chunk)
        }
    });
    let job = Job::against(&mock).ids(1..=6);
    job.run().expect(0);
    for contact_id in 1..=6 {
        assert_eq!(job.export().outcome(contact_id), "exported - 200 after 1");
    }
}

#[test]
fn an_answer_whose_rows_would_take_too_much_memory_fails_its_contact_alone() {
    // Few bytes on the wire, a whole row for three of them unpacked.
    let list = vec!["{}"; 100_000].join(",");
    let lists = ["Tickets", "FollowUps", "Documents", "Sales", "Chats"]
        .map(|name| format!(r#""{name}":[{list}]"#))
        .join(",");
    let lists = gzip(format!(r#"{{"Contact":{{}},{lists}}}"#).as_bytes());
    assert!(lists.len() < 1 << 16, "{}", lists.len());
    let text = format!(r#"{{"Contact":{{"Name":"{}"}}}}"#, "x".repeat(3 << 20));
    for answer in [
        Answer::new(200, &[("Content-Encoding", "gzip")], lists),
        Answer::json(200, text),
    ] {
        check(answer, &[], "failed body_too_large 200 after 1");
    }
}

#[test]
fn lists_and_objects_without_end_make_no_rows() {
    let items = format!(
        r#"{{"Contact":{{}},"Tickets":[{}]}}"#,
        vec!["{}"; 100_001].join(",")
    );
    let members = (0..10_001)
        .map(|number| format!(r#""{number}":1"#))
        .collect::<Vec<_>>()
        .join(",");
    for body in [
        items,
        format!(r#"{{"Contact":{{{members}}}}}"#),
        format!(r#"{{"Contact":{{}},{members}}}"#),
    ] {
        check(
            Answer::json(200, body),
            &[],
            "failed wrong_structure 200 after 1",
        );
    }
}

#[test]
fn a_head_is_read_up_to_its_bound() {
    let many = (0..1_000)
        .map(|number| format!("X-Header-{number}: a\r\n"))
        .collect::<Vec<_>>()
        .concat();
    check(
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\n{many}Content-Length: 4\r\n\r\nnull"
        )),
        &[],
        "failed connection - after 2",
    );
    let huge = "x".repeat(4 * 1024 * 1024);
    check(
        Answer::raw(format!("HTTP/1.1 200 OK\r\nX-Header: {huge}\r\n\r\n")),
        &[],
        "failed connection - after 2",
    );
    check(
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nnull"),
        &[],
        "failed connection - after 2",
    );
}

#[test]
fn interim_answers_are_not_the_answer() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(5);
    check(
        Answer::raw(format!(
            "{hints}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"
        )),
        &[],
        "missing - 200 after 1",
    );
}

#[test]
fn nesting_without_end_makes_no_rows() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for body in [
        deep(1_000_000),
        format!(r#"{{"Contact":{{"Name":"a","New":{}}}}}"#, deep(100_000)),
        format!(r#"{{"New":{}}}"#, deep(100_000)),
    ] {
        check(
            Answer::json(200, body),
            &[],
            "failed wrong_structure 200 after 1",
        );
    }
    // An error object that hides below it is not looked for in vain.
    check(
        Answer::json(400, deep(1_000_000)),
        &[],
        "failed http_status 400 after 1",
    );
}

#[test]
fn texts_are_kept_by_rule() {
    let long = "å".repeat(512 * 1024);
    let body = format!(
        r#"{{"Contact":{{"ContactId":7,"Name":"a\ud83d b","Department":"nul \u0000 end",
        "FullName":"{long}","City":"\ud83d\ude00","New":"x\udc00"}}}}"#
    );
    let contact = cells(body)["contacts"][0].clone();
    assert_eq!(contact["name"], "a\u{FFFD} b");
    assert_eq!(contact["department"], "nul \0 end");
    assert_eq!(contact["full_name"], long.as_str());
    assert_eq!(contact["city"], "\u{1F600}");
    assert_eq!(
        serde_json::from_str::<Value>(contact["extra"].as_str().unwrap()).unwrap(),
        json!({ "New": "x\u{FFFD}" })
    );
}

#[test]
fn numbers_are_kept_by_rule() {
    let body = r#"{"Contact":{"ContactId":7,"AssociateId":9223372036854775807,
        "CountryId":9223372036854775808,"ActiveErpLinks":1e400,
        "Address":{"Wgs84Latitude":1e309,"Wgs84Longitude":-0.0}},
        "Sales":[{"SaleId":12.0,"Probability":12.5,"Amount":"NaN","AmountInBaseCurrency":"1e3"}]}"#;
    let cells = cells(body);
    let (contact, sale) = (&cells["contacts"][0], &cells["sales"][0]);
    assert_eq!(contact["associate_id"], i64::MAX);
    for column in ["country_id", "active_erp_links", "wgs84_latitude"] {
        assert_eq!(contact.get(column), None, "{column}");
    }
    let extra = [
        r#"{"CountryId":9223372036854775808,"ActiveErpLinks":1e400,"#,
        r#""Address":{"Wgs84Latitude":1e309}}"#,
    ];
    assert_eq!(contact["extra"], extra.concat());
    assert_eq!(
        (
            &sale["sale_id"],
            sale.get("probability"),
            &sale["amount_in_base_currency"]
        ),
        (&json!(12), None, &json!(1000.0))
    );
    assert_eq!(sale["extra"], r#"{"Probability":12.5,"Amount":"NaN"}"#);
    for number in ["NaN", "Infinity", "01", "1.", "0x10", "--1"] {
        check(
            Answer::json(200, format!(r#"{{"Sales":[{{"Amount":{number}}}]}}"#)),
            &[],
            "failed not_json 200 after 2",
        );
    }
}

#[test]
fn of_doubled_members_the_last_one_counts() {
    let body = r#"{"Contact":{"Name":"first"},"Tickets":[{"TicketId":1}],
        "Contact":{"Name":"second","Name":"third","City":"Oslo","City":null},
        "Tickets":[{"TicketId":2},{"TicketId":3}]}"#;
    let cells = cells(body);
    assert_eq!(
        Value::from(
            cells["contacts"]
                .clone()
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>()
        ),
        json!([{ "contact_id": 7, "name": "third" }])
    );
    assert_eq!(
        cells["tickets"]
            .iter()
            .map(|row| row["ticket_id"].clone())
            .collect::<Vec<_>>(),
        [2, 3]
    );
    // The last one may be for another contact, too.
    check(
        Answer::json(
            200,
            r#"{"Contact":{"ContactId":7},"Contact":{"ContactId":8}}"#,
        ),
        &[],
        "failed other_contact 200 after 1",
    );
}

#[test]
fn instants_are_kept_by_rule() {
    let body = r#"{"Sales":[{"SaleDate":"9999-12-31T23:59:59.9999999-14:00"},
        {"SaleDate":"0001-01-01T00:00:00"},{"SaleDate":"2026-02-30T00:00:00Z"},
        {"SaleDate":"2026-03-04"},{"SaleDate":1772582400},{"SaleDate":""}]}"#;
    let sales = &cells(body)["sales"];
    let day = |row: &Row| {
        row.get("sale_day")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    assert_eq!(
        sales.iter().map(day).collect::<Vec<_>>(),
        [
            Some("9999-12-31".to_owned()),
            None,
            None,
            Some("2026-03-04".to_owned()),
            None,
            None
        ]
    );
    assert_eq!(sales[3]["sale_date"], "2026-03-04T00:00:00Z");
    assert_eq!(sales[2]["extra"], r#"{"SaleDate":"2026-02-30T00:00:00Z"}"#);
    assert_eq!(sales[4]["extra"], r#"{"SaleDate":1772582400}"#);
}

#[test]
fn names_hold_no_control_characters() {
    check(
        Answer::json(200, "{\"Contact\":{\"a\nb\":1}}"),
        &[],
        "failed not_json 200 after 2",
    );
}

#[test]
fn text_that_is_no_utf_8_is_no_json() {
    check(
        Answer::json(200, b"{\"Contact\":{\"Name\":\"Bl\xE5b\xE6r\"}}"),
        &[],
        "failed not_json 200 after 2",
    );
    check(
        Answer::json(200, [0xFF, 0xFE, b'{', 0, b'}', 0]),
        &[],
        "failed not_json 200 after 2",
    );
}
