//! Grants as JSON: exactly these members, and none besides.
//!
//! ```json
//! [{"f":"edgeward","k":"Zx3_","p":"aB3-dE5_","id":"AQIDBAUGBwg","sub":"ann","iat":1795305600,"nbf":1795305700,"lt":1795309200,
//!   "o":"https://h.example","h":"h.example","to":["below","/a/"],"m":["GET"],"net":["203.0.113.0/24"],"in":["NL"],"out":["US"],
//!   "with":["user-agent","curl/8"]}]
//! ```
//!
//! `p` is the print of the key `k`. `lt` and `le` are the end (good while now is less than it, or through that second). What is not limited is left out,
//! but for `to`, which says `["anywhere"]`: what is missing must not open anything.

use crate::json::{Json, ObjectWriter};
use crate::policy::Format;
use crate::time::UnixTime;
use crate::token::signed_url::{End, Grant, Scope, Stated, Target};

/// The longest time that can be written, in Unix seconds (year 9999).
const LAST: i64 = 253_402_300_799;

/// Writes grants.
pub fn json(grants: &[Grant]) -> String {
    let mut json = String::from("[");
    for (index, grant) in grants.iter().enumerate() {
        json.push_str(if index == 0 { "" } else { "," });
        json.push_str(&object(grant));
    }
    json.push(']');
    json
}

fn object(grant: &Grant) -> String {
    let Stated { id, subject, issued, not_before, end, uses: _, scope } = &grant.stated;
    let (before, through) = match end {
        Some(End::Before(at)) => (Some(*at), None),
        Some(End::Through(at)) => (None, Some(*at)),
        None => (None, None),
    };
    let networks: Vec<String> = scope.networks.iter().map(ToString::to_string).collect();
    let mut out = ObjectWriter::new()
        .text("f", grant.format.name())
        .text("k", &grant.key)
        .text("p", &grant.key_print)
        .optional("id", id.as_deref())
        .optional("sub", subject.as_deref());
    for (name, at) in [("iat", *issued), ("nbf", *not_before), ("lt", before), ("le", through)] {
        if let Some(at) = at {
            out = out.number(name, at.seconds().clamp(0, LAST));
        }
    }
    out = out.optional("o", scope.origin.as_deref()).optional("h", scope.host.as_deref());
    out = out.texts("to", &target(&scope.target));
    let fields: Vec<String> = scope.fields.iter().flat_map(|(name, value)| [name, value]).cloned().collect();
    let lists = [
        ("m", &scope.methods),
        ("net", &networks),
        ("in", &scope.countries),
        ("out", &scope.blocked_countries),
        ("with", &fields),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        out = out.texts(name, list);
    }
    out.finish()
}

fn target(target: &Target) -> Vec<String> {
    let (kind, rest) = match target {
        // Never taken in; not readable either.
        Target::This { .. } | Target::Elsewhere => ("", Vec::new()),
        Target::Exactly { path, query } => {
            ("exactly", core::iter::once(path.clone()).chain(query.clone()).collect())
        }
        Target::Digest { sum, query: false } => ("path", vec![sum.clone()]),
        Target::Digest { sum, query: true } => ("address", vec![sum.clone()]),
        Target::Below(prefix) => ("below", vec![prefix.clone()]),
        Target::Globs(globs) => ("globs", globs.clone()),
        Target::Anywhere => ("anywhere", Vec::new()),
    };
    core::iter::once(kind.to_owned()).chain(rest).collect()
}

/// Reads grants; `None` where anything is otherwise than it is written here.
pub fn grants(json: &str) -> Option<Vec<Grant>> {
    let json = Json::parse(json).ok()?;
    let grants = json.as_array().filter(|grants| (1..=super::MOST).contains(&grants.len()))?;
    grants.iter().map(|grant| read(grant.as_object()?)).collect()
}

fn read(members: &[(std::borrow::Cow<'_, str>, Json<'_>)]) -> Option<Grant> {
    let (mut format, mut key, mut print, mut to) = (None, None, None, None);
    let (mut stated, mut scope) = (Stated::default(), Scope::default());
    for (name, value) in members {
        match &**name {
            "f" => format = Some(Format::from_name(value.as_text()?)?),
            "k" => key = Some(text(value)?),
            "p" => print = Some(text(value)?),
            "id" => stated.id = Some(text(value)?),
            "sub" => stated.subject = Some(text(value)?),
            "iat" => stated.issued = Some(moment(value)?),
            "nbf" => stated.not_before = Some(moment(value)?),
            "lt" if stated.end.is_none() => stated.end = Some(End::Before(moment(value)?)),
            "le" if stated.end.is_none() => stated.end = Some(End::Through(moment(value)?)),
            "o" => scope.origin = Some(text(value)?),
            "h" => scope.host = Some(text(value)?),
            "to" => to = Some(read_target(&texts(value)?)?),
            "m" => scope.methods = some(texts(value)?)?,
            "net" => scope.networks = networks(&some(texts(value)?)?)?,
            "in" => scope.countries = some(texts(value)?)?,
            "out" => scope.blocked_countries = some(texts(value)?)?,
            "with" => scope.fields = fields(&some(texts(value)?)?)?,
            _ => return None,
        }
    }
    scope.target = to?;
    stated.scope = scope;
    Some(Grant { format: format?, key: key?, key_print: print?, stated })
}

fn read_target(words: &[String]) -> Option<Target> {
    let (kind, rest) = words.split_first()?;
    match (kind.as_str(), rest) {
        ("exactly", [path]) => Some(Target::Exactly { path: path.clone(), query: None }),
        ("exactly", [path, query]) => {
            Some(Target::Exactly { path: path.clone(), query: Some(query.clone()) })
        }
        ("path", [sum]) => Some(Target::Digest { sum: sum.clone(), query: false }),
        ("address", [sum]) => Some(Target::Digest { sum: sum.clone(), query: true }),
        ("below", [prefix]) => Some(Target::Below(prefix.clone())),
        ("globs", globs) => Some(Target::Globs(globs.to_vec())),
        ("anywhere", []) => Some(Target::Anywhere),
        _ => None,
    }
}

/// Names and values in turn.
fn fields(texts: &[String]) -> Option<Vec<(String, String)>> {
    let (pairs, rest) = texts.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect())
}

fn networks(texts: &[String]) -> Option<Vec<crate::network::Network>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

/// A limit that is there limits.
fn some(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

fn text(value: &Json<'_>) -> Option<String> {
    value.as_text().map(str::to_owned)
}

fn texts(value: &Json<'_>) -> Option<Vec<String>> {
    Some(value.as_texts()?.into_iter().map(str::to_owned).collect())
}

fn moment(value: &Json<'_>) -> Option<UnixTime> {
    UnixTime::from_numeric_date(value.as_number()?)
}
