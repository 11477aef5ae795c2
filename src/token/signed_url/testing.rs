//! What the tests of the presets share.

pub mod changes;

use super::{Entry, Grant, LinkVerifier, Seen, Strength, preset};
use crate::policy::{Format, HmacAlgorithm, LinkEntry};
use crate::request::{FieldList, RequestFacts};
use crate::time::{Lifetime, UnixTime};
use crate::token::keys::Key;
use crate::token::mac::MacKey;
use crate::verdict::{Cause, Refusal};

/// One gate for links of one entry.
pub struct Links {
    verifier: LinkVerifier,
}

/// Keys by id, each with its algorithm and octets.
pub type Keys<'k> = &'k [(&'k str, HmacAlgorithm, &'k [u8])];

impl Links {
    /// An entry of defaults, changed by `settings`.
    pub fn new(format: Format, keys: Keys<'_>, settings: impl FnOnce(&mut LinkEntry)) -> Self {
        let mut entry = preset(format).defaults(0);
        settings(&mut entry);
        let key = |(kid, algorithm, octets): &(&str, HmacAlgorithm, &[u8])| {
            Key::new(kid, MacKey::new(*algorithm, octets))
        };
        let keys = keys.iter().map(key).collect();
        Self { verifier: LinkVerifier::new(vec![Entry::new(entry, keys)], Lifetime::from_seconds(30)) }
    }

    /// Verifies a GET of a URI at a moment in Unix seconds: wherever its token stands.
    pub fn verify(&self, uri: &str, now: i64) -> Result<Grant, Refusal> {
        self.verify_with(uri, &FieldList::default(), now)
    }

    /// The same with fields.
    pub fn verify_with(&self, uri: &str, fields: &FieldList, now: i64) -> Result<Grant, Refusal> {
        use crate::request::Fields as _;
        let facts = RequestFacts::new("GET", uri, fields).expect("an absolute URI");
        let facts = facts.with_token_in_path("bcdn_token=");
        let cookies = fields.get("cookie").unwrap_or_default();
        let seen = Seen::new(&facts, &cookies, &[]);
        let mut outcome = Err(Refusal::new(Cause::CredentialsMissing, "nothing there"));
        for strength in [Strength::Field, Strength::Url, Strength::Cookie] {
            match self.verifier.borne(&seen, strength) {
                super::Borne::Twice => return Err(Refusal::new(Cause::RequestAmbiguous, "twice")),
                super::Borne::Present => {
                    outcome = self.verifier.verify(&seen, strength, UnixTime::from_seconds(now));
                    break;
                }
                super::Borne::Absent => {}
            }
        }
        outcome
    }

    /// The cause of a refusal, `None` where it is let in.
    pub fn cause(&self, uri: &str, now: i64) -> Option<Cause> {
        self.verify(uri, now).err().map(|refusal| refusal.cause)
    }
}
