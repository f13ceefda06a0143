//! Hashes in place of values: HMAC-SHA256 under a key that the operator keeps, so that equal values
//! still join, and nobody without the key can try out short ones. Which columns are hashed is the
//! view's to say.

use std::fmt;

use aws_lc_rs::hmac;

use crate::hex::hex;

/// What the fingerprint of a key is the hash of.
const FINGERPRINT: &[u8] = b"superoffice-export: fingerprint of a hash key";

/// Bytes of the fingerprint: enough to tell keys apart, and too few to be of use to a guesser.
const FINGERPRINT_BYTES: usize = 4;

/// The key of the hashes.
pub struct HashKey(hmac::Key);

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashKey(…)")
    }
}

impl HashKey {
    /// Fewer bytes than this can be tried out.
    pub const SHORTEST: usize = 16;

    /// The key of these bytes; none where they are too few.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= Self::SHORTEST).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The hash of a text, in lower-case hexadecimal digits.
    pub fn hash(&self, text: &str) -> String {
        hex(hmac::sign(&self.0, text.as_bytes()).as_ref())
    }

    /// Tells this key from another one.
    pub fn fingerprint(&self) -> String {
        let tag = hmac::sign(&self.0, FINGERPRINT);
        hex(tag.as_ref().get(..FINGERPRINT_BYTES).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by `printf %s TEXT | openssl dgst -sha256 -hmac KEY`.
    #[test]
    fn hashes_are_those_of_openssl() {
        let key = HashKey::new(b"0123456789abcdef").unwrap();
        let cases = [
            (
                "",
                "496dc93fa2d26eae500ec0bc37a122706b88f8963cebf0899d0245fae313e241",
            ),
            (
                "post@example.com",
                "b1dfb48407034bb4ca803e9c73279c7f2a65b2ce25acd858de70a3e125b0fff1",
            ),
            (
                "Blåbær & Søn",
                "e2e7862118abafe022d16659b1ed2fa886d1901ea7603286ca5d3927b1cac432",
            ),
            (
                "+47 22 33 44 55",
                "b3adaa19d6d97c13765bfc5d070e5b8c96081c7a661db1e5de50d28a96b6f98e",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(key.hash(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_short_key_is_none_and_another_one_has_another_fingerprint() {
        assert!(HashKey::new(b"0123456789abcde").is_none());
        let fingerprint = |key: &[u8]| HashKey::new(key).unwrap().fingerprint();
        let (one, other) = (
            fingerprint(b"0123456789abcdef"),
            fingerprint(b"0123456789abcdeg"),
        );
        assert_ne!(one, other);
        assert_eq!(one.len(), 2 * FINGERPRINT_BYTES);
    }
}
