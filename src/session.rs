//! Sessions: who signed in, sealed into a cookie, and nothing kept on any server.
//!
//! 1. Only we can read or make one ([`crate::seal`]); it is bound to its host, or to the parent that hosts share.
//! 2. It names a user, and a MAC of the user's line: with each request the line is looked up again. Groups come from there,
//!    and a line that was changed or taken out ends the session.
//! 3. It ends when nobody used it for its time of idleness, and in any case at the end it was born with. Use moves the
//!    former, at most once a minute.
//!
//! What is sealed, in order: version, factors, remembered, id, line MAC, three moments, the time of idleness, then texts
//! with their length: user, groups.

pub mod cookie;

use crate::password::htpasswd::Account;
use crate::policy::{HmacAlgorithm, SessionSettings};
use crate::seal::{NONCE_SIZE, Sealer};
use crate::time::{Lifetime, UnixTime};
use crate::token::mac::{MacKey, Purpose, RootSecret};
use core::fmt;

/// Octets of a session's id.
pub const ID_SIZE: usize = 16;
/// Octets of the MAC of a line.
pub const STAMP_SIZE: usize = 8;
/// The longest cookie value.
pub const LONGEST: usize = 1024;
/// A session that was used is written anew at most this often.
pub const RENEWED_EVERY: Lifetime = Lifetime::from_seconds(60);
/// How long there is for the second factor.
const HALF_LASTS: Lifetime = Lifetime::from_seconds(600);

const VERSION: u8 = 1;
const SEALED: Purpose = Purpose("edgeward/session/v1");
const LINE: Purpose = Purpose("edgeward/line/v1");
/// Before the name of who signed in elsewhere.
pub const ELSEWHERE: &str = "discourse:";

/// Who signed in, when, and for how long.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Drawn at random at each sign-in and at each further factor.
    pub id: [u8; ID_SIZE],
    /// The user-id of an account, or who signed in elsewhere.
    pub user: String,
    /// The MAC of the account's line; zeros for who has none.
    pub stamp: [u8; STAMP_SIZE],
    /// The sign-in.
    pub began: UnixTime,
    /// When it was last used, as far as the cookie knows.
    pub seen: UnixTime,
    /// The moment from which it is no longer good, whatever happens.
    pub ends: UnixTime,
    /// For how long it may go unused.
    pub idle: Lifetime,
    /// Whether it outlives the browser.
    pub remembered: bool,
    /// What was proven.
    pub factors: Factors,
    /// The groups of who signed in elsewhere; those of an account are in its line.
    pub groups: Vec<String>,
}

/// What was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factors {
    /// The password was right, and a code is still to come: opens the form for that, and nothing else.
    Half,
    /// A password.
    Password,
    /// A password and a code.
    Both,
    /// Another site says who it is.
    Elsewhere,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It lasted as long as one may.
    Expired,
    /// Nobody used it for too long.
    Idle,
}

/// What a session begins with.
pub struct Beginning<'b> {
    /// The user-id.
    pub user: &'b str,
    /// The MAC of the line.
    pub stamp: [u8; STAMP_SIZE],
    /// What was proven.
    pub factors: Factors,
    /// Whether it is to be kept.
    pub remembered: bool,
    /// Groups of who signed in elsewhere.
    pub groups: &'b [String],
}

/// Who it is and since when; never the id, which is as good as a name of the cookie.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, {})", self.user, self.began)
    }
}

impl Session {
    /// One that begins now. `id` is drawn at random.
    #[must_use]
    pub fn begin(
        settings: &SessionSettings,
        beginning: &Beginning<'_>,
        id: [u8; ID_SIZE],
        now: UnixTime,
    ) -> Self {
        let kept = settings.remember.filter(|_| beginning.remembered);
        let (lasts, idle) =
            kept.map_or((settings.absolute, settings.idle), |lasts| (lasts, settings.remember_idle));
        let lasts = if beginning.factors == Factors::Half { HALF_LASTS } else { lasts };
        Self {
            id,
            user: beginning.user.to_owned(),
            stamp: beginning.stamp,
            began: now,
            seen: now,
            ends: now + lasts,
            idle,
            remembered: kept.is_some(),
            factors: beginning.factors,
            groups: beginning.groups.to_vec(),
        }
    }

    /// Whether it is still good as far as time goes. A clock that went back ends nothing.
    ///
    /// # Errors
    /// Why it is over.
    pub fn in_time(&self, now: UnixTime) -> Result<(), Ended> {
        if now >= self.ends {
            return Err(Ended::Expired);
        }
        if now >= self.idle_ends() { Err(Ended::Idle) } else { Ok(()) }
    }

    /// The moment from which it was idle for too long.
    #[must_use]
    pub fn idle_ends(&self) -> UnixTime {
        self.seen + self.idle
    }

