//! Known browsers: `__Host-edgeward-device`.
//!
//! Whoever signed in here before comes back with this cookie, and has a count of wrong passwords of their own
//! ([`crate::attempts`]): what others try elsewhere does not lock them out. It is no proof of who somebody is, and opens
//! nothing.
//!
//! The value is up to four entries with a `.` between, the youngest first, each for one user: base64url of an id of 16
//! octets that was drawn at random, the second it was made in 8, and a tag of 32. The tag is HMAC-SHA-256 over the purpose
//! `edgeward/device/v1`, the host, the user-id, the id and the moment, each with its length. So an entry names nobody: only
//! who has the user-id and the key can tell whose it is. Keys are derived from `EDGEWARD_SECRET`; the first signs, all
//! verify. An entry holds for 400 days, as long as browsers keep a cookie (RFC 6265bis §5.5).

use crate::credentials::cookie;
use crate::policy::HmacAlgorithm;
use crate::policy::session::SessionSettings;
use crate::request::{RequestFacts, Scheme};
use crate::time::{Lifetime, UnixTime};
use crate::token::mac::{MacKey, Purpose, RootSecret};
use crate::token::{from_base64url, to_base64url};

/// So many users of one browser are known.
pub const MOST: usize = 4;

/// How long one is known.
pub const HOLDS: Lifetime = Lifetime::from_seconds(400 * 86_400);

const PURPOSE: Purpose = Purpose("edgeward/device/v1");

const ID_SIZE: usize = 16;

/// What an entry is of one user in one browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceId([u8; ID_SIZE]);

impl DeviceId {
    /// One that was drawn at random.
    #[must_use]
    pub const fn new(octets: [u8; ID_SIZE]) -> Self {
        Self(octets)
    }

    /// Its octets.
    #[must_use]
    pub const fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// The keys of the cookie, one for each secret: the first signs.
#[derive(Clone, Debug, Default)]
pub struct DeviceKeys(Vec<MacKey>);

/// Where a cookie is good: over https or not, on one host or, with `session.domain`, on all below one.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Whether the request came over https.
    pub https: bool,
    /// `session.domain`.
    pub domain: Option<&'a str>,
}

impl<'a> Reach<'a> {
    /// Of a request.
    #[must_use]
    pub fn of(facts: &RequestFacts<'_>, settings: Option<&'a SessionSettings>) -> Self {
        let shared = settings.filter(|settings| settings.shares(&facts.host()));
        Self {
            https: facts.scheme == Scheme::Https,
            domain: shared.and_then(|settings| settings.domain.as_deref()),
        }
    }

    /// The name of the cookie: with the prefix that binds it to the host (RFC 6265bis §4.1.3), which only works over https.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (self.https, self.domain) {
            (false, _) => "edgeward-device",
            (true, None) => "__Host-edgeward-device",
            (true, Some(_)) => "__Secure-edgeward-device",
        }
    }

    /// No host begins with a period: a cookie of the parent is none of the host of that name.
    fn binding(&self, facts: &RequestFacts<'_>) -> String {
        self.domain.map_or_else(|| facts.host(), |domain| [".", domain].concat())
    }
}

/// One entry, as it stands.
#[derive(Clone, Copy)]
struct Entry {
    id: DeviceId,
    made: [u8; 8],
    tag: [u8; 32],
}

impl DeviceKeys {
    /// Derives them.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        let keys = root.derive(&[PURPOSE.0.as_bytes()]);
        Self(keys.iter().map(|key| MacKey::new(HmacAlgorithm::Hs256, key.expose())).collect())
    }

    /// The id of this browser, where this user signed in with it.
    #[must_use]
    pub fn known(
        &self,
        facts: &RequestFacts<'_>,
        reach: Reach<'_>,
        user: &str,
        now: UnixTime,
    ) -> Option<DeviceId> {
        let binding = reach.binding(facts);
        let entries = entries(facts, reach);
        entries.iter().find(|entry| self.is_of(entry, &binding, user, now)).map(|entry| entry.id)
    }

    /// `Set-Cookie` after this user signed in: known from now on, besides others of this browser. `fresh`: an id for a browser
    /// that was not known. `None` where there is no key.
    #[must_use]
    pub fn set_cookie(
        &self,
        facts: &RequestFacts<'_>,
        reach: Reach<'_>,
        user: &str,
        fresh: DeviceId,
        now: UnixTime,
    ) -> Option<String> {
        let binding = reach.binding(facts);
        let (own, others): (Vec<Entry>, Vec<Entry>) =
            entries(facts, reach).iter().partition(|entry| self.is_of(entry, &binding, user, now));
        let id = own.first().map_or(fresh, |entry| entry.id);
        let made = now.seconds().to_be_bytes();
        let mut tag = [0; 32];
        let computed = self.0.first()?.tag_for(&PURPOSE, &fields(&binding, user, &id, &made));
        tag.iter_mut().zip(computed.as_bytes()).for_each(|(to, from)| *to = *from);
        let entries = core::iter::once(Entry { id, made, tag }).chain(others).take(MOST);
        Some(cookie(reach, &entries.map(|entry| entry.text()).collect::<Vec<_>>().join(".")))
    }

    fn is_of(&self, entry: &Entry, binding: &str, user: &str, now: UnixTime) -> bool {
        let made = UnixTime::from_seconds(i64::from_be_bytes(entry.made));
        let fields = fields(binding, user, &entry.id, &entry.made);
        now < made + HOLDS && self.0.iter().any(|key| key.verify_for(&PURPOSE, &fields, &entry.tag))
    }
}

