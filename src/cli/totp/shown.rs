//! What is shown of a second factor, once.

use super::qr::{self, Style};
use crate::cli::output::visible;
use edgeward::totp::{Digits, Hash, Made, STEP};
use serde_json::{Value, json};

const KEEPING: &str = "Print these or put them into a password manager, not onto the phone that has the app: they are for the \
day that is lost.";

/// A second factor, and what it is called.
pub struct Shown<'a> {
    /// The user-id.
    pub user: &'a str,
    /// What the app calls the site.
    pub issuer: &'a str,
    /// The hash under its HMAC.
    pub hash: Hash,
    /// How many digits its codes have.
    pub digits: Digits,
    /// The second factor.
    pub made: &'a Made,
    /// The line to store.
    pub line: &'a str,
}

impl Shown<'_> {
    /// For people, line by line. `style`: of the QR code, where one is to be drawn.
    pub fn to_people(&self, style: Option<Style>) -> Vec<String> {
        let (uri, typed) = (self.made.uri(self.issuer), self.made.typed());
        let mut lines =
            vec![format!("The second factor of {}, shown this once.", visible(self.user)), String::new()];
        lines.push("For an authenticator app, to scan:".to_owned());
        match style.map(|style| qr::drawn(uri.expose(), style)) {
            Some(Some(code)) => lines.extend(code),
            Some(None) => lines.push("(the names are too long for a QR code)".to_owned()),
            None => {}
        }
        lines.push(uri.expose().clone());
        lines.push(format!("Or to type: {}", typed.expose()));
        lines
            .extend(["", "Recovery codes, each good once in place of a code of the app:"].map(str::to_owned));
        lines.extend(self.codes().chunks(2).map(|pair| format!("  {}", pair.join("    "))));
        lines.extend([KEEPING, ""].map(str::to_owned));
        lines
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "user": self.user,
            "issuer": self.issuer,
            "algorithm": self.hash.name(),
            "digits": self.digits.count(),
            "period": STEP,
            "line": self.line,
            "uri": self.made.uri(self.issuer).expose(),
            "recovery_codes": self.codes(),
        })
    }

    fn codes(&self) -> Vec<String> {
        self.made.enrolment().recovery_codes().map(|code| code.expose().clone()).collect()
    }
}
