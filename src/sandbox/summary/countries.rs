//! Every country with its invented names of companies, people and places. No company, person, phone
//! number or domain of these exists.

use fastrand::Rng;

use super::country::{Country, NORWAY};

/// A country, by its share.
pub(super) fn country(rng: &mut Rng) -> &'static Country {
    let mut roll = rng.u8(0..100);
    for country in COUNTRIES {
        if roll < country.share {
            return country;
        }
        roll -= country.share;
    }
    NORWAY
}

static COUNTRIES: &[&Country] = &[
    NORWAY,
    &Country {
        id: 752,
        name: "Sverige",
        dial: "+46",
        currency: "SEK",
        rate: 1.0247,
        latitude: 59.3,
        longitude: 15.2,
        share: 18,
        stems: &[
            &("Älgskog", "algskog"),
            &("Björkvind", "bjorkvind"),
            &("Snöflinga", "snoflinga"),
            &("Åkerglänta", "akerglanta"),
            &("Tranmyren", "tranmyren"),
        ],
        trades: &[
            "Verkstad",
            "Möbler",
            "Träförädling",
            "Åkeri",
            "Redovisning",
            "Kök & Bad",
        ],
        forms: &["AB", "AB", "HB", "Ek. för."],
        places: &[
            &("111 20", "Stockholm", "Stockholms län"),
            &("411 03", "Göteborg", "Västra Götalands län"),
            &("211 19", "Malmö", "Skåne län"),
            &("903 26", "Umeå", "Västerbottens län"),
        ],
        streets: &[
            "Björkvindsgatan",
            "Älgstigen",
            "Snövägen",
            "Östra Trangränd",
        ],
        given_names: &["Åsa", "Björn", "Göran", "Märta", "Örjan", "Linnéa"],
        surnames: &["Björkvind", "Älgström", "Snöbäck", "Tranmyr"],
    },
    &Country {
        id: 208,
        name: "Danmark",
        dial: "+45",
        currency: "DKK",
        rate: 1.5613,
        latitude: 56.0,
        longitude: 10.1,
        share: 14,
        stems: &[
            &("Klitrose", "klitrose"),
            &("Rævehøj", "raevehoj"),
            &("Sødal & Å", "sodal"),
            &("Bøgelys", "bogelys"),
            &("Vadehavsbrød", "vadehavsbrod"),
        ],
        trades: &[
            "Tømrer",
            "Bageri",
            "Vindkraft",
            "Køleteknik",
            "Revision",
            "Gårdsalg",
        ],
        forms: &["ApS", "A/S", "I/S"],
        places: &[
            &("1050", "København K", "Hovedstaden"),
            &("8000", "Aarhus C", "Midtjylland"),
            &("9000", "Aalborg", "Nordjylland"),
            &("6700", "Esbjerg", "Syddanmark"),
        ],
        streets: &[
            "Klitrosevej",
            "Rævestræde",
            "Nørre Bøgegade",
            "Sønder Havnegade",
        ],
        given_names: &["Søren", "Mette", "Jørgen", "Kirsten", "Åge", "Bodil"],
        surnames: &["Rævehøj", "Klitgård", "Bøgelund", "Sødal"],
    },
    &Country {
        id: 246,
        name: "Suomi",
        dial: "+358",
        currency: "EUR",
        rate: 11.6482,
        latitude: 61.9,
        longitude: 25.7,
        share: 6,
        stems: &[
            &("Käpylehto", "kapylehto"),
            &("Hämäränranta", "hamaranranta"),
            &("Töyhtötiainen", "toyhtotiainen"),
        ],
        trades: &["Sähkö", "Rakennus", "Metsäpalvelu", "Tilitoimisto"],
        forms: &["Oy", "Oyj", "Ky"],
        places: &[
            &("00100", "Helsinki", "Uusimaa"),
            &("33100", "Tampere", "Pirkanmaa"),
            &("60100", "Seinäjoki", "Etelä-Pohjanmaa"),
        ],
        streets: &["Käpytie", "Hämärätie", "Töyhtökatu"],
        given_names: &["Päivi", "Jyrki", "Väinö", "Säde"],
        surnames: &["Käpylehto", "Hämäläranta", "Yöjärvi"],
    },
    &Country {
        id: 276,
        name: "Tyskland",
        dial: "+49",
        currency: "EUR",
        rate: 11.6482,
        latitude: 51.2,
        longitude: 10.4,
        share: 8,
        stems: &[
            &("Nebelfuß", "nebelfuss"),
            &("Grünspecht", "gruenspecht"),
            &("Möwenstraßer", "moewenstrasser"),
            &("Kühlebrück & Söhne", "kuehlebrueck"),
        ],
        trades: &[
            "Maschinenbau",
            "Großküchen",
            "Möbelwerke",
            "Kältetechnik",
            "Steuerbüro",
        ],
        forms: &["GmbH", "GmbH & Co. KG", "AG", "e.K."],
        places: &[
            &("20095", "Hamburg", "Hamburg"),
            &("80331", "München", "Bayern"),
            &("50667", "Köln", "Nordrhein-Westfalen"),
        ],
        streets: &[
            "Nebelstraße",
            "Spechtgäßchen",
            "Möwenweg",
            "Große Kühlgasse",
        ],
        given_names: &["Jürgen", "Käthe", "Björn", "Ursel"],
        surnames: &["Nebelfuß", "Grünspecht", "Kühlebrück"],
    },
    &Country {
        id: 528,
        name: "Nederland",
        dial: "+31",
        currency: "EUR",
        rate: 11.6482,
        latitude: 52.2,
        longitude: 5.3,
        share: 6,
        stems: &[
            &("Mistpolder", "mistpolder"),
            &("'t Scheve Huisje", "scheevehuisje"),
            &("Waterhoen & Coöp", "waterhoen"),
        ],
        trades: &[
            "Bloemen",
            "Scheepsbouw",
            "Installatietechniek",
            "Administratie",
        ],
        forms: &["B.V.", "N.V.", "V.O.F."],
        places: &[
            &("1012 AB", "Amsterdam", "Noord-Holland"),
            &("3011 CD", "Rotterdam", "Zuid-Holland"),
        ],
        streets: &["Mistdijk", "Waterhoenstraat", "Scheve Kade"],
        given_names: &["Daniël", "Zoë", "Joost", "Anneke"],
        surnames: &["van der Mist", "Waterhoen", "ter Scheve"],
    },
    &Country {
        id: 826,
        name: "Storbritannia",
        dial: "+44",
        currency: "GBP",
        rate: 13.4719,
        latitude: 52.9,
        longitude: -1.5,
        share: 4,
        stems: &[
            &("Crooked Heron", "crookedheron"),
            &("O'Fennimoor", "ofennimoor"),
            &("Puddle, Thistle & Wick", "puddlethistle"),
        ],
        trades: &["Joinery", "Marine Supplies", "Logistics", "Accountants"],
        forms: &["Ltd", "PLC", "LLP"],
        places: &[
            &("EC1A 1AA", "London", "Greater London"),
            &("M1 1AA", "Manchester", "Greater Manchester"),
        ],
        streets: &["Heron Wharf", "Thistle Row", "Wick Lane"],
        given_names: &["Agnes", "Rupert", "Fiona", "Alistair"],
        surnames: &["Fennimoor", "Thistlewick", "Puddlesby"],
    },
    &Country {
        id: 392,
        name: "Japan",
        dial: "+81",
        currency: "JPY",
        rate: 0.0684,
        latitude: 35.7,
        longitude: 139.7,
        share: 2,
        stems: &[
            &("株式会社霧雨", "kirisame"),
            &("有限会社曲小屋", "magarigoya"),
            &("株式会社鴎屋", "kamomeya"),
        ],
        trades: &["物流", "電機", "水産"],
        forms: &["東京支店", "本社"],
        places: &[
            &("100-0001", "千代田区", "東京都"),
            &("530-0001", "大阪市", "大阪府"),
        ],
        streets: &["霧雨町", "鴎通り"],
        given_names: &["葵", "陽翔", "美咲"],
        surnames: &["霧島田", "曲谷", "鴎野"],
    },
];
