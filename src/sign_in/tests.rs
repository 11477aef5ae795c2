use super::*;
use crate::authenticate::{Answers, LedgerQuestion, Stored};
use crate::config::{Config, Sources};
use crate::password::proven::ProvenCache;
use crate::password::{nfc, phc::hash_bcrypt};
use crate::request::FieldList;
use crate::secret::Secret;
use crate::time::{Lifetime, UnixTime};
use crate::token::mac::RootSecret;
use crate::token::to_base64url;
use crate::totp::{Digits, Hash, Made};

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);
const ID: [u8; ID_SIZE] = [9; ID_SIZE];

fn later(seconds: i64) -> UnixTime {
    NOW + Lifetime::from_seconds(seconds)
}

fn secret() -> String {
    to_base64url(&[7; 32])
}

/// The second factor of `tess`.
fn made() -> Made {
    Made::new("tess", Hash::Sha1, Digits::Six, &[1; 20], &[2; 16]).expect("a second factor")
}

fn users() -> String {
    let line = |user: &str, more: &str| {
        let hash = hash_bcrypt(&Secret::new(format!("{user}-pw")), *b"0123456789abcdef", 4).expect("a hash");
        format!("{user}:{hash}{more}\n")
    };
    ["ann", "tess", "Zo\u{eb}"].map(|user| line(user, ":staff")).concat()
        + &line("sam", ":!suspended")
        + &line("old", ":!until=2020-01-01")
}

/// A gate that people sign in at, and a browser before it.
struct World {
    gate: Gate,
    proven: ProvenCache,
    cookie: Option<String>,
    asked: Vec<LedgerQuestion>,
    passwords: u32,
}

impl World {
    fn new(session: &str) -> Self {
        Self::with_users(session, &users())
    }

    fn with_users(session: &str, users: &str) -> Self {
        let root = RootSecret::parse(&secret()).expect("a secret");
        let text = |text: String| Some(Secret::new(text));
        let sources = Sources {
            policy: Some(format!("{{\"session\":{session}}}")),
            secret: text(secret()),
            users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(users.to_owned()))],
            totp: text(made().line(&root, [3; 24]).expect("a line")),
            ledger: true,
            ..Sources::default()
        };
        let config = Config::parse(&sources, nfc);
        assert!(config.problems.is_empty(), "{:?}", config.problems);
        let proven = ProvenCache::new(&Secret::new([5; 32]));
        Self { gate: Gate::new(config), proven, cookie: None, asked: Vec::new(), passwords: 0 }
    }

    /// Sends a form, and answers whatever is asked: the ledger lets everything be done once.
    fn send(&mut self, content: &str, id: [u8; ID_SIZE], now: UnixTime) -> Result<Session, Refusal> {
        let lines = self.cookie.iter().map(|value| ("cookie", format!("__Host-edgeward={value}")));
        let fields = FieldList::new(lines);
        let facts = RequestFacts::new("POST", "https://h/.edgeward/sign-in", &fields).expect("absolute");
        let form = SignInForm::read(content, "https://h", &[], nfc);
        let mut answers = Answers::default();
        for _ in 0..9 {
            let store = Stored::nothing();
            let at =
                Circumstances { now, proven: &self.proven, answers: &answers, store, confirmed: None, nfc };
            match sign_in(&self.gate, &facts, &form, &at, id) {
                SignInOutcome::Decided(SignIn::In(session)) => return Ok(*session),
                SignInOutcome::Decided(SignIn::Refused(refused)) => {
                    assert!(refused.accept.has(Kind::Session) && refused.refusal.sent == Some(Kind::Session));
                    return Err(refused.refusal);
                }
                SignInOutcome::Needs(Question::Password(question)) => {
                    self.passwords += 1;
                    let users = self.gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref());
                    answers.password = users.map(|users| users.check(&question.user_pass));
                }
                SignInOutcome::Needs(Question::Ledger(question)) => {
                    let spent = question.method == "spend" && self.asked.contains(&question);
                    let answer = format!("{{\"allowed\":true,\"ok\":{},\"marked\":[]}}", !spent);
                    self.asked.push(question.clone());
                    answers.take(question, Some(answer));
                }
                SignInOutcome::Needs(question) => panic!("{question:?}"),
            }
        }
        panic!("it never ends");
    }

    fn sign_in(&mut self, content: &str) -> Result<Session, Refusal> {
        self.send(content, ID, NOW)
    }

    fn cause(&mut self, content: &str) -> Cause {
        self.sign_in(content).expect_err(content).cause
    }

    /// Puts a session into the browser's cookie.
    fn keep(&mut self, session: &Session) {
        let keys = self.gate.config.verifiers.as_ref().and_then(|it| it.session.as_ref()).expect("keys");
        self.cookie = keys.seal(session, "h", [4; 24]);
    }
}

