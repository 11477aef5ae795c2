//! The reserved paths: all below `/.edgeward/`, never passed to the origin.

use crate::authority::At;
use crate::config::Config;
use crate::request::RequestFacts;
use crate::reserved::{CLEAR, LANGUAGE, LINK, REVOKE, SESSION, SESSION_SCRIPT, SIGN_IN, SIGN_OUT, TOKEN};
use crate::verdict::{Cause, Refusal};

/// Where the pages that explain a cause stand: `type` of problem details begins with it.
pub const PROBLEMS: &str = "/.edgeward/problems/";

/// What stands at a reserved path.
#[derive(Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `health`, of a gate that is configured.
    Health,
    /// `whoami`.
    WhoAmI,
    /// `problems/<cause>`.
    Explained(Cause),
    /// `brand/*`: whether the file is there is for the caller to see.
    Brand,
    /// POST `token`: fresh tokens for programs.
    Token,
    /// POST `link`: a link that counts its uses is opened.
    Link,
    /// POST `language`: a visitor chose one.
    Language,
    /// POST `revoke`: an order of the command's.
    Revoke,
    /// `sign-in`: GET shows the form, POST takes it.
    SignIn,
    /// `sign-out`: GET asks, POST does.
    SignOut,
    /// `clear`: GET asks, POST does.
    Clear,
    /// `session`: how long it is good; POST extends it.
    Session,
    /// `session.js`.
    SessionScript,
    /// `authority/*`: people sign in on another host, or for one.
    Authority(At),
    /// Nothing, or nothing for this method, or a gate that is not configured.
    Refused(Refusal),
}

/// What stands at the path of a request.
#[must_use]
pub fn endpoint(facts: &RequestFacts<'_>, config: &Config) -> Endpoint {
    let Some(endpoint) = found(facts, config) else {
        return Endpoint::Refused(Refusal::new(Cause::NotFound, "No such reserved path."));
    };
    match (facts.method, allowed(facts.path)) {
        ("GET" | "HEAD", GET | BOTH) | ("POST", POST | BOTH) => endpoint,
        (_, GET) => refused("This path answers GET and HEAD only."),
        (_, BOTH) => refused("This path answers GET, HEAD and POST only."),
        (_, _) => refused("This path answers POST only."),
    }
}

/// The methods of a reserved path, as `Allow` names them.
#[must_use]
pub fn allowed(path: &str) -> &'static str {
    match path {
        TOKEN | LINK | REVOKE | LANGUAGE => POST,
        SIGN_IN | SIGN_OUT | CLEAR | SESSION => BOTH,
        _ => GET,
    }
}

/// Whether a path can be asked for with GET: all but some of ours.
#[must_use]
pub fn answers_get(path: &str) -> bool {
    allowed(path) != POST
}

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const BOTH: &str = "GET, HEAD, POST";

fn refused(detail: &str) -> Endpoint {
    Endpoint::Refused(Refusal::new(Cause::MethodNotAllowed, detail))
}

