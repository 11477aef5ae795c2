//! The one thing to do, and the ways out beside it.

use crate::policy::Brand;
use crate::reply::catalog::Variant;
use crate::reply::said::Said;
use crate::verdict::Cause;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The same page once more, for the browser to ask for user name and password.
    SignIn,
    /// The same page once more.
    Again,
    /// The front page.
    Front,
    /// Whoever helps.
    Support,
    /// Where a password is replaced.
    Password,
    /// The same page over https.
    Secure,
    /// Where the state of the site is told.
    Status,
    /// The page that asks for user name and password, for who came another way.
    SignInPage,
    /// The same, for who is signed in already.
    Other,
    /// Where this site's sign-in data is cleared.
    Clear,
    /// Where whoever asked for this page wants to go.
    Next,
    /// Back to where one came from.
    Back,
    /// To the host where one signs in, in a new tab.
    Away,
    /// To a Discourse, to sign in there.
    Discourse,
}

/// The ways out that sessions open on the page of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exits {
    /// This site keeps sign-in data in the browser.
    pub clear: bool,
    /// Signing in may help, and this page does not ask for it.
    pub sign_in: bool,
    /// The visitor is signed in, and may do so as somebody else.
    pub other: bool,
    /// The page stands at another address than the one that was asked for.
    pub elsewhere: bool,
}

impl Exits {
    /// None.
    pub const NONE: Self = Self { clear: false, sign_in: false, other: false, elsewhere: false };
}

/// The button of a page, if it has one, and the plain links below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// The one thing to do.
    pub button: Option<Action>,
    /// Secondary ways out.
    pub links: Vec<Action>,
}

/// What may be done about a cause, with what the brand has to offer. `at_front`: the front page is what was asked for.
#[must_use]
pub fn ways(cause: Cause, variant: Variant, brand: &Brand, at_front: bool, exits: Exits) -> Ways {
    let possible = |action: &Action| is_possible(*action, brand) && (*action != Action::Front || !at_front);
    let account = account(cause, exits);
    // A form is the one thing to do.
    let asks = matches!(variant, Variant::Form | Variant::Code);
    let first = [best(cause, variant, account), Some(Action::Support)];
    let button = first.into_iter().flatten().find(possible).filter(|_| !asks);
    let mut links: Vec<Action> = account.into_iter().collect();
    links.extend(also(cause, variant));
    // Where nothing can be done at once, the front page is a way out but not what is asked for.
    let stuck = button.is_none_or(|it| Some(it) == account) && !asks;
    links.extend(stuck.then_some(Action::Front));
    links.extend(exits.clear.then_some(Action::Clear));
    links.retain(|link| possible(link) && Some(*link) != button);
    Ways { button, links }
}

/// The ways out of a page that is no refusal.
#[must_use]
pub fn said_ways(said: Said, brand: &Brand) -> Ways {
    let (button, links): (_, &[Action]) = match said {
        Said::SignIn => (None, &[Action::Support]),
        Said::SignedIn => (Some(Action::Next), &[]),
        Said::SignOut | Said::Clear => (None, &[Action::Back]),
        Said::SignedOut | Said::SignedOutEverywhere | Said::SignedOutHere | Said::SignedOutNot => {
            (Some(Action::SignInPage), &[Action::Front])
        }
        Said::Cleared => (Some(Action::Next), &[]),
        Said::Away => (Some(Action::Away), &[Action::Support]),
        Said::SignedInTab | Said::SignedOutBasic => (None, &[]),
    };
    let links = links.iter().copied().filter(|link| is_possible(*link, brand)).collect();
    Ways { button, links }
}

fn is_possible(action: Action, brand: &Brand) -> bool {
    match action {
        Action::Support => brand.support.is_some(),
        Action::Password => brand.forgot_password.is_some(),
        Action::Status => brand.status_page.is_some(),
        _ => true,
    }
}

