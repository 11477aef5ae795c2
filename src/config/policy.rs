//! `[vars.EDGEWARD]`: the policy as a whole.

use super::names::folded;
use super::notes::Notes;
use super::reader::{Node, Table};
use super::rule::{Surroundings, rule};
use super::token::Entries;
use super::verifiers::Configured;
use super::{Problem, Sources, brand, cors, forward, hosts, origin, session, token, totp, warnings};
use crate::json::Json;
use crate::password::Nfc;
use crate::policy::rules::PathCase;
use crate::policy::{
    Forward, FreshTokens, LinkEntry, LinkPlace, LogLevel, Origin, PlainHttp, Policy, Revocation, Rule,
    RuleSet, SessionSettings, TokenEntry, TokenPlace,
};
use crate::time::Lifetime;

/// Octets of a policy that are read. The platform's variables hold far less.
const LONGEST: usize = 256 * 1024;
/// Rules that are read.
const MOST_RULES: usize = 10_000;
/// Seconds of clock skew where the operator says nothing, and the most that may be forgiven.
const DEFAULT_LEEWAY: i64 = 30;
const LONGEST_LEEWAY: i64 = 300;
/// The most seconds that the origin may be given to begin its answer.
const LONGEST_ORIGIN_TIMEOUT: i64 = 600;
/// The most seconds that a token of `POST /.edgeward/token` is good.
const LONGEST_FRESH_TOKEN: i64 = 15 * 60;
const DEFAULT_REALM: &str = "Restricted";

/// The policy; `None` where the text is none, or its rules contradict each other. Other problems are in `notes`.
pub fn policy(sources: &Sources, configured: &Configured, nfc: Nfc, notes: &Notes) -> Option<Policy> {
    let text = sources.policy.as_deref().unwrap_or("{}");
    if let Some(problem) = unreadable(text) {
        notes.problems.push(problem);
        return None;
    }
    match Json::parse(text) {
        Ok(json) => Reader { sources, configured, nfc }.read(&Node::root("EDGEWARD", &json, notes)),
        Err(error) => {
            let found = format!("text that is no JSON ({error})");
            notes.problems.push(Problem::new("EDGEWARD", found, EXPECTED, FIX));
            None
        }
    }
}

const EXPECTED: &str = "the policy: a table, or the same as JSON text";
const FIX: &str = "Write it as [vars.EDGEWARD] in wrangler.toml, or take the variable out for a policy of nothing but defaults.";

fn unreadable(text: &str) -> Option<Problem> {
    if text.trim().is_empty() {
        return Some(Problem::new("EDGEWARD", "an empty text", EXPECTED, FIX));
    }
    let is_too_long = text.len() > LONGEST;
    let found = format!("{} bytes", text.len());
    is_too_long.then(|| {
        Problem::new("EDGEWARD", found, "256 KB at most", "Shorten it: one rule can cover a whole folder.")
    })
}

/// What the policy is read with.
struct Reader<'r> {
    sources: &'r Sources,
    configured: &'r Configured,
    nfc: Nfc,
}

