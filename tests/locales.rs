//! Every language says all that English says, in its own way: whatever file is put into `www/.edgeward/locales/`.

use edgeward::policy::Brand;
use edgeward::reply::catalog::{Catalog, Known, Variant, blanks, categories, category};
use edgeward::reply::page::{PageFacts, Pages};
use edgeward::reply::{languages, when};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::verdict::Cause;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The plural rules of languages, as CLDR has them. Of fractions and of millions our texts know nothing: what CLDR has for
/// those alone (`many` in French, Italian, Portuguese and Spanish) is left out.
const RULES: [(&str, &str); 20] = [
    ("ar", "arabic"),
    ("de", "one-other"),
    ("en", "one-other"),
    ("es", "one-other"),
    ("fr", "zero-one-other"),
    ("he", "one-two-other"),
    ("hi", "zero-one-other"),
    ("id", "only-other"),
    ("it", "one-other"),
    ("ja", "only-other"),
    ("ko", "only-other"),
    ("nl", "one-other"),
    ("pl", "polish"),
    ("pt-BR", "zero-one-other"),
    ("ru", "east-slavic"),
    ("tr", "one-other"),
    ("uk", "east-slavic"),
    ("vi", "only-other"),
    ("zh-Hans", "only-other"),
    ("zh-Hant", "only-other"),
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/www/.edgeward/locales"))
}

fn text(tag: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{tag}.json"))).expect(tag)
}

fn file(tag: &str) -> Value {
    serde_json::from_str(&text(tag)).expect(tag)
}

/// The tags of all files there are.
fn tags() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("a file").path());
    let stem = |file: PathBuf| file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
    files.filter(|file| file.extension().is_some_and(|it| it == "json")).map(stem).collect()
}

/// All languages, learned.
fn learned() -> Vec<&'static Catalog> {
    let learn = |tag: &String| {
        languages::learn(tag, &text(tag)).unwrap_or_else(|why| panic!("{tag}: {why}"));
        languages::catalog(tag)
    };
    tags().iter().map(learn).collect()
}

fn words(tag: &str) -> &'static Catalog {
    languages::learn(tag, &text(tag)).expect(tag);
    languages::catalog(tag)
}

/// Calls `check` with the pointer of each text and the text.
fn each_text(value: &Value, pointer: &str, check: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => check(pointer, text),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, it)| each_text(it, &format!("{pointer}/{at}"), check));
        }
        Value::Object(all) => {
            all.iter().for_each(|(name, it)| each_text(it, &format!("{pointer}/{name}"), check));
        }
        other => panic!("{pointer}: {other} is no text"),
    }
}

/// Texts by plural category.
fn is_plural(value: &Value) -> bool {
    let categories = ["zero", "one", "two", "few", "many", "other"];
    value.as_object().is_some_and(|all| {
        all.contains_key("other") && all.keys().all(|name| categories.contains(&name.as_str()))
    })
}

#[test]
fn the_build_knows_every_file() {
    let built: BTreeSet<String> = languages::all().iter().map(|it| it.tag().to_owned()).collect();
    assert_eq!(built, tags().into_iter().collect());
    for language in languages::all() {
        let said = &file(language.tag())["language"];
        assert_eq!(said["name"].as_str(), Some(language.name()));
        assert_eq!(said["dir"].as_str(), Some(language.dir()), "{}", language.tag());
    }
}

#[test]
fn each_has_the_keys_of_english_and_no_other() {
    let english = file("en");
    for tag in tags() {
        compare(&english, &file(&tag), &tag);
    }
}

