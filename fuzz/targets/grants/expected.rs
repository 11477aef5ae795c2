//! What a cookie's content grants, read a second time, and to whom.

use super::super::cookie::percent_decoded;
use super::super::path::reference;
use super::glob::{Glob, beginning};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::json::Json;
use edgeward::policy::Format;
use edgeward::request::RequestFacts;
use edgeward::time::UnixTime;
use edgeward::token::signed_url::Grant;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A grant as its members; a text is a list of one.
#[derive(Debug, PartialEq)]
pub struct Expected {
    pub key: String,
    texts: BTreeMap<String, Vec<String>>,
    /// In milliseconds.
    moments: BTreeMap<String, i64>,
}

const TEXTS: [&str; 7] = ["f", "k", "p", "id", "sub", "o", "h"];
const MOMENTS: [&str; 4] = ["iat", "nbf", "lt", "le"];
const LISTS: [&str; 6] = ["to", "m", "net", "in", "out", "with"];

/// The grants; `None` where one is otherwise than the product writes it.
pub fn read(json: &str) -> Option<Vec<Expected>> {
    let json = Json::parse(json).ok()?;
    let grants = json.as_array().filter(|grants| (1..=8).contains(&grants.len()))?;
    grants.iter().map(one).collect()
}

fn one(grant: &Json<'_>) -> Option<Expected> {
    let (mut texts, mut moments) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in grant.as_object()? {
        match &**name {
            name if TEXTS.contains(&name) => {
                texts.insert(name.to_owned(), vec![value.as_text()?.to_owned()]);
            }
            name if LISTS.contains(&name) => {
                let list: Vec<String> = value.as_texts()?.into_iter().map(str::to_owned).collect();
                texts.insert(name.to_owned(), Some(list).filter(|list| !list.is_empty())?);
            }
            name if MOMENTS.contains(&name) => {
                let seconds = value.as_number().filter(|it| (0.0..=253_402_300_799.0).contains(it))?;
                moments.insert(name.to_owned(), (seconds * 1000.0).ceil() as i64);
            }
            _ => return None,
        }
    }
    texts.get("p")?;
    let expected = Expected { key: texts.get("k")?.concat(), texts, moments };
    expected.is_sound().then_some(expected)
}

impl Expected {
    fn list(&self, name: &str) -> &[String] {
        self.texts.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.list(name).first().map(String::as_str)
    }

    fn is_sound(&self) -> bool {
        let format = self.text("f").unwrap_or_default();
        let target = match (self.text("to").unwrap_or_default(), self.list("to").len()) {
            ("exactly", count) => count == 2 || count == 3,
            ("path" | "address" | "below", count) => count == 2,
            ("anywhere", count) => count == 1,
            ("globs", _) => true,
            _ => false,
        };
        let has_one_end = !(self.moments.contains_key("lt") && self.moments.contains_key("le"));
        target
            && has_one_end
            && Format::ALL.iter().any(|(name, _)| *name == format)
            && self.list("net").iter().all(|network| bits(network).is_some())
            && self.list("with").len().is_multiple_of(2)
    }

    /// Whether the product's grant is this one, as far as it can be looked at.
    pub fn is(&self, grant: &Grant) {
        let stated = grant.stated();
        let moment = |name| self.moments.get(name).map(|millis| UnixTime::from_millis(*millis));
        assert_eq!(Some(grant.format().name()), self.text("f"));
        assert_eq!((grant.key(), stated.id.as_deref()), (&*self.key, self.text("id")));
        assert_eq!((stated.subject.as_deref(), stated.uses), (self.text("sub"), None));
        assert_eq!((stated.issued, stated.not_before), (moment("iat"), moment("nbf")));
        assert_eq!(stated.end.map(edgeward::token::signed_url::End::stated), moment("lt").or(moment("le")));
    }

    pub fn first_bad(&self) -> Option<UnixTime> {
        let second_after = |millis: &i64| UnixTime::from_seconds(millis / 1000 + 1);
        let before = self.moments.get("lt").map(|millis| UnixTime::from_millis(*millis));
        before.or_else(|| self.moments.get("le").map(second_after))
    }

    pub fn is_alive(&self, now: UnixTime) -> bool {
        self.first_bad().is_none_or(|end| now.millis() < end.millis())
    }

    /// Whether both stand for one link.
    pub fn is_same(&self, other: &Self) -> bool {
        ["f", "k", "id"].iter().all(|name| self.text(name) == other.text(name))
    }

    pub fn is_in_whole_seconds(&self) -> bool {
        self.moments.values().all(|millis| millis % 1000 == 0)
    }
}

/// Whether a request is inside of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    Yes,
    No,
    /// A path with several readings, none of which is seen to lead out.
    Perhaps,
}

pub struct Request<'r> {
    facts: &'r RequestFacts<'r>,
    now: i64,
    leeway: i64,
}