fn found(facts: &RequestFacts<'_>, config: &Config) -> Option<Endpoint> {
    let path = facts.path;
    let configured = config.verifiers.is_some();
    let policy = config.policy.as_ref();
    match path {
        TOKEN => return policy?.fresh_tokens.map(|_| Endpoint::Token),
        LINK => return (!policy?.links.is_empty()).then_some(Endpoint::Link),
        LANGUAGE => return Some(Endpoint::Language),
        REVOKE => return config.ledger.then_some(Endpoint::Revoke),
        SIGN_IN => return policy?.session.as_ref().map(|_| Endpoint::SignIn),
        SIGN_OUT => return Some(Endpoint::SignOut),
        CLEAR => return Some(Endpoint::Clear),
        SESSION => return policy?.session.as_ref().map(|_| Endpoint::Session),
        SESSION_SCRIPT => return policy?.session.as_ref().map(|_| Endpoint::SessionScript),
        _ => {}
    }
    if let Some(cause) = path.strip_prefix(PROBLEMS) {
        return Cause::from_name(cause).map(Endpoint::Explained);
    }
    if let Some(settings) = policy.and_then(|policy| policy.session.as_ref())
        && let Some(at) = At::of(path, settings, &facts.origin())
    {
        return Some(Endpoint::Authority(at));
    }
    match path.strip_prefix("/.edgeward/")? {
        "health" if configured => Some(Endpoint::Health),
        "health" => {
            let detail = "A secret or binding that the policy needs is missing or wrong.";
            Some(Endpoint::Refused(Refusal::new(Cause::NotConfigured, detail)))
        }
        "whoami" => Some(Endpoint::WhoAmI),
        rest => rest.strip_prefix("brand/").filter(|file| !file.is_empty()).map(|_| Endpoint::Brand),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;

    fn at(method: &str, path: &str) -> Endpoint {
        at_gate(&config(), method, path)
    }

    fn at_gate(config: &Config, method: &str, path: &str) -> Endpoint {
        let (fields, uri) = (FieldList::default(), format!("https://h{path}"));
        let facts = RequestFacts::new(method, &uri, &fields).expect("an absolute URI");
        endpoint(&facts, config)
    }

    fn config() -> Config {
        let policy = r#"{"token":{},"tokens":[{"format":"edgeward"}]}"#;
        let secret = crate::secret::Secret::new(crate::token::to_base64url(&[7; 32]));
        let sources = crate::config::Sources {
            policy: Some(policy.to_owned()),
            secret: Some(secret),
            ledger: true,
            ..Default::default()
        };
        Config::parse(&sources, str::to_owned)
    }

    fn cause(endpoint: &Endpoint) -> Option<Cause> {
        match endpoint {
            Endpoint::Refused(refusal) => Some(refusal.cause),
            _ => None,
        }
    }

    #[test]
    fn where_people_sign_in() {
        let sources =
            crate::config::Sources { policy: Some(r#"{"session":{}}"#.to_owned()), ..Default::default() };
        let config = Config::parse(&sources, str::to_owned);
        for (path, wanted) in
            [("/.edgeward/sign-in?return_to=/a", Endpoint::SignIn), (SESSION, Endpoint::Session)]
        {
            for method in ["GET", "HEAD", "POST"] {
                assert_eq!(at_gate(&config, method, path), wanted, "{method}");
            }
            assert_eq!(cause(&at_gate(&config, "PUT", path)), Some(Cause::MethodNotAllowed), "{path}");
        }
    }

    #[test]
    fn what_is_there_and_what_is_not() {
        assert_eq!(at("GET", "/.edgeward/health"), Endpoint::Health);
        assert_eq!(at("HEAD", "/.edgeward/whoami?x"), Endpoint::WhoAmI);
        assert_eq!(at("GET", "/.edgeward/problems/denied"), Endpoint::Explained(Cause::Denied));
        assert_eq!(at("GET", "/.edgeward/brand/logo.svg"), Endpoint::Brand);
        for path in [
            "/.edgeward",
            "/.edgeward/",
            "/.edgeward/x",
            "/.edgeward/problems/x",
            "/.edgeward/brand/",
            "/.edgeward/pages/401.html",
            "/.edgeward/policy.json",
            "/.edgeward/locales/en.json",
        ] {
            assert_eq!(cause(&at("GET", path)), Some(Cause::NotFound), "{path}");
            assert_eq!(cause(&at("POST", path)), Some(Cause::NotFound), "{path}");
        }
        for path in [TOKEN, LINK, REVOKE, LANGUAGE] {
            assert_eq!(cause(&at("POST", path)), None, "{path}");
            assert_eq!(cause(&at("GET", path)), Some(Cause::MethodNotAllowed), "{path}");
        }
        for (path, wanted) in [(SIGN_OUT, Endpoint::SignOut), (CLEAR, Endpoint::Clear)] {
            for method in ["GET", "HEAD", "POST"] {
                assert_eq!(at(method, path), wanted, "{method} {path}");
            }
            assert_eq!(cause(&at("DELETE", path)), Some(Cause::MethodNotAllowed), "{path}");
            assert_eq!(allowed(path), "GET, HEAD, POST");
        }
        for path in [SIGN_IN, SESSION, SESSION_SCRIPT] {
            assert_eq!(cause(&at("GET", path)), Some(Cause::NotFound), "nobody can sign in: {path}");
        }
        for method in ["POST", "OPTIONS", "get"] {
            assert_eq!(cause(&at(method, "/.edgeward/health")), Some(Cause::MethodNotAllowed), "{method}");
        }
    }
}
