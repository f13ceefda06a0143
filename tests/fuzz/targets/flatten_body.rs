//! Any body: the look before it is stored and the flattener agree, and a body that is refused makes
//! no row anywhere.

#![no_main]

use libfuzzer_sys::fuzz_target;
use superoffice_export::contact::{ContactId, Ending, Found, Outcome, Target};
use superoffice_export::flatten::{AnswerBody, Checker, Flattener};
use superoffice_export::schema::View;

fuzz_target!(|body: &[u8]| {
    let view = View::all();
    // The contact of tests/data.
    let contact_id = ContactId::new(7).expect("it is above zero");
    let found = Checker::new(&view).check(contact_id, body);

    let mut flattener = Flattener::new(&view);
    let ending = Ending {
        outcome: Outcome::Exported,
        http_status: Some(200),
        attempts: 1,
        error: None,
        message: None,
        fetched_at: Some(0),
    };
    let target = Target {
        contact_id: Some(contact_id),
        input_line: 1,
        input_value: "7".to_owned(),
        ending,
    };
    let answer = AnswerBody {
        json: body,
        limit: 100,
        has_same_zone: true,
    };
    let outcome = flattener.append(target, Some(answer));
    let expected = match found {
        Ok(Found::Summary) => Outcome::Exported,
        Ok(Found::Nothing) => Outcome::Missing,
        Err(_) => Outcome::Failed,
    };
    assert_eq!(outcome, expected);

    let batches = flattener.take();
    assert_eq!(batches.len(), view.tables().count());
    let (outcomes, data) = batches.split_last().expect("there is always the batch of outcomes");
    assert_eq!(outcomes.num_rows(), 1);
    let contacts = data.first().expect("contacts come first");
    assert_eq!(contacts.num_rows(), usize::from(outcome == Outcome::Exported));
    if outcome != Outcome::Exported {
        assert!(data.iter().all(|batch| batch.num_rows() == 0));
    }
});
