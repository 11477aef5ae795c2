//! Signed URLs of Cloudflare, Fastly, bunny.net and nginx's hmac module against vectors by others.
//!
//! The vectors stand beside this package, in `../shared`; where that folder is missing the tests say so. Those that a
//! format prints are in its own tests too; here they must be the ones that stand in the file. The cases of behaviour
//! are run once for each format: where a format parts from a case, [`EXCEPTIONS`] says why.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::policy::{Format, HmacAlgorithm, LinkEntry};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::Key;
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::{Borne, Entry, LinkVerifier, Seen, Strength, preset};
use edgeward::token::to_base64url;
use edgeward::verdict::Cause;
use serde_json::Value;

fn file(name: &str) -> Option<String> {
    let path = format!("{}/../shared/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {path} is not there");
    }
    text
}

fn cases(name: &str) -> Vec<Value> {
    let Some(text) = file(&format!("vectors/{name}")) else { return Vec::new() };
    let suite: Value = serde_json::from_str(&text).expect("JSON");
    suite["cases"].as_array().expect("a list of cases").clone()
}

/// A gate for one entry; the keys are tried in their order.
fn gate(format: Format, keys: &[&[u8]], settings: impl FnOnce(&mut LinkEntry)) -> LinkVerifier {
    let preset = preset(format);
    let mut entry = preset.defaults(0);
    entry.ttl = Some(Lifetime::from_seconds(300));
    settings(&mut entry);
    let algorithm = preset.algorithms[0];
    let keys = keys.iter().map(|key| Key::new("a", MacKey::new(algorithm, key))).collect();
    LinkVerifier::new(vec![Entry::new(entry, keys)], Lifetime::from_seconds(30))
}

/// Why a request is refused; `None` where it is let in.
fn refused(gate: &LinkVerifier, method: &str, uri: &str, address: &str, now: i64) -> Option<Cause> {
    let fields = FieldList::new([("CF-Connecting-IP", address)]).with_country(Some("NL"));
    let facts = RequestFacts::new(method, uri, &fields).expect("an absolute URI");
    let facts = facts.with_token_in_path("bcdn_token=");
    let seen = Seen::new(&facts, "", &[]);
    match gate.borne(&seen, Strength::Url) {
        Borne::Absent => Some(Cause::CredentialsMissing),
        Borne::Twice => Some(Cause::RequestAmbiguous),
        Borne::Present => {
            gate.verify(&seen, Strength::Url, UnixTime::from_seconds(now)).err().map(|it| it.cause)
        }
    }
}

/// Format, key, URI with `M` for what the file prints, that, the client's address, the last second it is good in.
type Vector<'v> = (Format, &'v [u8], &'v str, &'v str, &'v str, i64);

/// `token-formats.md`.
#[test]
fn vectors_of_the_formats() {
    let Some(text) = file("token-formats.md") else { return };
    let fastly = STANDARD.decode("iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=").expect("base64");
    let table: [Vector<'_>; 5] = [
        (
            Format::Cloudflare,
            b"mysecrettoken",
            "https://h/images/cat.jpg?verify=1484063787-M",
            "XsZ5NmtNBxOd4f4fBOtqVmpWRnDRNkHKVZieqDPKu3U=",
            "",
            1_484_063_787 + 299,
        ),
        (
            Format::Fastly,
            &fastly,
            "https://h/foo/bar.html?token=1441307151_M",
            "2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7",
            "",
            1_441_307_151,
        ),
        (
            Format::Bunny,
            b"SecurityKey",
            "https://h/300kb.jpg?token=M&expires=1598024587",
            "HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4",
            "",
            1_598_024_587,
        ),
        (
            Format::Bunny,
            b"SecurityKey",
            "https://h/300kb.jpg?token=M&expires=1598024587",
            "HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk",
            "1.2.3.4",
            1_598_024_587,
        ),
        (
            Format::NginxHmac,
            b"my_very_secret_key",
            "https://h/files/top_secret.pdf?st=M&ts=1700000000&e=60",
            "ESctZsZH2Y4NDmNR8KbwM21UUVFnmd7UPHlC8aRU2e8",
            "",
            1_700_000_060,
        ),
    ];
    for (format, key, uri, printed, address, last) in table {
        assert!(text.contains(printed), "{printed} is not in the file");
        let gate = gate(format, &[key], |_| {});
        let uri = uri.replace('M', &printed.replace('=', "%3D"));
        assert_eq!(refused(&gate, "GET", &uri, address, last), None, "{uri}");
        assert_eq!(refused(&gate, "GET", &uri, address, last + 1), Some(Cause::TokenExpired), "{uri}");
        let moved = uri.replacen("https://h/", "https://h/x", 1);
        assert_eq!(refused(&gate, "GET", &moved, address, last), Some(Cause::TokenBadSignature), "{moved}");
    }
}

