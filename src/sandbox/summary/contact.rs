//! The Contact member of a summary with its address, and the rights and layout noise that a real
//! answer carries.

use std::fmt::Write;
use std::sync::LazyLock;

use fastrand::Rng;

use super::company::{Company, associate};
use super::words::{BUSINESSES, CATEGORIES};
use crate::sandbox::database::ContactRow;
use crate::sandbox::dice::{falls_into, pick};
use crate::sandbox::json::JsonText;

const TABLE_RIGHT: &str = r#"{"Mask":"Select, Update, Insert, Delete","Reason":""}"#;
const ADDRESS_RIGHT: &str = r#"{"Mask":"FULL","Reason":""}"#;

/// What the caller may do with each field; the same for every contact.
static FIELD_PROPERTIES: LazyLock<String> = LazyLock::new(|| {
    let fields = [
        ("ContactId", "UIHintReadOnly", "System.Int32", 0),
        ("Name", "Update, UIHintMandatory", "System.String", 219),
        ("Department", "FULL", "System.String", 219),
        ("OrgNr", "FULL", "System.String", 49),
        ("Associate", "Update, UIHintMandatory", "System.Int32", 0),
        ("Category", "RI, RestrictedUpdate", "System.Int32", 0),
        ("Business", "RI, RestrictedUpdate", "System.Int32", 0),
        ("Country", "FULL", "System.Int32", 0),
    ];
    let mut json = JsonText::with_capacity(1024);
    json.open('{');
    for (name, mask, field_type, length) in fields {
        json.member(name).open('{').member("FieldRight").open('{');
        json.text_member("Mask", mask)
            .text_member("Reason", "")
            .close('}');
        json.text_member("FieldType", field_type)
            .plain_member("FieldLength", length)
            .close('}');
    }
    json.close('}');
    String::from_utf8(json.into_bytes()).expect("made of texts")
});

/// Writes the Contact of a company.
pub(super) fn write(json: &mut JsonText, rng: &mut Rng, row: &ContactRow, company: &Company) {
    let country = company.country;
    let address = PostalAddress::of(rng, company);
    let (associate_id, associate_name) = associate(rng);

    json.open('{').plain_member("ContactId", row.contact_id);
    write_names_and_numbers(json, rng, company);
    json.text_member("CategoryName", pick(rng, CATEGORIES))
        .text_member("BusinessName", pick(rng, BUSINESSES));
    json.plain_member("AssociateId", associate_id)
        .text_member("AssociateFullName", &associate_name);
    json.plain_member("CountryId", country.id)
        .text_member("CountryName", country.name)
        .text_member("City", address.city);
    write_ways_to_reach(json, rng, company, row.edits);
    json.text_member("FormattedAddress", &format!("{}\n", address.lines()));
    json.plain_member("IsOwnerContact", row.contact_id == 1);
    let erp_links = if falls_into(rng, 0.1) {
        rng.u8(1..=2)
    } else {
        0
    };
    json.plain_member("ActiveErpLinks", erp_links);
    json.member("Address");
    address.write(json, rng, company);
    json.raw_member("TableRight", TABLE_RIGHT)
        .raw_member("FieldProperties", &FIELD_PROPERTIES)
        .close('}');
}

fn write_names_and_numbers(json: &mut JsonText, rng: &mut Rng, company: &Company) {
    json.text_member("Name", &company.name)
        .text_member("Department", company.department)
        .text_member("FullName", &company.full_name());
    // No register hands out numbers that begin with two zeros.
    let org_nr = if falls_into(rng, 0.1) {
        String::new()
    } else {
        format!("00{:07}", rng.u32(0..10_000_000))
    };
    json.text_member("OrgNr", &org_nr);
    if falls_into(rng, 0.85) {
        json.text_member("Number1", &format!("{:06}", rng.u32(0..100_000)));
        let number2 = if falls_into(rng, 0.7) { "\"\"" } else { "null" };
        json.raw_member("Number2", number2);
    }
    json.text_member("Kananame", company.kana_name);
}