impl<'r> Request<'r> {
    pub fn new(facts: &'r RequestFacts<'r>, now: UnixTime, leeway: i64) -> Self {
        Self { facts, now: now.millis(), leeway: leeway * 1000 }
    }

    pub fn inside(&self, it: &Expected) -> Inside {
        let millis = |name| it.moments.get(name).copied();
        let is_in_time = millis("nbf").is_none_or(|from| self.now >= from - self.leeway)
            && it.is_alive(UnixTime::from_millis(self.now));
        if is_in_time && self.is_here(it) && self.is_of(it) { self.is_there(it) } else { Inside::No }
    }

    /// Scheme, host and method.
    fn is_here(&self, it: &Expected) -> bool {
        let facts = self.facts;
        let origin = format!("{}://{}", facts.scheme.as_str(), facts.authority);
        let host = edgeward::request::host_of(facts.authority);
        let methods = it.list("m");
        let is_head = facts.method == "HEAD" && methods.iter().any(|method| method == "GET");
        it.text("o").is_none_or(|wanted| wanted == origin)
            && it.text("h").is_none_or(|wanted| wanted == host)
            && (methods.is_empty() || is_head || methods.iter().any(|method| method == facts.method))
    }

    /// Address, country and fields of the client.
    fn is_of(&self, it: &Expected) -> bool {
        let address = self.facts.field("cf-connecting-ip").and_then(|it| it.trim().parse::<IpAddr>().ok());
        let address = address.map(|it| address_bits(it.to_canonical()));
        let is_in = |network: &String| {
            let network = bits(network).expect("it was read");
            address.as_ref().is_some_and(|address| address.starts_with(&network))
        };
        let country = self.facts.fields.country();
        let has = |list: &[String]| country.as_ref().is_some_and(|country| list.contains(country));
        let (countries, blocked) = (it.list("in"), it.list("out"));
        let field = |name: &str| self.facts.field(name).unwrap_or_default();
        (it.list("net").is_empty() || it.list("net").iter().any(is_in))
            && (countries.is_empty() || has(countries))
            && (blocked.is_empty() || country.is_some() && !has(blocked))
            && it.list("with").chunks(2).all(|pair| field(&pair[0]) == pair[1])
    }

    /// Path and query.
    fn is_there(&self, it: &Expected) -> Inside {
        let (path, query) = (self.facts.path, self.facts.query.unwrap_or_default());
        let (kind, rest) = it.list("to").split_first().expect("it was read");
        let certain = |holds: bool| if holds { Inside::Yes } else { Inside::No };
        match kind.as_str() {
            "exactly" => certain(rest[0] == path && rest.get(1).is_none_or(|wanted| wanted == query)),
            "path" => certain(rest[0] == digest(&[path])),
            "address" => certain(rest[0] == digest(&[path, query])),
            "below" => self.everywhere(&rest[0], beginning),
            "globs" => {
                let each: Vec<Inside> = rest.iter().map(|glob| self.everywhere(glob, Glob::of)).collect();
                [Inside::Yes, Inside::Perhaps].into_iter().find(|it| each.contains(it)).unwrap_or(Inside::No)
            }
            _ => Inside::Yes,
        }
    }

    /// Whether the path fits as it was received, and in each of its readings once both are decoded.
    fn everywhere(&self, raw: &str, glob: fn(&[u8]) -> Glob) -> Inside {
        let path = self.facts.path;
        if !glob(raw.as_bytes()).fits(path) {
            return Inside::No;
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
        if path.chars().all(is_plain) && !path.contains("//") {
            return Inside::Yes;
        }
        let Some(readings) = reference::readings(path) else { return Inside::No };
        let decoded = glob(&percent_decoded(raw.as_bytes()).0);
        let fits = |reading: &Vec<String>| {
            // Whether a reading ends with a slash it does not say.
            let joined: String = reading.iter().map(|segment| format!("/{segment}")).collect();
            decoded.fits(&joined) || decoded.fits(&format!("{joined}/"))
        };
        if readings.iter().all(fits) { Inside::Perhaps } else { Inside::No }
    }
}

fn digest(fields: &[&str]) -> String {
    let hash = Sha256::new().chain_update(b"edgeward/link-address/v1\0");
    let hash = fields
        .iter()
        .fold(hash, |hash, field| hash.chain_update((field.len() as u64).to_be_bytes()).chain_update(field));
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The bits of a network that count, after a letter for the kind of its addresses.
fn bits(network: &str) -> Option<String> {
    let (address, length) = network.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 2 } else { 3 };
    let is_number = (1..=most).contains(&length.len()) && length.bytes().all(|it| it.is_ascii_digit());
    let length: usize = length.parse().ok().filter(|_| is_number)?;
    address_bits(address).get(..=length).map(str::to_owned)
}

fn address_bits(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("4{:032b}", u32::from(address)),
        IpAddr::V6(address) => format!("6{:0128b}", u128::from(address)),
    }
}
