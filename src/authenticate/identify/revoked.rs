//! Step 16: whether what proved it was taken back.

use super::{Asking, Halt};
use crate::authenticate::{About, Authenticated, LedgerQuestion, Question};
use crate::policy::Kind;
use crate::revocation::{Revoked, Traits, ledger, snapshot};
use crate::verdict::{Cause, Refusal};

impl Asking<'_> {
    /// Asks the lists of `EDGEWARD_KV`, where that is bound, and the ledger, where the policy is strict.
    pub(super) fn not_revoked(&self, traits: &Traits<'_>, who: &Authenticated) -> Result<(), Halt> {
        if self.gate.config.store {
            self.not_listed(traits, who)?;
        }
        if self.policy.revocation.strict {
            self.not_marked(traits, who)?;
        }
        Ok(())
    }

    fn not_listed(&self, traits: &Traits<'_>, who: &Authenticated) -> Result<(), Halt> {
        let kept = self.at.store.revoked;
        match kept.state(self.at.now) {
            snapshot::State::Stale => return Err(Halt::Needs(Question::Store)),
            snapshot::State::Failed if !self.policy.revocation.pass_unchecked => {
                return Err(self.unchecked(who).into());
            }
            snapshot::State::Fresh | snapshot::State::Renew | snapshot::State::Failed => {}
        }
        // Where the operator lets requests pass while the store is silent, what it said last still counts.
        match kept.last().and_then(|lists| lists.verdict(traits)) {
            Some(revoked) => Err(refused(revoked, who).into()),
            None => Ok(()),
        }
    }

    fn not_marked(&self, traits: &Traits<'_>, who: &Authenticated) -> Result<(), Halt> {
        if !ledger::concerns(traits) {
            return Ok(());
        }
        let arguments = ledger::marked_arguments(traits);
        let Some(answer) = self.at.answers.revoked(&arguments) else {
            return Err(Halt::Needs(Question::Ledger(LedgerQuestion {
                about: About::Revoked,
                object: ledger::OBJECT.to_owned(),
                method: ledger::MARKED,
                arguments,
            })));
        };
        match answer.as_deref().map(ledger::read_marked) {
            Some(Ok(lists)) => {
                lists.verdict(traits).map_or(Ok(()), |revoked| Err(refused(revoked, who).into()))
            }
            Some(Err(_)) | None if self.policy.revocation.pass_unchecked => Ok(()),
            Some(Err(_)) | None => Err(self.unchecked(who).into()),
        }
    }

    /// Nobody can say whether it was.
    pub(super) fn unchecked(&self, who: &Authenticated) -> Refusal {
        Refusal { user: who.user.clone(), key: who.key.clone(), ..unavailable(who.kind) }
    }
}

/// A store that has to be asked is silent.
pub(super) fn unavailable(kind: Kind) -> Refusal {
    silent().sent(kind)
}

/// The same, of whatever kind.
pub(super) fn silent() -> Refusal {
    Refusal::new(Cause::CheckUnavailable, "A store that has to be asked does not answer.")
}

fn refused(revoked: Revoked, who: &Authenticated) -> Refusal {
    let detail = match revoked {
        Revoked::Id => "It was revoked by its id.".to_owned(),
        Revoked::Subject => "All that was issued to this subject was revoked.".to_owned(),
        Revoked::Key => "All that this key signed was revoked.".to_owned(),
        Revoked::Before(moment) => format!("All that was issued before {moment} was revoked."),
    };
    let refusal = Refusal::new(Cause::TokenRevoked, detail);
    let refusal = Refusal { user: who.user.clone(), key: who.key.clone(), ..refusal };
    refusal.sent(who.kind)
}
