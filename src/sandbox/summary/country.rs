//! A country with the words its companies are made of, and the one where the CRM is at home. Leaves
//! the other ones to `countries`. No company, person, phone number or domain of these exists.

/// Where a company is, with the words its data is made of.
pub(super) struct Country {
    /// Number of ISO 3166.
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) dial: &'static str,
    pub(super) currency: &'static str,
    /// Units of the base currency (NOK) per unit of the currency.
    pub(super) rate: f64,
    /// Roughly the middle of the country.
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    /// How many of a hundred companies are there.
    pub(super) share: u8,
    /// Stems of company names and their spelling in a domain.
    pub(super) stems: &'static [&'static (&'static str, &'static str)],
    pub(super) trades: &'static [&'static str],
    pub(super) forms: &'static [&'static str],
    /// Postal code, city, county.
    pub(super) places: &'static [&'static (&'static str, &'static str, &'static str)],
    pub(super) streets: &'static [&'static str],
    pub(super) given_names: &'static [&'static str],
    pub(super) surnames: &'static [&'static str],
}

/// The company that owns the CRM and its people sit here.
pub(super) static NORWAY: &Country = &Country {
    id: 578,
    name: "Norge",
    dial: "+47",
    currency: "NOK",
    rate: 1.0,
    latitude: 60.4,
    longitude: 9.8,
    share: 42,
    stems: &[
        &("Bølgesprett", "bolgesprett"),
        &("Tåkelur", "takelur"),
        &("Fjellrypa", "fjellrypa"),
        &("Øyværing", "oyvaering"),
        &("Kvistholmen", "kvistholmen"),
        &("Rødberget & Sønner", "rodberget"),
        &("Måkeskrik", "makeskrik"),
        &("Lyngdalsæter", "lyngdalsaeter"),
        &("\"Det Skjeve Naust\"", "skjevenaust"),
        &("Havgløtt, Berg og Ås", "havglott"),
    ],
    trades: &[
        "Elektro",
        "Bygg",
        "Fiskeoppdrett",
        "Møbler",
        "Rør & Varme",
        "Regnskap",
        "Båtbyggeri",
        "Skogsdrift",
        "Kjøleteknikk",
    ],
    forms: &["AS", "AS", "ASA", "ANS", "SA"],
    places: &[
        &("0158", "Oslo", "Oslo"),
        &("5003", "Bergen", "Vestland"),
        &("7011", "Trondheim", "Trøndelag"),
        &("9008", "Tromsø", "Troms"),
        &("6003", "Ålesund", "Møre og Romsdal"),
        &("8006", "Bodø", "Nordland"),
        &("3111", "Tønsberg", "Vestfold"),
    ],
    streets: &[
        "Tåkeveien",
        "Måsestien",
        "Gamle Naustgate",
        "Øvre Rypegate",
        "Blåklokkeveien",
        "Pb.",
    ],
    given_names: &[
        "Åse",
        "Bjørn",
        "Håkon",
        "Ingvild",
        "Øystein",
        "Kari",
        "Sølvi",
        "Torbjørn",
    ],
    surnames: &[
        "Tåkelund",
        "Bølgeby",
        "Østnaust",
        "Kvisthaug",
        "Rypås",
        "Sæterlid",
    ],
};
