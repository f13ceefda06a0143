//! Who a contact is: the names that its Contact member and its lists share.

use fastrand::Rng;

use super::countries::country;
use super::country::{Country, NORWAY};
use super::words::{DEPARTMENTS, KANA_NAMES};
use crate::sandbox::dice::{falls_into, generator, pick};

/// An invented company.
pub(super) struct Company {
    pub(super) country: &'static Country,
    pub(super) name: String,
    pub(super) department: &'static str,
    /// Empty outside Japan.
    pub(super) kana_name: &'static str,
    /// Under `.example`, which belongs to nobody.
    pub(super) domain: String,
}

impl Company {
    /// The company of a contact id.
    pub(super) fn of(seed: u64, contact_id: u64) -> Self {
        let mut rng = generator(seed, contact_id, 2);
        let country = country(&mut rng);
        let (stem, slug) = pick(&mut rng, country.stems);
        let trade = pick(&mut rng, country.trades);
        let form = pick(&mut rng, country.forms);
        let department = if falls_into(&mut rng, 0.25) {
            pick(&mut rng, DEPARTMENTS)
        } else {
            ""
        };
        let kana_name = if country.currency == "JPY" {
            pick(&mut rng, KANA_NAMES)
        } else {
            ""
        };
        Self {
            country,
            name: format!("{stem} {trade} {form}"),
            department,
            kana_name,
            domain: format!("{slug}-{contact_id}.example"),
        }
    }

    /// Name and department in one, as the API joins them.
    pub(super) fn full_name(&self) -> String {
        if self.department.is_empty() {
            self.name.clone()
        } else {
            format!("{}, {}", self.name, self.department)
        }
    }

    /// Someone who works there.
    pub(super) fn person(&self, rng: &mut Rng) -> String {
        person(rng, self.country)
    }
}

/// Someone who works for the owner of the CRM: id and full name, empty where nobody is assigned.
pub(super) fn associate(rng: &mut Rng) -> (u64, String) {
    if falls_into(rng, 0.03) {
        return (0, String::new());
    }
    let associate_id = rng.u64(1..=40);
    (
        associate_id,
        person(&mut generator(0, associate_id, 3), NORWAY),
    )
}

fn person(rng: &mut Rng, country: &Country) -> String {
    format!(
        "{} {}",
        pick(rng, country.given_names),
        pick(rng, country.surnames)
    )
}
