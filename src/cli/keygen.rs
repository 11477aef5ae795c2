//! `edgeward keygen`: fresh secrets, or a new one in front of those that are there.

use super::output::{Misuse, Outcome};
use super::secrets::{Secrets, sentences};
use super::{Which, clock, dotenv, random};
use clap::{Args, ValueEnum};
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use edgeward::token::keys::KeySet;
use edgeward::token::mac::RootSecret;
use edgeward::token::to_base64url;
use serde_json::{Value, json};

const AFTER: &str = "\
The new value stands first: it signs; all verify. Set the secrets, wait until nothing signed with an old one is in use \
any more, and then take the old one out by hand. Where [[vars.EDGEWARD.tokens]] names its keys, add the new kid there.

Examples:
  edgeward keygen > .dev.vars
  edgeward keygen --json | npx wrangler secret bulk
  edgeward keygen --only keys --alg HS512 --kid login-2026
  edgeward keygen --rotate
  pass show edgeward | edgeward keygen --rotate --secrets - --json | npx wrangler secret bulk";

/// Fresh EDGEWARD_SECRET and EDGEWARD_KEYS, as lines of .dev.vars
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Keygen {
    /// Keep the secrets that are here, and put a new one in front
    #[arg(long)]
    rotate: bool,

    /// Id of the new key in EDGEWARD_KEYS [default: the month, such as 2026-11]
    #[arg(long, value_name = "ID", value_parser = kid)]
    kid: Option<String>,

    /// Its algorithm [default: HS256, or with --rotate that of the first key]
    #[arg(long, value_enum, ignore_case = true)]
    alg: Option<Alg>,

    /// Make one of the two only
    #[arg(long, value_enum)]
    only: Option<Only>,

    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Alg {
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "HS384")]
    Hs384,
    #[value(name = "HS512")]
    Hs512,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// EDGEWARD_SECRET
    Secret,
    /// EDGEWARD_KEYS
    Keys,
}

