//! What is revoked: a model revokes the same, whoever says it, and no order is taken that was not signed.
//!
//! Texts between lines of `---`; one that is `-` is not there, and so are those left out:
//!
//! 1. to 4. the values of `EDGEWARD_KV`: ids, subjects, key ids, and a moment; `§` stands in them for what nobody may see,
//! 5. credentials: a line for the id, the key, the second of issue (`never`; anything else is unknown), then for each name,
//! 6. what the ledger answers,
//! 7. the header and the claims set of an order, a line each, which are signed here; `¶` stands for the id of the key,
//! 8. a token.

mod model;
mod orders;

use super::{first_line, text};
use edgeward::json::Json;
use edgeward::revocation::lists::{Lists, lines};
use edgeward::revocation::{Issued, KV_KEYS, Revoked, Traits, ledger};
use edgeward::time::UnixTime;
use model::Model;

/// Octets that nobody may see.
const HIDDEN: &str = "kUmquat-9f3b";

/// Checks the values, the answer, and the orders.
pub fn run(data: &[u8]) {
    let text = text(data);
    let mut parts = text.split("\n---\n").map(|part| Some(part).filter(|part| *part != "-"));
    let mut next = || parts.next().flatten();
    let values = [next(), next(), next(), next()].map(|it| it.map(|it| it.replace('\u{a7}', HIDDEN)));
    let credentials = next().unwrap_or_default();
    let (id, rest) = first_line(credentials);
    let (key, rest) = first_line(rest);
    let (issued, rest) = first_line(rest);
    let subjects: Vec<&str> = rest.lines().collect();
    let there = |name| Some(name).filter(|name: &&str| !name.is_empty());
    let traits =
        Traits { id: there(id), subjects: &subjects, key: there(key), issued: moment_of_issue(issued) };
    kept(&values.each_ref().map(Option::as_deref), &traits);
    answered(next().unwrap_or_default(), &traits);
    asked(&traits);
    orders::check(next().unwrap_or_default(), next().unwrap_or_default(), &traits);
}

fn moment_of_issue(text: &str) -> Issued {
    match text.parse() {
        _ if text == "never" => Issued::Never,
        Ok(seconds) => Issued::At(UnixTime::from_seconds(seconds)),
        Err(_) => Issued::Unknown,
    }
}

/// The values revoke what the model revokes, all of it; or the first one that cannot be read is named, not shown.
fn kept(values: &[Option<&str>; 4], traits: &Traits<'_>) {
    let [ids, subjects, keys, before] = *values;
    let model = Model::of_values(*values);
    match (Lists::parse(ids, subjects, keys, before), &model) {
        (Ok(lists), Ok(model)) => same(&lists, model, traits),
        (Err(sentence), Err(at)) => {
            assert!(sentence.starts_with(&format!("{} in EDGEWARD_KV", KV_KEYS[*at])), "{sentence}, {at}");
            assert!(!sentence.contains(HIDDEN) && !sentence.contains(char::is_control), "{sentence:?}");
        }
        (found, _) => panic!("{found:?}, and not {model:?}"),
    }
    for value in values[..3].iter().flatten() {
        let found = lines("k", value)
            .ok()
            .map(|lines| lines.into_iter().map(|(id, until)| (id.into_owned(), until)).collect::<Vec<_>>());
        assert_eq!(found, model::lines(value), "{value:?}");
    }
}

fn same(lists: &Lists, model: &Model, traits: &Traits<'_>) {
    assert_eq!(lists.verdict(traits), model.verdict(traits), "{model:?}");
    let nobody = Traits { id: None, subjects: &[], key: None, issued: Issued::Never };
    assert_eq!(lists.verdict(&nobody), None);
    let issued = |issued| lists.verdict(&Traits { issued, ..nobody });
    assert_eq!(issued(Issued::Unknown), model.before.map(Revoked::Before));
    if let Some(before) = model.before {
        let a_moment_earlier = UnixTime::from_millis(before.millis() - 1);
        assert_eq!(issued(Issued::At(before)), None);
        assert_eq!(issued(Issued::At(a_moment_earlier)), Some(Revoked::Before(before)));
    }
    for id in &model.ids {
        assert_eq!(lists.verdict(&Traits { id: Some(id), ..*traits }), Some(Revoked::Id));
    }
    for subject in &model.subjects {
        assert_eq!(lists.verdict(&Traits { subjects: &[subject], ..nobody }), Some(Revoked::Subject));
    }
    for key in &model.keys {
        assert_eq!(lists.verdict(&Traits { key: Some(key), ..nobody }), Some(Revoked::Key));
    }
}

fn answered(answer: &str, traits: &Traits<'_>) {
    let lists = ledger::read_marked(answer).ok();
    let model = Model::of_answer(answer);
    assert_eq!(lists.is_some(), model.is_some(), "{answer:?}");
    lists.iter().zip(&model).for_each(|(lists, model)| same(lists, model, traits));
}

/// The question names all traits and nothing else, as another reader of JSON reads it.
fn asked(traits: &Traits<'_>) {
    let arguments: Vec<Vec<String>> =
        serde_json::from_str(&ledger::marked_arguments(traits)).expect("JSON to every reader");
    assert_eq!(arguments, [model::marks(traits)]);
    let is_dateless = traits.issued == Issued::Never;
    assert_eq!(ledger::concerns(traits), !(arguments[0].is_empty() && is_dateless));
}

/// A text as JSON: that the reader is right is seen to by the target `jws`.
fn json(text: &str) -> Option<Json<'_>> {
    Json::parse(text).ok()
}
