//! Proving a password.

use super::{Asking, Halt};
use crate::authenticate::{Circumstances, Gate, PasswordQuestion, Question, not_configured};
use crate::password::UserPass;
use crate::password::htpasswd::Account;
use crate::request::RequestFacts;
use crate::verdict::{Cause, Refusal};

/// Whose password this is. Flags of the account are not looked at.
///
/// # Errors
/// Nobody's that we know, or what has to be known first.
pub fn prove_password<'a>(
    gate: &'a Gate,
    _facts: &RequestFacts<'_>,
    user_pass: UserPass,
    at: &'a Circumstances<'a>,
) -> Result<&'a Account, Halt> {
    let (Some(policy), Some(verifiers)) = (&gate.config.policy, &gate.config.verifiers) else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    let users = verifiers.users.as_ref();
    let _ = Asking { gate, policy, verifiers, at };
    let account = users.and_then(|users| users.account(&user_pass.user));
    let proof = account.map(|account| at.proven.proof(&user_pass, account));
    match (at.answers.password, account) {
        (None, _) => Err(Halt::Needs(Question::Password(PasswordQuestion { user_pass, proof }))),
        (Some(true), Some(account)) => Ok(account),
        (Some(_), _) => Err(Refusal::new(Cause::CredentialsWrong, "User-id or password is wrong.").into()),
    }
}
