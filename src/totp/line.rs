//! One line → the second factor of one user, or what is wrong with it.
//!
//! A line may be anything, a secret on its own included. So a user-id is shown only where what stands behind it has the form
//! of the rest of a line; until then the line's number must do.

use super::fault::{Fault, Place};
use super::made::{Made, SEED_SIZE, around, split};
use super::{Digits, Enrolment, Hash};
use crate::password::Nfc;
use crate::password::htpasswd::user_id_fault;
use crate::seal::{NONCE_SIZE, Sealer};
use crate::token::from_base64url;

/// Octets that sealing adds besides the nonce: the tag.
const TAG_SIZE: usize = 16;

/// Reads a line that is not blank.
pub(super) fn parse<'l>(line: &'l str, sealer: &Sealer, nfc: Nfc) -> Result<Enrolment, Fault<'l>> {
    open(line, sealer, nfc).map(|made| made.enrolment())
}

/// Reads a line that is not blank, and keeps its secret at hand.
pub(super) fn open<'l>(line: &'l str, sealer: &Sealer, nfc: Nfc) -> Result<Made, Fault<'l>> {
    let mut fields = line.split(':');
    let (Some(user), Some(hash), Some(digits), Some(sealed), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(if line.starts_with("otpauth:") { Fault::Exposed } else { Fault::Form });
    };
    let (Some(hash), Some(digits)) = (Hash::from_name(hash), Digits::from_name(digits)) else {
        return Err(Fault::Middle(if Hash::from_name(hash).is_some() { Place::Digits } else { Place::Hash }));
    };
    let size = from_base64url(sealed).map(|octets| octets.len());
    if size != Some(NONCE_SIZE + hash.secret_size() + SEED_SIZE + TAG_SIZE) {
        return Err(if is_base32(sealed) { Fault::Exposed } else { Fault::Sealed });
    }
    if let Some(found) = user_id_fault(user) {
        return Err(Fault::User(found));
    }
    let name = if user.is_ascii() { user.to_owned() } else { nfc(user) };
    let content = sealer.open(&around(&name, hash.name(), digits.name()), sealed);
    let content = content.ok_or(Fault::Unopened(user))?;
    let (secret, seed) = split(content.expose()).ok_or(Fault::Unopened(user))?;
    Made::new(&name, hash, digits, secret, seed).ok_or(Fault::Unopened(user))
}

/// Whether that looks like a secret as apps have it, in clear.
fn is_base32(text: &str) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphabetic() || matches!(octet, b'2'..=b'7' | b' ' | b'=');
    text.len() >= 16 && text.bytes().all(is_letter)
}
