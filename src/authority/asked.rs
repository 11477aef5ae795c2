//! What the authority is asked: who is signed in? By a host of ours, or by a Discourse.

use super::away::shared_key;
use super::path::{At, FINISH, START};
use super::{Errand, Sent, discourse};
use crate::config::Config;
use crate::policy::SessionSettings;
use crate::reply::escape::component;
use crate::request::RequestFacts;
use crate::reserved::form_value;
use crate::return_to::ReturnTo;
use crate::seal::NONCE_SIZE;
use crate::session::{Factors, Session};
use crate::time::UnixTime;
use crate::token::keys::Key;
use crate::token::mac::MacKey;
use crate::verdict::{Cause, Refusal};

/// Who asks.
#[derive(Debug)]
pub enum Asked<'p> {
    /// A host of ours.
    Host {
        /// Its serialised origin.
        origin: &'p str,
        /// What it sent the browser for.
        errand: Errand,
        /// The same, sealed.
        state: String,
    },
    /// A Discourse.
    Discourse {
        /// The key that is shared with it.
        key: &'p MacKey,
        /// What it asks.
        request: discourse::Request,
        /// Where it wants the answer: an address of its own.
        return_to: ReturnTo,
    },
}

impl<'p> Asked<'p> {
    /// Reads what is asked.
    ///
    /// # Errors
    /// `denied` where nobody asks whom the policy names, `token-…` where a Discourse did not sign it.
    pub fn read(
        at: At,
        config: &'p Config,
        settings: &'p SessionSettings,
        facts: &RequestFacts<'_>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let query = facts.query.unwrap_or_default();
        if at == At::Discourse {
            return of_discourse(config, settings, query, now);
        }
        of_host(config, settings, query)
            .ok_or_else(|| Refusal::new(Cause::Denied, "No host of session.hosts sent the browser here."))
    }

    /// Whether a second factor is wanted.
    #[must_use]
    pub const fn second_factor(&self) -> bool {
        match self {
            Self::Host { errand, .. } => errand.second_factor,
            Self::Discourse { request, .. } => request.second_factor,
        }
    }

    /// Whether a Discourse asks for its visitor to be signed out.
    #[must_use]
    pub const fn signs_out(&self) -> bool {
        matches!(self, Self::Discourse { request: discourse::Request { logout: true, .. }, .. })
    }

    /// Where the browser of somebody goes who is signed in: an absolute URL. `groups`: those of now. `None` where the
    /// session is too long to be handed over.
    #[must_use]
    pub fn answer(
        &self,
        config: &Config,
        session: &Session,
        groups: &[String],
        now: UnixTime,
        nonce: [u8; NONCE_SIZE],
    ) -> Option<String> {
        match self {
            // Whoever took so long begins anew, and is in at once.
            Self::Host { origin, errand, .. } if !errand.in_time(now) => {
                let back = component(&errand.return_to);
                let tab = if errand.tab { "&tab=1" } else { "" };
                let twice = if errand.second_factor { "&second_factor=1" } else { "" };
                Some([origin, START, "?return_to=", &back, tab, twice].concat())
            }
            Self::Host { origin, errand, state } => {
                let keys = config.verifiers.as_ref()?.authority.as_ref()?;
                let code = keys.seal_code(origin, errand, session, now, nonce)?;
                Some([origin, FINISH, "?code=", &code, "&state=", state].concat())
            }
            Self::Discourse { key, request, return_to } => {
                let second_factor = session.factors == Factors::Both;
                let answer =
                    discourse::Answer { nonce: &request.nonce, user: &session.user, groups, second_factor };
                Some(discourse::with_query(return_to.url(), &discourse::answer(key, &answer)))
            }
        }
    }
}

/// Only origins that the policy names, octet for octet, and only on an errand that such a host began.
fn of_host<'p>(config: &Config, settings: &'p SessionSettings, query: &str) -> Option<Asked<'p>> {
    let host = form_value(query, "host")?;
    let origin = settings.hosts.iter().find(|origin| **origin == *host)?;
    let state = form_value(query, "state")?.into_owned();
    let keys = config.verifiers.as_ref()?.authority.as_ref()?;
    let errand = keys.open_errand(Sent::Authority, origin, &state)?;
    Some(Asked::Host { origin, errand, state })
}

/// The key says which Discourse it is, and that one is answered at its own origin alone. Several may share a key.
fn of_discourse<'p>(
    config: &'p Config,
    settings: &'p SessionSettings,
    query: &str,
    now: UnixTime,
) -> Result<Asked<'p>, Refusal> {
    let mut refused = refusal(discourse::Fault::BadSignature);
    for provider in &settings.discourse.providers {
        let Some(key) = shared_key(config, &provider.key, now).map(Key::mac) else { continue };
        let request = match discourse::Message::read(query, key).and_then(|message| message.request()) {
            Ok(request) => request,
            Err(discourse::Fault::BadSignature) => continue,
            Err(fault) => return Err(refusal(fault)),
        };
        let absolute = Some(&request.return_to).filter(|url| !url.starts_with('/'));
        match absolute.and_then(|url| ReturnTo::parse(url, &provider.origin, &[])) {
            Some(return_to) => return Ok(Asked::Discourse { key, request, return_to }),
            None => {
                let detail = "return_sso_url is no address that the policy names.";
                refused = Refusal::new(Cause::Denied, detail);
            }
        }
    }
    Err(refused)
}