/// The same members in objects, as many elements in arrays; where a text depends on a number, what the language's rule needs.
fn compare(english: &Value, other: &Value, at: &str) {
    match (english, other) {
        (Value::String(_), Value::String(_)) => {}
        (Value::Array(these), Value::Array(those)) => {
            assert_eq!(these.len(), those.len(), "{at}: as many as in English");
            these.iter().zip(those).for_each(|(this, that)| compare(this, that, at));
        }
        (Value::Object(_), Value::Object(those)) if is_plural(english) => {
            let tag = at.split('/').next().expect("a tag");
            let rule = file(tag)["language"]["plural"].as_str().expect(tag).to_owned();
            let needed = categories(&rule).unwrap_or_else(|| panic!("{tag}: no rule {rule}"));
            let needed: BTreeSet<&str> = needed.iter().copied().collect();
            assert_eq!(those.keys().map(String::as_str).collect::<BTreeSet<_>>(), needed, "{at}");
        }
        (Value::Object(these), Value::Object(those)) => {
            let missing: Vec<_> = these.keys().filter(|name| !those.contains_key(*name)).collect();
            let surplus: Vec<_> = those.keys().filter(|name| !these.contains_key(*name)).collect();
            assert!(missing.is_empty() && surplus.is_empty(), "{at}: lacks {missing:?}, has {surplus:?}");
            these.iter().for_each(|(name, this)| compare(this, &those[name], &format!("{at}/{name}")));
        }
        (this, that) => panic!("{at}: {that} where English has {this}"),
    }
}

#[test]
fn a_key_that_is_missing_or_surplus_is_found() {
    let english = file("en");
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut other = file("en");
        change(&mut other);
        std::panic::catch_unwind(|| compare(&english, &other, "en")).is_err()
    };
    assert!(!broken(&|_| {}));
    let remove =
        |value: &mut Value, name: &str| value.as_object_mut().and_then(|all| all.remove(name)).is_some();
    assert!(broken(&|it| assert!(remove(&mut it["labels"], "caps"))));
    assert!(broken(&|it| assert!(remove(&mut it["time"]["past"]["hours"], "one"))));
    assert!(broken(&|it| it["labels"]["more"] = "More".into()));
    assert!(broken(&|it| it["time"]["past"]["hours"]["few"] = "{n}".into()));
    assert!(broken(&|it| assert!(it["time"]["months"].as_array_mut().and_then(Vec::pop).is_some())));
    assert!(broken(&|it| it["pages"]["denied"]["plain"]["text"] = Value::Null));
}

#[test]
fn each_text_has_the_blanks_of_the_english_one() {
    let english = file("en");
    for tag in tags() {
        let words = file(&tag);
        each_text(&words, "", &mut |pointer, text| {
            let (parent, _) = pointer.rsplit_once('/').expect("a pointer");
            let plural = words.pointer(parent).is_some_and(is_plural);
            let original = if plural { format!("{parent}/other") } else { pointer.to_owned() };
            let original = english.pointer(&original).and_then(Value::as_str).unwrap_or_default();
            let (wanted, has) =
                (blanks(original).collect::<BTreeSet<_>>(), blanks(text).collect::<BTreeSet<_>>());
            // "An hour ago" says its number without a figure.
            let is_said = plural && has.is_empty() && !pointer.ends_with("/other");
            assert!(has == wanted || is_said, "{tag}{pointer}: {text}");
        });
    }
}

/// A form that stands for several numbers has the figure.
#[test]
fn a_number_is_never_lost() {
    for words in learned() {
        let rule = words.word("/language/plural");
        for pointer in [
            "/time/past/minutes",
            "/time/past/hours",
            "/time/future/minutes",
            "/time/span/seconds",
            "/time/span/days",
        ] {
            for category_ in categories(rule).expect(rule) {
                let numbers: Vec<u64> = (0..120).filter(|n| category(rule, *n) == *category_).collect();
                let form = words.word(&format!("{pointer}/{category_}"));
                assert!(
                    form.contains("{n}") || numbers.len() <= 1,
                    "{} {pointer}/{category_}: {form}",
                    words.tag()
                );
            }
        }
    }
}