fn write_ways_to_reach(json: &mut JsonText, rng: &mut Rng, company: &Company, edits: u32) {
    // Every edit gives it another number.
    let phone = (rng.u32(0..1_000_000) + edits) % 1_000_000;
    let (first, last) = (phone / 1000, phone % 1000);
    let dial = company.country.dial;
    json.text_member("DirectPhone", &format!("{dial} 00 {first:03} {last:03}"));
    if falls_into(rng, 0.2) {
        json.text_member("EmailAddress", "")
            .raw_member("EmailAddressName", "null");
    } else {
        json.text_member("EmailAddress", &format!("post@{}", company.domain))
            .text_member("EmailAddressName", "");
    }
    json.text_member("URL", &format!("https://www.{}", company.domain))
        .raw_member("URLName", "null");
}

struct PostalAddress {
    street: String,
    zipcode: &'static str,
    city: &'static str,
    county: &'static str,
}

impl PostalAddress {
    fn of(rng: &mut Rng, company: &Company) -> Self {
        let (zipcode, city, county) = pick(rng, company.country.places);
        let mut street = pick(rng, company.country.streets).to_owned();
        write!(street, " {}", rng.u16(1..=240)).expect("writing to a String cannot fail");
        Self {
            street,
            zipcode,
            city,
            county,
        }
    }

    fn lines(&self) -> String {
        format!("{}\n{} {}", self.street, self.zipcode, self.city)
    }

    fn write(&self, json: &mut JsonText, rng: &mut Rng, company: &Company) {
        json.open('{');
        if falls_into(rng, 0.4) {
            json.raw_member("Wgs84Latitude", "0")
                .raw_member("Wgs84Longitude", "0.0");
        } else {
            json.plain_member("Wgs84Latitude", company.country.latitude + rng.f64());
            json.plain_member("Wgs84Longitude", company.country.longitude + rng.f64());
        }
        json.member("LocalizedAddress").open('[').open('[');
        localized_field(json, "StreetAddress1", &self.street, 255);
        json.close(']').open('[');
        localized_field(json, "StreetZipcode", self.zipcode, 99);
        localized_field(json, "StreetCity", self.city, 255);
        json.close(']').close(']');
        // Older servers do not send these three members.
        if falls_into(rng, 0.97) {
            json.member("Street");
            self.write_structured(json, "ContactStreetAddress", "");
            json.member("Postal");
            if falls_into(rng, 0.05) {
                json.raw("null");
            } else {
                self.write_structured(
                    json,
                    "ContactPostalAddress",
                    "c/o Økonomiavd., \"Fakturamottak\"",
                );
            }
            json.text_member("Formatted", &self.lines());
        }
        json.raw_member("TableRight", ADDRESS_RIGHT)
            .raw_member("FieldProperties", "{}")
            .close('}');
    }

    fn write_structured(&self, json: &mut JsonText, kind: &str, second_line: &str) {
        json.open('{')
            .text_member("AtypeIdx", kind)
            .text_member("Address1", &self.street);
        json.text_member("Address2", second_line)
            .raw_member("Address3", "null");
        json.text_member("City", self.city)
            .text_member("County", self.county)
            .text_member("State", "");
        json.text_member("Zipcode", self.zipcode)
            .text_member("Formatted", &self.lines())
            .close('}');
    }
}

fn localized_field(json: &mut JsonText, name: &str, value: &str, length: u16) {
    json.open('{')
        .text_member("Name", name)
        .text_member("Value", value)
        .raw_member("Tooltip", "\"\"")
        .raw_member("Label", "\"\"");
    json.plain_member("ValueLength", length)
        .raw_member("AddressType", "\"Street\"");
    json.raw_member("TableRight", "null")
        .raw_member("FieldProperties", "{}")
        .close('}');
}