impl Reader<'_> {
    fn read(&self, root: &Node<'_>) -> Option<Policy> {
        let policy = root.table(|table| self.members(table, root.notes()))??;
        check_fields(&policy, root.notes());
        warnings::of_policy(&policy, root.notes());
        totp::check_sessions(self.sources, policy.session.is_some(), root.notes());
        warnings::of_lock_out(&policy, self.sources.ledger, root.notes());
        Some(policy)
    }

    fn members(&self, table: &mut Table<'_>, notes: &Notes) -> Option<Policy> {
        let realm = table.read("realm", |node| realm(&node));
        let origin = table.read("origin", |node| origin::origin(&node, self.sources.assets));
        let leeway = table.read("leeway", |node| node.seconds(0..=LONGEST_LEEWAY, DEFAULT_LEEWAY));
        let fresh_tokens = table.read("token", |node| fresh_tokens(&node));
        // Before the entries: it may name keys that are none of theirs.
        let session = table.read("session", |node| session::session(&node, self.configured));
        let entries = self.tokens(table, session.as_ref());
        hosts::keep_apart(session.as_ref(), &entries, notes);
        hosts::need_keys(session.as_ref(), self.sources, notes);
        let api_key = table.read("api_key", |node| forward::api_key(&node, self.configured));
        self.configured.know(&entries, api_key.as_ref(), fresh_tokens.is_some());
        self.configured.know_session(session.is_some());
        let Entries { tokens, links } = entries;
        let means = warnings::Means::of(&tokens, fresh_tokens.is_some());
        let rules = self.rules(table, means, notes);
        // `rules?` comes last: every other key is read even where the rules cannot be used.
        Some(Policy {
            realm: realm.unwrap_or_else(|| DEFAULT_REALM.to_owned()),
            origin: origin.unwrap_or(Origin::Own),
            leeway: Lifetime::from_seconds(leeway.unwrap_or(DEFAULT_LEEWAY)),
            log: table.read_or_default("log", |node| log(&node)),
            http: table.read_or_default("http", |node| http(&node)),
            hsts: table.read("hsts", |node| node.boolean()).unwrap_or(true),
            brand: table.read_or_default("brand", |node| brand::brand(&node)),
            tokens,
            links,
            api_key: api_key.unwrap_or_else(forward::default_api_key),
            revocation: self.revocation(table),
            session,
            fresh_tokens,
            forward: table.read_or_default("forward", |node| forward::forward(&node)),
            origin_timeout: table.read("origin_timeout", |node| origin_timeout(&node)),
            cors: table.read("cors", |node| cors::cors(&node)),
            websocket_origins: table.read_or_default("websocket", |node| cors::websocket_origins(&node)),
            rules: rules?,
        })
    }

    /// The entries; where there are none but keys, one of nothing but defaults.
    fn tokens(&self, table: &mut Table<'_>, session: Option<&SessionSettings>) -> Entries {
        let node = table.get("tokens");
        let mut entries =
            node.as_ref().and_then(|node| token::tokens(node, self.configured)).unwrap_or_default();
        let are_none = node.is_none_or(|node| node.is_empty_list());
        if are_none && self.sources.keys.is_some() {
            let shared: Vec<&str> = session
                .into_iter()
                .flat_map(|session| session.discourse.keys())
                .map(|(_, kid)| kid.as_str())
                .collect();
            entries.tokens.extend(token::default_entry_without(self.configured, &shared));
        }
        entries
    }

    /// `revocation = "strict"` asks the ledger, which has to be there then.
    fn revocation(&self, table: &mut Table<'_>) -> Revocation {
        let strict = table.read_or_default("revocation", |node| {
            let strict = node.one_of(&[("delayed", false), ("strict", true)])?;
            if strict {
                self.configured.need_ledger(&node);
            }
            Some(strict)
        });
        let pass_unchecked = table.read_or_default("revocation_unavailable", |node| {
            node.one_of(&[("refuse", false), ("allow", true)])
        });
        Revocation { strict, pass_unchecked }
    }

    fn rules(&self, table: &mut Table<'_>, means: warnings::Means, notes: &Notes) -> Option<RuleSet> {
        let case = table.read("paths", |node| {
            node.one_of(&[("exact", PathCase::Exact), ("ignore-case", PathCase::Ignore)])
        });
        let rules = table.read_or_default("rules", |node| self.each_rule(&node));
        warnings::of_rules(&rules, means, notes);
        let default = Rule::protected(self.configured.kinds());
        let set = RuleSet::new(rules, default, case.unwrap_or(PathCase::Exact));
        set.map_err(|problems| notes.problems.extend(problems)).ok()
    }

    fn each_rule(&self, node: &Node<'_>) -> Option<Vec<Rule>> {
        let items = node.items()?;
        if items.len() > MOST_RULES {
            let found = format!("{} rules", items.len());
            node.refuse_as(found, "10,000 at most", "Let one rule cover a whole folder.");
            return None;
        }
        let around = Surroundings { configured: self.configured, nfc: self.nfc };
        Some(items.iter().enumerate().filter_map(|(n, item)| rule(item, n, &around)).collect())
    }
}