/// Of the exact outputs two are near these formats: nginx's own `secure_link`, MD5 over key and text.
#[test]
fn nginx_secure_link_is_no_hmac() {
    let cases = cases("cases_signed_kat.json");
    for case in cases.iter().filter(|case| case["input"]["kind"] == "nginx-secure-link") {
        let (input, expected) = (&case["input"], &case["expected"]);
        let secret = input["secret"].as_str().expect("a secret").as_bytes();
        let gate = gate(Format::NginxHmac, &[secret], |_| {});
        let path = input["uri"].as_str().expect("a path");
        let uri = format!("https://h{path}?st={}", expected["hash"].as_str().expect("a hash"));
        assert_eq!(refused(&gate, "GET", &uri, "", 0), Some(Cause::TokenAlgorithm), "{}", case["id"]);
        if let Some(padded) = expected["hash_padded"].as_str() {
            let uri = format!("https://h{path}?st={padded}");
            assert_eq!(refused(&gate, "GET", &uri, "", 0), Some(Cause::TokenMalformed), "{}", case["id"]);
        }
    }
    println!("{} of {} cases are not of these formats", cases.len() - 2.min(cases.len()), cases.len());
}

const NOW: i64 = 1_700_000_000;
const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const OLD_KEY: &[u8] = b"fedcba9876543210fedcba9876543210";
const FORMATS: [Format; 4] = [Format::Cloudflare, Format::Fastly, Format::Bunny, Format::NginxHmac];

/// Cases that end otherwise, and why. One of the level "must" is among them: with bunny.net nothing stands between time
/// and parameters, so that with a name that begins with a digit a link to `/v2` would be one to `/v` for ten years.
const EXCEPTIONS: &[(&str, &[Format], &str)] = &[
    ("su-009", &[Format::Fastly, Format::NginxHmac], "the query is not signed"),
    ("su-035", &[Format::Bunny], "a name that begins with a digit runs into the time"),
    ("su-036", &[Format::Cloudflare], "the query is signed as it stands"),
    ("su-066", &FORMATS, "the platform normalises before; what comes is taken as it is"),
    ("su-073", &FORMATS, "the host is not signed"),
    ("su-074", &FORMATS, "the scheme is not signed"),
    ("su-075", &FORMATS, "the method is not signed"),
    ("su-083", &FORMATS, "a name has one spelling"),
    ("su-093", &[Format::Fastly, Format::Bunny, Format::NginxHmac], "the last second is valid"),
];

/// A link that a format's signer made, and the names of its parts.
struct Signed {
    format: Format,
    uri: String,
    /// The parameter with the signature, and its value.
    name: &'static str,
    value: String,
    /// The time, as it stands in the URI.
    time: String,
    /// The parameter that the time is, where it is one of its own.
    time_name: Option<&'static str>,
}

