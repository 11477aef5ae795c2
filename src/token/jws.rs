//! JWS compact serialisation (RFC 7515 §3.1): a token taken apart, before anything is believed.
//!
//! Verified is what was received, byte for byte; nothing is written again. Every part has one spelling: padding, white
//! space and unused bits that are not zero are refused, so that no token has a twin that a deny list does not know.

use crate::json::Json;
use crate::policy::HmacAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest token, in octets.
pub const MAX_TOKEN_SIZE: usize = 8192;

/// `typ` of what Edgeward tells the origin: such a token comes from inside and opens nothing.
pub const ASSERTION_TYPE: &str = "edgeward-assertion+jwt";

/// A token that does not have its format's form: what is wrong with it, as a sentence without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Malformed {
    pub(super) fn new(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

/// A token in its parts.
#[derive(Debug)]
pub struct Compact<'t> {
    /// What is signed: header and payload as received, with the period between (RFC 7515 §5.2 step 8).
    pub signing_input: &'t str,
    /// The header as received, in base64url.
    pub header: &'t str,
    /// The payload, decoded but not looked at.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

impl<'t> Compact<'t> {
    /// Takes a token apart at its two periods and decodes payload and signature.
    ///
    /// # Errors
    /// [`Malformed`] where it is too long, has not three parts, or one of these two is not base64url.
    pub fn parse(token: &'t str) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN_SIZE {
            return Err(Malformed::new("The token is longer than 8192 octets."));
        }
        let three = || Malformed::new("The token does not have three parts.");
        let (signing_input, signature) = token.rsplit_once('.').ok_or_else(three)?;
        let (header, payload) = signing_input.split_once('.').ok_or_else(three)?;
        if payload.contains('.') {
            return Err(three());
        }
        if payload.is_empty() {
            return Err(Malformed::new("The token has no claims set."));
        }
        let part = || Malformed::new("A part of the token is not base64url without padding.");
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| part())?;
        let signature = Signature::decode(signature).ok_or_else(part)?;
        Ok(Self { signing_input, header, payload, signature })
    }
}

/// A received signature. One that is longer than any HMAC's is kept as an empty one: it is as wrong.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    octets: [u8; 66],
    length: usize,
}

impl Signature {
    fn decode(text: &str) -> Option<Self> {
        let mut octets = [0; 66];
        let length = if text.len() <= 86 {
            URL_SAFE_NO_PAD.decode_slice(text, &mut octets).ok()?
        } else {
            URL_SAFE_NO_PAD.decode(text).ok().map(|_| 0)?
        };
        Some(Self { octets, length })
    }

    /// Its octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// What a JOSE header (RFC 7515 §4) says that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm; `None` where it names none, `none`, or one that is not for JWTs of ours.
    pub algorithm: Option<HmacAlgorithm>,
    /// The id of the key, where it names one.
    pub kid: Option<String>,
}

impl Header {
    /// Reads a header as received. Members that nobody here knows are ignored (RFC 7515 §4); a key that the token brings
    /// along (`jwk`, `jku`, `x5c`, …) is such a one.
    ///
    /// # Errors
    /// [`Malformed`] where it is no JSON object, has a member of the wrong type, or asks for extensions (`crit`, `b64`).
    pub fn read(segment: &str) -> Result<Self, Malformed> {
        let octets = URL_SAFE_NO_PAD
            .decode(segment)
            .map_err(|_| Malformed::new("A part of the token is not base64url without padding."))?;
        let object = || Malformed::new("The header of the token is not a JSON object.");
        let text = core::str::from_utf8(&octets).map_err(|_| object())?;
        let json = Json::parse(text).map_err(|_| object())?;
        json.as_object().ok_or_else(object)?;
        Self::from_json(&json)
    }

    fn from_json(json: &Json<'_>) -> Result<Self, Malformed> {
        if json.get("crit").is_some() || json.get("b64").is_some() {
            return Err(Malformed::new("The token asks for an extension (crit, b64) that is not supported."));
        }
        if text_member(json, "typ")?.is_some_and(is_assertion_type) {
            return Err(Malformed::new("The token is an assertion for the origin."));
        }
        let named = text_member(json, "alg")?.and_then(HmacAlgorithm::from_name);
        Ok(Self { algorithm: named.filter(is_for_jwt), kid: text_member(json, "kid")?.map(str::to_owned) })
    }
}

fn text_member<'j>(json: &'j Json<'_>, name: &str) -> Result<Option<&'j str>, Malformed> {
    match json.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed(format!("The header parameter {name} is not a string."))),
    }
}

/// Media types compare without regard to case, and `application/` may be left out (RFC 7515 §4.1.9).
fn is_assertion_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == ASSERTION_TYPE
}

