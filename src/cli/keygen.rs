//! `edgeward keygen`: fresh secrets, or a new one in front of those that are there.

use super::key::jwks::{self, Jwk, Jwks};
use super::output::{Misuse, Outcome};
use super::secrets::{Secrets, sentences};
use super::{Which, clock, dotenv, random};
use clap::{Args, ValueEnum};
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::mac::RootSecret;
use serde_json::Value;

const AFTER: &str = "\
The new value stands first: it signs; all verify, so nobody who is signed in or holds a link notices. Set the secrets, \
wait until nothing signed with an old one is in use any more, and then take the old one out by hand. Keys can be given a \
date instead: --retire-old-after writes it on those that have none. Where [[vars.EDGEWARD.tokens]] names its keys, add the \
new kid there.

Examples:
  edgeward keygen > .dev.vars
  edgeward keygen --json | npx wrangler secret bulk
  edgeward keygen --only keys --alg HS512 --kid login-2026
  edgeward keygen --rotate
  edgeward keygen --rotate --only keys --retire-old-after 30d
  pass show edgeward | edgeward keygen --rotate --secrets - --json | npx wrangler secret bulk";

/// Fresh EDGEWARD_SECRET and EDGEWARD_KEYS, as lines of .dev.vars
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Keygen {
    /// Keep the secrets that are here, and put a new one in front
    #[arg(long)]
    rotate: bool,

    /// With --rotate: the keys that are there verify until then: 2026-12-01, 2026-12-01T12:00:00Z, or in 12h or 30d
    #[arg(long, value_name = "DATE|SPAN", requires = "rotate", value_parser = moment_or_span)]
    retire_old_after: Option<When>,

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

/// A moment, or how long from now.
#[derive(Clone, Copy)]
enum When {
    At(UnixTime),
    In(Lifetime),
}

/// A value that is made, under its secret's name.
pub type Made = (&'static str, Secret<String>);

impl Keygen {
    /// Makes them.
    pub fn run(self) -> super::Result {
        let mut notes = Vec::new();
        let made = if self.rotate { self.rotated(&mut notes)? } else { self.fresh(&mut notes)? };
        let lines = made.iter().map(|(name, value)| dotenv::line(name, value.expose())).collect();
        let object: serde_json::Map<String, Value> =
            made.iter().map(|(name, value)| ((*name).to_owned(), value.expose().as_str().into())).collect();
        notes.extend(how_to_set(&made));
        Ok(Outcome { notes, ..Outcome::yes(lines, Value::Object(object)) })
    }

    fn wants(&self, one: Only) -> bool {
        self.only.is_none_or(|only| only == one)
    }

    fn fresh(&self, notes: &mut Vec<String>) -> Result<Vec<Made>, Misuse> {
        let mut made = Vec::new();
        if self.wants(Only::Secret) {
            made.push(("EDGEWARD_SECRET", random::base64url::<32>()?));
        }
        if self.wants(Only::Keys) {
            made.push(("EDGEWARD_KEYS", self.with_new_key(Jwks::default(), notes)?));
        }
        Ok(made)
    }

    fn rotated(&self, notes: &mut Vec<String>) -> Result<Vec<Made>, Misuse> {
        let secrets = Secrets::read(&self.which.from, super::wrangler::folder_of(&self.which.config))?;
        let mut made = Vec::new();
        if let Some(found) = secrets.get("EDGEWARD_SECRET").filter(|_| self.wants(Only::Secret)) {
            made.push(("EDGEWARD_SECRET", in_front(&found.value)?));
        }
        if let Some(found) = secrets.get("EDGEWARD_KEYS").filter(|_| self.wants(Only::Keys)) {
            made.push(("EDGEWARD_KEYS", self.with_new_key(self.retiring(&found.value, notes)?, notes)?));
        } else if self.retire_old_after.is_some() {
            return Err(secrets.absent("EDGEWARD_KEYS"));
        }
        if made.is_empty() {
            let name = if self.only == Some(Only::Keys) { "EDGEWARD_KEYS" } else { "EDGEWARD_SECRET" };
            return Err(secrets.absent(name));
        }
        Ok(made)
    }

    /// The keys that are there, with a date where one is asked for.
    fn retiring(&self, present: &Secret<String>, notes: &mut Vec<String>) -> Result<Jwks, Misuse> {
        let mut jwks = Jwks::read(present)?;
        let Some(when) = self.retire_old_after else { return Ok(jwks) };
        let now = clock::now();
        let at = match when {
            When::At(at) => at,
            When::In(span) => now + span,
        };
        if at <= now {
            return Err(Misuse::new(format!(
                "--retire-old-after: {at} is over, and what is in use would be refused."
            )));
        }
        let retired = jwks.retire(at)?;
        notes.push(match retired.as_slice() {
            [] => "Every key that was there has a retire_after already: none was changed.".to_owned(),
            kids => format!(
                "Until {at} ({}) these verify, then no longer: {}.",
                clock::relative(at, now),
                kids.join(", ")
            ),
        });
        Ok(jwks)
    }

    /// A JWK Set of a new key and those that are there.
    fn with_new_key(&self, mut jwks: Jwks, notes: &mut Vec<String>) -> Result<Secret<String>, Misuse> {
        let algorithm = match self.alg {
            Some(Alg::Hs256) => HmacAlgorithm::Hs256,
            Some(Alg::Hs384) => HmacAlgorithm::Hs384,
            Some(Alg::Hs512) => HmacAlgorithm::Hs512,
            None => jwks.first_algorithm().unwrap_or(HmacAlgorithm::Hs256),
        };
        let kid = self.free_kid(&jwks)?;
        jwks.add_in_front(&Jwk { kid: &kid, algorithm, octets: &fresh_key(algorithm)? })?;
        let text = jwks.text()?;
        notes.extend(jwks::crowded(&text, algorithm, clock::now()));
        Ok(text)
    }

    /// The kid that was asked for, or the month's that is free.
    fn free_kid(&self, jwks: &Jwks) -> Result<String, Misuse> {
        match &self.kid {
            Some(kid) if jwks.has(kid) => Err(taken(kid)),
            Some(kid) => Ok(kid.clone()),
            None => {
                let month = clock::month(clock::now());
                let others = (2..).map(|number: u32| format!("{month}-{number}"));
                let mut kids = std::iter::once(month.clone()).chain(others);
                Ok(kids.find(|kid| !jwks.has(kid)).unwrap_or(month))
            }
        }
    }
}

/// What to say where a kid is asked for that is there.
pub fn taken(kid: &str) -> Misuse {
    Misuse::new(format!("EDGEWARD_KEYS has a key {kid:?} already; choose another --kid."))
}

/// Octets of the hash's output, no more and no fewer (RFC 7518 §3.2).
fn fresh_key(algorithm: HmacAlgorithm) -> Result<Secret<Vec<u8>>, Misuse> {
    let octets = Secret::new(random::octets::<64>()?);
    Ok(Secret::new(octets.expose().iter().take(algorithm.output_size()).copied().collect()))
}

/// A new secret before those that are there.
fn in_front(present: &Secret<String>) -> Result<Secret<String>, Misuse> {
    RootSecret::parse(present.expose()).map_err(|problems| Misuse::new(sentences(&problems)))?;
    let values: Vec<&str> = present.expose().split_ascii_whitespace().collect();
    let fresh = random::base64url::<32>()?;
    Ok(Secret::new(format!("{} {}", fresh.expose(), values.join(" "))))
}

/// Reads `--retire-old-after`; a date alone is its first moment in UTC.
fn moment_or_span(text: &str) -> Result<When, String> {
    let moment =
        UnixTime::parse_rfc3339(text).or_else(|| UnixTime::parse_rfc3339(&format!("{text}T00:00:00Z")));
    match (moment, clock::lifetime(text)) {
        (Some(moment), _) => Ok(When::At(moment)),
        (None, Ok(span)) => Ok(When::In(span)),
        (None, Err(_)) => Err("write 2026-12-01, 2026-12-01T12:00:00Z, 12h or 30d".to_owned()),
    }
}

/// Reads `--kid`: what needs no escaping anywhere.
pub fn kid(text: &str) -> Result<String, String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if (1..=256).contains(&text.len()) && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("write 1 to 256 letters, digits, - . _ ~".to_owned())
}

/// What to do with the values.
pub fn how_to_set(made: &[Made]) -> Vec<String> {
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
