use super::*;
use crate::config::{Config, Sources};
use crate::request::FieldList;
use crate::revocation::sessions::What;
use crate::secret::Secret;
use crate::session::SessionKeys;
use crate::token::mac::RootSecret;
use crate::token::to_base64url;

const NOW: UnixTime = UnixTime::from_seconds(1_796_000_000);
const LINE: &str = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

fn secret() -> String {
    to_base64url(&[7; 32])
}

fn gate(policy: &str, secret: Option<String>) -> Gate {
    let sources = Sources {
        policy: Some(policy.to_owned()),
        secret: secret.map(Secret::new),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(LINE.to_owned()))],
        ..Sources::default()
    };
    Gate::new(Config::parse(&sources, str::to_owned))
}

fn session(user: &str, factors: Factors, id: u8) -> Session {
    let span = Lifetime::from_seconds;
    let (began, ends) = (NOW, NOW + span(3600));
    Session {
        id: [id; 16],
        user: user.to_owned(),
        stamp: [0; 8],
        began,
        seen: began,
        ends,
        idle: span(600),
        remembered: false,
        factors,
        groups: Vec::new(),
    }
}

fn sealed(session: &Session, bound: &str) -> String {
    let root = RootSecret::parse(&secret()).expect("a good secret");
    SessionKeys::new(&root).seal(session, bound, [1; 24]).expect("short enough")
}

fn left(gate: &Gate, url: &str, fields: &[(&str, &str)], at: UnixTime) -> Leaving {
    let list = FieldList::new(fields.iter().copied());
    leaving(gate, &RequestFacts::new("POST", url, &list).expect("absolute"), at)
}

const URL: &str = "https://acme.example/.edgeward/sign-out";

