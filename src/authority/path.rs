//! The reserved paths below `/.edgeward/authority/`.

use crate::policy::SessionSettings;

/// Sends the browser away to sign in: `?return_to=…`, `tab=1`, `second_factor=1`.
pub const START: &str = "/.edgeward/authority/start";
/// On the authority: who is signed in, for another host. `?host=…&state=…`.
pub const SIGN_IN: &str = "/.edgeward/authority/sign-in";
/// Takes a code. `?code=…&state=…`.
pub const FINISH: &str = "/.edgeward/authority/finish";
/// Says why a sign-in came to nothing, and begins another. `?return_to=…`.
pub const AGAIN: &str = "/.edgeward/authority/again";
/// Says that the tab can be closed which was opened to sign in.
pub const DONE: &str = "/.edgeward/authority/done";
/// Who is signed in, for a Discourse. `?sso=…&sig=…`.
pub const DISCOURSE: &str = "/.edgeward/authority/discourse";
/// Sends the browser to a Discourse to sign in: `?return_to=…`.
pub const DISCOURSE_START: &str = "/.edgeward/authority/discourse/start";
/// Takes what a Discourse says. `?sso=…&sig=…`.
pub const DISCOURSE_FINISH: &str = "/.edgeward/authority/discourse/finish";

/// What stands at one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// [`START`].
    Start,
    /// [`SIGN_IN`].
    SignIn,
    /// [`FINISH`].
    Finish,
    /// [`AGAIN`].
    Again,
    /// [`DONE`].
    Done,
    /// [`DISCOURSE`].
    Discourse,
    /// [`DISCOURSE_START`].
    DiscourseStart,
    /// [`DISCOURSE_FINISH`].
    DiscourseFinish,
}

impl At {
    /// What stands at a path of the host with that serialised origin; `None` where nothing does.
    #[must_use]
    pub fn of(path: &str, settings: &SessionSettings, origin: &str) -> Option<Self> {
        let authority = settings.authority.is_some();
        // People sign in here, by a form or by what a Discourse says.
        let here = settings.away_from(origin).is_none();
        let consumes = here && settings.discourse.consumer.is_some();
        let (at, is_there) = match path {
            START => (Self::Start, authority && !here),
            SIGN_IN => (Self::SignIn, authority && here),
            FINISH => (Self::Finish, authority && !here),
            AGAIN => (Self::Again, authority && !here || consumes),
            DONE => (Self::Done, authority && !here || consumes),
            DISCOURSE => (Self::Discourse, here && !settings.discourse.providers.is_empty()),
            DISCOURSE_START => (Self::DiscourseStart, consumes),
            DISCOURSE_FINISH => (Self::DiscourseFinish, consumes),
            _ => return None,
        };
        is_there.then_some(at)
    }

    /// Whether it needs to know who asks.
    #[must_use]
    pub const fn needs_somebody(self) -> bool {
        matches!(self, Self::SignIn | Self::Discourse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Consumer, Discourse, Provider};

    const ALL: [(&str, At); 8] = [
        (START, At::Start),
        (SIGN_IN, At::SignIn),
        (FINISH, At::Finish),
        (AGAIN, At::Again),
        (DONE, At::Done),
        (DISCOURSE, At::Discourse),
        (DISCOURSE_START, At::DiscourseStart),
        (DISCOURSE_FINISH, At::DiscourseFinish),
    ];

    fn there(authority: Option<&str>, consumes: bool, provides: bool) -> Vec<At> {
        let consumer = Consumer { url: String::new(), key: String::new() };
        let provider = Provider { origin: String::new(), key: String::new() };
        let settings = SessionSettings {
            authority: authority.map(str::to_owned),
            discourse: Discourse {
                consumer: consumes.then_some(consumer),
                providers: provides.then_some(provider).into_iter().collect(),
            },
            ..super::super::tests::settings()
        };
        let of = |(path, at): (&str, At)| {
            let found = At::of(path, &settings, "https://here.example");
            assert!(found.is_none_or(|found| found == at), "{path}");
            found
        };
        ALL.into_iter().filter_map(of).collect()
    }

    #[test]
    fn what_is_where() {
        use At::{Again, Discourse, DiscourseFinish, DiscourseStart, Done, Finish, SignIn, Start};
        let (here, there_) = (Some("https://here.example"), Some("https://there.example"));
        for (authority, consumes, provides, wanted) in [
            (None, false, false, vec![]),
            (here, false, false, vec![SignIn]),
            (there_, false, false, vec![Start, Finish, Again, Done]),
            (there_, true, true, vec![Start, Finish, Again, Done]),
            (None, true, false, vec![Again, Done, DiscourseStart, DiscourseFinish]),
            (here, false, true, vec![SignIn, Discourse]),
            (here, true, true, vec![SignIn, Again, Done, Discourse, DiscourseStart, DiscourseFinish]),
        ] {
            assert_eq!(there(authority, consumes, provides), wanted);
        }
    }
}
