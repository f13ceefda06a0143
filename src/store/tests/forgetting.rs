//! What is let go after published runs, and what is not.

use super::*;

const DAY: Duration = Duration::from_hours(24);

impl Scene {
    /// Ends the run that is under way as published, so many days after the first one, and begins
    /// the next.
    fn publish(&mut self, day: i64, forget_after: Duration) {
        let run = some_run("run", self.terms.run);
        self.terms.now = (1_000 + day * 86_400) * SECOND;
        self.store
            .let_go(&run, self.terms.now, forget_after)
            .unwrap();
        self.terms.run += 1;
    }

    fn bodies(&self) -> i64 {
        let sql = "SELECT count(*) FROM responses";
        let count = self.store.connection.query_row(sql, [], |row| row.get(0));
        count.unwrap()
    }
}

#[test]
fn an_answer_goes_when_two_published_runs_said_that_its_contact_is_missing() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[exported(1, 100)]);
    scene.publish(0, DAY);
    scene.record(&[missing(1, 200)]);
    // A run that says so and is not published says nothing.
    scene.terms.run += 1;
    scene.record(&[missing(1, 300)]);
    scene.publish(1, DAY);
    assert_eq!(scene.bodies(), 1);
    // A run that did not ask says nothing either.
    scene.publish(2, DAY);
    assert_eq!(scene.bodies(), 1);
    scene.record(&[missing(1, 400)]);
    scene.publish(3, DAY);
    assert_eq!(scene.bodies(), 0);
    assert_eq!(scene.shown(1).0, Outcome::Missing);
}

#[test]
fn a_published_run_that_did_not_name_a_contact_does_not_say_that_it_is_missing() {
    let mut scene = Scene::new();
    scene.targets([1, 2]);
    scene.record(&[exported(1, 100)]);
    scene.publish(0, DAY);
    // The contact is missing in a first start of the run, and off the list in the one that is
    // published.
    for day in [1, 2] {
        scene.targets([1, 2]);
        scene.record(&[missing(1, 200 * day)]);
        scene.targets([2]);
        scene.publish(day, DAY);
    }
    assert_eq!(scene.bodies(), 1);
    // What is published says so the first time, and then the second.
    for (day, bodies) in [(3, 1), (4, 0)] {
        scene.targets([1, 2]);
        scene.record(&[missing(1, 200 * day)]);
        scene.publish(day, DAY);
        assert_eq!(scene.bodies(), bodies, "day {day}");
    }
}

#[test]
fn what_is_missing_is_asked_for_again_until_a_published_run_said_so() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.terms.max_age = Duration::from_hours(1);
    scene.record(&[missing(1, 900)]);
    // A guard stopped that run; the next one asks.
    scene.terms.run = 2;
    assert_eq!(scene.planned(), [1]);
    scene.record(&[missing(1, 950)]);
    scene.publish(0, DAY);
    assert_eq!(scene.planned(), [0_i64; 0]);
}

#[test]
fn a_contact_that_comes_back_in_between_begins_anew() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[exported(1, 100), missing(1, 200)]);
    scene.publish(0, DAY);
    scene.record(&[failed(1, 300)]);
    scene.record(&[missing(1, 400)]);
    scene.publish(1, DAY);
    assert_eq!(scene.bodies(), 1);
}

#[test]
fn what_is_no_longer_asked_for_goes_after_three_published_runs_and_some_days() {
    let weeks = DAY * 7;
    let cases: [(&[i64], Duration, bool); 6] = [
        (&[1, 2], Duration::ZERO, true),
        (&[1, 2, 3], Duration::ZERO, false),
        (&[1, 2, 3], weeks, true),
        (&[1, 2, 3, 7], weeks, true),
        (&[1, 2, 3, 8], weeks, false),
        // The clock went back: nothing is forgotten early.
        (&[30, 2, 3, 9], weeks, true),
    ];
    for (days, forget_after, is_kept) in cases {
        let mut scene = Scene::new();
        scene.targets([1, 2]);
        scene.record(&[exported(1, 1), exported(2, 1)]);
        scene.targets([2]);
        for day in days {
            scene.publish(*day, forget_after);
        }
        assert_eq!(scene.bodies(), 1 + i64::from(is_kept), "{days:?}");
        scene.targets([1, 2]);
        assert_eq!(scene.shown(2).0, Outcome::Exported);
    }
}

#[test]
fn a_list_that_was_short_for_a_night_forgets_nothing() {
    let mut scene = Scene::new();
    scene.targets([1, 2]);
    scene.record(&[exported(1, 1), failed(2, 1)]);
    for day in [1, 2, 4, 5, 7] {
        scene.targets([1]);
        scene.publish(day, Duration::ZERO);
        if day % 3 == 2 {
            scene.targets([1, 2]);
            scene.publish(day, Duration::ZERO);
        }
    }
    scene.targets([1, 2]);
    assert_eq!(
        (scene.shown(1).0, scene.shown(2).0),
        (Outcome::Exported, Outcome::Failed)
    );
}

#[test]
fn what_was_let_go_leaves_no_byte() {
    let mut scene = Scene::new();
    let marked = |contact_id| {
        let mut dice = fastrand::Rng::with_seed(7);
        let mut answer = exported(contact_id, 1);
        // Bodies that came as gzip are kept as they came.
        let noise = std::iter::repeat_with(|| dice.u8(..)).take(3_000);
        answer.body = Some([0x1F, 0x8B].into_iter().chain(noise).collect());
        answer
    };
    let answer = marked(1);
    let needle = answer.body.clone().unwrap()[100..200].to_vec();
    scene.record(&[answer, exported(2, 1)]);
    scene.targets([2]);
    (0..3).for_each(|day| scene.publish(day, Duration::ZERO));
    let path = scene.path();
    drop(scene.store);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found, "{}", file.display());
    }
}
