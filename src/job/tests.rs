//! Checked jobs: what is refused, and what the defaults are.