fn code(now: UnixTime) -> String {
    format!("code={}", made().enrolment().code(now))
}

#[test]
fn a_password_begins_a_session() {
    let mut world = World::new(r#"{"idle":"10m","absolute":"2h"}"#);
    let session = world.sign_in("username=ann&password=ann-pw&return_to=/a").expect("in");
    assert_eq!((session.user.as_str(), session.factors, session.id), ("ann", Factors::Password, ID));
    assert_eq!((session.began, session.seen, session.ends), (NOW, NOW, later(7200)));
    assert_eq!((session.idle, session.remembered), (Lifetime::from_seconds(600), false));
    assert!(session.groups.is_empty(), "they come from the line");
    let unicode = world.sign_in("username=Zoe%CC%88&password=Zo%C3%AB-pw").expect("in NFC");
    assert_eq!(unicode.user, "Zo\u{eb}");
}

#[test]
fn kept_only_where_it_may_be() {
    let form = "username=ann&password=ann-pw&remember=1";
    let session = World::new(r#"{"remember":"20d","remember_idle":"3d"}"#).sign_in(form).expect("in");
    assert!(session.remembered);
    assert_eq!(session.ends, later(20 * 86_400));
    assert_eq!(session.idle, Lifetime::from_seconds(3 * 86_400));
    let session = World::new(r#"{"remember":"0"}"#).sign_in(form).expect("in");
    assert!(!session.remembered, "forbidden");
    assert_eq!(session.ends, later(12 * 3600));
}

#[test]
fn refusals() {
    let mut world = World::new("{}");
    for (form, cause) in [
        ("username=ann&password=x", Cause::CredentialsWrong),
        ("username=nobody&password=x", Cause::CredentialsWrong),
        ("username=Ann&password=ann-pw", Cause::CredentialsWrong),
        ("username=ann@x@y&password=ann-pw", Cause::CredentialsWrong),
        ("username=ann:x&password=ann-pw", Cause::CredentialsWrong),
        ("username=sam&password=sam-pw", Cause::AccountSuspended),
        ("username=sam&password=x", Cause::CredentialsWrong),
        ("username=old&password=old-pw", Cause::PasswordExpired),
        ("username=old&password=x", Cause::CredentialsWrong),
        ("username=&password=x", Cause::CredentialsMalformed),
        ("username=ann%0A&password=ann-pw", Cause::CredentialsMalformed),
        ("username=ann", Cause::CredentialsMalformed),
        ("", Cause::CredentialsMalformed),
        ("code=123456", Cause::CredentialsMissing),
        ("recovery=ABCDE-FGHJK", Cause::CredentialsMissing),
    ] {
        assert_eq!(world.cause(form), cause, "{form}");
    }
}

#[test]
fn who_is_unknown_learns_nothing_and_takes_the_same_work() {
    let mut world = World::new("{}");
    let known = world.sign_in("username=ann&password=x").expect_err("wrong");
    let counts = (world.passwords, world.asked.len());
    let unknown = world.sign_in("username=nobody&password=x").expect_err("unknown");
    assert_eq!(known, unknown);
    assert_eq!((world.passwords, world.asked.len()), (counts.0 * 2, counts.1 * 2));
    assert_eq!(known.user, None, "nobody is named who was not proven");
}

#[test]
fn a_user_with_a_second_factor_is_half_in_until_the_code() {
    let mut world = World::new("{}");
    let half = world.send("username=tess&password=tess-pw&remember=1", [1; 16], NOW).expect("half");
    assert_eq!((half.factors, half.remembered), (Factors::Half, true));
    assert!(half.ends <= later(900), "there is little time for the code");
    world.keep(&half);
    let wrong = world.send("code=000000", [2; 16], NOW).expect_err("wrong");
    assert_eq!((wrong.cause, wrong.user.as_deref()), (Cause::CredentialsWrong, Some("tess")));
    let whole = world.send(&code(later(60)), [2; 16], later(60)).expect("whole");
    assert_eq!((whole.factors, whole.id, whole.remembered), (Factors::Both, [2; 16], true));
    assert_eq!((whole.began, whole.ends), (later(60), later(60 + 30 * 86_400)));
    assert_ne!(whole.id, half.id);
    let again = world.send(&code(later(60)), [3; 16], later(60)).expect_err("used");
    assert_eq!(again.cause, Cause::CredentialsWrong);
    let too_late = world.send(&code(half.ends), [3; 16], half.ends).expect_err("late");
    assert_eq!(too_late.cause, Cause::SessionExpired);
}

#[test]
fn a_further_factor_neither_lengthens_a_session_nor_keeps_its_id() {
    let mut world = World::new("{}");
    let half = world.send("username=tess&password=tess-pw", [1; 16], NOW).expect("half");
    let session = Session { factors: Factors::Password, ends: later(7200), ..half };
    world.keep(&session);
    let now = later(60);
    let whole = world.send(&code(now), [2; 16], now).expect("whole");
    assert_eq!((whole.id, whole.factors), ([2; 16], Factors::Both));
    assert_eq!((whole.began, whole.ends, whole.seen), (NOW, later(7200), now));
}

#[test]
fn a_code_is_of_whom_the_cookie_says() {
    let mut world = World::new("{}");
    let ann = world.sign_in("username=ann&password=ann-pw").expect("in");
    world.keep(&ann);
    let refusal = world.sign_in(&code(NOW)).expect_err("ann has none");
    assert_eq!((refusal.cause, refusal.user.as_deref()), (Cause::SecondFactorRequired, Some("ann")));
    world.cookie = Some("somebody-elses".to_owned());
    assert_eq!(world.cause(&code(NOW)), Cause::SessionInvalid);
    // With a password in it, the form is the first factor, whatever else it bears.
    assert_eq!(world.sign_in("username=ann&password=ann-pw&code=1").expect("in").factors, Factors::Password);
}

#[test]
fn a_changed_line_ends_what_is_half_done() {
    let mut world = World::new("{}");
    let half = world.sign_in("username=tess&password=tess-pw").expect("half");
    let mut other = World::with_users("{}", &users().replace("staff", "admins"));
    other.keep(&half);
    assert_eq!(other.cause(&code(NOW)), Cause::SessionRevoked);
}

#[test]
fn without_the_table_nobody_signs_in() {
    let mut world = World::new("{}");
    if let Some(policy) = &mut world.gate.config.policy {
        policy.session = None;
    }
    assert_eq!(world.cause("username=ann&password=ann-pw"), Cause::NotConfigured);
}

#[test]
fn a_password_that_was_proven_lately_is_counted_all_the_same() {
    let mut world = World::new("{}");
    for (times, form) in ["username=ann&password=ann-pw"; 2].into_iter().enumerate() {
        world.sign_in(form).expect("in");
        let tries = world.asked.iter().filter(|question| question.method == "attempts").count();
        assert_eq!((world.passwords as usize, tries), (times + 1, times + 1));
        let users = world.gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref()).expect("users");
        let ann = crate::credentials::basic::user_pass("ann", "ann-pw", nfc).expect("a user-pass");
        let proof =
            world.proven.proof(&ann, users.account("ann").expect("ann"), &crate::attempts::near(None));
        world.proven.remember(proof, NOW);
    }
}
