//! One page of an archive: what is asked for (`request.rs`), how it is sent (`exchange.rs`), and what
//! stands in the answer (`page.rs`, `cell.rs`). An archive is walked by its primary key (keyset
//! pagination): each page begins beyond the last key of the one before, so nothing is skipped by a
//! row that goes while others are read. When to ask, and what a fault means for the walk, is left to
//! others.

mod cell;
mod exchange;
mod page;
mod request;
#[cfg(test)]
mod tests;

pub use page::{Page, PageFault, PageRow, read_page};
pub use request::{Archive, PAGE_ROWS};
