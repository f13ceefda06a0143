//! The certificates of `api.ca_file`: read where they are PEM, and where they are something else,
//! said what that is. Whether a server is trusted is the TLS library's matter.

use std::fmt;

use reqwest::Certificate;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// What a file holds in the place of certificates in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCertificates {
    /// Nothing.
    Empty,
    /// Text of two bytes a character, as some editors of Windows save it.
    Utf16,
    /// A certificate as bytes.
    Der,
    /// Other bytes, such as a PKCS#12 container.
    Binary,
    /// A private key.
    PrivateKey,
    /// What an authority is asked to sign.
    Request,
    /// A certificate with OpenSSL's notes on whom to trust.
    Trusted,
    /// Text of another kind.
    Other,
    /// The frame of PEM, and nothing that can be read in it.
    Damaged,
}

impl fmt::Display for NotCertificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "is empty; it must hold certificates in PEM (BEGIN CERTIFICATE)",
            Self::Utf16 => "is text in UTF-16; save it as ASCII or UTF-8",
            Self::Der => {
                "holds a certificate in DER; make PEM of it with: \
                 openssl x509 -inform der -in FILE -out NEW"
            }
            Self::Binary => {
                "is no text; it must hold certificates in PEM (BEGIN CERTIFICATE), \
                 and no PKCS#12 container (.pfx, .p12)"
            }
            Self::PrivateKey => {
                "holds a private key and no certificate; the certificate of the authority is needed"
            }
            Self::Request => {
                "holds a certificate request; the certificate of the authority is needed"
            }
            Self::Trusted => {
                "holds a certificate in OpenSSL's own form (BEGIN TRUSTED CERTIFICATE); make plain \
                 PEM of it with: openssl x509 -in FILE -out NEW"
            }
            Self::Other => "holds no certificate in PEM (BEGIN CERTIFICATE)",
            Self::Damaged => "holds a certificate that is damaged or cut off",
        })
    }
}

/// The certificates in these bytes, one at least.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Certificate>, NotCertificates> {
    if !bytes
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes())
    {
        return Err(instead(bytes));
    }
    // The mark that editors put at the start; the first line would not be taken for what it is.
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match Certificate::from_pem_bundle(text) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(NotCertificates::Damaged),
    }
}

/// What bytes are that hold no certificate in PEM.
fn instead(bytes: &[u8]) -> NotCertificates {
    // A sequence of sequences (X.690), which of keys, containers and certificates only the last is.
    let is_sequence = |bytes: &[u8]| bytes.first() == Some(&0x30);
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, ..] | [0, b'-', ..] => {
            return NotCertificates::Utf16;
        }
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] if is_sequence(rest) => {
            return NotCertificates::Der;
        }
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return NotCertificates::Binary;
    };
    if text
        .trim_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
        .is_empty()
    {
        NotCertificates::Empty
    } else if text.contains('\0') {
        NotCertificates::Binary
    } else if text.contains("-----BEGIN TRUSTED CERTIFICATE-----") {
        NotCertificates::Trusted
    } else if text.contains("CERTIFICATE REQUEST-----") {
        NotCertificates::Request
    } else if text.contains("PRIVATE KEY-----") {
        NotCertificates::PrivateKey
    } else {
        NotCertificates::Other
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const PEM: &str = include_str!("../../../tests/data/tls/ca.pem");
    const KEY: &str = include_str!("../../../tests/data/tls/server-key.pem");

    fn der(pem: &str) -> Vec<u8> {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        base64::engine::general_purpose::STANDARD
            .decode(lines.collect::<String>())
            .unwrap()
    }

    #[test]
    fn what_is_no_certificate_is_told_apart() {
        use NotCertificates::{
            Binary, Damaged, Der, Empty, Other, PrivateKey, Request, Trusted, Utf16,
        };

        let utf16 = |bytes: fn(u16) -> [u8; 2], text: &str| {
            text.encode_utf16().flat_map(bytes).collect::<Vec<_>>()
        };
        let framed =
            |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let cases = [
            (Vec::new(), Empty),
            ("\u{feff}\r\n".into(), Empty),
            (utf16(u16::to_le_bytes, &format!("\u{feff}{PEM}")), Utf16),
            (utf16(u16::to_be_bytes, &format!("\u{feff}{PEM}")), Utf16),
            (utf16(u16::to_le_bytes, PEM), Utf16),
            (utf16(u16::to_be_bytes, PEM), Utf16),
            (der(PEM), Der),
            (der(KEY), Binary),
            (vec![0x30, 0x82, 0x0a, 0x00, 0x02, 0x01, 0x03], Binary),
            (vec![0, 1, 2], Binary),
            (KEY.into(), PrivateKey),
            (framed("CERTIFICATE REQUEST").into(), Request),
            (framed("NEW CERTIFICATE REQUEST").into(), Request),
            (framed("TRUSTED CERTIFICATE").into(), Trusted),
            (framed("PUBLIC KEY").into(), Other),
            ("<html></html>".into(), Other),
            (PEM.get(..200).unwrap().into(), Damaged),
        ];
        for (bytes, expected) in cases {
            let found = read(&bytes).err();
            let start = String::from_utf8_lossy(&bytes)
                .chars()
                .take(40)
                .collect::<String>();
            assert_eq!(found, Some(expected), "{start:?}");
        }
    }

    #[test]
    fn certificates_are_read_whatever_is_around_them() {
        for text in [
            PEM.to_owned(),
            format!("\u{feff}{PEM}"),
            PEM.replace('\n', "\r\n"),
            format!("# our authority\n{PEM}\n{KEY}"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().len(), 1, "{text}");
        }
        assert_eq!(read(format!("{PEM}{PEM}").as_bytes()).unwrap().len(), 2);
    }
}