#[test]
fn each_text_is_one() {
    for tag in tags() {
        let credit = file(&tag)["labels"]["credit"].as_str().expect("credit").to_owned();
        assert!(credit.contains("Edgeward"), "{tag}");
        each_text(&file(&tag), "", &mut |pointer, text| {
            assert!(!text.is_empty() && text.trim() == text, "{tag}{pointer}: {text:?}");
            assert!(!text.contains(['<', '>', '\n', '\t', '`', '!']), "{tag}{pointer}: {text}");
            assert!(!text.contains("  ") && !text.contains("..."), "{tag}{pointer}: {text}");
            assert_eq!(text.matches('{').count(), blanks(text).count(), "{tag}{pointer}: {text}");
            // The page is the brand's.
            assert!(text == credit || !text.to_lowercase().contains("edgeward"), "{tag}{pointer}: {text}");
            // Direction comes from the page; marks that turn it would come from nowhere.
            assert!(
                !text.contains(['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}']),
                "{tag}{pointer}"
            );
        });
    }
}

#[test]
fn nothing_is_left_in_english() {
    let english = file("en");
    for tag in tags().into_iter().filter(|tag| tag != "en") {
        each_text(&file(&tag), "", &mut |pointer, text| {
            let same = english.pointer(pointer).and_then(Value::as_str) == Some(text);
            let letters = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).count();
            assert!(!same || letters < 3 || pointer.starts_with("/time/"), "{tag}{pointer}: {text}");
        });
    }
}

#[test]
fn every_page_is_whole_in_every_language() {
    let known = Known { user: true, when: true, wait: true, span: true, confirm: true };
    for words in learned() {
        for cause in Cause::ALL {
            for variant in Variant::ALL {
                for known in [known, Known::default()] {
                    let page = words.page(cause, variant, known);
                    let whole = !page.headline.is_empty() && !page.text.is_empty() && page.steps.len() >= 2;
                    assert!(whole, "{} {}: {page:?}", words.tag(), cause.name());
                }
            }
        }
    }
}

#[test]
fn the_names_of_pages_are_those_of_causes() {
    let english = file("en");
    for name in english["pages"].as_object().expect("pages").keys() {
        assert!(Cause::from_name(name).is_some(), "pages/{name}");
    }
    let problems = concat!(env!("CARGO_MANIFEST_DIR"), "/www/.edgeward/problems.json");
    let problems: Value =
        serde_json::from_str(&std::fs::read_to_string(problems).expect("a file")).expect("JSON");
    for name in problems.as_object().expect("problems").keys() {
        assert!(Cause::from_name(name).is_some(), "problems/{name}");
    }
}

#[test]
fn each_counts_by_its_own_rule() {
    for (tag, rule) in RULES.into_iter().filter(|(tag, _)| tags().iter().any(|it| it == tag)) {
        assert_eq!(words(tag).word("/language/plural"), rule, "{tag}");
    }
}

fn at(text: &str) -> UnixTime {
    UnixTime::parse_rfc3339(text).expect(text)
}

