//! The embedded simulated SuperOffice: demo, rehearsal, tests.
