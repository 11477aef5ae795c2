use super::super::{End, Scope, Stated};
use super::*;
use crate::policy::Format;
use crate::request::{FieldList, RequestFacts};
use crate::time::Lifetime;
use proptest::prelude::*;

const HOST: &str = "h.example";

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(1_795_305_600 + seconds)
}

fn all_keys() -> Vec<MacKey> {
    let text = format!("{} {}", to_base64url(&[1; 32]), to_base64url(&[2; 32]));
    keys(&RootSecret::parse(&text).expect("good"))
}

fn grant(id: &str, target: Target, end: i64) -> Grant {
    let scope = Scope { host: Some(HOST.to_owned()), target, ..Scope::default() };
    let end = Some(End::Before(at(end)));
    let stated = Stated { id: Some(id.to_owned()), end, scope, ..Stated::default() };
    Grant { format: Format::Edgeward, key: "k".to_owned(), key_print: "print".to_owned(), stated }
}

fn below(id: &str, prefix: &str, end: i64) -> Grant {
    grant(id, Target::Below(prefix.to_owned()), end)
}

fn jar(grants: Vec<Grant>) -> Jar {
    let mut jar = Jar::empty(HOST.to_owned());
    grants.into_iter().for_each(|grant| jar.add(grant, at(0)));
    jar
}

fn ids(jar: &Jar) -> Vec<&str> {
    jar.grants().iter().map(Grant::id).collect()
}

fn write(jar: &mut Jar) -> String {
    jar.write(&all_keys(), at(0)).expect("something to write")
}

fn read(value: &str) -> Option<Jar> {
    Jar::read(&all_keys(), HOST, value)
}

fn judge(jar: &Jar, uri: &str, seconds: i64, known: impl Fn(&Grant) -> bool) -> Result<String, Refusal> {
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", uri, &fields).expect("an absolute URI");
    let moment = Moment { now: at(seconds), leeway: Lifetime::from_seconds(30) };
    jar.judge(&Seen::new(&facts, "", &[]), &moment, known).map(|grant| grant.id().to_owned())
}

#[test]
fn nine_make_eight_and_the_oldest_goes() {
    let name = |number: i64| format!("id{number}");
    let mut all = jar((1..=9).map(|number| below(&name(number), "/a/", 100)).collect());
    assert_eq!(ids(&all), ["id2", "id3", "id4", "id5", "id6", "id7", "id8", "id9"]);
    all.add(below("id4", "/b/", 100), at(0));
    assert_eq!(
        ids(&all),
        ["id2", "id3", "id5", "id6", "id7", "id8", "id9", "id4"],
        "the same again is the youngest"
    );
    let value = write(&mut all);
    assert_eq!(read(&value), Some(all));
}

#[test]
fn what_has_expired_goes() {
    let mut all = jar(vec![below("a", "/a/", 10), below("b", "/b/", 20)]);
    assert_eq!(all.expires(), Some(at(20)));
    let value = all.write(&all_keys(), at(10)).expect("b is good");
    assert_eq!(ids(&read(&value).expect("ours")), ["b"]);
    assert_eq!(all.write(&all_keys(), at(20)), None);
    let mut endless = below("c", "/c/", 0);
    endless.stated.end = None;
    let all = jar(vec![below("a", "/a/", 10), endless]);
    assert_eq!((all.expires(), ids(&all).len()), (None, 2));
    let mut through = below("d", "/d/", 0);
    through.stated.end = Some(End::Through(at(0)));
    assert_eq!(jar(vec![through]).expires(), Some(at(1)), "through the whole second");
}

#[test]
fn a_cookie_is_no_longer_than_browsers_take() {
    let long = |id: &str, octets: usize| below(id, &format!("/{}/", "a".repeat(octets)), 100);
    let mut all = jar((1..=8).map(|number| long(&format!("id{number}"), 600)).collect());
    let value = write(&mut all);
    assert!(value.len() <= LONGEST, "{}", value.len());
    assert_eq!(ids(&all), ["id5", "id6", "id7", "id8"], "the oldest went");
    assert_eq!(read(&value), Some(all));
    assert_eq!(jar(vec![long("a", 3_000)]).write(&all_keys(), at(0)), None);
    let longest = set_cookie(&"v".repeat(LONGEST), true, Some(at(i64::from(u32::MAX))), at(0));
    assert!(longest.len() <= 4_096);
}