/// Signs a path and query. `time`: of the end; for Cloudflare and nginx, which count from the issue, of that.
fn sign(format: Format, target: &str, time: &str, key: &[u8]) -> Signed {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let start =
        if query.is_empty() { format!("https://h{path}?") } else { format!("https://h{path}?{query}&") };
    let mac = |algorithm: HmacAlgorithm, message: &str| {
        MacKey::new(algorithm, key).tag(&[message.as_bytes()]).as_bytes().to_vec()
    };
    let (name, value, time_name, uri) = match format {
        Format::Cloudflare => {
            let mac = STANDARD.encode(mac(HmacAlgorithm::Hs256, &format!("{target}{time}")));
            let mac = mac.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            let value = format!("{time}-{mac}");
            ("verify", value.clone(), None, format!("{start}verify={value}"))
        }
        Format::Fastly => {
            let mac = mac(HmacAlgorithm::Hs1, &format!("{path}{time}"));
            let hex: String = mac.iter().map(|octet| format!("{octet:02x}")).collect();
            let value = format!("{time}_{hex}");
            ("token", value.clone(), None, format!("{start}token={value}"))
        }
        Format::Bunny => {
            let mut pairs: Vec<String> =
                query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
            for pair in pairs.iter_mut().filter(|pair| !pair.contains('=')) {
                pair.push('=');
            }
            let sent: String = pairs.iter().map(|pair| format!("{pair}&")).collect();
            pairs.sort();
            // The one value of the cases that is encoded.
            let data = pairs.join("&").replace("%3D", "=");
            let value =
                format!("HS256-{}", to_base64url(&mac(HmacAlgorithm::Hs256, &format!("{path}{time}{data}"))));
            let uri = format!("https://h{path}?{sent}token={value}&expires={time}");
            ("token", value, Some("expires"), uri)
        }
        _ => {
            let value = to_base64url(&mac(HmacAlgorithm::Hs256, &format!("{path}|{time}|300")));
            ("st", value.clone(), Some("ts"), format!("{start}ts={time}&e=300&st={value}"))
        }
    };
    Signed { format, uri, name, value, time: time.to_owned(), time_name }
}

/// What a case does to a link: what is sent, and when; `None` where the format or the engine has no such thing.
fn mutated(step: &str, base: &str, it: &Signed) -> Option<String> {
    let Signed { format, uri, name, value, time, time_name } = it;
    let mark = format!("{name}={value}");
    let again = |time: &str| Some(sign(*format, base, time, KEY).uri);
    let counts_from_issue = matches!(format, Format::Cloudflare | Format::NginxHmac);
    if let Some(path) = step.strip_prefix("path ").or_else(|| step.strip_prefix("keep query, path ")) {
        let query = uri.split_once('?').map(|(_, query)| query)?;
        return Some(format!("https://h{path}?{query}"));
    }
    match step {
        "append #x" | "append &appended" | "append &bar=foo" => {
            Some(format!("{uri}{}", step.strip_prefix("append ")?))
        }
        "drop all signing parameters" => Some(format!("https://h{base}")),
        "sign with old key" => Some(sign(*format, base, time, OLD_KEY).uri),
        "strip = from <sig>" => Some(uri.replace(&mark, &format!("{name}={}", value.replace('=', "")))),
        "append -TOOLONG to <sig>" => Some(uri.replace(&mark, &format!("{mark}-TOOLONG"))),
        "set <sig>=BADHASHLENGTH" => Some(uri.replace(&mark, &format!("{name}=BADHASHLENGTH"))),
        "set <sig>=foo" => Some(uri.replace(&mark, &format!("{name}=foo"))),
        "set <sig> to an API key" => Some(uri.replace(&mark, &format!("{name}=ew_0123456789abcdef"))),
        "drop <sig>" => Some(uri.replace(&mark, "")),
        "append <sig>=x after the right one" => Some(format!("{uri}&{name}=x")),
        "rename <sig> to upper case" => Some(uri.replace(&mark, &format!("{}={value}", name.to_uppercase()))),
        "percent-encode one letter of the <sig> name" => {
            let (first, rest) = name.split_at(1);
            Some(uri.replace(&mark, &format!("%{:02X}{rest}={value}", first.as_bytes()[0])))
        }
        "sign with exp -86400" => {
            again(&(NOW - 86_400 - if counts_from_issue { 300 } else { 0 }).to_string())
        }
        "sign with exp = 0" => again("0"),
        "sign with exp -1" => again("-1"),
        "sign with exp 99999999999999999999" => again("99999999999999999999"),
        "reorder to bar=foo&foo=bar" => Some(uri.replace("foo=bar&bar=foo", "bar=foo&foo=bar")),
        "Host other.example" => Some(uri.replace("https://h/", "https://other.example/")),
        "scheme http" => Some(uri.replace("https://", "http://")),
        "method POST" | "method HEAD" | "header Range: bytes=0-99" | "at = exp" => Some(uri.clone()),
        "prepend <exp>=+99999" => {
            Some(uri.replacen('?', &format!("?{}={}&", (*time_name)?, NOW + 99_999), 1))
        }
        "<exp> -> 000<value>" => Some(uri.replace(time, &format!("000{time}"))),
        "<exp> -> 0x..." => Some(uri.replace(time, &format!("0x{:x}", time.parse::<i64>().ok()?))),
        "<exp> -> <value>.5" => Some(uri.replace(time, &format!("{time}.5"))),
        "<exp> ->" => Some(uri.replace(time, "")),
        "drop <exp>" => Some(uri.replace(&format!("{}={time}", (*time_name)?), "")),
        _ => None,
    }
}

