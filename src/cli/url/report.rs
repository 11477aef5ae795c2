//! What is found out about a link, in words and as JSON.

use super::advice::{self, Looked};
use super::candidate::{self, Candidate, Described, Read};
use super::words;
use crate::cli::deployment::Deployment;
use crate::cli::output::{Misuse, Outcome, columns, visible};
use edgeward::policy::Format;
use edgeward::time::UnixTime;
use edgeward::token::signed_url::{Grant, Seen, preset};
use edgeward::verdict::{Cause, Refusal};
use serde_json::{Value, json};

/// Finds out all that can be.
pub fn outcome(
    deployment: &Deployment,
    described: &Described<'_>,
    url: &str,
    now: UnixTime,
) -> Result<Outcome, Misuse> {
    let all = candidate::candidates(deployment);
    let reads: Vec<(&Candidate, Read)> = described
        .at(url, |seen| all.iter().filter_map(|it| Some((it, it.read(seen)?))).collect())
        .ok_or_else(|| {
            Misuse::new("The link must be an absolute URL, such as https://acme.example/path?ew=...")
        })?;
    let Some(best) = reads.iter().map(rank).max() else { return Ok(none(&all, described, url)) };
    let Some((candidate, read)) = reads.iter().find(|it| rank(it) == best) else {
        return Ok(none(&all, described, url));
    };
    let others = reads.iter().filter(|(other, _)| !std::ptr::eq(*other, *candidate));
    let mut others: Vec<&str> = others.map(|(other, _)| other.entry.format.name()).collect();
    others.dedup();
    let verifiers = deployment.config.verifiers.as_ref().filter(|_| candidate.has_keys);
    let verdict =
        verifiers.and_then(|it| described.at(url, |seen| candidate::verdict(&it.links, seen, now)).flatten());
    let report = Report { deployment, described, url, now, candidate, read, others, verdict };
    Ok(report.outcome())
}

/// Which of several formats it is: the one whose key signed it, else one of the policy's, else who came furthest.
fn rank((candidate, read): &(&Candidate, Read)) -> (bool, bool, u8) {
    let is_signed = read.outcome.as_ref().is_ok_and(|parts| !candidate.fitting(parts).is_empty());
    (is_signed, candidate.is_configured, candidate::progress(read))
}

fn none(all: &[Candidate], described: &Described<'_>, url: &str) -> Outcome {
    let formats: Vec<&str> = Format::ALL.into_iter().map(|(name, _)| name).collect();
    let sentence = format!("No token of a format that is known here was found: {}.", formats.join(", "));
    let advice = if url.contains("&amp;") {
        "It has &amp; where & should stand: it was taken out of HTML as it is written there.".to_owned()
    } else if let Some(sentence) =
        described.at(url, |seen| all.iter().find_map(|it| passed_over(it, seen))).flatten()
    {
        sentence
    } else {
        "It is looked for where the policy's entries say, and for formats without an entry under their own names of \
         parameters. Was the link copied whole? A token in a cookie or field is given with -H."
            .to_owned()
    };
    let json = json!({ "verified": false, "format": null, "verdict": null, "advice": [sentence, advice] });
    Outcome { yes: false, ..Outcome::yes(format!("{sentence}\n{advice}\n"), json) }
}

/// A token that stands where its format mostly has it, and the entry of the policy does not look.
fn passed_over(candidate: &Candidate, seen: &Seen<'_>) -> Option<String> {
    let entry = preset(candidate.entry.format).defaults(candidate.entry.index);
    let place = candidate::read(&entry, seen).filter(|_| candidate.is_configured)?.place;
    Some(format!(
        "There is something in {}, where tokens of {} mostly stand, and EDGEWARD.tokens[{}] does not look there: see its \
         from and parameters.",
        visible(&place),
        entry.format.name(),
        entry.index
    ))
}

struct Report<'r> {
    deployment: &'r Deployment,
    described: &'r Described<'r>,
    url: &'r str,
    now: UnixTime,
    candidate: &'r Candidate,
    read: &'r Read,
    /// Other formats that it may be of.
    others: Vec<&'r str>,
    verdict: Option<Result<Grant, Refusal>>,
}

