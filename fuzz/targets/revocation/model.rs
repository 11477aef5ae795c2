//! What is revoked, as sets and plain words.

use super::json;
use edgeward::json::Json;
use edgeward::revocation::{Issued, Revoked, Traits};
use edgeward::time::UnixTime;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Model {
    pub ids: BTreeSet<String>,
    pub subjects: BTreeSet<String>,
    pub keys: BTreeSet<String>,
    pub before: Option<UnixTime>,
}

impl Model {
    /// Of the values in Workers KV, or which of them is the first that cannot be read.
    pub fn of_values(values: [Option<&str>; 4]) -> Result<Self, usize> {
        let list = |at: usize| -> Result<BTreeSet<String>, usize> {
            let lines = lines(values[at].unwrap_or_default()).ok_or(at)?;
            Ok(lines.into_iter().map(|(id, _)| id).collect())
        };
        let before = || moment(values[3].unwrap_or_default()).ok_or(3_usize);
        Ok(Self { ids: list(0)?, subjects: list(1)?, keys: list(2)?, before: before()? })
    }

    /// Of what the ledger says is marked.
    pub fn of_answer(answer: &str) -> Option<Self> {
        let json = json(answer)?;
        let marked = json.get("marked")?.as_texts()?;
        let before = match json.get("before")? {
            Json::Null => None,
            other => Some(date(other.as_number()?)?),
        };
        let mut model = Self { before, ..Self::default() };
        for mark in marked {
            let Some((kind, name)) = mark.split_once(':') else { continue };
            match kind {
                "jti" => model.ids.insert(name.to_owned()),
                "sub" => model.subjects.insert(name.to_owned()),
                "kid" => model.keys.insert(name.to_owned()),
                _ => false,
            };
        }
        Some(model)
    }

    pub fn verdict(&self, traits: &Traits<'_>) -> Option<Revoked> {
        let is_in = |set: &BTreeSet<String>, names: &[&str]| names.iter().any(|name| set.contains(*name));
        let reasons = [
            (is_in(&self.ids, traits.id.as_slice()), Some(Revoked::Id)),
            (is_in(&self.subjects, traits.subjects), Some(Revoked::Subject)),
            (is_in(&self.keys, traits.key.as_slice()), Some(Revoked::Key)),
            (self.is_too_old(traits.issued), self.before.map(Revoked::Before)),
        ];
        reasons.into_iter().find(|(holds, _)| *holds).and_then(|(_, reason)| reason)
    }

    fn is_too_old(&self, issued: Issued) -> bool {
        match (self.before, issued) {
            (None, _) | (_, Issued::Never) => false,
            (Some(_), Issued::Unknown) => true,
            (Some(before), Issued::At(at)) => at.millis() < before.millis(),
        }
    }
}

/// The marks that a ledger would have of these.
pub fn marks(traits: &Traits<'_>) -> Vec<String> {
    let of = |kind: &str, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{kind}:{name}")).collect()
    };
    [of("jti", traits.id.as_slice()), of("sub", traits.subjects), of("kid", traits.key.as_slice())].concat()
}

/// Ids, each with its second; `None` where the list cannot be read.
pub fn lines(value: &str) -> Option<Vec<(String, i64)>> {
    match value.chars().find(|c| !c.is_ascii_whitespace()) {
        None => Some(Vec::new()),
        Some('{') => {
            let json = json(value)?;
            json.as_object()?.iter().map(|(id, until)| Some((id.to_string(), second(until)?))).collect()
        }
        Some('[') => Some(json(value)?.as_texts()?.into_iter().map(|id| (id.to_owned(), 0)).collect()),
        Some('"') => None,
        Some(_) => plain(value),
    }
}

fn second(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Null => Some(0),
        other => Some(date(other.as_number()?).map_or(0, UnixTime::seconds)),
    }
}

fn plain(value: &str) -> Option<Vec<(String, i64)>> {
    let mut ids = vec![String::new()];
    for c in value.chars() {
        match c {
            '\n' | '\r' => ids.push(String::new()),
            '\t' => ids.last_mut()?.push(c),
            '\u{feff}' | '\u{fffd}' => return None,
            c if c.is_control() => return None,
            c => ids.last_mut()?.push(c),
        }
    }
    Some(ids.iter().map(|id| (id.trim().to_owned(), 0)).filter(|(id, _)| !id.is_empty()).collect())
}

/// A NumericDate, in whole milliseconds that are not before it.
pub fn date(seconds: f64) -> Option<UnixTime> {
    let is_date = (0.0..=253_402_300_799.0).contains(&seconds);
    is_date.then(|| UnixTime::from_millis((seconds * 1000.0).ceil() as i64))
}

/// Nothing for what is blank.
fn moment(value: &str) -> Option<Option<UnixTime>> {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace());
    let significant = value.trim_start_matches('0');
    match value {
        "" => Some(None),
        _ if !value.chars().all(|c| c.is_ascii_digit()) => date_time(value).map(Some),
        _ if significant.len() > 12 => None,
        _ => {
            let seconds: i64 = format!("0{significant}").parse().ok()?;
            (seconds <= 253_402_300_799).then(|| Some(UnixTime::from_seconds(seconds)))
        }
    }
}

/// RFC 3339 §5.6, by its shape first and then by counting days one month after the other.
fn date_time(text: &str) -> Option<UnixTime> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let shape = shape.to_ascii_uppercase();
    let rest = ["0000-00-00T00:00:00", "0000-00-00 00:00:00"].iter().find_map(|it| shape.strip_prefix(it))?;
    let digits = rest.strip_prefix('.').map_or(0, |it| it.chars().take_while(|c| *c == '0').count());
    let zone = if rest.starts_with('.') { rest.get(1 + digits..).filter(|_| digits > 0)? } else { rest };
    let number = |at: usize, size: usize| -> i64 { text[at..at + size].parse().expect("digits") };
    let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2));
    let offset = match zone {
        "Z" => 0,
        "+00:00" | "-00:00" => {
            let at = text.len() - 6;
            let (hours, minutes) = (number(at + 1, 2), number(at + 4, 2));
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
        _ => return None,
    };
    let days = days(number(0, 4), number(5, 2), number(8, 2))?;
    let millis = format!("{:0<3}", &text[20.min(text.len())..20 + digits.min(3)]);
    let millis: i64 = if digits == 0 { 0 } else { millis.parse().expect("digits") };
    (hour < 24 && minute < 60 && second <= 60).then(|| {
        UnixTime::from_millis((((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + millis)
    })
}

/// Days since 1970-01-01 of a day that there is.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = |year: i64| year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month - 1).ok()?;
    let is_day = (1..=*months.get(index)?).contains(&day);
    let length = |year: i64| if is_leap(year) { 366 } else { 365 };
    let years: i64 =
        if year < 1970 { -(year..1970).map(length).sum::<i64>() } else { (1970..year).map(length).sum() };
    is_day.then(|| years + months[..index].iter().sum::<i64>() + day - 1)
}
