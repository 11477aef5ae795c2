//! The cookies of who was sent away (RFC 6265bis): one for each errand, and one that says that somebody came back.
//!
//! Each errand has a cookie of its own, `__Host-edgeward-away-<8 hex>`: tabs that are sent away at the same moment do not
//! overwrite each other's. It holds 128 random bits that the sealed errand holds, too.

use super::{ERRAND_LASTS, Errand};
use crate::credentials::cookie;
use crate::text::hex;
use crate::time::Lifetime;
use crate::token::to_base64url;
use crate::verdict::Cause;

const SECURE: &str = "__Host-edgeward-away";
const BARE: &str = "edgeward-away";
/// A browser keeps so many errands; the oldest goes first.
const MOST: usize = 16;
/// Who comes back and needs a sign-in within this time is not sent away once more.
const CAME_BACK: Lifetime = Lifetime::from_seconds(10);

/// What a browser came back with a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// A sign-in.
    SignedIn,
    /// One with two factors.
    Twice,
}

/// Whether a cookie's name, without its prefix, is one of these.
#[must_use]
pub fn is_ours(bare: &str) -> bool {
    bare.strip_prefix(BARE).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// `Set-Cookie` of an errand, and those that make room for it. `field`: the request's `Cookie`.
#[must_use]
pub fn sent(errand: &Errand, field: &str, https: bool) -> Vec<String> {
    let names: Vec<&str> = names(field, https).collect();
    // Browsers put the oldest first (RFC 6265bis §5.8.3).
    let surplus = (names.len() + 1).saturating_sub(MOST);
    let mut lines: Vec<String> = names.iter().take(surplus).map(|name| gone(name, https)).collect();
    lines.push(line(&name(errand, https), &value(errand), https, ERRAND_LASTS));
    lines
}

/// Whether the browser that bears these cookies is the one that was sent.
#[must_use]
pub fn is_on(errand: &Errand, field: &str, https: bool) -> bool {
    use subtle::ConstantTimeEq as _;
    let name = name(errand, https);
    let mut values = cookie::values(field, &name);
    match (values.next(), values.next()) {
        (Some(found), None) => found.as_bytes().ct_eq(value(errand).as_bytes()).into(),
        _ => false,
    }
}

/// `Set-Cookie` lines at the end of an errand.
#[must_use]
pub fn came_back(errand: &Errand, came: Came, https: bool) -> [String; 2] {
    let value = if came == Came::Twice { "2" } else { "1" };
    [gone(&name(errand, https), https), line(mark(https), value, https, CAME_BACK)]
}

/// `Set-Cookie` lines that end an errand in vain: the page that says so learns why.
#[must_use]
pub fn failed(errand: &Errand, cause: Cause, https: bool) -> [String; 2] {
    [gone(&name(errand, https), https), line(mark(https), cause.name(), https, CAME_BACK)]
}

/// Why the browser came back in vain a moment ago.
#[must_use]
pub fn why(field: &str, https: bool) -> Option<Cause> {
    Cause::from_name(cookie::values(field, mark(https)).next()?)
}

/// What the browser came back with a moment ago, if it did.
#[must_use]
pub fn came(field: &str, https: bool) -> Option<Came> {
    match cookie::values(field, mark(https)).next()? {
        "1" => Some(Came::SignedIn),
        "2" => Some(Came::Twice),
        _ => None,
    }
}

/// `Set-Cookie` lines that take all of them away that the browser bears.
#[must_use]
pub fn cleared(field: &str, https: bool) -> Vec<String> {
    let mark = cookie::values(field, mark(https)).next().map(|_| mark(https));
    names(field, https).chain(mark).map(|name| gone(name, https)).collect()
}

const fn mark(https: bool) -> &'static str {
    if https { SECURE } else { BARE }
}

fn name(errand: &Errand, https: bool) -> String {
    [mark(https), "-", &hex(errand.secret.get(..4).unwrap_or_default())].concat()
}

fn value(errand: &Errand) -> String {
    to_base64url(errand.secret.get(4..).unwrap_or_default())
}

/// The names of the errands that a browser is on.
fn names(field: &str, https: bool) -> impl Iterator<Item = &str> {
    let is_one = move |name: &str| {
        let rest = name.strip_prefix(mark(https)).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|id| id.len() == 8 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    };
    cookie::all(field).map(|(name, _)| name).filter(move |name| is_one(name))
}

