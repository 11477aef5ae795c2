//! The second factor: proving it, and step 18, who needs one.
//!
//! [`verify`] is asked where a form bears a code or a recovery code, and the first factor is proven. Like [`authenticate`](super::authenticate) it
//! never waits: it says what it needs from the ledger, and is asked again from the beginning with the answer.
//!
//! 1. The attempt is counted before anything is compared, so that guesses which come at once count, too. Five may be wrong;
//!    then each is followed by a wait, which doubles from 30 seconds up to an hour. Codes and recovery codes are counted each
//!    by themselves: who has guessed at the one in vain, or whose app's clock is wrong, can still use the other.
//! 2. The code is compared with those of three steps, or of all ten recovery codes, in constant time.
//! 3. What matched is spent: the step until it is over, a recovery code for ever. Of two requests with the same code one is let
//!    in (RFC 6238 §5.2).
//! 4. The attempts are forgotten. Whether that worked does not matter to who was right.
//!
//! All of it is in the ledger, which counts exactly and cannot be replayed; where it does not answer, nobody is let in. At 36
//! guesses a day and three codes of a million that are good, guessing takes 18 years for even odds, and needs the password.

use super::identify::{Halt, Known};
use super::{About, Circumstances, Gate, LedgerQuestion, Question, SecondFactorStep};
use crate::config::Verifiers;
use crate::json::{Json, push_string};
use crate::policy::{Kind, Rule};
use crate::session::Factors;
use crate::time::Lifetime;
use crate::totp::{Digits, Enrolment, recovery};
use crate::verdict::{Cause, Refusal};

/// Attempts that nobody waits for.
const FREE: i64 = 5;
/// Seconds of the first wait; the next ones double.
const FIRST_WAIT: i64 = 30;
/// Seconds of the longest wait.
const LONGEST_WAIT: i64 = 3600;
/// Seconds for which attempts are remembered after the last one.
const KEPT: i64 = 86_400;
/// Seconds for which a step is remembered once it is over: clocks of two data centers differ.
const MARGIN: u64 = 120;

/// What a form sent as the second factor.
#[derive(Clone, Copy)]
pub enum Sent<'f> {
    /// The field `code`. A recovery code is taken there, too.
    Code(&'f str),
    /// The field `recovery`.
    Recovery(&'f str),
}

/// The second factor of this user was proven just now, and will not be by the same code again. Only [`verify`] makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved(By);

/// By what a second factor was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A code of the app.
    Code,
    /// A recovery code.
    Recovery,
}

impl Proved {
    /// By what.
    #[must_use]
    pub const fn by(self) -> By {
        self.0
    }
}

/// Step 18: whether a rule asks somebody known for more than they proved.
///
/// 1. For a user who has a second factor a password alone is not enough, in a session neither: the second factor may have
///    come after the sign-in. A rule may lift that for Basic.
/// 2. Where a rule wants a second factor, only a session in which one was proven passes: tokens, keys and links prove none.
pub(super) fn demand(verifiers: &Verifiers, rule: &Rule, known: &Known) -> Result<(), Refusal> {
    let who = &known.authenticated;
    let user = who.user.as_deref().filter(|_| who.is_account);
    let enrolled = verifiers.totp.as_ref().zip(user).and_then(|(secrets, user)| secrets.of(user));
    let detail = match who.kind {
        Kind::Session if who.factors == Some(Factors::Both) => return Ok(()),
        Kind::Basic if enrolled.is_some() && !rule.basic_without_second_factor => ALONE,
        Kind::Session if enrolled.is_some() => ALONE,
        _ if rule.second_factor => "The rule of this path wants a second factor, and none was proven.",
        Kind::Basic | Kind::Session | Kind::Bearer | Kind::ApiKey | Kind::SignedUrl => return Ok(()),
    };
    let refusal = Refusal::new(Cause::SecondFactorRequired, detail).sent(who.kind);
    // Only a session can take the step that is missing: the page asks for it.
    let digits = enrolled.filter(|_| who.kind == Kind::Session).map(Enrolment::digits);
    Err(Refusal { user: who.user.clone(), key: who.key.clone(), digits, ..refusal })
}

const ALONE: &str = "This account has a second factor: a password alone is not enough.";

/// How many digits the codes of that user have (in NFC); `None` for who has no second factor.
#[must_use]
pub fn digits(verifiers: &Verifiers, user: &str) -> Option<Digits> {
    verifiers.totp.as_ref()?.of(user).map(Enrolment::digits)
}

/// Whether what was sent proves the second factor of `user` (in NFC), whose first factor is proven.
///
/// # Errors
/// [`Halt::Needs`]: the ledger has to be asked first. [`Halt::Refused`], about that user: `credentials-wrong` for a code that is
/// none, or was used; `too-many-attempts` with `retry_after`; `check-unavailable` where the ledger does not answer;
/// `second-factor-required` for a user who has no second factor.
pub fn verify(gate: &Gate, user: &str, sent: Sent<'_>, at: &Circumstances<'_>) -> Result<Proved, Halt> {
    let proving = Proving::new(enrolment(gate, user)?, sent, at);
    proving.counted()?;
    let used = proving.compared().ok_or_else(|| proving.wrong("The code is wrong."))?;
    proving.spent(&used)?;
    proving.forgotten()?;
    Ok(Proved(proving.by))
}

