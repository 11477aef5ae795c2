//! `edgeward key import`: a key that another system signs with, as a JWK.

use super::jwks::{self, Jwk, Jwks};
use super::vendor::{Encoding, Format};
use crate::cli::keygen::{how_to_set, kid, taken};
use crate::cli::output::{Misuse, Outcome};
use crate::cli::secrets::Secrets;
use crate::cli::wrangler::folder_of;
use crate::cli::{Which, clock, dotenv, input};
use clap::Args;
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use edgeward::token::keys::FOREIGN_KEY_SIZE;
use serde_json::json;

const AFTER: &str = "\
The key is asked for, or read from the first line of standard input; never from an argument. What comes out is EDGEWARD_KEYS \
with the key added to those that are here (keys of JWTs in front, others behind, as they sign nothing here). Of two lines \
of that name in a file the last counts, so that it can be appended.

Examples:
  edgeward key import --format akamai --kid akamai-2026 --secrets production.vars >> production.vars
  edgeward key import --format google-cdn --kid my-key < my-key.txt
  edgeward key import --format nginx-hmac --alg HS512 --kid downloads < secret.txt
  printf '%s' \"$APP_KEY\" | edgeward key import --format laravel --kid shop
  pass show idp/hmac | edgeward key import --format jwt --encoding base64 --kid login-2026 --json | npx wrangler secret bulk";

/// A key of another system (a CDN, a framework, an issuer of JWTs) as a JWK for EDGEWARD_KEYS
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Import {
    /// Whose key it is, which says how it is written and what it is for
    #[arg(long, value_enum)]
    format: Format,

    /// Its id: what the policy's keys name, and tokens that carry one
    #[arg(long, value_name = "ID", value_parser = kid)]
    kid: String,

    /// What it signs with, where the format leaves that open: HS256, HS384, HS512 or HS1 [default: HS256, and HS1 for
    /// fastly and google-cdn]
    #[arg(long, value_parser = algorithm)]
    alg: Option<HmacAlgorithm>,

    /// How it is written, where the format leaves that open: jwt (no default), laravel (text or base64)
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,

    #[command(flatten)]
    which: Which,
}

impl Import {
    /// Reads the key, and writes it as a JWK.
    pub fn run(self) -> crate::cli::Result {
        let (algorithm, encoding) = (self.algorithm()?, self.encoding()?);
        let secrets = Secrets::read(&self.which.from, folder_of(&self.which.config))?;
        let present = secrets.get("EDGEWARD_KEYS").map(|found| Jwks::read(&found.value)).transpose()?;
        if present.as_ref().is_some_and(|present| present.has(&self.kid)) {
            return Err(taken(&self.kid));
        }
        let key = self.key(encoding)?;
        let octets = self.octets(&key, encoding, algorithm)?;
        let jwk = Jwk { kid: &self.kid, algorithm, octets: &octets };
        let mut outcome = match present {
            Some(present) => self.added(present, &jwk)?,
            None => self.alone(&jwk, secrets.searched())?,
        };
        outcome.notes.splice(0..0, self.notes(&key, encoding, octets.expose().len()));
        Ok(outcome)
    }

    fn algorithm(&self) -> Result<HmacAlgorithm, Misuse> {
        let possible = self.format.algorithms();
        let names: Vec<&str> = possible.iter().map(|it| it.name()).collect();
        let wanted =
            self.alg.or_else(|| possible.first().copied()).filter(|wanted| possible.contains(wanted));
        wanted.ok_or_else(|| {
            Misuse::new(format!("--alg: keys of {} are for {}.", self.format.name(), names.join(" or ")))
        })
    }

    fn encoding(&self) -> Result<Encoding, Misuse> {
        let (default, possible) = self.format.encodings();
        let names: Vec<&str> = possible.iter().map(|it| it.name()).collect();
        let (format, names) = (self.format.name(), names.join(" or "));
        match self.encoding.or(default) {
            Some(encoding) if possible.contains(&encoding) => Ok(encoding),
            Some(_) => Err(Misuse::new(format!("--encoding: keys of {format} are written as {names}."))),
            None => Err(Misuse::new(format!(
                "--encoding is needed: the issuer's documentation says how it writes the key: {names}. The octets of \
                 each differ, so a wrong guess verifies nothing."
            ))),
        }
    }