/// A message that is not taken.
pub fn refusal(fault: discourse::Fault) -> Refusal {
    match fault {
        discourse::Fault::Malformed(detail) => Refusal::new(Cause::TokenMalformed, detail),
        discourse::Fault::BadSignature => {
            Refusal::new(Cause::TokenBadSignature, "sig is not the tag of sso by a key that is shared.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::path::{DISCOURSE, SIGN_IN};
    use super::super::tests::{NOW, config, facts, seal};
    use super::*;

    fn read<T>(path: &str, query: &str, then: impl FnOnce(Result<Asked<'_>, Refusal>) -> T) -> T {
        let config = config();
        let settings = config.policy.as_ref().and_then(|policy| policy.session.as_ref()).expect("sessions");
        facts(&format!("https://login.example{path}?{query}"), "", |facts| {
            let at = At::of(path, settings, "https://login.example").expect("there");
            then(Asked::read(at, &config, settings, facts, NOW))
        })
    }

    fn cause(path: &str, query: &str) -> Option<Cause> {
        read(path, query, |asked| asked.err().map(|refusal| refusal.cause))
    }

    #[test]
    fn only_hosts_that_the_policy_names() {
        let state = seal("https://app.example");
        let good = format!("host=https%3A%2F%2Fapp.example&state={state}");
        assert_eq!(cause(SIGN_IN, &good), None);
        for host in [
            "https%3A%2F%2Fevil.example",
            "https%3A%2F%2Fapp.example.evil.example",
            "https%3A%2F%2Fapp.example%2F",
            "https%3A%2F%2Fapp.example%40evil.example",
            "https%3A%2F%2Fapp.example%3A443",
            "http%3A%2F%2Fapp.example",
            "%2F%2Fapp.example",
            "https%3A%2F%2FAPP.example",
            "app.example",
            "https%3A%2F%2Fb.example",
            "javascript%3Aalert(1)",
            "",
        ] {
            assert_eq!(cause(SIGN_IN, &format!("host={host}&state={state}")), Some(Cause::Denied), "{host}");
        }
        for query in [
            "host=https%3A%2F%2Fapp.example".to_owned(),
            "host=https%3A%2F%2Fapp.example&state=".to_owned(),
            "host=https%3A%2F%2Fapp.example&state=AAAA".to_owned(),
            format!("{good}&state={state}"),
            format!("{good}&host=https%3A%2F%2Fapp.example"),
            format!("host=https%3A%2F%2Fb.example&state={state}"),
            format!("host=https%3A%2F%2Fapp.example&state={}", seal("https://evil.example")),
        ] {
            assert_eq!(cause(SIGN_IN, &query), Some(Cause::Denied), "{query}");
        }
    }

    #[test]
    fn only_discourses_that_the_policy_names() {
        use crate::policy::HmacAlgorithm;
        let key = MacKey::new(HmacAlgorithm::Hs256, &super::super::tests::FORUM_KEY);
        let other = MacKey::new(HmacAlgorithm::Hs256, &super::super::tests::OTHER_KEY);
        let ask = |key: &MacKey, url: &str| discourse::request(key, "n", url);
        assert_eq!(cause(DISCOURSE, &ask(&key, "https://forum.example/session/sso_login")), None);
        for url in [
            "https://evil.example/",
            "https://forum.example.evil.example/",
            "https://forum.example@evil.example/",
            "https://forum.example:8443/",
            "http://forum.example/",
            "//forum.example/",
            "/session/sso_login",
            "https:forum.example/",
            "https://forum.example\\@evil.example/",
            "https://forum.example/\r\nSet-Cookie: a=b",
            "https://other.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(cause(DISCOURSE, &ask(&key, url)), Some(Cause::Denied), "{url}");
        }
        assert_eq!(cause(DISCOURSE, &ask(&other, "https://other.example/")), None);
        assert_eq!(cause(DISCOURSE, &ask(&other, "https://forum.example/")), Some(Cause::Denied));
        let stranger = MacKey::new(HmacAlgorithm::Hs256, &[1; 32]);
        let url = "https://forum.example/";
        assert_eq!(cause(DISCOURSE, &ask(&stranger, url)), Some(Cause::TokenBadSignature));
        assert_eq!(cause(DISCOURSE, "sso=&sig="), Some(Cause::TokenMalformed));
        assert_eq!(cause(DISCOURSE, ""), Some(Cause::TokenMalformed));
    }
}
