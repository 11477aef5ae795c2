//! By a JWT.

use super::account::{in_good_standing, known_account};
use super::{Asking, Halt, Known};
use crate::authenticate::{Authenticated, not_configured};
use crate::credentials::{authorization, query};
use crate::policy::{Kind, TokenPlace};
use crate::request::RequestFacts;
use crate::revocation::{Issued, Traits};
use crate::token::fresh::FreshTokens;
use crate::token::jwt::VerifiedJwt;
use crate::verdict::{Cause, Refusal};
use std::borrow::Cow;

impl Asking<'_> {
    pub(super) fn by_token(
        &self,
        value: &str,
        place: &TokenPlace,
        facts: &RequestFacts<'_>,
    ) -> Result<Known, Halt> {
        let token = bearer_value(value, place)?;
        let is_fresh = |fresh: &&FreshTokens| *place == TokenPlace::Authorization && fresh.is_ours(&token);
        if let Some(fresh) = self.verifiers.fresh.as_ref().filter(is_fresh) {
            return self.by_fresh_token(fresh.verify(&token, &facts.origin(), self.at.now)?);
        }
        let Some(jwt) = &self.verifiers.jwt else {
            return Err(unread(self.verifiers.fresh.is_some()).into());
        };
        let token = jwt.verify(&token, place, self.at.now)?;
        let mut authenticated = known_token(&token);
        let subjects: Vec<&str> = token.subject().into_iter().chain(authenticated.user.as_deref()).collect();
        self.not_revoked(&traits(&token, &subjects), &authenticated)?;
        if token.trust_subject() {
            let kid = token.kid().to_owned();
            let account = self.trusted_account(&token).map_err(|halt| match halt {
                Halt::Refused(refusal) => Halt::Refused(refusal.sent(Kind::Bearer).signed_by(&kid)),
                Halt::Needs(question) => Halt::Needs(question),
            })?;
            authenticated.user = account.user;
            authenticated.groups = account.groups;
            authenticated.is_account = true;
        }
        Ok(Known { token: Some(token), ..authenticated.into() })
    }

    /// One that `POST /.edgeward/token` made: it names the user as the gate does.
    fn by_fresh_token(&self, token: VerifiedJwt) -> Result<Known, Halt> {
        let user = token.subject().unwrap_or_default();
        let authenticated = Authenticated {
            user: Some(user.to_owned()),
            api_key: user.strip_prefix("key:").map(str::to_owned),
            ..known_token(&token)
        };
        self.not_revoked(&traits(&token, &[user]), &authenticated)?;
        // Who is known by a key or from elsewhere has a colon in the name, and no user-id has one.
        if !user.contains(':') {
            let gone = || Refusal::new(Cause::TokenRevoked, "The account is gone.").sent(Kind::Bearer);
            in_good_standing(self.account(user)?.ok_or_else(gone)?, Kind::Bearer, self.at.now)?;
        }
        Ok(Known { token: Some(token), ..authenticated.into() })
    }

    /// With `trust_subject`, `sub` is a user-id of ours: the account must exist, and its line's groups and flags hold.
    fn trusted_account(&self, token: &VerifiedJwt) -> Result<Authenticated, Halt> {
        let Some(subject) = token.subject() else {
            let detail = "The token has no sub, and its subject is to name an account.";
            return Err(Refusal::new(Cause::TokenMissingClaim, detail).into());
        };
        let Some(account) = self.account(subject)? else {
            let detail = "The token's subject names no account.";
            return Err(Refusal::new(Cause::CredentialsWrong, detail).into());
        };
        in_good_standing(account, Kind::Bearer, self.at.now)?;
        Ok(known_account(account))
    }
}

/// Where there are no keys of others: tokens of ours are all there is, or there should be keys.
fn unread(fresh: bool) -> Refusal {
    if fresh {
        let detail = "The token names a key that is not known here.";
        return Refusal::new(Cause::TokenUnknownKey, detail).sent(Kind::Bearer);
    }
    not_configured("No keys of tokens are configured.")
}

/// The token itself, out of the place it was found in.
fn bearer_value<'v>(value: &'v str, place: &TokenPlace) -> Result<Cow<'v, str>, Refusal> {
    let malformed = |cause, detail| Refusal::new(cause, detail).sent(Kind::Bearer);
    match place {
        TokenPlace::Authorization if !authorization::is_b64token(value) => Err(malformed(
            Cause::CredentialsMalformed,
            "What follows Bearer is not a b64token (RFC 6750 section 2.1).",
        )),
        TokenPlace::Authorization | TokenPlace::Cookie(_) | TokenPlace::Header(_) => Ok(value.into()),
        TokenPlace::Query(_) => query::decode_value(value).ok_or_else(|| {
            malformed(Cause::TokenMalformed, "The query parameter is not percent-encoded UTF-8.")
        }),
    }
}

fn traits<'t>(token: &'t VerifiedJwt, subjects: &'t [&'t str]) -> Traits<'t> {
    let issued = token.issued().map_or(Issued::Unknown, Issued::At);
    Traits { id: token.id(), subjects, key: Some(token.kid()), issued }
}

fn known_token(token: &VerifiedJwt) -> Authenticated {
    Authenticated {
        user: token.subject().map(|subject| ["token:", subject].concat()),
        groups: token.groups().to_vec(),
        scopes: token.scopes().map(str::to_owned).collect(),
        expires: token.expires(),
        key: Some(token.kid().to_owned()),
        ..Authenticated::nobody(Kind::Bearer)
    }
}
