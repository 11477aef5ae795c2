//! `secure_link_hmac` as a token entry of the format `nginx-hmac`.
//!
//! Carried over is what the preset verifies: signature, time and lifetime in query parameters, SHA-2, and a message that
//! holds `$uri`. Everything else would let in more than it did, or nobody knows whom.

use super::super::draft::{Draft, Key, Token};
use super::scope::At;
use super::syntax::Directive;
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use edgeward::token::keys::KeySet;
use edgeward::token::to_base64url;

/// Keys below this length need `weak_keys`.
const SHORT: usize = 16;

/// What the directives of one block say.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    places: Option<At<String>>,
    secret: Option<At<Secret<String>>>,
    message: Option<At<String>>,
    algorithm: Option<At<String>>,
    /// Whether an `if` refuses what does not verify.
    checked: bool,
    /// Whether this very block says something of it.
    pub own: bool,
}

impl Signed {
    /// Takes a directive of the module.
    pub fn take(&mut self, directive: &Directive) {
        let line = directive.line;
        let it = directive.first().unwrap_or_default().to_owned();
        match directive.name.as_str() {
            "secure_link_hmac" => (self.places, self.own) = (Some(At { line, it }), true),
            "secure_link_hmac_secret" => self.secret = Some(At { line, it: Secret::new(it) }),
            "secure_link_hmac_message" => self.message = Some(At { line, it }),
            "secure_link_hmac_algorithm" => self.algorithm = Some(At { line, it: it.to_ascii_lowercase() }),
            _ => {}
        }
    }

    /// Whether an `if` is the one that refuses what does not verify, or what is too old.
    pub fn is_check(&mut self, condition: &Directive) -> bool {
        let text = condition.args.concat();
        let Some(rest) = text.strip_prefix("($secure_link_hmac").and_then(|rest| rest.strip_suffix(')'))
        else {
            return false;
        };
        let refuses = matches!(condition.block.as_deref(), Some([only])
            if only.name == "return" && only.first().is_some_and(|status| status.starts_with(['4', '5'])));
        let rest: String = rest.chars().filter(|c| !matches!(c, '"' | '\'') && !c.is_whitespace()).collect();
        match rest.as_str() {
            "!=1" | "=" if refuses => {
                self.checked = true;
                true
            }
            "=0" => refuses,
            _ => false,
        }
    }

    /// Whether a signature is asked for here. What is set above and not looked at here asks for nothing.
    pub const fn is_asked(&self) -> bool {
        self.places.is_some() && (self.own || self.checked)
    }

    /// Adds the entry and its key to the draft.
    ///
    /// # Errors
    /// The line, and why nobody can be let in by it.
    pub fn entry(&self, draft: &mut Draft) -> Result<(), At<String>> {
        let places = self.places.as_ref().ok_or_else(|| fault(0, "secure_link_hmac is not set"))?;
        let parameters = parameters(places)?;
        let message = self
            .message
            .as_ref()
            .ok_or_else(|| fault(places.line, "there is no secure_link_hmac_message"))?;
        let pattern = pattern(message, &parameters)?;
        let secret =
            self.secret.as_ref().ok_or_else(|| fault(places.line, "there is no secure_link_hmac_secret"))?;
        let algorithm = self.algorithm()?;
        check_secret(secret)?;
        if !self.checked {
            let why = "no \"if ($secure_link_hmac != \"1\")\" refuses what does not verify, so that nginx lets everybody in; \
                       here the signature is needed";
            draft.differs(places.line, "secure_link_hmac", why);
        }
        add(draft, &Wanted { line: places.line, parameters, pattern, algorithm, secret })
    }

    fn algorithm(&self) -> Result<HmacAlgorithm, At<String>> {
        let Some(At { line, it }) = &self.algorithm else { return Ok(HmacAlgorithm::Hs256) };
        match it.as_str() {
            "sha256" => Ok(HmacAlgorithm::Hs256),
            "sha384" => Ok(HmacAlgorithm::Hs384),
            "sha512" => Ok(HmacAlgorithm::Hs512),
            _ => Err(fault(*line, "of the algorithms sha256, sha384 and sha512 are verified here")),
        }
    }
}

/// An entry that is to be there.
struct Wanted<'s> {
    line: usize,
    parameters: [String; 3],
    pattern: String,
    algorithm: HmacAlgorithm,
    secret: &'s At<Secret<String>>,
}

fn add(draft: &mut Draft, wanted: &Wanted<'_>) -> Result<(), At<String>> {
    let kid = kid(draft, wanted);
    let same = |token: &Token| token.parameters == wanted.parameters && token.pattern == wanted.pattern;
    let elsewhere = draft.tokens.iter().find(|token| token.keys.contains(&kid) && !same(token));
    if let Some(token) = elsewhere {
        let why =
            format!("its secret signs other messages at line {}, and a key has one entry here", token.line);
        return Err(fault(wanted.line, why));
    }
    let weak = wanted.secret.it.expose().len() < SHORT;
    if weak {
        let why = "the key has less than 16 bytes and is soon guessed: sign with a longer one and take weak_keys out";
        draft.differs(wanted.secret.line, "secure_link_hmac_secret", why);
    }
    match draft.tokens.iter_mut().find(|token| same(token)) {
        Some(token) => {
            token.weak_keys |= weak;
            if !token.keys.contains(&kid) {
                token.keys.push(kid);
            }
        }
        None => draft.tokens.push(Token {
            line: wanted.line,
            keys: vec![kid],
            parameters: wanted.parameters.clone(),
            pattern: wanted.pattern.clone(),
            weak_keys: weak,
        }),
    }
    if draft.keys.len() > 1 {
        let why = "an entry is not bound to a path here: whoever has one of the keys can sign for all paths with \
                   accept = [\"signed-url\"]";
        draft.differs(wanted.line, "secure_link_hmac", why);
    }
    Ok(())
}