impl Report<'_> {
    fn outcome(&self) -> Outcome {
        let stated = self.read.outcome.as_ref().ok().map(|parts| &parts.stated);
        // Once it is verified its identifier is known even where the format has none.
        let stated = self.verdict.as_ref().and_then(|it| it.as_ref().ok()).map(Grant::stated).or(stated);
        let advice = self.advice();
        let yes = self.candidate.is_configured && matches!(self.verdict, Some(Ok(_)));
        let format = format!("{}, found in {}", self.candidate.name(), visible(&self.read.place));
        let lines = [
            ("Format".to_owned(), format),
            ("Signature".to_owned(), self.signature()),
            ("Verdict".to_owned(), format!("{} (at {})", self.verdict_words(), self.now)),
        ];
        let mut text = columns(&lines);
        advice.iter().for_each(|sentence| text.push_str(&format!("  {sentence}\n")));
        if let Some(stated) = stated {
            let fields = words::fields(stated, self.now);
            let fields: Vec<_> =
                fields.into_iter().map(|(name, value)| (format!("  {name}"), value)).collect();
            let caveat =
                if self.fitting().is_empty() { " (not verified: anybody can write this)" } else { "" };
            text.push_str(&format!("\nIt says{caveat}\n{}", columns(&fields)));
        }
        let json = json!({
            "verified": yes,
            "format": self.candidate.entry.format.name(),
            "entry": self.candidate.is_configured.then_some(self.candidate.entry.index),
            "place": self.read.place,
            "signature": { "holds": !self.fitting().is_empty(), "kids": self.fitting(), "names": self.named() },
            "verdict": self.verdict_json(),
            "advice": advice,
            "says": stated.map(words::says),
        });
        let problems = self.deployment.problems().map(|problem| format!("problem: {problem}"));
        Outcome { yes, notes: problems.collect(), ..Outcome::yes(text, json) }
    }

    /// Whether the gate lets nobody in by links of this format, or by any.
    fn is_closed(&self) -> bool {
        let config = &self.deployment.config;
        config.policy.is_none() || self.candidate.is_configured && config.verifiers.is_none()
    }

    fn fitting(&self) -> Vec<String> {
        self.read.outcome.as_ref().map(|parts| self.candidate.fitting(parts)).unwrap_or_default()
    }

    fn named(&self) -> Option<&str> {
        self.read.outcome.as_ref().ok()?.kid.as_deref()
    }

    fn secret(&self) -> &'static str {
        if self.candidate.entry.format == Format::Edgeward { "EDGEWARD_SECRET" } else { "EDGEWARD_KEYS" }
    }

    fn signature(&self) -> String {
        let named =
            self.named().map(|kid| format!(" (it names the key {})", visible(kid))).unwrap_or_default();
        match (self.fitting().as_slice(), &self.read.outcome) {
            (_, Err((_, detail))) => format!("not looked at: {detail}"),
            ([], Ok(_)) if !self.candidate.has_keys => {
                format!("not verified: {} is not here{named}", self.secret())
            }
            ([], Ok(_)) => format!("NOT VERIFIED: no key here made it{named}"),
            ([kid], Ok(_)) => format!("holds, by key {}", visible(kid)),
            (kids, Ok(_)) => format!("holds, by keys {}", visible(&kids.join(", "))),
        }
    }

    fn verdict_words(&self) -> String {
        match &self.verdict {
            _ if self.is_closed() => {
                "none: the configuration has problems, and with these the gate lets nobody in".to_owned()
            }
            _ if !self.candidate.is_configured => "none: the gate does not look for it".to_owned(),
            None if self.candidate.has_keys => "none: its entry of the policy is for other paths".to_owned(),
            None => format!("none: {} is not here", self.secret()),
            Some(Ok(grant)) if grant.stated().uses.is_some() => {
                format!("good, as link:{}, while uses are left", grant.id())
            }
            Some(Ok(grant)) => format!("let in as link:{}", visible(grant.id())),
            Some(Err(refusal)) => format!("refused: {}: {}", refusal.cause.name(), visible(&refusal.detail)),
        }
    }

    fn verdict_json(&self) -> Value {
        match &self.verdict {
            _ if !self.candidate.is_configured => Value::Null,
            None => Value::Null,
            Some(Ok(grant)) => {
                json!({ "ok": true, "user": format!("link:{}", grant.id()), "kid": grant.key() })
            }
            Some(Err(refusal)) => {
                json!({ "ok": false, "cause": refusal.cause.name(), "detail": refusal.detail })
            }
        }
    }

    fn advice(&self) -> Vec<String> {
        let jwks = self.deployment.secrets.value("EDGEWARD_KEYS");
        let looked = Looked {
            candidate: self.candidate,
            parts: self.read.outcome.as_ref().ok(),
            described: self.described,
            url: self.url,
            jwks: jwks.as_ref(),
            leeway: self.deployment.config.policy.as_ref().map(|policy| policy.leeway).unwrap_or_default(),
            now: self.now,
        };
        let mut sentences = self.policy_advice();
        if let Some(Err(refusal)) = self.verdict.as_ref().filter(|_| self.candidate.is_configured) {
            sentences.extend(advice::advice(&looked, refusal.cause));
        } else if self.verdict.is_none() || !self.candidate.is_configured {
            sentences.extend(self.without_verdict(&looked));
        }
        sentences
    }

    /// What there is to say of a link that the gate does not look for here.
    fn without_verdict(&self, looked: &Looked<'_>) -> Vec<String> {
        match &self.read.outcome {
            Err(_) => Vec::new(),
            Ok(_) if !self.fitting().is_empty() => advice::limits(looked),
            Ok(_) if self.candidate.has_keys => advice::advice(looked, Cause::TokenBadSignature),
            Ok(_) => Vec::new(),
        }
    }

    /// What the policy would have to say.
    fn policy_advice(&self) -> Vec<String> {
        let entry = &self.candidate.entry;
        let mut sentences = Vec::new();
        if self.deployment.config.policy.is_none() {
            return sentences;
        }
        if !self.candidate.is_configured {
            sentences.push(format!(
                "The policy would need [[vars.EDGEWARD.tokens]] with format = \"{}\".",
                entry.format.name()
            ));
            if !self.others.is_empty() && self.fitting().is_empty() {
                sentences.push(format!(
                    "By its parameters it may be of another format: {}.",
                    self.others.join(", ")
                ));
            }
        } else if self.verdict.is_none() && self.candidate.has_keys && !entry.paths.is_empty() {
            sentences.push(format!("Its entry is for {} only.", visible(&entry.paths.join(", "))));
        }
        sentences
    }
}
