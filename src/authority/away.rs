//! Sending a browser away to sign in, and the end of a row of that.

use super::cookie::{self, Came};
use super::path::{DISCOURSE_FINISH, SIGN_IN};
use super::{Errand, LONGEST_RETURN, Sent, discourse};
use crate::config::Config;
use crate::policy::{Consumer, Kind};
use crate::reply::escape::component;
use crate::request::{RequestFacts, Scheme};
use crate::seal::NONCE_SIZE;
use crate::text;
use crate::time::UnixTime;
use crate::token::keys::{Key, Standing};
use crate::verdict::{Cause, Refusal, Refused};

/// Where people sign in who cannot here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere<'p> {
    /// At the authority with that serialised origin.
    Authority(&'p str),
    /// At a Discourse.
    Discourse(&'p Consumer),
}

impl<'p> Elsewhere<'p> {
    /// Where those sign in who ask this host; `None` where they do here. With accounts of our own a Discourse is a choice,
    /// and without it is all there is.
    #[must_use]
    pub fn of(config: &'p Config, facts: &RequestFacts<'_>) -> Option<Self> {
        let settings = config.policy.as_ref()?.session.as_ref()?;
        if let Some(authority) = settings.away_from(&facts.origin()) {
            return Some(Self::Authority(authority));
        }
        settings.discourse.consumer.as_ref().filter(|_| !settings.by_form).map(Self::Discourse)
    }

    /// How an errand is sealed that leads there.
    #[must_use]
    pub const fn sent(&self) -> Sent {
        match self {
            Self::Authority(_) => Sent::Authority,
            Self::Discourse(_) => Sent::Discourse,
        }
    }
}

/// What is done about somebody who needs a sign-in that is had elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// The browser is sent there: whether for a second factor.
    Send(Elsewhere<'p>, bool),
    /// It was a moment ago, and came back for nothing: this is shown.
    InVain(Refused),
}

impl<'p> Elsewhere<'p> {
    /// The host, as people know it.
    #[must_use]
    pub fn host(&self) -> &'p str {
        let url = match *self {
            Self::Authority(origin) => origin,
            Self::Discourse(consumer) => consumer.url.as_str(),
        };
        let (_, rest) = text::cut(url, "://").unwrap_or(("", url));
        text::parted(rest, b'/').0
    }
}

/// Whether signing in elsewhere mends it; `None` where it does not.
#[must_use]
pub fn verdict<'p>(config: &'p Config, facts: &RequestFacts<'_>, refused: &Refused) -> Option<Verdict<'p>> {
    let elsewhere = Elsewhere::of(config, facts).filter(|_| refused.accept.has(Kind::Session))?;
    let refusal = &refused.refusal;
    let second_factor = match refusal.cause {
        Cause::CredentialsMissing
        | Cause::SessionInvalid
        | Cause::SessionExpired
        | Cause::SessionIdle
        | Cause::SessionRevoked => false,
        // A Discourse proves no second factor to us.
        Cause::SecondFactorRequired if refusal.sent == Some(Kind::Session) => {
            matches!(elsewhere, Elsewhere::Authority(_)).then_some(true)?
        }
        _ => return None,
    };
    let wanted = if second_factor { Came::Twice } else { Came::SignedIn };
    let field = facts.field("cookie").unwrap_or_default();
    match cookie::came(&field, facts.scheme == Scheme::Https).filter(|came| *came >= wanted) {
        Some(_) => Some(Verdict::InVain(in_vain(refused))),
        None => Some(Verdict::Send(elsewhere, second_factor)),
    }
}

/// Who bears no session after a sign-in keeps no cookies; any other cause says itself what is wrong.
fn in_vain(refused: &Refused) -> Refused {
    let mut refused = refused.clone();
    if refused.refusal.cause == Cause::CredentialsMissing {
        let detail = "The browser signed in a moment ago, and bears no session.";
        refused.refusal = Refusal::new(Cause::SessionInvalid, detail).sent(Kind::Session);
    }
    refused
}

/// Where a browser is sent, and the cookies that it takes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// An absolute URL.
    pub location: String,
    /// `Set-Cookie` lines.
    pub cookies: Vec<String>,
}

/// Sends a browser on an errand. `None` where the secret or the key for that is not there, or not in use.
#[must_use]
pub fn send(
    config: &Config,
    facts: &RequestFacts<'_>,
    elsewhere: Elsewhere<'_>,
    errand: &Errand,
    nonce: [u8; NONCE_SIZE],
) -> Option<Sending> {
    let verifiers = config.verifiers.as_ref()?;
    let origin = facts.origin();
    let state = verifiers.authority.as_ref()?.seal_errand(elsewhere.sent(), &origin, errand, nonce)?;
    let location = match elsewhere {
        Elsewhere::Authority(authority) => {
            [authority, SIGN_IN, "?host=", &component(&origin), "&state=", &state].concat()
        }
        Elsewhere::Discourse(consumer) => {
            let key = shared_key(config, &consumer.key, errand.began)?;
            let back = origin + DISCOURSE_FINISH;
            discourse::with_query(&consumer.url, &discourse::request(key.mac(), &state, &back))
        }
    };
    let field = facts.field("cookie").unwrap_or_default();
    Some(Sending { location, cookies: cookie::sent(errand, &field, facts.scheme == Scheme::Https) })
}

