//! By an API key.

use super::{Asking, Halt, Known};
use crate::api_key::{self, ApiKey, Form};
use crate::authenticate::{Authenticated, Question};
use crate::policy::Kind;
use crate::revocation::{Issued, Traits, snapshot};
use crate::verdict::{Cause, Refusal};

/// Octets of a key that are looked at: those of ours have 52.
const LONGEST: usize = 1024;

impl Asking<'_> {
    pub(super) fn by_key(&self, value: &str) -> Result<Known, Halt> {
        let wrong = |detail| Refusal::new(Cause::CredentialsWrong, detail).sent(Kind::ApiKey);
        if value.len() > LONGEST {
            return Err(wrong("The API key is longer than any.").into());
        }
        if api_key::form(value) == Form::Mistyped {
            return Err(wrong("The API key has a typing error: its checksum does not fit.").into());
        }
        let digest = api_key::digest(value);
        let here = self.verifiers.api_keys.as_ref().and_then(|keys| keys.find(&digest));
        let key = match here {
            Some(key) => key,
            None => self.stored(&digest)?.ok_or_else(|| wrong("The API key is not known here."))?,
        };
        let authenticated = known_key(&key);
        let user = authenticated.user.as_deref().unwrap_or_default();
        let traits = Traits { id: None, subjects: &[user], key: None, issued: Issued::Never };
        self.not_revoked(&traits, &authenticated)?;
        Ok(authenticated.into())
    }

    /// The key in `EDGEWARD_KV`, where the policy has keys there.
    fn stored(&self, digest: &[u8; 32]) -> Result<Option<ApiKey<'_>>, Halt> {
        if !self.policy.api_key.in_store {
            return Ok(None);
        }
        match self.at.store.revoked.state(self.at.now) {
            snapshot::State::Stale => Err(Halt::Needs(Question::Store)),
            snapshot::State::Failed if !self.policy.revocation.pass_unchecked => {
                Err(super::revoked::unavailable(Kind::ApiKey).into())
            }
            // As with what is revoked: where requests may pass while the store is silent, what it said last still counts.
            snapshot::State::Fresh | snapshot::State::Renew | snapshot::State::Failed => {
                match self.at.store.api_keys {
                    Some(keys) => Ok(keys.find(digest)),
                    None => Err(super::revoked::unavailable(Kind::ApiKey).into()),
                }
            }
        }
    }
}

fn known_key(key: &ApiKey<'_>) -> Authenticated {
    Authenticated {
        user: Some(["key:", key.name()].concat()),
        scopes: key.scopes().map(str::to_owned).collect(),
        api_key: Some(key.name().to_owned()),
        ..Authenticated::nobody(Kind::ApiKey)
    }
}
