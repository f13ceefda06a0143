//! Plays a script: night after night the job is changed, the list is written, the job is started as
//! cron does it, killed, started again by hand, and accepted by an operator who reads why it
//! stopped. After every start the oracle looks at what it left.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use jiff::SignedDuration;

use super::export::{Export, State};
use super::list::List;
use super::operator;
use super::oracle::Oracle;
use super::scene::{Killed, Plot, Scene, Turn};
use super::script::{Event, How, NIGHTS, Script, Terms};
use super::server::Api;
use super::truth::{Asked, LANGUAGES, block};
use crate::error::Error;
use crate::extract::ids::Reader;
use crate::job::{self, Job};
use crate::load::publish;
use crate::report::log::logged;
use crate::report::{LogFormat, ProgressMode, Reporter};
use crate::run::{Finished, Mode, Start, World, run_in};

const HOUR: Duration = Duration::from_hours(1);

/// How a start ended.
#[derive(Debug)]
pub(super) enum End {
    Published,
    Stopped(Error),
    Killed,
}

/// A start, and what it left.
pub(super) struct Started {
    pub(super) how: How,
    pub(super) is_accepted: bool,
    pub(super) asked: Asked,
    pub(super) max_age: Duration,
    pub(super) max_calls: Option<u64>,
    pub(super) list: List,
    /// Whether neither server nor clock nor process is troubled.
    pub(super) is_well: bool,
    pub(super) began_by_clock: i64,
    pub(super) ended: Duration,
    pub(super) ended_by_clock: i64,
    pub(super) before: State,
    pub(super) after: State,
    pub(super) end: End,
    pub(super) requests: u8,
    /// Where the server's answers of this start begin among all.
    pub(super) first_said: usize,
    pub(super) log: Vec<String>,
    pub(super) export: Option<Export>,
    pub(super) latest: Option<String>,
}

/// What is to be done tonight besides the first start.
#[derive(Default)]
struct Tonight {
    plot: Plot,
    again: Option<(u8, How)>,
    list: Vec<Event>,
}

struct Player<'s> {
    scene: Scene,
    terms: Terms,
    script: &'s Script,
    oracle: Oracle,
    asked: Asked,
    max_calls: Option<u64>,
    list: List,
    /// The state as the last start left it.
    state: State,
    /// The night before which the clock is put right.
    clock_is_right_on: u8,
    night: u8,
}

/// Plays a script; the first thing that is wrong ends it. Gives what happened, in figures.
pub(super) fn play(script: &Script) -> Result<super::tally::Tally, String> {
    fastrand::seed(script.seed);
    let scene = Scene::new();
    let first = (1..=i64::from(script.contacts)).collect();
    scene.truth.borrow_mut().list = first;
    let mut player = Player {
        oracle: Oracle::new(script.terms),
        scene,
        terms: script.terms,
        script,
        asked: Asked {
            login: 0,
            language: 0,
            limit: 100,
            with_sales: true,
        },
        max_calls: None,
        list: List::default(),
        state: State::default(),
        clock_is_right_on: 0,
        night: 0,
    };
    for night in 0..NIGHTS {
        player.night = night;
        player
            .play_night()
            .map_err(|wrong| format!("night {night}: {wrong}"))?;
    }
    let mut tally = player.oracle.tally;
    tally.add(&player.scene.tally.borrow());
    Ok(tally)
}

