//! The answer in plain text: for a terminal. A refusal is in English, as what was exactly wrong is said in English.

use crate::reply::PROBLEMS;
use crate::reply::catalog::{Known, fill, problem};
use crate::reply::escape::cut;
use crate::reply::languages;
use crate::reply::page::PageFacts;
use crate::reply::said::Saying;

/// The most octets a plain answer may have (contract: under 600).
const LESS_THAN: usize = 600;

/// Status and title, what exactly was wrong (`detail`, or what the cause means), where to read more, the reference.
///
/// Under 600 octets whatever the facts are; nothing but `detail` and the reference is of this request.
#[must_use]
pub fn plain_text(facts: &PageFacts<'_>, detail: Option<&str>) -> String {
    let problem = problem(facts.cause);
    let head = format!("{} {}\n\n", facts.status, problem.headline);
    let (cause, reference) = (facts.cause.name(), cut(&one_line(facts.reference), 40));
    let tail = format!("\n\nMore: {PROBLEMS}{cause}\nReference: {reference}\n");
    let room = LESS_THAN.saturating_sub(head.len() + tail.len() + 1);
    head + &fit(&one_line(detail.unwrap_or(problem.text)), room) + &tail
}

/// The words of a page that is no refusal.
#[must_use]
pub fn said(saying: &Saying<'_>, facts: &PageFacts<'_>) -> String {
    let words = languages::catalog(facts.language);
    let known = Known { user: saying.user.is_some(), ..Known::default() };
    let wording = words.said(saying.said.name(), known);
    let user = one_line(saying.user.unwrap_or_default());
    let place = one_line(saying.place.unwrap_or_default());
    let blanks = [("brand", facts.host), ("user", user.as_str()), ("place", place.as_str())];
    let text = fill(wording.text, &blanks);
    [fill(wording.headline, &blanks).as_str(), "\n\n", &fit(&text, LESS_THAN / 2), "\n"].concat()
}

/// Control characters out: a terminal would act on them.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// At most `room` octets, ending in `…` where there were more.
fn fit(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(room.saturating_sub('…'.len_utf8()));
    text.get(..end).unwrap_or_default().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Cause;
    use proptest::prelude::*;

    fn facts(cause: Cause, reference: &str) -> PageFacts<'_> {
        let address = "https://acme.example/";
        PageFacts { status: 401, host: "acme.example", address, reference, ..PageFacts::of(cause) }
    }

    #[test]
    fn reads_well() {
        assert_eq!(
            plain_text(&facts(Cause::TokenExpired, "0123456789abcdef"), None),
            "401 Token has expired\n\nThe moment in the exp claim of the token has passed (RFC 7519, section 4.1.4).\n\n\
             More: /.edgeward/problems/token-expired\nReference: 0123456789abcdef\n"
        );
        let exact = plain_text(&facts(Cause::TokenExpired, "r"), Some("exp was 3 s ago\u{1b}[2J."));
        assert!(exact.contains("\n\nexp was 3 s ago [2J.\n\n"), "{exact}");
    }

    #[test]
    fn every_cause_is_short() {
        for cause in Cause::ALL {
            assert!(plain_text(&facts(cause, "0123456789abcdef-FRA"), None).len() < 600, "{cause:?}");
        }
    }

    proptest! {
        #[test]
        fn always_short(detail in "\\PC{0,900}", reference in "\\PC{0,900}") {
            prop_assert!(plain_text(&facts(Cause::RequestAmbiguous, &reference), Some(&detail)).len() < 600);
        }
    }
}
