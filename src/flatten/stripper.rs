//! Takes members out of an answer before it is stored: those that a policy does not keep. What is
//! kept stands as it was written, only the space between is lost in objects from which something may
//! go. Which members are kept is the view's to say.

use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::hollow::{is_member_hollow, last_member};
use super::member_name::MemberName;
use crate::contact::{ContactId, KeptMembers};
use crate::schema::{Rows, data_tables};

/// Takes out what is not kept.
#[derive(Debug)]
pub(crate) struct Stripper {
    keeps: Keeps,
    root: Tree,
    /// The member that is the contact itself, where it is kept.
    contact: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// All but what the tree names.
    AllBut,
    /// What the tree names alone.
    Only,
}

/// Paths as a tree.
#[derive(Debug, Default)]
struct Tree {
    members: Vec<(String, Tree)>,
    /// Whether a path ends here.
    is_end: bool,
    /// Whether it is a member of the root, so that what is in it is named one by one.
    is_root_member: bool,
}

impl Tree {
    fn add(&mut self, path: &str, depth: usize) {
        let (name, rest) = path
            .split_once('/')
            .map_or((path, None), |(name, rest)| (name, Some(rest)));
        let place = self.members.iter().position(|(other, _)| other == name);
        let place = place.unwrap_or_else(|| {
            self.members.push((name.to_owned(), Self::default()));
            self.members.len() - 1
        });
        if let Some((_, below)) = self.members.get_mut(place) {
            below.is_root_member = depth == 0;
            match rest {
                Some(rest) => below.add(rest, depth + 1),
                None => below.is_end = true,
            }
        }
    }

    fn find(&self, name: MemberName<'_>) -> Option<&Self> {
        let mut members = self.members.iter();
        members
            .find(|(known, _)| name.is(known))
            .map(|(_, below)| below)
    }
}

impl Stripper {
    /// A stripper that keeps these members; none where they are all kept.
    pub(crate) fn of(kept: &KeptMembers) -> Option<Self> {
        let (keeps, paths) = match kept {
            KeptMembers::AllBut(gone) => (Keeps::AllBut, gone),
            KeptMembers::Only(kept) => (Keeps::Only, kept),
        };
        let mut root = Tree::default();
        for path in paths.iter().filter(|path| *path != KeptMembers::MESSAGE) {
            root.add(path, 0);
        }
        let contact = data_tables().find_map(|table| match table.rows {
            Rows::Object(member) => Some(member),
            Rows::Items(_) | Rows::Targets => None,
        });
        let is_kept = |member: &&str| {
            let named = root.members.iter().find(|(name, _)| name == member);
            match keeps {
                Keeps::AllBut => !named.is_some_and(|(_, below)| below.is_end),
                Keeps::Only => named.is_some(),
            }
        };
        let contact = contact.filter(is_kept);
        (*kept != KeptMembers::all()).then_some(Self {
            keeps,
            root,
            contact,
        })
    }

    /// The answer for this contact without what is not kept; none where it is no JSON.
    pub(crate) fn strip(&self, contact_id: ContactId, body: &[u8]) -> Option<String> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let text = std::str::from_utf8(body).ok()?;
        let mut stripped = String::with_capacity(text.len());
        let whole: &RawValue = serde_json::from_str(text).ok()?;
        let part = Part {
            keeps: self.keeps,
            tree: &self.root,
            output: &mut stripped,
        };
        part.write(whole.get()).ok()?;
        Some(self.keep_contact(contact_id, text, stripped))
    }

    /// An answer whose Contact does not say which one it is counts as one by what it says. Where all
    /// of that was taken out, it says which one it is instead, or the contact would seem to be
    /// missing.
    fn keep_contact(&self, contact_id: ContactId, before: &str, stripped: String) -> String {
        let Some(contact) = self.contact else {
            return stripped;
        };
        if !is_member_hollow(&stripped, contact) || is_member_hollow(before, contact) {
            return stripped;
        }
        // What is left of it stays: zeros and empty texts say nothing, and are cells all the same.
        let Some(left) = last_member(&stripped, contact).filter(|left| left.ends_with('}')) else {
            return stripped;
        };
        let start = left.as_ptr().addr() - stripped.as_ptr().addr();
        let (before, after) = stripped.split_at(start + left.len() - 1);
        let comma = if before.ends_with('{') { "" } else { "," };
        format!("{before}{comma}\"ContactId\":{}{after}", contact_id.get())
    }
}

/// A part of an answer, and where what is kept of it goes.
struct Part<'t, 'o> {
    keeps: Keeps,
    tree: &'t Tree,
    output: &'o mut String,
}

impl Part<'_, '_> {
    fn write(self, text: &str) -> serde_json::Result<()> {
        match (text.as_bytes().first(), self.keeps) {
            (Some(b'{' | b'['), _) if !self.tree.is_end || self.tree.is_root_member => {
                serde_json::Deserializer::from_str(text).deserialize_any(self)
            }
            // No column can take it: that it was there is told, not what it said.
            (Some(b'{'), Keeps::Only) => {
                self.output.push_str("{}");
                Ok(())
            }
            (Some(b'['), Keeps::Only) => {
                self.output.push_str("[]");
                Ok(())
            }
            (Some(b'n'), Keeps::Only) => {
                self.output.push_str("null");
                Ok(())
            }
            // Something else than the object whose members are named.
            (_, Keeps::Only) if !self.tree.is_end || self.tree.is_root_member => {
                self.output.push_str("null");
                Ok(())
            }
            (_, Keeps::Only | Keeps::AllBut) => {
                self.output.push_str(text);
                Ok(())
            }
        }
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self {
            keeps,
            tree,
            output,
        } = self;
        output.push('{');
        let mut separator = "";
        while let Some((name, value)) = members.next_entry::<MemberName<'_>, &RawValue>()? {
            let below = tree.find(name);
            let goes = match (keeps, below) {
                (Keeps::Only, below) => below.is_none(),
                (Keeps::AllBut, below) => below.is_some_and(|below| below.is_end),
            };
            if goes {
                continue;
            }
            output.push_str(separator);
            separator = ",";
            output.push_str(name.as_written());
            output.push(':');
            match below {
                Some(tree) => {
                    let part = Part {
                        keeps,
                        tree,
                        output: &mut *output,
                    };
                    part.write(value.get()).map_err(A::Error::custom)?;
                }
                None => output.push_str(value.get()),
            }
        }
        output.push('}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self {
            keeps,
            tree,
            output,
        } = self;
        output.push('[');
        let mut separator = "";
        while let Some(item) = items.next_element::<&RawValue>()? {
            output.push_str(separator);
            separator = ",";
            let part = Part {
                keeps,
                tree,
                output: &mut *output,
            };
            part.write(item.get()).map_err(A::Error::custom)?;
        }
        output.push(']');
        Ok(())
    }
}
