use super::super::{Entry, Grant, LinkVerifier, Strength};
use super::*;
use crate::request::{FieldList, RequestFacts};
use crate::time::{Lifetime, UnixTime};
use crate::token::signed_url::{End, Target};
use crate::verdict::{Cause, Refusal};
use proptest::prelude::*;

const NOW: i64 = 1_795_305_600;
const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn root() -> RootSecret {
    RootSecret::parse(&format!("{} {}", to_base64url(&[1; 32]), to_base64url(&[2; 32]))).expect("good")
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(NOW + seconds)
}

fn least() -> Terms<'static> {
    Terms::new(at(0), at(3600))
}

fn verify_as(method: &str, url: &str, address: &str, seconds: i64) -> Result<Grant, Refusal> {
    let entry = Entry::new(PRESET.defaults(0), keys(&root()));
    let verifier = LinkVerifier::new(vec![entry], Lifetime::from_seconds(30));
    let fields = FieldList::new([("CF-Connecting-IP", address)]);
    let facts = RequestFacts::new(method, url, &fields).expect("an absolute URI");
    verifier.verify(&Seen::new(&facts, "", &[]), Strength::Url, at(seconds))
}

fn verify(url: &str) -> Result<Grant, Refusal> {
    verify_as("GET", url, "203.0.113.9", 0)
}

fn cause(url: &str) -> Option<Cause> {
    verify(url).err().map(|refusal| refusal.cause)
}

fn link(url: &str, terms: &Terms<'_>) -> String {
    sign(&keys(&root()), url, terms, ID).expect("a good link")
}

fn octets(link: &str) -> Vec<u8> {
    let (_, token) = link.split_once("ew=").expect("a token");
    base64url(token).expect("base64url")
}

#[test]
fn says_what_it_was_told() {
    let network = "2001:db8::/29".parse().expect("a network");
    let methods = ["PUT".to_owned(), "HEAD".to_owned()];
    let terms = Terms {
        not_before: Some(at(-5)),
        prefix: Some("/a/"),
        methods: &methods,
        uses: Some(3),
        network: Some(network),
        subject: Some("ann é"),
        ..least()
    };
    let all = link("https://h.example/a/b?x=1#top", &terms);
    assert!(all.starts_with("https://h.example/a/b?x=1&ew=") && all.ends_with("#top"), "{all}");
    let grant = verify_as("PUT", &all, "2001:dbf::1", 0).expect("good");
    let expected = Stated {
        id: Some("AQIDBAUGBwg".to_owned()),
        subject: Some("ann é".to_owned()),
        issued: None,
        not_before: Some(at(-5)),
        end: Some(End::Before(at(3600))),
        uses: Some(3),
        scope: Scope {
            target: Target::Below("/a/".to_owned()),
            methods: vec!["GET".to_owned(), "PUT".to_owned()],
            networks: vec![network],
            ..Scope::default()
        },
    };
    assert_eq!(*grant.stated(), expected);
    assert_eq!(**keys(&root())[0].kid(), *grant.key());
    let plain = verify(&link("https://h.example/", &least())).expect("good");
    assert_eq!(plain.stated().issued, Some(at(0)));
    assert_eq!(plain.stated().scope.methods, ["GET"]);
}

/// The octets of one link, computed once by hand of the table above: what is handed out stays good.
#[test]
fn the_form_is_fixed() {
    let it = octets(&link("https://h.example/a?b", &least()));
    let keys = keys(&root());
    let input = |purpose: &str, fields: &[&[u8]]| {
        let mut input = [purpose.as_bytes(), &[0]].concat();
        for field in fields {
            input.extend((field.len() as u64).to_be_bytes());
            input.extend(*field);
        }
        input
    };
    let place = Sha256::digest(input("edgeward/link-target/v1", &[b"h.example", b"exactly", b"/a", b"b"]));
    let kid = base64url(keys[0].kid()).expect("base64url");
    let (from, end) = (1_795_305_600_u32.to_be_bytes(), 1_795_309_200_u32.to_be_bytes());
    let fields: [&[u8]; 11] = [&[0x40], &kid, &ID, &from, &end, &[], &[], &[], &[], &[], &place[..16]];
    let tag = keys[0].mac().tag(&[&input("edgeward/link/v1", &fields)]);
    assert_eq!(it, [&fields.concat(), tag.as_bytes()].concat());
}

