//! Fields that only Edgeward may set, and how values are written into them.

use crate::policy::Forward;
use core::fmt::Write as _;

/// Fields besides the prefixes below that claim what only a proxy can know, or change what was decided on.
const CLAIMS: [&str; 10] = [
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    // Hop by hop: it could name one of our fields as one to drop (RFC 9110 §7.6.1).
    "connection",
    "keep-alive",
];

/// Whether a field of this name (in lower case) may not come from a client. `-`, `_` and `.` are one: servers that
/// make variables of names cannot tell them apart.
#[must_use]
pub fn is_claimed(name: &str, forward: &Forward) -> bool {
    let same = |known: &str| is_same(known, name);
    let begins = |prefix: &str| {
        name.get(..prefix.len())
            .is_some_and(|start| start.bytes().zip(prefix.bytes()).all(|(a, b)| dashed(a) == b))
    };
    begins("x-edgeward-")
        || begins("x-forwarded-")
        || CLAIMS.into_iter().any(same)
        || same(&forward.user)
        || same(&forward.groups)
}

/// Whether two names are one to a server that cannot tell `-`, `_` and `.` apart.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| dashed(a) == dashed(b))
}

const fn dashed(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// A value for an identity field: octets outside 0x21–0x7E, `%` and `,` percent-encoded.
#[must_use]
pub fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'%' | b',' | 0..=0x20 | 0x7F.. => {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            byte => encoded.push(char::from(byte)),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_is_known() {
        let forward = Forward { user: "Remote-User".into(), ..Forward::default() };
        for name in [
            "x-edgeward-user",
            "x_edgeward_user",
            "x-edgeward_user",
            "x.edgeward.user",
            "x-edgeward-",
            "x-edgeward-anything",
            "x_forwarded.for",
            "x-forwarded-host",
            "forwarded",
            "x-real-ip",
            "x_real.ip",
            "x-original-url",
            "x-rewrite_url",
            "x.http.method.override",
            "x-http-method",
            "x-method-override",
            "connection",
            "remote-user",
            "remote_user",
        ] {
            assert!(is_claimed(name, &forward), "{name}");
        }
        for name in
            ["x-edgeward", "edgeward-user", "x-forwardedfor", "user-agent", "accept", "remote-users", "x"]
        {
            assert!(!is_claimed(name, &forward), "{name}");
        }
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("ann@acme.example"), "ann@acme.example");
        assert_eq!(encoded("a b,c%d\u{7f}é"), "a%20b%2Cc%25d%7F%C3%A9");
    }

    proptest! {
        #[test]
        fn encoded_values_are_visible_ascii(value in "\\PC*") {
            prop_assert!(encoded(&value).bytes().all(|b| (0x21..=0x7E).contains(&b) && b != b','));
        }
    }
}