/// A minute, three, 21 minutes and five hours ago; in two minutes; yesterday; a date; for how long.
#[rustfmt::skip]
const TIMES: [(&str, [&str; 8]); 20] = [
    ("ar", ["قبل دقيقة واحدة", "قبل 3 دقائق", "قبل 21 دقيقة", "قبل 5 ساعات", "بعد دقيقتين", "أمس الساعة 06:05 بتوقيت UTC", "1 مارس 2026، 09:05 UTC", "12 ساعة"]),
    ("de", ["vor 1 Minute", "vor 3 Minuten", "vor 21 Minuten", "vor 5 Stunden", "in 2 Minuten", "gestern um 06:05 UTC", "1. März 2026, 09:05 UTC", "12 Stunden"]),
    ("en", ["1 minute ago", "3 minutes ago", "21 minutes ago", "5 hours ago", "in 2 minutes", "yesterday, 06:05 UTC", "1 March 2026, 09:05 UTC", "12 hours"]),
    ("es", ["hace 1 minuto", "hace 3 minutos", "hace 21 minutos", "hace 5 horas", "dentro de 2 minutos", "ayer a las 06:05 UTC", "1 de marzo de 2026, 09:05 UTC", "12 horas"]),
    ("fr", ["il y a 1 minute", "il y a 3 minutes", "il y a 21 minutes", "il y a 5 heures", "dans 2 minutes", "hier à 06:05 UTC", "1 mars 2026, 09:05 UTC", "12 heures"]),
    ("he", ["לפני דקה", "לפני 3 דקות", "לפני 21 דקות", "לפני 5 שעות", "בעוד שתי דקות", "אתמול בשעה 06:05 UTC", "1 במרץ 2026, 09:05 UTC", "12 שעות"]),
    ("hi", ["1 मिनट पहले", "3 मिनट पहले", "21 मिनट पहले", "5 घंटे पहले", "2 मिनट में", "कल 06:05 UTC पर", "1 मार्च 2026, 09:05 UTC", "12 घंटे"]),
    ("id", ["1 menit yang lalu", "3 menit yang lalu", "21 menit yang lalu", "5 jam yang lalu", "2 menit lagi", "kemarin pukul 06:05 UTC", "1 Maret 2026, 09:05 UTC", "12 jam"]),
    ("it", ["1 minuto fa", "3 minuti fa", "21 minuti fa", "5 ore fa", "tra 2 minuti", "ieri alle 06:05 UTC", "1 marzo 2026, 09:05 UTC", "12 ore"]),
    ("ja", ["1分前", "3分前", "21分前", "5時間前", "2分後", "昨日 06:05（UTC）", "2026年3月1日 09:05（UTC）", "12時間"]),
    ("ko", ["1분 전", "3분 전", "21분 전", "5시간 전", "2분 후", "어제 06:05(UTC)", "2026년 3월 1일 09:05(UTC)", "12시간"]),
    ("nl", ["1 minuut geleden", "3 minuten geleden", "21 minuten geleden", "5 uur geleden", "over 2 minuten", "gisteren om 06:05 UTC", "1 maart 2026, 09:05 UTC", "12 uur"]),
    ("pl", ["1 minutę temu", "3 minuty temu", "21 minut temu", "5 godzin temu", "za 2 minuty", "wczoraj o 06:05 UTC", "1 marca 2026, 09:05 UTC", "12 godzin"]),
    ("pt-BR", ["há 1 minuto", "há 3 minutos", "há 21 minutos", "há 5 horas", "daqui a 2 minutos", "ontem às 06:05 UTC", "1 de março de 2026, 09:05 UTC", "12 horas"]),
    ("ru", ["1 минуту назад", "3 минуты назад", "21 минуту назад", "5 часов назад", "через 2 минуты", "вчера в 06:05 UTC", "1 марта 2026, 09:05 UTC", "12 часов"]),
    ("tr", ["1 dakika önce", "3 dakika önce", "21 dakika önce", "5 saat önce", "2 dakika sonra", "dün 06:05 UTC’de", "1 Mart 2026, 09:05 UTC", "12 saat"]),
    ("uk", ["1 хвилину тому", "3 хвилини тому", "21 хвилину тому", "5 годин тому", "через 2 хвилини", "вчора о 06:05 UTC", "1 березня 2026, 09:05 UTC", "12 годин"]),
    ("vi", ["1 phút trước", "3 phút trước", "21 phút trước", "5 giờ trước", "sau 2 phút nữa", "lúc 06:05 UTC hôm qua", "09:05 UTC, ngày 1 tháng 3 năm 2026", "12 giờ"]),
    ("zh-Hans", ["1分钟前", "3分钟前", "21分钟前", "5小时前", "2分钟后", "昨天06:05（UTC）", "2026年3月1日 09:05（UTC）", "12小时"]),
    ("zh-Hant", ["1分鐘前", "3分鐘前", "21分鐘前", "5小時前", "2分鐘後", "昨天06:05（UTC）", "2026年3月1日 09:05（UTC）", "12小時"]),
];

