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

mod code;
pub mod cookie;
pub mod discourse;
mod errand;

pub use code::{Code, LASTS as CODE_LASTS};
pub use errand::{Errand, LASTS as ERRAND_LASTS, LONGEST_RETURN, SECRET_SIZE};

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
