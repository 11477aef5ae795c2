//! DiscourseConnect: two sites that share a key tell each other who somebody is (Discourse, "Setup DiscourseConnect" and
//! "Use Discourse as an identity provider").
//!
//! ```text
//! ?sso=<percent-encoded base64 of a form>&sig=<HMAC-SHA-256 of that base64 text, in hexadecimal>
//! ```
//!
//! Where the description leaves a choice, the strict one is taken here:
//!
//! 1. The tag is 64 lower-case hexadecimal digits, and compared in constant time before anything is decoded.
//! 2. The base64 text is what RFC 4648 §4 writes: padded, without line feeds, and no other text for the same octets.
//! 3. The form inside (URL Standard §5.1) is UTF-8; no name stands in it twice, and none is empty.
//! 4. `true` and `false` are the only truths.
//!
//! A name or a group is text without control characters; an id is stable there and never shown.

use crate::credentials::query::{Parameters, decode_value};
use crate::reply::escape::component;
use crate::reserved::form_value;
use crate::text;
use crate::token::mac::MacKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;

/// Octets of the longest base64 text that is read.
const LONGEST: usize = 8 * 1024;
/// Octets of the longest name of a user or a group.
const LONGEST_NAME: usize = 255;

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not one, as a sentence says.
    Malformed(&'static str),
    /// The tag is not that of a key of ours.
    BadSignature,
}

/// The fields of a message whose tag holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Vec<(String, String)>);

/// Only what fields there are: their values are of a visitor.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Who a Discourse says that somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name there.
    pub username: String,
    /// The groups there; `admins` and `moderators` too where Discourse says so by a field of its own.
    pub groups: Vec<String>,
}

/// What a Discourse asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its own, to be sent back.
    pub nonce: String,
    /// Where it wants the answer: to be compared with what is configured.
    pub return_to: String,
    /// Whether it wants a second factor.
    pub second_factor: bool,
    /// Whether it wants its visitor signed out.
    pub logout: bool,
}

/// Who somebody is, for a Discourse.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Of the request.
    pub nonce: &'a str,
    /// As whom the visitor is signed in.
    pub user: &'a str,
    /// The groups.
    pub groups: &'a [String],
    /// Whether two factors were proven.
    pub second_factor: bool,
}

impl Message {
    /// Reads the message in a query that whoever has this key signed.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(query: &str, key: &MacKey) -> Result<Self, Fault> {
        let once = |name, fault| form_value(query, name).ok_or(Fault::Malformed(fault));
        let sso = once("sso", "The query has not one field sso.")?;
        let sig = once("sig", "The query has not one field sig.")?;
        if sso.len() > LONGEST {
            return Err(Fault::Malformed("sso is too long."));
        }
        let tag = tag(&sig).ok_or(Fault::Malformed("sig is not 64 lower-case hexadecimal digits."))?;
        if !key.verify(&[sso.as_bytes()], &tag) {
            return Err(Fault::BadSignature);
        }
        let octets = STANDARD.decode(&*sso).map_err(|_| Fault::Malformed("sso is not base64."))?;
        let form = String::from_utf8(octets).map_err(|_| Fault::Malformed("sso holds no text."))?;
        fields(&form).map(Self)
    }

    /// The value of a field; `None` where it is not there, or is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|it| !it.is_empty())
    }

    fn need(&self, name: &str, fault: &'static str) -> Result<&str, Fault> {
        self.get(name).filter(|value| is_name(value)).ok_or(Fault::Malformed(fault))
    }

    /// Whether a field says so.
    fn says(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Fault::Malformed("A field is neither true nor false.")),
        }
    }

    /// Whether nobody is signed in there.
    ///
    /// # Errors
    /// Where it says neither.
    pub fn failed(&self) -> Result<bool, Fault> {
        self.says("failed")
    }

    /// Who it says that somebody is.
    ///
    /// # Errors
    /// Where it does not say.
    pub fn identity(&self) -> Result<Identity, Fault> {
        self.need("external_id", "external_id is not there.")?;
        let username = self.need("username", "username is not there.")?.to_owned();
        let mut groups: Vec<String> = Vec::new();
        let flags = [("admins", self.says("admin")?), ("moderators", self.says("moderator")?)];
        let said = self.get("groups").unwrap_or_default().split(',').filter(|group| !group.is_empty());
        for group in said.chain(flags.iter().filter(|(_, is)| *is).map(|(name, _)| *name)) {
            if !is_name(group) {
                return Err(Fault::Malformed("A group is no name."));
            }
            if !groups.iter().any(|known| known == group) {
                groups.push(group.to_owned());
            }
        }
        Ok(Identity { username, groups })
    }

    /// What it asks.
    ///
    /// # Errors
    /// Where it does not say.
    pub fn request(&self) -> Result<Request, Fault> {
        Ok(Request {
            nonce: self.need("nonce", "nonce is not there.")?.to_owned(),
            return_to: self
                .get("return_sso_url")
                .ok_or(Fault::Malformed("return_sso_url is not there."))?
                .to_owned(),
            second_factor: self.says("require_2fa")?,
            logout: self.says("logout")?,
        })
    }
}

