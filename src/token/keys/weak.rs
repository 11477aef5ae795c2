//! Secrets that everybody knows.
//!
//! `weak_keys.bin` holds, sorted, the first eight octets of SHA-256 of every secret of 16 octets and more in the
//! published list of weak JWT secrets (wallarm/jwt-secrets, MIT): what cracks tokens tries these first. The secrets
//! themselves are not in here. What is compiled in are the first 32 bits of each: the chance that a random key is
//! refused is 3434 in 2^32, less than one in a million, and the operator would make another one.

use sha2::{Digest, Sha256};

/// The list; read at compile time alone.
const PREFIXES: &[u8] = include_bytes!("../weak_keys.bin");

const COUNT: usize = PREFIXES.len() / 8;

/// The first 32 bits of each entry as the distance to those before it, in three octets: nothing else makes hashes smaller.
static DISTANCES: [[u8; 3]; COUNT] = distances();

// At compile time, where a bound that is not kept or a number that does not fit ends the build.
#[allow(clippy::indexing_slicing)]
const fn distances() -> [[u8; 3]; COUNT] {
    let (entries, _) = PREFIXES.as_chunks::<8>();
    let (mut distances, mut before, mut index) = ([[0; 3]; COUNT], 0, 0);
    while index < COUNT {
        let bits = first_bits(entries[index]);
        let [none, octets @ ..] = (bits - before).to_be_bytes();
        assert!(none == 0);
        distances[index] = octets;
        before = bits;
        index += 1;
    }
    distances
}

const fn first_bits([a, b, c, d, ..]: [u8; 8]) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

/// Whether these very octets stand in the list.
pub(in crate::token) fn is_published(key: &[u8]) -> bool {
    let digest = Sha256::digest(key);
    let Some(prefix) = digest.first_chunk::<8>() else { return false };
    let wanted = first_bits(*prefix);
    let mut entry = 0;
    let mut entries = DISTANCES.iter().map(|[high, middle, low]| {
        entry += u32::from_be_bytes([0, *high, *middle, *low]);
        entry
    });
    entries.find(|entry| *entry >= wanted) == Some(wanted)
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
        if std::env::var_os("EDGEWARD_UPDATE").is_some() {
            std::fs::write(FILE, prefixes(&secrets)).expect("writable");
        }
        assert!(prefixes(&secrets) == PREFIXES, "write it again: EDGEWARD_UPDATE=1 cargo test the_file_is");
        for secret in secrets {
            assert_eq!(is_published(secret.as_bytes()), secret.len() >= 16, "{secret}");
        }
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
