//! Return addresses against tables by others: two lists of open redirects, and what five frameworks take and refuse.
//!
//! The vectors stand beside this package, in `../shared/vectors`; where that folder is missing the tests say so. What
//! has to be refused is refused in both readings, as it stands there and decoded once. Of what a framework takes, our
//! answer may be stricter; [`STRICTER`] names each such case with its reason, so that none joins them unseen.

use edgeward::return_to::ReturnTo;
use serde_json::Value;
use url::Url;

const NO_WILDCARDS: &str = "hosts are listed one by one, each with its scheme and port";
const RELATIVE: &str = "an address begins with / or with an origin";
const OTHER_SPELLING: &str = "an origin has one spelling";
const DOT_SEGMENT: &str = "a URL parser would resolve it";

/// Addresses that a framework takes and we do not.
const STRICTER: &[(&str, &str)] = &[
    ("rf-009", NO_WILDCARDS),
    ("rf-010", NO_WILDCARDS),
    ("rf-020", NO_WILDCARDS),
    ("rf-022", NO_WILDCARDS),
    ("rf-023", NO_WILDCARDS),
    ("rf-024", NO_WILDCARDS),
    ("rf-043", NO_WILDCARDS),
    ("rf-044", NO_WILDCARDS),
    ("rf-079", RELATIVE),
    ("rf-082", RELATIVE),
    ("rf-091", OTHER_SPELLING),
    ("rf-171", DOT_SEGMENT),
    ("rf-190", NO_WILDCARDS),
    ("rf-193", NO_WILDCARDS),
];

/// Addresses of this very origin that a list refuses: they name another address in their query. What a page does with its
/// query is its own affair, and `rf-076`, which is such a one, has to be taken.
const IN_THE_QUERY: &[&str] = &["or-241", "or-242", "or-243", "or-302", "or-303", "or-304"];

/// Addresses that a framework refuses and we take: they stay on the origin, or on a host that is listed.
const LAXER: &[(&str, &str)] = &[
    ("rf-108", "an absolute URL of this origin is as good as its path"),
    ("rf-138", "any path of the origin may be gone to"),
    ("rf-182", "it holds no dot segment before it is decoded, and rules read it in every way"),
    ("rf-183", "the same"),
    ("rf-184", "the same"),
];

fn cases(name: &str) -> Option<Vec<Value>> {
    let path = format!("{}/../shared/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    let suite: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = suite["cases"].as_array().expect("cases").clone();
    Some(cases.into_iter().filter(|case| case["input"]["kind"] == "redirect").collect())
}

fn origin(case: &Value) -> String {
    let base = case["input"]["config"]["base"].as_str().expect("a base");
    Url::parse(base).expect("a URL").origin().ascii_serialization()
}

/// What the case lists, as far as it names a host: both schemes of each.
fn hosts(case: &Value) -> Vec<String> {
    let listed = case["input"]["config"]["allowed_hosts"].as_array().expect("a list");
    let names = listed.iter().filter_map(Value::as_str).filter(|name| !name.contains('/'));
    let plain = names.filter(|name| !name.starts_with(['.', '*']) && !name.ends_with('*'));
    let https_only = case["input"]["config"]["require_https"] == true;
    let schemes: &[&str] = if https_only { &["https://"] } else { &["https://", "http://"] };
    plain.flat_map(|name| schemes.iter().map(move |scheme| [scheme, name].concat())).collect()
}

/// The values of a case: decoded once, and as it stands in the list; one where both are the same.
fn values(case: &Value) -> Vec<&str> {
    let input = &case["input"];
    let mut values: Vec<&str> =
        ["target_decoded", "target_query_raw"].iter().filter_map(|name| input[*name].as_str()).collect();
    values.dedup();
    values
}

fn id(case: &Value) -> &str {
    case["id"].as_str().expect("an id")
}

/// Where a browser that stands on the sign-in page is sent.
fn sent_to(case: &Value, address: &ReturnTo) -> Url {
    let base = Url::parse(&(origin(case) + "/.edgeward/sign-in")).expect("a URL");
    base.join(address.url()).expect("a URL")
}

fn stays(case: &Value, address: &ReturnTo) -> bool {
    let reached = sent_to(case, address).origin().ascii_serialization();
    reached == origin(case) || hosts(case).contains(&reached)
}

#[test]
fn lists_of_open_redirects_are_refused() {
    for name in ["cases_open_redirect_oauth2proxy.json", "cases_open_redirect_patt.json"] {
        let Some(cases) = cases(name) else { return };
        let mut taken = Vec::new();
        for case in cases.iter().filter(|case| case["expected"]["allow"] == false) {
            for value in values(case) {
                let Some(it) = ReturnTo::parse(value, &origin(case), &hosts(case)) else { continue };
                assert!(stays(case, &it), "{} {value:?} -> {}", id(case), it.url());
                // As it stands in the list, still encoded, it may be but an odd path.
                if value == case["input"]["target_decoded"] {
                    taken.push(id(case));
                }
            }
        }
        assert!(taken.is_empty() || taken.as_slice() == IN_THE_QUERY, "{name}: {taken:?}");
        println!("{name}: {} cases", cases.len());
    }
}

#[test]
fn what_frameworks_take_and_refuse() {
    let Some(cases) = cases("cases_redirect_frameworks.json") else { return };
    let (mut stricter, mut laxer) = (Vec::new(), Vec::new());
    for case in &cases {
        let value = case["input"]["target_decoded"].as_str().expect("a value");
        let taken = ReturnTo::parse(value, &origin(case), &hosts(case));
        let must = case["expected"]["level"] == "must";
        match (case["expected"]["allow"].as_bool().expect("a verdict"), taken) {
            (true, Some(it)) => assert!(stays(case, &it), "{} {value:?}", id(case)),
            (true, None) => {
                assert!(!must, "{} {value:?} has to be taken", id(case));
                stricter.push(id(case).to_owned());
            }
            (false, Some(it)) => {
                assert!(!must && stays(case, &it), "{} {value:?} has to be refused", id(case));
                laxer.push(id(case).to_owned());
            }
            (false, None) => {}
        }
    }
    let ids =
        |list: &[(&str, &str)]| -> Vec<String> { list.iter().map(|(id, _)| (*id).to_owned()).collect() };
    assert_eq!(stricter, ids(STRICTER));
    assert_eq!(laxer, ids(LAXER));
}
