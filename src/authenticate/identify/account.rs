//! By a password.

use super::password::Proven;
use super::revoked::silent;
use super::{Asking, Halt, Known};
use crate::authenticate::{Authenticated, Question, not_configured};
use crate::credentials::basic;
use crate::password::htpasswd::Account;
use crate::password::stored::{self, Stored};
use crate::policy::Kind;
use crate::request::RequestFacts;
use crate::time::UnixTime;
use crate::verdict::{Cause, Refusal};

impl<'a> Asking<'a> {
    /// The account of that user-id (in NFC): in `EDGEWARD_USERS`, or else in `EDGEWARD_KV`.
    pub(super) fn account(&self, user: &str) -> Result<Option<&'a Account>, Halt> {
        match self.verifiers.users.as_ref().and_then(|users| users.account(user)) {
            Some(account) => Ok(Some(account)),
            None => self.stored_account(user),
        }
    }

    /// The account of that user-id in `EDGEWARD_KV`.
    pub(super) fn stored_account(&self, user: &str) -> Result<Option<&'a Account>, Halt> {
        if !self.gate.config.store || stored::key(user, self.at.nfc).is_none() {
            return Ok(None);
        }
        match self.at.store.accounts.get(user, self.at.now) {
            Some(Stored::Account(account)) => Ok(Some(account)),
            Some(Stored::Nobody) => Ok(None),
            Some(Stored::Broken) => Err(not_configured("The account's line cannot be read.").into()),
            Some(Stored::Silent) => Err(silent().into()),
            None => Err(Halt::Needs(Question::Account(user.to_owned()))),
        }
    }

    pub(super) fn by_password(&self, value: &str, facts: &RequestFacts<'_>) -> Result<Known, Halt> {
        let user_pass = basic::parse(value, self.at.nfc)
            .map_err(|detail| Refusal::new(Cause::CredentialsMalformed, detail).sent(Kind::Basic))?;
        let account =
            self.prove(user_pass, Proven::Suffices, facts).map_err(|halt| halt.sent(Kind::Basic))?;
        in_good_standing(account, Kind::Basic, self.at.now)?;
        Ok(known_account(account).into())
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
