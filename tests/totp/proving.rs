//! Proving a second factor: what is counted, what is spent, and what nobody gets by asking again.

use super::ledger::Ledger;
use super::{gate, made, nfc};
use edgeward::authenticate::second_factor::{By, Sent, digits, verify};
use edgeward::authenticate::{Answers, Circumstances, Gate, Halt, LedgerAnswer, Question, Stored};
use edgeward::password::proven::ProvenCache;
use edgeward::secret::Secret;
use edgeward::time::UnixTime;
use edgeward::totp::{Digits, Step};
use edgeward::verdict::{Cause, Refusal};
use serde_json::json;

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

fn later(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(NOW.seconds() + seconds)
}

fn signing_in() -> Gate {
    gate(&json!({ "session": {} }))
}

/// Asks until it is decided; `answer` is what the ledger says.
fn asked(
    gate: &Gate,
    user: &str,
    sent: Sent<'_>,
    now: UnixTime,
    answer: &mut dyn FnMut(&edgeward::authenticate::LedgerQuestion) -> LedgerAnswer,
) -> Result<By, Refusal> {
    let proven = ProvenCache::new(&Secret::new([7; 32]));
    let mut answers = Answers::default();
    for _ in 0..9 {
        let at = Circumstances {
            now,
            proven: &proven,
            answers: &answers,
            store: Stored::nothing(),
            confirmed: None,
            nfc,
        };
        match verify(gate, user, sent, &at) {
            Ok(proved) => return Ok(proved.by()),
            Err(Halt::Refused(refusal)) => return Err(refusal),
            Err(Halt::Needs(Question::Ledger(question))) => {
                let said = answer(&question);
                answers.take(question, said);
            }
            Err(Halt::Needs(_)) => panic!("only the ledger is asked"),
        }
    }
    panic!("it does not settle");
}

/// The same, told in a word.
fn said(gate: &Gate, user: &str, sent: Sent<'_>, now: UnixTime, ledger: &mut Ledger) -> String {
    match asked(gate, user, sent, now, &mut |question| Some(ledger.ask(question, now))) {
        Ok(By::Code) => "code".into(),
        Ok(By::Recovery) => "recovery".into(),
        Err(refusal) => {
            assert_eq!(refusal.user.as_deref(), Some(user));
            let wait = refusal.retry_after.map(|wait| format!(" {}", wait.seconds())).unwrap_or_default();
            format!("{}{wait}", refusal.cause.name())
        }
    }
}

fn code(user: &str, now: UnixTime) -> String {
    made(user).enrolment().code(now)
}

fn recovery_codes() -> Vec<String> {
    made("ann").enrolment().recovery_codes().map(|code| code.expose().clone()).collect()
}

#[test]
fn a_code_is_good_once() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    let right = code("ann", NOW);
    let mut say = |seconds| said(&gate, "ann", Sent::Code(&right), later(seconds), &mut ledger);
    assert_eq!(
        [say(0), say(0), say(29), say(30)],
        ["code", "credentials-wrong", "credentials-wrong", "credentials-wrong"]
    );
    let next = code("ann", later(30));
    assert_eq!(said(&gate, "ann", Sent::Code(&next), later(30), &mut ledger), "code");
    assert_eq!(
        said(&gate, "old", Sent::Code(&code("old", NOW)), NOW, &mut ledger),
        "code",
        "each has their own"
    );
}

#[test]
fn another_step_or_user_is_wrong() {
    let gate = signing_in();
    for (user, of, seconds, expected) in [
        ("ann", "ann", -30, "code"),
        ("ann", "ann", 30, "code"),
        ("ann", "ann", -60, "credentials-wrong"),
        ("ann", "ann", 60, "credentials-wrong"),
        ("ann", "ann", 86_400, "credentials-wrong"),
        ("ann", "old", 0, "credentials-wrong"),
        ("bob", "ann", 0, "second-factor-required"),
        ("nobody", "ann", 0, "second-factor-required"),
    ] {
        let typed = code(of, later(seconds));
        let found = said(&gate, user, Sent::Code(&typed), NOW, &mut Ledger::default());
        assert_eq!(found, expected, "{user} {of} {seconds}");
    }
}

#[test]
fn what_has_not_the_form_is_wrong_and_counts() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    for typed in ["", "1", "12345", "1234567", "abcdef"] {
        assert_eq!(said(&gate, "ann", Sent::Code(typed), NOW, &mut ledger), "credentials-wrong", "{typed}");
    }
    assert_eq!(said(&gate, "ann", Sent::Code("1"), NOW, &mut ledger), "too-many-attempts 30");
}

/// Five wrong ones, and then even the right one waits: 30 seconds, doubling up to an hour.
#[test]
fn five_wrong_then_wait() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    let wrong = |now| if code("ann", now) == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(said(&gate, "ann", Sent::Code(wrong(NOW)), NOW, &mut ledger), "credentials-wrong");
    }
    let right = code("ann", NOW);
    assert_eq!(said(&gate, "ann", Sent::Code(&right), NOW, &mut ledger), "too-many-attempts 30");
    assert_eq!(said(&gate, "ann", Sent::Code(&right), later(29), &mut ledger), "too-many-attempts 1");
    let mut now = 0;
    for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
        let at = later(now + wait - 1);
        assert_eq!(said(&gate, "ann", Sent::Code("1"), at, &mut ledger), "too-many-attempts 1", "{wait}");
        now += wait;
        assert_eq!(
            said(&gate, "ann", Sent::Code("1"), later(now), &mut ledger),
            "credentials-wrong",
            "{wait}"
        );
    }
    let at = later(now + 3600);
    assert_eq!(said(&gate, "ann", Sent::Code(&code("ann", at)), at, &mut ledger), "code");
    assert_eq!(
        said(&gate, "ann", Sent::Code("1"), at, &mut ledger),
        "credentials-wrong",
        "and all is forgotten"
    );
    assert_eq!(
        said(&gate, "old", Sent::Code(&code("old", NOW)), NOW, &mut ledger),
        "code",
        "nobody else waits"
    );
}