/// A value that is made, under its secret's name.
type Made = (&'static str, Secret<String>);

impl Keygen {
    /// Makes them.
    pub fn run(self) -> super::Result {
        let made = if self.rotate { self.rotated()? } else { self.fresh()? };
        let lines = made.iter().map(|(name, value)| dotenv::line(name, value.expose())).collect();
        let object: serde_json::Map<String, Value> =
            made.iter().map(|(name, value)| ((*name).to_owned(), value.expose().as_str().into())).collect();
        Ok(Outcome { notes: notes(&made), ..Outcome::yes(lines, Value::Object(object)) })
    }

    fn wants(&self, one: Only) -> bool {
        self.only.is_none_or(|only| only == one)
    }

    fn fresh(&self) -> Result<Vec<Made>, Misuse> {
        let mut made = Vec::new();
        if self.wants(Only::Secret) {
            made.push(("EDGEWARD_SECRET", random::base64url::<32>()?));
        }
        if self.wants(Only::Keys) {
            made.push(("EDGEWARD_KEYS", self.with_new_key(Vec::new())?));
        }
        Ok(made)
    }

    fn rotated(&self) -> Result<Vec<Made>, Misuse> {
        let secrets = Secrets::read(&self.which.from, super::wrangler::folder_of(&self.which.config))?;
        let mut made = Vec::new();
        if let Some(found) = secrets.get("EDGEWARD_SECRET").filter(|_| self.wants(Only::Secret)) {
            made.push(("EDGEWARD_SECRET", in_front(&found.value)?));
        }
        if let Some(found) = secrets.get("EDGEWARD_KEYS").filter(|_| self.wants(Only::Keys)) {
            made.push(("EDGEWARD_KEYS", self.with_new_key(present(&found.value)?)?));
        }
        if made.is_empty() {
            let name = if self.only == Some(Only::Keys) { "EDGEWARD_KEYS" } else { "EDGEWARD_SECRET" };
            return Err(secrets.absent(name));
        }
        Ok(made)
    }

    /// A JWK Set of a new key and those that are there.
    fn with_new_key(&self, mut keys: Vec<Value>) -> Result<Secret<String>, Misuse> {
        let of_first =
            keys.first().and_then(|key| key.get("alg")?.as_str()).and_then(HmacAlgorithm::from_name);
        let algorithm = match self.alg {
            Some(Alg::Hs256) => HmacAlgorithm::Hs256,
            Some(Alg::Hs384) => HmacAlgorithm::Hs384,
            Some(Alg::Hs512) => HmacAlgorithm::Hs512,
            None => of_first.unwrap_or(HmacAlgorithm::Hs256),
        };
        let kid = self.free_kid(&keys)?;
        keys.insert(
            0,
            json!({ "kty": "oct", "kid": kid, "alg": algorithm.name(), "k": fresh_key(algorithm)?.expose() }),
        );
        // No quotation mark of a kid may end the line that this stands in.
        let text = json!({ "keys": keys }).to_string().replace('\'', "\\u0027");
        KeySet::parse(&text).map_err(|problems| Misuse::new(sentences(&problems)))?;
        Ok(Secret::new(text))
    }

    /// The kid that was asked for, or the month's that is free.
    fn free_kid(&self, keys: &[Value]) -> Result<String, Misuse> {
        let is_taken = |kid: &str| keys.iter().any(|key| key.get("kid").and_then(Value::as_str) == Some(kid));
        match &self.kid {
            Some(kid) if is_taken(kid) => {
                Err(Misuse::new(format!("EDGEWARD_KEYS has a key {kid:?} already; choose another --kid.")))
            }
            Some(kid) => Ok(kid.clone()),
            None => {
                let month = clock::month(clock::now());
                let others = (2..).map(|number: u32| format!("{month}-{number}"));
                let mut kids = std::iter::once(month.clone()).chain(others);
                Ok(kids.find(|kid| !is_taken(kid)).unwrap_or(month))
            }
        }
    }
}

/// Octets of the hash's output, no more and no fewer (RFC 7518 §3.2).
fn fresh_key(algorithm: HmacAlgorithm) -> Result<Secret<String>, Misuse> {
    let octets = Secret::new(random::octets::<64>()?);
    let octets = octets.expose().get(..algorithm.output_size()).unwrap_or(octets.expose());
    Ok(Secret::new(to_base64url(octets)))
}

/// A new secret before those that are there.
fn in_front(present: &Secret<String>) -> Result<Secret<String>, Misuse> {
    RootSecret::parse(present.expose()).map_err(|problems| Misuse::new(sentences(&problems)))?;
    let values: Vec<&str> = present.expose().split_ascii_whitespace().collect();
    let fresh = random::base64url::<32>()?;
    Ok(Secret::new(format!("{} {}", fresh.expose(), values.join(" "))))
}

/// The keys that are there, whatever members they have.
fn present(text: &Secret<String>) -> Result<Vec<Value>, Misuse> {
    KeySet::parse(text.expose()).map_err(|problems| Misuse::new(sentences(&problems)))?;
    let set: Value = serde_json::from_str(text.expose()).unwrap_or_default();
    Ok(set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn kid(text: &str) -> Result<String, String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if (1..=256).contains(&text.len()) && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("write 1 to 256 letters, digits, - . _ ~".to_owned())
}

fn notes(made: &[Made]) -> Vec<String> {
    let mut notes = vec![
        "For your machine: put these lines into .dev.vars, which git must not see.".to_owned(),
        "For Cloudflare: set each value (without its quotation marks) with".to_owned(),
    ];
    notes.extend(made.iter().map(|(name, _)| format!("  npx wrangler secret put {name}")));
    notes.push(
        "or, from a file that holds these lines, all at once: npx wrangler secret bulk FILE".to_owned(),
    );
    let too_long = made.iter().filter(|(_, value)| value.expose().len() > super::check::LONGEST_VARIABLE);
    notes.extend(too_long.map(|(name, value)| {
        let size = value.expose().len();
        format!(
            "{name} has {size} bytes, and Cloudflare takes 5 KB: take out what nobody signs with any more."
        )
    }));
    notes
}
