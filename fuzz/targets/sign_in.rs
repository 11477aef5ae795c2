//! The form of the sign-in page: nobody is in but by their own password and, where they have one, a code that was not used;
//! where it leads back to is this host, or one that shares its sign-in; and a second reader of the form expects the same.
//!
//! First line: a form; in it `§` stands for Tess's code of now. Second line: the field `Cookie`; in it `§` stands for half a
//! session of Tess's, `¶` for a whole one of Ann's, `¤` for one of Ann's on another host. Third line: the seconds that have
//! passed since these began.

use super::cookie::{cookie_values, parameter_values};
use super::form::{address, expected_value};
use super::{first_line, nfc, text};
use edgeward::authenticate::{Answers, Circumstances, Gate, Question, Stored};
use edgeward::config::{Config, Sources};
use edgeward::password::UserPass;
use edgeward::password::phc::{GENERATED_PURPOSE, hash_generated};
use edgeward::password::proven::ProvenCache;
use edgeward::request::{FieldList, RequestFacts};
use edgeward::secret::Secret;
use edgeward::session::{Factors, Session};
use edgeward::sign_in::{SignIn, SignInForm, SignInOutcome, sign_in};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::mac::RootSecret;
use edgeward::token::to_base64url;
use edgeward::totp::{Digits, Hash, Made};
use edgeward::verdict::Cause;
use std::sync::LazyLock;

const BEGIN: UnixTime = UnixTime::from_seconds(1_795_305_600);
const NAME: &str = "__Host-edgeward";
const HOST: &str = "h.example";
const ID: [u8; 16] = [9; 16];
/// Accounts, their passwords and flags.
const ACCOUNTS: [(&str, &str, &str); 5] = [
    ("ann", "ann pass:word", ""),
    ("Zo\u{eb}", "\u{e9}t\u{e9}", ""),
    ("tess", "tess", ""),
    ("sam", "sam", ":!suspended"),
    ("old", "old", ":!until=2020-01-01"),
];

struct World {
    gate: Gate,
    proven: ProvenCache,
    tess: Made,
    half: String,
    whole: String,
    elsewhere: String,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let secret = to_base64url(&[7; 32]);
        let root = RootSecret::parse(&secret).expect("a good secret");
        let key = Secret::new(root.derive(&[GENERATED_PURPOSE.as_bytes()])[0].expose().to_vec());
        let line = |(user, password, flags): &(&str, &str, &str)| {
            let password = Secret::new((*password).to_owned());
            let hash = hash_generated(&UserPass { user: (*user).to_owned(), password }, &key);
            format!("{user}:{hash}{flags}\n")
        };
        let tess = Made::new("tess", Hash::Sha1, Digits::Six, &[1; 20], &[2; 16]).expect("whole");
        let sources = Sources {
            policy: Some(r#"{"session":{"hosts":["https://b.example"],"remember":"0"}}"#.to_owned()),
            secret: Some(Secret::new(secret)),
            users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(ACCOUNTS.iter().map(line).collect()))],
            totp: Some(Secret::new(tess.line(&root, [3; 24]).expect("a line"))),
            ledger: true,
            ..Sources::default()
        };
        let gate = Gate::new(Config::parse(&sources, nfc));
        let proven = ProvenCache::new(&Secret::new([5; 32]));
        let none = String::new();
        let mut world = Self { gate, proven, tess, half: none.clone(), whole: none.clone(), elsewhere: none };
        let first = |content| world.send(content, "", BEGIN).expect("in");
        let (half, whole) =
            (first("username=tess&password=tess"), first("username=ann&password=ann+pass:word"));
        world.half = world.sealed(&half, HOST);
        world.elsewhere = world.sealed(&whole, "other.example");
        world.whole = world.sealed(&whole, HOST);
        world
    }

    fn sealed(&self, session: &Session, host: &str) -> String {
        let verifiers = self.gate.config.verifiers.as_ref().expect("verifiers");
        verifiers.session.as_ref().expect("keys").seal(session, host, [4; 24]).expect("it fits")
    }

    /// What a ledger says that lets everything be done once.
    fn send(&self, content: &str, cookie: &str, now: UnixTime) -> Result<Session, Cause> {
        let fields = FieldList::new([("cookie", cookie)]);
        let uri = format!("https://{HOST}/.edgeward/sign-in");
        let facts = RequestFacts::new("POST", &uri, &fields).expect("absolute");
        let form = SignInForm::read(content, &facts.origin(), &["https://b.example".to_owned()], nfc);
        let mut answers = Answers::default();
        for _ in 0..9 {
            let (proven, answered, store) = (&self.proven, &answers, Stored::nothing());
            let at = Circumstances { now, proven, answers: answered, store, confirmed: None, nfc };
            match sign_in(&self.gate, &facts, &form, &at, ID) {
                SignInOutcome::Decided(SignIn::In(session)) => return Ok(*session),
                SignInOutcome::Decided(SignIn::Refused(refused)) => return Err(refused.refusal.cause),
                SignInOutcome::Needs(Question::Password(question)) => {
                    assert_eq!(answers.password, None, "asked twice");
                    let verifiers = self.gate.config.verifiers.as_ref().expect("verifiers");
                    let users = verifiers.users.as_ref().expect("accounts");
                    answers.password = Some(users.check(&question.user_pass));
                }
                SignInOutcome::Needs(Question::Ledger(question)) => {
                    let answer = r#"{"allowed":true,"ok":true,"marked":[]}"#;
                    answers.take(question, Some(answer.to_owned()));
                }
                SignInOutcome::Needs(question) => panic!("{question:?}"),
            }
        }
        panic!("{content:?} is never decided");
    }
}

