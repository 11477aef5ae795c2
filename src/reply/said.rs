//! Pages that are no refusals: signing in, being in, getting out.

use crate::reply::form::Form;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// The form at `/.edgeward/sign-in`.
    SignIn,
    /// Whoever asks to sign in is signed in already; another account may be used.
    SignedIn,
    /// Signed in, in a tab that was opened for that.
    SignedInTab,
    /// Whether to sign out.
    SignOut,
    /// Signed out.
    SignedOut,
    /// Signed out on every device.
    SignedOutEverywhere,
    /// Signed out where nothing keeps what is revoked: a copied cookie stays good.
    SignedOutHere,
    /// Signed out as far as Basic allows: the browser has to be closed.
    SignedOutBasic,
    /// There was nothing to sign out from.
    SignedOutNot,
    /// Whether to clear this site's sign-in data.
    Clear,
    /// They are cleared.
    Cleared,
    /// Signing in is done on another host, in another tab.
    Away,
}

impl Said {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::SignIn,
        Self::SignedIn,
        Self::SignedInTab,
        Self::SignOut,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::SignedOutHere,
        Self::SignedOutBasic,
        Self::SignedOutNot,
        Self::Clear,
        Self::Cleared,
        Self::Away,
    ];

    /// Its name in the catalogues, below `said`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignedIn => "signed-in",
            Self::SignedInTab => "signed-in-tab",
            Self::SignOut => "sign-out",
            Self::SignedOut => "signed-out",
            Self::SignedOutEverywhere => "signed-out-everywhere",
            Self::SignedOutHere => "signed-out-here",
            Self::SignedOutBasic => "signed-out-basic",
            Self::SignedOutNot => "signed-out-not",
            Self::Clear => "clear",
            Self::Cleared => "cleared",
            Self::Away => "away",
        }
    }

    /// The status of the answer. [`Self::SignedOutBasic`] is a 401, which makes a browser forget what it sent.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::SignedOutBasic | Self::Away => 401,
            _ => 200,
        }
    }
}

/// What is said to whom.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// What.
    pub said: Said,
    /// As whom the visitor is signed in.
    pub user: Option<&'a str>,
    /// The form. [`Said::SignIn`], [`Said::SignOut`] and [`Said::Clear`] need theirs; that of [`Said::SignedIn`] is folded.
    pub form: Option<Form<'a>>,
    /// Where the one thing to do leads: on, back, or to sign in again. A path and query of this host or an `https:` or
    /// `http:` URL that was checked; without it the front page, or `/.edgeward/sign-in` once more.
    pub url: Option<&'a str>,
    /// The host where one signs in ([`Said::Away`]).
    pub place: Option<&'a str>,
}

impl Saying<'_> {
    /// With nothing else to say.
    #[must_use]
    pub const fn of(said: Said) -> Self {
        Self { said, user: None, form: None, url: None, place: None }
    }
}