impl Player<'_> {
    fn play_night(&mut self) -> Result<(), String> {
        let begins = Duration::from_hours(24) * u32::from(self.night);
        self.scene.wait(begins.saturating_sub(self.scene.now()));
        if self.night == self.clock_is_right_on {
            self.scene.wrong.set(SignedDuration::ZERO);
        }
        let mut tonight = Tonight::default();
        for (night, event) in &self.script.events {
            if *night == self.night {
                self.take_in(*event, &mut tonight);
            }
        }
        let right = self.scene.truth.borrow().list.clone();
        let path = self.scene.folder().join("ids.csv");
        self.list.write(&path, &right, &tonight.list);
        let mut started = self.start(How::AsAlways, false, tonight.plot)?;
        if let Some((hours, how)) = tonight.again {
            self.scene.wait(HOUR * u32::from(hours));
            started = self.start(how, false, Plot::default())?;
        }
        if operator::accepts(&started, &self.scene.truth.borrow(), &self.oracle) {
            self.scene.wait(HOUR);
            self.start(How::AsAlways, true, Plot::default())?;
        }
        Ok(())
    }

    fn take_in(&mut self, event: Event, tonight: &mut Tonight) {
        self.scene.count(event.name());
        let mut truth = self.scene.truth.borrow_mut();
        let plot = &mut tonight.plot;
        match event {
            Event::Delete { first, count } => truth.deleted.extend(block(first, count)),
            Event::Restore { first, count } => {
                truth
                    .deleted
                    .retain(|id| !block(first, count).any(|of| of == *id));
            }
            Event::Forbid { first, count } => truth.forbidden.extend(block(first, count)),
            Event::Permit { first, count } => {
                truth
                    .forbidden
                    .retain(|id| !block(first, count).any(|of| of == *id));
            }
            Event::Sicken { contact, with } => {
                truth.sick.extend(block(contact, 1).map(|id| (id, with)));
            }
            Event::Heal => truth.sick.clear(),
            Event::Join { count } => truth.join(count),
            Event::Leave { first, count } => {
                truth
                    .list
                    .retain(|id| !block(first, count).any(|of| of == *id));
            }
            Event::ListLate
            | Event::ListCut { .. }
            | Event::ListSpoilt { .. }
            | Event::ListEmpty
            | Event::ListGone => tonight.list.push(event),
            Event::Outage {
                say,
                after,
                minutes,
            } => {
                plot.turns.push((after, Turn::Outage { say, minutes }));
            }
            Event::Refusal {
                say,
                after,
                answers,
            } => {
                plot.turns.push((after, Turn::Refusal { say, answers }));
            }
            Event::Clock {
                after,
                hours,
                nights,
            } => {
                self.clock_is_right_on = self.night.saturating_add(nights);
                plot.turns.push((after, Turn::Clock { hours }));
            }
            Event::Kill(moment) => plot.kill = Some(moment),
            Event::Stop(moment) => plot.stop = Some(moment),
            Event::Again { hours, how } => tonight.again = Some((hours, how)),
            Event::Limit(limit) => self.asked.limit = limit,
            Event::Language(language) => self.asked.language = language,
            Event::WithSales(with_sales) => self.asked.with_sales = with_sales,
            Event::Login(login) => self.asked.login = login,
            Event::MaxCalls(calls) => self.max_calls = calls.map(u64::from),
            Event::MaxAge { hours } => self.terms.max_age_hours = hours,
        }
    }

    fn job(&self) -> Job {
        let Terms {
            max_age_hours,
            patience_minutes,
            max_failed,
            max_missing,
            max_in_flight,
            knows_logins: _,
        } = self.terms;
        let Asked {
            login,
            language,
            limit,
            with_sales,
        } = self.asked;
        let language = LANGUAGES[usize::from(language)];
        let tables = if with_sales {
            r#"["contacts", "sales"]"#
        } else {
            r#"["contacts"]"#
        };
        let calls = self
            .max_calls
            .map(|calls| format!("max_calls = {calls}"))
            .unwrap_or_default();
        let text = format!(
            r#"
            [source]
            path = "ids.csv"
            [api]
            base_url = "https://crm.example.com"
            auth = {{ scheme = "basic", user = "user{login}", password = {{ env = "NONE" }} }}
            time_zone = "UTC"
            language = "{language}"
            limit = {limit}
            tables = {tables}
            [fetch]
            max_age = "{max_age_hours}h"
            patience = "{patience_minutes}m"
            max_in_flight = {max_in_flight}
            {calls}
            [output]
            dir = "out"
            format = "csv"
            keep = 3
            max_failed = "{max_failed}%"
            max_missing = "{max_missing}%"
            "#
        );
        job::parse(&text, &self.scene.folder().join("job.toml"), &[]).unwrap()
    }

    /// Starts the job, and lets the oracle look at what comes of it.
    fn start(&mut self, how: How, accept: bool, plot: Plot) -> Result<Started, String> {
        let job = self.job();
        let scene = &self.scene;
        let is_eventful = !plot.turns.is_empty() || plot.kill.is_some() || plot.stop.is_some();
        let is_well = !is_eventful && scene.is_well();
        let (early, later): (Vec<_>, _) = plot.turns.iter().partition(|(after, _)| *after == 0);
        for (_, turn) in &early {
            scene.turn(*turn);
        }
        scene.begin(Plot {
            turns: later,
            ..plot
        });
        let runs_before = publish::published(&scene.output()).unwrap();
        let before = self.state.clone();
        let first_said = scene.said.borrow().len();
        let began_by_clock = scene.clock().as_microsecond();
        let mut end = None;
        let log = logged(|| end = Some(self.run(&job, how, accept)));
        let end = end.unwrap();
        let after = State::read(&scene.output());
        self.state = after.clone();
        if matches!(end, End::Killed) {
            scene.leave_state_as_killed();
        }
        let runs = publish::published(&scene.output()).unwrap();
        let new = runs.iter().find(|run| !runs_before.contains(run));
        let folder = new.map(|run| scene.output().join("runs").join(run));
        let export = folder.map(|folder| Export::read(&folder)).transpose()?;
        let started = Started {
            how,
            is_accepted: accept,
            asked: self.asked,
            max_age: job.fetch.max_age,
            max_calls: self.max_calls,
            list: self.list.clone(),
            is_well,
            began_by_clock,
            ended: scene.now(),
            ended_by_clock: scene.clock().as_microsecond(),
            before,
            after,
            end,
            requests: scene.requests(),
            first_said,
            log,
            export,
            latest: publish::latest(&scene.output()),
        };
        let truth = scene.truth.borrow();
        self.oracle
            .look_at(&started, &truth, &mut scene.said.borrow_mut())?;
        drop(truth);
        Ok(started)
    }

    fn run(&self, job: &Job, how: How, accept: bool) -> End {
        let scene = &self.scene;
        let mode = match how {
            How::AsAlways => Mode::Fetch { fresh: false },
            How::Fresh => Mode::Fetch { fresh: true },
            How::Offline => Mode::Offline,
        };
        let ids = match Reader::open(&job.source.list) {
            Ok(ids) => ids,
            Err(error) => return End::Stopped(error.into()),
        };
        let stop = scene.stop.subscribe();
        let world = World {
            hash_key: None,
            clock: &|| scene.read_clock(),
            ids,
            api: (how != How::Offline)
                .then(|| Api::new(scene, self.asked, self.terms.knows_logins, job)),
            stop: &stop,
            runtime: Some(&scene.runtime),
        };
        let mut report = Reporter::new(ProgressMode::None, LogFormat::Text, false);
        let start = Start { mode, accept };
        let ran = catch_unwind(AssertUnwindSafe(|| run_in(world, job, start, &mut report)));
        match ran {
            Ok(Ok(Finished::Published(_))) => End::Published,
            Ok(Ok(Finished::Planned(plan))) => panic!("only planned: {plan}"),
            Ok(Err(unpublished)) => End::Stopped(unpublished.error),
            Err(cause) if cause.is::<Killed>() => End::Killed,
            Err(cause) => resume_unwind(cause),
        }
    }
}
