//! Secrets that everybody knows.
//!
//! `weak_keys.bin` holds, sorted, the first eight octets of SHA-256 of every secret of 16 octets and more in the
//! published list of weak JWT secrets (wallarm/jwt-secrets, MIT): what cracks tokens tries these first. The secrets
//! themselves are not in here. The chance that a random key is refused is 3434 in 2^64.

use sha2::{Digest, Sha256};

static PREFIXES: &[u8] = include_bytes!("../weak_keys.bin");

/// Whether these very octets stand in the list.
pub(in crate::token) fn is_published(key: &[u8]) -> bool {
    let digest = Sha256::digest(key);
    let (entries, _) = PREFIXES.as_chunks::<8>();
    digest.first_chunk::<8>().is_some_and(|prefix| entries.binary_search(prefix).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors/fuzz_jwt_weak_secrets.json");
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/weak_keys.bin");

    fn published() -> Option<Vec<String>> {
        let text = std::fs::read_to_string(LIST).ok()?;
        let list: serde_json::Value = serde_json::from_str(&text).expect("the list is JSON");
        let secrets = list["secrets"].as_array().expect("a list").iter();
        Some(secrets.map(|secret| secret.as_str().expect("text").to_owned()).collect())
    }

    fn prefixes(secrets: &[String]) -> Vec<u8> {
        let long = secrets.iter().filter(|secret| secret.len() >= 16);
        let mut entries: Vec<[u8; 8]> =
            long.map(|secret| *Sha256::digest(secret).first_chunk().expect("32 octets")).collect();
        entries.sort_unstable();
        entries.dedup();
        entries.concat()
    }

    #[test]
    fn the_file_is_the_published_list() {
        let Some(secrets) = published() else { return println!("skipped: {LIST} is not there") };
        assert!(prefixes(&secrets) == PREFIXES, "write it again: cargo test write_the_file -- --ignored");
        for secret in secrets {
            assert_eq!(is_published(secret.as_bytes()), secret.len() >= 16, "{secret}");
        }
    }

    #[test]
    #[ignore = "writes into the source"]
    fn write_the_file() {
        let secrets = published().expect("the list is there");
        std::fs::write(FILE, prefixes(&secrets)).expect("writable");
    }

    #[test]
    fn knows_some_and_not_others() {
        assert!(is_published(b"super-secret-jwt-token-with-at-least-32-characters-long"));
        assert!(!is_published(b""));
        assert!(!is_published(b"secret"), "too short for the list: its length refuses it");
        assert!(!is_published(&[0xA5; 32]));
        assert!(PREFIXES.len().is_multiple_of(8) && PREFIXES.as_chunks::<8>().0.is_sorted());
    }
}