/// The query of a request to a Discourse: who is the visitor?
#[must_use]
pub fn request(key: &MacKey, nonce: &str, return_to: &str) -> String {
    signed(key, &[("nonce", nonce), ("return_sso_url", return_to)])
}

/// The query of an answer to a Discourse. Accounts whose user-id is an address have that address; all others have their
/// address proven to Discourse by themselves (`require_activation`), which would else take its word for whose it is.
#[must_use]
pub fn answer(key: &MacKey, answer: &Answer<'_>) -> String {
    let groups = answer.groups.join(",");
    let address = is_address(answer.user);
    let name = if address { text::parted(answer.user, b'@').0 } else { answer.user };
    let mut fields = vec![("nonce", answer.nonce), ("external_id", answer.user), ("username", name)];
    let more = [
        (address, ("email", answer.user)),
        (!address, ("require_activation", "true")),
        (!groups.is_empty(), ("groups", groups.as_str())),
        (answer.second_factor, ("confirmed_2fa", "true")),
    ];
    fields.extend(more.iter().filter(|(is, _)| *is).map(|(_, field)| *field));
    signed(key, &fields)
}

/// An address with a message's query at its end.
#[must_use]
pub fn with_query(url: &str, query: &str) -> String {
    let (url, fragment) = text::parted(url, b'#');
    let mark = if url.contains('?') { "&" } else { "?" };
    let fragment = fragment.map(|it| ["#", it].concat()).unwrap_or_default();
    [url, mark, query, &fragment].concat()
}

fn signed(key: &MacKey, fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| [name, "=", &component(value)].concat()).collect();
    let sso = STANDARD.encode(fields.join("&"));
    let tag = text::hex(key.tag(&[sso.as_bytes()]).as_bytes());
    ["sso=", &component(&sso), "&sig=", &tag].concat()
}

/// The octets of a tag in its one spelling.
fn tag(sig: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    (sig.len() == 64).then(|| sig.as_bytes().chunks(2).map(pair).collect()).flatten()
}

fn fields(form: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for parameter in Parameters::of(form) {
        let name = core::str::from_utf8(&parameter.name).ok().filter(|name| !name.is_empty());
        let value = text::replaced(parameter.value, "+", "%20");
        let (Some(name), Some(value)) = (name, decode_value(&value)) else {
            return Err(Fault::Malformed("sso holds a field that is no text."));
        };
        if fields.iter().any(|(known, _)| known == name) {
            return Err(Fault::Malformed("sso holds a field twice."));
        }
        fields.push((name.to_owned(), value.into_owned()));
    }
    Ok(fields)
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.trim() == text && !text.chars().any(char::is_control)
}

