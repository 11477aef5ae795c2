//! One sign-in for hosts that share no parent: `session.authority`.
//!
//! ```text
//!  app.example                       the browser                     login.example
//!  a page that needs a sign-in  ──▶ 303, cookie of the errand ──▶   who is signed in?
//!                                                                    nobody: the page to sign in, at this very address
//!  opens code and errand        ◀── 303 with errand and code  ◀───   a code for whoever is
//!  begins its own session       ──▶ 303 to the page
//! ```
//!
//! 1. An errand ([`Errand`]) is what a host sends a browser away for: where it came from, and whether a second factor is
//!    wanted. It is sealed for that host, so only a host of ours can send anybody on one, and nobody can read where from.
//! 2. The browser that was sent keeps a secret of the errand in a cookie of its own ([`cookie`]): several tabs are on
//!    several errands at once. Without that cookie nobody comes back: a code that somebody was made to open signs nobody in.
//! 3. A code ([`Code`]) holds the session of the authority. It is sealed for one host, belongs to one errand, is good for
//!    60 seconds and is counted in the ledger: each errand ends once.
//! 4. The host's session has the id, the end and the factors of the authority's: ending one by its id, or all of a user, ends
//!    it on every host. It is sealed for its own host: the cookie of one is worth nothing on another.
//! 5. Codes stand in `Location` only: what takes one always answers with a redirect, so none is the address of a page, in a
//!    history or in a `Referer`.
//! 6. Nothing is sent away twice in a row: who comes back and is not signed in all the same ([`cookie::Came`]) gets a page.

mod asked;
pub mod away;
mod code;
pub mod cookie;
pub mod discourse;
mod errand;
mod finish;
pub mod path;

pub use asked::Asked;
pub use code::{Code, LASTS as CODE_LASTS};
pub use errand::{Errand, LASTS as ERRAND_LASTS, LONGEST_RETURN, SECRET_SIZE};
pub use finish::{Came, Finished, finish};
pub use path::At;

use crate::seal::Sealer;
use crate::token::mac::{Purpose, RootSecret};

/// Where a browser is sent to on an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// To the authority, which is Edgeward, too.
    Authority,
    /// To a Discourse: the errand is its nonce.
    Discourse,
}

const AWAY: Purpose = Purpose("edgeward/away/v1");
const NONCE: Purpose = Purpose("edgeward/discourse-nonce/v1");
const CODE: Purpose = Purpose("edgeward/hand-over/v1");

/// What seals errands and codes: one key for each purpose.
#[derive(Clone, Debug)]
pub struct AuthorityKeys {
    away: Sealer,
    nonces: Sealer,
    codes: Sealer,
}

impl AuthorityKeys {
    /// Derives the keys.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        Self {
            away: Sealer::new(root, AWAY),
            nonces: Sealer::new(root, NONCE),
            codes: Sealer::new(root, CODE),
        }
    }

    const fn errands(&self, sent: Sent) -> &Sealer {
        match sent {
            Sent::Authority => &self.away,
            Sent::Discourse => &self.nonces,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};
    use crate::policy::SessionSettings;
    use crate::request::{FieldList, RequestFacts};
    use crate::secret::Secret;
    use crate::time::UnixTime;
    use crate::token::to_base64url;

    pub const NOW: UnixTime = UnixTime::from_seconds(1_800_000_060);
    pub const FORUM_KEY: [u8; 32] = [0xf0; 32];
    pub const OTHER_KEY: [u8; 32] = [0x0f; 32];

    const POLICY: &str = r#"{"session":{"authority":"https://login.example","hosts":["https://app.example","https://b.example"],
        "discourse":{"provider":[{"return":"https://forum.example","key":"forum"},{"return":"https://other.example","key":"other"}]}}}"#;

    pub fn config() -> Config {
        config_of(POLICY, true)
    }

    pub fn config_of(policy: &str, accounts: bool) -> Config {
        let jwk = |kid: &str, key: &[u8]| {
            format!(r#"{{"kty":"oct","kid":"{kid}","alg":"HS256","k":"{}"}}"#, to_base64url(key))
        };
        let keys = format!(r#"{{"keys":[{},{}]}}"#, jwk("forum", &FORUM_KEY), jwk("other", &OTHER_KEY));
        let users = (
            "EDGEWARD_USERS".to_owned(),
            Secret::new("ann:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned()),
        );
        let sources = Sources {
            policy: Some(policy.to_owned()),
            secret: Some(Secret::new(to_base64url(&[1; 32]))),
            keys: Some(Secret::new(keys)),
            users: accounts.then_some(users).into_iter().collect(),
            ledger: true,
            ..Sources::default()
        };
        let config = Config::parse(&sources, str::to_owned);
        assert!(config.problems.is_empty() && config.verifiers.is_some(), "{:?}", config.problems);
        config
    }

    pub fn settings() -> SessionSettings {
        config().policy.and_then(|policy| policy.session).expect("sessions")
    }

    pub fn facts<T>(url: &str, cookie: &str, then: impl FnOnce(&RequestFacts<'_>) -> T) -> T {
        let fields = FieldList::new([("Cookie", cookie)]);
        then(&RequestFacts::new("GET", url, &fields).expect("an absolute URL"))
    }

    /// An errand of that host, sealed.
    pub fn seal(origin: &str) -> String {
        let errand = Errand { began: NOW, ..errand::tests::errand() };
        errand::tests::keys(&[1]).seal_errand(Sent::Authority, origin, &errand, [9; 24]).expect("sealed")
    }
}
