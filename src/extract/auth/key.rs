//! The RSA private key of an application: PEM (PKCS#1 or PKCS#8) or the XML of .NET, and the
//! signature made with it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;
use secrecy::zeroize::Zeroizing;

use crate::extract::secret::NotKey;

/// A private key that signs.
#[derive(Debug)]
pub(super) struct PrivateKey(KeyPair);

impl PrivateKey {
    /// Reads a key.
    ///
    /// # Errors
    /// Where the text holds none that can be used.
    pub(super) fn parse(text: &str) -> Result<Self, NotKey> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            return from_xml(text).map(Self);
        }
        if text.contains("ENCRYPTED") {
            return Err(NotKey::Encrypted);
        }
        if [
            "-----BEGIN PUBLIC KEY",
            "-----BEGIN RSA PUBLIC KEY",
            "-----BEGIN CERTIFICATE",
        ]
        .iter()
        .any(|start| text.starts_with(start))
        {
            return Err(NotKey::Public);
        }
        if !text.contains("PRIVATE KEY-----") {
            return Err(NotKey::Unrecognised);
        }
        let der = EncodingKey::from_rsa_pem(text.as_bytes()).map_err(|_| NotKey::Damaged)?;
        KeyPair::from_der(der.as_bytes())
            .map(Self)
            .map_err(|rejected| why(&rejected))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Panics
    /// Never: the buffer has the length of the modulus.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .expect("a whole key signs into a buffer of its own length");
        signature
    }
}

fn why(rejected: &aws_lc_rs::error::KeyRejected) -> NotKey {
    if rejected.description_().contains("Too") {
        NotKey::Size
    } else {
        NotKey::Damaged
    }
}

/// The XML that .NET writes: one element per number, big-endian and in Base64.
fn from_xml(text: &str) -> Result<KeyPair, NotKey> {
    let document = roxmltree::Document::parse(text).map_err(|_| NotKey::Unrecognised)?;
    let root = document.root_element();
    if root.tag_name().name() != "RSAKeyValue" {
        return Err(NotKey::Unrecognised);
    }
    let number = |name: &str| {
        let element = root
            .children()
            .find(|child| child.tag_name().name() == name)?;
        let digits: Zeroizing<String> =
            Zeroizing::new(element.text()?.split_ascii_whitespace().collect());
        STANDARD.decode(digits.as_bytes()).ok().map(Zeroizing::new)
    };
    let needed = |name| number(name).ok_or(NotKey::Damaged);
    // Some writers put a zero before a number whose first bit is set.
    let trimmed = |number: Zeroizing<Vec<u8>>| {
        Zeroizing::new(
            number
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect::<Vec<_>>(),
        )
    };
    let n = trimmed(needed("Modulus")?);
    if !(256..=1_024).contains(&n.len()) {
        return Err(NotKey::Size);
    }
    let public_key = PublicKeyComponents {
        n,
        e: trimmed(needed("Exponent")?),
    };
    let components = KeyPairComponents {
        public_key,
        d: needed("D")?,
        p: needed("P")?,
        q: needed("Q")?,
        dP: needed("DP")?,
        dQ: needed("DQ")?,
        qInv: needed("InverseQ")?,
    };
    KeyPair::from_components(&components).map_err(|_| NotKey::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS8: &str = include_str!("../../sandbox/keys/demo-app-private-key.pem");
    const XML: &str = include_str!("../../../tests/data/demo-key.xml");
    const PKCS1: &str = include_str!("../../../tests/data/demo-key-pkcs1.pem");

    #[test]
    fn every_form_of_a_key_signs_alike() {
        let signature = PrivateKey::parse(PKCS8).unwrap().sign(b"text");
        assert_eq!(signature.len(), 256);
        let broken_lines = XML.replace("</", "\r\n  </").replace("><", ">\n<");
        let leading_zero = XML.replace("<Exponent>AQAB<", "<Exponent>AAEAAQ==<");
        assert_ne!(leading_zero, XML);
        for text in [
            PKCS1,
            XML,
            &broken_lines,
            &leading_zero,
            &format!("\u{feff}{XML}"),
            &PKCS1.replace('\n', "\r\n"),
        ] {
            assert_eq!(
                PrivateKey::parse(text).map(|key| key.sign(b"text")).ok(),
                Some(signature.clone())
            );
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused_for_its_own_reason() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let cases = [
            (String::new(), NotKey::Unrecognised),
            ("demo-client-secret".to_owned(), NotKey::Unrecognised),
            ("<html></html>".to_owned(), NotKey::Unrecognised),
            ("<RSAKeyValue>".to_owned(), NotKey::Unrecognised),
            (pem("ENCRYPTED PRIVATE KEY"), NotKey::Encrypted),
            (pem("PUBLIC KEY"), NotKey::Public),
            (pem("CERTIFICATE"), NotKey::Public),
            (pem("PRIVATE KEY"), NotKey::Damaged),
            (pem("EC PRIVATE KEY"), NotKey::Damaged),
            (
                XML.replace("<D>", "<X>").replace("</D>", "</X>"),
                NotKey::Damaged,
            ),
            (XML.replace("<P>", "<P>AA"), NotKey::Damaged),
            (XML.replace("<Modulus>", "<Modulus>AAAB"), NotKey::Damaged),
            (
                "<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>".to_owned(),
                NotKey::Size,
            ),
            (
                include_str!("../../../tests/data/small-key.pem").to_owned(),
                NotKey::Size,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                PrivateKey::parse(&text).err(),
                Some(expected),
                "{:?}",
                text.get(..40)
            );
        }
    }
}
