//! Rows become files, and files become a published export.