    /// The same, used now, where that is worth a cookie: at most once a minute, and for short times of idleness often enough.
    #[must_use]
    pub fn renewed(&self, now: UnixTime) -> Option<Self> {
        let unused = now.since(self.seen);
        let due = unused >= RENEWED_EVERY.min(Lifetime::from_seconds(self.idle.seconds() / 2));
        (due && self.factors != Factors::Half).then(|| self.used(now))
    }

    /// The same, used now.
    #[must_use]
    pub fn used(&self, now: UnixTime) -> Self {
        Self { seen: now, ..self.clone() }
    }

    /// How long the browser is to keep the cookie; `None` for as long as it runs.
    #[must_use]
    pub fn max_age(&self, now: UnixTime) -> Option<Lifetime> {
        self.remembered.then(|| self.ends.since(now))
    }

    /// The id in hexadecimal: what it is revoked by.
    #[must_use]
    pub fn id_text(&self) -> String {
        crate::text::hex(&self.id)
    }

    /// What is sealed.
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        out.extend([VERSION, self.factors.code(), u8::from(self.remembered)]);
        out.extend(self.id);
        out.extend(self.stamp);
        let numbers = [self.began.seconds(), self.seen.seconds(), self.ends.seconds(), self.idle.seconds()];
        out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        for text in core::iter::once(&self.user).chain(&self.groups) {
            // None is longer: the whole would not fit into the cookie.
            out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(text.as_bytes());
        }
        out
    }

    /// Reads what was sealed.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader(octets);
        let [version, factors, remembered] = reader.take()?;
        if version != VERSION {
            return None;
        }
        let (id, stamp) = (reader.take()?, reader.take()?);
        let [began, seen, ends, idle] =
            [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
        let user = reader.text()?;
        let mut groups = Vec::new();
        while !reader.0.is_empty() {
            groups.push(reader.text()?);
        }
        Some(Self {
            id,
            user,
            stamp,
            began: UnixTime::from_seconds(began),
            seen: UnixTime::from_seconds(seen),
            ends: UnixTime::from_seconds(ends),
            idle: Lifetime::from_seconds(idle),
            remembered: remembered == 1,
            factors: Factors::of_code(factors)?,
            groups,
        })
    }
}

impl Factors {
    const fn code(self) -> u8 {
        match self {
            Self::Half => 1,
            Self::Password => 2,
            Self::Both => 3,
            Self::Elsewhere => 4,
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        [Self::Half, Self::Password, Self::Both, Self::Elsewhere].into_iter().find(|it| it.code() == code)
    }
}

struct Reader<'o>(&'o [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_be_bytes(self.take()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        core::str::from_utf8(text).ok().map(str::to_owned)
    }
}

/// What seals sessions, and what ties them to the lines of accounts.
#[derive(Clone, Debug)]
pub struct SessionKeys {
    sealer: Sealer,
    lines: Vec<MacKey>,
}

impl SessionKeys {
    /// Derives the keys.
    #[must_use]
    pub fn new(root: &RootSecret) -> Self {
        let lines = root.derive(&[LINE.0.as_bytes()]);
        let lines = lines.iter().map(|key| MacKey::new(HmacAlgorithm::Hs256, key.expose())).collect();
        Self { sealer: Sealer::new(root, SEALED), lines }
    }

    /// The value of the cookie. `bound`: the host, or the parent that hosts share. `None` where it is longer than a cookie
    /// of ours may be: a user-id of many hundred octets.
    #[must_use]
    pub fn seal(&self, session: &Session, bound: &str, nonce: [u8; NONCE_SIZE]) -> Option<String> {
        let value = self.sealer.seal(nonce, &[bound.as_bytes()], &session.written())?;
        (value.len() <= LONGEST).then_some(value)
    }

    /// The session in a cookie; `None` where it is none of ours, not for this host, or was changed.
    #[must_use]
    pub fn open(&self, bound: &str, value: &str) -> Option<Session> {
        if value.len() > LONGEST {
            return None;
        }
        Session::read(self.sealer.open(&[bound.as_bytes()], value)?.expose())
    }

    /// What ties a session to a line: 64 bits of a MAC over all that it says.
    #[must_use]
    pub fn stamp(&self, account: &Account) -> [u8; STAMP_SIZE] {
        self.lines.first().map(|key| stamp(key, account)).unwrap_or_default()
    }

    /// Whether a session was begun under this very line, by any of the secrets.
    #[must_use]
    pub fn is_of(&self, session: &Session, account: &Account) -> bool {
        use subtle::ConstantTimeEq as _;
        account.user() == session.user
            && self.lines.iter().any(|key| stamp(key, account).ct_eq(&session.stamp).into())
    }
}

fn stamp(key: &MacKey, account: &Account) -> [u8; STAMP_SIZE] {
    let tag = key.tag_for(&LINE, &[account.line_digest()]);
    tag.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