/// Sends the form with the cookie.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (content, rest) = first_line(&text);
    let (cookie, rest) = first_line(rest);
    let passed: i64 = first_line(rest).0.parse::<u32>().map_or(0, i64::from);
    let (now, world) = (BEGIN + Lifetime::from_seconds(passed), &*WORLD);
    let content = content.replace('\u{a7}', &world.tess.enrolment().code(now));
    let marks = [('\u{a7}', &world.half), ('\u{b6}', &world.whole), ('\u{a4}', &world.elsewhere)];
    let cookie = marks.iter().fold(cookie.to_owned(), |cookie, (mark, value)| cookie.replace(*mark, value));
    leads_back(&content);
    let found = world.send(&content, &cookie, now);
    let expected = expected(world, &content, &cookie, passed);
    let in_short = |session: &Session| (session.user.clone(), session.factors);
    assert_eq!(found.as_ref().map(in_short).ok(), expected, "{content:?} {cookie:?} {found:?}");
    if let Ok(session) = found {
        assert_eq!((session.id, session.seen, session.remembered), (ID, now, false));
        assert!(session.ends > now && session.began <= now);
    }
}

fn leads_back(content: &str) {
    let form = SignInForm::read(content, "https://h.example", &["https://b.example".to_owned()], nfc);
    let origin = form.return_to.origin();
    assert!(["https://h.example", "https://b.example"].contains(&origin), "{content:?} leads to {origin}");
    expected_value(content, "return_to").iter().for_each(|text| address::stays_here(text));
    // Whoever types a password into the wrong field is shown it.
    let (secret, shown) = ("ann pass:word", format!("{form:?}"));
    let is_sent = expected_value(content, "password").as_deref() == Some(secret);
    let is_typed = form.typed.contains(secret) || form.return_to.url().contains(secret);
    assert!(!is_sent || is_typed || !shown.contains(secret), "{content:?} is shown as {shown}");
}

/// Who is in, by which factors; `None` where nobody is.
fn expected(world: &World, content: &str, cookie: &str, passed: i64) -> Option<(String, Factors)> {
    let value = |name| expected_value(content, name);
    if parameter_values(content, "username").is_empty() {
        return second(world, content, cookie, passed);
    }
    let (user, password) = (value("username")?.trim_matches(' ').to_owned(), value("password")?);
    if [&user, &password].iter().any(|it| it.chars().any(char::is_control))
        || user.len() + password.len() > 1023
    {
        return None;
    }
    let (user, password) = (nfc(&user), nfc(&password));
    let known = ACCOUNTS.iter().find(|(known, right, _)| *known == user && *right == password);
    let (user, ..) = known.filter(|(.., flags)| flags.is_empty())?;
    Some(((*user).to_owned(), if *user == "tess" { Factors::Half } else { Factors::Password }))
}

/// Tess, where the cookie is the half session of hers, in time, and the code that of now.
fn second(world: &World, content: &str, cookie: &str, passed: i64) -> Option<(String, Factors)> {
    let (code, recovery) = (expected_value(content, "code"), expected_value(content, "recovery"));
    let (code, recovery) = (code.filter(|it| !it.is_empty()), recovery.filter(|it| !it.is_empty()));
    let typed = match (code, recovery) {
        (Some(typed), None) | (None, Some(typed)) => typed,
        _ => return None,
    };
    let half = cookie_values(cookie, NAME);
    let in_time = passed < 600;
    let is_half = matches!(half.as_slice(), [value] if **value == *world.half);
    let enrolment = world.tess.enrolment();
    let now = BEGIN + Lifetime::from_seconds(passed);
    let is_right = enrolment.matches(&typed, now).is_some() || enrolment.recovery(&typed).is_some();
    (in_time && is_half && is_right).then(|| ("tess".to_owned(), Factors::Both))
}