fn gone(name: &str, https: bool) -> String {
    line(name, "", https, Lifetime::default())
}

fn line(name: &str, value: &str, https: bool, span: Lifetime) -> String {
    let secure = if https { "; Secure" } else { "" };
    let age = span.seconds().to_string();
    [name, "=", value, "; Path=/", secure, "; HttpOnly; SameSite=Lax; Max-Age=", &age].concat()
}

#[cfg(test)]
mod tests {
    use super::super::errand::tests::errand;
    use super::*;
    use crate::authority::SECRET_SIZE;

    const VALUE: &str = "BwcHBwcHBwcHBwcHBwcHBw";

    #[test]
    fn a_cookie_for_each_errand() {
        let secure = "__Host-edgeward-away-07070707=BwcHBwcHBwcHBwcHBwcHBw; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600";
        assert_eq!(sent(&errand(), "", true), [secure]);
        let bare =
            "edgeward-away-07070707=BwcHBwcHBwcHBwcHBwcHBw; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";
        assert_eq!(sent(&errand(), "", false), [bare]);
    }

    #[test]
    fn only_the_browser_that_was_sent() {
        let errand = errand();
        for (field, wanted) in [
            (format!("__Host-edgeward-away-07070707={VALUE}"), true),
            (format!("a=b; __Host-edgeward-away-07070707={VALUE}; __Host-edgeward-away-00000000=x"), true),
            (format!("__Host-edgeward-away-07070707={VALUE}; __Host-edgeward-away-07070707={VALUE}"), false),
            (format!("__Host-edgeward-away-07070708={VALUE}"), false),
            (format!("edgeward-away-07070707={VALUE}"), false),
            ("__Host-edgeward-away-07070707=".to_owned(), false),
            ("__Host-edgeward-away-07070707=BwcHBwcHBwcHBwcHBwcHBg".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_on(&errand, &field, true), wanted, "{field}");
        }
        assert!(is_on(&errand, &format!("edgeward-away-07070707={VALUE}"), false));
        assert!(!is_on(&Errand { secret: [8; SECRET_SIZE], ..errand }, "", true));
    }

    #[test]
    fn the_oldest_make_room() {
        let on = |count: usize| -> String {
            (0..count).map(|n| format!("x=y; __Host-edgeward-away-{n:08x}=v; ")).collect()
        };
        assert_eq!(sent(&errand(), &on(15), true).len(), 1);
        let lines = sent(&errand(), &on(18), true);
        assert_eq!(lines.len(), 4);
        for (n, line) in lines.iter().take(3).enumerate() {
            assert!(
                line.starts_with(&format!("__Host-edgeward-away-{n:08x}=;")) && line.ends_with("Max-Age=0")
            );
        }
    }

    #[test]
    fn who_came_back() {
        let [gone, mark] = came_back(&errand(), Came::Twice, true);
        assert!(gone.starts_with("__Host-edgeward-away-07070707=;") && gone.ends_with("Max-Age=0"), "{gone}");
        assert!(mark.starts_with("__Host-edgeward-away=2;") && mark.ends_with("Max-Age=10"), "{mark}");
        for (field, wanted) in [
            ("__Host-edgeward-away=2", Some(Came::Twice)),
            ("a=b; __Host-edgeward-away=1", Some(Came::SignedIn)),
            ("__Host-edgeward-away=3", None),
            ("edgeward-away=1", None),
            ("__Host-edgeward-away-1=1", None),
        ] {
            assert_eq!(came(field, true), wanted, "{field}");
        }
        let [_, mark] = failed(&errand(), Cause::AccountSuspended, true);
        let pair = mark.split(';').next().expect("a pair");
        assert_eq!((why(pair, true), came(pair, true)), (Some(Cause::AccountSuspended), None));
        assert_eq!(why("__Host-edgeward-away=1", true), None);
        assert!(Came::SignedIn < Came::Twice);
        let both = "__Host-edgeward-away=1; __Host-edgeward-away-07070707=x; __Host-edgeward-away-7=x";
        assert_eq!(cleared(both, true).len(), 2);
        assert!(cleared("a=b", true).is_empty());
    }

    #[test]
    fn names_of_ours() {
        for name in ["edgeward-away", "edgeward-away-07070707", "edgeward-away-"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["edgeward-awaya", "edgeward", "away"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
