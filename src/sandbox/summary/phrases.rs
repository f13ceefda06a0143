//! Invented texts of tickets, activities, sales and chats: what people write, with all that makes
//! it awkward to store.

pub(super) static TICKET_TITLES: &[&str] = &[
    "Får ikke logget inn etter oppdateringen",
    "Faktura 10234: feil beløp",
    "RE: RE: Leveranse forsinket – når kommer den?",
    "Pris på \"Kjøleskap 3000\", 14 stk.",
    "Ønsker demo av ny løsning",
    "Systemet er tregt på mandager",
    "Fråga om avtal, bilaga 2; brådskande!",
    "Können Sie die Rechnung prüfen?",
    "Adgang til portalen for ny kollega",
    "納期について",
    "",
];

pub(super) static ICON_HINTS: &[&str] =
    &["ticket", "ticket", "ticket_open", "ticket_closed", "mail"];

pub(super) static FOLLOWUPS: &[&str] = &[
    "Ring om fornyelse av avtalen",
    "Møte: gjennomgang av tilbud, ca. 1 time",
    "Lunsj – husk gaveæske",
    "Følge opp klage\nRing før kl. 10",
    "Befaring på verftet",
    "Uppföljning efter mässan i Jönköping",
    "Send katalog + prisliste",
    "Rückruf wegen Liefertermin",
    "\"Kaffeprat\" 🎉",
    "",
];

pub(super) static DOCUMENTS: &[&str] = &[
    "Tilbud 2026-114.docx",
    "Kontrakt, signert.pdf",
    "Referat fra møte i Ålesund",
    "Offert – kök och bad, v3 (slutlig)",
    "E-post: Takk for sist!",
    "Prisliste \"Vår\".xlsx",
    "Angebot Kälteanlage",
];

pub(super) static SALE_HEADINGS: &[&str] = &[
    "Fornyelse 3 år",
    "Kjøleanlegg, trinn 2",
    "Tilleggslisenser (25 brukere)",
    "Serviceavtale \"Pluss\"",
    "Rammeavtale møbler; opsjon 1 + 1 år",
    "Utvidelse av båthall",
    "Pilot – grønn logistikk",
    "Wartungsvertrag für Großküche",
];

pub(super) static SALE_STATUSES: &[&str] = &[
    "\"Open\"",
    "\"Sold\"",
    "\"Sold\"",
    "\"Lost\"",
    "\"Stalled\"",
];
pub(super) static ACTIVITY_STATUSES: &[&str] = &[
    "\"NotStarted\"",
    "\"Started\"",
    "\"Completed\"",
    "\"Completed\"",
];

pub(super) static FIRST_MESSAGES: &[&str] = &[
    "Hei! Jeg får ikke betalt fakturaen 😕",
    "Hej, är det någon där?",
    "God dag.\nJeg skal bestille 3 stk. \"Bølge\" – er de på lager?",
    "Hallo, ich hätte eine Frage zur Lieferung …",
    "Hi, where is my order? It says \"shipped\", but nothing came.",
    "こんにちは。見積もりをお願いします🙇",
    "Kan dere ringe meg, takk? Helst før lunsj; etterpå sitter jeg i møte.",
];

pub(super) static LAST_MESSAGES: &[&str] = &[
    "Tusen takk for hjelpen 👍🏽",
    "Ok, tack! Ha en bra dag ☀️",
    "Da venter jeg på svar. Hilsen fra oss alle 👨‍👩‍👧",
    "Danke, das war's schon.",
    "Perfect, thanks!",
    "",
];
