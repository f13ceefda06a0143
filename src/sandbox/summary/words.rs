//! Invented words that every company has, whatever its country: departments, categories, businesses.

pub(super) static KANA_NAMES: &[&str] =
    &["キリサメブツリュウ", "マガリゴヤデンキ", "カモメヤスイサン"];
pub(super) static DEPARTMENTS: &[&str] = &[
    "Salg",
    "Innkjøp",
    "Avd. Sør",
    "Hovedkontor",
    "Økonomi",
    "Lager, ytre",
    "R&D",
];
pub(super) static CATEGORIES: &[&str] = &[
    "Customer",
    "Customer",
    "Prospect",
    "Supplier",
    "Partner",
    "Former customer",
    "VIP \"Gold\"",
];
pub(super) static BUSINESSES: &[&str] = &[
    "Building and construction",
    "Fish farming",
    "Retail",
    "Transport",
    "Health, private",
    "IT",
    "Public sector",
];