#[test]
fn a_link_for_this_request_alone_is_not_taken() {
    let grants = vec![grant("a", Target::This { query: true }, 9), grant("b", Target::Elsewhere, 9)];
    assert_eq!(jar(grants), Jar::empty(HOST.to_owned()));
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", "https://h.example/p?x=1&ew=t", &fields).expect("absolute");
    let exact =
        jar(vec![grant("a", Target::This { query: true }, 9).written_out(&facts, "x=1", "print".to_owned())]);
    assert!(judge(&exact, "https://h.example/p?x=1", 0, |_| true).is_ok());
    assert!(judge(&exact, "https://h.example/p?x=2", 0, |_| true).is_err());
    assert!(judge(&exact, "https://h.example/q?x=1", 0, |_| true).is_err());
}

/// So a use is never counted for a cookie that cannot be written.
#[test]
fn every_share_link_fits_into_a_cookie() {
    let fields = FieldList::default();
    let uri = format!("https://{}/{}?{}", "h".repeat(253), "p".repeat(5_000), "q".repeat(5_000));
    let facts = RequestFacts::new("GET", &uri, &fields).expect("absolute");
    for target in [Target::This { query: true }, Target::Below(format!("/{}/", "\"".repeat(253)))] {
        let mut widest = grant("0123456789a", target, 1).written_out(
            &facts,
            facts.query.unwrap_or_default(),
            "print678".to_owned(),
        );
        widest.stated.subject = Some("\"".repeat(255));
        widest.stated.issued = Some(at(0));
        widest.stated.scope.host = Some(facts.host());
        widest.stated.scope.methods =
            ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(str::to_owned).to_vec();
        widest.stated.scope.networks =
            vec!["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128".parse().expect("a network")];
        let mut all = Jar::empty(facts.host());
        all.add(widest, at(0));
        assert!(all.write(&all_keys(), at(0)).is_some());
    }
}

#[test]
fn the_number_of_uses_was_counted() {
    let mut counted = below("a", "/a/", 9);
    counted.stated.uses = Some(1);
    assert_eq!(jar(vec![counted]).grants()[0].stated().uses, None);
}

#[test]
fn the_youngest_that_covers_it_and_else_who_came_furthest() {
    let mut early = below("early", "/e/", 500);
    early.stated.not_before = Some(at(200));
    let all = jar(vec![below("old", "/a/", 100), below("young", "/a/", 50), early]);
    let cause = |uri: &str, seconds| {
        judge(&all, uri, seconds, |grant| (grant.format, grant.key.as_str()) == (Format::Edgeward, "k"))
            .map_err(|refusal| (refusal.cause, refusal.when))
    };
    assert_eq!(cause("https://h.example/a/x", 0), Ok("young".to_owned()));
    assert_eq!(cause("https://h.example/a/x", 50), Ok("old".to_owned()));
    let expired = cause("https://h.example/a/x", 100).expect_err("expired");
    assert_eq!(expired.0, Cause::TokenExpired);
    assert_eq!(cause("https://h.example/e/x", 169), Err((Cause::TokenNotYetValid, Some(at(200)))));
    assert_eq!(cause("https://h.example/e/x", 170), Ok("early".to_owned()));
    assert_eq!(cause("https://h.example/b", 0), Err((Cause::TokenWrongScope, None)));
    assert_eq!(cause("https://i.example/a/x", 0), Err((Cause::TokenWrongScope, None)));
    let none = judge(&all, "https://h.example/a/x", 0, |_| false).expect_err("unknown");
    assert_eq!(none.cause, Cause::TokenUnknownKey);
    assert!(judge(&Jar::empty(HOST.to_owned()), "https://h.example/", 0, |_| true).is_err());
}