#[test]
fn where_it_is_good_and_where_not() {
    let exact = |url: &str| link(url, &least());
    let below = |url: &str, prefix| link(url, &Terms { prefix: Some(prefix), ..least() });
    let wrong = Some(Cause::TokenWrongScope);
    for (link, from, to, wanted) in [
        (exact("https://h.example/a?x=1"), "", "", None),
        (exact("https://h.example"), "", "", None),
        (exact("https://h.example/?"), "", "", None),
        (exact("https://h.example/a?x=1&"), "", "", None),
        (exact("https://h.example/a?x=1"), "h.example", "H.Example.:8443", None),
        (exact("https://h.example/a?x=1"), "https:", "http:", None),
        (exact("https://h.example/a?x=1"), "h.example", "i.example", wrong),
        (exact("https://h.example/a?x=1"), "/a?", "/b?", wrong),
        (exact("https://h.example/a?x=1"), "/a?", "/%61?", wrong),
        (exact("https://h.example/a?x=1"), "/a?", "/a/?", wrong),
        (exact("https://h.example/a?x=1"), "x=1", "x=2", wrong),
        (exact("https://h.example/a?x=1"), "x=1&", "", wrong),
        (exact("https://h.example/a?x=1"), "x=1&", "x=1&y&", wrong),
        (exact("https://h.example/a?x=1"), "x=1&ew=", "ew=", wrong),
        (below("https://h.example/a/b", "/a/"), "", "", None),
        (below("https://h.example/a/b", "/a/"), "/b?", "/?", None),
        (below("https://h.example/a/b", "/a/"), "/b?", "/c/d%20e?x=1&", None),
        (below("https://h.example/a/b", "/"), "/a/b", "/", None),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/a", wrong),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/b/b", wrong),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/", wrong),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/aé/", wrong),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/a/%2e%2e/b", wrong),
        (below("https://h.example/a/b", "/a/"), "/a/b", "/a/..%2fb", wrong),
        (below("https://h.example/a/b", "/a/"), "h.example", "i.example", wrong),
    ] {
        let used = link.replacen(from, to, 1);
        assert_eq!(cause(&used), wanted, "{used}");
    }
}

#[test]
fn who_may_use_it_and_when() {
    let network = Some("203.0.113.0/24".parse().expect("a network"));
    let link = link("https://h.example/", &Terms { not_before: Some(at(100)), network, ..least() });
    for (method, address, seconds, wanted) in [
        ("GET", "203.0.113.9", 100, None),
        ("HEAD", "::ffff:203.0.113.9", 100, None),
        ("POST", "203.0.113.9", 100, Some(Cause::TokenWrongScope)),
        ("GET", "203.0.114.9", 100, Some(Cause::TokenWrongScope)),
        ("GET", "", 100, Some(Cause::TokenWrongScope)),
        ("GET", "203.0.113.9", 70, None),
        ("GET", "203.0.113.9", 69, Some(Cause::TokenNotYetValid)),
        ("GET", "203.0.113.9", 3599, None),
        ("GET", "203.0.113.9", 3600, Some(Cause::TokenExpired)),
    ] {
        let outcome = verify_as(method, &link, address, seconds).err().map(|refusal| refusal.cause);
        assert_eq!(outcome, wanted, "{method} {address} {seconds}");
    }
}

#[test]
fn every_secret_verifies_and_only_these() {
    let keys_of = |octet: u8| keys(&RootSecret::parse(&to_base64url(&[octet; 32])).expect("good"));
    let by = |octet| sign(&keys_of(octet), "https://h.example/", &least(), ID).expect("a good link");
    assert_eq!((cause(&by(1)), cause(&by(2)), cause(&by(3))), (None, None, Some(Cause::TokenUnknownKey)));
    let foreign = Key::new(keys_of(1)[0].kid(), keys_of(3)[0].mac().clone());
    let forged = sign(&[foreign], "https://h.example/", &least(), ID).expect("a link");
    assert_eq!(cause(&forged), Some(Cause::TokenBadSignature));
}

#[test]
fn one_spelling_each() {
    let good = link("https://h.example/a?x=1", &least());
    let (before, token) = good.split_once("ew=").expect("a token");
    let with = |token: &str| format!("{before}ew={token}");
    let malformed = Some(Cause::TokenMalformed);
    for changed in [
        with(""),
        with(&format!("{token}=")),
        with(&format!("{token}A")),
        with(&token.replacen('A', "%41", 1)),
        with(&token[4..]),
        with(&token[..token.len() - 4]),
        good.replace("ew=", "%65w="),
        // Unused bits of the last character.
        with(&format!("{}{}", &token[..token.len() - 1], "/")),
    ] {
        assert_ne!(cause(&changed), None, "{changed}");
    }
    for changed in [with(""), with(&format!("{token}=")), good.replace("ew=", "%65w=")] {
        assert_eq!(cause(&changed), malformed, "{changed}");
    }
    let twice = format!("{good}&ew={token}");
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", &twice, &fields).expect("absolute");
    assert!(Seen::new(&facts, "", &[]).bearing(&PRESET.defaults(0), &LinkPlace::Parameters).is_err());
}