    fn key(&self, encoding: Encoding) -> Result<Secret<String>, Misuse> {
        if input::is_terminal() {
            return input::ask_secret(&format!("Key of {}, in {}: ", self.format.name(), encoding.name()));
        }
        input::line()?.ok_or_else(|| Misuse::new("Standard input is empty: a key was expected."))
    }

    fn octets(
        &self,
        key: &Secret<String>,
        encoding: Encoding,
        algorithm: HmacAlgorithm,
    ) -> Result<Secret<Vec<u8>>, Misuse> {
        let octets = self.format.decode(key.expose(), encoding).map_err(|sentence| {
            let (format, encoding) = (self.format.name(), encoding.name());
            Misuse::new(format!("This is no key of {format} in {encoding}: {sentence}."))
        })?;
        let (size, least) = (octets.expose().len(), algorithm.output_size());
        if self.format == Format::Jwt && size < least {
            return Err(Misuse::new(format!(
                "The key has {size} octets, and one for JWTs with {} has {least} or more (RFC 7518 section 3.2): have \
                 the issuer make a longer one. If it is written in another way than {}, say so with --encoding.",
                algorithm.name(),
                encoding.name()
            )));
        }
        if self.format == Format::Discourse && size < FOREIGN_KEY_SIZE {
            return Err(Misuse::new(format!(
                "The secret has {size} octets, and fewer than {FOREIGN_KEY_SIZE} can be found by trying: have a longer one \
                 made, and put it into the Discourse, too."
            )));
        }
        Ok(octets)
    }

    /// The whole set.
    fn added(&self, mut jwks: Jwks, jwk: &Jwk<'_>) -> crate::cli::Result {
        let is_jwt = self.format == Format::Jwt;
        if is_jwt {
            jwks.add_in_front(jwk)?
        } else {
            jwks.add_behind(jwk)?
        }
        let made = [("EDGEWARD_KEYS", jwks.text()?)];
        let [(name, text)] = &made;
        let crowded = is_jwt.then(|| jwks::crowded(text, jwk.algorithm, clock::now())).flatten();
        let line = dotenv::line(name, text.expose());
        let notes = crowded.into_iter().chain(how_to_set(&made)).collect();
        Ok(Outcome { notes, ..Outcome::yes(line, json!({ *name: text.expose() })) })
    }

    /// A set of this key, which would replace one that is somewhere else.
    fn alone(&self, jwk: &Jwk<'_>, searched: &str) -> crate::cli::Result {
        let mut outcome = self.added(Jwks::default(), jwk)?;
        outcome.notes.insert(
            0,
            format!(
                "EDGEWARD_KEYS is not here (looked in {searched}), so this holds the new key alone: where Cloudflare has \
                 other keys that are in use, add them, or they are gone once this is set."
            ),
        );
        Ok(outcome)
    }

    fn notes(&self, key: &Secret<String>, encoding: Encoding, size: usize) -> Vec<String> {
        let (format, kid) = (self.format.name(), &self.kid);
        let place = match self.format {
            Format::Discourse => {
                format!("[vars.EDGEWARD.session.discourse], in consumer or provider, with key = \"{kid}\"")
            }
            _ => format!("[[vars.EDGEWARD.tokens]] with format = \"{format}\" and keys = [\"{kid}\"]"),
        };
        let mut notes = vec![format!(
            "It takes effect with an entry of the policy, which is deployed along with it: {place}."
        )];
        if size < FOREIGN_KEY_SIZE {
            notes.push(format!(
                "The key has {size} octets, and fewer than {FOREIGN_KEY_SIZE} can be found by trying: the entry needs \
                 weak_keys = true. Better have a longer one made."
            ));
        }
        let text = key.expose();
        if encoding == Encoding::Text && text.trim() != text {
            notes.push("The key begins or ends with white space, which was taken as part of it.".to_owned());
        }
        if self.format == Format::Laravel && encoding == Encoding::Text && text.starts_with("base64:") {
            notes.push(
                "Taken as it stands, as Laravel signs URLs with the text of APP_KEY. For code that decodes it first: \
                 --encoding base64."
                    .to_owned(),
            );
        }
        notes
    }
}

fn algorithm(text: &str) -> Result<HmacAlgorithm, String> {
    HmacAlgorithm::from_name(&text.to_ascii_uppercase())
        .ok_or_else(|| "write HS256, HS384, HS512 or HS1".to_owned())
}