/// Whether a user-id is an address (RFC 5321 §4.1.2, without quotes and literals).
fn is_address(user: &str) -> bool {
    let is_atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let (local, domain) = text::parted(user, b'@');
    let domain = domain.unwrap_or_default();
    !local.is_empty() && local.bytes().all(is_atom) && domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::HmacAlgorithm;
    use proptest::prelude::*;

    /// The key, the nonce and the texts of the description by Discourse itself.
    const KEY: &[u8] = b"d836444a9e4084d5b224a60c208dce14";
    const SSO: &str = "bm9uY2U9Y2I2ODI1MWVlZmI1MjExZTU4YzAwZmYxMzk1ZjBjMGI=\n";
    const SIG: &str = "2828aa29899722b35a2f191d34ef9b3ce695e0e6eeec47deb46d588d70c7cb56";

    fn key() -> MacKey {
        MacKey::new(HmacAlgorithm::Hs256, KEY)
    }

    fn read(query: &str) -> Result<Message, Fault> {
        Message::read(query, &key())
    }

    /// A message as somebody else signs it: any text, be it base64 or not.
    fn sealed(sso: &str) -> String {
        let tag = text::hex(key().tag(&[sso.as_bytes()]).as_bytes());
        ["sso=", &component(sso), "&sig=", &tag].concat()
    }

    fn of(form: &str) -> String {
        sealed(&STANDARD.encode(form))
    }

    #[test]
    fn the_example_of_the_description() {
        // Its base64 ends with a line feed, which is signed, too: the tag holds, the text is not one that is taken.
        let query = format!("sso={}&sig={SIG}", component(SSO));
        assert_eq!(read(&query), Err(Fault::Malformed("sso is not base64.")));
        let without = of("nonce=cb68251eefb5211e58c00ff1395f0c0b");
        assert_eq!(read(&without).expect("good").get("nonce"), Some("cb68251eefb5211e58c00ff1395f0c0b"));
    }

    #[test]
    fn one_spelling() {
        let good = of("nonce=a&username=b");
        assert!(read(&good).is_ok());
        let (sso, sig) = good.split_once("&sig=").expect("two fields");
        for (query, what) in [
            (format!("{sso}&sig={}", sig.to_uppercase()), "upper case"),
            (format!("{sso}&sig={sig}&sig={sig}"), "sig twice"),
            (format!("{sso}&{good}"), "sso twice"),
            (format!("{sso}&sig={}", &sig[..62]), "a cut tag"),
            (format!("{sso}&sig={sig}00"), "a long tag"),
            (format!("{sso}&sig="), "no tag"),
            (sso.to_owned(), "no sig"),
            (format!("sig={sig}"), "no sso"),
            (sealed("bm9uY2U9YQ"), "no padding"),
            (sealed("bm9uY2U9YR=="), "bits that are left over"),
            (sealed("bm9u\nY2U9YQ=="), "a line feed"),
            (sealed("bm9uY2U9YQ== "), "a space"),
            (sealed("_-8="), "base64url"),
            (of("nonce=a&nonce=a"), "a field twice"),
            (of("nonce=a&%6eonce=a"), "a field twice in two spellings"),
            (of("nonce=a&&b=c"), "an empty piece"),
            (of("=a"), "no name"),
            (of("nonce=%zz"), "a percent sign alone"),
            (of("nonce=%ff"), "no UTF-8"),
            (sealed(&STANDARD.encode([0xff, 0xfe])), "no UTF-8 at all"),
            (sealed(&"QUFB".repeat(3000)), "too long"),
        ] {
            assert!(matches!(read(&query), Err(Fault::Malformed(_))), "{what}");
        }
    }

    #[test]
    fn only_with_the_key() {
        let good = of("nonce=a");
        let other = MacKey::new(HmacAlgorithm::Hs256, b"another key of the same length..");
        assert_eq!(Message::read(&good, &other), Err(Fault::BadSignature));
        let (sso, sig) = good.split_once("&sig=").expect("two fields");
        for at in 0..64 {
            let digit = if &sig[at..=at] == "0" { "1" } else { "0" };
            let forged = format!("{sso}&sig={}{digit}{}", &sig[..at], &sig[at + 1..]);
            assert_eq!(read(&forged), Err(Fault::BadSignature), "{at}");
        }
    }

    #[test]
    fn who_somebody_is() {
        let identity = |form: &str| read(&of(form)).and_then(|message| message.identity());
        let base = "nonce=a&external_id=7&username=zo%C3%AB";
        let groups = |more: &str| identity(&format!("{base}{more}")).expect("somebody").groups;
        assert_eq!(identity(base).expect("somebody").username, "zoë");
        assert!(groups("").is_empty() && groups("&groups=").is_empty());
        assert_eq!(groups("&groups=staff%2Ctrust_level_1,staff"), ["staff", "trust_level_1"]);
        assert_eq!(groups("&groups=a+b&admin=true&moderator=false"), ["a b", "admins"]);
        assert_eq!(groups("&groups=admins&admin=true&moderator=true"), ["admins", "moderators"]);
        for bad in [
            "nonce=a&username=zoe",
            "nonce=a&external_id=7",
            "external_id=&username=zoe",
            "external_id=7&username=",
            "external_id=7&username=a%00b",
            "external_id=7&username=a%0Ab",
            "external_id=7&username=+a",
            "external_id=7&username=a&admin=1",
            "external_id=7&username=a&admin=TRUE",
            "external_id=7&username=a&groups=a%00",
        ] {
            assert!(identity(bad).is_err(), "{bad}");
        }
        assert!(identity(&format!("external_id=7&username={}", "a".repeat(256))).is_err());
        assert_eq!(read(&of("failed=true")).expect("good").failed(), Ok(true));
    }

    #[test]
    fn what_is_asked() {
        let request = |form: &str| read(&of(form)).and_then(|message| message.request());
        let asked =
            request("nonce=a&return_sso_url=https%3A%2F%2Ff.example%2Fx&require_2fa=true").expect("good");
        assert_eq!(asked.return_to, "https://f.example/x");
        assert!(asked.second_factor && !asked.logout);
        for bad in ["nonce=a", "return_sso_url=https://f.example/", "nonce=a&return_sso_url=x&logout=yes"] {
            assert!(request(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_answered() {
        let said = |user: &str, groups: &[&str], second_factor| {
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            read(&answer(&key(), &Answer { nonce: "n", user, groups: &groups, second_factor }))
                .expect("signed")
        };
        let with_address = said("ann@acme.example", &["staff", "a b"], true);
        for (name, value) in [
            ("nonce", Some("n")),
            ("external_id", Some("ann@acme.example")),
            ("username", Some("ann")),
            ("email", Some("ann@acme.example")),
            ("groups", Some("staff,a b")),
            ("require_activation", None),
            ("confirmed_2fa", Some("true")),
            ("admin", None),
        ] {
            assert_eq!(with_address.get(name), value, "{name}");
        }
        let without = said("ann", &[], false);
        assert_eq!((without.get("email"), without.get("require_activation")), (None, Some("true")));
        for no_address in
            ["ann@", "@acme.example", "ann@acme", "ann@b@acme.example", "a b@acme.example", "ann@a..b"]
        {
            assert_eq!(said(no_address, &[], false).get("email"), None, "{no_address}");
        }
    }

    #[test]
    fn where_the_query_goes() {
        for (url, wanted) in [
            ("https://f.example/x", "https://f.example/x?q"),
            ("https://f.example/x?y", "https://f.example/x?y&q"),
            ("https://f.example/x?y#z?", "https://f.example/x?y&q#z?"),
        ] {
            assert_eq!(with_query(url, "q"), wanted);
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_is_read(nonce in "[ -~é]{1,40}", return_to in "[ -~é]{1,40}") {
            let message = read(&request(&key(), &nonce, &return_to)).expect("ours");
            prop_assert_eq!(message.get("nonce"), Some(&*nonce));
            prop_assert_eq!(message.get("return_sso_url"), Some(&*return_to));
        }

        #[test]
        fn reading_never_panics(query in any::<String>(), form in any::<String>()) {
            let _ = read(&query);
            if let Ok(message) = read(&of(&form)) {
                let _ = (message.identity(), message.request(), message.failed());
            }
        }
    }
}
