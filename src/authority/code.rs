//! What the authority gives a browser for one host: who is signed in.
//!
//! Sealed, in order: version, the moment, the secret of the errand, the session.

use super::{AuthorityKeys, Errand, SECRET_SIZE};
use crate::seal::NONCE_SIZE;
use crate::session::Session;
use crate::time::{Lifetime, UnixTime};

/// How long a code is good: as long as it takes a browser to follow one redirect over a bad line.
pub const LASTS: Lifetime = Lifetime::from_seconds(60);

const VERSION: u8 = 1;

/// A code that was opened: by the host that it is for, and on the errand that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    made: UnixTime,
    session: Session,
}

impl Code {
    /// The session of whoever is signed in, where the code is still good.
    #[must_use]
    pub fn session(self, now: UnixTime) -> Option<Session> {
        (now < self.made + LASTS).then_some(self.session)
    }
}

impl AuthorityKeys {
    /// A code that is good from now on for the host with that serialised origin, and for that errand alone.
    #[must_use]
    pub fn seal_code(
        &self,
        origin: &str,
        errand: &Errand,
        session: &Session,
        now: UnixTime,
        nonce: [u8; NONCE_SIZE],
    ) -> Option<String> {
        let made = now.seconds().to_be_bytes();
        let content = [&[VERSION][..], &made, &errand.secret, &session.written()].concat();
        self.codes.seal(nonce, &[origin.as_bytes()], &content)
    }

    /// The code; `None` where it is none of ours, for another host, or of another errand.
    #[must_use]
    pub fn open_code(&self, origin: &str, errand: &Errand, text: &str) -> Option<Code> {
        use subtle::ConstantTimeEq as _;
        let content = self.codes.open(&[origin.as_bytes()], text)?;
        let ([version], rest) = content.expose().split_first_chunk::<1>()?;
        let (made, rest) = rest.split_first_chunk::<8>()?;
        let (secret, session) = rest.split_first_chunk::<SECRET_SIZE>()?;
        let is_of_it: bool = secret.ct_eq(&errand.secret).into();
        (*version == VERSION && is_of_it).then_some(())?;
        let made = UnixTime::from_seconds(i64::from_be_bytes(*made));
        Some(Code { made, session: Session::read(session)? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sent;
    use super::super::errand::tests::{errand, keys};
    use super::*;
    use crate::session::Factors;
    use proptest::prelude::*;

    const HERE: &str = "https://a.example";

    fn session() -> Session {
        Session {
            id: [3; 16],
            user: "ann".to_owned(),
            stamp: [4; 8],
            began: at(-600),
            seen: at(-60),
            ends: at(36_000),
            idle: Lifetime::from_seconds(1800),
            remembered: true,
            factors: Factors::Both,
            groups: vec!["staff".to_owned()],
        }
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(1_800_000_000 + seconds)
    }

    fn code() -> String {
        keys(&[1]).seal_code(HERE, &errand(), &session(), at(0), [5; 24]).expect("sealed")
    }

    #[test]
    fn for_one_host_and_one_errand() {
        let open = |origin: &str, errand: &Errand| keys(&[1]).open_code(origin, errand, &code());
        let good = open(HERE, &errand()).expect("ours");
        assert_eq!(good.session(at(0)), Some(session()));
        assert!(open("https://b.example", &errand()).is_none());
        assert!(open("http://a.example", &errand()).is_none());
        assert!(open("https://a.example:8443", &errand()).is_none());
        assert!(open(HERE, &Errand { secret: [8; SECRET_SIZE], ..errand() }).is_none());
        assert!(keys(&[2]).open_code(HERE, &errand(), &code()).is_none());
    }

    #[test]
    fn for_a_minute() {
        for (now, is_good) in [(-30, true), (0, true), (59, true), (60, false), (3600, false)] {
            let code = keys(&[1]).open_code(HERE, &errand(), &code()).expect("ours");
            assert_eq!(code.session(at(now)).is_some(), is_good, "{now}");
        }
    }

    #[test]
    fn an_errand_is_no_code_and_a_code_no_errand() {
        let keys = keys(&[1]);
        let state = keys.seal_errand(Sent::Authority, HERE, &errand(), [6; 24]).expect("sealed");
        assert!(keys.open_code(HERE, &errand(), &state).is_none());
        assert!(keys.open_errand(Sent::Authority, HERE, &code()).is_none());
        assert!(keys.open_errand(Sent::Discourse, HERE, &code()).is_none());
    }

    proptest! {
        #[test]
        fn opening_never_panics(text in "[A-Za-z0-9_-]{0,200}") {
            prop_assert!(keys(&[1]).open_code(HERE, &errand(), &text).is_none());
        }
    }
}