/// Runs a case: whether it is let in; `None` where the format has no such thing.
fn run(case: &Value, format: Format) -> Option<bool> {
    let input = &case["input"];
    let steps: Vec<&str> = input["mutate"].as_array()?.iter().filter_map(Value::as_str).collect();
    let is_value = case["tags"].as_array()?.iter().any(|tag| tag == "signed-value" || tag == "scenario");
    let base = input["base"].as_str()?;
    if is_value || base.contains('*') || !input["config"]["ignore_params"].is_null() {
        return None;
    }
    let counts_from_issue = matches!(format, Format::Cloudflare | Format::NginxHmac);
    let time = if counts_from_issue { NOW } else { NOW + 300 }.to_string();
    let mut signed = sign(format, base, &time, KEY);
    for step in &steps {
        signed.uri = mutated(step, base, &signed)?;
    }
    let at: i64 = input["at"].as_str()?.trim_start_matches('+').parse().ok()?;
    let at = if steps == ["at = exp"] { 300 } else { at };
    let method = steps.iter().find_map(|step| step.strip_prefix("method ")).unwrap_or("GET");
    let keys: &[&[u8]] = if input["config"]["keys"].is_null() { &[KEY] } else { &[KEY, OLD_KEY] };
    Some(refused(&gate(format, keys, |_| {}), method, &signed.uri, "", NOW + at).is_none())
}

#[test]
fn behaviour_of_any_signed_url() {
    let cases = cases("cases_signed_url_semantics.json");
    let (mut ran, mut skipped, mut wrong) = (0, 0, Vec::new());
    for (case, format) in cases.iter().flat_map(|case| FORMATS.map(|format| (case, format))) {
        let (id, expected) = (case["id"].as_str().expect("an id"), &case["expected"]);
        let Some(let_in) = run(case, format) else {
            skipped += 1;
            continue;
        };
        ran += 1;
        let as_expected = let_in == (expected["verdict"] == "accept");
        let excepted = EXCEPTIONS.iter().any(|(it, formats, _)| *it == id && formats.contains(&format));
        if as_expected == excepted || (excepted && expected["level"] == "must" && id != "su-035") {
            wrong.push(format!("{} {id}: let in: {let_in}, {}", format.name(), case["what"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    println!("{ran} ran; {skipped} are of values, settings or parts that a format does not have");
    assert!(cases.is_empty() || ran > 130, "{ran} ran");
}

/// The two cases with a wildcard, which of these formats bunny.net's directories are.
#[test]
fn a_wildcard_does_not_lead_out() {
    let message = "/video/1700000300token_path=/video/";
    let mac = MacKey::new(HmacAlgorithm::Hs256, KEY).tag(&[message.as_bytes()]);
    let token = format!("HS256-{}", to_base64url(mac.as_bytes()));
    let gate = gate(Format::Bunny, &[KEY], |_| {});
    let uri = |path: &str| format!("https://h{path}?token={token}&token_path=%2Fvideo%2F&expires=1700000300");
    assert_eq!(refused(&gate, "GET", &uri("/video/1.ts"), "", NOW), None);
    for case in
        cases("cases_signed_url_semantics.json").iter().filter(|case| case["input"]["base"] == "/video/*")
    {
        let step = case["input"]["mutate"][0].as_str().expect("a step");
        let path = step.strip_prefix("path ").expect("a path");
        let cause = refused(&gate, "GET", &uri(path), "", NOW);
        assert_eq!(cause, Some(Cause::TokenWrongScope), "{} {path}", case["id"]);
    }
}
