//! Which language a visitor reads: the one that was chosen on a page (a cookie), else `Accept-Language` (RFC 9110 §12.5.4) by
//! lookup (RFC 4647 §3.4), and by what people read who ask for what we do not have.

use crate::credentials::cookie;
use crate::reply::languages::{self, Language};
use crate::request::{RequestFacts, Scheme};

/// For so many seconds a choice is kept: a year.
const KEPT_FOR: u32 = 31_536_000;

/// How many ranges are looked at: no browser sends more, and what an attacker sends has to end somewhere.
const MOST: usize = 32;

/// What this visitor reads, of all languages that there are: its words may have to be learned first.
#[must_use]
pub fn wanted(facts: &RequestFacts<'_>) -> &'static str {
    of_request(facts, &languages::tags(|_| true))
}

/// What this visitor reads, of the languages whose words are known.
#[must_use]
pub fn spoken(facts: &RequestFacts<'_>) -> &'static str {
    of_request(facts, &languages::tags(Language::is_learned))
}

/// The cookie that keeps a choice: over plain http, where a browser takes no `Secure` one, without prefix.
#[must_use]
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-edgeward-lang" } else { "edgeward-lang" }
}

/// `Set-Cookie` for a choice (RFC 6265bis §4.1).
#[must_use]
pub fn set_cookie(tag: &str, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={tag}; Path=/{secure}; HttpOnly; SameSite=Lax; Max-Age={KEPT_FOR}", cookie_name(https))
}

fn of_request(facts: &RequestFacts<'_>, have: &[&'static str]) -> &'static str {
    let cookies = facts.field("cookie").unwrap_or_default();
    let kept = cookie::values(&cookies, cookie_name(facts.scheme == Scheme::Https));
    let chosen = kept.filter_map(|value| have.iter().find(|tag| **tag == value)).next();
    chosen.copied().unwrap_or_else(|| choose(facts.field("accept-language").as_deref(), have))
}

/// The best of `have` for a field value; the first of `have` where none fits or nothing was asked for.
///
/// Ranges are tried by falling quality, in their order where it is equal. Each is shortened from the end (`de-CH-1996`,
/// `de-CH`, `de`) until it is one of `have`; else it is what its readers read (`zh-Hant` for `zh-TW`), else any of the same
/// language (`pt-BR` for `pt-PT`), which is nearer than the next range. `q=0` excludes; `*` is anything: the default.
#[must_use]
pub fn choose<'h>(accept: Option<&str>, have: &[&'h str]) -> &'h str {
    let ranges = ranges(accept.unwrap_or_default());
    let mut wanted = ranges.iter().filter(|(_, quality)| *quality > 0).map(|(range, _)| *range);
    let refused =
        |tag: &str| ranges.iter().any(|(range, quality)| *quality == 0 && range.eq_ignore_ascii_case(tag));
    let free: Vec<&'h str> = have.iter().copied().filter(|tag| !refused(tag)).collect();
    wanted.find_map(|range| best(range, &free)).or_else(|| have.first().copied()).unwrap_or("en")
}

fn best<'h>(range: &str, have: &[&'h str]) -> Option<&'h str> {
    let same = |tag: &str| primary(tag).eq_ignore_ascii_case(primary(range));
    lookup(range, have)
        .or_else(|| have.iter().copied().find(|tag| Some(*tag) == likely(range)))
        .or_else(|| have.iter().copied().find(|tag| same(tag)))
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// What readers of a range read, where its name does not tell: Chinese by country (CLDR, "Likely Subtags"), and the codes
/// that Hebrew and Indonesian had before 1989, which some clients still send.
fn likely(range: &str) -> Option<&'static str> {
    let has = |subtag: &str| range.split('-').any(|it| it.eq_ignore_ascii_case(subtag));
    match primary(range).to_ascii_lowercase().as_str() {
        "zh" if ["TW", "HK", "MO"].iter().any(|place| has(place)) => Some("zh-Hant"),
        "zh" => Some("zh-Hans"),
        "yue" => Some("zh-Hant"),
        "iw" => Some("he"),
        "in" => Some("id"),
        _ => None,
    }
}

/// Ranges with their quality in thousandths, best first.
fn ranges(value: &str) -> Vec<(&str, u16)> {
    let mut ranges = Vec::new();
    for (tag, quality) in value.split(',').take(MOST).filter_map(range) {
        // Behind its equals: their order stays.
        let place = ranges.partition_point(|(_, better)| *better >= quality);
        ranges.insert(place, (tag, quality));
    }
    ranges
}

fn range(item: &str) -> Option<(&str, u16)> {
    let (tag, weight) = match item.split_once(';') {
        Some((tag, weight)) => (tag.trim(), quality(weight.trim())?),
        None => (item.trim(), 1000),
    };
    let good = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    good.then_some((tag, weight))
}