/// HS1 is for signed URLs alone.
#[must_use]
pub const fn is_for_jwt(algorithm: &HmacAlgorithm) -> bool {
    match algorithm {
        HmacAlgorithm::Hs256 | HmacAlgorithm::Hs384 | HmacAlgorithm::Hs512 => true,
        HmacAlgorithm::Hs1 => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::to_base64url;
    use proptest::prelude::*;

    fn header(json: &str) -> Result<Header, Malformed> {
        Header::read(&to_base64url(json.as_bytes()))
    }

    #[test]
    fn good_headers_are_read() {
        let hs256 = Some(HmacAlgorithm::Hs256);
        let table = [
            (r#"{"alg":"HS256"}"#, hs256, None),
            (r#"{"typ":"JWT","alg":"HS256","kid":"a"}"#, hs256, Some("a")),
            (r#"{"\u0061lg":"HS\u0032\u0035\u0036"}"#, hs256, None),
            (r#"{"alg":"HS256","typ":"at+jwt","jwk":{"kty":"oct"},"zip":"DEF"}"#, hs256, None),
            (r#"{"alg":"none"}"#, None, None),
            (r#"{"alg":"hs256"}"#, None, None),
            (r#"{"alg":"HS1"}"#, None, None),
            (r#"{"alg":"RS256","kid":""}"#, None, Some("")),
            ("{}", None, None),
        ];
        for (json, algorithm, kid) in table {
            assert_eq!(header(json), Ok(Header { algorithm, kid: kid.map(str::to_owned) }), "{json}");
        }
    }

    #[test]
    fn bad_headers_are_malformed() {
        let table = [
            (r#"{"alg":"HS256","alg":"HS256"}"#, "not a JSON object"),
            (r#"["HS256"]"#, "not a JSON object"),
            ("", "not a JSON object"),
            (r#"{"alg":256}"#, "alg is not a string"),
            (r#"{"alg":null}"#, "alg is not a string"),
            (r#"{"alg":"HS256","kid":1}"#, "kid is not a string"),
            (r#"{"alg":"HS256","typ":["JWT"]}"#, "typ is not a string"),
            (r#"{"alg":"HS256","crit":[]}"#, "extension"),
            (r#"{"alg":"HS256","crit":null}"#, "extension"),
            (r#"{"alg":"HS256","b64":false}"#, "extension"),
            (r#"{"alg":"HS256","typ":"edgeward-assertion+jwt"}"#, "assertion for the origin"),
            (r#"{"alg":"HS256","typ":"Application/Edgeward-Assertion+JWT"}"#, "assertion for the origin"),
        ];
        for (json, expected) in table {
            let Malformed(sentence) = header(json).expect_err(json);
            assert!(sentence.contains(expected), "{json}: {sentence}");
        }
        assert!(Header::read("eyJhbGciOiJIUzI1NiJ9=").is_err());
        assert!(Header::read(&to_base64url(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}")).is_err());
    }

    #[test]
    fn a_token_has_three_parts_in_base64url() {
        let good = Compact::parse("e30.e30.AAAA").expect("three parts");
        assert_eq!((good.signing_input, good.header), ("e30.e30", "e30"));
        assert_eq!((good.payload.as_slice(), good.signature.as_bytes()), (&b"{}"[..], &[0; 3][..]));
        assert_eq!(Compact::parse("e30.e30.").expect("an empty signature").signature.as_bytes(), b"");
        let long = format!("e30.e30.{}", "A".repeat(342));
        assert_eq!(Compact::parse(&long).expect("a long signature").signature.as_bytes(), b"");
        assert_eq!(
            Compact::parse(&format!(".e30.{}", "A".repeat(86))).expect("64").signature.as_bytes().len(),
            64
        );
        for bad in [
            "",
            "e30",
            "e30.e30",
            "e30..AAAA",
            "e30.e30.AA.AA",
            "e30.e30.AAAA=",
            "e30.e3.AAAA",
            "e30.e31.AAAA",
            "e30.e30.AB",
            "e30.e30.A",
            "e30.e30. AAA",
            "e30.e30.AA+A",
            "e30.e30.AA/A",
            "e30.e30.AA\n",
            "e30.é.AAAA",
        ] {
            assert!(Compact::parse(bad).is_err(), "{bad}");
        }
        let sized = |size: usize| format!("e30.e30.{}", "A".repeat(size - 8));
        assert!(Compact::parse(&sized(MAX_TOKEN_SIZE)).is_ok());
        assert!(Compact::parse(&sized(MAX_TOKEN_SIZE + 1)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(token in any::<String>(), parts in "[A-Za-z0-9_.=-]{0,200}") {
            let _ = (Compact::parse(&token), Compact::parse(&parts), Header::read(&token), Header::read(&parts));
        }
    }
}
