//! The one thing to do, and the ways out beside it.

use crate::policy::Brand;
use crate::reply::catalog::Variant;
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
pub fn ways(cause: Cause, variant: Variant, brand: &Brand, at_front: bool) -> Ways {
    let possible = |action: &Action| match action {
        Action::Front => !at_front,
        Action::Support => brand.support.is_some(),
        Action::Password => brand.forgot_password.is_some(),
        Action::Status => brand.status_page.is_some(),
        Action::SignIn | Action::Again | Action::Secure => true,
    };
    let wanted = [first(cause, variant), Action::Support];
    let button = wanted.into_iter().find(possible);
    let mut links = also(cause, variant);
    // Where nothing can be done at once, the front page is a way out but not what is asked for.
    links.extend(button.is_none().then_some(Action::Front));
    links.retain(|link| possible(link) && Some(*link) != button);
    Ways { button, links }
}

/// What helps best.
const fn first(cause: Cause, variant: Variant) -> Action {
    match cause {
        Cause::CredentialsMissing | Cause::CredentialsMalformed | Cause::CredentialsUnsupported => {
            match variant {
                Variant::Prompt => Action::SignIn,
                Variant::Plain | Variant::Form | Variant::Code => Action::Support,
                Variant::Program => Action::Again,
            }
        }
        Cause::CredentialsWrong => match variant {
            Variant::Plain | Variant::Prompt | Variant::Form | Variant::Code => Action::SignIn,
            Variant::Program => Action::Again,
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
            Variant::Plain | Variant::Prompt | Variant::Form | Variant::Code => Action::Support,
            Variant::Program => Action::Again,
        },
        Cause::SessionInvalid
        | Cause::SessionExpired
        | Cause::SessionIdle
        | Cause::SessionRevoked
        | Cause::SecondFactorRequired => Action::SignIn,
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
    }
}

/// What may help besides.
fn also(cause: Cause, variant: Variant) -> Vec<Action> {
    match cause {
        Cause::CredentialsWrong if variant != Variant::Program => vec![Action::Password, Action::Support],
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
            let it = ways(cause, variant, brand, at_front);
            assert_eq!(it, Ways { button, links }, "{cause:?} {variant:?} {at_front}");
        }
    }
}
