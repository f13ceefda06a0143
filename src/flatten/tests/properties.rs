//! What holds for any answer.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::schema::tests::generate::{self, AnySummary};

fn lengths(tables: &Tables) -> Vec<usize> {
    tables.iter().map(Vec::len).collect()
}

/// The body with one more member at the end, which counts where it is doubled.
fn with_member(body: &str, member: &str) -> String {
    let members = body.strip_suffix('}').unwrap();
    let comma = if members == "{" { "" } else { "," };
    format!("{members}{comma}{member}}}")
}

/// Ruins a body, and says how it must be refused.
fn ruined() -> impl Strategy<Value = (AnySummary, Vec<u8>, Reason)> {
    let wrong_members = [
        r#""Contact": []"#,
        r#""Contact": "x""#,
        r#""Contact": {"Address": 1e400}"#,
        r#""Contact": {"Address": {"Street": [{}]}}"#,
        r#""Tickets": 5"#,
        r#""Followups": {}"#,
        r#""Documents": [{}, "\ud83e"]"#,
        r#""Sales": [[]]"#,
        r#""Chats": true"#,
        r#""Error": true"#,
    ];
    let place = any::<Index>;
    prop_oneof![
        (generate::summary(), place()).prop_map(|(summary, place)| {
            let cut = place.index(summary.json.len());
            let body = summary.json.as_bytes()[..cut].to_vec();
            (summary, body, Reason::NotJson)
        }),
        (generate::summary(), place()).prop_map(|(summary, place)| {
            let mut body = summary.json.clone().into_bytes();
            body.insert(place.index(body.len()), 0xFF);
            (summary, body, Reason::NotJson)
        }),
        (generate::summary(), select(vec!["x", "{}", "]", ",", "\0"])).prop_map(
            |(summary, garbage)| {
                let body = format!("{}{garbage}", summary.json).into_bytes();
                (summary, body, Reason::NotJson)
            }
        ),
        (generate::summary(), select(wrong_members.to_vec())).prop_map(|(summary, member)| {
            let body = with_member(&summary.json, member).into_bytes();
            (summary, body, Reason::WrongStructure)
        }),
        (
            generate::summary(),
            select(vec!["0", "-7", "\"x\"", "1e400", "{}"])
        )
            .prop_map(|(summary, id)| {
                let contact = format!(r#""Contact": {{"Name": "another", "ContactId": {id}}}"#);
                let body = with_member(&summary.json, &contact).into_bytes();
                (summary, body, Reason::OtherContact)
            }),
    ]
}

proptest! {
    #[test]
    fn an_answer_makes_the_rows_that_it_holds(summary in generate::summary()) {
        let mut flattener = flattener();
        let outcome =
            flattener.append(target(summary.contact_id), answer(summary.json.as_bytes(), 3));
        let lengths = lengths(&take(&mut flattener));
        prop_assert!(take(&mut flattener).iter().all(Vec::is_empty));
        // Every contact that is shown is among the contacts, and nothing is of any other.
        let [contacts, lists @ .., outcomes] = &lengths[..] else {
            panic!("contacts come first, outcomes last");
        };
        prop_assert_eq!((*contacts, *outcomes), (usize::from(outcome.has_rows()), 1));
        prop_assert_eq!(lists, &summary.objects[1..]);
    }

    #[test]
    fn every_cell_is_what_the_slow_way_gives(
        summary in generate::summary(),
        limit in 1_u32..6,
        has_same_zone in any::<bool>(),
    ) {
        let answer = AnswerBody { json: summary.json.as_bytes(), limit, has_same_zone };
        let mut flattener = flattener();
        let outcome = flattener.append(target(summary.contact_id), Some(answer));
        let expected = oracle::expected(summary.contact_id, answer);
        let tables = take(&mut flattener);
        for (table, (rows, expected)) in TABLES.iter().zip(tables.iter().zip(&expected.tables)) {
            prop_assert_eq!(rows, expected, "{}", table.name);
        }
        prop_assert_eq!(
            flattener.contacts_without_details(),
            Some(u64::from(expected.without_details))
        );
        prop_assert_eq!(
            flattener.answers_of_another_zone(),
            u64::from(outcome.has_rows() && !has_same_zone)
        );
    }

    #[test]
    fn a_refused_answer_adds_no_row_to_any_table((summary, body, reason) in ruined()) {
        let mut with = flattener();
        let mut without = flattener();
        for flattener in [&mut with, &mut without] {
            flattener.append(target(summary.contact_id), answer(summary.json.as_bytes(), 3));
        }
        prop_assert_eq!(with.append(target(summary.contact_id), answer(&body, 3)), Outcome::Failed);
        prop_assert_eq!(with.drift(), without.drift());
        prop_assert!(with.truncated().eq(without.truncated()));
        for flattener in [&mut with, &mut without] {
            flattener.append(target(summary.contact_id), answer(summary.json.as_bytes(), 3));
        }
        let (mut with, mut without) = (take(&mut with), take(&mut without));
        let (outcomes, _) = (with.pop().unwrap(), without.pop());
        prop_assert_eq!(with, without);
        prop_assert_eq!(&outcomes[1]["outcome"], "failed");
        prop_assert_eq!(&outcomes[1]["error"], reason.as_str());
    }

    #[test]
    fn the_checker_agrees_with_the_flattener(body in prop_oneof![
        ruined().prop_map(|(_, body, _)| body),
        generate::summary().prop_map(|summary| summary.json.into_bytes()),
        generate::value().prop_map(String::into_bytes),
    ]) {
        let expected = match Checker::new(&View::all()).check(asked(7), &body) {
            Ok(Found::Summary) => Outcome::Exported,
            Ok(Found::Nothing) => Outcome::Missing,
            Err(_) => Outcome::Failed,
        };
        prop_assert_eq!(flattener().append(target(asked(7)), answer(&body, 3)), expected);
    }

    #[test]
    fn nothing_panics(
        bytes in any::<Vec<u8>>(),
        text in r#"[\[\]{}",:0-9a-z\\ -]{0,100}"#,
        summary in generate::summary(),
        place in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut changed = summary.json.into_bytes();
        *place.get_mut(&mut changed) = byte;
        for body in [bytes.as_slice(), text.as_bytes(), &changed] {
            flatten(body);
        }
    }

    #[test]
    fn rows_do_not_depend_on_when_they_are_taken(
        summaries in prop::collection::vec(generate::summary(), 1..5), taken in any::<[bool; 5]>(),
    ) {
        let mut at_once = flattener();
        let mut in_parts = flattener();
        let mut parts: Tables = vec![Vec::new(); TABLES.len()];
        let mut collect = |tables: Tables| {
            parts.iter_mut().zip(tables).for_each(|(part, rows)| part.extend(rows));
        };
        for (summary, taken) in summaries.iter().zip(taken) {
            for flattener in [&mut at_once, &mut in_parts] {
                flattener.append(target(summary.contact_id), answer(summary.json.as_bytes(), 3));
            }
            if taken {
                collect(take(&mut in_parts));
            }
        }
        collect(take(&mut in_parts));
        prop_assert_eq!(take(&mut at_once), parts);
    }
}