/// Tokens that only a holder of the key could make: even these have one spelling.
#[test]
fn fields_that_cannot_be_are_malformed() {
    let methods = ["PUT".to_owned()];
    let network = Some("203.0.113.128/25".parse().expect("a network"));
    let terms =
        Terms { uses: Some(1), methods: &methods, prefix: Some("/"), network, subject: Some("s"), ..least() };
    let good = octets(&link("https://h.example/", &terms));
    let read = |octets: &[u8]| Parts::split(octets).and_then(|(parts, _)| Fields::read(&parts));
    assert!(read(&good).is_some());
    // 20 uses, 22 methods, 23 prefix, 24 address (25, and four octets), 29 subject.
    let long = [&good[..29], &[b's'; 256], &good[30..]].concat();
    assert!(read(&long).is_none(), "a subject of 256 octets");
    assert!(read(&[&good[..29], &[b's'; 255], &good[30..]].concat()).is_some());
    for (position, value, what) in [
        (0, good[0] ^ 0x40, "version 0"),
        (0, good[0] ^ 0x80, "version 3"),
        (0, good[0] | 0x20, "a reserved flag"),
        (21, 0, "no uses"),
        (22, 0, "no method"),
        (22, 1, "GET, which goes without saying"),
        (22, 0x40, "a method that there is not"),
        (23, 0, "a prefix of nothing"),
        (24, 0, "a network of everything"),
        (24, 161, "a prefix of 129 bits"),
        (28, 0x81, "bits beside the network"),
        (29, 0xff, "no UTF-8"),
        (29, 7, "a control character"),
    ] {
        let mut changed = good.clone();
        changed[position] = value;
        assert!(read(&changed).is_none(), "{what}");
    }
}

#[test]
fn the_longest_fits_a_qr_code() {
    let url = format!("https://share.example/{}", "a/".repeat(39));
    assert_eq!(url.len(), 100);
    let methods = ["GET".to_owned(), "POST".to_owned()];
    let terms = Terms {
        not_before: Some(at(1)),
        prefix: Some("/a/a/"),
        methods: &methods,
        uses: Some(u16::MAX),
        network: Some("2001:db8::1/128".parse().expect("a network")),
        subject: Some("ann.example@acme.example"),
        ..least()
    };
    let whole = link(&url, &terms);
    assert_eq!(whole.len(), 255);
    assert!(verify_as("POST", &whole, "2001:db8::1", 1).is_ok());
    let least = link(&url, &least());
    assert_eq!(least.len(), 195);
}

#[test]
fn what_cannot_be_signed() {
    let keys = keys(&root());
    let refused = |url: &str, terms: &Terms<'_>| sign(&keys, url, terms, ID).expect_err(url);
    for (url, begins) in [
        ("/a", "The URL must be absolute"),
        ("ftp://h/", "The URL must be absolute"),
        ("https://ann:secret@h.example/", "The URL may not hold a user-id"),
        ("https://h\u{e9}.example/", "The URL's host must be written in ASCII"),
        ("https://./", "The URL's host"),
        ("https://h.example/a b", "The URL's path has characters"),
        ("https://h.example/\u{e9}", "The URL's path has characters"),
        ("https://h.example/a\\b", "The URL's path has characters"),
        ("https://h.example/?a='", "The URL's query has characters"),
        ("https://h.example/a/../b", "The URL's path has . or .."),
        ("https://h.example/a/%2E.", "The URL's path has . or .."),
        ("https://h.example/%zz", "The URL's path cannot be read"),
        ("https://h.example/?ew=x", "The URL bears a token already"),
        ("https://h.example/?%65w", "The URL bears a token already"),
    ] {
        assert!(refused(url, &least()).starts_with(begins), "{url}: {}", refused(url, &least()));
    }
    let trace = ["TRACE".to_owned()];
    let all = Some("0.0.0.0/0".parse().expect("a network"));
    let long = "s".repeat(256);
    for (terms, begins) in [
        (Terms { not_before: Some(at(3600)), ..least() }, "The link must end after"),
        (Terms { issued: at(3600), ..least() }, "The link must end after"),
        (Terms { end: at(1 << 32), ..least() }, "The link's times must lie"),
        (Terms { issued: UnixTime::from_seconds(-1), ..least() }, "The link's times must lie"),
        (Terms { uses: Some(0), ..least() }, "A link that may be used"),
        (Terms { methods: &trace, ..least() }, "A link can be for GET"),
        (Terms { network: all, ..least() }, "A network of all addresses"),
        (Terms { subject: Some(""), ..least() }, "The subject"),
        (Terms { subject: Some("a\nb"), ..least() }, "The subject"),
        (Terms { subject: Some(&long), ..least() }, "The subject"),
        (Terms { prefix: Some("/a"), ..least() }, "The prefix must end with a slash"),
        (Terms { prefix: Some("/b/"), ..least() }, "The URL's path must begin"),
        (Terms { prefix: Some(""), ..least() }, "The prefix must end with a slash"),
    ] {
        assert!(refused("https://h.example/a/b", &terms).starts_with(begins), "{begins}");
    }
    let ambiguous = Terms { prefix: Some("/a%2fb/"), ..least() };
    assert!(refused("https://h.example/a%2fb/c", &ambiguous).starts_with("Servers read this path"));
    let folder = format!("/{}/", "a".repeat(254));
    let long = Terms { prefix: Some(&folder), ..least() };
    assert_eq!(
        refused(&format!("https://h.example{folder}"), &long),
        "The prefix may have 255 octets at most."
    );
    assert!(sign(&[], "https://h.example/", &least(), ID).is_err());
}

