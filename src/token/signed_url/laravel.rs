//! `laravel`: signed routes of the PHP framework Laravel (`URL::signedRoute`, `URL::temporarySignedRoute`).
//!
//! *Construction.* `signature` is HMAC-SHA-256, in lower-case hexadecimal, of the URL with its query less `signature`; the
//! key's octets are those of `APP_KEY`: its text as it stands, or what follows `base64:`, decoded.
//!
//! *Source.* `Illuminate/Routing/UrlGenerator.php`: `signedRoute` and `hasCorrectSignature`.
//!
//! *The five choices.*
//! 1. Verified are the octets of the query as received, in their order: Laravel does the same since version 9.
//! 2. `signature` is taken out by octet range, wherever it stands.
//! 3. The path is raw. `url_mode = "absolute"` (the default) signs `scheme://host[:port]` before it, as the client sees them;
//!    `"relative"` begins with the path (`absolute: false` there). The query is signed.
//! 4. The key is text, or base64 after `base64:`; in `EDGEWARD_KEYS` it is octets in base64url.
//! 5. `expires` is good through its second: Laravel refuses when now is greater.
//!
//! *Stricter than the source.* Laravel takes slashes and question marks off the end before it compares, so that `/a`
//! and `/a/` share a signature; its signer never writes them, and here they are other URLs. The root is
//! the one path that is signed as nothing (`https://h?expires=…`) and sent as `/`. `expires=0` is a link that has expired, not one
//! that never does, and one spelling of the two names is taken: PHP also reads `%65xpires`.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, UrlMode};
use std::borrow::Cow;

/// Laravel's signed routes.
pub const PRESET: Preset = Preset {
    format: Format::Laravel,
    algorithms: &[HmacAlgorithm::Hs256],
    parameters: &[("signature", "signature"), ("expires", "expires")],
    from: &["query"],
    settings: &["url_mode"],
    names_key: false,
    read,
};

fn read<'r>(seen: &Seen<'r>, _bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    take_apart(seen, entry).map_or_else(Reading::Malformed, Reading::Token)
}

fn take_apart<'r>(seen: &Seen<'r>, entry: &'r LinkEntry) -> Result<Unverified<'r>, &'static str> {
    let [signature, expires] = entry.parameters.as_slice() else {
        return Err("A Laravel link has two parameters of its own.");
    };
    let tag = seen.parameter(signature).and_then(decode::hex);
    let tag = tag.ok_or("The link's signature is not lower-case hexadecimal.")?;
    let target = seen.target_without(std::slice::from_ref(signature));
    // The tag has said it of this request; a cookie that stands for the link has to say it of others.
    let origin = (entry.url_mode != UrlMode::Relative).then(|| seen.facts.origin());
    let scope = Scope { origin, target: Target::This { query: true }, ..Scope::default() };
    Ok(Unverified {
        message: message(seen, target, entry.url_mode),
        tag,
        kid: None,
        stated: Stated { end: end(seen, expires)?, scope, ..Stated::default() },
    })
}

/// Origin, path and query, as they were signed.
fn message<'r>(seen: &Seen<'r>, target: String, mode: UrlMode) -> Vec<Cow<'r, [u8]>> {
    let mut target = target.into_bytes();
    if mode == UrlMode::Relative {
        return vec![Cow::Owned(target)];
    }
    if seen.facts.path == "/" {
        target.remove(0);
    }
    vec![Cow::Owned(seen.facts.origin().into_bytes()), Cow::Owned(target)]
}

