//! `Require`: who may pass, as far as a rule can say it.
//!
//! Several lines of one section are alternatives, as in `<RequireAny>`. A rule lets in by person or by network, not by
//! either: of such alternatives the persons stay. What is not known lets nobody in.

use super::super::draft::Draft;
use super::super::networks::{is_inside_only, network, written};
use super::syntax::Directive;

/// Who may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Open,
    /// Nobody.
    Shut,
    /// Whom both name, where both are there.
    Some {
        /// Users and groups, one of which is enough; any account where both lists are empty.
        persons: Option<Persons>,
        /// Networks.
        networks: Option<Vec<String>>,
    },
}

/// Users and groups; any account where both are empty.
type Persons = (Vec<String>, Vec<String>);

/// Whether a directive or section says who may pass.
pub fn is_requirement(directive: &Directive) -> bool {
    matches!(directive.name.as_str(), "require" | "requireall" | "requireany" | "requirenone")
}

/// The alternatives of a section; `None` where it has none.
pub fn any(directives: &[Directive], draft: &mut Draft) -> Option<Who> {
    let parts: Vec<(usize, Who)> =
        directives.iter().filter(|it| is_requirement(it)).map(|it| (it.line, one(it, draft))).collect();
    if parts.is_empty() { None } else { Some(either(parts, draft)) }
}

fn one(directive: &Directive, draft: &mut Draft) -> Who {
    let block = directive.block.as_deref().unwrap_or_default();
    match directive.name.as_str() {
        "require" => line(directive, draft),
        "requireany" => any(block, draft).unwrap_or(Who::Shut),
        "requireall" => {
            let parts =
                block.iter().filter(|it| is_requirement(it)).map(|it| (it.line, one(it, draft))).collect();
            both(parts, draft)
        }
        _ => unknown(directive, draft),
    }
}

fn line(directive: &Directive, draft: &mut Draft) -> Who {
    let rest = || directive.args.iter().skip(1).cloned().collect::<Vec<_>>();
    let persons = |users, groups| Who::Some { persons: Some((users, groups)), networks: None };
    let second = directive.args.get(1).map(|word| word.to_ascii_lowercase());
    match (directive.first().to_ascii_lowercase().as_str(), second.as_deref()) {
        ("all", Some("granted")) => Who::Open,
        ("all", Some("denied")) => Who::Shut,
        ("valid-user", None) => persons(Vec::new(), Vec::new()),
        ("user", Some(_)) => persons(rest(), Vec::new()),
        ("group", Some(_)) => persons(Vec::new(), rest()),
        ("ip", Some(_)) => addresses(directive, draft),
        ("local", None) => {
            let networks = ["127.0.0.0/8", "::1"].map(str::to_owned).to_vec();
            Who::Some { persons: None, networks: Some(networks) }
        }
        _ => unknown(directive, draft),
    }
}

fn addresses(directive: &Directive, draft: &mut Draft) -> Who {
    let mut networks = Vec::new();
    for text in directive.args.iter().skip(1) {
        match network(text) {
            None => draft.leave(
                directive.line,
                format!("Require ip {text}"),
                "it is neither an address nor a network",
            ),
            Some(network) => {
                if is_inside_only(&network) {
                    let why =
                        "an address of an inner network never reaches Cloudflare: it is of no effect here";
                    draft.differs(directive.line, format!("Require ip {text}"), why);
                }
                networks.push(written(&network));
            }
        }
    }
    if networks.is_empty() { Who::Shut } else { Who::Some { persons: None, networks: Some(networks) } }
}

fn unknown(directive: &Directive, draft: &mut Draft) -> Who {
    let what =
        if directive.block.is_some() { directive.head() } else { format!("Require {}", directive.first()) };
    draft.leave(directive.line, what, "a rule cannot say it: it lets nobody in");
    Who::Shut
}

/// One that holds is enough.
fn either(parts: Vec<(usize, Who)>, draft: &mut Draft) -> Who {
    if parts.iter().any(|(_, who)| *who == Who::Open) {
        return Who::Open;
    }
    let mut parts: Vec<(usize, Who)> = parts.into_iter().filter(|(_, who)| *who != Who::Shut).collect();
    if parts.len() == 1 {
        return parts.pop().map_or(Who::Shut, |(_, who)| who);
    }
    let names_person = |who: &Who| matches!(who, Who::Some { persons: Some(_), networks: None });
    let wants_persons = parts.iter().any(|(_, who)| names_person(who));
    let (mut union, mut nets): (Option<Persons>, Vec<String>) = (None, Vec::new());
    for (line, who) in parts {
        match who {
            Who::Some { persons: Some(more), networks: None } => union = Some(joined(union, more)),
            Who::Some { persons: None, networks: Some(more) } if !wants_persons => nets.extend(more),
            Who::Some { .. } | Who::Open | Who::Shut => {
                let why = "a rule lets in by network or by person, not by either: who comes from there signs in like others";
                draft.differs(line, "Require", why);
            }
        }
    }
    match (union, nets.is_empty()) {
        (Some(persons), _) => Who::Some { persons: Some(persons), networks: None },
        (None, false) => Who::Some { persons: None, networks: Some(nets) },
        (None, true) => Who::Shut,
    }
}

