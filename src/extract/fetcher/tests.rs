//! The fetcher against a scripted API on a paused clock.
