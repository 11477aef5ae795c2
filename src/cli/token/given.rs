//! What was given: a token, or what is often taken for one.

use crate::cli::input;
use crate::cli::output::Misuse;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgeward::api_key::{self, Form};
use edgeward::secret::Secret;

/// Octets of the shortest token of a share link: what all have, and the tag.
const SHORTEST_SHARE: usize = 1 + 3 + 8 + 4 + 4 + 16 + 32;

/// What it is, by its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JWT, or what is to be one.
    Jwt,
    /// An API key of ours.
    ApiKey,
    /// A user-id and password, in base64 as Basic has them.
    Basic,
    /// The token of a share link, without its URL.
    Share,
    /// A URL.
    Url,
}

/// A credential, and what it is.
pub struct Given {
    /// What it is.
    pub kind: Kind,
    /// It itself, without scheme.
    pub value: Secret<String>,
}

/// Reads it: `EDGEWARD_TOKEN`, or standard input. A whole field value is taken too, and a whole field line.
pub fn read() -> Result<Given, Misuse> {
    let text = match std::env::var("EDGEWARD_TOKEN") {
        Ok(text) => Secret::new(text),
        Err(_) if input::is_terminal() => input::ask_secret("Token: ")?,
        Err(_) => input::all()?,
    };
    if text.expose().trim().is_empty() {
        return Err(Misuse::new("No token: set EDGEWARD_TOKEN, or write it to standard input."));
    }
    match recognised(text.expose()) {
        Given { kind: Kind::Url, .. } => Err(Misuse::new(
            "This is a URL: `edgeward url verify` takes a signed one apart, read from standard input.",
        )),
        Given { kind: Kind::Share, .. } => Err(Misuse::new(
            "This is the token of a share link, which is good for its own URL alone: `edgeward url verify` takes the \
             whole link apart, read from standard input.",
        )),
        given => Ok(given),
    }
}

/// What a text is.
pub fn recognised(text: &str) -> Given {
    let text = without_name(text.trim());
    let given = |kind, value: &str| Given { kind, value: Secret::new(value.to_owned()) };
    if let Some(value) = after_scheme(text, "basic") {
        return given(Kind::Basic, value);
    }
    let value = after_scheme(text, "bearer").unwrap_or(text);
    if value.contains("://") {
        return given(Kind::Url, value);
    }
    if api_key::form(value) != Form::Foreign {
        return given(Kind::ApiKey, value);
    }
    if value.contains(':') {
        return given(Kind::Basic, &STANDARD.encode(value));
    }
    given(if is_share(value) { Kind::Share } else { Kind::Jwt }, value)
}

/// A field line without its name.
fn without_name(text: &str) -> &str {
    match text.split_once(':') {
        Some((name, value)) if is_field(name) => value.trim(),
        Some(_) | None => text,
    }
}

/// Fields whose value can be nothing but a credential: another name may be a user-id.
fn is_field(name: &str) -> bool {
    ["authorization", "x-api-key", "x-edgeward-assertion"].iter().any(|it| name.eq_ignore_ascii_case(it))
}

fn after_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (found, value) = text.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| value.trim())
}

/// The first octet of a share link has its version, 1, in two bits, and one bit that is 0.
fn is_share(value: &str) -> bool {
    let octets = URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
    octets.len() >= SHORTEST_SHARE && octets.first().is_some_and(|first| first >> 5 == 0b010)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_known_by_its_look() {
        let key = api_key::made(&[7; 32]);
        let mut share = vec![0_u8; SHORTEST_SHARE];
        share[0] = 0b0100_0000;
        let share = URL_SAFE_NO_PAD.encode(share);
        for (text, kind, value) in [
            ("a.b.c", Kind::Jwt, "a.b.c"),
            (" Bearer  a.b.c\n", Kind::Jwt, "a.b.c"),
            ("Authorization: bearer a.b.c", Kind::Jwt, "a.b.c"),
            ("nonsense", Kind::Jwt, "nonsense"),
            ("Basic YTpi", Kind::Basic, "YTpi"),
            ("a:b", Kind::Basic, "YTpi"),
            ("authorization: Basic YTpi", Kind::Basic, "YTpi"),
            (key.expose(), Kind::ApiKey, key.expose()),
            (&format!("X-API-Key: {}", key.expose()), Kind::ApiKey, key.expose()),
            ("ew_mistyped", Kind::ApiKey, "ew_mistyped"),
            ("https://h/?ew=x", Kind::Url, "https://h/?ew=x"),
            (&share, Kind::Share, &share),
        ] {
            let given = recognised(text);
            assert_eq!((given.kind, given.value.expose().as_str()), (kind, value), "{text}");
        }
    }
}
