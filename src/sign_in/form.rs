//! What the form of the sign-in page sends.
//!
//! 1. Fields of ours: `username`, `password`, `remember`; `code` or `recovery` for the second factor; `return_to`; `tab`, where the
//!    page stands in a tab that was opened to sign in. All others are somebody's extension, and left alone.
//! 2. A form with `username` is the first factor, whatever else stands there; one without it the second.
//! 3. User-id and password are under the rules of Basic ([`basic::user_pass`]): NFC, no control characters, 1,024 octets. Spaces
//!    around the user-id are cut: keyboards that complete words add one, and no line begins or ends with any.
//! 4. A field of ours that stands there twice, or is no UTF-8, has no value: nobody can say which was meant.

use crate::credentials::{basic, query};
use crate::password::{Nfc, UserPass};
use crate::reserved::form_value;
use crate::return_to::ReturnTo;
use crate::secret::Secret;
use std::borrow::Cow;

/// A form that was sent.
#[derive(Clone, Debug)]
pub struct SignInForm {
    /// The user-id as it was typed: shown once more where the sign-in fails, escaped, and never looked up.
    pub typed: String,
    /// What it is to prove.
    pub step: Step,
    /// Where whoever signs in wants to go.
    pub return_to: ReturnTo,
    /// Whether it came from a tab that was opened to sign in.
    pub tab: bool,
}

/// What a form is to prove.
#[derive(Clone, Debug)]
pub enum Step {
    /// The first factor.
    Password {
        /// User-id and password.
        user_pass: UserPass,
        /// Whether the sign-in is to outlive the browser.
        remember: bool,
    },
    /// The second factor: what the app shows.
    Code(Secret<String>),
    /// The second factor: a code that was written down.
    Recovery(Secret<String>),
    /// Nothing: a sentence says why.
    Malformed(&'static str),
}

impl SignInForm {
    /// Reads the content of a POST. `origin` and `hosts`: where it may lead back to (see [`ReturnTo::parse`]).
    #[must_use]
    pub fn read(content: &str, origin: &str, hosts: &[String], nfc: Nfc) -> Self {
        let value = |name| form_value(content, name);
        let return_to = value("return_to").and_then(|text| ReturnTo::parse(&text, origin, hosts));
        Self {
            typed: value("username").map(|user| user.trim_matches(' ').to_owned()).unwrap_or_default(),
            step: step(content, nfc),
            return_to: return_to.unwrap_or_else(|| ReturnTo::front(origin)),
            tab: value("tab").is_some_and(|tab| tab == "1"),
        }
    }

    /// Whether "keep me signed in" was chosen.
    #[must_use]
    pub const fn remembers(&self) -> bool {
        matches!(self.step, Step::Password { remember: true, .. })
    }

