//! What a page asks its visitor to send: every form posts to one of the reserved paths.
//!
//! What was typed and where it leads back to is of a visitor, and only filled in when a page is sent; [`Shape`] is what is
//! left without that, and what a kept page depends on.

use crate::totp::Digits;
use core::fmt;

/// A form, with what of it is this visitor's.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// User name and password: POST `/.edgeward/sign-in` with `username`, `password`, `remember`, `return_to`.
    SignIn(SignIn<'a>),
    /// The second factor: POST `/.edgeward/sign-in` with `code` or `recovery`, and `return_to`.
    Code(Code<'a>),
    /// POST `/.edgeward/sign-out` with `everywhere` and `return_to`.
    SignOut(SignOut<'a>),
    /// POST `/.edgeward/clear` with `return_to`.
    Clear(Clear<'a>),
}

/// The first factor.
#[derive(Clone, Copy, Default)]
pub struct SignIn<'a> {
    /// The user-id as it was typed, or as it is known; empty for none.
    pub user: &'a str,
    /// Where the form leads back to.
    pub return_to: &'a str,
    /// "Keep me signed in": `None` where it may not be offered, else whether it is chosen.
    pub remember: Option<bool>,
    /// Whether what was sent did not match.
    pub wrong: bool,
    /// Whether the page is the answer to content that the browser can send once more.
    pub resend: bool,
    /// Whether the page stands in a tab that was opened to sign in.
    pub tab: bool,
}

/// The second factor.
#[derive(Clone, Copy, Default)]
pub struct Code<'a> {
    /// Where the form leads back to.
    pub return_to: &'a str,
    /// How many digits a code has, where that is known.
    pub digits: Option<Digits>,
    /// Whether what was sent did not match.
    pub wrong: bool,
    /// Whether the page is the answer to content that the browser can send once more.
    pub resend: bool,
    /// Whether the page stands in a tab that was opened to sign in.
    pub tab: bool,
}

/// Getting out.
#[derive(Clone, Copy, Default)]
pub struct SignOut<'a> {
    /// Where the form leads back to; empty for the front page.
    pub return_to: &'a str,
    /// Whether "on all my devices" can be offered.
    pub everywhere: bool,
}

/// Removing what the browser keeps.
#[derive(Clone, Copy, Default)]
pub struct Clear<'a> {
    /// Where the form leads back to; empty for the front page.
    pub return_to: &'a str,
}

/// What was sent to `/.edgeward/sign-in` and is answered by the form once more.
#[derive(Clone, Copy, Default)]
pub struct Sent<'a> {
    /// The user-id as it was typed.
    pub user: &'a str,
    /// Where the form leads back to, as [`crate::return_to`] took it.
    pub return_to: &'a str,
    /// Whether "keep me signed in" was chosen.
    pub remember: bool,
    /// Whether it was the second form.
    pub code: bool,
    /// Whether it came from a tab that was opened to sign in (`tab=1`).
    pub tab: bool,
}

/// The form of a kept page, without anything of a visitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Which form.
    pub asks: Asks,
    /// Whether there is a user-id to begin with.
    pub user: bool,
    /// Whether what was sent did not match.
    pub wrong: bool,
    /// "Keep me signed in", where it is offered: whether it is chosen.
    pub remember: Option<bool>,
    /// Whether the browser can send something once more.
    pub resend: bool,
    /// Whether this tab was opened to sign in.
    pub tab: bool,
    /// Whether "on all my devices" is offered.
    pub everywhere: bool,
    /// How many digits a code has, where that is known.
    pub digits: Option<Digits>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Asks {
    /// Nothing.
    #[default]
    Nothing,
    /// User name and password.
    SignIn,
    /// The second factor.
    Code,
    /// Whether to sign out.
    SignOut,
    /// Whether to clear.
    Clear,
}

impl<'a> Form<'a> {
    /// What is left of it without its visitor.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let none = Shape::default();
        match *self {
            Self::SignIn(SignIn { user, remember, wrong, resend, tab, .. }) => {
                let user = !user.is_empty();
                Shape { asks: Asks::SignIn, user, wrong, remember, resend, tab, ..none }
            }
            Self::Code(Code { digits, wrong, resend, tab, .. }) => {
                Shape { asks: Asks::Code, wrong, resend, tab, digits, ..none }
            }
            Self::SignOut(SignOut { everywhere, .. }) => Shape { asks: Asks::SignOut, everywhere, ..none },
            Self::Clear(_) => Shape { asks: Asks::Clear, ..none },
        }
    }

    /// The user-id to begin with.
    #[must_use]
    pub const fn user(&self) -> &'a str {
        match *self {
            Self::SignIn(SignIn { user, .. }) => user,
            Self::Code(_) | Self::SignOut(_) | Self::Clear(_) => "",
        }
    }

    /// Where it leads back to.
    #[must_use]
    pub const fn return_to(&self) -> &'a str {
        match *self {
            Self::SignIn(SignIn { return_to, .. })
            | Self::Code(Code { return_to, .. })
            | Self::SignOut(SignOut { return_to, .. })
            | Self::Clear(Clear { return_to }) => return_to,
        }
    }
}

/// What a visitor typed stays out of logs.
impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape().fmt(f)
    }
}
