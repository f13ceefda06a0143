//! The rules, sentence by sentence. Contact 7 is asked for, three items per list.

use super::*;

/// The rows of one table.
fn rows_of(table: &str, body: &str) -> Value {
    flatten(body).0[table].clone()
}

/// Why an answer is refused.
fn refused(body: impl AsRef<[u8]>) -> Option<String> {
    let checked = Checker::new(&View::all()).check(ContactId::new(7).unwrap(), body.as_ref());
    let (tables, drift) = flatten(body);
    let outcome = &tables["outcomes"][0];
    assert_eq!(
        checked.err().map(|fault| Reason::from(fault).as_str()),
        outcome["error"].as_str(),
        "the check and the rows agree"
    );
    if outcome["outcome"] != "failed" {
        return None;
    }
    assert!(data_tables().all(|table| tables[table.name] == json!([])));
    assert_eq!(drift, Drift::default());
    outcome["error"].as_str().map(str::to_owned)
}

/// What becomes of an answer, and why where it is refused.
fn check_ending(body: &str, outcome: &str, error: Option<&str>) {
    let row = &rows_of("outcomes", body)[0];
    assert_eq!(
        (row["outcome"].as_str(), row["error"].as_str()),
        (Some(outcome), error),
        "{body}"
    );
}

#[test]
fn the_root_decides_between_exported_missing_and_failed() {
    let cases = [
        ("null", "missing"),
        (r#"{"Contact": null}"#, "missing"),
        (
            r#"{"Contact": null, "Tickets": [], "Sales": null}"#,
            "missing",
        ),
        ("\u{FEFF} {\"Contact\": {\"Name\": \"A\"}}\r\n", "exported"),
        (r#"{"Contact": null, "Chats": [{}]}"#, "exported"),
        (r#"{"Contact": {}, "Chats": [null]}"#, "exported"),
    ];
    for (body, outcome) in cases {
        check_ending(body, outcome, None);
    }
    let refused = [
        "{}",
        r#"{"TableRight": null}"#,
        r#"{"Foo": 1}"#,
        r#"{"Foo": null}"#,
        r#"{"contact": {}}"#,
        r#"{"Error": true, "ErrorMessage": "no", "Contact": {}}"#,
        r#"{"Message": "no", "MessageDetail": "no such route"}"#,
    ];
    for body in refused {
        check_ending(body, "failed", Some("wrong_structure"));
    }
}

#[test]
fn a_contact_that_says_nothing_is_missing_where_there_are_no_lists() {
    let cases = [
        ("{}", "missing"),
        (
            r#"{"Name": "", "City": null, "New": [{"A": []}]}"#,
            "missing",
        ),
        (
            r#"{"ActiveErpLinks": 0, "IsOwnerContact": false}"#,
            "missing",
        ),
        (
            r#"{"Address": {"Wgs84Latitude": 0.0, "Street": {"AtypeIdx": "Unknown"}}}"#,
            "missing",
        ),
        (
            r#"{"ContactId": 0, "TableRight": {"Mask": "FULL"}}"#,
            "missing",
        ),
        (r#"{"ContactId": null}"#, "missing"),
        (r#"{"Name": "A", "Name": null}"#, "missing"),
        (r#"{"ContactId": 7}"#, "exported"),
        (r#"{"City": " "}"#, "exported"),
        (r#"{"New": 1}"#, "exported"),
        (r#"{"IsOwnerContact": true}"#, "exported"),
        (r#"{"Address": {"Street": {"City": "A"}}}"#, "exported"),
    ];
    for (contact, outcome) in cases {
        check_ending(&format!(r#"{{"Contact": {contact}}}"#), outcome, None);
        let empty = format!(r#"{{"Sales": [], "Contact": {contact}, "Chats": null}}"#);
        check_ending(&empty, outcome, None);
    }
}

#[test]
fn an_answer_for_another_contact_is_refused() {
    let cases = [
        (r#"{"ContactId": "7"}"#, true),
        (r#"{"ContactId": 8, "ContactId": 7}"#, true),
        (r#"{"ContactId": 8}, "Contact": {"Name": "A"}"#, true),
        (r#"{"ContactId": null, "Name": "A"}"#, true),
        (r#"{"ContactId": 8}"#, false),
        (r#"{"ContactId": 7, "ContactId": 8}"#, false),
        (r#"{"ContactId": 7.5}"#, false),
        (r#"{"ContactId": "0"}"#, false),
        (r#"{"ContactId": 0, "Name": "A"}"#, false),
        (r#"{"ContactId": 0}, "Sales": [{}]"#, false),
    ];
    for (contact, is_asked_for) in cases {
        let (outcome, error) = if is_asked_for {
            ("exported", None)
        } else {
            ("failed", Some("other_contact"))
        };
        check_ending(&format!(r#"{{"Contact": {contact}}}"#), outcome, error);
    }
    check_ending(
        r#"{"Contact": {"ContactId": 8}, "Contact": {}}"#,
        "missing",
        None,
    );
}

#[test]
fn what_is_no_summary_is_refused_and_what_is_no_json_is_told_apart() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let list = |item: &str, length| format!("{{\"Tickets\": [{}]}}", vec![item; length].join(","));
    assert_eq!(refused(list("null", MAX_ITEMS)), None);
    let cases = [
        ("", "not_json"),
        ("<html></html>", "not_json"),
        (r#"{"Contact": {}} trailing"#, "not_json"),
        (r#"{"Contact": {"ContactId": 8}"#, "not_json"),
        (r#"{"Tickets": 5"#, "not_json"),
        (r#"{"Contact": {"Name": NaN}}"#, "not_json"),
        (r#"{"Contact": {"ActiveErpLinks": Infinity}}"#, "not_json"),
        ("{\"Contact\": {\"Name\": \"raw \0\"}}", "not_json"),
        (&deep("[", ""), "not_json"),
        (&format!("{{\"Tickets\": {}", deep("[", "")), "not_json"),
        ("5", "wrong_structure"),
        ("1e400", "wrong_structure"),
        ("\"\\ud83d\"", "wrong_structure"),
        ("true", "wrong_structure"),
        ("[{}]", "wrong_structure"),
        (r#"{"Contact": []}"#, "wrong_structure"),
        (
            r#"{"Contact": {"Address": "Storgata 1"}}"#,
            "wrong_structure",
        ),
        (
            r#"{"Contact": {"Address": {"Street": []}}}"#,
            "wrong_structure",
        ),
        (r#"{"Tickets": {}}"#, "wrong_structure"),
        (r#"{"Tickets": ""}"#, "wrong_structure"),
        (r#"{"Tickets": [{}, 5]}"#, "wrong_structure"),
        (r#"{"Tickets": [[]]}"#, "wrong_structure"),
        (&list("{}", MAX_ITEMS + 1), "wrong_structure"),
        (&list("null", MAX_ITEMS + 1), "wrong_structure"),
        (&deep("[", "]"), "wrong_structure"),
        (
            &format!("{{\"Tickets\": {}}}", deep("[", "]")),
            "wrong_structure",
        ),
        (
            &format!("{{\"Tickets\": [{{\"Title\": {}}}]}}", deep("{\"A\":", "}")),
            "wrong_structure",
        ),
        (
            &format!("{{\"Contact\": {{\"New\": {}}}}}", deep("[", "]")),
            "wrong_structure",
        ),
        (
            &format!(
                "{{\"Contact\": {{\"Address\": {}}}}}",
                deep("{\"Street\":", "}")
            ),
            "wrong_structure",
        ),
    ];
    for (body, error) in cases {
        let start: String = body.chars().take(60).collect();
        assert_eq!(refused(body).as_deref(), Some(error), "{start}");
    }
    assert_eq!(
        refused(b"{\"Contact\": {\"Name\": \"\xE6\"}}").as_deref(),
        Some("not_json")
    );
}

/// Read in one pass, however often a name comes back.
#[test]
fn members_without_number_make_no_rows() {
    let members = |count: usize, names: usize, value: &str| {
        (0..count)
            .map(|number| format!("\"{}\": {value}", number % names))
            .collect::<Vec<_>>()
            .join(",")
    };
    for (names, value) in [
        (5, "1"),
        (300_000, "1"),
        (300_000, "null"),
        (300_000, "[1]"),
    ] {
        let members = members(300_000, names, value);
        for body in [
            format!("{{\"Contact\": {{{members}}}}}"),
            format!("{{\"Contact\": {{}}, {members}}}"),
        ] {
            assert_eq!(
                refused(body).as_deref(),
                Some("wrong_structure"),
                "{names} names, each {value}"
            );
        }
    }
    for value in ["1", "null", "[1]"] {
        assert_eq!(
            refused(format!(
                "{{\"Contact\": {{\"AssociateId\": \"x\", {}}}}}",
                members(10_000, 10_000, value)
            )),
            None
        );
        let body = format!("{{\"Contact\": {{{}}}}}", members(10_001, 10_001, value));
        assert_eq!(
            refused(body).as_deref(),
            Some("wrong_structure"),
            "one more, each {value}"
        );
    }
}

#[test]
fn what_is_left_out_can_be_nested_to_any_depth() {
    let body = format!(
        "{{\"Contact\": {{\"TableRight\": {}1{}, \"Name\": \"A\"}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        rows_of("contacts", &body),
        json!([{"contact_id": 7, "name": "A"}])
    );
}

#[test]
fn cells_hold_what_the_declaration_says() {
    // table, object, its cells
    let cases = [
        ("tickets", "{}", json!({})),
        ("tickets", r#"{"Title": null, "TicketId": null}"#, json!({})),
        (
            "tickets",
            r#"{"Title": "", "TicketId": "", "Registered": ""}"#,
            json!({"title": ""}),
        ),
        (
            "contacts",
            r#"{"IsOwnerContact": "", "Address": {"Wgs84Latitude": ""}}"#,
            json!({}),
        ),
        (
            "tickets",
            r#"{"TicketId": 9223372036854775807}"#,
            json!({"ticket_id": i64::MAX}),
        ),
        (
            "tickets",
            r#"{"TicketId": "12", "TicketStatus": 12.0, "Title": 1.10}"#,
            json!({"ticket_id": 12, "ticket_status": 12, "title": "1.10"}),
        ),
        (
            "tickets",
            r#"{"Title": true, "IconHint": -1e400}"#,
            json!({"title": "true", "icon_hint": "-1e400"}),
        ),
        (
            "contacts",
            r#"{"IsOwnerContact": "True"}"#,
            json!({"is_owner_contact": true}),
        ),
        (
            "tickets",
            r#"{"Title": "nul \u0000, half \ud83d, whole \ud83d\ude00"}"#,
            json!({"title": "nul \0, half \u{FFFD}, whole 😀"}),
        ),
        ("tickets", "{\"\\u0054itle\": \"a\"}", json!({"title": "a"})),
        (
            "sales",
            r#"{"Status": "Paused", "Completed": 4}"#,
            json!({"status": "Paused", "completed": "4"}),
        ),
        (
            "sales",
            r#"{"Amount": 2676.4359999999997, "AmountInBaseCurrency": 5}"#,
            json!({"amount": 2_676.435_999_999_999_7, "amount_in_base_currency": 5.0}),
        ),
        (
            "sales",
            r#"{"SaleDate": "2021-06-30T00:00:00+02:00"}"#,
            json!({"sale_date": "2021-06-29T22:00:00Z", "sale_day": "2021-06-30"}),
        ),
        (
            "sales",
            r#"{"SaleDate": "2021-06-30"}"#,
            json!({"sale_date": "2021-06-30T00:00:00Z", "sale_day": "2021-06-30"}),
        ),
        (
            "sales",
            r#"{"SaleDate": "0001-01-01T01:00:00+01:00"}"#,
            json!({}),
        ),
        ("followups", r#"{"Date": "1760-12-31T23:59:59"}"#, json!({})),
        (
            "followups",
            r#"{"Date": "9999-12-31T23:59:59-01:00"}"#,
            json!({"date": "9999-12-31T23:59:59Z", "day": "9999-12-31"}),
        ),
        (
            "tickets",
            r#"{"Registered": "2020-09-20T17:54:02.8983429-0500"}"#,
            json!({"registered": "2020-09-20T22:54:02.898342Z"}),
        ),
        // Of doubled members the last one counts.
        (
            "tickets",
            r#"{"Title": "a", "Title": "b"}"#,
            json!({"title": "b"}),
        ),
        ("tickets", r#"{"Title": "a", "Title": null}"#, json!({})),
        (
            "tickets",
            r#"{"TicketId": true, "TicketId": 5}"#,
            json!({"ticket_id": 5}),
        ),
        (
            "contacts",
            r#"{"Address": {"Formatted": "a", "New": 1}, "Address": {"Wgs84Latitude": 1}}"#,
            json!({"wgs84_latitude": 1.0}),
        ),
        (
            "contacts",
            r#"{"Address": {"Street": {"City": "a"}}, "Address": null}"#,
            json!({}),
        ),
    ];
    for (table, object, cells) in cases {
        check_cells(table, object, cells);
    }
}

#[test]
fn extra_keeps_what_no_column_takes() {
    // table, object, extra
    let cases = [
        (
            "tickets",
            r#"{"New": {"B": [1, null, {"C": null}], "A": 1.10}}"#,
            r#"{"New":{"B":[1,null,null],"A":1.10}}"#,
        ),
        (
            "tickets",
            r#"{"TicketId": 9223372036854775808}"#,
            r#"{"TicketId":9223372036854775808}"#,
        ),
        (
            "tickets",
            r#"{"TicketId": true, "TicketStatus": "x"}"#,
            r#"{"TicketId":true,"TicketStatus":"x"}"#,
        ),
        (
            "tickets",
            r#"{"Title": {"no": "text"}, "IconHint": []}"#,
            r#"{"Title":{"no":"text"}}"#,
        ),
        (
            "tickets",
            r#"{"Registered": "soon"}"#,
            r#"{"Registered":"soon"}"#,
        ),
        (
            "sales",
            r#"{"Amount": 1e400, "SaleDate": 5}"#,
            r#"{"Amount":1e400,"SaleDate":5}"#,
        ),
        (
            "sales",
            r#"{"Amount": "NaN", "AmountInBaseCurrency": true}"#,
            r#"{"Amount":"NaN","AmountInBaseCurrency":true}"#,
        ),
        (
            "contacts",
            r#"{"IsOwnerContact": 1}"#,
            r#"{"IsOwnerContact":1}"#,
        ),
        (
            "contacts",
            r#"{"Address": {"New": 1, "Street": {"Old": 2, "TableRight": 3}}}"#,
            r#"{"Address":{"New":1,"Street":{"Old":2}}}"#,
        ),
        (
            "tickets",
            r#"{"New": 1, "Odd": 2, "New": 3}"#,
            r#"{"Odd":2,"New":3}"#,
        ),
        (
            "tickets",
            r#"{"N\ud83d\"": "\ud83d", "As": "\u00e6\/"}"#,
            "{\"N\u{FFFD}\\\"\":\"\u{FFFD}\",\"As\":\"\\u00e6\\/\"}",
        ),
    ];
    for (table, object, extra) in cases {
        check_cells(table, object, json!({ "extra": extra }));
    }
    for left_out in [
        "TableRight",
        "FieldProperties",
        "LocalizedAddress",
        "AtypeIdx",
    ] {
        check_cells(
            "contacts",
            &format!(r#"{{"{left_out}": {{"Mask": "FULL"}}, "Address": {{"{left_out}": 1}}}}"#),
            json!({}),
        );
    }
    check_cells(
        "tickets",
        r#"{"New": null, "Newer": {"A": null}, "Newest": [[null]]}"#,
        json!({}),
    );
}

fn check_cells(table: &str, object: &str, mut cells: Value) {
    cells["contact_id"] = json!(7);
    let table = crate::schema::table(table).unwrap();
    let body = match table.rows {
        // The list keeps an object of nothing but nulls from meaning that there is no contact.
        Rows::Object(member) => format!("{{\"{member}\": {object}, \"Chats\": [{{}}]}}"),
        Rows::Items(member) => format!("{{\"{member}\": [{object}]}}"),
        Rows::Targets => panic!("no data table"),
    };
    if let Rows::Items(_) = table.rows {
        cells["position"] = json!(1);
    }
    assert_eq!(rows_of(table.name, &body), json!([cells]), "{object}");
}

#[test]
fn unknown_members_of_the_root_go_to_outcomes() {
    let body = r#"{
        "Contact": null, "Projects": [{"Id": 1, "Name": null}], "Tickets": [{}], "Error": false,
        "TableRight": 1
    }"#;
    assert_eq!(
        rows_of("outcomes", body)[0]["extra"],
        r#"{"Projects":[{"Id":1}],"Error":false}"#
    );
}

#[test]
fn a_null_in_a_list_is_skipped_and_the_others_keep_their_positions() {
    let tables = flatten(r#"{"Tickets": [null, {"TicketId": 5}, null, {"TicketId": 6}]}"#).0;
    assert_eq!(
        tables["tickets"],
        json!([
            {"contact_id": 7, "position": 2, "ticket_id": 5},
            {"contact_id": 7, "position": 4, "ticket_id": 6}
        ])
    );
}

#[test]
fn of_doubled_lists_the_last_one_counts() {
    let rows = |body| rows_of("tickets", body).as_array().map(Vec::len);
    assert_eq!(
        rows(r#"{"Tickets": [{}, {}], "Contact": {}, "Tickets": [{}]}"#),
        Some(1)
    );
    assert_eq!(
        rows(r#"{"Tickets": [{}, {}], "Contact": {}, "Tickets": null}"#),
        Some(0)
    );
}

/// Every way in which few bytes could take much memory; what is found while the answer comes is
/// found again when its rows are made.
#[test]
fn an_answer_that_would_take_too_much_memory_makes_no_rows() {
    let lists = |names: &[&str], item: &str, length| {
        let list = vec![item; length].join(",");
        let lists = names.iter().map(|name| format!(r#""{name}": [{list}]"#));
        format!("{{{}}}", lists.collect::<Vec<_>>().join(","))
    };
    let text = |length| format!("\"{}\"", "x".repeat(length - 2));
    let (half, rest) = (text(MAX_ROW / 2), text(MAX_ROW / 2 + 1));
    let too_large = Some("body_too_large");
    let cases = [
        (lists(&["Sales"], "{}", MAX_ITEMS), None),
        (lists(&["Sales", "Chats"], "{}", MAX_ITEMS), too_large),
        (lists(&["Sales", "Sales"], "{}", MAX_ITEMS), too_large),
        (lists(&["Sales", "Chats"], "null", MAX_ITEMS), None),
        (
            format!(r#"{{"Contact": {{"Name": {half}, "City": {half}}}}}"#),
            None,
        ),
        (
            format!(r#"{{"Contact": {{"Name": {half}, "City": {rest}}}}}"#),
            too_large,
        ),
        (
            format!(r#"{{"Contact": {{"Name": {half}, "New": {rest}}}}}"#),
            too_large,
        ),
        (
            format!(r#"{{"Contact": {{"Name": {half}, "CountryId": {rest}}}}}"#),
            too_large,
        ),
        (
            format!(
                r#"{{"Contact": {{"Address": {{"Street": {{"City": {half}}}}}, "Name": {rest}}}}}"#
            ),
            too_large,
        ),
        (
            format!(r#"{{"Contact": {{"City": "A"}}, "New": {half}, "Newer": {rest}}}"#),
            too_large,
        ),
        // Each row by itself.
        (
            format!(r#"{{"Contact": {{"Name": {rest}}}, "New": {rest}}}"#),
            None,
        ),
        (
            format!(r#"{{"Sales": [{{"Heading": {rest}}}, {{"Heading": {rest}}}]}}"#),
            None,
        ),
        // It is no JSON in the first place.
        (
            lists(&["Sales", "Chats"], "{}", MAX_ITEMS) + "}",
            Some("not_json"),
        ),
    ];
    for (body, error) in cases {
        let start: String = body.chars().take(60).collect();
        assert_eq!(refused(&body).as_deref(), error, "{start}");
    }
}

#[test]
fn a_large_answer_is_handed_on_in_many_batches_and_makes_the_same_rows() {
    let items: Vec<_> = (0..2_000)
        .map(|id| {
            format!(
                r#"{{"SaleId": {id}, "Heading": "{}"}}"#,
                "h".repeat(id * 7 % 5_000)
            )
        })
        .collect();
    let body = format!(
        r#"{{"Contact": {{"Name": "A"}}, "Tickets": [{{}}, {{}}], "Sales": [{}]}}"#,
        items.join(",")
    );
    let answer = answer(body.as_bytes(), 100);
    let mut whole = flattener();
    whole.append(target(asked(7)), answer);
    let mut pieces = flattener();
    let mut batches = Vec::new();
    let mut hand_on = |full: Batches| {
        batches.push(full);
        Ok::<_, Infallible>(())
    };
    let Ok(outcome) = pieces.append_in_batches(target(asked(7)), answer, &mut hand_on);
    assert_eq!(outcome, Outcome::Exported);
    batches.push(pieces.take());
    assert!(batches.len() > 4, "{}", batches.len());
    let (bytes, rows) = batches
        .iter()
        .flatten()
        .fold((0, 0), |(bytes, rows), batch| {
            let text: usize = batch.columns().iter().map(text_bytes).sum();
            (bytes.max(text), rows.max(batch.num_rows()))
        });
    // The row that fills a batch is the last one in it.
    assert!(
        bytes < BATCH_BYTES + 5_000 && rows <= BATCH_ROWS,
        "{bytes} bytes, {rows} rows"
    );
    for (index, table) in take(&mut whole).iter().enumerate() {
        let made: Vec<_> = batches
            .iter()
            .flat_map(|batch| super::rows(&TABLES[index], &batch[index]))
            .collect();
        assert_eq!(&made, table);
    }
}

fn text_bytes(column: &ArrayRef) -> usize {
    let text = column.as_string_opt::<i32>();
    text.map_or(0, |text| text.iter().flatten().map(str::len).sum())
}

#[test]
fn lists_that_reach_the_limit_are_named_and_counted() {
    let mut flattener = flattener();
    let lists = r#"{
        "Contact": {}, "Sales": [{}, {}, {}, {}], "Tickets": [{}, null, {}], "Chats": [{}, {}]
    }"#;
    flattener.append(target(asked(7)), answer(lists.as_bytes(), 3));
    let sales = br#"{"Contact": {}, "Sales": [{}, {}, {}], "Chats": []}"#;
    flattener.append(target(asked(7)), answer(sales, 3));
    // Given to an older question, by which it is judged.
    flattener.append(target(asked(7)), answer(sales, 4));
    let truncated: Vec<_> = flattener.truncated().collect();
    assert_eq!(
        truncated,
        [
            ("tickets", 1),
            ("followups", 0),
            ("documents", 0),
            ("sales", 2),
            ("chats", 0)
        ]
    );
    let outcomes = by_name(&take(&mut flattener))["outcomes"].clone();
    assert_eq!(
        (&outcomes[0]["truncated"], &outcomes[1]["truncated"]),
        (&json!("tickets,sales"), &json!("sales"))
    );
    assert!(outcomes[2].get("truncated").is_none());
}

#[test]
fn a_contact_of_which_only_lists_are_known_has_a_row_of_nulls() {
    let cases = [
        (r#"{"Contact": null, "Sales": [{}]}"#, true),
        (r#"{"Sales": [null]}"#, true),
        (r#"{"Contact": {"Name": ""}, "Sales": [{}]}"#, true),
        (r#"{"Contact": {"ContactId": 7}, "Sales": [{}]}"#, false),
        (r#"{"Contact": {"City": "A"}, "Sales": []}"#, false),
        (r#"{"Contact": null, "Sales": []}"#, false),
        ("null", false),
    ];
    for (body, is_counted) in cases {
        let mut flattener = flattener();
        let outcome = flattener.append(target(asked(7)), answer(body.as_bytes(), 3));
        let contacts = by_name(&take(&mut flattener))["contacts"].clone();
        let ids: Vec<_> = contacts
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["contact_id"])
            .collect();
        let expected: &[_] = if outcome.has_rows() { &[7] } else { &[] };
        assert_eq!(ids, expected, "{body}");
        assert_eq!(
            flattener.contacts_without_details(),
            Some(u64::from(is_counted)),
            "{body}"
        );
    }
    let mut sales_only = Flattener::new(&View::of(["sales"]));
    sales_only.append(target(asked(7)), answer(br#"{"Sales": [{}]}"#, 3));
    assert_eq!(sales_only.contacts_without_details(), None);
}

#[test]
fn days_of_another_zone_are_null_and_counted() {
    let mut flattener = flattener();
    let body = br#"{
        "Contact": {"Name": "A"},
        "Sales": [{"SaleDate": "2026-09-19T22:00:00Z"}, {"SaleDate": "soon"}],
        "Followups": [{"Date": "2026-09-20T00:00:00+02:00"}]
    }"#;
    for (json, has_same_zone) in [(&body[..], false), (b"null", false), (body, true)] {
        let limit = 3;
        let answer = AnswerBody {
            json,
            limit,
            has_same_zone,
        };
        flattener.append(target(asked(7)), Some(answer));
    }
    let tables = by_name(&take(&mut flattener));
    let day = |table: &str, row: usize, column: &str| tables[table][row].get(column).cloned();
    assert_eq!(day("sales", 0, "sale_day"), None);
    assert_eq!(
        day("sales", 0, "sale_date"),
        Some(json!("2026-09-19T22:00:00Z"))
    );
    assert_eq!(
        day("sales", 1, "extra"),
        Some(json!(r#"{"SaleDate":"soon"}"#))
    );
    assert_eq!(day("sales", 2, "sale_day"), Some(json!("2026-09-19")));
    assert_eq!(day("followups", 0, "day"), None);
    assert_eq!(day("followups", 1, "day"), Some(json!("2026-09-20")));
    assert_eq!(flattener.answers_of_another_zone(), 1);
}

#[test]
fn a_stale_target_has_the_rows_of_its_answer_and_says_why_it_is_stale() {
    let stale = || {
        let mut target = target(asked(7));
        target.ending.outcome = Outcome::Stale;
        target.ending.error = Some(Reason::HttpStatus);
        target.ending.http_status = Some(503);
        target.ending.message = Some("later".to_owned());
        target
    };
    // answer, outcome, error, rows of contacts
    let cases = [
        (
            r#"{"Contact": {"Name": "A"}}"#,
            Outcome::Stale,
            "http_status",
            1,
        ),
        (
            r#"{"Contact": {"Name": "A"}"#,
            Outcome::Failed,
            "not_json",
            0,
        ),
        (r#"{"Contact": null}"#, Outcome::Failed, "http_status", 0),
    ];
    for (body, outcome, error, contacts) in cases {
        let mut flattener = flattener();
        assert_eq!(
            flattener.append(stale(), answer(body.as_bytes(), 3)),
            outcome
        );
        let tables = by_name(&take(&mut flattener));
        let row = json!({
            "contact_id": 7, "input_line": 2, "input_value": "7", "outcome": outcome.as_str(),
            "http_status": 503, "attempts": 1, "error": error, "message": "later",
            "fetched_at": "1970-01-01T00:00:00Z"
        });
        assert_eq!(tables["outcomes"], json!([row]));
        assert_eq!(tables["contacts"].as_array().map(Vec::len), Some(contacts));
    }
}

#[test]
fn a_target_without_rows_shows_no_answer() {
    for outcome in Outcome::ALL.iter().filter(|outcome| !outcome.has_rows()) {
        let mut target = target(asked(7));
        target.ending.outcome = *outcome;
        let mut flattener = flattener();
        let body = br#"{"Contact": {"Name": "A"}, "Sales": [{}]}"#;
        assert_eq!(flattener.append(target, answer(body, 1)), *outcome);
        let tables = by_name(&take(&mut flattener));
        assert!(data_tables().all(|table| tables[table.name] == json!([])));
    }
}

#[test]
fn only_tables_that_were_asked_for_are_filled() {
    let body =
        br#"{"Contact": {"ContactId": 8}, "Tickets": [{}], "Sales": [], "Chats": "ignored"}"#;
    for (wanted, rows) in [("tickets", 1), ("sales", 0)] {
        let mut flattener = Flattener::new(&View::of([wanted]));
        assert_eq!(
            flattener.append(target(asked(7)), answer(body, 3)),
            Outcome::Exported
        );
        let batches = flattener.take();
        assert_eq!(
            batches
                .iter()
                .map(RecordBatch::num_rows)
                .collect::<Vec<_>>(),
            [rows, 1],
            "{wanted}, outcomes"
        );
    }
}

#[test]
fn a_target_without_an_answer_makes_an_outcome_and_no_other_row() {
    let ending = Ending {
        outcome: Outcome::Rejected,
        http_status: None,
        attempts: 0,
        error: Some(Reason::InvalidId),
        message: Some("no number".to_owned()),
        fetched_at: None,
    };
    let mut flattener = flattener();
    let rejected = Target {
        contact_id: None,
        input_line: 5,
        input_value: "7a".to_owned(),
        ending,
    };
    assert_eq!(flattener.append(rejected, None), Outcome::Rejected);
    let tables = by_name(&take(&mut flattener));
    let row = json!({
        "input_line": 5, "input_value": "7a", "outcome": "rejected", "attempts": 0,
        "error": "invalid_id", "message": "no number"
    });
    assert_eq!(tables["outcomes"], json!([row]));
    assert_eq!(tables["contacts"], json!([]));
}

#[test]
fn long_text_is_kept_whole() {
    let long = "å\\n".repeat(1 << 17);
    let tables = flatten(format!(
        r#"{{"Chats": [{{"FirstMessage": "{long}", "New": "{long}"}}]}}"#
    ))
    .0;
    assert_eq!(
        tables["chats"][0]["first_message"],
        json!("å\n".repeat(1 << 17))
    );
    assert_eq!(
        tables["chats"][0]["extra"].as_str().map(str::len),
        Some(long.len() + r#"{"New":""}"#.len())
    );
}

#[test]
fn drift_is_counted() {
    let drift = |cells, naive_instants, unknown_members| Drift {
        cells,
        naive_instants,
        unknown_members,
    };
    let cases = [
        (r#"{"Contact": {}}"#, drift(0, 0, 0)),
        (
            r#"{"Tickets": [{"TicketId": "x", "Title": {}}]}"#,
            drift(2, 0, 0),
        ),
        (r#"{"Sales": [{"SaleDate": "soon"}]}"#, drift(2, 0, 0)),
        (
            r#"{"Sales": [{"SaleDate": "2021-06-30T00:00:00", "Registered": "2021-06-30"}]}"#,
            drift(0, 2, 0),
        ),
        (
            r#"{"Sales": [{"SaleDate": "0001-01-01T00:00:00"}]}"#,
            drift(0, 0, 0),
        ),
        (
            r#"{"Contact": {"New": 1, "Address": {"New": [2]}}, "New": {"A": 1}}"#,
            drift(0, 0, 3),
        ),
        (
            r#"{"Contact": {"TableRight": 1, "New": null}, "New": []}"#,
            drift(0, 0, 0),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(flatten(body).1, expected, "{body}");
    }
}