/// `[vars.EDGEWARD.token]`: being there is what offers `POST /.edgeward/token`.
fn fresh_tokens(node: &Node<'_>) -> Option<FreshTokens> {
    let fits = |span: &Lifetime| (1..=LONGEST_FRESH_TOKEN).contains(&span.seconds());
    let expected = "a whole number and a unit from \"1s\" to \"15m\"";
    let lifetime = |node: Node<'_>| {
        node.parsed(|text| Lifetime::parse(text).filter(fits), expected, "Write it like \"15m\".")
    };
    let longest = Lifetime::from_seconds(LONGEST_FRESH_TOKEN);
    node.table(|table| FreshTokens { lifetime: table.read("lifetime", lifetime).unwrap_or(longest) })
}

fn realm(node: &Node<'_>) -> Option<String> {
    let is_printable = |b: u8| b.is_ascii_graphic() || b == b' ';
    node.text_of(
        is_printable,
        "printable ASCII",
        "Write it in letters without accents; brand.name may have any.",
    )
}

fn origin_timeout(node: &Node<'_>) -> Option<Lifetime> {
    let fits = |span: &Lifetime| (1..=LONGEST_ORIGIN_TIMEOUT).contains(&span.seconds());
    let expected = "a whole number and a unit from \"1s\" to \"10m\"";
    node.parsed(|text| Lifetime::parse(text).filter(fits), expected, "Write it like \"100s\".")
}

fn log(node: &Node<'_>) -> Option<LogLevel> {
    node.one_of(&[("refused", LogLevel::Refused), ("all", LogLevel::All), ("none", LogLevel::None)])
}

fn http(node: &Node<'_>) -> Option<PlainHttp> {
    node.one_of(&[
        ("redirect", PlainHttp::Redirect),
        ("refuse", PlainHttp::Refuse),
        ("allow", PlainHttp::Allow),
    ])
}

/// One field cannot carry credentials in and an identity out, nor credentials of two kinds: with one value in it, a
/// request would always bear two credentials.
fn check_fields(policy: &Policy, notes: &Notes) {
    let Forward { user, groups, .. } = &policy.forward;
    let same = |one: &str, other: &str| folded(one) == folded(other);
    for (key, name) in [("user", user), ("groups", groups)] {
        if same(name, &policy.api_key.field) {
            refuse_field(notes, format!("EDGEWARD.forward.{key}"), name, "API keys");
        }
    }
    for (index, field) in token_fields(&policy.tokens).chain(link_fields(&policy.links)) {
        let at = || format!("EDGEWARD.tokens[{index}].from");
        if same(field, &policy.api_key.field) {
            refuse_field(notes, at(), field, "API keys");
        } else if [user, groups].iter().any(|name| same(name, field)) {
            refuse_field(notes, at(), field, "the identity that the origin is told");
        }
    }
    for (index, field) in link_fields(&policy.links) {
        if token_fields(&policy.tokens).any(|(_, other)| same(field, other)) {
            refuse_field(notes, format!("EDGEWARD.tokens[{index}].from"), field, "JWTs");
        }
    }
}

fn token_fields(entries: &[TokenEntry]) -> impl Iterator<Item = (usize, &str)> {
    entries.iter().filter_map(|entry| entry.index.map(|index| (index, &entry.from))).flat_map(
        |(index, from)| {
            from.iter().filter_map(move |place| match place {
                TokenPlace::Header(name) => Some((index, name.as_str())),
                TokenPlace::Authorization | TokenPlace::Cookie(_) | TokenPlace::Query(_) => None,
            })
        },
    )
}

fn link_fields(entries: &[LinkEntry]) -> impl Iterator<Item = (usize, &str)> {
    entries.iter().flat_map(|entry| {
        entry.from.iter().filter_map(move |place| match place {
            LinkPlace::Field(name) => Some((entry.index, name.as_str())),
            LinkPlace::Parameters | LinkPlace::Query(_) | LinkPlace::Cookie(_) | LinkPlace::Path => None,
        })
    })
}

fn refuse_field(notes: &Notes, at: String, name: &str, other: &str) {
    let found = format!("\"{name}\", which is the field of {other} too");
    notes.problems.push(Problem::new(at, found, "a field of its own", "Rename one of them."));
}
