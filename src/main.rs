//! Arguments → job → run → exit code; the only printer of errors.

fn main() {}
