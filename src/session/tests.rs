use super::*;
use crate::password::htpasswd::Users;
use crate::secret::Secret;
use crate::token::to_base64url;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_seconds(1_796_000_000);

fn keys(secrets: &[u8]) -> SessionKeys {
    let text: Vec<String> = secrets.iter().map(|byte| to_base64url(&[*byte; 32])).collect();
    SessionKeys::new(&RootSecret::parse(&text.join(" ")).expect("good secrets"))
}

fn settings() -> SessionSettings {
    let span = Lifetime::from_seconds;
    SessionSettings {
        idle: span(1800),
        absolute: span(43_200),
        remember: Some(span(2_592_000)),
        remember_idle: span(604_800),
        warn: crate::policy::Warn::Off,
        domain: None,
        hosts: Vec::new(),
        authority: None,
        clear_site_data: Vec::new(),
        discourse: crate::policy::Discourse::default(),
        by_form: true,
    }
}

fn session(factors: Factors, remembered: bool) -> Session {
    let groups = [String::from("staff")];
    let beginning = Beginning { user: "Zoë", stamp: [7; 8], factors, remembered, groups: &groups };
    Session::begin(&settings(), &beginning, [9; 16], NOW)
}

fn after(seconds: i64) -> UnixTime {
    NOW + Lifetime::from_seconds(seconds)
}

fn users(line: &str) -> Users {
    let source = ("EDGEWARD_USERS".to_owned(), Secret::new(line.to_owned()));
    Users::parse(&[source], &[], str::to_owned).expect("a good line")
}

#[test]
fn what_was_sealed_is_what_is_opened() {
    let (one, session) = (keys(&[1]), session(Factors::Password, true));
    let value = one.seal(&session, "h.example", [1; 24]).expect("short enough");
    assert!(value.len() < 300, "{}", value.len());
    assert_eq!(one.open("h.example", &value), Some(session.clone()));
    assert_eq!(one.open("other.example", &value), None);
    assert_eq!(keys(&[2]).open("h.example", &value), None);
    assert_eq!(keys(&[2, 1]).open("h.example", &value), Some(session));
}

#[test]
fn no_cookie_is_longer_than_a_kilobyte() {
    let long = Session { user: "u".repeat(1000), ..session(Factors::Password, false) };
    assert_eq!(keys(&[1]).seal(&long, "h", [1; 24]), None);
    let short = Session { user: "u".repeat(500), ..session(Factors::Password, false) };
    assert!(keys(&[1]).seal(&short, "h", [1; 24]).expect("short enough").len() <= LONGEST);
}

#[test]
fn it_ends_by_idleness_and_by_age() {
    let it = session(Factors::Password, false);
    assert_eq!(it.in_time(after(1799)), Ok(()));
    assert_eq!(it.in_time(after(1800)), Err(Ended::Idle));
    let used = it.used(after(43_000));
    assert_eq!(used.in_time(after(43_199)), Ok(()));
    assert_eq!(used.in_time(after(43_200)), Err(Ended::Expired));
    let kept = session(Factors::Password, true);
    assert_eq!((kept.in_time(after(604_799)), kept.in_time(after(604_800))), (Ok(()), Err(Ended::Idle)));
    assert_eq!(it.in_time(after(-100)), Ok(()), "a clock that went back");
    assert_eq!(session(Factors::Half, true).in_time(after(600)), Err(Ended::Expired));
}

#[test]
fn it_is_written_anew_once_a_minute() {
    let it = session(Factors::Password, false);
    assert_eq!(it.renewed(after(59)), None);
    assert_eq!(it.renewed(after(60)).map(|it| it.seen), Some(after(60)));
    let short = Session { idle: Lifetime::from_seconds(10), ..it };
    assert_eq!(short.renewed(after(5)).map(|it| it.seen), Some(after(5)));
    assert_eq!(session(Factors::Half, false).renewed(after(120)), None);
}

#[test]
fn the_browser_keeps_what_it_was_asked_to() {
    assert_eq!(session(Factors::Password, false).max_age(NOW), None);
    assert_eq!(session(Factors::Password, true).max_age(after(100)).map(Lifetime::seconds), Some(2_591_900));
    let forbidden = SessionSettings { remember: None, ..settings() };
    let beginning =
        Beginning { user: "a", stamp: [0; 8], factors: Factors::Password, remembered: true, groups: &[] };
    assert!(!Session::begin(&forbidden, &beginning, [0; 16], NOW).remembered);
}

#[test]
fn any_change_of_the_line_ends_it() {
    const HASH: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";
    const OTHER: &str = "$2a$10$AvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";
    let keys = keys(&[1]);
    let line = users(&format!("ann:{HASH}:staff"));
    let stamp = keys.stamp(line.account("ann").expect("ann"));
    let session = Session { user: "ann".into(), stamp, ..session(Factors::Password, false) };
    for (line, holds) in [
        (format!("ann:{HASH}:staff"), true),
        (format!("ann:{HASH}"), false),
        (format!("ann:{HASH}:admins"), false),
        (format!("ann:{HASH}:staff:!suspended"), false),
        (format!("ann:{OTHER}:staff"), false),
    ] {
        assert_eq!(keys.is_of(&session, users(&line).account("ann").expect("ann")), holds, "{line}");
    }
    let bob = users(&format!("bob:{HASH}:staff"));
    assert!(!keys.is_of(&session, bob.account("bob").expect("bob")));
}

proptest! {
    #[test]
    fn what_is_written_is_read(user in "\\PC{0,40}", groups in proptest::collection::vec("[a-z]{0,8}", 0..4), id in any::<[u8; 16]>(), stamp in any::<[u8; 8]>(), remembered: bool) {
        let it = Session { user, groups, id, stamp, remembered, ..session(Factors::Both, false) };
        prop_assert_eq!(Session::read(&it.written()), Some(it));
    }

    #[test]
    fn reading_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Session::read(&octets);
    }
}
