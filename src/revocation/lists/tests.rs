use super::*;
use crate::json::push_string;
use proptest::prelude::*;
use std::collections::BTreeSet;

const fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds)
}

fn ids(value: &str) -> Result<Vec<(String, i64)>, String> {
    Ok(lines("revoked:jti", value)?.into_iter().map(|(id, until)| (id.into_owned(), until)).collect())
}

#[test]
fn every_form_is_read() {
    let table: [(&str, &[(&str, i64)]); 16] = [
        ("", &[]),
        (" \n\t", &[]),
        ("{}", &[]),
        ("[]", &[]),
        (r#"{"a":0,"b":1767225600}"#, &[("a", 0), ("b", 1_767_225_600)]),
        (r#" {"b":null,"a":1.5} "#, &[("b", 0), ("a", 1)]),
        (r#"{"a":-1,"b":1e300}"#, &[("a", 0), ("b", 0)]),
        (r#"{"":0}"#, &[("", 0)]),
        (r#"["a","a",""]"#, &[("a", 0), ("a", 0), ("", 0)]),
        (r#"["\u0061 {"]"#, &[("a {", 0)]),
        ("a", &[("a", 0)]),
        ("a\nb", &[("a", 0), ("b", 0)]),
        ("\r\n  a\t\r\n\r\nb c\r\n", &[("a", 0), ("b c", 0)]),
        ("x{}", &[("x{}", 0)]),
        ("null", &[("null", 0)]),
        ("é:1", &[("é:1", 0)]),
    ];
    for (value, expected) in table {
        let expected: Vec<_> = expected.iter().map(|(id, until)| ((*id).to_owned(), *until)).collect();
        assert_eq!(ids(value), Ok(expected), "{value:?}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_key_and_no_id() {
    for value in [
        "{",
        "[",
        r#"{"secret-id":0"#,
        r#"{"secret-id":0} x"#,
        r#"{"secret-id":"0"}"#,
        r#"{"secret-id":true}"#,
        r#"{"secret-id":[]}"#,
        r#"{"secret-id":0,"secret-id":1}"#,
        r#"["secret-id",1]"#,
        r#"["secret-id",null]"#,
        r#"[["secret-id"]]"#,
        r#""secret-id""#,
        "\u{feff}{\"secret-id\":0}",
        "\u{feff}secret-id",
        "secret-id\0",
        "s\0e\0c\0r\0e\0t\0",
        "secret-id\u{fffd}",
        "secret-id\u{85}",
    ] {
        let error = ids(value).expect_err(value);
        assert!(error.starts_with("revoked:jti in EDGEWARD_KV cannot be read: "), "{error}");
        assert!(
            error.ends_with(". Put what it should hold with `npx wrangler kv key put`.")
                && !error.contains("secret"),
            "{error}"
        );
    }
    let (good, bad) = (Some("a"), Some("{"));
    for (values, key) in [
        ([bad, good, good, None], "revoked:jti"),
        ([good, bad, good, None], "revoked:sub"),
        ([None, good, bad, None], "revoked:kid"),
        ([good, good, good, Some("a")], "revoked:before"),
    ] {
        let [ids, subjects, keys, before] = values;
        let error = Lists::parse(ids, subjects, keys, before).expect_err("one is bad");
        assert!(error.starts_with(key), "{error}");
    }
}

#[test]
fn moments() {
    let read = |value| moment("revoked:before", value);
    assert_eq!(read(""), Ok(None));
    assert_eq!(read(" \r\n"), Ok(None));
    assert_eq!(read("0"), Ok(Some(at(0))));
    assert_eq!(read("1767225600\n"), Ok(Some(at(1_767_225_600))));
    assert_eq!(read("2026-01-01T01:00:00+01:00"), Ok(Some(at(1_767_225_600))));
    assert_eq!(read("253402300799"), Ok(Some(at(253_402_300_799))));
    // Milliseconds, and what is no moment at all.
    for bad in [
        "1767225600000",
        "-1",
        "+1",
        "1.5",
        "1e9",
        "2026-01-01",
        "now",
        "\"0\"",
        "null",
        "99999999999999999999",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

fn traits<'a>(
    id: Option<&'a str>,
    subjects: &'a [&'a str],
    key: Option<&'a str>,
    issued: Issued,
) -> Traits<'a> {
    Traits { id, subjects, key, issued }
}

#[test]
fn verdicts() {
    let lists = Lists::parse(Some("[\"i\"]"), Some("ann\nkey:ci"), Some("{\"2026-05\":0}"), Some("1000"))
        .expect("good");
    let young = Issued::At(at(1_000));
    let table = [
        (traits(None, &[], None, young), None),
        (traits(Some("i"), &[], None, young), Some(Revoked::Id)),
        (traits(Some("I"), &["Ann", "token:ann"], Some("2026-0"), young), None),
        (traits(None, &["token:ann", "ann"], None, young), Some(Revoked::Subject)),
        (traits(None, &["key:ci"], None, Issued::Never), Some(Revoked::Subject)),
        (traits(None, &["ci"], None, Issued::Never), None),
        (traits(Some("x"), &["bob"], Some("2026-05"), young), Some(Revoked::Key)),
        (
            traits(None, &["bob"], None, Issued::At(UnixTime::from_millis(999_999))),
            Some(Revoked::Before(at(1_000))),
        ),
        (traits(None, &["bob"], None, Issued::Unknown), Some(Revoked::Before(at(1_000)))),
        (traits(Some("i"), &["ann"], Some("2026-05"), Issued::Unknown), Some(Revoked::Id)),
    ];
    for (traits, expected) in table {
        assert_eq!(lists.verdict(&traits), expected, "{traits:?}");
        assert_eq!(Lists::default().verdict(&traits), None, "nothing is revoked");
    }
    assert_eq!(Revoked::Before(at(1)).name(), "before");
}

/// A short alphabet, so that ids meet; texts that are no plain line among them.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-c:]{1,2}", 1 => any::<String>()]
}

/// The same ids in one of the three forms that can hold them.
fn written(ids: &[String], form: u8) -> String {
    let is_plain = |id: &String| {
        id.trim() == id
            && !id.is_empty()
            && !id.contains(|c: char| c.is_control() || "\u{feff}\u{fffd}".contains(c))
    };
    let begins_plainly = ids.first().is_none_or(|id| !id.starts_with(['{', '[', '"']));
    if form == 0 && begins_plainly && ids.iter().all(is_plain) {
        return ids.join("\n");
    }
    let unique: BTreeSet<&String> = ids.iter().collect();
    let members = unique.iter().map(|id| {
        let mut member = String::new();
        push_string(&mut member, id);
        member + if form == 1 { ":0" } else { "" }
    });
    let members = members.collect::<Vec<_>>().join(",");
    if form == 1 { format!("{{{members}}}") } else { format!("[{members}]") }
}

proptest! {
    #[test]
    fn parse_never_panics(value in prop_oneof![any::<String>(), r#"[\[{"a,:0\]}\n ]{0,12}"#]) {
        let value = Some(value.as_str());
        let _ = Lists::parse(value, value, value, value);
        let _ = Lists::parse(None, None, None, value);
    }

    #[test]
    fn verdicts_are_those_of_a_naive_model(
        revoked in [prop::collection::vec(id(), 0..6), prop::collection::vec(id(), 0..6), prop::collection::vec(id(), 0..6)],
        form in 0..3_u8,
        before in prop::option::of(0..4_i64),
        id in prop::option::of(id()),
        subjects in prop::collection::vec(id(), 0..3),
        key in prop::option::of(id()),
        issued in prop_oneof![Just(Issued::Unknown), Just(Issued::Never), (0..4_i64).prop_map(|s| Issued::At(at(s)))],
    ) {
        let values = revoked.each_ref().map(|ids| written(ids, form));
        let moment = before.map(|seconds| seconds.to_string());
        let lists = Lists::parse(Some(&values[0]), Some(&values[1]), Some(&values[2]), moment.as_deref()).expect("good");
        let [ids, subs, kids] = &revoked;
        let expected = if id.as_ref().is_some_and(|id| ids.contains(id)) {
            Some(Revoked::Id)
        } else if subjects.iter().any(|subject| subs.contains(subject)) {
            Some(Revoked::Subject)
        } else if key.as_ref().is_some_and(|key| kids.contains(key)) {
            Some(Revoked::Key)
        } else {
            let older = |before: &i64| match issued {
                Issued::At(moment) => moment.seconds() < *before,
                Issued::Unknown => true,
                Issued::Never => false,
            };
            before.filter(older).map(|seconds| Revoked::Before(at(seconds)))
        };
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let traits = traits(id.as_deref(), &subjects, key.as_deref(), issued);
        prop_assert_eq!(lists.verdict(&traits), expected);
    }
}