/// A qvalue (RFC 9110 §12.4.2) in thousandths.
fn quality(weight: &str) -> Option<u16> {
    let value = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

fn lookup<'h>(range: &str, have: &[&'h str]) -> Option<&'h str> {
    let mut range = range;
    loop {
        if let Some(tag) = have.iter().find(|tag| tag.eq_ignore_ascii_case(range)) {
            return Some(tag);
        }
        range = range.rsplit_once('-')?.0;
        // A single letter introduces what follows it and goes with it.
        if let Some((before, last)) = range.rsplit_once('-') {
            range = if last.len() == 1 { before } else { range };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_table() {
        let have = ["en", "de", "pt-BR", "zh-Hant", "fr"];
        for (accept, wanted) in [
            ("", "en"),
            ("de", "de"),
            ("DE-ch", "de"),
            ("de-CH-1996, fr", "de"),
            ("fr;q=0.5, de;q=0.9", "de"),
            ("fr;q=0.5,de;q=0.5", "fr"),
            ("ja, fr;q=0.1", "fr"),
            ("ja, *", "en"),
            ("de;q=0, fr;q=0.001", "fr"),
            ("de;q=0", "en"),
            ("pt-BR-x-private", "pt-BR"),
            ("pt", "pt-BR"),
            ("pt-PT, de;q=0.2", "pt-BR"),
            ("zh-Hant-TW", "zh-Hant"),
            ("zh-Hans, fr;q=0.3", "zh-Hant"),
            ("fr;q=0.3, zh;q=0.2", "fr"),
            ("pt;q=0, pt-PT", "pt-BR"),
            ("pt-PT, pt-BR;q=0, fr;q=0.1", "fr"),
            ("de;q=1.5, fr", "fr"),
            ("de;q=0.5555, fr;q=0.2", "fr"),
            ("de;level=1, fr;q=0.2", "fr"),
            (";;,,q=1,d<e", "en"),
        ] {
            assert_eq!(choose(Some(accept), &have), wanted, "{accept}");
        }
        assert_eq!(choose(None, &have), "en");
        assert_eq!(choose(Some("de"), &[]), "en");
    }

    #[test]
    fn readers_of_what_is_named_otherwise() {
        let have = ["en", "he", "id", "zh-Hans", "zh-Hant"];
        for (accept, wanted) in [
            ("zh", "zh-Hans"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
            ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
            ("ZH-hk", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("zh-Hans-TW", "zh-Hans"),
            ("yue", "zh-Hant"),
            ("iw", "he"),
            ("in-ID", "id"),
            ("inx", "en"),
        ] {
            assert_eq!(choose(Some(accept), &have), wanted, "{accept}");
        }
    }

    fn of(uri: &str, fields: &[(&str, &str)]) -> &'static str {
        let fields = crate::request::FieldList::new(fields.iter().copied());
        let facts = RequestFacts::new("GET", uri, &fields).expect("an absolute URI");
        of_request(&facts, &["en", "de", "fr"])
    }

    #[test]
    fn a_choice_comes_first() {
        let asks = ("Accept-Language", "fr");
        for (cookie, wanted) in [
            ("__Host-edgeward-lang=de", "de"),
            ("a=b; __Host-edgeward-lang=de; c", "de"),
            ("__Host-edgeward-lang=ja", "fr"),
            ("__Host-edgeward-lang=DE", "fr"),
            ("__Host-edgeward-lang=", "fr"),
            ("__Host-edgeward-lang=x; __Host-edgeward-lang=de", "de"),
            ("edgeward-lang=de", "fr"),
            ("__Host-edgeward-language=de", "fr"),
        ] {
            assert_eq!(of("https://h/", &[asks, ("Cookie", cookie)]), wanted, "{cookie}");
        }
        assert_eq!(of("http://localhost/", &[asks, ("Cookie", "edgeward-lang=de")]), "de");
        assert_eq!(of("http://localhost/", &[asks, ("Cookie", "__Host-edgeward-lang=de")]), "fr");
        assert_eq!(of("https://h/", &[]), "en");
    }

    #[test]
    fn the_cookie_is_for_this_host_alone() {
        let secure = "__Host-edgeward-lang=pt-BR; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000";
        assert_eq!(set_cookie("pt-BR", true), secure);
        assert_eq!(
            set_cookie("de", false),
            "edgeward-lang=de; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"
        );
    }

    proptest! {
        #[test]
        fn never_panics(accept in "([a-z]{1,3}|[-;,q=.0-9* ]|\\PC){0,60}") {
            let have = ["en", "de", "pt-BR"];
            prop_assert!(have.contains(&choose(Some(&accept), &have)));
        }
    }
}
