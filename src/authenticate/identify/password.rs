//! Steps 14 and 15 for a password, wherever it was sent: with Basic, or in the form of the sign-in page.
//!
//! 1. The account is looked up. Where accounts are in `EDGEWARD_KV`, that is asked for every user-id, also for one of
//!    `EDGEWARD_USERS`: how long an answer takes tells nobody where an account is, or whether.
//! 2. With Basic a password that was proven lately is right, and nothing is counted: each request of a page bears it. A form
//!    comes once, and is always counted: else whoever has to wait could go on to guess a password that is in use.
//! 3. The ledger counts the try, or says how long to wait ([`crate::attempts`]).
//! 4. The password is verified, which is slow, and as slow for an unknown user.
//! 5. Where it was right, the ledger forgets the tries. Whether that worked makes no difference to who was right.

use super::revoked::silent;
use super::{Asking, Halt};
use crate::attempts::{AttemptKey, Call, Said, Trying};
use crate::authenticate::{
    About, Circumstances, Gate, LedgerQuestion, PasswordQuestion, Question, not_configured,
};
use crate::device::Reach;
use crate::password::UserPass;
use crate::password::htpasswd::Account;
use crate::request::RequestFacts;
use crate::verdict::{Cause, Refusal};

/// Whose password this is. Whether the account is in good standing is not looked at.
///
/// Like [`authenticate`](crate::authenticate::authenticate) it never waits: it says what it needs, and is asked again from
/// the beginning with the answer.
///
/// # Errors
/// [`Halt::Needs`]: something from outside has to be known first. [`Halt::Refused`]: `too-many-attempts` with `retry_after`;
/// `credentials-wrong`, of an unknown user as of a wrong password; `check-unavailable` where a store does not answer;
/// `not-configured`.
pub fn prove_password<'a>(
    gate: &'a Gate,
    facts: &RequestFacts<'_>,
    user_pass: UserPass,
    at: &'a Circumstances<'a>,
) -> Result<&'a Account, Halt> {
    let (Some(policy), Some(verifiers)) = (&gate.config.policy, &gate.config.verifiers) else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    Asking { gate, policy, verifiers, at }.prove(user_pass, Proven::IsAsked, facts)
}

/// What it is worth that a password was proven lately.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    /// It is right.
    Suffices,
    /// It is asked for once more.
    IsAsked,
}

impl<'a> Asking<'a> {
    pub(super) fn prove(
        &self,
        user_pass: UserPass,
        lately: Proven,
        facts: &RequestFacts<'_>,
    ) -> Result<&'a Account, Halt> {
        if self.verifiers.users.is_none() {
            return Err(not_configured("No accounts are configured.").into());
        }
        let at = self.at;
        let account = self.account(&user_pass.user)?;
        let proof = account.map(|account| at.proven.proof(&user_pass, account));
        let holds = || proof.as_ref().is_some_and(|proof| at.proven.holds(proof, at.now));
        let proven = lately == Proven::Suffices && holds();
        match (at.answers.password, account) {
            (None, Some(account)) if proven => Ok(account),
            (None, _) => {
                self.look_elsewhere(&user_pass.user)?;
                self.may_try(&user_pass.user, facts)?;
                Err(Halt::Needs(Question::Password(PasswordQuestion { user_pass, proof })))
            }
            (Some(true), Some(account)) => {
                self.forget(&user_pass.user, facts)?;
                Ok(account)
            }
            (Some(_), _) => {
                Err(Refusal::new(Cause::CredentialsWrong, "User-id or password is wrong.").into())
            }
        }
    }

    /// Asks `EDGEWARD_KV` for an account that is in `EDGEWARD_USERS` already: only so that it takes as long. What it says, or
    /// that it says nothing, makes no difference.
    fn look_elsewhere(&self, user: &str) -> Result<(), Halt> {
        match self.stored_account(user) {
            Err(Halt::Needs(question)) => Err(Halt::Needs(question)),
            Ok(_) | Err(Halt::Refused(_)) => Ok(()),
        }
    }

    /// Step 14. Asking counts the try.
    fn may_try(&self, user: &str, facts: &RequestFacts<'_>) -> Result<(), Halt> {
        let Some(key) = self.counting() else { return Ok(()) };
        let call = key.question(&self.trying(user, facts));
        let Some(answer) = self.at.answers.attempt(&call.arguments) else {
            return Err(Halt::Needs(Question::Ledger(asked(About::Attempt, call))));
        };
        match Said::read(answer.as_deref()) {
            Said::Allowed => Ok(()),
            Said::Silent => Err(silent().into()),
            Said::Wait(wait) => {
                let detail = "Too many passwords were wrong: wait before you try another.";
                let refusal = Refusal::new(Cause::TooManyAttempts, detail);
                Err(Refusal { retry_after: Some(wait), ..refusal }.into())
            }
        }
    }

    fn forget(&self, user: &str, facts: &RequestFacts<'_>) -> Result<(), Halt> {
        match self.counting() {
            Some(key) if !self.at.answers.forgotten => {
                let call = key.forgetting(&self.trying(user, facts), self.at.now);
                Err(Halt::Needs(Question::Ledger(asked(About::Forgotten, call))))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Without a ledger nothing is counted.
    fn counting(&self) -> Option<&'a AttemptKey> {
        self.verifiers.attempts.as_ref().filter(|_| self.gate.config.ledger)
    }

    fn trying<'t>(&self, user: &'t str, facts: &RequestFacts<'_>) -> Trying<'t> {
        let reach = Reach::of(facts, self.policy.session.as_ref());
        let device = self.verifiers.devices.known(facts, reach, user, self.at.now);
        Trying { user, device, address: facts.client_address() }
    }
}

fn asked(about: About, call: Call) -> LedgerQuestion {
    LedgerQuestion { about, object: call.object, method: call.method, arguments: call.arguments }
}
