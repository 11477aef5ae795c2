//! Credentials of a request: two are never taken for one, and none is taken that the rule does not accept.
//!
//! First line: the query. Each further line: a field, `Name: value`. A rule may look for tokens in `Authorization`, the
//! field `X-Token`, the parameter `q` and the cookie `t`.

use super::cookie::{cookie_values, parameter_values};
use super::{first_line, nfc, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::config::{Config, Sources};
use edgeward::credentials::authorization::{Authorization, Scheme, is_b64token};
use edgeward::credentials::basic::{self, MAX_USER_PASS};
use edgeward::credentials::{Credentials, Places, extract};
use edgeward::policy::{Kind, Kinds, TokenPlace};
use edgeward::request::{FieldList, Fields as _, RequestFacts, Scheme as UriScheme};
use edgeward::token::signed_url::LinkVerifier;
use std::sync::LazyLock;

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let policy = r#"{"tokens":[{"from":["authorization","header:X-Token","query:q","cookie:t"]}]}"#;
    let sources = Sources { policy: Some(policy.to_owned()), ..Sources::default() };
    Places::of(&Config::parse(&sources, str::to_owned).policy.expect("a good policy"))
});

/// Checks each `Authorization` line by itself, each two of them joined, and the request as a whole.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (query, rest) = first_line(&text);
    let lines: Vec<(&str, &str)> = rest.lines().filter_map(|line| line.split_once(": ")).collect();
    let values = || {
        lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| *value)
    };
    for one in values() {
        alone(one);
        values().for_each(|other| joined(one, other));
    }
    let fields = FieldList::new(lines.iter().copied());
    let value = fields.get("authorization");
    for accept in [&[][..], &[Kind::Basic], &[Kind::Bearer], &Kind::ALL] {
        let accept = accept.iter().copied().collect();
        Request { query, fields: &fields, value: value.as_deref(), accept }.check();
    }
}

/// What stands behind the scheme is taken as it is, however the scheme is written.
fn alone(value: &str) {
    let trimmed = value.trim_matches([' ', '\t']);
    let (name, rest) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
    match Authorization::parse(value) {
        Authorization::Basic(credentials) => {
            assert!(name.eq_ignore_ascii_case("basic"), "{value:?}");
            assert_eq!(credentials, rest.trim_start_matches(' '));
            basic_credentials(credentials);
        }
        Authorization::Bearer(token) => {
            assert!(name.eq_ignore_ascii_case("bearer"), "{value:?}");
            assert_eq!(token, rest.trim_start_matches(' '));
            let octets = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
            assert!(!is_b64token(token) || token.bytes().all(octets), "{token:?}");
        }
        Authorization::Other | Authorization::Malformed | Authorization::Ambiguous(_) => {}
    }
    let shouted = trimmed.replacen(name, &name.to_ascii_uppercase(), 1);
    assert_eq!(Authorization::parse(&shouted), Authorization::parse(value), "case does not matter");
}

/// A user-pass has one spelling, and is read again as it was.
fn basic_credentials(credentials: &str) {
    let Ok(read) = basic::parse(credentials, nfc) else { return };
    let (user, password) = (read.user.as_str(), read.password.expose().as_str());
    assert!(!user.is_empty() && !user.contains(':'), "{user:?}");
    assert!(!user.chars().chain(password.chars()).any(char::is_control), "{user:?}");
    let written = format!("{user}:{password}");
    assert_eq!(written, nfc(&written), "in Normalization Form C");
    if written.is_ascii() {
        assert_eq!(STANDARD.encode(&written), credentials);
    }
    if written.len() <= MAX_USER_PASS {
        let again = basic::parse(&STANDARD.encode(&written), nfc).expect("read once");
        assert_eq!((again.user.as_str(), again.password.expose().as_str()), (user, password));
    }
}

/// Two lines that each hold Basic or Bearer credentials arrive as one value, and that is ambiguous. What is joined has
/// no white space around it (RFC 9110 §5.5).
fn joined(one: &str, other: &str) {
    let [one, other] = [one, other].map(|value| value.trim_matches([' ', '\t']));
    let scheme = |value| match Authorization::parse(value) {
        Authorization::Basic(_) => Some(Scheme::Basic),
        Authorization::Bearer(_) => Some(Scheme::Bearer),
        Authorization::Other | Authorization::Malformed | Authorization::Ambiguous(_) => None,
    };
    if let (Some(first), Some(_)) = (scheme(one), scheme(other)) {
        let value = format!("{one}, {other}");
        assert_eq!(Authorization::parse(&value), Authorization::Ambiguous(Some(first)), "{value:?}");
    }
}

