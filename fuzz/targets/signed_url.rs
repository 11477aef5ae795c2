//! Signed URLs: whatever a request bears, no dialect grants anything that a key of ours did not sign, and what was signed is
//! granted.
//!
//! First line: a URI. Second line: a `Cookie` field. Third line: the value of the field `X-Token`. The path and query of the URI
//! are signed here, too, so that the fuzzer reaches what stands behind a signature that it could not make.

mod signers;

use super::{first_line, text};
use edgeward::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::Key;
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::{Borne, Entry, Grant, LinkVerifier, Seen, Strength, preset};
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// What no input holds a tag of.
const KEY: [u8; 32] = [0xA7; 32];
const STRENGTHS: [Strength; 3] = [Strength::Field, Strength::Url, Strength::Cookie];

/// A gate for links of each format, whose tokens are looked for in every place that there is.
static VERIFIERS: LazyLock<Vec<(Format, LinkVerifier)>> = LazyLock::new(|| {
    Format::ALL.into_iter().map(|(_, format)| (format, verifier(everywhere(format)))).collect()
});
static LARAVEL: LazyLock<LinkVerifier> = LazyLock::new(|| verifier(preset(Format::Laravel).defaults(0)));
static SYMFONY: LazyLock<LinkVerifier> = LazyLock::new(|| verifier(preset(Format::Symfony).defaults(0)));

fn everywhere(format: Format) -> LinkEntry {
    let mut entry = preset(format).defaults(0);
    let more =
        [LinkPlace::Query("t".into()), LinkPlace::Cookie("t".into()), LinkPlace::Field("x-token".into())];
    entry.from.extend(more);
    entry.from.push(LinkPlace::Path);
    entry.ttl = Some(Lifetime::from_seconds(300));
    entry.pattern = (format == Format::NginxHmac).then(|| "$uri|$arg_ts|$arg_e".to_owned());
    entry.require_end = false;
    entry
}

fn verifier(entry: LinkEntry) -> LinkVerifier {
    let preset = preset(entry.format);
    let algorithms = if preset.algorithms.is_empty() { &[HmacAlgorithm::Hs256] } else { preset.algorithms };
    let key = |algorithm: &HmacAlgorithm| Key::new(algorithm.name(), MacKey::new(*algorithm, &KEY));
    LinkVerifier::new(
        vec![Entry::new(entry, algorithms.iter().map(key).collect())],
        Lifetime::from_seconds(30),
    )
}

/// Checks the request that the lines describe, and links made of it.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (uri, rest) = first_line(&text);
    let (cookies, rest) = first_line(rest);
    nothing_is_granted(uri, cookies, first_line(rest).0);
    signed_is_granted(uri);
}

fn nothing_is_granted(uri: &str, cookies: &str, field: &str) {
    let fields = FieldList::new([("cf-connecting-ip", "203.0.113.9")]).with_country(Some("NL"));
    for uri in [uri.to_owned(), format!("https://h.example/{uri}")] {
        let Ok(facts) = RequestFacts::new("GET", &uri, &fields) else { continue };
        for facts in [facts, facts.with_token_in_path("bcdn_token=")] {
            let values = [("x-token".to_owned(), field.to_owned())];
            let seen = Seen::new(&facts, cookies, &values);
            for ((format, verifier), strength) in
                VERIFIERS.iter().flat_map(|it| STRENGTHS.map(|strength| (it, strength)))
            {
                let verdict = verifier.verify(&seen, strength, NOW);
                assert!(verdict.is_err(), "{} granted {uri:?} {cookies:?} {field:?}", format.name());
                if matches!(verifier.borne(&seen, strength), Borne::Absent) {
                    let detail = verdict.expect_err("refused").detail;
                    assert_eq!(detail, "The link bears no token.", "{}", format.name());
                }
            }
        }
    }
}

/// A link to what the URI asks for, signed here, is granted, and not with one octet changed.
fn signed_is_granted(uri: &str) {
    let fields = FieldList::default();
    let absolute = format!("https://h.example/{}", uri.trim_start_matches('/'));
    let Ok(facts) = RequestFacts::new("GET", &absolute, &fields) else { return };
    let links = [
        (&LARAVEL, signers::laravel(&facts, &KEY, NOW.seconds())),
        (&SYMFONY, signers::symfony(&facts, &KEY, NOW.seconds() + 1)),
    ];
    for (verifier, link) in links {
        let Some(link) = link else { continue };
        let granted = verify(verifier, &link);
        assert_eq!(granted.as_ref().err(), None, "{link:?}");
        let expiry = granted.expect("granted").stated().end.expect("an end").stated();
        assert!(expiry >= NOW);
        let other = link.replacen("https://h.example/", "https://h.example/_", 1);
        assert!(verify(verifier, &other).is_err(), "{other:?}");
        let later = link.replace(&expiry.seconds().to_string(), "1900000000");
        assert!(verify(verifier, &later).is_err(), "{later:?}");
    }
}

fn verify(verifier: &LinkVerifier, link: &str) -> Result<Grant, edgeward::verdict::Refusal> {
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", link, &fields).expect("a link of ours");
    verifier.verify(&Seen::new(&facts, "", &[]), Strength::Url, NOW)
}
