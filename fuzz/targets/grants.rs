//! The cookie that stands for links: nothing is read but what a key of ours signed for this host, and a second reader of
//! what it holds finds the same grants, for the same requests.
//!
//! First line: a value of the cookie. Second line: method and URI. Third line: the client's address, country, and the seconds
//! that have passed. Fourth line: the field `X-Bound`. The rest: what a cookie holds, as JSON, which is signed here.

mod expected;
mod glob;

use super::{first_line, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::policy::{Format, LinkEntry};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::mac::{MacKey, RootSecret};
use edgeward::token::signed_url::edgeward::{self as share, Terms};
use edgeward::token::signed_url::grants::{self, Jar, LONGEST};
use edgeward::token::signed_url::{Entry, Grant, LinkVerifier, Moment, Seen, Strength, preset};
use expected::{Expected, Inside, Request};
use hmac::{Hmac, KeyInit as _, Mac as _};
use std::sync::LazyLock;

const BEGIN: i64 = 1_800_000_000;
const LEEWAY: i64 = 30;
/// A host that no link is for.
const OTHER: &str = "other.invalid";
/// A key that the policy does not know any more.
const GONE: &str = "gone";

static ROOT: LazyLock<RootSecret> =
    LazyLock::new(|| RootSecret::parse(&URL_SAFE_NO_PAD.encode([7; 32])).expect("a good secret"));
static KEYS: LazyLock<Vec<MacKey>> = LazyLock::new(|| grants::keys(&ROOT));
static LINKS: LazyLock<LinkVerifier> = LazyLock::new(|| {
    let entry = LinkEntry { require_end: true, ..preset(Format::Edgeward).defaults(0) };
    LinkVerifier::new(vec![Entry::new(entry, share::keys(&ROOT))], Lifetime::from_seconds(LEEWAY))
});

/// Checks the value, what is signed here, and a link to the URI.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (value, rest) = first_line(&text);
    let (target, rest) = first_line(rest);
    let (client, rest) = first_line(rest);
    let (bound, json) = first_line(rest);
    let (method, uri) = target.split_once(' ').unwrap_or(("GET", target));
    let mut client = client.split(' ');
    let mut next = || client.next().unwrap_or_default();
    let (address, country) = (next(), next());
    let passed: i64 = next().parse::<u32>().map_or(0, i64::from);
    let fields = FieldList::new([("cf-connecting-ip", address), ("x-bound", bound)]);
    let fields = fields.with_country(Some(country).filter(|it| !it.is_empty()));
    let Ok(facts) = RequestFacts::new(method, uri, &fields) else { return };
    assert_eq!(Jar::read(&KEYS, &facts.host(), value), None, "{value:?} was not signed");
    assert_eq!(of_request(&facts, value), Jar::empty(facts.host()));
    let now = UnixTime::from_seconds(BEGIN + passed);
    signed(&facts, json, now);
    exchanged(uri, now);
}

/// The jar of a request with that cookie.
fn of_request(facts: &RequestFacts<'_>, value: &str) -> Jar {
    let name = grants::name(facts.scheme == edgeward::request::Scheme::Https);
    let fields = FieldList::new([("cookie", format!("a=b; {name}={value}; c"))]);
    Jar::of_request(&KEYS, &RequestFacts { fields: &fields, ..*facts })
}

/// A cookie with this content: the same is read that a second reader reads, and grants what it says.
fn signed(facts: &RequestFacts<'_>, json: &str, now: UnixTime) {
    let host = facts.host();
    let value = cookie(&host, json);
    let jar = Jar::read(&KEYS, &host, &value);
    let expected = expected::read(json).filter(|_| value.len() <= LONGEST);
    assert_eq!(jar.is_some(), expected.is_some(), "{json}");
    let (Some(jar), Some(expected)) = (jar, expected) else { return };
    assert_eq!(jar.grants().len(), expected.len());
    jar.grants().iter().zip(&expected).for_each(|(grant, expected)| expected.is(grant));
    assert_eq!(of_request(facts, &value), jar);
    let twice = of_request(facts, &format!("{value}; {}={value}", grants::name(true)));
    assert!(twice.grants().is_empty() || facts.scheme == edgeward::request::Scheme::Http);
    unaltered(&host, &value);
    judged(facts, &jar, &expected, now);
    kept(&host, &jar, json, &expected, now);
}

/// `base64url(JSON) "." base64url(tag)`, the tag over the purpose, a NUL, and each field after its length.
fn cookie(host: &str, json: &str) -> String {
    let key = ROOT.derive(&[b"edgeward/link-cookie/v1"]);
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key[0].expose()).expect("any length");
    let mac = [host, json].iter().fold(mac.chain_update(b"edgeward/link-cookie/v1\0"), |mac, field| {
        mac.chain_update((field.len() as u64).to_be_bytes()).chain_update(field)
    });
    let tag = mac.finalize().into_bytes();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(json), URL_SAFE_NO_PAD.encode(tag))
}

/// Nothing altered is read, nor on another host.
fn unaltered(host: &str, value: &str) {
    for other in ["", "h", "example", &format!("{host}.")] {
        assert!(other == host || Jar::read(&KEYS, other, value).is_none(), "read on {other:?}");
    }
    for at in (0..value.len()).step_by(1 + value.len() / 24).chain([value.len() - 1]) {
        let mut altered = value.to_owned();
        altered.replace_range(at..=at, if &value[at..=at] == "A" { "B" } else { "A" });
        assert_eq!(Jar::read(&KEYS, host, &altered), None, "{altered}");
        assert_eq!(Jar::read(&KEYS, host, &value[..at]), None, "{at}");
    }
}

