//! Which form an answer takes: a page for a person, problem details for a program, a line of text for a terminal.
//!
//! `Sec-Fetch-*` (Fetch Metadata) is what the browser itself says and comes first; `Accept` (RFC 9110 §12.5.1)
//! decides for all others.

use crate::challenge::Asker;
use crate::request::RequestFacts;

/// The form of an answer's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `text/html`.
    Html,
    /// `application/problem+json` (RFC 9457).
    Problem,
    /// `text/plain`.
    Text,
    /// None: an image, a style sheet, a script or a font was asked for.
    Nothing,
}

/// Who asks.
#[must_use]
pub fn asker(facts: &RequestFacts<'_>) -> Asker {
    match facts.field("sec-fetch-mode").as_deref() {
        Some("navigate") => Asker::Navigation,
        Some(_) => Asker::Subresource,
        None => Asker::Other,
    }
}

/// The form that fits who asks.
#[must_use]
pub fn form(facts: &RequestFacts<'_>, asker: Asker) -> Form {
    if matches!(facts.field("sec-fetch-dest").as_deref(), Some("image" | "style" | "script" | "font")) {
        return Form::Nothing;
    }
    let accept = || Accepted::parse(&facts.field("accept").unwrap_or_default());
    match asker {
        Asker::Navigation => Form::Html,
        Asker::Subresource => accept().for_script(),
        Asker::Other => accept().by_name(),
    }
}

/// Quality values in thousandths, by type; `None` where `Accept` does not name it.
#[derive(Debug, Default)]
struct Accepted {
    html: Option<u16>,
    problem: Option<u16>,
    text: Option<u16>,
    any_text: Option<u16>,
    any_application: Option<u16>,
    any: Option<u16>,
}

impl Accepted {
    fn parse(field: &str) -> Self {
        let mut accepted = Self::default();
        for element in field.split(',') {
            let mut parts = element.split(';').map(|part| part.trim_matches([' ', '\t']));
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let Some(q) = quality(parts) else { continue };
            let slot = match range.as_str() {
                "text/html" => &mut accepted.html,
                "application/problem+json" | "application/json" => &mut accepted.problem,
                "text/plain" => &mut accepted.text,
                "text/*" => &mut accepted.any_text,
                "application/*" => &mut accepted.any_application,
                "*/*" => &mut accepted.any,
                _ => continue,
            };
            *slot = (*slot).max(Some(q));
        }
        accepted
    }

    /// A script gets problem details unless it ranks a page or text higher; ranges count.
    fn for_script(&self) -> Form {
        let html = self.html.or(self.any_text).or(self.any).unwrap_or(0);
        let text = self.text.or(self.any_text).or(self.any).unwrap_or(0);
        let problem = self.problem.or(self.any_application).or(self.any).unwrap_or(0);
        if html > problem && html >= text {
            Form::Html
        } else if text > problem {
            Form::Text
        } else {
            Form::Problem
        }
    }

    /// Only types that are named count; of those with the highest q, problem details before HTML before text.
    fn by_name(&self) -> Form {
        let named = [(self.problem, Form::Problem), (self.html, Form::Html), (self.text, Form::Text)];
        let best = named.iter().filter_map(|(q, _)| *q).max().filter(|q| *q > 0);
        named.iter().find(|(q, _)| best.is_some() && *q == best).map_or(Form::Text, |(_, form)| *form)
    }
}

/// The weight (RFC 9110 §12.4.2) in thousandths, 1 where none is given; `None` where it is malformed.
fn quality<'f>(mut parameters: impl Iterator<Item = &'f str>) -> Option<u16> {
    let Some(value) = parameters.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q="))) else {
        return Some(1000);
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.bytes().all(|b| b.is_ascii_digit()) && fraction.len() <= 3;
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;
    use proptest::prelude::*;

    fn chosen(lines: &[(&str, &str)]) -> Form {
        let fields = FieldList::new(lines.iter().copied());
        let facts = RequestFacts::new("GET", "https://h/", &fields).expect("an absolute URI");
        form(&facts, asker(&facts))
    }

    #[test]
    fn by_fetch_metadata() {
        let mode = |mode, accept| chosen(&[("Sec-Fetch-Mode", mode), ("Accept", accept)]);
        for (fetch_mode, accept, expected) in [
            ("navigate", "application/json", Form::Html),
            ("cors", "*/*", Form::Problem),
            ("cors", "", Form::Problem),
            ("cors", "application/json, text/plain, */*", Form::Problem),
            ("cors", "text/html", Form::Html),
            ("cors", "text/html, */*;q=0.5", Form::Html),
            ("cors", "text/plain, application/json;q=0.9", Form::Text),
            ("same-origin", "text/html;q=0.8, application/json;q=0.8", Form::Problem),
        ] {
            assert_eq!(mode(fetch_mode, accept), expected, "{fetch_mode} {accept}");
        }
        assert_eq!(chosen(&[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]), Form::Nothing);
    }

    #[test]
    fn by_accept_alone() {
        for (accept, expected) in [
            ("", Form::Text),
            ("*/*", Form::Text),
            ("text/*", Form::Text),
            ("image/png", Form::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Form::Html),
            ("application/json", Form::Problem),
            ("APPLICATION/PROBLEM+JSON", Form::Problem),
            ("text/html, application/json", Form::Problem),
            ("text/html, text/plain", Form::Html),
            ("text/html;q=0.5, text/plain;q=0.6", Form::Text),
            ("text/html;level=1;q=0.7, application/json;q=0.1", Form::Html),
            ("text/html;q=0", Form::Text),
            ("text/html;q=2, application/json;q=0.1", Form::Problem),
        ] {
            assert_eq!(chosen(&[("Accept", accept)]), expected, "{accept}");
        }
        assert_eq!(chosen(&[]), Form::Text);
    }

    proptest! {
        #[test]
        fn never_panics(accept in "\\PC*") {
            let _ = chosen(&[("Accept", &accept)]);
            let _ = chosen(&[("Accept", &accept), ("Sec-Fetch-Mode", "cors")]);
        }
    }
}
