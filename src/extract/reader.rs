//! Streams the CSV of contact ids, line by line.
