//! API keys: a second reader finds the same form in a key, and the same keys in a list; no problem shows any of them.
//!
//! First line: a key as it is sent. The rest: a list. `§` stands in it for SHA-256 of the key, `¶` for a digest of
//! nobody's, `@` for a key of ours.

use super::{first_line, text};
use edgeward::api_key::{self, ApiKeys, Form, digest, form};
use edgeward::config::Problem;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

const NOBODYS: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";
/// SHA-256 of an empty text, and of a line feed.
const OF_NOTHING: [&str; 2] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
];

/// Checks the key and the list.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (key, list) = first_line(&text);
    assert_eq!(form(key), expected_form(key), "{key:?}");
    let ours = made(key);
    let list = list.replace('\u{a7}', &hex(&digest(key))).replace('\u{b6}', NOBODYS).replace('@', &ours);
    let expected = expected(&list);
    match ApiKeys::parse(&list, "LIST") {
        Ok(keys) => {
            let expected = expected.unwrap_or_else(|lines| panic!("{lines:?} of {list:?} were passed over"));
            same(&keys, &expected);
            assert_eq!(keys.find(&digest(key)).map(|it| it.name()), name_of(&expected, key), "{key:?}");
            assert!(keys.find(&digest(&ours)).is_none());
        }
        Err(problems) => {
            let lines = expected.err().unwrap_or_else(|| panic!("{problems:?} of a good list"));
            told(&problems, &lines);
            let secrets = [NOBODYS, &ours, &hex(&digest(key))].map(str::to_owned);
            let secrets: Vec<_> = secrets.into_iter().filter(|it| !is_in_a_name(&list, it)).collect();
            problems.iter().for_each(|problem| hidden(problem, &secrets));
        }
    }
}

/// A key of ours made of that text; with another character in any place it is none.
fn made(key: &str) -> String {
    let ours = api_key::made(&Sha256::digest(key).into()).expose().clone();
    assert_eq!(form(&ours), Form::Ours);
    for at in 0..ours.len() {
        for other in ["0", "z", "_", " "] {
            let mut wrong = ours.clone();
            wrong.replace_range(at..=at, other);
            assert!(wrong == ours || form(&wrong) != Form::Ours, "{wrong}");
        }
    }
    ours
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The form, by a checksum that is calculated the other way round.
fn expected_form(key: &str) -> Form {
    if !key.starts_with("ew_") {
        return Form::Foreign;
    }
    let is_of_digits = key.len() == 52 && key[3..].bytes().all(|octet| octet.is_ascii_alphanumeric());
    if is_of_digits && number(&key[46..]) == u64::from(checksum(&key.as_bytes()[..46])) {
        return Form::Ours;
    }
    Form::Mistyped
}

fn number(digits: &str) -> u64 {
    const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    digits.chars().fold(0, |number, digit| number * 62 + DIGITS.find(digit).expect("a digit") as u64)
}

/// CRC-32 as the remainder of a division of polynomials, the highest power first.
fn checksum(octets: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for octet in octets {
        rest ^= u32::from(octet.reverse_bits()) << 24;
        for _ in 0..8 {
            rest = (rest << 1) ^ if rest >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
        }
    }
    !rest.reverse_bits()
}

/// Name and scopes by digest, in lower case.
type Keys<'l> = BTreeMap<String, (&'l str, Vec<&'l str>)>;

/// What a plain reader finds, or the numbers of the lines that are wrong: none where nothing is there.
fn expected(list: &str) -> Result<Keys<'_>, BTreeSet<usize>> {
    let (mut keys, mut names, mut wrong) = (Keys::new(), BTreeSet::new(), BTreeSet::new());
    for (index, line) in list.strip_prefix('\u{feff}').unwrap_or(list).split('\n').enumerate() {
        let line = line.trim_end_matches([' ', '\t', '\r', '\u{c}']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parts(line) {
            Some((name, digest, scopes)) => {
                let is_new = names.insert(name);
                if keys.insert(digest, (name, scopes)).is_some() || !is_new {
                    wrong.insert(index + 1);
                }
            }
            None => {
                wrong.insert(index + 1);
            }
        }
    }
    if wrong.is_empty() && !keys.is_empty() { Ok(keys) } else { Err(wrong) }
}

fn parts(line: &str) -> Option<(&str, String, Vec<&str>)> {
    let (name, rest) = line.split_once(':')?;
    let (digest, scopes) = rest.split_once(':').map_or((rest, None), |(digest, rest)| (digest, Some(rest)));
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let is_name = (1..=256).contains(&name.len())
        && !name.chars().any(char::is_control)
        && name.trim() == name
        && !name.starts_with("ew_")
        && !is_digest(name);
    let digest_is_good = is_digest(digest) && !OF_NOTHING.contains(&&*digest.to_ascii_lowercase());
    let scopes: Vec<&str> = scopes.into_iter().flat_map(|scopes| scopes.split(',')).collect();
    let is_scope = |scope: &&str| {
        !scope.is_empty() && scope.bytes().all(|it| (0x21..0x7F).contains(&it) && it != b'"' && it != b'\\')
    };
    let are_scopes = scopes.len() <= 64
        && scopes.iter().all(is_scope)
        && scopes.iter().collect::<BTreeSet<_>>().len() == scopes.len();
    (is_name && digest_is_good && are_scopes).then(|| (name, digest.to_ascii_lowercase(), scopes))
}

fn name_of<'l>(keys: &Keys<'l>, key: &str) -> Option<&'l str> {
    keys.get(&hex(&digest(key))).map(|(name, _)| *name)
}

fn same(keys: &ApiKeys, expected: &Keys<'_>) {
    assert_eq!(keys.iter().count(), expected.len());
    for (digest, (name, scopes)) in expected {
        let octets: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&digest[2 * at..2 * at + 2], 16).expect("hex")).collect();
        let found = keys.find(&octets.try_into().expect("32 octets")).expect("known");
        assert_eq!((found.name(), found.scopes().collect::<Vec<_>>()), (*name, scopes.clone()));
        assert_eq!(keys.by_name(name), Some(found));
    }
}

/// Every line that is wrong is told, in order, as far as there is room, and no other.
fn told(problems: &[Problem], wrong: &BTreeSet<usize>) {
    let places: Vec<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    if wrong.is_empty() {
        assert_eq!(places, ["LIST"], "nothing is there");
        return;
    }
    let lines: Vec<usize> =
        places.iter().filter_map(|at| at.strip_prefix("LIST line ")?.parse().ok()).collect();
    assert!(lines.is_sorted() && lines.iter().all(|line| wrong.contains(line)), "{places:?}, {wrong:?}");
    let is_cut = places.last() == Some(&"LIST");
    assert_eq!(lines.len() + usize::from(is_cut), places.len());
    let told: BTreeSet<usize> = lines.into_iter().collect();
    assert!(told == *wrong || is_cut && places.len() == 21, "{told:?}, {wrong:?}");
}

/// Whether it is part of what stands for a name beside a digest: that is shown.
fn is_in_a_name(list: &str, secret: &str) -> bool {
    list.lines().any(|line| {
        let (name, rest) = line.split_once(':').unwrap_or_default();
        let digest = rest.trim_end().split(':').next().unwrap_or_default();
        name != secret && name.contains(secret) && digest.len() == 64
    })
}

/// One line, and nothing of what may be a key.
fn hidden(problem: &Problem, secrets: &[String]) {
    let sentence = problem.to_string();
    assert!(!sentence.chars().any(char::is_control) && sentence.len() < 1500, "{sentence:?}");
    for secret in secrets {
        assert!(!sentence.contains(secret.as_str()), "{sentence}");
    }
}
