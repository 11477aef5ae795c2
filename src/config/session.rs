//! `[vars.EDGEWARD.session]`: being there is what lets people sign in.

use super::cors::texts;
use super::hosts;
use super::reader::{Node, Table};
use super::verifiers::Configured;
use crate::policy::{SessionSettings, Warn};
use crate::time::Lifetime;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Browsers keep no cookie for longer (RFC 6265bis §5.5).
const LONGEST: i64 = 400 * DAY;

/// What `Clear-Site-Data` may clear besides `cache`.
const CLEARED: [&str; 4] = ["cookies", "storage", "executionContexts", "*"];

/// The whole table.
pub fn session(node: &Node<'_>, configured: &Configured) -> Option<SessionSettings> {
    let settings = node.table(|table| {
        let span = |table: &mut Table<'_>, key, default| {
            table.read(key, |node| lifetime(&node, 1)).unwrap_or(Lifetime::from_seconds(default))
        };
        SessionSettings {
            idle: span(table, "idle", 30 * MINUTE),
            absolute: span(table, "absolute", 12 * HOUR),
            remember: remember(table),
            remember_idle: span(table, "remember_idle", 7 * DAY),
            warn: table.read_or_default("warn", |node| {
                node.one_of(&[("off", Warn::Off), ("script", Warn::Script), ("inject", Warn::Inject)])
            }),
            by_form: configured.has_accounts(),
            domain: table.read("domain", |node| hosts::domain(&node)),
            hosts: table.read_or_default("hosts", |node| hosts::hosts(&node)),
            authority: table.read("authority", |node| hosts::secure_origin(&node)),
            clear_site_data: table.read_or_default("clear_site_data", |node| cleared(&node)),
            discourse: table.read_or_default("discourse", |node| hosts::discourse(&node)),
        }
    })?;
    // What lets somebody in once has to be counted.
    if settings.authority.is_some() || settings.discourse.consumer.is_some() {
        configured.need_ledger(node);
    }
    check_order(&settings, node);
    if settings.discourse.consumer.is_none() {
        configured.need_accounts(&format!("{} is there", node.at()), node.notes());
    }
    Some(settings)
}

/// `"0"` forbids it.
fn remember(table: &mut Table<'_>) -> Option<Lifetime> {
    let default = Lifetime::from_seconds(30 * DAY);
    let span = table.read("remember", |node| lifetime(&node, 0)).unwrap_or(default);
    (span.seconds() > 0).then_some(span)
}

fn lifetime(node: &Node<'_>, least: i64) -> Option<Lifetime> {
    let fits = |span: &Lifetime| (least..=LONGEST).contains(&span.seconds());
    let expected = if least == 0 {
        "a whole number and a unit up to \"400d\", or \"0\""
    } else {
        "a whole number and a unit from \"1s\" to \"400d\""
    };
    node.parsed(
        |text| Lifetime::parse(text).filter(fits),
        expected,
        "Write it like \"30m\", \"12h\" or \"30d\".",
    )
}

fn cleared(node: &Node<'_>) -> Option<Vec<String>> {
    texts(node, |item| {
        let directive = item.one_of(&CLEARED.map(|name| (name, name)))?;
        if matches!(directive, "cookies" | "*") {
            let expected =
                "another directive, as this one clears the cookies of all hosts of the registrable domain";
            item.notes().warnings.push(super::Problem::new(
                item.at(),
                format!("\"{directive}\""),
                expected,
                "Take it out.",
            ));
        }
        Some(directive.to_owned())
    })
}

/// A session that may idle for longer than it lasts has no time of idleness.
fn check_order(settings: &SessionSettings, node: &Node<'_>) {
    let pairs = [
        ("idle", settings.idle, Some(settings.absolute)),
        ("remember_idle", settings.remember_idle, settings.remember),
    ];
    for (key, idle, whole) in pairs {
        if whole.is_some_and(|whole| idle > whole) {
            let expected = format!("a {key} that is over before the session is");
            let fix = "It never ends a session as it is: shorten it, or leave it.";
            node.notes().warnings.push(super::Problem::new(
                format!("{}.{key}", node.at()),
                "a longer time",
                expected,
                fix,
            ));
        }
    }
}
