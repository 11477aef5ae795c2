//! What a link says, in words and as JSON.

use crate::cli::clock;
use crate::cli::output::visible;
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::UnixTime;
use edgeward::token::signed_url::{End, Scope, Stated, Target};
use serde_json::{Value, json};

/// What a link that was made grants: a line each.
pub fn grants(stated: &Stated, url: &str, now: UnixTime) -> Vec<String> {
    let none = FieldList::default();
    let facts = RequestFacts::new("GET", url, &none).ok();
    let host = facts.as_ref().map(RequestFacts::host).unwrap_or_default();
    let place = match &stated.scope.target {
        Target::Below(prefix) => format!("every path of {host} that begins with {prefix}"),
        _ if facts.is_some_and(|facts| facts.query.is_some()) => {
            "this address alone, with this very query".to_owned()
        }
        _ => "this address alone, without any query".to_owned(),
    };
    let mut line = format!("It grants {} of {place}", methods(&stated.scope.methods));
    if let Some(subject) = &stated.subject {
        line.push_str(&format!(", to {}", visible(subject)));
    }
    if !stated.scope.networks.is_empty() {
        line.push_str(&format!(", from {}", joined(&stated.scope.networks)));
    }
    match stated.uses {
        Some(1) => line.push_str(", once"),
        Some(uses) => line.push_str(&format!(", {uses} times")),
        None => {}
    }
    let from = stated.not_before.map(|from| format!("from {from} ({}) ", clock::relative(from, now)));
    let until = stated.end.map_or("for ever".to_owned(), |end| {
        format!("until {} ({})", end.stated(), clock::relative(end.stated(), now))
    });
    vec![format!("{line}."), format!("It is good {}{until}.", from.unwrap_or_default())]
}

fn methods(methods: &[String]) -> String {
    let named = |method: &String| if method == "GET" { "GET (and HEAD)".to_owned() } else { visible(method) };
    methods.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Every field that a link has, by name.
pub fn fields(stated: &Stated, now: UnixTime) -> Vec<(String, String)> {
    let Stated { id, subject, issued, not_before, end, uses, scope } = stated;
    let moment = |at: UnixTime| format!("{at}, {}", clock::relative(at, now));
    let last = |end: End| match end {
        End::Before(at) => moment(at),
        End::Through(at) => format!("{} (that second is still good)", moment(at)),
    };
    let listed = |list: &[String]| (!list.is_empty()).then(|| visible(&list.join(", ")));
    let networks = (!scope.networks.is_empty()).then(|| joined(&scope.networks));
    [
        ("id", id.as_deref().map(visible)),
        ("subject", subject.as_deref().map(visible)),
        ("issued", issued.map(moment)),
        ("good from", not_before.map(moment)),
        ("expires", Some(end.map_or("never".to_owned(), last))),
        ("uses", uses.map(|uses| uses.to_string())),
        ("origin", scope.origin.as_deref().map(visible)),
        ("host", scope.host.as_deref().map(visible)),
        ("for", Some(visible(&target(&scope.target)))),
        ("methods", (!scope.methods.is_empty()).then(|| methods(&scope.methods))),
        ("networks", networks),
        ("countries", listed(&scope.countries)),
        ("countries blocked", listed(&scope.blocked_countries)),
        ("fields", listed(&scope.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Which paths, in words.
pub fn target(target: &Target) -> String {
    match target {
        Target::This { query: true } => "the address that was signed, with its query".to_owned(),
        Target::This { query: false } => "the path that was signed, whatever the query".to_owned(),
        Target::Exactly { path, query: None } => path.clone(),
        Target::Exactly { path, query: Some(query) } if query.is_empty() => format!("{path} without a query"),
        Target::Exactly { path, query: Some(query) } => format!("{path}?{query}"),
        Target::Digest { .. } => "one long address".to_owned(),
        Target::Below(prefix) => format!("{prefix}*"),
        Target::Globs(globs) => globs.join(" or "),
        Target::Anywhere => "every path".to_owned(),
        Target::Elsewhere => "another address than this one".to_owned(),
    }
}

/// The same for programs.
pub fn says(stated: &Stated) -> Value {
    let Stated { id, subject, issued, not_before, end, uses, scope } = stated;
    let Scope { origin, host, target: _, methods, networks, countries, blocked_countries, fields } = scope;
    let seconds = |at: &Option<UnixTime>| at.map(UnixTime::seconds);
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    json!({
        "id": id,
        "subject": subject,
        "issued": seconds(issued),
        "not_before": seconds(not_before),
        "expires": end.map(|end| end.stated().seconds()),
        "uses": uses,
        "origin": origin,
        "host": host,
        "for": target(&scope.target),
        "methods": methods,
        "networks": networks,
        "countries": countries,
        "blocked_countries": blocked_countries,
        "fields": fields.iter().map(|(name, _)| name).collect::<Vec<_>>(),
    })
}
