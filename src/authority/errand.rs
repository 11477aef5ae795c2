//! What a browser is sent away for.
//!
//! Sealed, in order: version, what is asked for, the moment, 20 random octets, the address to come back to.

use super::{AuthorityKeys, Sent};
use crate::seal::NONCE_SIZE;
use crate::time::{Lifetime, UnixTime};
use core::fmt;

/// Random octets: four name its cookie, the others are that cookie's value.
pub const SECRET_SIZE: usize = 20;
/// How long somebody may take to sign in. Later they are sent anew.
pub const LASTS: Lifetime = Lifetime::from_seconds(3600);
/// Octets of the longest address: one that is longer is come back to without its query, or at the front page.
pub const LONGEST_RETURN: usize = 3000;

const VERSION: u8 = 1;
const SECOND_FACTOR: u8 = 1;
const TAB: u8 = 2;

/// What a browser is sent away for.
#[derive(Clone, PartialEq, Eq)]
pub struct Errand {
    /// Drawn at random.
    pub secret: [u8; SECRET_SIZE],
    /// When the browser was sent.
    pub began: UnixTime,
    /// Whether a second factor is wanted.
    pub second_factor: bool,
    /// Whether it was sent in a tab of its own, which is closed at the end.
    pub tab: bool,
    /// Where it came from: an absolute URL.
    pub return_to: String,
}

/// Never the secret.
impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errand({}, {})", self.return_to, self.began)
    }
}

impl Errand {
    /// Whether there is time left for it. A clock that is a little behind the one that began it ends nothing.
    #[must_use]
    pub fn in_time(&self, now: UnixTime) -> bool {
        now < self.ends()
    }

    /// The moment from which it is over.
    #[must_use]
    pub fn ends(&self) -> UnixTime {
        self.began + LASTS
    }

    /// Its name in hexadecimal: what the ledger counts.
    #[must_use]
    pub fn id(&self) -> String {
        crate::text::hex(&self.secret)
    }

    fn written(&self) -> Vec<u8> {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let mut out = Vec::with_capacity(64 + self.return_to.len());
        out.extend([VERSION, flag(self.second_factor, SECOND_FACTOR) | flag(self.tab, TAB)]);
        out.extend(self.began.seconds().to_be_bytes());
        out.extend(self.secret);
        out.extend(self.return_to.as_bytes());
        out
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let ([version, flags], rest) = octets.split_first_chunk::<2>()?;
        let (began, rest) = rest.split_first_chunk::<8>()?;
        let (secret, return_to) = rest.split_first_chunk::<SECRET_SIZE>()?;
        (*version == VERSION).then_some(())?;
        Some(Self {
            secret: *secret,
            began: UnixTime::from_seconds(i64::from_be_bytes(*began)),
            second_factor: flags & SECOND_FACTOR != 0,
            tab: flags & TAB != 0,
            return_to: core::str::from_utf8(return_to).ok()?.to_owned(),
        })
    }
}

impl AuthorityKeys {
    /// Seals an errand of the host with that serialised origin.
    #[must_use]
    pub fn seal_errand(
        &self,
        sent: Sent,
        origin: &str,
        errand: &Errand,
        nonce: [u8; NONCE_SIZE],
    ) -> Option<String> {
        self.errands(sent).seal(nonce, &[origin.as_bytes()], &errand.written())
    }

    /// The errand of that host; `None` where the text is none of ours, or another's. Whether it is over is for the caller
    /// to see.
    #[must_use]
    pub fn open_errand(&self, sent: Sent, origin: &str, text: &str) -> Option<Errand> {
        Errand::read(self.errands(sent).open(&[origin.as_bytes()], text)?.expose())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::token::mac::RootSecret;
    use crate::token::to_base64url;
    use proptest::prelude::*;

    pub fn keys(secrets: &[u8]) -> AuthorityKeys {
        let text: Vec<String> = secrets.iter().map(|byte| to_base64url(&[*byte; 32])).collect();
        AuthorityKeys::new(&RootSecret::parse(&text.join(" ")).expect("good secrets"))
    }

    pub fn errand() -> Errand {
        Errand {
            secret: [7; SECRET_SIZE],
            began: UnixTime::from_seconds(1_800_000_000),
            second_factor: false,
            tab: false,
            return_to: "https://a.example/x?y".to_owned(),
        }
    }

    #[test]
    fn only_for_its_host_and_its_way() {
        let keys_of_two = keys(&[2, 1]);
        let text =
            keys(&[1]).seal_errand(Sent::Authority, "https://a.example", &errand(), [9; 24]).expect("sealed");
        assert_eq!(keys_of_two.open_errand(Sent::Authority, "https://a.example", &text), Some(errand()));
        assert_eq!(keys_of_two.open_errand(Sent::Discourse, "https://a.example", &text), None);
        assert_eq!(keys_of_two.open_errand(Sent::Authority, "https://b.example", &text), None);
        assert_eq!(keys(&[2]).open_errand(Sent::Authority, "https://a.example", &text), None);
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).expect("ASCII");
            assert_eq!(keys(&[1]).open_errand(Sent::Authority, "https://a.example", &other), None, "{at}");
        }
    }

    #[test]
    fn it_is_over_after_an_hour() {
        let errand = errand();
        let at = |seconds: i64| UnixTime::from_seconds(1_800_000_000 + seconds);
        assert!(errand.in_time(at(-30)) && errand.in_time(at(3599)) && !errand.in_time(at(3600)));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", errand());
        assert!(!shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            secret in any::<[u8; SECRET_SIZE]>(), began in 0..4_000_000_000_i64,
            second_factor in any::<bool>(), tab in any::<bool>(), return_to in "https://[a-z]{1,9}/[ -~é]{0,40}",
        ) {
            let began = UnixTime::from_seconds(began);
            let errand = Errand { secret, began, second_factor, tab, return_to };
            prop_assert_eq!(Errand::read(&errand.written()), Some(errand));
        }

        #[test]
        fn reading_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Errand::read(&octets);
        }
    }
}
