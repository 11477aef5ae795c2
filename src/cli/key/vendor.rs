//! Keys as each vendor writes them, and what they are keys for.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use clap::ValueEnum;
use edgeward::policy::HmacAlgorithm::{self, Hs1, Hs256, Hs384, Hs512};
use edgeward::secret::Secret;

/// Octets of a key of `google-cdn`: the vendor takes no others.
const GOOGLE_CDN_KEY_SIZE: usize = 16;

/// Whose key it is: a format of `[[vars.EDGEWARD.tokens]]`, or a Discourse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// EdgeAuth 2.0: hex
    Akamai,
    /// The zone's security key, as text
    Bunny,
    /// The secret of is_timed_hmac_valid_v0, as text
    Cloudflare,
    /// The secret of DiscourseConnect, as text
    Discourse,
    /// base64; SHA-1
    Fastly,
    /// base64url of 16 bytes; SHA-1. The --kid is the KeyName
    GoogleCdn,
    /// A key of an issuer of JWTs: say its --encoding
    Jwt,
    /// APP_KEY as it stands, "base64:" included, as Laravel signs URLs with that very text
    Laravel,
    /// base64url
    MediaCdn,
    /// secure_link_hmac_secret, as text
    NginxHmac,
    /// The secret of the UriSigner (APP_SECRET), as text
    Symfony,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// The characters are the key
    Text,
    /// Two hexadecimal digits for each byte
    Hex,
    /// RFC 4648 section 4: + and /
    Base64,
    /// RFC 4648 section 5: - and _
    Base64url,
}

impl Format {
    /// Its name in the policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Akamai => "akamai",
            Self::Bunny => "bunny",
            Self::Cloudflare => "cloudflare",
            Self::Discourse => "discourse",
            Self::Fastly => "fastly",
            Self::GoogleCdn => "google-cdn",
            Self::Jwt => "jwt",
            Self::Laravel => "laravel",
            Self::MediaCdn => "media-cdn",
            Self::NginxHmac => "nginx-hmac",
            Self::Symfony => "symfony",
        }
    }

    /// The algorithms that it signs with; the first where nothing is said.
    pub const fn algorithms(self) -> &'static [HmacAlgorithm] {
        match self {
            Self::Akamai | Self::MediaCdn => &[Hs256, Hs1],
            Self::Fastly | Self::GoogleCdn => &[Hs1],
            Self::Jwt | Self::NginxHmac => &[Hs256, Hs384, Hs512],
            Self::Bunny | Self::Cloudflare | Self::Discourse | Self::Laravel | Self::Symfony => &[Hs256],
        }
    }

    /// The ways in which its keys are written; `None` where that has to be said, the first where it may.
    pub const fn encodings(self) -> (Option<Encoding>, &'static [Encoding]) {
        use Encoding::{Base64, Base64url, Hex, Text};
        match self {
            Self::Akamai => (Some(Hex), &[Hex]),
            Self::Bunny | Self::Cloudflare | Self::Discourse | Self::NginxHmac | Self::Symfony => {
                (Some(Text), &[Text])
            }
            Self::Fastly => (Some(Base64), &[Base64]),
            Self::GoogleCdn | Self::MediaCdn => (Some(Base64url), &[Base64url]),
            // Code of somebody's own may decode APP_KEY before it signs.
            Self::Laravel => (Some(Text), &[Text, Base64]),
            Self::Jwt => (None, &[Text, Hex, Base64, Base64url]),
        }
    }

    /// Decodes a key of this format.
    ///
    /// The error is a sentence without the key.
    pub fn decode(self, key: &str, encoding: Encoding) -> Result<Secret<Vec<u8>>, String> {
        let key = match (self, encoding) {
            (Self::Laravel, Encoding::Base64) => key.trim().strip_prefix("base64:").unwrap_or(key),
            _ => key,
        };
        let octets = encoding.decode(key)?;
        let size = octets.expose().len();
        match self {
            _ if size == 0 => Err("the key is empty".to_owned()),
            Self::GoogleCdn if size != GOOGLE_CDN_KEY_SIZE => {
                Err(format!("the key has {size} bytes, and those of google-cdn have {GOOGLE_CDN_KEY_SIZE}"))
            }
            _ => Ok(octets),
        }
    }
}