/// Signing in as who one is not yet, where that may help.
const fn account(cause: Cause, exits: Exits) -> Option<Action> {
    match cause {
        Cause::NotAllowed
        | Cause::InsufficientScope
        | Cause::AccountSuspended
        | Cause::PasswordExpired
        | Cause::SecondFactorRequired
            if exits.other =>
        {
            Some(Action::Other)
        }
        _ if exits.sign_in => Some(Action::SignInPage),
        _ => None,
    }
}

/// What helps best: another account only where nothing else does.
const fn best(cause: Cause, variant: Variant, account: Option<Action>) -> Option<Action> {
    match (cause, account) {
        (Cause::NotAllowed | Cause::InsufficientScope | Cause::SecondFactorRequired, Some(account)) => {
            Some(account)
        }
        _ => first(cause, variant),
    }
}

const fn first(cause: Cause, variant: Variant) -> Option<Action> {
    Some(match cause {
        Cause::CredentialsMissing | Cause::CredentialsMalformed | Cause::CredentialsUnsupported => {
            match variant {
                Variant::Prompt => Action::SignIn,
                Variant::Plain => Action::Support,
                Variant::Program => Action::Again,
                Variant::Form | Variant::Code => return None,
            }
        }
        Cause::CredentialsWrong => match variant {
            Variant::Plain | Variant::Prompt => Action::SignIn,
            Variant::Program => Action::Again,
            Variant::Form | Variant::Code => return None,
        },
        Cause::TokenMalformed
        | Cause::TokenAlgorithm
        | Cause::TokenUnknownKey
        | Cause::TokenBadSignature
        | Cause::TokenExpired
        | Cause::TokenTooOld
        | Cause::TokenWrongIssuer
        | Cause::TokenWrongAudience
        | Cause::TokenMissingClaim
        | Cause::TokenWrongScope
        | Cause::TokenRevoked
        | Cause::TokenSpent => match variant {
            Variant::Program => Action::Again,
            _ => Action::Support,
        },
        Cause::SessionInvalid | Cause::SessionExpired | Cause::SessionIdle | Cause::SessionRevoked => {
            Action::SignIn
        }
        Cause::SecondFactorRequired => Action::Support,
        // Whoever follows that link navigates, and is asked.
        Cause::TokenNotYetValid | Cause::TokenNeedsConfirmation => Action::Again,
        Cause::RequestAmbiguous
        | Cause::NotAllowed
        | Cause::InsufficientScope
        | Cause::Denied
        | Cause::CrossSite
        | Cause::NotFound
        | Cause::MethodNotAllowed
        | Cause::ContentTooLarge => Action::Front,
        Cause::AccountSuspended => Action::Support,
        Cause::PasswordExpired => Action::Password,
        Cause::InsecureTransport => Action::Secure,
        Cause::TooManyAttempts
        | Cause::Internal
        | Cause::OriginUnreachable
        | Cause::OriginTimeout
        | Cause::NotConfigured
        | Cause::CheckUnavailable => Action::Again,
    })
}

