//! Whole answers against the rules of `TABLES.md`.
