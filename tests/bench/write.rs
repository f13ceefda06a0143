//! How fast rows become files, per format.

fn main() {}
