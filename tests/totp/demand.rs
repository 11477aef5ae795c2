//! Step 18, by table: who needs a second factor where.

use super::common::{NOW, Request, nfc};
use super::{gate, root, sources};
use edgeward::authenticate::{
    Answers, Circumstances, Gate, LedgerQuestion, Outcome, Question, Stored, Verdict, Who, authenticate,
};
use edgeward::config::Config;
use edgeward::password::proven::ProvenCache;
use edgeward::request::{FieldList, RequestFacts};
use edgeward::secret::Secret;
use edgeward::session::{Beginning, Factors, Session, SessionKeys, cookie};
use edgeward::verdict::Refused;
use serde_json::{Value, json};

fn policy() -> Value {
    json!({
        "session": {},
        "tokens": [{ "format": "jwt", "trust_subject": true }],
        "rules": [
            { "path": "/pub/*", "access": "public", "second_factor": true, "networks": ["203.0.113.0/24"] },
            { "path": "/pub2/*", "access": "public" },
            { "path": "/both/*", "second_factor": true },
            { "path": "/lifted/*", "basic_without_second_factor": true },
            { "path": "/strict/*", "second_factor": true, "basic_without_second_factor": true },
            { "path": "/team/*", "groups": ["team"] },
            { "path": "/others/*", "users": ["bob"] },
            { "path": "/report/*", "mode": "report" },
        ],
    })
}

fn get(path: &str) -> Request {
    Request::new("GET", &format!("https://h.example{path}"))
}

fn basic(user: &str, path: &str) -> Request {
    get(path).basic(user, "right")
}

fn session(gate: &Gate, user: &str, factors: Factors, path: &str) -> Request {
    let keys = SessionKeys::new(&root());
    let settings = gate.config.policy.as_ref().and_then(|policy| policy.session.as_ref()).expect("sessions");
    let users = gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref()).expect("accounts");
    let stamp = users.account(user).map(|account| keys.stamp(account)).unwrap_or_default();
    let beginning = Beginning { user, stamp, factors, remembered: false, groups: &[] };
    let session = Session::begin(settings, &beginning, [1; 16], NOW);
    let value = keys.seal(&session, "h.example", [2; 24]).expect("short enough");
    get(path).with("Cookie", &format!("{}={value}", cookie::name(true, false)))
}

fn nothing_kept(question: &LedgerQuestion) -> String {
    match question.method {
        "marked" => r#"{"marked":[],"before":null,"at":{}}"#.to_owned(),
        _ => r#"{"allowed":true,"ok":true,"used":1,"at":null}"#.to_owned(),
    }
}

/// The verdict in a word or two.
fn said(gate: &Gate, request: &Request) -> String {
    let fields = FieldList::new(request.lines());
    let facts = RequestFacts::new(request.method(), request.uri(), &fields).expect("an absolute URI");
    let proven = ProvenCache::new(&Secret::new([7; 32]));
    let mut answers = Answers::default();
    for _ in 0..9 {
        let at = Circumstances {
            now: NOW,
            proven: &proven,
            answers: &answers,
            store: Stored::nothing(),
            confirmed: None,
            nfc,
        };
        match authenticate(gate, &facts, &at) {
            Outcome::Needs(Question::Password(question)) => {
                let users =
                    gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref()).expect("accounts");
                answers.password = Some(users.check(&question.user_pass));
            }
            Outcome::Needs(Question::Ledger(question)) => {
                let answer = nothing_kept(&question);
                answers.take(question, Some(answer));
            }
            Outcome::Needs(_) => panic!("no store is bound"),
            Outcome::Decided(decision) => return told(decision.verdict),
        }
    }
    panic!("it does not settle");
}

fn told(verdict: Verdict<'_>) -> String {
    let cause = |refused: &Refused| {
        let user = refused.refusal.user.as_deref().map(|user| format!(" {user}")).unwrap_or_default();
        format!("{}{user}", refused.refusal.cause.name())
    };
    match verdict {
        Verdict::Pass(passage) => match passage.who() {
            Who::Anyone => "public".into(),
            Who::Known(who) => who.user().unwrap_or("somebody").into(),
            Who::Reported(refused) => format!("reported {}", cause(refused)),
        },
        Verdict::Reserved(who) => {
            format!("reserved {}", who.and_then(|it| it.user().map(str::to_owned)).unwrap_or_default())
        }
        Verdict::Refused(refused) => cause(&refused),
        other => panic!("{other:?}"),
    }
}

fn table(gate: &Gate, rows: &[(Request, &str)]) {
    for (request, expected) in rows {
        assert_eq!(said(gate, request), *expected, "{request:?}");
    }
}

const NEEDS: &str = "second-factor-required ann";

#[test]
fn a_password_alone_is_not_enough_for_who_has_more() {
    let gate = gate(&policy());
    table(
        &gate,
        &[
            (basic("ann", "/"), NEEDS),
            (basic("ann", "/team/x"), NEEDS),
            (basic("ann", "/others/x"), NEEDS),
            (basic("ann", "/.edgeward/whoami"), NEEDS),
            (basic("ann", "/both/x"), NEEDS),
            (basic("ann", "/strict/x"), NEEDS),
            (basic("ann", "/lifted/x"), "ann"),
            (basic("ann", "/report/x"), "reported second-factor-required ann"),
            (basic("ann", "/pub2/x"), "public"),
            (get("/").basic("ann", "wrong"), "credentials-wrong"),
            (basic("old", "/"), "password-expired old"),
            (basic("bob", "/"), "bob"),
            (basic("bob", "/.edgeward/whoami"), "reserved bob"),
            (basic("bob", "/both/x"), "second-factor-required bob"),
            (basic("bob", "/lifted/x"), "bob"),
        ],
    );
}

