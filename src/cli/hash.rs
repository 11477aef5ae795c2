//! `edgeward hash`: a line for `EDGEWARD_USERS`.

use super::output::{Misuse, Outcome};
use super::secrets::{Secrets, sentences};
use super::{Which, input, nfc, random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use edgeward::credentials::basic;
use edgeward::password::UserPass;
use edgeward::password::htpasswd::Users;
use edgeward::password::phc::{
    Digest, GENERATED_PURPOSE, Unusable, hash_argon2id, hash_bcrypt, hash_generated, hash_pbkdf2,
};
use edgeward::secret::Secret;
use serde_json::json;

/// What OWASP's Password Storage Cheat Sheet (2025) asks for at least; [`Users`] warns below it.
const BCRYPT_COST: u32 = 10;
const SHA256_ROUNDS: u32 = 600_000;
const SHA512_ROUNDS: u32 = 210_000;
/// Characters below which a password of somebody's own making is guessed soon (NIST SP 800-63B).
const SHORT: usize = 8;

const AFTER: &str = "\
Which algorithm? argon2id, unless another program reads the same lines. Measured in a Worker, for one verification:
  argon2id       35-55 ms   19 MiB and 2 passes: memory is what makes guessing dear
  bcrypt            90 ms   cost 10, what htpasswd -B writes; 72 bytes of password at most
  pbkdf2-sha256    270 ms   600,000 rounds
  pbkdf2-sha512    190 ms   210,000 rounds
All of these need the paid plan: the free one has 10 ms for a request. --generate fits it: a password of 128 random \
bits cannot be guessed, so that one HMAC keyed from EDGEWARD_SECRET is enough. Such a line holds as long as the \
secret it was made with stands in EDGEWARD_SECRET.

Examples:
  edgeward hash ann                            asks twice, without echo
  edgeward hash ann --groups editors,staff >> users.txt
  edgeward hash robot --generate               prints the password once, on standard error
  printf '%s\\n' \"$PASSWORD\" | edgeward hash ann --algorithm bcrypt
Then: npx wrangler secret put EDGEWARD_USERS < users.txt
Or, one account for itself: edgeward hash ann > ann.txt
  npx wrangler kv key put --remote --binding EDGEWARD_KV user:ann --path ann.txt";

/// A line of EDGEWARD_USERS, or of one account in EDGEWARD_KV: the password from a prompt, or the first line of standard input
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Hash {
    /// The user-id; without it, the first thing that is asked for or read
    user: Option<String>,

    /// Make a password of 128 random bits instead of asking for one
    #[arg(long)]
    generate: bool,

    /// How the password is hashed [default: argon2id; with --generate one HMAC]
    #[arg(long, value_enum)]
    algorithm: Option<Algorithm>,

    /// Groups of the user, with commas between them
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    groups: Vec<String>,

    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    Argon2id,
    Bcrypt,
    #[value(name = "pbkdf2-sha256")]
    Pbkdf2Sha256,
    #[value(name = "pbkdf2-sha512")]
    Pbkdf2Sha512,
}

impl Hash {
    /// Makes the line, and verifies it as the gate does.
    pub fn run(self) -> super::Result {
        let user = match &self.user {
            Some(user) => user.clone(),
            None => asked_user()?,
        };
        // Before anybody types a password for nothing.
        as_sent(&user, &Secret::new("-".to_owned()))?;
        let password = if self.generate { random::base64url::<16>()? } else { asked_password()? };
        let user_pass = as_sent(&user, &password)?;
        let keys = self.keys()?;
        let line = self.line(&user_pass, keys.first())?;
        self.verified(&line, &user_pass, &keys)?;
        Ok(self.outcome(&line, &user_pass))
    }

    /// The keys of generated passwords, where they are needed.
    fn keys(&self) -> Result<Vec<Secret<Vec<u8>>>, Misuse> {
        if !self.generate || self.algorithm.is_some() {
            return Ok(Vec::new());
        }
        let folder = super::wrangler::folder_of(&self.which.config);
        let root = Secrets::read(&self.which.from, folder)?.root()?;
        let keys = root.derive(&[GENERATED_PURPOSE.as_bytes()]);
        Ok(keys.iter().map(|key| Secret::new(key.expose().to_vec())).collect())
    }

    fn line(&self, user_pass: &UserPass, key: Option<&Secret<Vec<u8>>>) -> Result<String, Misuse> {
        let hash = match (self.algorithm, key) {
            (None, Some(key)) => hash_generated(user_pass, key),
            (algorithm, _) => hashed(algorithm.unwrap_or(Algorithm::Argon2id), &user_pass.password)?,
        };
        let mut line = format!("{}:{hash}", user_pass.user);
        if !self.groups.is_empty() {
            line.push(':');
            line.push_str(&self.groups.join(","));
        }
        Ok(line)
    }

    /// The line must let in whom it is made for, with these groups and no flags: the gate's own reader has the last word.
    fn verified(&self, line: &str, user_pass: &UserPass, keys: &[Secret<Vec<u8>>]) -> Result<(), Misuse> {
        let source = ("EDGEWARD_USERS".to_owned(), Secret::new(line.to_owned()));
        let users =
            Users::parse(&[source], keys, nfc).map_err(|problems| Misuse::new(sentences(&problems)))?;
        let is_as_asked = users
            .account(&user_pass.user)
            .is_some_and(|it| it.groups() == self.groups && !it.suspended() && it.until().is_none());
        if is_as_asked && users.check(user_pass) {
            return Ok(());
        }
        Err(Misuse::new(
            "The line would not be read as it is meant: a group holds no colon and does not begin with !.",
        ))
    }

    fn outcome(&self, line: &str, user_pass: &UserPass) -> Outcome {
        let shown = self.generate.then(|| user_pass.password.expose().as_str());
        let mut notes = Vec::new();
        if let Some(password) = shown {
            notes.push(format!("The password of {}, shown this once: {password}", user_pass.user));
        } else if user_pass.password.expose().chars().count() < SHORT {
            notes.push(format!("The password has fewer than {SHORT} characters, and such are guessed soon."));
        }
        let mut json = json!({ "user": user_pass.user, "groups": self.groups, "line": line });
        if let (Some(object), Some(password)) = (json.as_object_mut(), shown) {
            object.insert("password".to_owned(), password.into());
        }
        Outcome { notes, ..Outcome::yes(format!("{line}\n"), json) }
    }
}

fn asked_user() -> Result<String, Misuse> {
    if input::is_terminal() {
        return input::ask("User-id:");
    }
    let line =
        input::line()?.ok_or_else(|| Misuse::new("Standard input is empty: a user-id was expected."))?;
    Ok(line.expose().clone())
}

fn asked_password() -> Result<Secret<String>, Misuse> {
    let password = if input::is_terminal() {
        typed_password()?
    } else {
        input::line()?.ok_or_else(|| Misuse::new("Standard input is empty: a password was expected."))?
    };
    if password.expose().is_empty() {
        return Err(Misuse::new("The password is empty."));
    }
    Ok(password)
}

fn typed_password() -> Result<Secret<String>, Misuse> {
    let password = input::ask_secret("Password: ")?;
    let again = input::ask_secret("Again: ")?;
    if nfc(password.expose()) != nfc(again.expose()) {
        return Err(Misuse::new("The two are not the same."));
    }
    Ok(password)
}

/// User-id and password as the gate gets them from a client: what it would refuse is refused here.
pub(super) fn as_sent(user: &str, password: &Secret<String>) -> Result<UserPass, Misuse> {
    if user.contains(':') {
        return Err(Misuse::new("A user-id holds no colon: the first one ends it (RFC 7617 section 2)."));
    }
    if user.starts_with('#') {
        return Err(Misuse::new("A user-id does not begin with #: such a line of EDGEWARD_USERS is a note."));
    }
    let sent = Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())));
    basic::parse(sent.expose(), nfc)
        .map_err(|sentence| Misuse::new(format!("The gate would refuse this: {sentence}")))
}

/// The hash of a password in NFC that stands in somebody else's configuration: by the default of this command.
pub(super) fn argon2id(password: &Secret<String>) -> Result<String, Misuse> {
    hashed(Algorithm::Argon2id, password)
}

fn hashed(algorithm: Algorithm, password: &Secret<String>) -> Result<String, Misuse> {
    let salt = random::octets::<16>()?;
    let hash = match algorithm {
        Algorithm::Argon2id => hash_argon2id(password, salt),
        Algorithm::Bcrypt => hash_bcrypt(password, salt, BCRYPT_COST),
        Algorithm::Pbkdf2Sha256 => hash_pbkdf2(Digest::Sha256, password, salt, SHA256_ROUNDS),
        Algorithm::Pbkdf2Sha512 => hash_pbkdf2(Digest::Sha512, password, salt, SHA512_ROUNDS),
    };
    let words = |Unusable { found, expected, .. }| {
        format!("This cannot be hashed: found {found}, expected {expected}.")
    };
    hash.map_err(|unusable| Misuse::new(words(unusable)))
}