fn enrolment<'g>(gate: &'g Gate, user: &str) -> Result<&'g Enrolment, Refusal> {
    let secrets = gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.totp.as_ref());
    secrets.and_then(|secrets| secrets.of(user)).ok_or_else(|| {
        let detail = "This account has no second factor: whoever runs this site gives it one.";
        about(user, Refusal::new(Cause::SecondFactorRequired, detail))
    })
}

/// What was sent, and what it is to prove.
struct Proving<'a> {
    enrolment: &'a Enrolment,
    typed: &'a str,
    by: By,
    at: &'a Circumstances<'a>,
}

/// What the ledger remembers of a code that was used.
struct Used {
    name: String,
    /// Unix seconds, 0 for ever.
    until: u64,
}

impl<'a> Proving<'a> {
    /// The two forms differ, so that what was typed into the wrong field is understood.
    fn new(enrolment: &'a Enrolment, sent: Sent<'a>, at: &'a Circumstances<'a>) -> Self {
        let (typed, by) = match sent {
            Sent::Code(typed) if recovery::has_form(typed) => (typed, By::Recovery),
            Sent::Recovery(typed) if enrolment.has_form(typed) => (typed, By::Code),
            Sent::Code(typed) => (typed, By::Code),
            Sent::Recovery(typed) => (typed, By::Recovery),
        };
        Self { enrolment, typed, by, at }
    }

    /// One more attempt, where one is left.
    fn counted(&self) -> Result<(), Halt> {
        let limits = [FREE, FIRST_WAIT, LONGEST_WAIT, KEPT];
        let answer = self.asked(SecondFactorStep::Attempt, "attempt", &self.attempts(), &limits)?;
        if self.is(&answer, "allowed")? {
            return Ok(());
        }
        let wait = answer.get("wait").and_then(Json::as_whole).ok_or_else(|| self.unavailable())?;
        let detail = "Too many codes were wrong: wait before you try another.";
        let refusal = Refusal {
            retry_after: Some(Lifetime::from_seconds(wait)),
            ..Refusal::new(Cause::TooManyAttempts, detail)
        };
        Err(self.about(refusal).into())
    }

    /// What has to be spent of what was sent, where it is right.
    fn compared(&self) -> Option<Used> {
        match self.by {
            By::Code => {
                let step = self.enrolment.matches(self.typed, self.at.now)?;
                let name = ["code:", &self.enrolment.name(), ":", &step.number().to_string()].concat();
                Some(Used { name, until: step.over().saturating_add(MARGIN) })
            }
            By::Recovery => {
                let name = ["recovery:", &self.enrolment.recovery(self.typed)?].concat();
                Some(Used { name, until: 0 })
            }
        }
    }

    fn spent(&self, used: &Used) -> Result<(), Halt> {
        let limits = [1, i64::try_from(used.until).unwrap_or(i64::MAX)];
        let answer = self.asked(SecondFactorStep::Spend, "spend", &used.name, &limits)?;
        if self.is(&answer, "ok")? { Ok(()) } else { Err(self.wrong("The code was used before.").into()) }
    }

    /// Whoever is right has all attempts anew, silent ledger or not.
    fn forgotten(&self) -> Result<(), Halt> {
        match self.asked(SecondFactorStep::Forget, "forget", &self.attempts(), &[]) {
            Err(Halt::Needs(question)) => Err(Halt::Needs(question)),
            Ok(_) | Err(Halt::Refused(_)) => Ok(()),
        }
    }

    /// Under which name attempts are counted.
    fn attempts(&self) -> String {
        let kind = match self.by {
            By::Code => "code:",
            By::Recovery => "recovery:",
        };
        [kind, &self.enrolment.name()].concat()
    }

    /// The answer of the ledger, or the question.
    fn asked(
        &self,
        step: SecondFactorStep,
        method: &'static str,
        name: &str,
        numbers: &[i64],
    ) -> Result<Json<'a>, Halt> {
        let Some(answer) = self.at.answers.second_factor(step) else {
            let object = object(&self.enrolment.name());
            let arguments = arguments(name, numbers);
            let about = About::SecondFactor(step);
            return Err(Halt::Needs(Question::Ledger(LedgerQuestion { about, object, method, arguments })));
        };
        let json = answer.as_deref().and_then(|answer| Json::parse(answer).ok());
        json.ok_or_else(|| self.unavailable().into())
    }

    /// What the answer says of that; one that says nothing is none.
    fn is(&self, answer: &Json<'_>, name: &str) -> Result<bool, Refusal> {
        answer.get(name).and_then(Json::as_bool).ok_or_else(|| self.unavailable())
    }

    fn wrong(&self, detail: &str) -> Refusal {
        let digits = Some(self.enrolment.digits());
        self.about(Refusal { digits, ..Refusal::new(Cause::CredentialsWrong, detail) })
    }

    fn unavailable(&self) -> Refusal {
        self.about(Refusal::new(
            Cause::CheckUnavailable,
            "EDGEWARD_LEDGER has to be asked, and does not answer.",
        ))
    }

    fn about(&self, refusal: Refusal) -> Refusal {
        about(self.enrolment.user(), refusal)
    }
}

fn about(user: &str, refusal: Refusal) -> Refusal {
    Refusal { user: Some(user.to_owned()), ..refusal }
}

/// The object that counts for that name: one of 4,096, so that neither one for all nor one for each user.
fn object(name: &str) -> String {
    ["totp:", name.get(..2).unwrap_or_default()].concat()
}

/// A JSON array: a name, then numbers.
fn arguments(name: &str, numbers: &[i64]) -> String {
    let mut text = String::from("[");
    push_string(&mut text, name);
    for number in numbers {
        text.push(',');
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}
