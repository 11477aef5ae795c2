//! The names of what is not verified, so that an operator learns what the line holds without it being shown.

use super::Unusable;

const EXPECTED: &str = "Argon2id, bcrypt, PBKDF2 or {HMAC-SHA256}";

/// How hashes of other schemes begin (in any case: the names in braces have none), and what they are. Where one
/// beginning is that of another, the longer stands first.
const SCHEMES: [(&str, &str); 34] = [
    ("$apr1$", "an Apache MD5 hash ($apr1$)"),
    ("$1$", "an MD5 crypt hash ($1$)"),
    ("$2$", "a hash of the first bcrypt ($2$)"),
    ("$2x$", "a hash of a bcrypt with a known defect ($2x$)"),
    ("$5$", "a SHA-256 crypt hash ($5$)"),
    ("$6$", "a SHA-512 crypt hash ($6$)"),
    ("$7$", "an scrypt hash ($7$)"),
    ("$scrypt$", "an scrypt hash ($scrypt$)"),
    ("$y$", "a yescrypt hash ($y$)"),
    ("$gy$", "a gost-yescrypt hash ($gy$)"),
    ("$3$", "an NT hash ($3$)"),
    ("$sha1$", "a SHA-1 crypt hash ($sha1$)"),
    ("$md5", "a Sun MD5 hash ($md5)"),
    ("$p$", "a phpass hash ($P$)"),
    ("$h$", "a phpass hash ($H$)"),
    ("$argon2i$", "an Argon2i hash, which is weaker than Argon2id"),
    ("$argon2d$", "an Argon2d hash, which side channels can read"),
    ("$bcrypt-sha256$", "passlib's bcrypt over SHA-256"),
    ("$pbkdf2$", "a PBKDF2 hash with SHA-1"),
    ("$pbkdf2-", "a PBKDF2 hash with another digest than SHA-256 and SHA-512"),
    ("pbkdf2_", "Django's PBKDF2"),
    ("bcrypt$", "Django's bcrypt"),
    ("bcrypt_sha256$", "Django's bcrypt over SHA-256"),
    ("argon2$", "Django's Argon2"),
    ("{sha}", "an unsalted SHA-1 hash ({SHA})"),
    ("{ssha}", "a salted SHA-1 hash ({SSHA})"),
    ("{sha256}", "an unsalted SHA-256 hash ({SHA256})"),
    ("{ssha256}", "a fast salted SHA-256 hash ({SSHA256})"),
    ("{sha512}", "an unsalted SHA-512 hash ({SHA512})"),
    ("{ssha512}", "a fast salted SHA-512 hash ({SSHA512})"),
    ("{md5}", "an unsalted MD5 hash ({MD5})"),
    ("{smd5}", "a salted MD5 hash ({SMD5})"),
    ("{crypt}", "a crypt hash of an LDAP server ({CRYPT})"),
    ("{plain}", "a password in plain text ({PLAIN})"),
];

/// What `text`, which is of none of our schemes, is.
pub(super) fn name(text: &str) -> Unusable {
    let begins = |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    let named = SCHEMES.iter().find(|(start, _)| begins(start)).map(|(_, name)| *name);
    let found = named.or_else(|| by_shape(text)).unwrap_or("plain text, or a hash of an unknown scheme");
    // What has no name in front may be a password: then nothing of its line is shown.
    Unusable { found: found.into(), expected: EXPECTED, is_hash: named.is_some() }
}

/// Hashes without a name in front.
fn by_shape(text: &str) -> Option<&'static str> {
    let crypt = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
    let hexadecimal = text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.len() {
        32 | 40 | 64 | 128 if hexadecimal => Some("an unsalted hash in hexadecimal digits"),
        13 if crypt => Some("a DES crypt hash, or plain text"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_is_named() {
        for (text, found) in [
            ("$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", "an Apache MD5 hash ($apr1$)"),
            ("$1$salt$WcSMH5tKpyJl2KzY3wL1V/", "an MD5 crypt hash ($1$)"),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "an unsalted SHA-1 hash ({SHA})"),
            ("{sha}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "an unsalted SHA-1 hash ({SHA})"),
            ("{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", "a salted SHA-1 hash ({SSHA})"),
            (
                "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                "a hash of a bcrypt with a known defect ($2x$)",
            ),
            ("$5$saltstring$5B8v", "a SHA-256 crypt hash ($5$)"),
            ("$6$saltstring$5B8v", "a SHA-512 crypt hash ($6$)"),
            ("$argon2i$v=19$m=256,t=1,p=1$c29tZXNhbHQ$AJ", "an Argon2i hash, which is weaker than Argon2id"),
            ("$argon2d$v=19$m=256,t=1,p=1$c29tZXNhbHQ$AJ", "an Argon2d hash, which side channels can read"),
            ("rl.3StKT.4T8M", "a DES crypt hash, or plain text"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "an unsalted hash in hexadecimal digits"),
            ("hunter2", "plain text, or a hash of an unknown scheme"),
            ("", "plain text, or a hash of an unknown scheme"),
            ("$new$scheme", "plain text, or a hash of an unknown scheme"),
            ("{ssh", "plain text, or a hash of an unknown scheme"),
            ("{ssé", "plain text, or a hash of an unknown scheme"),
        ] {
            assert_eq!(name(text).found, found, "{text}");
        }
        assert!(!name("hunter2").is_hash && !name("rl.3StKT.4T8M").is_hash && name("{SHA}x").is_hash);
    }

    #[test]
    fn no_beginning_hides_a_later_one() {
        for (at, (start, _)) in SCHEMES.iter().enumerate() {
            assert_eq!(start.to_ascii_lowercase(), *start, "{start}");
            for (earlier, _) in &SCHEMES[..at] {
                assert!(!start.starts_with(earlier), "{earlier} hides {start}");
            }
        }
    }
}