fn fields<'f>(binding: &'f str, user: &'f str, id: &'f DeviceId, made: &'f [u8; 8]) -> [&'f [u8]; 4] {
    [binding.as_bytes(), user.as_bytes(), &id.0, made]
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let octets = from_base64url(text)?;
        let (id, rest) = octets.split_first_chunk::<ID_SIZE>()?;
        let (made, tag) = rest.split_first_chunk::<8>()?;
        Some(Self { id: DeviceId(*id), made: *made, tag: tag.try_into().ok()? })
    }

    fn text(&self) -> String {
        to_base64url(&[&self.id.0[..], &self.made, &self.tag].concat())
    }
}

/// The entries of the cookie, of whomever: none where it stands there twice, or is not of this form.
fn entries(facts: &RequestFacts<'_>, reach: Reach<'_>) -> Vec<Entry> {
    let field = facts.field("cookie").unwrap_or_default();
    let mut values = cookie::values(&field, reach.name());
    let Some(value) = values.next().filter(|_| values.next().is_none()) else { return Vec::new() };
    value.split('.').take(MOST).filter_map(Entry::read).collect()
}

fn cookie(reach: Reach<'_>, value: &str) -> String {
    let domain = reach.domain.map(|domain| ["; Domain=", domain].concat()).unwrap_or_default();
    let secure = if reach.https { "; Secure" } else { "" };
    let age = HOLDS.seconds().to_string();
    [reach.name(), "=", value, "; Path=/", &domain, secure, "; HttpOnly; SameSite=Lax; Max-Age=", &age]
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

    fn keys(secrets: &[u8]) -> DeviceKeys {
        let text: Vec<String> = secrets.iter().map(|byte| to_base64url(&[*byte; 32])).collect();
        DeviceKeys::new(&RootSecret::parse(&text.join(" ")).expect("good secrets"))
    }

    /// A browser: where it is, and the `Cookie` field it sends.
    #[derive(Clone)]
    struct Browser {
        uri: &'static str,
        domain: Option<&'static str>,
        cookie: String,
    }

    impl Browser {
        fn at(uri: &'static str) -> Self {
            Self { uri, domain: None, cookie: String::new() }
        }

        fn ask<T>(&self, ask: impl Fn(&RequestFacts<'_>, Reach<'_>) -> T) -> T {
            let fields = FieldList::new([("cookie", self.cookie.as_str())]);
            let facts = RequestFacts::new("GET", self.uri, &fields).expect("an absolute URI");
            ask(&facts, Reach { domain: self.domain, ..Reach::of(&facts, None) })
        }

        fn known(&self, keys: &DeviceKeys, user: &str, now: UnixTime) -> Option<DeviceId> {
            self.ask(|facts, reach| keys.known(facts, reach, user, now))
        }

        fn sign_in(&mut self, keys: &DeviceKeys, user: &str, id: u8) -> String {
            let fresh = DeviceId::new([id; 16]);
            let set =
                self.ask(|facts, reach| keys.set_cookie(facts, reach, user, fresh, NOW)).expect("a key");
            self.cookie = set.split(';').next().expect("a pair").to_owned();
            set
        }
    }

    #[test]
    fn known_after_signing_in_and_only_who_did() {
        let keys = keys(&[1]);
        let mut browser = Browser::at("https://a.example/");
        assert_eq!(browser.known(&keys, "ann", NOW), None);
        browser.sign_in(&keys, "ann", 1);
        assert_eq!(browser.known(&keys, "ann", NOW), Some(DeviceId([1; 16])));
        for other in ["bob", "Ann", "an", "", "ann "] {
            assert_eq!(browser.known(&keys, other, NOW), None, "{other}");
        }
        browser.sign_in(&keys, "ann", 2);
        assert_eq!(browser.known(&keys, "ann", NOW), Some(DeviceId([1; 16])), "it keeps its id");
        let elsewhere = Browser { uri: "https://b.example/", ..browser.clone() };
        assert_eq!(elsewhere.known(&keys, "ann", NOW), None, "of another host");
        assert_eq!(browser.known(&super::tests::keys(&[2]), "ann", NOW), None);
        assert!(browser.known(&super::tests::keys(&[2, 1]), "ann", NOW).is_some(), "every secret verifies");
    }

    #[test]
    fn four_users_and_the_oldest_goes() {
        let keys = keys(&[1]);
        let mut browser = Browser::at("https://a.example/");
        for (id, user) in ["a", "b", "c", "d", "a", "e"].into_iter().enumerate() {
            browser.sign_in(&keys, user, u8::try_from(id).expect("few"));
        }
        let known = ["a", "b", "c", "d", "e"].map(|user| browser.known(&keys, user, NOW).is_some());
        assert_eq!(known, [true, false, true, true, true]);
        assert!(browser.cookie.len() < 400, "{}", browser.cookie.len());
    }

    #[test]
    fn for_four_hundred_days() {
        let keys = keys(&[1]);
        let mut browser = Browser::at("https://a.example/");
        browser.sign_in(&keys, "ann", 1);
        let day = |days: i64| NOW + Lifetime::from_seconds(days * 86_400);
        assert!(browser.known(&keys, "ann", day(399)).is_some());
        assert!(browser.known(&keys, "ann", day(400)).is_none());
    }

    #[test]
    fn the_cookie() {
        let keys = keys(&[1]);
        let rest = "; HttpOnly; SameSite=Lax; Max-Age=34560000";
        for (uri, domain, name, attributes) in [
            ("https://a.example/", None, "__Host-edgeward-device", "; Path=/; Secure"),
            ("http://localhost:8787/", None, "edgeward-device", "; Path=/"),
            (
                "https://a.example/",
                Some("example"),
                "__Secure-edgeward-device",
                "; Path=/; Domain=example; Secure",
            ),
        ] {
            let mut browser = Browser { domain, ..Browser::at(uri) };
            let set = browser.sign_in(&keys, "ann", 1);
            let value = set.strip_prefix(name).and_then(|it| it.strip_prefix('=')).expect(name);
            let value = value.strip_suffix(&[attributes, rest].concat()).expect(&set);
            assert_eq!(value.len(), 75, "{value}");
            assert!(browser.known(&keys, "ann", NOW).is_some());
        }
        let mut browser = Browser { domain: Some("example"), ..Browser::at("https://a.example/") };
        browser.sign_in(&keys, "ann", 1);
        browser.uri = "https://b.example/";
        assert!(browser.known(&keys, "ann", NOW).is_some(), "all hosts below the domain");
    }

    #[test]
    fn twice_is_never() {
        let keys = keys(&[1]);
        let mut browser = Browser::at("https://a.example/");
        browser.sign_in(&keys, "ann", 1);
        browser.cookie = [&browser.cookie, "; ", &browser.cookie].concat();
        assert_eq!(browser.known(&keys, "ann", NOW), None);
    }

    proptest! {
        #[test]
        fn never_panics_and_knows_nobody(value in "[A-Za-z0-9_.=-]{0,300}") {
            let browser = Browser { cookie: format!("__Host-edgeward-device={value}"), ..Browser::at("https://a.example/") };
            prop_assert_eq!(browser.known(&keys(&[1]), "ann", NOW), None);
        }

        #[test]
        fn one_changed_octet_is_unknown(at in 0_usize..56, bit in 0_u8..8) {
            let keys = keys(&[1]);
            let mut browser = Browser::at("https://a.example/");
            browser.sign_in(&keys, "ann", 1);
            let (name, value) = browser.cookie.split_once('=').expect("a pair");
            let mut octets = from_base64url(value).expect("base64url");
            octets[at] ^= 1 << bit;
            browser.cookie = [name, "=", &to_base64url(&octets)].concat();
            prop_assert_eq!(browser.known(&keys, "ann", NOW), None);
        }

        #[test]
        fn whoever_signs_in_last_is_known(users in proptest::collection::vec("\\PC{1,6}", 1..8)) {
            let keys = keys(&[1]);
            let mut browser = Browser::at("https://a.example/");
            users.iter().for_each(|user| drop(browser.sign_in(&keys, user, 1)));
            prop_assert!(browser.known(&keys, users.last().expect("one"), NOW).is_some());
        }
    }
}