/// Both lists empty stands for any account, and stays so.
fn joined(known: Option<Persons>, more: Persons) -> Persons {
    let is_any = |it: &Persons| it.0.is_empty() && it.1.is_empty();
    match known {
        None => more,
        Some(known) if is_any(&known) => known,
        Some(_) if is_any(&more) => more,
        Some((users, groups)) => ([users, more.0].concat(), [groups, more.1].concat()),
    }
}

/// All must hold.
fn both(parts: Vec<(usize, Who)>, draft: &mut Draft) -> Who {
    let (mut persons, mut networks): (Option<Persons>, Option<Vec<String>>) = (None, None);
    for (line, who) in parts {
        let Who::Some { persons: more, networks: nets } = who else {
            if who == Who::Shut {
                return Who::Shut;
            }
            continue;
        };
        let is_any = |it: &Persons| it.0.is_empty() && it.1.is_empty();
        let clash =
            persons.as_ref().is_some_and(|it| !is_any(it)) && more.as_ref().is_some_and(|it| !is_any(it));
        if clash || (networks.is_some() && nets.is_some()) {
            draft.leave(
                line,
                "Require",
                "a rule cannot ask for two users, groups or networks at once: nobody passes",
            );
            return Who::Shut;
        }
        if persons.as_ref().is_none_or(is_any) && more.is_some() {
            persons = more;
        }
        networks = networks.or(nets);
    }
    if persons.is_none() && networks.is_none() { Who::Open } else { Who::Some { persons, networks } }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::parse;
    use super::*;

    fn who(text: &str) -> String {
        match any(&parse(text).unwrap(), &mut Draft::default()) {
            None => "-".to_owned(),
            Some(Who::Open) => "open".to_owned(),
            Some(Who::Shut) => "shut".to_owned(),
            Some(Who::Some { persons, networks }) => {
                let persons =
                    persons.map(|(users, groups)| format!("u[{}] g[{}]", users.join(","), groups.join(",")));
                [persons, networks.map(|it| it.join(","))].into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn who_may_pass() {
        for (text, expected) in [
            ("", "-"),
            ("Require all granted", "open"),
            ("require ALL Denied", "shut"),
            ("Require valid-user", "u[] g[]"),
            ("Require user ann bob\nRequire group staff", "u[ann,bob] g[staff]"),
            ("Require user ann\nRequire valid-user", "u[] g[]"),
            ("Require valid-user\nRequire user ann", "u[] g[]"),
            ("Require ip 203.0.113.0/24 2001:db8::1", "203.0.113.0/24,2001:db8::1"),
            ("Require ip 192.0.2\nRequire ip 198.51.100.1", "192.0.2.0/24,198.51.100.1"),
            ("Require ip 192.0.2\nRequire user ann", "u[ann] g[]"),
            ("Require ip nonsense", "shut"),
            ("Require host example.org", "shut"),
            ("Require not user ann", "shut"),
            ("Require expr true\nRequire user ann", "u[ann] g[]"),
            (
                "<RequireAll>\nRequire user ann\nRequire ip 192.0.2.0/24\n</RequireAll>",
                "u[ann] g[] 192.0.2.0/24",
            ),
            ("<RequireAll>\nRequire valid-user\nRequire user ann\n</RequireAll>", "u[ann] g[]"),
            ("<RequireAll>\nRequire user ann\nRequire group g\n</RequireAll>", "shut"),
            ("<RequireAll>\nRequire user ann\nRequire not ip 1.2.3.4\n</RequireAll>", "shut"),
            ("<RequireAll>\nRequire all granted\n</RequireAll>", "open"),
            ("<RequireAll>\nRequire all granted\nRequire not ip 1.2.3.4\n</RequireAll>", "shut"),
            (
                "<RequireAll>\n<RequireAny>\nRequire user a\nRequire group g\n</RequireAny>\nRequire ip 192.0.2.1\n</RequireAll>",
                "u[a] g[g] 192.0.2.1",
            ),
            ("<RequireNone>\nRequire user ann\n</RequireNone>", "shut"),
            ("<RequireAny>\n</RequireAny>", "shut"),
            ("Require method GET", "shut"),
        ] {
            assert_eq!(who(text), expected, "{text}");
        }
    }
}
