//! Which language a visitor reads: `Accept-Language` (RFC 9110 §12.5.4) by lookup (RFC 4647 §3.4).

/// How many ranges are looked at: no browser sends more, and what an attacker sends has to end somewhere.
const MOST: usize = 32;

/// The best of `have` for a field value; the first of `have` where none fits or nothing was asked for.
///
/// Ranges are tried by falling quality, in their order where it is equal; each is shortened from the end (`de-CH-1996`,
/// `de-CH`, `de`) until it is one of `have`. A range that is only shorter than one of ours (`zh` for `zh-Hant`) takes the
/// first that begins with it, when nothing fits exactly. `q=0` excludes, and `*` is anything: the default.
#[must_use]
pub fn choose<'h>(accept: Option<&str>, have: &[&'h str]) -> &'h str {
    let ranges = ranges(accept.unwrap_or_default());
    let wanted = || ranges.iter().filter(|(_, quality)| *quality > 0).map(|(range, _)| *range);
    let refused =
        |tag: &str| ranges.iter().any(|(range, quality)| *quality == 0 && range.eq_ignore_ascii_case(tag));
    let exact = wanted().find_map(|range| lookup(range, have).filter(|tag| !refused(tag)));
    let longer =
        || wanted().find_map(|range| have.iter().copied().find(|tag| begins(tag, range) && !refused(tag)));
    exact.or_else(longer).or_else(|| have.first().copied()).unwrap_or("en")
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

fn begins(tag: &str, range: &str) -> bool {
    tag.get(..range.len()).is_some_and(|start| start.eq_ignore_ascii_case(range))
        && tag.as_bytes().get(range.len()) == Some(&b'-')
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
            ("pt-PT, de;q=0.2", "de"),
            ("zh-Hant-TW", "zh-Hant"),
            ("zh-Hans, fr;q=0.3", "fr"),
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

    proptest! {
        #[test]
        fn never_panics(accept in "([a-z]{1,3}|[-;,q=.0-9* ]|\\PC){0,60}") {
            let have = ["en", "de", "pt-BR"];
            prop_assert!(have.contains(&choose(Some(&accept), &have)));
        }
    }
}