prop_compose! {
    fn any_fields()(
        (kid, id, target) in any::<([u8; 3], [u8; 8], [u8; 16])>(),
        (delayed, from, end) in any::<(bool, u32, u32)>(),
        uses in prop::option::of(1..=u16::MAX),
        methods in 1..=63_u8,
        prefix in prop::option::of(1..=u8::MAX),
        network in prop::option::of(prop_oneof![
            (any::<[u8; 4]>(), 1..=32_u8).prop_map(|(a, n)| crate::network::Network::new(a.into(), n).expect("good").truncated()),
            (any::<[u8; 16]>(), 1..=128_u8).prop_map(|(a, n)| crate::network::Network::new(a.into(), n).expect("good").truncated()),
        ]),
        subject in prop::option::of("\\PC{1,60}"),
    ) -> Fields {
        let (from, end) = (UnixTime::from_seconds(from.into()), UnixTime::from_seconds(end.into()));
        Fields { kid, id, delayed, from, end, uses, methods, prefix, network, subject, target }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(fields in any_fields(), tag: [u8; 32]) {
        let octets = [fields.write().expect("in range").concat(), tag.to_vec()].concat();
        let (parts, last) = Parts::split(&octets).expect("a token");
        prop_assert_eq!(last, &tag);
        prop_assert_eq!(Fields::read(&parts), Some(fields));
    }

    /// No two texts say the same: what is read and written again is what was read.
    #[test]
    fn what_is_read_is_written(octets in prop::collection::vec(any::<u8>(), 0..160), version: bool) {
        let mut octets = octets;
        if let (true, Some(first)) = (version, octets.first_mut()) {
            *first = 0x40 | *first & 0x1f;
        }
        if let Some((parts, _)) = Parts::split(&octets)
            && let Some(fields) = Fields::read(&parts)
        {
            prop_assert_eq!(fields.write().expect("in range").concat(), parts.0.concat());
        }
    }

    #[test]
    fn what_is_signed_is_good_and_nothing_else(
        path in "(/[a-z0-9_~-]{1,6}){1,4}",
        query in "(\\?[f-z]{1,3}=[0-9]{0,3})?",
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 8),
    ) {
        const SCHEME: usize = "https://".len();
        let good = link(&format!("https://h.example{path}{query}"), &least());
        prop_assert_eq!(cause(&good), None);
        let host = SCHEME..SCHEME + "h.example".len();
        for (index, change) in changes {
            let mut octets = good.clone().into_bytes();
            let index = SCHEME + index.index(octets.len() - SCHEME);
            octets[index] ^= change;
            let Ok(changed) = String::from_utf8(octets) else { continue };
            if RequestFacts::new("GET", &changed, &FieldList::default()).is_err() {
                continue; // There is no such request.
            }
            let is_the_same_host = host.contains(&index) && changed.eq_ignore_ascii_case(&good);
            prop_assert!(is_the_same_host || verify(&changed).is_err(), "{}", changed);
        }
    }

    #[test]
    fn nothing_panics(token in "\\PC{0,200}", octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = verify(&format!("https://h.example/a?ew={token}"));
        let _ = verify(&format!("https://h.example/a?ew={}", to_base64url(&octets)));
    }
}