/// The id of the key, which is added where it is new.
fn kid(draft: &mut Draft, wanted: &Wanted<'_>) -> String {
    let secret = &wanted.secret.it;
    let same = |key: &&Key| key.secret.expose() == secret.expose() && key.algorithm == wanted.algorithm;
    if let Some(key) = draft.keys.iter().find(same) {
        return key.kid.clone();
    }
    let kid = format!("nginx-{}", draft.keys.len() + 1);
    draft.keys.push(Key { kid: kid.clone(), algorithm: wanted.algorithm, secret: secret.clone() });
    kid
}

/// `$arg_st,$arg_ts,$arg_e`: the names of three query parameters.
fn parameters(places: &At<String>) -> Result<[String; 3], At<String>> {
    let names: Option<Vec<String>> = places.it.split(',').map(|text| argument(text.trim())).collect();
    let Some(names) = names else {
        return Err(fault(places.line, "the preset nginx-hmac reads query parameters ($arg_…) alone"));
    };
    <[String; 3]>::try_from(names).map_err(|_| {
        fault(places.line, "without a time and a lifetime ($arg_st,$arg_ts,$arg_e) such a link never ends, and is refused here")
    })
}

fn argument(text: &str) -> Option<String> {
    let name = text.strip_prefix("$arg_").or_else(|| text.strip_prefix("${arg_")?.strip_suffix('}'))?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then(|| name.to_owned())
}

/// The message with plain variables, if it binds what must be bound.
fn pattern(message: &At<String>, parameters: &[String; 3]) -> Result<String, At<String>> {
    let names = variables(&message.it);
    let [_, timestamp, expires] = parameters;
    let must = ["uri".to_owned(), format!("arg_{timestamp}"), format!("arg_{expires}")];
    if !must.iter().all(|name| names.contains(name)) {
        let why = format!(
            "the message must hold ${}: else one link opens more than it was made for",
            must.join(", $")
        );
        return Err(fault(message.line, why));
    }
    if let Some(other) = names.iter().find(|name| *name != "uri" && !name.starts_with("arg_")) {
        return Err(fault(
            message.line,
            format!("the preset nginx-hmac knows $uri and $arg_…, and not ${other}"),
        ));
    }
    Ok(message.it.clone())
}

/// The names of the variables in a text: `$name`, `${name}`.
fn variables(text: &str) -> Vec<String> {
    let name = |part: &str| {
        let part = part.strip_prefix('{').unwrap_or(part);
        part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    text.split('$').skip(1).map(name).collect()
}

/// A secret that is a text, and none that everybody knows.
fn check_secret(secret: &At<Secret<String>>) -> Result<(), At<String>> {
    let text = secret.it.expose();
    if text.is_empty() || text.contains('$') {
        return Err(fault(
            secret.line,
            "the secret is empty or made of variables: set EDGEWARD_KEYS and the entry by hand",
        ));
    }
    // HS1 asks for the fewest octets, so that nothing but the key's own quality is looked at.
    let k = to_base64url(text.as_bytes());
    let set = serde_json::json!({ "keys": [{ "kty": "oct", "kid": "k", "alg": "HS1", "k": k }] }).to_string();
    match KeySet::parse(&set) {
        Err(problems) if text.len() >= SHORT => {
            let found = problems.first().map_or("", |problem| &problem.found);
            Err(fault(secret.line, format!("the secret is not taken: found {found}")))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

fn fault(line: usize, why: impl Into<String>) -> At<String> {
    At { line, it: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> At<String> {
        At { line: 1, it: text.to_owned() }
    }

    #[test]
    fn places_of_the_parts() {
        let good = parameters(&at("$arg_st, $arg_ts,${arg_e}")).unwrap();
        assert_eq!(good, ["st", "ts", "e"]);
        for text in
            ["$arg_st", "$arg_st,$arg_ts", "$cookie_st,$arg_ts,$arg_e", "$arg_,$arg_a,$arg_b", "a,b,c", ""]
        {
            assert!(parameters(&at(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn messages() {
        let names = ["st", "ts", "e"].map(str::to_owned);
        for (text, good) in [
            ("$uri|$arg_ts|$arg_e", true),
            ("${uri}|$arg_ts|$arg_e|$arg_user", true),
            ("$arg_ts|$arg_e", false),
            ("$uri|$arg_ts", false),
            ("$uri|$arg_ts|$arg_e|$remote_addr", false),
            ("$uri_x|$arg_ts|$arg_e", false),
            ("", false),
        ] {
            assert_eq!(pattern(&at(text), &names).is_ok(), good, "{text}");
        }
    }
}
