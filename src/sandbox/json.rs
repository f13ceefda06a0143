//! Writes JSON straight into one text, since a tree of values costs more than the answer itself. It
//! does not check that members and braces are in order; its callers and their tests do.

use std::fmt::{Display, Write};

/// A JSON text in the making.
pub(super) struct JsonText {
    text: String,
    /// Whether the next member or value follows another one.
    follows: bool,
}

impl JsonText {
    /// An empty text with room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            follows: false,
        }
    }

    /// The finished text.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// Opens an object or a list.
    pub(super) fn open(&mut self, bracket: char) -> &mut Self {
        self.separate();
        self.text.push(bracket);
        self.follows = false;
        self
    }

    /// Closes an object or a list.
    pub(super) fn close(&mut self, bracket: char) -> &mut Self {
        self.text.push(bracket);
        self.follows = true;
        self
    }

    /// Starts a member; its value comes next.
    pub(super) fn member(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.follows = false;
        self
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.separate();
        self.text.push_str(json);
        self.follows = true;
        self
    }

    /// A value whose display is JSON: a number, or a moment between its quotes.
    pub(super) fn plain(&mut self, value: impl Display) -> &mut Self {
        self.separate();
        write!(self.text, "{value}").expect("writing to a String cannot fail");
        self.follows = true;
        self
    }

    /// A text, escaped.
    pub(super) fn string(&mut self, value: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        if value.bytes().any(|byte| must_be_escaped(char::from(byte))) {
            value.chars().for_each(|character| self.escape(character));
        } else {
            self.text.push_str(value);
        }
        self.text.push('"');
        self.follows = true;
        self
    }

    /// A member that is a text.
    pub(super) fn text_member(&mut self, name: &str, value: &str) -> &mut Self {
        self.member(name).string(value)
    }

    /// A member whose display is JSON.
    pub(super) fn plain_member(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.member(name).plain(value)
    }

    /// A member that is JSON already.
    pub(super) fn raw_member(&mut self, name: &str, json: &str) -> &mut Self {
        self.member(name).raw(json)
    }

    fn escape(&mut self, character: char) {
        match character {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            plain if !must_be_escaped(plain) => self.text.push(plain),
            other => write!(self.text, "\\u{:04x}", u32::from(other))
                .expect("writing to a String cannot fail"),
        }
    }

    fn separate(&mut self) {
        if self.follows {
            self.text.push(',');
        }
    }
}

fn must_be_escaped(character: char) -> bool {
    matches!(character, '"' | '\\' | '\0'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_a_parser() {
        for text in [
            "",
            "plain",
            "\"",
            "a \"b\" \\c\n",
            "\u{1}\t\r",
            "\\",
            "Bølgebryter 株式会社 🙂",
        ] {
            let mut json = JsonText::with_capacity(16);
            json.string(text);
            let bytes = json.into_bytes();
            assert_eq!(
                serde_json::from_slice::<String>(&bytes).unwrap(),
                text,
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    #[test]
    fn commas_stand_between_members_and_values_only() {
        let mut json = JsonText::with_capacity(16);
        json.open('{')
            .text_member("A", "x")
            .member("B")
            .open('[')
            .plain(1)
            .plain(2.5)
            .close(']')
            .raw_member("C", "null")
            .close('}');
        assert_eq!(json.into_bytes(), br#"{"A":"x","B":[1,2.5],"C":null}"#);
    }
}