#[test]
fn times_as_people_say_them() {
    let now = at("2026-11-22T18:30:00Z");
    let ago = |seconds| now - Lifetime::from_seconds(seconds);
    for (tag, wanted) in TIMES.into_iter().filter(|(tag, _)| tags().iter().any(|it| it == tag)) {
        let words = words(tag);
        let said = [
            when::relative(words, ago(60), now),
            when::relative(words, ago(180), now),
            when::relative(words, ago(21 * 60), now),
            when::relative(words, ago(5 * 3600), now),
            when::relative(words, now + Lifetime::from_seconds(120), now),
            when::relative(words, at("2026-11-21T06:05:00Z"), now),
            when::exact(words, at("2026-03-01T09:05:00Z")),
            when::span(words, Lifetime::from_seconds(12 * 3600)),
        ];
        assert_eq!(said, wanted, "{tag}");
    }
}

#[test]
fn pages_are_mirrored() {
    learned();
    let mut pages = Pages::new(Brand::default()).with_languages();
    for language in languages::all() {
        let page = pages.render(&facts(language.tag()));
        let wanted =
            format!("<html lang=\"{}\" dir=\"{}\" data-status=\"401\"", language.tag(), language.dir());
        assert!(page.html.contains(&wanted), "{}", language.tag());
        assert_eq!(page.language, language.tag());
        let option = format!("lang=\"{}\" selected>{}</option>", language.tag(), language.name());
        assert!(page.html.contains(&option) && page.html.matches(" selected>").count() == 1, "{}", page.html);
        assert_eq!(page.html.matches("<option ").count(), languages::all().len());
        assert!(page.html.contains("name=\"return_to\" value=\"/a?b=&quot;c\""), "{}", page.html);
    }
    for right_to_left in ["ar", "he"].into_iter().filter(|tag| languages::find(tag).is_some()) {
        assert_eq!(words(right_to_left).dir(), "rtl");
    }
}

#[test]
fn no_switch_where_there_is_no_choice() {
    let page = Pages::new(Brand::default()).render(&facts("en"));
    assert!(!page.html.contains("<select") && !page.html.contains("<footer"), "{}", page.html);
    let page = Pages::new(Brand::default()).with_languages().problem(Cause::Denied, 403, "h.example");
    assert!(page.html.starts_with("<!doctype html>\n<html lang=\"en\"") && !page.html.contains("<select"));
}

fn facts(language: &str) -> PageFacts<'_> {
    PageFacts {
        variant: Variant::Form,
        language,
        host: "h.example",
        address: "https://h.example/a",
        reference: "0123456789abcdef",
        now: UnixTime::from_seconds(1_795_372_200),
        when: Some(UnixTime::from_seconds(1_795_372_015)),
        span: Some(Lifetime::from_seconds(43_200)),
        user: Some("ann"),
        retry_after: Some(Lifetime::from_seconds(40)),
        return_to: "/a?b=\"c",
        place: Some("login.h.example"),
        ..PageFacts::of(Cause::SessionExpired)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_blank_is_left_open(at in -4_000_000_000_i64..8_000_000_000, now in 0..4_000_000_000_i64, span in 0..40_000_000_i64, cause in 0..Cause::ALL.len(), variant in 0..Variant::ALL.len(), known in 0..32_u8) {
        let (at, now, span) = (UnixTime::from_seconds(at), UnixTime::from_seconds(now), Lifetime::from_seconds(span));
        for words in learned() {
            let tag = words.tag();
            let said = [when::relative(words, at, now), when::exact(words, at), when::span(words, span)];
            prop_assert!(said.iter().all(|said| !said.is_empty() && !said.contains(['{', '}'])), "{} {:?}", tag, said);
            let has = |bit: u8| known & (1 << bit) > 0;
            let page = PageFacts {
                cause: Cause::ALL[cause],
                variant: Variant::ALL[variant],
                now,
                when: has(0).then_some(at),
                span: has(1).then_some(span),
                user: has(2).then_some("ann"),
                retry_after: has(3).then_some(span),
                place: has(4).then_some("p.example"),
                ..facts(tag)
            };
            let html = Pages::new(Brand::default()).render(&page).html;
            for blank in ["brand", "user", "when", "wait", "span", "place", "n", "day", "month", "year", "time", "left"] {
                prop_assert!(!html.contains(&format!("{{{blank}}}")), "{}: {} in {}", tag, blank, html);
            }
        }
    }
}