/// A request under a rule that accepts some kinds.
struct Request<'r> {
    query: &'r str,
    fields: &'r FieldList,
    /// Of `Authorization`.
    value: Option<&'r str>,
    accept: Kinds,
}

impl Request<'_> {
    /// What decides is there, alone in its place, and of a kind that is accepted.
    fn check(&self) {
        let facts = RequestFacts {
            path_token: None,
            method: "GET",
            scheme: UriScheme::Https,
            authority: "h",
            path: "/",
            query: Some(self.query),
            fields: self.fields,
        };
        let found = extract(&facts, &PLACES, self.accept, &LinkVerifier::default(), None);
        let (parameters, cookies) = (self.parameters(), self.cookies());
        match &found {
            Credentials::Ambiguous(_) => return,
            Credentials::Missing => assert!(self.is_bare(), "{found:?}"),
            Credentials::Malformed => assert_eq!(self.authorization(), Authorization::Malformed),
            Credentials::Unsupported(_) => self.nothing_is_accepted(),
            Credentials::Basic(value) => {
                assert!(self.accept.has(Kind::Basic));
                assert_eq!(self.authorization(), Authorization::Basic(value.expose()));
                assert!(!self.accepts_field(), "a token field is there too");
            }
            Credentials::Token(value, place) => self.is_the_token(value.expose(), place),
            Credentials::ApiKey(_) | Credentials::Link(_) | Credentials::Jar(_) | Credentials::Session(_) => {
                panic!("{found:?}: there are neither API keys, signed URLs nor sign-ins here");
            }
        }
        assert!(parameters.len() < 2 && cookies.len() < 2, "{found:?}: one of ours stands there twice");
    }

    fn is_the_token(&self, value: &str, place: &TokenPlace) {
        assert!(self.accept.has(Kind::Bearer));
        let authorization = self.authorization();
        let is_strong = match &authorization {
            Authorization::Bearer(_) => true,
            Authorization::Basic(_) => self.accept.has(Kind::Basic),
            Authorization::Other => false,
            Authorization::Malformed => self.value.is_some(),
            Authorization::Ambiguous(_) => panic!("{value:?} was taken though Authorization is ambiguous"),
        };
        match place {
            TokenPlace::Authorization => {
                assert_eq!(authorization, Authorization::Bearer(value));
                assert!(!self.accepts_field(), "a token field is there too");
            }
            TokenPlace::Header(name) => {
                assert!(!is_strong && !value.contains(','), "{authorization:?}, {value:?}");
                assert_eq!(self.field(name).as_deref(), Some(value));
            }
            TokenPlace::Query(_) => {
                assert!(!is_strong && !self.accepts_field());
                assert_eq!(self.parameters(), [value]);
            }
            TokenPlace::Cookie(_) => {
                assert!(!is_strong && !self.accepts_field() && self.parameters().is_empty());
                assert_eq!(self.cookies(), [value]);
            }
        }
    }

    /// Whether no place holds anything.
    fn is_bare(&self) -> bool {
        let fields = self.value.is_some() || self.field("x-token").is_some();
        !fields && self.parameters().is_empty() && self.cookies().is_empty()
    }

    fn nothing_is_accepted(&self) {
        let weak = !self.parameters().is_empty() || !self.cookies().is_empty();
        assert!(!self.is_bare());
        assert!(!self.accept.has(Kind::Bearer) || !(weak || self.field("x-token").is_some()));
        match self.authorization() {
            Authorization::Basic(_) => assert!(!self.accept.has(Kind::Basic)),
            Authorization::Bearer(_) => assert!(!self.accept.has(Kind::Bearer)),
            Authorization::Other | Authorization::Malformed => {}
            Authorization::Ambiguous(_) => panic!("an ambiguous Authorization was passed over"),
        }
    }

    fn accepts_field(&self) -> bool {
        self.accept.has(Kind::Bearer) && self.field("x-token").is_some()
    }

    /// What `Authorization` holds; malformed where it is not there.
    fn authorization(&self) -> Authorization<'_> {
        Authorization::parse(self.value.unwrap_or_default())
    }

    fn field(&self, name: &str) -> Option<String> {
        self.fields.get(name)
    }

    fn parameters(&self) -> Vec<&str> {
        parameter_values(self.query, "q")
    }

    fn cookies(&self) -> Vec<String> {
        cookie_values(&self.field("cookie").unwrap_or_default(), "t").into_iter().map(str::to_owned).collect()
    }
}