/// Judged is as the second reader judges: the youngest that covers the request, of those whose key is known.
fn judged(facts: &RequestFacts<'_>, jar: &Jar, expected: &[Expected], now: UnixTime) {
    let moment = Moment { now, leeway: Lifetime::from_seconds(LEEWAY) };
    let seen = Seen::new(facts, "", &[]);
    let known = |grant: &Grant| grant.key() != GONE;
    let covering: Vec<&Grant> = jar.covering(&seen, &moment, known).collect();
    let request = Request::new(facts, now, LEEWAY);
    for (grant, expected) in jar.grants().iter().zip(expected) {
        let is_covering = covering.iter().any(|it| std::ptr::eq(*it, grant));
        match request.inside(expected) {
            _ if expected.key == GONE => assert!(!is_covering, "{expected:?}"),
            Inside::Yes => assert!(is_covering, "{expected:?} {}", facts.path),
            Inside::No => assert!(!is_covering, "{expected:?} {}", facts.path),
            Inside::Perhaps => {}
        }
    }
    let order: Vec<usize> =
        covering.iter().flat_map(|it| jar.grants().iter().position(|one| std::ptr::eq(one, *it))).collect();
    assert!(order.is_sorted_by(|a, b| a > b), "the youngest first: {order:?}");
    match jar.judge(&seen, &moment, known) {
        Ok(grant) => assert!(std::ptr::eq(grant, covering[0])),
        Err(refusal) => assert!(covering.is_empty(), "{}", refusal.detail),
    }
    assert!(jar.judge(&seen, &moment, |_| false).is_err());
}

/// A jar that the same grants are put into, one by one, survives being written and read: of one link the last, and of
/// too many the youngest.
fn kept(host: &str, jar: &Jar, json: &str, expected: &[Expected], now: UnixTime) {
    let mut filled = Jar::empty(host.to_owned());
    jar.grants().iter().for_each(|grant| filled.add(grant.clone(), now));
    let is_last = |at: usize| !expected[at + 1..].iter().any(|it| it.is_same(&expected[at]));
    let survivors = (0..expected.len()).filter(|at| is_last(*at) && expected[*at].is_alive(now));
    let survivors: Vec<&Expected> = survivors.map(|at| &expected[at]).collect();
    let value = filled.write(&KEYS, now);
    let dropped = survivors.len().checked_sub(filled.grants().len()).expect("no more than there were");
    assert!(dropped == 0 || json.len() > 2000, "{dropped} of {json} are gone");
    let survivors = &survivors[dropped..];
    filled.grants().iter().zip(survivors).for_each(|(grant, expected)| expected.is(grant));
    let ends: Option<Vec<UnixTime>> = survivors.iter().map(|it| it.first_bad()).collect();
    assert_eq!(filled.expires(), ends.and_then(|ends| ends.into_iter().max()));
    let Some(value) = value else {
        return assert!(survivors.is_empty(), "nothing was written of {filled:?}");
    };
    assert!(value.len() <= LONGEST);
    let read = Jar::read(&KEYS, host, &value).expect("what was written");
    assert!(filled.grants().iter().all(|grant| read.holds(grant)));
    if survivors.iter().all(|it| it.is_in_whole_seconds()) {
        assert_eq!(read, filled);
    }
}

/// What a link to the address grants, its cookie grants, there and below the folder it was signed for, and nowhere else.
fn exchanged(uri: &str, now: UnixTime) {
    let fields = FieldList::default();
    let end = UnixTime::from_seconds(now.seconds() + 60);
    let Ok(clean) = RequestFacts::new("GET", uri, &fields) else { return };
    if clean.authority.len() > 253 || clean.host() == OTHER {
        return;
    }
    let folder = clean.path.rfind('/').map(|at| &clean.path[..=at]);
    for prefix in [None, folder] {
        let terms = Terms { prefix, ..Terms::new(now, end) };
        let Ok(link) = share::sign(&share::keys(&ROOT), uri, &terms, [1; 8]) else { continue };
        let facts = RequestFacts::new("GET", &link, &fields).expect("a link of ours");
        let grant = LINKS.verify(&Seen::new(&facts, "", &[]), Strength::Url, now).expect("a link of ours");
        let mut jar = Jar::empty(facts.host());
        let key_print = LINKS.key_print(&grant);
        jar.add(grant.written_out(&facts, clean.query.unwrap_or_default(), key_print), now);
        let value = jar.write(&KEYS, now).expect("every share link fits into a cookie");
        let jar = Jar::read(&KEYS, &clean.host(), &value).expect("a cookie of ours");
        let grants = |facts: &RequestFacts<'_>, seconds: i64| {
            let now = UnixTime::from_seconds(now.seconds() + seconds);
            let seen = Seen::new(facts, "", &[]);
            let knows = |grant: &Grant| LINKS.knows(&seen, grant, now);
            jar.judge(&seen, &Moment { now, leeway: Lifetime::from_seconds(LEEWAY) }, knows).is_ok()
        };
        assert!(grants(&clean, 0) && grants(&clean, 59) && !grants(&clean, 60), "{uri:?}");
        assert!(!grants(&RequestFacts { method: "POST", ..clean }, 0), "{uri:?}");
        assert!(!grants(&RequestFacts { authority: OTHER, ..clean }, 0), "{uri:?}");
        let below = format!("{}x", clean.path);
        assert_eq!(grants(&RequestFacts { path: &below, ..clean }, 0), prefix.is_some(), "{below:?}");
        assert!(!grants(&RequestFacts { path: "", ..clean }, 0), "{uri:?}");
    }
}
