//! By a password.

use super::{Asking, Halt, Known};
use crate::authenticate::{Authenticated, PasswordQuestion, Question, not_configured};
use crate::credentials::basic;
use crate::password::htpasswd::Account;
use crate::policy::Kind;
use crate::time::UnixTime;
use crate::verdict::{Cause, Refusal};

impl Asking<'_> {
    /// The account of that user-id (in NFC), wherever it is kept.
    pub(super) fn account(&self, user: &str) -> Result<Option<&Account>, Halt> {
        Ok(self.verifiers.users.as_ref().and_then(|users| users.account(user)))
    }

    pub(super) fn by_password(&self, value: &str) -> Result<Known, Halt> {
        let Some(users) = &self.verifiers.users else {
            return Err(not_configured("No accounts are configured.").into());
        };
        let at = self.at;
        let user_pass = basic::parse(value, at.nfc)
            .map_err(|detail| Refusal::new(Cause::CredentialsMalformed, detail).sent(Kind::Basic))?;
        let account = users.account(&user_pass.user);
        let proof = account.map(|account| at.proven.proof(&user_pass, account));
        let proven = proof.as_ref().is_some_and(|proof| at.proven.holds(proof, at.now));
        let right = if proven { Some(true) } else { at.answers.password };
        match (right, account) {
            (None, _) => Err(Halt::Needs(Question::Password(PasswordQuestion { user_pass, proof }))),
            (Some(true), Some(account)) => {
                in_good_standing(account, Kind::Basic, at.now)?;
                Ok(known_account(account).into())
            }
            (Some(_), _) => {
                let detail = "User-id or password is wrong.";
                Err(Refusal::new(Cause::CredentialsWrong, detail).sent(Kind::Basic).into())
            }
        }
    }
}

/// Step 17.
///
/// # Errors
/// The account is switched off, or its password ran out.
pub fn in_good_standing(account: &Account, kind: Kind, now: UnixTime) -> Result<(), Refusal> {
    if account.suspended() {
        let refusal = Refusal::new(Cause::AccountSuspended, "The account is switched off.").sent(kind);
        return Err(Refusal { user: Some(account.user().to_owned()), ..refusal });
    }
    match account.until() {
        Some(until) if now >= until => {
            let refusal = Refusal::new(Cause::PasswordExpired, format!("The password ran out at {until}."));
            Err(Refusal { user: Some(account.user().to_owned()), ..refusal.sent(kind).at(until) })
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn known_account(account: &Account) -> Authenticated {
    Authenticated {
        user: Some(account.user().to_owned()),
        groups: account.groups().to_vec(),
        expires: account.until(),
        is_account: true,
        ..Authenticated::nobody(Kind::Basic)
    }
}