#[test]
fn recovery_codes_are_good_once_each() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    let codes = recovery_codes();
    assert_eq!(codes.len(), 10);
    for (at, code) in codes.iter().enumerate() {
        let typed = code.to_lowercase().replace('-', " ");
        let years = later(i64::try_from(at).expect("small") * 31_557_600);
        assert_eq!(said(&gate, "ann", Sent::Recovery(&typed), years, &mut ledger), "recovery");
        assert_eq!(said(&gate, "ann", Sent::Recovery(code), years, &mut ledger), "credentials-wrong");
    }
    assert_eq!(said(&gate, "old", Sent::Recovery(&codes[0]), NOW, &mut ledger), "credentials-wrong");
    assert_eq!(said(&gate, "ann", Sent::Recovery("00000-00000"), NOW, &mut ledger), "credentials-wrong");
}

/// Who typed it into the wrong field is understood.
#[test]
fn the_form_of_a_code_says_what_it_is() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    let codes = recovery_codes();
    assert_eq!(said(&gate, "ann", Sent::Code(&codes[3]), NOW, &mut ledger), "recovery");
    assert_eq!(said(&gate, "ann", Sent::Recovery(&codes[3]), NOW, &mut ledger), "credentials-wrong");
    assert_eq!(said(&gate, "ann", Sent::Recovery(&code("ann", NOW)), NOW, &mut ledger), "code");
}

/// Whoever has guessed at the one can still use the other.
#[test]
fn codes_and_recovery_codes_wait_apart() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    for _ in 0..5 {
        said(&gate, "ann", Sent::Code("1"), NOW, &mut ledger);
    }
    assert_eq!(said(&gate, "ann", Sent::Code("1"), NOW, &mut ledger), "too-many-attempts 30");
    for _ in 0..5 {
        let found = said(&gate, "ann", Sent::Recovery("00000-00000"), NOW, &mut ledger);
        assert_eq!(found, "credentials-wrong");
    }
    let codes = recovery_codes();
    assert_eq!(said(&gate, "ann", Sent::Recovery(&codes[0]), NOW, &mut ledger), "too-many-attempts 30");
    assert_eq!(said(&gate, "ann", Sent::Recovery(&codes[0]), later(30), &mut ledger), "recovery");
}

/// The attempt is counted before anything is compared, in an object that many share, under names that say nothing.
#[test]
fn what_the_ledger_is_asked() {
    let (gate, mut ledger) = (signing_in(), Ledger::default());
    let name = made("ann").enrolment().name();
    said(&gate, "ann", Sent::Code(&code("ann", NOW)), NOW, &mut ledger);
    said(&gate, "ann", Sent::Code("1"), NOW, &mut ledger);
    let asked: Vec<_> = ledger.questions.iter().map(|it| (it.method, it.arguments.clone())).collect();
    let step = Step::at(NOW);
    assert_eq!(
        asked,
        [
            ("attempt", format!(r#"["code:{name}",5,30,3600,86400]"#)),
            ("spend", format!(r#"["code:{name}:{}",1,{}]"#, step.number(), step.over() + 120)),
            ("forget", format!(r#"["code:{name}"]"#)),
            ("attempt", format!(r#"["code:{name}",5,30,3600,86400]"#)),
        ]
    );
    assert!(ledger.questions.iter().all(|it| it.object == format!("totp:{}", &name[..2])));
    let mut ledger = Ledger::default();
    said(&gate, "ann", Sent::Recovery(&recovery_codes()[0]), NOW, &mut ledger);
    assert_eq!(ledger.questions[0].arguments, format!(r#"["recovery:{name}",5,30,3600,86400]"#));
    assert!(
        ledger.questions[1].arguments.starts_with("[\"recovery:")
            && ledger.questions[1].arguments.ends_with(",1,0]")
    );
    assert!(ledger.questions.iter().all(|it| !it.arguments.contains("ann")));
}

/// A ledger that says nothing, or nothing that can be read, lets nobody in: but it is too late to forget for it to matter.
#[test]
fn a_silent_ledger() {
    let gate = signing_in();
    let right = code("ann", NOW);
    for odd in [
        None,
        Some(""),
        Some("null"),
        Some("{}"),
        Some("1"),
        Some(r#"{"allowed":1,"ok":"yes"}"#),
        Some(r#"{"allowed":false}"#),
    ] {
        for silent in ["attempt", "spend", "forget"] {
            let mut ledger = Ledger::default();
            let found = asked(&gate, "ann", Sent::Code(&right), NOW, &mut |question| {
                let answer = ledger.ask(question, NOW);
                if question.method == silent { odd.map(str::to_owned) } else { Some(answer) }
            });
            match found {
                Ok(by) => assert_eq!((silent, by), ("forget", By::Code)),
                Err(refusal) => assert_eq!(refusal.cause, Cause::CheckUnavailable, "{silent} {odd:?}"),
            }
            assert_eq!(silent == "forget", ledger.questions.len() == 3, "{silent} {odd:?}");
        }
    }
}

#[test]
fn how_many_digits_a_form_asks_for() {
    let gate = signing_in();
    let verifiers = gate.config.verifiers.as_ref().expect("good secrets");
    assert_eq!(digits(verifiers, "ann"), Some(Digits::Six));
    assert_eq!(digits(verifiers, "bob"), None);
}
