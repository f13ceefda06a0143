//! Property-test bodies made from the declaration.
