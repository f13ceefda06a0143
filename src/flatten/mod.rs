//! One response becomes rows of every table, all or nothing.
