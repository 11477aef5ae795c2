//! What is said to the Durable Object `Ledger`, and what it answers: texts of JSON, so that each crossing is one.
//!
//! `src/edge/ledger.js` keeps marks under `jti:<id>`, `sub:<name>` and `kid:<id>`, and one moment under `before`. It
//! knows nothing of what they mean.

use super::lists::Lists;
use super::order::Order;
use super::{Issued, Traits};
use crate::json::{Json, push_string};
use crate::time::UnixTime;

/// Name of the one object that keeps what is revoked.
pub const OBJECT: &str = "revocation";

/// Its method that keeps marks; [`mark_arguments`].
pub const MARK: &str = "mark";

/// Its method that says which are kept; [`marked_arguments`], [`read_marked`].
pub const MARKED: &str = "marked";

const ID: &str = "jti:";
const SUBJECT: &str = "sub:";
const KEY: &str = "kid:";
const BEFORE: &str = "before";

/// Arguments of [`MARKED`]: which of the traits are marked? A JSON array.
#[must_use]
pub fn marked_arguments(traits: &Traits<'_>) -> String {
    let names = [(ID, traits.id.as_slice()), (SUBJECT, traits.subjects), (KEY, traits.key.as_slice())];
    let names = names.into_iter().flat_map(|(kind, names)| names.iter().map(move |name| (kind, *name)));
    let mut text = String::from("[[");
    for (index, (kind, name)) in names.enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        push_name(&mut text, kind, name);
    }
    text.push_str("]]");
    text
}

/// What is revoked of what was asked for: the answer of [`MARKED`] as lists, whose verdict is the ledger's.
///
/// # Errors
/// A sentence for the log where the answer is not one of the ledger's: it is as if there were none.
pub fn read_marked(answer: &str) -> Result<Lists, &'static str> {
    const ODD: &str = "EDGEWARD_LEDGER gave an answer that cannot be read.";
    let json = Json::parse(answer).map_err(|_| ODD)?;
    let marked = json.get("marked").and_then(Json::as_texts).ok_or(ODD)?;
    let of_kind =
        |kind: &str| marked.iter().filter_map(|mark| mark.strip_prefix(kind)).map(Box::from).collect();
    let before = match json.get(BEFORE) {
        Some(Json::Null) => None,
        Some(Json::Number(seconds)) => Some(UnixTime::from_numeric_date(*seconds).ok_or(ODD)?),
        Some(Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_)) | None => return Err(ODD),
    };
    Ok(Lists::new(of_kind(ID), of_kind(SUBJECT), of_kind(KEY), before))
}

/// Arguments of [`MARK`] that carry out an order: entries of a name and the Unix second until which it is kept (0 for
/// ever), or `null` to take it out. A JSON array.
#[must_use]
pub fn mark_arguments(order: &Order) -> String {
    let until = if order.undo { None } else { Some(order.until) };
    let names = [(ID, &order.ids), (SUBJECT, &order.subjects), (KEY, &order.keys)];
    let names =
        names.into_iter().flat_map(|(kind, names)| names.iter().map(move |name| (kind, name.as_str())));
    let before = order.before.map(|before| (BEFORE, "", (!order.undo).then(|| before.seconds())));
    let mut text = String::from("[[");
    for (index, (kind, name, value)) in
        names.map(|(kind, name)| (kind, name, until)).chain(before).enumerate()
    {
        text.push_str(if index == 0 { "[" } else { ",[" });
        push_name(&mut text, kind, name);
        text.push(',');
        text.push_str(&value.map_or("null".to_owned(), |seconds| seconds.to_string()));
        text.push(']');
    }
    text.push_str("]]");
    text
}

fn push_name(text: &mut String, kind: &str, name: &str) {
    let mut whole = String::from(kind);
    whole.push_str(name);
    push_string(text, &whole);
}

/// Whether the ledger has anything to say about such credentials: some have neither id, name, key nor age.
#[must_use]
pub fn concerns(traits: &Traits<'_>) -> bool {
    let is_named = traits.id.is_some() || !traits.subjects.is_empty() || traits.key.is_some();
    is_named || traits.issued != Issued::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Revoked;
    use proptest::prelude::*;

    const TRAITS: Traits<'_> = Traits {
        id: Some("a\"b"),
        subjects: &["ann", "token:ann"],
        key: Some("k"),
        issued: Issued::At(UnixTime::from_seconds(10)),
    };

    #[test]
    fn questions() {
        assert_eq!(marked_arguments(&TRAITS), r#"[["jti:a\"b","sub:ann","sub:token:ann","kid:k"]]"#);
        let nobody = Traits { id: None, subjects: &[], key: None, issued: Issued::Never };
        assert_eq!(marked_arguments(&nobody), "[[]]");
        assert!(concerns(&TRAITS) && !concerns(&nobody));
        assert!(concerns(&Traits { issued: Issued::Unknown, ..nobody }));
    }

    #[test]
    fn answers() {
        let verdict = |answer| read_marked(answer).map(|lists| lists.verdict(&TRAITS));
        assert_eq!(verdict(r#"{"marked":[],"before":null}"#), Ok(None));
        assert_eq!(verdict(r#"{"marked":["jti:a\"b"],"before":null}"#), Ok(Some(Revoked::Id)));
        assert_eq!(verdict(r#"{"marked":["sub:token:ann"],"before":11}"#), Ok(Some(Revoked::Subject)));
        assert_eq!(verdict(r#"{"marked":["kid:k"],"before":null}"#), Ok(Some(Revoked::Key)));
        let before = Revoked::Before(UnixTime::from_seconds(11));
        assert_eq!(verdict(r#"{"marked":["sub:a\"b","jti:k"],"before":11}"#), Ok(Some(before)));
        for bad in [
            "",
            "null",
            "{}",
            r#"{"marked":[]}"#,
            r#"{"marked":[1],"before":null}"#,
            r#"{"marked":[],"before":-1}"#,
        ] {
            assert!(verdict(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn orders() {
        let order = Order {
            ids: vec!["a".into()],
            subjects: vec!["ann".into()],
            keys: vec!["k".into()],
            sessions: vec!["bob".into()],
            before: Some(UnixTime::from_seconds(7)),
            until: 9,
            undo: false,
        };
        assert_eq!(mark_arguments(&order), r#"[[["jti:a",9],["sub:ann",9],["kid:k",9],["before",7]]]"#);
        let undone = Order { undo: true, ..order };
        assert_eq!(
            mark_arguments(&undone),
            r#"[[["jti:a",null],["sub:ann",null],["kid:k",null],["before",null]]]"#
        );
        assert_eq!(mark_arguments(&Order::default()), "[[]]");
    }

    proptest! {
        #[test]
        fn read_marked_never_panics(answer in any::<String>()) {
            let _ = read_marked(&answer);
        }

        #[test]
        fn whatever_is_marked_is_revoked(id in any::<String>(), subject in any::<String>(), key in any::<String>()) {
            let subjects = [&*subject];
            let traits = Traits { id: Some(&id), subjects: &subjects, key: Some(&key), issued: Issued::Never };
            // The ledger that has marked all it is asked about says the question back.
            let question = marked_arguments(&traits);
            let names = question.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).expect("one argument");
            let lists = read_marked(&format!(r#"{{"marked":{names},"before":null}}"#)).expect("an answer");
            for one in [
                Traits { subjects: &[], key: None, ..traits },
                Traits { id: None, key: None, ..traits },
                Traits { id: None, subjects: &[], ..traits },
            ] {
                prop_assert!(lists.verdict(&one).is_some());
            }
        }
    }
}