/// `expires`; `None` where the link has none in any spelling.
fn end(seen: &Seen<'_>, name: &str) -> Result<Option<End>, &'static str> {
    const MALFORMED: &str = "The link's expiry is not a number of Unix seconds.";
    match seen.parameter(name) {
        Some(value) => decode::seconds(value).map(|at| Some(End::Through(at))).ok_or(MALFORMED),
        None if seen.values(name).next().is_some() => Err(MALFORMED),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Links;
    use super::*;
    use crate::request::{FieldList, RequestFacts};
    use crate::verdict::Cause;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use proptest::prelude::*;
    use sha2::Sha256;

    const KEY: &[u8] = b"a key of Laravel's, 32 octets long";
    const EXPIRES: i64 = 1_700_000_000;

    /// What `signedRoute` does, in a line or two.
    fn signed(url: &str, key: &[u8]) -> String {
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}signature={}", tag(url, key))
    }

    fn tag(message: &str, key: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length").chain_update(message);
        mac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn links() -> Links {
        Links::new(Format::Laravel, &[("k", HmacAlgorithm::Hs256, KEY)], |_| {})
    }

    #[test]
    fn the_vector() {
        let links = Links::new(Format::Laravel, &[("k", HmacAlgorithm::Hs256, b"key")], |_| {});
        let mac = "068377037871db956c399d8b1145095740651ab9309265a07098929db1f0c8d3";
        let link = format!("http://localhost/foo?expires=1700000000&signature={mac}");
        let grant = links.verify(&link, EXPIRES).expect("a good link");
        assert_eq!(grant.stated().end, Some(End::Through(crate::time::UnixTime::from_seconds(EXPIRES))));
        assert_eq!(links.cause(&link, EXPIRES + 1), Some(Cause::TokenExpired));
    }

    #[test]
    fn what_is_signed_is_let_in() {
        for url in [
            "https://h.example/a?expires=1700000000",
            "https://h.example:8443/a/b?expires=1700000000",
            "https://h.example?expires=1700000000",
            "https://h.example/a?x&expires=1700000000",
            "https://h.example/a?custom-signature=signature%3Dvalue&expires=1700000000",
            "https://h.example/%7ea/caf%C3%A9?q=a+b%20c&q=2&expires=1700000000&z[]=1",
        ] {
            let link = signed(url, KEY).replace("example?", "example/?");
            assert_eq!(links().cause(&link, EXPIRES), None, "{link}");
        }
    }

    #[test]
    fn the_signature_may_stand_anywhere() {
        let mac = tag("https://h/a?x=1&expires=1700000000", KEY);
        let link = format!("https://h/a?x=1&signature={mac}&expires=1700000000");
        assert_eq!(links().cause(&link, EXPIRES), None);
    }

    #[test]
    fn relative_links_begin_with_the_path() {
        let relative = Links::new(Format::Laravel, &[("k", HmacAlgorithm::Hs256, KEY)], |entry| {
            entry.url_mode = UrlMode::Relative;
        });
        for target in ["/a/b?expires=1700000000", "/?expires=1700000000"] {
            let link = signed(target, KEY);
            assert_eq!(relative.cause(&format!("https://any.example{link}"), EXPIRES), None, "{link}");
            assert_eq!(
                links().cause(&format!("https://any.example{link}"), EXPIRES),
                Some(Cause::TokenBadSignature)
            );
        }
    }

    #[test]
    fn a_link_without_an_expiry_is_refused_unless_it_is_not_required() {
        let link = signed("https://h/a?x=1", KEY);
        assert_eq!(links().cause(&link, EXPIRES), Some(Cause::TokenMissingClaim));
        let endless = Links::new(Format::Laravel, &[("k", HmacAlgorithm::Hs256, KEY)], |entry| {
            entry.require_end = false;
        });
        assert_eq!(endless.cause(&link, EXPIRES), None);
        for spelling in ["%65xpires=1900000000", "expires", "expires=", "expires=0x10", "expires=1e9"] {
            let link = signed(&format!("https://h/a?{spelling}"), KEY);
            assert_eq!(endless.cause(&link, EXPIRES), Some(Cause::TokenMalformed), "{spelling}");
        }
        let zero = signed("https://h/a?expires=0", KEY);
        assert_eq!(endless.cause(&zero, EXPIRES), Some(Cause::TokenExpired));
    }

    #[test]
    fn refused_variants() {
        let mac = tag("https://h/a/b?x=~&y=a+b&expires=1700000000", KEY);
        let query = "x=~&y=a+b&expires=1700000000";
        let good = format!("https://h/a/b?{query}&signature={mac}");
        assert_eq!(links().cause(&good, EXPIRES), None);
        use Cause::{RequestAmbiguous, TokenBadSignature, TokenMalformed};
        for (was, is, cause) in [
            ("/a/b", "/a/b/", TokenBadSignature),
            ("/a/b", "/a%2Fb", TokenBadSignature),
            ("/a/b", "/%61/b", TokenBadSignature),
            ("/a/b", "//a/b", TokenBadSignature),
            ("x=~", "x=%7e", TokenBadSignature),
            ("a+b", "a%20b", TokenBadSignature),
            ("https", "http", TokenBadSignature),
            ("//h/", "//h:443/", TokenBadSignature),
            ("expires=1700000000", "expires=1700000001", TokenBadSignature),
            ("expires=1700000000", "expires=+1700000000", TokenMalformed),
            ("expires=1700000000", "expires=01700000000", TokenMalformed),
            ("expires=1700000000", "expires=1.7e9", TokenMalformed),
            ("expires=1700000000", "expires=1700000000&expires=1800000000", RequestAmbiguous),
            ("expires=1700000000", "expires=1700000000&%65xpires=1800000000", RequestAmbiguous),
            ("signature=", "signature=00&signature=", RequestAmbiguous),
            ("signature=", "signature=0", TokenMalformed),
            ("signature=", "signature=00", TokenBadSignature),
            ("signature=", "%73ignature=", TokenMalformed),
            ("signature=", "&signature=", TokenBadSignature),
            ("?", "??", TokenBadSignature),
        ] {
            let link = good.replacen(was, is, 1);
            assert_eq!(links().cause(&link, EXPIRES), Some(cause), "{link}");
        }
        for (tag, cause) in [
            (mac.to_uppercase(), TokenMalformed),
            (mac[..62].to_owned(), TokenBadSignature),
            (mac.clone() + "00", TokenBadSignature),
            (String::new(), TokenBadSignature),
            (mac.clone() + "=", TokenMalformed),
            (tag("https://h/a/b?y=a+b&x=~&expires=1700000000", KEY), TokenBadSignature),
        ] {
            let link = format!("https://h/a/b?{query}&signature={tag}");
            assert_eq!(links().cause(&link, EXPIRES), Some(cause), "{link}");
        }
    }

    proptest! {
        #[test]
        fn signed_then_verified(path in "(/[a-z%2F~]{0,4}){0,4}", query in "([a-dz+]{1,3}=[a-z+%]{0,3}&){0,4}") {
            let url = format!("https://h{path}?{query}expires={EXPIRES}");
            let link = signed(&url, KEY);
            prop_assume!(path != "/");
            prop_assert_eq!(links().cause(&link, EXPIRES), None);
            prop_assert_eq!(links().cause(&signed(&url, b"another key"), EXPIRES), Some(Cause::TokenBadSignature));
        }

        #[test]
        fn any_changed_octet_is_refused(at in 0_usize..200, to in proptest::char::range(' ', '~')) {
            let link = signed("https://h/a/b%7e?x=1&y&expires=1700000000", KEY);
            let at = at % link.len();
            let mut changed = link.clone();
            changed.replace_range(at..=at, to.encode_utf8(&mut [0; 4]));
            // A fragment is not sent.
            prop_assume!(changed != link && to != '#' && changed.starts_with("http"));
            let none = FieldList::default();
            prop_assume!(RequestFacts::new("GET", &changed, &none).is_ok());
            prop_assert!(links().cause(&changed, EXPIRES).is_some(), "{}", changed);
        }

        #[test]
        fn never_panics(rest in "\\PC{0,80}") {
            let _ = links().cause(&format!("https://h/{rest}?expires={rest}&signature={rest}"), EXPIRES);
        }
    }
}