/// A link that opens all, of an entry for one folder and one network, opens no more by way of the cookie.
#[test]
fn a_grant_is_not_more_than_its_entry() {
    use super::super::{Entry, LinkVerifier, preset};
    let mut entry = preset(Format::Edgeward).defaults(0);
    entry.paths = vec!["/a/*".to_owned()];
    entry.networks = vec!["203.0.113.0/24".parse().expect("a network")];
    let key = crate::token::keys::Key::new("k", MacKey::new(HmacAlgorithm::Hs256, &[1; 32]));
    let print = super::super::key_print(&key);
    let links = LinkVerifier::new(vec![Entry::new(entry, vec![key])], Lifetime::default());
    let moment = Moment { now: at(0), leeway: Lifetime::default() };
    for (kid, print, format, path, address, is_good) in [
        ("k", &*print, Format::Edgeward, "/a/x", "203.0.113.9", true),
        ("k", "", Format::Edgeward, "/a/x", "203.0.113.9", false),
        ("k", "AAAAAAAA", Format::Edgeward, "/a/x", "203.0.113.9", false),
        ("k", &*print, Format::Edgeward, "/b", "203.0.113.9", false),
        ("k", &*print, Format::Edgeward, "/a/x", "203.0.114.9", false),
        ("l", &*print, Format::Edgeward, "/a/x", "203.0.113.9", false),
        ("k", &*print, Format::Akamai, "/a/x", "203.0.113.9", false),
    ] {
        let (key, key_print) = (kid.to_owned(), print.to_owned());
        let all = jar(vec![Grant { key, key_print, format, ..grant("id", Target::Anywhere, 100) }]);
        let fields = FieldList::new([("CF-Connecting-IP", address)]);
        let uri = format!("https://h.example{path}");
        let facts = RequestFacts::new("GET", &uri, &fields).expect("absolute");
        let seen = Seen::new(&facts, "", &[]);
        let known = |grant: &Grant| links.knows(&seen, grant, moment.now);
        let cause = all.judge(&seen, &moment, known).err().map(|refusal| refusal.cause);
        assert_eq!(cause, (!is_good).then_some(Cause::TokenUnknownKey), "{kid} {path} {address}");
    }
}

#[test]
fn where_one_is_revoked_the_next_may_do() {
    let all = jar(vec![below("a", "/a/", 100), below("b", "/b/", 100), below("c", "/a/", 100)]);
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", "https://h.example/a/x", &fields).expect("absolute");
    let seen = Seen::new(&facts, "", &[]);
    let moment = Moment { now: at(0), leeway: Lifetime::default() };
    let found: Vec<&str> = all.covering(&seen, &moment, |_| true).map(Grant::id).collect();
    assert_eq!(found, ["c", "a"]);
}

#[test]
fn only_ours_is_read() {
    let value = write(&mut jar(vec![below("a", "/a/", 100)]));
    let own = all_keys();
    assert!(Jar::read(&own, HOST, &value).is_some());
    assert!(Jar::read(&own, "i.example", &value).is_none(), "another host's");
    let second = jar(vec![below("a", "/a/", 100)]).write(&own[1..], at(0)).expect("written");
    assert!(Jar::read(&own, HOST, &second).is_some(), "all secrets verify");
    assert!(Jar::read(&own[1..], HOST, &value).is_none(), "an old secret that went");
    for bad in
        ["", ".", "x", "e30.e30", &format!("{value}."), &format!("{value}="), &value.replacen('.', "..", 1)]
    {
        assert!(Jar::read(&own, HOST, bad).is_none(), "{bad}");
    }
}