#[test]
fn the_session_is_found_under_every_name() {
    let gate = gate(r#"{"session":{}}"#, Some(secret()));
    let value = sealed(&session("ann", Factors::Password, 1), "acme.example");
    for name in ["__Host-edgeward", "__Secure-edgeward", "edgeward"] {
        let cookie = format!("a=1; {name}={value}");
        let it = left(&gate, URL, &[("Cookie", &cookie)], NOW);
        assert_eq!((it.user(), it.sessions.len(), it.is_somebody()), (Some("ann"), 1, true), "{name}");
    }
    for cookie in [
        format!("__Host-edgeward-device={value}"),
        format!("xedgeward={value}"),
        format!("__Host-edgeward={value}x"),
        "__Host-edgeward=nonsense".to_owned(),
    ] {
        assert!(!left(&gate, URL, &[("Cookie", &cookie)], NOW).is_somebody(), "{cookie}");
    }
    let cookie = format!("__Host-edgeward={value}");
    let late = NOW + Lifetime::from_seconds(600);
    assert!(!left(&gate, URL, &[("Cookie", &cookie)], late).is_somebody(), "it ended by itself");
    assert!(!left(&gate, "https://b.example/", &[("Cookie", &cookie)], NOW).is_somebody(), "another host's");
    let many = vec![cookie; 9].join("; ");
    assert_eq!(left(&gate, URL, &[("Cookie", &many)], NOW).sessions.len(), MOST);
    let hidden = ["edgeward=x; ".repeat(9), format!("__Host-edgeward={value}")].concat();
    assert_eq!(left(&gate, URL, &[("Cookie", &hidden)], NOW).sessions.len(), 1);
}

#[test]
fn what_cannot_be_read_may_be_somebody() {
    let broken = gate(r#"{"session":{}}"#, None);
    let value = sealed(&session("ann", Factors::Password, 1), "acme.example");
    let cookie = format!("__Host-edgeward={value}");
    let it = left(&broken, URL, &[("Cookie", &cookie)], NOW);
    assert!(it.unreadable && it.said(true, true) == Said::SignedOutHere);
    assert!(!left(&broken, URL, &[], NOW).is_somebody());
}

#[test]
fn what_is_said_is_true() {
    let whole = || vec![session("ann", Factors::Password, 1)];
    let half = || vec![session("ann", Factors::Half, 1)];
    for (sessions, basic, everywhere, kept, wanted) in [
        (vec![], false, false, false, Said::SignedOutNot),
        (vec![], false, true, true, Said::SignedOutNot),
        (vec![], true, false, false, Said::SignedOutBasic),
        (whole(), true, true, true, Said::SignedOutBasic),
        (whole(), false, false, true, Said::SignedOut),
        (whole(), false, true, true, Said::SignedOutEverywhere),
        (whole(), false, false, false, Said::SignedOutHere),
        (whole(), false, true, false, Said::SignedOutHere),
        (half(), false, true, true, Said::SignedOut),
    ] {
        let it = Leaving { sessions, basic, unreadable: false };
        assert_eq!(it.said(everywhere, kept), wanted, "{it:?}");
    }
}

#[test]
fn everywhere_ends_all_of_a_user_but_not_by_half_a_sign_in() {
    let gate = gate(r#"{"session":{"absolute":"2h","remember":"0"}}"#, Some(secret()));
    let settings = gate.config.policy.as_ref().and_then(|policy| policy.session.as_ref()).expect("a table");
    let sessions = vec![session("ann", Factors::Both, 1), session("bob", Factors::Half, 2)];
    let it = Leaving { sessions, ..Leaving::default() };
    let what = |everywhere: Option<&str>| -> Vec<(String, What)> {
        it.endings(settings, everywhere, NOW).into_iter().map(|ending| (ending.user, ending.what)).collect()
    };
    let one = |id: &str| What::One(id.repeat(16));
    assert_eq!(what(None), [("ann".into(), one("01")), ("bob".into(), one("02"))]);
    assert_eq!(what(Some("bob")), what(None), "neither by half a sign-in, nor by a session of another's");
    assert_eq!(what(Some("ann")), [("ann".into(), What::Until(NOW)), ("bob".into(), one("02"))]);
    assert_eq!(it.user(), Some("ann"));
}

#[test]
fn cookies_go_in_every_variant() {
    let gate = gate(r#"{"session":{"domain":"acme.example"}}"#, Some(secret()));
    let settings = gate.config.policy.as_ref().and_then(|policy| policy.session.as_ref());
    let lines = |url: &str, all: bool| -> Vec<String> {
        let none = FieldList::default();
        let facts = RequestFacts::new("POST", url, &none).expect("absolute");
        let lines = if all { without_any(&facts, settings) } else { without_session(&facts, settings) };
        assert!(lines.iter().all(|line| line.contains("; Max-Age=0") && line.contains("; Path=/;")));
        assert!(lines.iter().all(|line| !line.starts_with("__") || line.contains("; Secure")));
        assert!(lines.iter().all(|line| !line.starts_with("__Host-") || !line.contains("Domain")));
        lines.iter().map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(
        lines("https://shop.acme.example/", false),
        ["__Host-edgeward", "edgeward", "__Secure-edgeward"]
    );
    assert_eq!(lines("https://b.example/", false), ["__Host-edgeward", "edgeward"]);
    assert_eq!(lines("http://localhost/", false), ["edgeward"]);
    assert_eq!(
        lines("http://localhost/", true),
        ["edgeward", "edgeward-device", "edgeward-lang", "edgeward-link"]
    );
    let all = lines("https://acme.example/", true);
    assert_eq!(all.len(), 12);
    for bare in ["edgeward", "edgeward-device", "edgeward-lang", "edgeward-link"] {
        for prefix in ["", "__Host-", "__Secure-"] {
            assert!(all.contains(&format!("{prefix}{bare}")), "{prefix}{bare}");
        }
    }
}

#[test]
fn site_data() {
    assert_eq!(clear_site_data(None), "\"cache\"");
    let gate = gate(r#"{"session":{"clear_site_data":["storage","executionContexts"]}}"#, Some(secret()));
    let settings = gate.config.policy.as_ref().and_then(|policy| policy.session.as_ref());
    assert_eq!(clear_site_data(settings), "\"cache\", \"storage\", \"executionContexts\"");
}

#[test]
fn what_remains() {
    let it = session("a\"nn", Factors::Password, 1);
    let at = |seconds: i64| Remaining::of(&it, NOW + Lifetime::from_seconds(seconds));
    assert_eq!(
        at(10).document(&it.user),
        r#"{"user":"a\"nn","expires_in":3590,"idle_in":590,"can_extend":true}"#
    );
    let used = it.used(NOW + Lifetime::from_seconds(3000));
    let last = Remaining::of(&used, NOW + Lifetime::from_seconds(3000));
    assert_eq!((last.expires_in.seconds(), last.idle_in.seconds(), last.can_extend), (600, 600, false));
}

#[test]
fn scripts_are_told_the_same() {
    for (said, wanted) in [
        (Said::SignedOut, r#"{"signed_out":true,"revoked":true,"everywhere":false}"#),
        (Said::SignedOutEverywhere, r#"{"signed_out":true,"revoked":true,"everywhere":true}"#),
        (Said::SignedOutHere, r#"{"signed_out":true,"revoked":false,"everywhere":false}"#),
        (Said::SignedOutNot, r#"{"signed_out":true,"revoked":false,"everywhere":false}"#),
        (Said::SignedOutBasic, r#"{"signed_out":false,"revoked":false,"everywhere":false}"#),
    ] {
        assert_eq!(document(said), wanted);
    }
}