/// What may help besides.
fn also(cause: Cause, variant: Variant) -> Vec<Action> {
    match cause {
        // A form has this link beside its password.
        Cause::CredentialsWrong if matches!(variant, Variant::Plain | Variant::Prompt) => {
            vec![Action::Password, Action::Support]
        }
        Cause::CredentialsMissing if variant == Variant::Prompt => vec![Action::Password, Action::Support],
        Cause::Internal
        | Cause::OriginUnreachable
        | Cause::OriginTimeout
        | Cause::NotConfigured
        | Cause::CheckUnavailable => {
            vec![Action::Status, Action::Support]
        }
        _ => vec![Action::Support],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Brand {
        let url = |text: &str| Some(text.to_owned());
        Brand {
            support: url("mailto:help@acme.example"),
            forgot_password: url("https://acme.example/reset"),
            status_page: url("https://status.acme.example"),
            ..Brand::default()
        }
    }

    #[test]
    fn by_table() {
        use Action::{Again, Front, Password, SignIn, Status, Support};
        let (full, bare) = (full(), Brand::default());
        for (cause, variant, brand, at_front, button, links) in [
            (Cause::CredentialsMissing, Variant::Prompt, &full, false, Some(SignIn), vec![Password, Support]),
            (Cause::CredentialsMissing, Variant::Prompt, &bare, false, Some(SignIn), vec![]),
            (Cause::TokenExpired, Variant::Plain, &full, false, Some(Support), vec![]),
            (Cause::TokenExpired, Variant::Plain, &bare, false, None, vec![Front]),
            (Cause::TokenExpired, Variant::Plain, &bare, true, None, vec![]),
            (Cause::TokenExpired, Variant::Program, &bare, false, Some(Again), vec![]),
            (Cause::CredentialsWrong, Variant::Prompt, &full, false, Some(SignIn), vec![Password, Support]),
            (Cause::CredentialsWrong, Variant::Program, &full, false, Some(Again), vec![Support]),
            (Cause::CredentialsWrong, Variant::Form, &full, false, None, vec![Support]),
            (Cause::TooManyAttempts, Variant::Plain, &full, false, Some(Again), vec![Support]),
            (Cause::TokenSpent, Variant::Plain, &full, false, Some(Support), vec![]),
            (Cause::TokenRevoked, Variant::Program, &full, false, Some(Again), vec![Support]),
            (Cause::TokenNeedsConfirmation, Variant::Plain, &full, false, Some(Again), vec![Support]),
            (Cause::CheckUnavailable, Variant::Plain, &full, false, Some(Again), vec![Status, Support]),
            (Cause::Denied, Variant::Plain, &full, false, Some(Front), vec![Support]),
            (Cause::Denied, Variant::Plain, &full, true, Some(Support), vec![]),
            (Cause::Denied, Variant::Plain, &bare, true, None, vec![]),
            (Cause::PasswordExpired, Variant::Plain, &full, false, Some(Password), vec![Support]),
            (Cause::PasswordExpired, Variant::Plain, &bare, false, None, vec![Front]),
            (Cause::OriginTimeout, Variant::Plain, &full, true, Some(Again), vec![Status, Support]),
        ] {
            let it = ways(cause, variant, brand, at_front, Exits::NONE);
            assert_eq!(it, Ways { button, links }, "{cause:?} {variant:?} {at_front}");
        }
    }

    #[test]
    fn sessions_open_ways_out() {
        use Action::{Again, Clear, Front, Other, SignInPage, Support};
        let full = full();
        let exits = |sign_in, other| Exits { clear: true, sign_in, other, elsewhere: false };
        for (cause, exits, button, links) in [
            (Cause::TokenExpired, exits(true, false), Support, vec![SignInPage, Clear]),
            (Cause::NotAllowed, exits(false, true), Other, vec![Support, Front, Clear]),
            (Cause::NotAllowed, exits(true, false), SignInPage, vec![Support, Front, Clear]),
            (Cause::NotAllowed, exits(false, false), Front, vec![Support, Clear]),
            (Cause::AccountSuspended, exits(false, true), Support, vec![Other, Clear]),
            (Cause::SecondFactorRequired, exits(true, false), SignInPage, vec![Support, Front, Clear]),
            (Cause::TooManyAttempts, exits(false, false), Again, vec![Support, Clear]),
        ] {
            let it = ways(cause, Variant::Plain, &full, false, exits);
            assert_eq!(it, Ways { button: Some(button), links }, "{cause:?} {exits:?}");
        }
    }

    #[test]
    fn what_is_said_leads_on() {
        for said in Said::ALL {
            let ways = said_ways(said, &full());
            let ends = matches!(said, Said::SignedInTab | Said::SignedOutBasic);
            let asks = matches!(said, Said::SignIn | Said::SignOut | Said::Clear);
            assert_eq!(ways.button.is_none(), ends || asks, "{said:?}");
        }
    }
}
