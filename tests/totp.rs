//! The second factor: the vectors of the RFCs, who needs one, and proving one against a ledger that counts.

mod common;
#[path = "totp/demand.rs"]
mod demand;
#[path = "totp/ledger.rs"]
mod ledger;
#[path = "totp/proving.rs"]
mod proving;
#[path = "totp/vectors.rs"]
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use common::{KEYS, nfc};
use edgeward::authenticate::Gate;
use edgeward::config::{Config, Sources};
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use edgeward::totp::{Digits, Hash, Made, SEED_SIZE};
use serde_json::Value;
use sha2::Sha256;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn root() -> RootSecret {
    RootSecret::parse(SECRET).expect("a good secret")
}

/// The second factor of that user, the same each time.
fn made(user: &str) -> Made {
    let octets: Vec<u8> = user.bytes().cycle().take(20).collect();
    Made::new(user, Hash::Sha1, Digits::Six, &octets, &octets[..SEED_SIZE]).expect("whole")
}

/// Ann and the user `old` have a second factor, Bob has none; all have the password `right`.
fn sources(policy: &Value) -> Sources {
    let mut tag = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"right", b"saltsaltsaltsalt", 1000, &mut tag);
    let hash = format!("$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA${}", STANDARD_NO_PAD.encode(tag));
    let users = ["ann", "bob", "old"].map(|user| match user {
        "old" => format!("{user}:{hash}:!until=2026-01-01"),
        _ => format!("{user}:{hash}:team"),
    });
    let lines = ["ann", "old"].map(|user| made(user).line(&root(), [7; 24]).expect("sealed"));
    Sources {
        policy: Some(policy.to_string()),
        secret: Some(Secret::new(SECRET.to_owned())),
        keys: Some(Secret::new(KEYS.to_owned())),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(users.join("\n")))],
        totp: Some(Secret::new(lines.join("\n"))),
        assets: true,
        ledger: true,
        ..Sources::default()
    }
}

fn gate(policy: &Value) -> Gate {
    let config = Config::parse(&sources(policy), nfc);
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    Gate::new(config)
}