/// Signed by us, and yet not as we write it: another version's, or a mistake of ours. It opens nothing.
#[test]
fn only_what_is_written_here_is_read() {
    let good = r#"{"f":"edgeward","k":"k","p":"p","id":"a","lt":9,"to":["below","/a/"]}"#;
    assert!(written::grants(&format!("[{good}]")).is_some());
    for bad in [
        "[]".to_owned(),
        good.to_owned(),
        format!("[{}]", [good; 9].join(",")),
        format!("[{good},1]"),
        format!("[{}]", good.replace("\"f\":\"edgeward\",", "")),
        format!("[{}]", good.replace("edgeward", "other")),
        format!("[{}]", good.replace("\"k\":\"k\",", "")),
        format!("[{}]", good.replace("\"k\":\"k\"", "\"k\":1")),
        format!("[{}]", good.replace("\"p\":\"p\",", "")),
        format!("[{}]", good.replace(",\"to\":[\"below\",\"/a/\"]", "")),
        format!("[{}]", good.replace("below", "")),
        format!("[{}]", good.replace("below", "anywhere")),
        format!("[{}]", good.replace("\"/a/\"", "\"/a/\",\"/b/\"")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":9,\"le\":9")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":9,\"x\":9")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":\"9\"")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":-9")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":9,\"m\":[]")),
        format!("[{}]", good.replace("\"lt\":9", "\"lt\":9,\"net\":[\"x\"]")),
    ] {
        assert!(written::grants(&bad).is_none(), "{bad}");
    }
}

#[test]
fn the_cookie_is_bound_to_the_host() {
    assert_eq!(
        set_cookie("v", true, Some(at(90)), at(30)),
        "__Host-edgeward-link=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"
    );
    assert_eq!(set_cookie("v", false, None, at(0)), "edgeward-link=v; Path=/; HttpOnly; SameSite=Lax");
    assert!(set_cookie("v", true, Some(at(0)), at(30)).ends_with("; Max-Age=0"));
}

fn any_texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("\\PC{0,12}", 0..3)
}

fn any_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        ("\\PC{0,20}", prop::option::of("\\PC{0,20}"))
            .prop_map(|(path, query)| Target::Exactly { path, query }),
        ("\\PC{0,20}", any::<bool>()).prop_map(|(sum, query)| Target::Digest { sum, query }),
        "\\PC{0,20}".prop_map(Target::Below),
        any_texts().prop_map(Target::Globs),
        Just(Target::Anywhere),
    ]
}

prop_compose! {
    fn any_grant()(
        (format, key, key_print, id) in (0..Format::ALL.len(), "\\PC{0,8}", "\\PC{0,8}", prop::option::of("\\PC{0,12}")),
        (subject, origin, host) in (prop::option::of("\\PC{0,12}"), prop::option::of("\\PC{0,12}"), prop::option::of("[a-z.]{0,12}")),
        times in prop::array::uniform3(prop::option::of(0..200_000_000_000_i64)),
        through: bool,
        target in any_target(),
        (methods, countries, blocked_countries) in (any_texts(), any_texts(), any_texts()),
        networks in prop::collection::vec((any::<[u8; 4]>(), 0..=32_u8), 0..3),
        fields in prop::collection::vec(("[a-z-]{1,8}", "\\PC{0,12}"), 0..3),
    ) -> Grant {
        let networks = networks.into_iter().map(|(octets, bits)| crate::network::Network::new(octets.into(), bits).expect("good")).collect();
        let [issued, not_before, end] = times.map(|time| time.map(UnixTime::from_seconds));
        let end = end.map(|end| if through { End::Through(end) } else { End::Before(end) });
        let scope = Scope { origin, host, target, methods, networks, countries, blocked_countries, fields };
        Grant { format: Format::ALL[format].1, key, key_print, stated: Stated { id, subject, issued, not_before, end, uses: None, scope } }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(grants in prop::collection::vec(any_grant(), 1..=8)) {
        let json = written::json(&grants);
        prop_assert_eq!(written::grants(&json), Some(grants));
    }

    #[test]
    fn whatever_is_changed_is_nothing(index: prop::sample::Index, change in 1..=255_u8) {
        let mut octets = write(&mut jar(vec![below("a", "/a/", 100), below("b", "/b/", 100)])).into_bytes();
        let index = index.index(octets.len());
        octets[index] ^= change;
        if let Ok(changed) = String::from_utf8(octets) {
            prop_assert!(read(&changed).is_none(), "{}", changed);
        }
    }

    #[test]
    fn nothing_panics(value in "\\PC{0,80}", json in "[\\[\\]{}\",:a-z0-9]{0,80}") {
        let _ = (read(&value), written::grants(&json), written::grants(&value));
    }
}