impl Encoding {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64url => "base64url",
        }
    }

    fn decode(self, key: &str) -> Result<Secret<Vec<u8>>, String> {
        match self {
            Self::Text => Ok(Secret::new(key.as_bytes().to_vec())),
            Self::Hex => hex(key.trim()),
            Self::Base64 => base64(key.trim(), self, &STANDARD),
            Self::Base64url => base64(key.trim(), self, &URL_SAFE),
        }
    }
}

fn hex(key: &str) -> Result<Secret<Vec<u8>>, String> {
    if let Some(at) = key.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("character {} is no hexadecimal digit (0-9, a-f)", at + 1));
    }
    if !key.len().is_multiple_of(2) {
        return Err(format!("{} hexadecimal digits are no whole bytes: two make one", key.len()));
    }
    let digits: Vec<u8> =
        key.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| d.try_into().ok()).collect();
    Ok(Secret::new(digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()))
}

/// With padding or without, and whatever the unused bits of the last character are: so do the vendors' decoders.
fn base64(key: &str, encoding: Encoding, alphabet: &Alphabet) -> Result<Secret<Vec<u8>>, String> {
    let name = encoding.name();
    let end = key.trim_end_matches('=').len();
    let own = alphabet.as_str();
    if let Some((at, c)) = key.chars().enumerate().find(|(at, c)| *at < end && !own.contains(*c)) {
        let hint = match c {
            '-' | '_' => ": this looks like base64url",
            '+' | '/' => ": this looks like base64",
            _ => "",
        };
        return Err(format!("character {} does not belong to {name}{hint}", at + 1));
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let decoded = GeneralPurpose::new(alphabet, config).decode(key);
    decoded
        .map(Secret::new)
        .map_err(|_| format!("{end} characters and what follows them are no {name}: something is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose;
    use proptest::prelude::*;

    /// The key of each format's vector, and its tag.
    #[test]
    fn keys_of_the_vendors_vectors_sign_them() {
        let table: [(Format, HmacAlgorithm, &str, &str, &str); 8] = [
            (
                Format::Akamai,
                Hs256,
                "52a152a152a152a152a152a152a1",
                "st=1294788122~exp=1294788422~acl=/*",
                "7fc9e05478171e3a7c221a7eb744c85ee583ff838287a372072a3fef317cc851",
            ),
            (
                Format::Fastly,
                Hs1,
                "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=",
                "/foo/bar.html1441307151",
                "2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7",
            ),
            (
                Format::GoogleCdn,
                Hs1,
                "nZtRohdNF9m3cKM24IcK4w==",
                "http://35.186.234.33/index.html?Expires=1549751401&KeyName=my-key",
                "CRFqQnVfFyiUyR63OQf-HRUpIwc=",
            ),
            (
                Format::MediaCdn,
                Hs256,
                "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=",
                "FullPath=/example.m3u8~Expires=1663070400",
                "365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
            ),
            (
                Format::Bunny,
                Hs256,
                "SecurityKey",
                "/300kb.jpg1598024587",
                "o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4",
            ),
            (
                Format::NginxHmac,
                Hs256,
                "my_very_secret_key",
                "/files/top_secret.pdf|1700000000|60",
                "ESctZsZH2Y4NDmNR8KbwM21UUVFnmd7UPHlC8aRU2e8",
            ),
            (
                Format::Laravel,
                Hs256,
                "key",
                "http://localhost/foo?expires=1700000000",
                "068377037871db956c399d8b1145095740651ab9309265a07098929db1f0c8d3",
            ),
            (
                Format::Symfony,
                Hs256,
                "foobar",
                "http://example.com/foo?baz=bay&foo=bar",
                "rIOcC/F3DoEGo/vnESjSp7uU9zA9S/+OLhxgMexoPUM=",
            ),
        ];
        for (format, algorithm, key, message, expected) in table {
            assert_eq!(format.algorithms().first(), Some(&algorithm));
            let octets = format.decode(key, format.encodings().0.expect("one")).expect(key);
            let tag =
                edgeward::token::mac::MacKey::new(algorithm, octets.expose()).tag(&[message.as_bytes()]);
            let hex: String = tag.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
            let written = [
                hex,
                general_purpose::STANDARD.encode(tag.as_bytes()),
                general_purpose::URL_SAFE.encode(tag.as_bytes()),
                general_purpose::URL_SAFE_NO_PAD.encode(tag.as_bytes()),
            ];
            assert!(written.iter().any(|it| it == expected), "{format:?}: {written:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let table = [
            (Format::Akamai, "52a15", "5 hexadecimal digits are no whole bytes: two make one"),
            (Format::Akamai, "52a1zz", "character 5 is no hexadecimal digit (0-9, a-f)"),
            (Format::Akamai, " ", "the key is empty"),
            (Format::Bunny, "", "the key is empty"),
            (
                Format::Fastly,
                "iqFPeN2u-Z0L",
                "character 9 does not belong to base64: this looks like base64url",
            ),
            (Format::Fastly, "iqFPe N2u", "character 6 does not belong to base64"),
            (
                Format::Fastly,
                "iqFPe",
                "5 characters and what follows them are no base64: something is cut off",
            ),
            (Format::Fastly, "iq=FPe", "character 3 does not belong to base64"),
            (Format::GoogleCdn, "nZtRohdNF9m3", "the key has 9 bytes, and those of google-cdn have 16"),
            (
                Format::MediaCdn,
                "g/SlMILi",
                "character 2 does not belong to base64url: this looks like base64",
            ),
            (Format::MediaCdn, "é", "character 1 does not belong to base64url"),
        ];
        for (format, key, expected) in table {
            let encoding = format.encodings().0.expect("one");
            assert_eq!(format.decode(key, encoding).map(|_| ()), Err(expected.to_owned()), "{format:?}");
        }
    }

    #[test]
    fn a_key_is_read_as_its_owner_writes_it() {
        let decoded =
            |format: Format, key: &str, encoding| format.decode(key, encoding).map(|it| it.expose().clone());
        assert_eq!(decoded(Format::Akamai, " 00Ff\t", Encoding::Hex), Ok(vec![0, 255]));
        // Without padding, and with bits that no byte has.
        assert_eq!(decoded(Format::Fastly, "YQ", Encoding::Base64), Ok(b"a".to_vec()));
        assert_eq!(decoded(Format::Fastly, "YR==", Encoding::Base64), Ok(b"a".to_vec()));
        assert_eq!(decoded(Format::Laravel, "base64:YQ==", Encoding::Text), Ok(b"base64:YQ==".to_vec()));
        assert_eq!(decoded(Format::Laravel, "base64:YQ==", Encoding::Base64), Ok(b"a".to_vec()));
        assert_eq!(decoded(Format::Laravel, "YQ==", Encoding::Base64), Ok(b"a".to_vec()));
        assert_eq!(decoded(Format::Cloudflare, " a b ", Encoding::Text), Ok(b" a b ".to_vec()));
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(octets in prop::collection::vec(any::<u8>(), 1..80)) {
            let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let written = [
                (Encoding::Hex, hex.to_uppercase()),
                (Encoding::Hex, hex),
                (Encoding::Base64, general_purpose::STANDARD.encode(&octets)),
                (Encoding::Base64, general_purpose::STANDARD_NO_PAD.encode(&octets)),
                (Encoding::Base64url, general_purpose::URL_SAFE.encode(&octets)),
                (Encoding::Base64url, general_purpose::URL_SAFE_NO_PAD.encode(&octets)),
            ];
            for (encoding, text) in written {
                let decoded = Format::Jwt.decode(&text, encoding).map(|it| it.expose().clone());
                prop_assert_eq!(decoded, Ok(octets.clone()), "{:?}", encoding);
            }
        }

        #[test]
        fn never_panics_nor_shows_the_key(key in "([A-Za-z0-9+/=_ -]|\\PC){0,40}") {
            for format in Format::value_variants() {
                for encoding in format.encodings().1 {
                    if let Err(sentence) = format.decode(&key, *encoding) {
                        prop_assert!(key.chars().count() < 4 || !sentence.contains(&key), "{}", sentence);
                    }
                }
            }
        }
    }
}
