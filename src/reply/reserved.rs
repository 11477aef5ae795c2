//! The reserved paths: all below `/.edgeward/`, never passed to the origin.

use crate::request::RequestFacts;
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
    /// Nothing, or nothing for this method, or a gate that is not configured.
    Refused(Refusal),
}

/// What stands at the path of a request.
#[must_use]
pub fn endpoint(facts: &RequestFacts<'_>, configured: bool) -> Endpoint {
    let Some(endpoint) = found(facts.path, configured) else {
        return Endpoint::Refused(Refusal::new(Cause::NotFound, "No such reserved path."));
    };
    match facts.method {
        "GET" | "HEAD" => endpoint,
        _ => Endpoint::Refused(Refusal::new(Cause::MethodNotAllowed, "This path answers GET and HEAD only.")),
    }
}

fn found(path: &str, configured: bool) -> Option<Endpoint> {
    if let Some(cause) = path.strip_prefix(PROBLEMS) {
        return Cause::from_name(cause).map(Endpoint::Explained);
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
        let (fields, uri) = (FieldList::default(), format!("https://h{path}"));
        endpoint(&RequestFacts::new(method, &uri, &fields).expect("an absolute URI"), true)
    }

    fn cause(endpoint: &Endpoint) -> Option<Cause> {
        match endpoint {
            Endpoint::Refused(refusal) => Some(refusal.cause),
            _ => None,
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
        ] {
            assert_eq!(cause(&at("GET", path)), Some(Cause::NotFound), "{path}");
            assert_eq!(cause(&at("POST", path)), Some(Cause::NotFound), "{path}");
        }
        for method in ["POST", "OPTIONS", "get"] {
            assert_eq!(cause(&at(method, "/.edgeward/health")), Some(Cause::MethodNotAllowed), "{method}");
        }
    }
}
