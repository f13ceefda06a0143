//! The state against slow, obvious oracles.
