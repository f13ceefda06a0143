//! Who will be able to read published runs, by name, as the files of this machine tell users and
//! groups.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::job::Readers;

/// Who will be able to read the runs in this folder, in a line.
pub(super) fn describe(dir: &Path, access: Readers) -> String {
    let nearest = dir.ancestors().find_map(|folder| fs::metadata(folder).ok());
    let owner = rustix::process::geteuid().as_raw();
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (users, groups) = (read("/etc/passwd"), read("/etc/group"));
    match access {
        Readers::Owner => format!("{} alone reads what is published", user(&users, owner)),
        Readers::Everyone => "every user of this machine reads what is published".to_owned(),
        Readers::Group => {
            // Where the folder is still to be made, it will have the group of whoever makes it.
            let is_there = dir.exists();
            let own = rustix::process::getegid().as_raw();
            let group = nearest
                .filter(|_| is_there)
                .map_or(own, |found| found.gid());
            let (name, members) = group_of(&users, &groups, group);
            format!(
                "{} and the group {name} ({}) read what is published",
                user(&users, owner),
                if members.is_empty() {
                    "no one yet".to_owned()
                } else {
                    members.join(", ")
                }
            )
        }
    }
}

fn user(users: &str, number: u32) -> String {
    let mut lines = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let found = lines.find(|fields| fields.get(2) == Some(&number.to_string().as_str()));
    found
        .and_then(|fields| fields.first().map(ToString::to_string))
        .unwrap_or_else(|| format!("user {number}"))
}

/// The name of a group, and those who are in it, be it as their own.
fn group_of(users: &str, groups: &str, number: u32) -> (String, Vec<String>) {
    let number_text = number.to_string();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let group = groups
        .lines()
        .map(fields)
        .find(|fields| fields.get(2) == Some(&number_text));
    let name = group.as_ref().and_then(|fields| fields.first().cloned());
    let named = group.as_ref().and_then(|fields| fields.get(3).cloned());
    let named = named.unwrap_or_default();
    let own = users.lines().map(fields).filter_map(|fields| {
        let is_own = fields.get(3) == Some(&number_text);
        fields.into_iter().next().filter(|_| is_own)
    });
    let mut members: Vec<_> = named
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .chain(own)
        .collect();
    members.sort_unstable();
    members.dedup();
    (name.unwrap_or_else(|| number_text.clone()), members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_told_with_those_who_are_in_it() {
        let users = "root:x:0:0::/root:/bin/sh\nanna:x:1001:1001::/home/anna:/bin/sh\n\
                     export:x:990:950::/var:/bin/false\n";
        let groups = "root:x:0:\nanalysts:x:950:anna,bert\n";
        let members = ["anna", "bert", "export"].map(str::to_owned).to_vec();
        assert_eq!(
            group_of(users, groups, 950),
            ("analysts".to_owned(), members)
        );
        assert_eq!(group_of(users, groups, 7), ("7".to_owned(), Vec::new()));
        assert_eq!(
            (user(users, 1001), user(users, 5)),
            ("anna".to_owned(), "user 5".to_owned())
        );
    }
}
