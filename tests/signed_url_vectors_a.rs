//! Signed URLs by others: Akamai EdgeAuth, Google Cloud CDN, Google Media CDN.
//!
//! The vectors stand beside this package, in `../shared/vectors`; where that folder is missing the tests say so. Known
//! answers are looked up by name, so that one that goes away is missed. What the table of semantics says of any scheme
//! is asked of each of the three, with a signer written from the vendor's documentation; where a scheme parts from it
//! by design, its row in [`EXCEPTIONS`] says why.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use edgeward::policy::{Format, HmacAlgorithm, LinkEntry};
use edgeward::request::{FieldList, Fields as _, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::Key;
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::{Borne, Entry, LinkVerifier, Seen, Strength, preset};
use edgeward::verdict::Cause;
use serde_json::Value;

const PATH_ONLY: &str = "the path alone is signed, by the vendor's design";

const DOTS: &str = "the octets are asked for; who resolves dot segments does it before they come here";

/// Cases that end otherwise with a scheme, and why. None is of the level "must".
const EXCEPTIONS: &[(Format, &str, &str)] = &[
    (Format::MediaCdn, "su-009", PATH_ONLY),
    (Format::Akamai, "su-010", "every parameter is signed"),
    (Format::GoogleCdn, "su-010", "every parameter is signed"),
    (Format::Akamai, "su-036", "the query is signed as it is sent"),
    (Format::GoogleCdn, "su-036", "the query is signed as it is sent"),
    (Format::GoogleCdn, "su-016", "a tag has one spelling, with its padding"),
    (Format::Akamai, "su-066", DOTS),
    (Format::GoogleCdn, "su-066", DOTS),
    (Format::MediaCdn, "su-066", DOTS),
    (Format::Akamai, "su-073", "the host is not signed"),
    (Format::MediaCdn, "su-073", "the host is not signed, but in a URLPrefix"),
    (Format::Akamai, "su-074", "the scheme is not signed"),
    (Format::MediaCdn, "su-074", "the scheme is not signed, but in a URLPrefix"),
    (Format::Akamai, "su-075", "the method is not signed; rules name methods"),
    (Format::MediaCdn, "su-075", "the method is not signed; rules name methods"),
    (Format::GoogleCdn, "su-083", "the octets that were signed are asked for"),
    (Format::Akamai, "su-083", "the octets that were signed are asked for"),
    (Format::MediaCdn, "su-083", "a name has one spelling"),
    (Format::Akamai, "su-093", "it is good through the whole second, as with the vendor"),
    (Format::GoogleCdn, "su-093", "it is good through the whole second, as with the vendor"),
    (Format::MediaCdn, "su-093", "it is good through the whole second, as with the vendor"),
];

fn read(name: &str) -> Option<Value> {
    let path = format!("{}/../shared/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("a hex digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A gate for links of one entry.
struct Gate(LinkVerifier);

/// A request.
struct Asked {
    method: &'static str,
    uri: String,
    fields: FieldList,
}

impl Asked {
    fn get(uri: String) -> Self {
        Self { method: "GET", uri, fields: FieldList::default() }
    }
}

impl Gate {
    fn new(
        format: Format,
        keys: &[(&str, HmacAlgorithm, Vec<u8>)],
        settings: impl FnOnce(&mut LinkEntry),
    ) -> Self {
        let mut entry = preset(format).defaults(0);
        settings(&mut entry);
        let keys = keys.iter().map(|(kid, algorithm, key)| Key::new(kid, MacKey::new(*algorithm, key)));
        Self(LinkVerifier::new(vec![Entry::new(entry, keys.collect())], Lifetime::from_seconds(30)))
    }

    /// Why it is refused; `None` where it is let in.
    fn cause(&self, asked: &Asked, now: i64) -> Option<Cause> {
        let facts = RequestFacts::new(asked.method, &asked.uri, &asked.fields).expect("an absolute URI");
        let cookies = asked.fields.get("cookie").unwrap_or_default();
        let seen = Seen::new(&facts, &cookies, &[]);
        for strength in [Strength::Url, Strength::Cookie] {
            match self.0.borne(&seen, strength) {
                Borne::Twice => return Some(Cause::RequestAmbiguous),
                Borne::Present => {
                    return self
                        .0
                        .verify(&seen, strength, UnixTime::from_seconds(now))
                        .err()
                        .map(|it| it.cause);
                }
                Borne::Absent => {}
            }
        }
        Some(Cause::CredentialsMissing)
    }
}

mod known_answers {
    use super::*;

    /// The case of that id, or `None` where the vectors are not there.
    fn case(id: &str) -> Option<Value> {
        let file = read("cases_signed_kat.json")?;
        let cases = file["cases"].as_array().expect("a list");
        let found = cases.iter().find(|case| case["id"] == id);
        Some(found.unwrap_or_else(|| panic!("{id} is not among the vectors")).clone())
    }

    /// Asks for what a token of EdgeAuth was made for, at its last second.
    fn akamai(id: &str, path_of_acl: &str) -> Option<Option<Cause>> {
        let case = case(id)?;
        let (input, options) = (&case["input"], &case["input"]["options"]);
        let gate = Gate::new(
            Format::Akamai,
            &[("a", HmacAlgorithm::Hs256, unhex(text(&input["key_hex"])))],
            |entry| {
                entry.salt = options["salt"].as_str().map(str::to_owned);
                entry.escape_early = options["escape_early"] == true;
            },
        );
        let url = input["url"].as_str().unwrap_or(path_of_acl);
        let token = text(&case["expected"]["token"]);
        let address = options["ip"].as_str().unwrap_or("198.51.100.1");
        let asked = |path: &str| Asked {
            method: "GET",
            uri: format!("https://h.example{path}"),
            fields: FieldList::new([
                ("cookie", &*format!("__token__={token}")),
                ("cf-connecting-ip", address),
            ]),
        };
        let end = input["end_time"].as_i64().expect("a time");
        let cause = gate.cause(&asked(url), end);
        if cause.is_none() {
            assert_eq!(gate.cause(&asked(url), end + 1), Some(Cause::TokenExpired), "{id}");
            assert!(gate.cause(&asked("/elsewhere"), end).is_some(), "{id}");
            if let Some(start) = options["start_time"].as_i64() {
                assert_eq!(gate.cause(&asked(url), start - 31), Some(Cause::TokenNotYetValid), "{id}");
            }
        }
        Some(cause)
    }

    macro_rules! let_in {
        ($($name:ident: $id:literal, $path:literal;)*) => {$(
            #[test]
            fn $name() {
                assert_eq!(akamai($id, $path).unwrap_or_default(), None, $id);
            }
        )*};
    }

    let_in! {
        kat_004_akamai_url: "kat-004", "";
        kat_008_akamai_url_with_utf8_query_escaped_early: "kat-008", "";
        kat_010_akamai_session_id: "kat-010", "";
        kat_011_akamai_salt: "kat-011", "";
        kat_012_akamai_ip: "kat-012", "";
        kat_013_akamai_start_time: "kat-013", "";
        kat_014_akamai_acl_with_asterisk: "kat-014", "/q_escape_ignore/a/b";
        kat_015_akamai_acl_with_question_marks: "kat-015", "/q_ignore/xyrzz";
        kat_017_akamai_acl_and_payload_escaped_early: "kat-017", "/q/1";
    }

    #[test]
    fn kat_006_akamai_md5_is_refused() {
        let cause = akamai("kat-006", "");
        assert!(cause.is_none_or(|cause| cause == Some(Cause::TokenAlgorithm)), "{cause:?}");
    }

    #[test]
    fn kat_003_google_signed_url() {
        let Some(case) = case("kat-003") else { return };
        let input = &case["input"];
        let key = URL_SAFE.decode(text(&input["key_b64url"])).expect("base64url");
        let gate =
            Gate::new(Format::GoogleCdn, &[(text(&input["key_name"]), HmacAlgorithm::Hs1, key)], |_| ());
        let url = text(&case["expected"]["url"]);
        let end = input["expires"].as_i64().expect("a time");
        assert_eq!(gate.cause(&Asked::get(url.to_owned()), end), None, "{url}");
        assert_eq!(gate.cause(&Asked::get(url.to_owned()), end + 1), Some(Cause::TokenExpired));
        assert_eq!(
            gate.cause(&Asked::get(url.replace("query", "Query")), end),
            Some(Cause::TokenBadSignature)
        );
    }

    /// The rest of the table is of other schemes, or of what a signer refuses.
    #[test]
    fn every_case_of_these_formats_has_its_test() {
        let Some(file) = read("cases_signed_kat.json") else { return };
        let known = ["003", "004", "006", "008", "010", "011", "012", "013", "014", "015", "017"];
        for case in file["cases"].as_array().expect("a list") {
            let kind = text(&case["input"]["kind"]);
            if matches!(kind, "akamai-edgeauth" | "gcp-cdn" | "media-cdn") {
                let id = text(&case["id"]);
                assert!(known.iter().any(|number| id == format!("kat-{number}")), "{id} has no test");
            }
        }
    }
}

mod semantics {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const HOST: &str = "h.example";
    const KEY: &[u8] = b"sixteen octets of a key, or more";
    const OLD: &[u8] = b"another one, which was used once";

    /// A link as the table sees it: its parts, before and after it was changed.
    #[derive(Clone)]
    struct Link {
        scheme: String,
        host: String,
        path: String,
        query: String,
        /// What the expiry is written as.
        exp: String,
        /// The tag; empty until it is signed.
        tag: String,
    }

    /// How a scheme signs and writes links.
    struct Scheme {
        format: Format,
        algorithm: HmacAlgorithm,
        message: fn(&Link) -> String,
        tag: fn(&[u8]) -> String,
        /// What stands in the query besides the link's own: names and values.
        parameters: fn(&Link) -> String,
        /// Name of the parameter that holds the tag, or the token.
        name: &'static str,
    }

    fn with_query(path: &str, query: &str) -> String {
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    const SCHEMES: [Scheme; 3] = [
        Scheme {
            format: Format::Akamai,
            algorithm: HmacAlgorithm::Hs256,
            message: |link| format!("exp={}~url={}", link.exp, with_query(&link.path, &link.query)),
            tag: hex,
            parameters: |link| format!("hdnts=exp={}~hmac={}", link.exp, link.tag),
            name: "hdnts",
        },
        Scheme {
            format: Format::GoogleCdn,
            algorithm: HmacAlgorithm::Hs1,
            message: |link| {
                let query = if link.query.is_empty() { String::new() } else { format!("{}&", link.query) };
                let Link { scheme, host, path, exp, .. } = link;
                format!("{scheme}://{host}{path}?{query}Expires={exp}&KeyName=new")
            },
            tag: |tag| URL_SAFE.encode(tag),
            parameters: |link| format!("Expires={}&KeyName=new&Signature={}", link.exp, link.tag),
            name: "Signature",
        },
        Scheme {
            format: Format::MediaCdn,
            algorithm: HmacAlgorithm::Hs256,
            message: |link| format!("FullPath={}~Expires={}", link.path, link.exp),
            tag: hex,
            parameters: |link| format!("hdnts=FullPath~Expires={}~hmac={}", link.exp, link.tag),
            name: "hdnts",
        },
    ];

    impl Scheme {
        fn signed(&self, mut link: Link, key: &[u8]) -> Link {
            let tag = MacKey::new(self.algorithm, key).tag(&[(self.message)(&link).as_bytes()]);
            link.tag = (self.tag)(tag.as_bytes());
            link
        }

        fn uri(&self, link: &Link) -> String {
            let parameters = (self.parameters)(link);
            let query =
                if link.query.is_empty() { parameters } else { format!("{}&{parameters}", link.query) };
            format!("{}://{}{}?{query}", link.scheme, link.host, link.path)
        }

        /// The request of a case, and when it comes; `None` where this scheme has nothing that the case speaks of.
        fn asked(&self, case: &Value) -> Option<(Asked, i64)> {
            let input = &case["input"];
            let seconds =
                |name: &str| text(&input[name]).trim_start_matches('+').parse::<i64>().expect("seconds");
            let exp = NOW + seconds("expires");
            let mutations: Vec<&str> = input["mutate"].as_array().expect("a list").iter().map(text).collect();
            let mut link = self.link(text(&input["base"]), exp, &mutations);
            let mut asked = Asked::get(self.uri(&link));
            let mut now = NOW + seconds("at");
            for mutation in mutations {
                match mutation.split_once(' ').unwrap_or((mutation, "")) {
                    ("sign", _) => {}
                    ("at", "= exp") => now = exp,
                    ("method", "POST") => asked.method = "POST",
                    ("method", "HEAD") => asked.method = "HEAD",
                    ("header", line) => {
                        asked.fields = FieldList::new([line.split_once(": ").expect("a field")]);
                    }
                    ("path" | "keep", path) => {
                        link.path = path.trim_start_matches("query, path ").to_owned();
                        asked.uri = self.uri(&link);
                    }
                    // What no gate for links can show: signers, cookies of sessions, configurations.
                    ("signer" | "send" | "key", _) => return None,
                    (verb, rest) => asked.uri = self.changed(&asked.uri, &link, verb, rest)?,
                }
            }
            Some((asked, now))
        }

        /// A link that was signed as the case says.
        fn link(&self, base: &str, exp: i64, mutations: &[&str]) -> Link {
            let (path, query) = base.split_once('?').unwrap_or((base, ""));
            let told = mutations.iter().find_map(|mutation| mutation.strip_prefix("sign with exp "));
            let exp = match told.map(|exp| exp.trim_start_matches("= ")) {
                Some("-86400") => (NOW - 86_400).to_string(),
                Some(exp) => exp.to_owned(),
                None => exp.to_string(),
            };
            let [scheme, host, path, query, tag] = ["https", HOST, path, query, ""].map(str::to_owned);
            let key = if mutations.contains(&"sign with old key") { OLD } else { KEY };
            self.signed(Link { scheme, host, path, query, exp, tag }, key)
        }

        /// The URI with one change.
        fn changed(&self, uri: &str, link: &Link, verb: &str, rest: &str) -> Option<String> {
            let Link { exp, tag, .. } = link;
            let name = format!("{}=", self.name);
            Some(match (verb, rest) {
                ("append", "<sig>=x after the right one") => format!("{uri}&{name}x"),
                ("append", more) => format!("{uri}{}", more.trim_end_matches(" to <sig>")),
                ("prepend", _) => {
                    let later = NOW + 99_999;
                    uri.replace("Expires=", &format!("Expires={later}&Expires="))
                        .replace("=exp=", &format!("=exp={later}~exp="))
                }
                ("drop", "all signing parameters") => uri.split(['?']).next().expect("a path").to_owned(),
                ("drop", "<sig>") => uri.replace(tag, ""),
                ("drop", "<exp>") => uri
                    .replace(&format!("Expires={exp}&"), "")
                    .replace(&format!("~Expires={exp}"), "")
                    .replace(&format!("exp={exp}~"), "~"),
                ("strip", _) => uri.strip_suffix('=')?.to_owned(),
                ("set", "<sig> to an API key") => uri.replace(tag, "ew_0123456789abcdef"),
                ("set", "prefix=other") if self.format == Format::MediaCdn => return None,
                ("set", "prefix=other") => uri.replace("prefix=value", "prefix=other"),
                ("set", sig) => uri.replace(tag, sig.strip_prefix("<sig>=").expect("a signature")),
                ("reorder", _) => uri.replace("foo=bar&bar=foo", "bar=foo&foo=bar"),
                ("Host", host) => uri.replace(HOST, host),
                ("scheme", scheme) => uri.replace("https", scheme),
                ("rename", _) => uri.replace(&name, &name.to_uppercase()),
                ("percent-encode", _) => uri.replace(&name, &name.replacen('n', "%6E", 1)),
                ("<exp>", "-> 000<value>") => uri.replace(exp, &format!("000{exp}")),
                ("<exp>", "-> 0x...") => {
                    uri.replace(exp, &format!("0x{:x}", exp.parse::<i64>().expect("a time")))
                }
                ("<exp>", "-> <value>.5") => uri.replace(exp, &format!("{exp}.5")),
                ("<exp>", "->") => uri.replace(exp, ""),
                _ => panic!("{verb} {rest} is not known here"),
            })
        }
    }

    /// How many cases of the table are asked of a scheme, so that none goes away unseen.
    fn run(scheme: &Scheme) -> Option<usize> {
        let file = read("cases_signed_url_semantics.json")?;
        let keys = [("new", scheme.algorithm, KEY.to_vec()), ("old", scheme.algorithm, OLD.to_vec())];
        let gate = Gate::new(scheme.format, &keys, |_| ());
        let mut asked_of_it = 0;
        for case in file["cases"].as_array().expect("a list") {
            let id = text(&case["id"]);
            let tags = case["tags"].as_array().expect("a list");
            // A value that is signed by itself is no URL; a grant for many pages is asked for below.
            if tags.iter().any(|tag| tag == "signed-value") || matches!(id, "su-098" | "su-099") {
                continue;
            }
            // A key is named there: what is signed with the old one names the old one.
            if scheme.format == Format::GoogleCdn && id == "su-014" {
                continue;
            }
            let Some((asked, now)) = scheme.asked(case) else { continue };
            asked_of_it += 1;
            let cause = gate.cause(&asked, now);
            let excepted = EXCEPTIONS.iter().any(|(format, it, _)| *format == scheme.format && *it == id);
            assert!(!excepted || case["expected"]["level"] != "must", "{id} is a must");
            let wanted = (case["expected"]["verdict"] == "accept") != excepted;
            assert_eq!(cause.is_none(), wanted, "{:?} {id} {} {cause:?}", scheme.format, asked.uri);
        }
        Some(asked_of_it)
    }

    #[test]
    fn of_akamai() {
        assert!(run(&SCHEMES[0]).is_none_or(|count| count == 48), "{:?}", run(&SCHEMES[0]));
    }

    #[test]
    fn of_google_cdn() {
        assert!(run(&SCHEMES[1]).is_none_or(|count| count == 48), "{:?}", run(&SCHEMES[1]));
    }

    #[test]
    fn of_media_cdn() {
        assert!(run(&SCHEMES[2]).is_none_or(|count| count == 47), "{:?}", run(&SCHEMES[2]));
    }

    /// su-098 and su-099, of every form that grants more than one page.
    #[test]
    fn su_098_and_099_a_grant_for_a_folder_holds_below_it_in_every_reading() {
        let tag = |algorithm, message: &str| MacKey::new(algorithm, KEY).tag(&[message.as_bytes()]);
        let of = |format, algorithm| Gate::new(format, &[("new", algorithm, KEY.to_vec())], |_| ());
        let (sha1, sha256) = (HmacAlgorithm::Hs1, HmacAlgorithm::Hs256);
        let prefix = URL_SAFE.encode("https://h.example/video/");
        let akamai = format!("exp={}~acl=/video/*", NOW + 300);
        let media = format!("PathGlobs=/video/*~Expires={}", NOW + 300);
        let google = format!("URLPrefix={prefix}&Expires={}&KeyName=new", NOW + 300);
        let mut refused = 0;
        for (gate, parameters) in [
            (
                of(Format::Akamai, sha256),
                format!("hdnts={akamai}~hmac={}", hex(tag(sha256, &akamai).as_bytes())),
            ),
            (
                of(Format::MediaCdn, sha256),
                format!("hdnts={media}~hmac={}", hex(tag(sha256, &media).as_bytes())),
            ),
            (
                of(Format::GoogleCdn, sha1),
                format!("{google}&Signature={}", URL_SAFE.encode(tag(sha1, &google).as_bytes())),
            ),
        ] {
            let cause =
                |path: &str| gate.cause(&Asked::get(format!("https://{HOST}{path}?{parameters}")), NOW);
            assert_eq!(cause("/video/1.mp4"), None, "{parameters}");
            for path in ["/video/%2e%2e/admin", "/video/..%2fadmin"] {
                assert_eq!(cause(path), Some(Cause::TokenWrongScope), "{parameters} {path}");
                refused += 1;
            }
        }
        assert_eq!(refused, 6);
    }
}