    /// Whether it is the form of the second factor.
    #[must_use]
    pub const fn is_second(&self) -> bool {
        matches!(self.step, Step::Code(_) | Step::Recovery(_))
    }
}

fn step(content: &str, nfc: Nfc) -> Step {
    let value = |name| form_value(content, name);
    if query::values(content, "username").next().is_none() {
        return second(value("code"), value("recovery"));
    }
    let (Some(user), Some(password)) = (value("username"), value("password")) else {
        return Step::Malformed("The form has not one user-id and one password.");
    };
    match basic::user_pass(user.trim_matches(' '), &password, nfc) {
        Ok(user_pass) => Step::Password { user_pass, remember: is_chosen(content) },
        Err(detail) => Step::Malformed(detail),
    }
}

/// Two fields stand there, and one of them may have been left empty.
fn second(code: Option<Cow<'_, str>>, recovery: Option<Cow<'_, str>>) -> Step {
    let is_empty = |sent: &Option<Cow<'_, str>>| sent.as_deref().is_none_or(str::is_empty);
    match (is_empty(&recovery), is_empty(&code), code, recovery) {
        (true, _, Some(code), _) => Step::Code(Secret::new(code.into_owned())),
        (_, true, _, Some(recovery)) => Step::Recovery(Secret::new(recovery.into_owned())),
        _ => Step::Malformed("The form has neither one user-id with a password nor one code."),
    }
}

/// A box that is ticked sends its value, one that is not sends nothing.
fn is_chosen(content: &str) -> bool {
    form_value(content, "remember").is_some_and(|value| matches!(&*value, "1" | "on" | "true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::nfc;
    use proptest::prelude::*;

    fn read(content: &str) -> SignInForm {
        SignInForm::read(content, "https://h", &["https://b.example".to_owned()], nfc)
    }

    fn said(content: &str) -> String {
        match read(content).step {
            Step::Password { user_pass, remember } => {
                format!("{}|{}|{remember}", user_pass.user, user_pass.password.expose())
            }
            Step::Code(code) => format!("code {}", code.expose()),
            Step::Recovery(code) => format!("recovery {}", code.expose()),
            Step::Malformed(_) => "malformed".to_owned(),
        }
    }

    #[test]
    fn steps() {
        for (content, wanted) in [
            ("username=ann&password=pa%3Ass+w%26rd", "ann|pa:ss w&rd|false"),
            ("username=ann&password=x&remember=1&return_to=/", "ann|x|true"),
            ("password=x&remember=on&username=+ann+", "ann|x|true"),
            ("username=ann&password=x&remember=0", "ann|x|false"),
            ("username=ann&password=x&remember=1&remember=1", "ann|x|false"),
            ("username=ann&password=", "ann||false"),
            ("username=ann&password=++", "ann|  |false"),
            ("username=Zoe%CC%88&password=e%CC%81", "Zo\u{eb}|\u{e9}|false"),
            ("username=ann&password=x&code=123456", "ann|x|false"),
            ("username=a%40b%40c&password=x", "a@b@c|x|false"),
            ("code=123456", "code 123456"),
            ("code=123456&recovery=", "code 123456"),
            ("code=&recovery=ABCDE-FGHJK", "recovery ABCDE-FGHJK"),
            ("recovery=ABCDE-FGHJK", "recovery ABCDE-FGHJK"),
            ("code=", "code "),
            ("", "malformed"),
            ("username=ann", "malformed"),
            ("password=x", "malformed"),
            ("password=x&code=123456", "code 123456"),
            ("username=a&username=b&code=123456", "malformed"),
            ("username=&password=x", "malformed"),
            ("username=+&password=x", "malformed"),
            ("username=a&username=b&password=x", "malformed"),
            ("username=a&password=x&password=y", "malformed"),
            ("username=a%00&password=x", "malformed"),
            ("username=a&password=x%0A", "malformed"),
            ("username=a%09&password=x", "malformed"),
            ("username=%ff&password=x", "malformed"),
            ("username=a%C2%85&password=x", "malformed"),
            ("code=1&code=2", "malformed"),
            ("code=1&recovery=2", "malformed"),
        ] {
            assert_eq!(said(content), wanted, "{content}");
        }
    }

    #[test]
    fn the_length_of_basic() {
        let password = |length: usize| format!("username=ann&password={}", "x".repeat(length));
        assert!(matches!(read(&password(1020)).step, Step::Password { .. }));
        assert!(matches!(read(&password(1021)).step, Step::Malformed(_)));
    }

    #[test]
    fn where_it_leads_back_to() {
        for (content, wanted) in [
            ("return_to=%2Fa%3Fb%23c", "https://h/a?b#c"),
            ("return_to=https%3A%2F%2Fb.example%2Fx", "https://b.example/x"),
            ("return_to=//evil", "https://h/"),
            ("return_to=https://evil/", "https://h/"),
            ("return_to=/a&return_to=/b", "https://h/"),
            ("return_to=", "https://h/"),
            ("", "https://h/"),
        ] {
            assert_eq!(read(content).return_to.url(), wanted, "{content}");
        }
    }

    #[test]
    fn what_was_typed_is_kept_and_the_password_is_not() {
        let form = read("username=+<b>Ann&password=hunter2&tab=1&remember=1");
        assert_eq!((form.typed.as_str(), form.tab, form.remembers()), ("<b>Ann", true, true));
        assert!(!format!("{form:?}").contains("hunter2"));
        let form = read("code=271828&tab=true");
        assert!(form.is_second() && !form.tab && !form.remembers());
        assert!(!format!("{form:?}").contains("271828"));
    }

    proptest! {
        #[test]
        fn never_panics(content in "([a-z_]{1,9}=[ -~%é]{0,12}&?){0,6}") {
            let form = read(&content);
            prop_assert!(["https://h", "https://b.example"].contains(&form.return_to.origin()));
        }

        #[test]
        fn what_a_browser_sends_is_read(user in "[a-zA-Zäß0-9@._-]{1,20}", password in "[ -~é€]{0,40}") {
            let encode = |text: &str| text.bytes().map(|octet| format!("%{octet:02x}")).collect::<String>();
            let content = format!("username={}&password={}", encode(&user), encode(&password));
            prop_assert_eq!(said(&content), format!("{}|{}|false", nfc(&user), nfc(&password)));
        }
    }
}