#[test]
fn what_a_session_proved() {
    let gate = gate(&policy());
    let of = |user: &str, factors, path: &str| session(&gate, user, factors, path);
    table(
        &gate,
        &[
            (of("ann", Factors::Both, "/"), "ann"),
            (of("ann", Factors::Both, "/both/x"), "ann"),
            (of("ann", Factors::Both, "/strict/x"), "ann"),
            (of("ann", Factors::Both, "/others/x"), "not-allowed ann"),
            // Half a sign-in opens nothing.
            (of("ann", Factors::Half, "/"), NEEDS),
            (of("ann", Factors::Half, "/both/x"), NEEDS),
            (of("ann", Factors::Half, "/lifted/x"), NEEDS),
            (of("ann", Factors::Half, "/.edgeward/whoami"), NEEDS),
            (of("ann", Factors::Half, "/pub2/x"), "public"),
            // The second factor came after the sign-in.
            (of("ann", Factors::Password, "/"), NEEDS),
            (of("ann", Factors::Password, "/lifted/x"), NEEDS),
            (of("bob", Factors::Password, "/"), "bob"),
            (of("bob", Factors::Password, "/both/x"), "second-factor-required bob"),
            (of("bob", Factors::Half, "/"), "second-factor-required bob"),
        ],
    );
}

#[test]
fn tokens_prove_no_second_factor() {
    let gate = gate(&policy());
    table(
        &gate,
        &[
            (get("/").bearer(r#"{"sub":"ann"}"#), "ann"),
            (get("/both/x").bearer(r#"{"sub":"ann"}"#), NEEDS),
            (get("/both/x"), "credentials-missing"),
            (get("/both/x").with("Authorization", "Bearer x.y.z"), "token-malformed"),
        ],
    );
}

fn problems(policy: &Value, change: impl FnOnce(&mut edgeward::config::Sources)) -> (Vec<String>, bool) {
    let mut sources = sources(policy);
    change(&mut sources);
    let config = Config::parse(&sources, nfc);
    assert!(config.verifiers.is_none());
    (config.problems.iter().map(ToString::to_string).collect(), config.policy.is_some())
}

#[test]
fn what_second_factors_need() {
    let sessions = json!({ "session": {} });
    assert_eq!(
        problems(&sessions, |sources| sources.ledger = false),
        (
            vec![
                "EDGEWARD_LEDGER: found nothing, expected the binding, as EDGEWARD_TOTP is there: a code is good once, and \
                 wrong ones are counted. Add [[durable_objects.bindings]] with name = \"EDGEWARD_LEDGER\", class_name = \
                 \"Ledger\" to wrangler.toml."
                    .to_owned()
            ],
            true
        )
    );
    let (found, is_usable) =
        problems(&sessions, |sources| sources.totp = Some(Secret::new("ann:hunter2".to_owned())));
    assert_eq!((found.len(), is_usable), (1, true));
    assert!(found[0].starts_with("EDGEWARD_TOTP line 1: found a line of another form"), "{found:?}");
    let rule = json!({ "session": {}, "rules": [{ "path": "/a", "second_factor": true }] });
    assert_eq!(
        problems(&rule, |sources| sources.totp = None),
        (
            vec![
                "EDGEWARD_TOTP: found nothing, expected lines of second factors, as EDGEWARD.rules[0].second_factor is true. \
                 Set it with `wrangler secret put EDGEWARD_TOTP`."
                    .to_owned()
            ],
            true
        )
    );
}

#[test]
fn a_rule_that_nobody_could_pass() {
    let alone = json!({ "rules": [{ "path": "/a", "second_factor": true }] });
    let expected = "EDGEWARD.rules[0].second_factor: found true, expected a rule that accepts \"session\", as only who signed \
                    in can have proven a second factor. ";
    assert_eq!(
        problems(&alone, |_| ()),
        (vec![format!("{expected}Add [vars.EDGEWARD.session], or take this out.")], false)
    );
    let narrow =
        json!({ "session": {}, "rules": [{ "path": "/a", "accept": ["basic"], "second_factor": true }] });
    assert_eq!(
        problems(&narrow, |_| ()),
        (vec![format!("{expected}Add \"session\" to its accept, or take this out.")], false)
    );
}

#[test]
fn what_lifts_it_is_warned_of() {
    let warned = |rule: Value| {
        let config = Config::parse(&sources(&json!({ "session": {}, "rules": [rule] })), nfc);
        let warnings = config.warnings.iter().filter(|it| it.at.contains("second_factor"));
        warnings.map(ToString::to_string).collect::<Vec<_>>()
    };
    let at = "EDGEWARD.rules[0].basic_without_second_factor: found true, expected ";
    assert_eq!(
        warned(json!({ "path": "/a", "basic_without_second_factor": true })),
        [format!(
            "{at}false, as with this a password alone is enough here for those who have a second factor, too. Take it out, \
             and give programs API keys or tokens instead."
        )]
    );
    let useless = [format!("{at}not there, as no password alone lets anybody in by this rule. Take it out.")];
    for rule in [
        json!({ "path": "/a", "basic_without_second_factor": true, "second_factor": true }),
        json!({ "path": "/a", "basic_without_second_factor": true, "accept": ["bearer"] }),
    ] {
        assert_eq!(warned(rule), useless);
    }
    assert!(warned(json!({ "path": "/a", "second_factor": true })).is_empty());
}