/// The key that is shared with a Discourse, where it is in use.
#[must_use]
pub fn shared_key<'p>(config: &'p Config, kid: &str, now: UnixTime) -> Option<&'p Key> {
    let key = config.verifiers.as_ref()?.keys.as_ref()?.get(kid)?;
    (key.standing(now) == Standing::Good).then_some(key)
}

/// The address of a request as an errand comes back to it: without its query, or the front page, where it is too long.
#[must_use]
pub fn address(facts: &RequestFacts<'_>, query: Option<&str>) -> String {
    let origin = facts.origin();
    let bare = [&origin, facts.path].concat();
    let whole = query.map_or_else(|| bare.clone(), |query| [&bare, "?", query].concat());
    let fits = |url: &String| url.len() <= LONGEST_RETURN;
    [whole, bare].into_iter().find(fits).unwrap_or_else(|| origin + "/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, config_of, facts};
    use super::*;
    use crate::policy::Kinds;

    fn refused(cause: Cause, sent: Option<Kind>, accept: &[Kind]) -> Refused {
        let refusal = Refusal { sent, ..Refusal::new(cause, "…") };
        Refused { refusal, accept: accept.iter().copied().collect::<Kinds>() }
    }

    /// What is done: `send`, `send twice`, `vain <cause>` or `stay`.
    fn done(config: &Config, cookie: &str, refused: &Refused) -> String {
        facts("https://app.example/x?y", cookie, |facts| match verdict(config, facts, refused) {
            Some(Verdict::Send(Elsewhere::Authority("https://login.example"), false)) => "send".to_owned(),
            Some(Verdict::Send(Elsewhere::Authority("https://login.example"), true)) => {
                "send twice".to_owned()
            }
            Some(Verdict::Send(Elsewhere::Discourse(_), false)) => "send to Discourse".to_owned(),
            Some(Verdict::Send(..)) => "elsewhere".to_owned(),
            Some(Verdict::InVain(refused)) => format!("vain {}", refused.refusal.cause.name()),
            None => "stay".to_owned(),
        })
    }

    #[test]
    fn who_is_sent_away() {
        let (session, both) = ([Kind::Session], [Kind::Basic, Kind::Session]);
        let came = "__Host-edgeward-away=1";
        let twice = "__Host-edgeward-away=2";
        for (cause, sent, accept, cookie, wanted) in [
            (Cause::CredentialsMissing, None, &session[..], "", "send"),
            (Cause::CredentialsMissing, None, &both, "", "send"),
            (Cause::CredentialsMissing, None, &[Kind::Basic], "", "stay"),
            (Cause::SessionRevoked, Some(Kind::Session), &session, "", "send"),
            (Cause::SessionIdle, Some(Kind::Session), &session, "", "send"),
            (Cause::SessionExpired, Some(Kind::Session), &session, "", "send"),
            (Cause::SessionInvalid, Some(Kind::Session), &session, "", "send"),
            (Cause::SecondFactorRequired, Some(Kind::Session), &session, "", "send twice"),
            (Cause::SecondFactorRequired, Some(Kind::Session), &session, came, "send twice"),
            (
                Cause::SecondFactorRequired,
                Some(Kind::Session),
                &session,
                twice,
                "vain second-factor-required",
            ),
            (Cause::SecondFactorRequired, Some(Kind::Basic), &both, "", "stay"),
            (Cause::CredentialsWrong, Some(Kind::Basic), &both, "", "stay"),
            (Cause::CredentialsUnsupported, Some(Kind::Bearer), &session, "", "stay"),
            (Cause::NotAllowed, Some(Kind::Session), &session, "", "stay"),
            (Cause::AccountSuspended, Some(Kind::Session), &session, "", "stay"),
            (Cause::TokenExpired, Some(Kind::SignedUrl), &session, "", "stay"),
            (Cause::CredentialsMissing, None, &session, came, "vain session-invalid"),
            (Cause::SessionRevoked, Some(Kind::Session), &session, came, "vain session-revoked"),
        ] {
            assert_eq!(done(&config(), cookie, &refused(cause, sent, accept)), wanted, "{cause:?} {cookie}");
        }
    }

    #[test]
    fn a_discourse_is_all_there_is_without_accounts() {
        let discourse = r#"{"consumer":{"url":"https://forum.example/session/sso_provider","key":"forum"}}"#;
        let policy = format!(r#"{{"session":{{"discourse":{discourse}}}}}"#);
        let missing = refused(Cause::CredentialsMissing, None, &[Kind::Session]);
        assert_eq!(done(&config_of(&policy, false), "", &missing), "send to Discourse");
        assert_eq!(done(&config_of(&policy, true), "", &missing), "stay");
        let twice = refused(Cause::SecondFactorRequired, Some(Kind::Session), &[Kind::Session]);
        assert_eq!(done(&config_of(&policy, false), "", &twice), "stay");
    }

    #[test]
    fn an_address_that_is_too_long_loses_its_query() {
        facts("https://app.example/x", "", |facts| {
            assert_eq!(address(facts, Some("y=1")), "https://app.example/x?y=1");
            assert_eq!(address(facts, Some(&"y".repeat(LONGEST_RETURN))), "https://app.example/x");
        });
        let path = "x".repeat(LONGEST_RETURN);
        facts(&format!("https://app.example/{path}"), "", |facts| {
            assert_eq!(address(facts, None), "https://app.example/");
        });
    }
}
