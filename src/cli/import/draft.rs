//! The policy as it is drafted: rules and entries with the lines they come from, and what is left over.

use super::accounts::Accounts;
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use serde_json::{Value, json};

/// What a source comes to.
#[derive(Default)]
pub struct Draft {
    /// `realm`.
    pub realm: Option<String>,
    /// `origin`.
    pub origin: Option<String>,
    /// The rules, in the order of the source.
    pub rules: Vec<Rule>,
    /// The token entries.
    pub tokens: Vec<Token>,
    /// The keys that they name.
    pub keys: Vec<Key>,
    /// The accounts.
    pub accounts: Accounts,
    /// What could not be carried over, and what means less here than there.
    pub left: Vec<Left>,
    /// What is protected in the source and no rule says.
    pub unsaid: Vec<Unsaid>,
    /// Lines that the operator may want to add, behind `#`.
    pub suggestions: Vec<String>,
    /// Whether accounts stand in the source, wherever.
    pub needs_users: bool,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The line it comes from, from 1.
    pub line: usize,
    /// What stands there, for the comment above it.
    pub what: String,
    /// The pattern.
    pub path: String,
    /// `host`.
    pub host: Option<String>,
    /// `methods`; empty for any.
    pub methods: Vec<String>,
    /// `access`.
    pub access: Access,
    /// `accept`; empty for every kind.
    pub accept: Vec<&'static str>,
    /// `users`.
    pub users: Vec<String>,
    /// `groups`.
    pub groups: Vec<String>,
    /// `networks`.
    pub networks: Vec<String>,
    /// Whether no expression can take the path away from it (nginx `=` and `^~`).
    pub settled: bool,
}

/// Who reaches a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Who proves who they are: what is not certain, too.
    #[default]
    Authenticated,
    /// Everybody.
    Public,
    /// Nobody.
    Denied,
}

impl Access {
    /// As the policy writes it; `None` for the default.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Authenticated => None,
            Self::Public => Some("public"),
            Self::Denied => Some("denied"),
        }
    }
}

/// A token entry of the format `nginx-hmac`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The line it comes from.
    pub line: usize,
    /// The kids of its keys.
    pub keys: Vec<String>,
    /// Names of the query parameters: signature, timestamp, expires.
    pub parameters: [String; 3],
    /// The message, with nginx's variables.
    pub pattern: String,
    /// Whether one of the keys is short.
    pub weak_keys: bool,
}

/// A key of `EDGEWARD_KEYS`.
pub struct Key {
    /// Its id.
    pub kid: String,
    /// Its algorithm.
    pub algorithm: HmacAlgorithm,
    /// The secret's text.
    pub secret: Secret<String>,
}

/// What is left over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The line; `None` for the file as a whole.
    pub line: Option<usize>,
    /// The file, where it is not the source itself.
    pub file: Option<String>,
    /// What stands there; never a secret.
    pub what: String,
    /// Why it is not carried over, or how it differs.
    pub why: String,
    /// Whether it is carried over all the same, and only differs.
    pub carried: bool,
}

/// What the source protects and no rule says: what is public around it must not cover it.
pub struct Unsaid {
    /// The line.
    pub line: usize,
    /// What stands there.
    pub what: String,
    /// The host it is for; `None` for any.
    pub host: Option<String>,
    /// The text its paths begin with; `None` for any path.
    pub prefix: Option<String>,
}

impl Draft {
    /// Notes what is not carried over.
    pub fn leave(&mut self, line: usize, what: impl Into<String>, why: impl Into<String>) {
        self.list(line, what, why, false);
    }

    /// Notes what is carried over and differs.
    pub fn differs(&mut self, line: usize, what: impl Into<String>, why: impl Into<String>) {
        self.list(line, what, why, true);
    }

    fn list(&mut self, line: usize, what: impl Into<String>, why: impl Into<String>, carried: bool) {
        let left = Left { line: Some(line), file: None, what: what.into(), why: why.into(), carried };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }
}

impl Rule {
    /// As the policy holds it.
    pub fn json(&self) -> Value {
        let mut members = serde_json::Map::new();
        members.insert("path".to_owned(), json!(self.path));
        if let Some(host) = &self.host {
            members.insert("host".to_owned(), json!(host));
        }
        if let Some(access) = self.access.name() {
            members.insert("access".to_owned(), json!(access));
        }
        let accept: Vec<String> = self.accept.iter().map(|kind| (*kind).to_owned()).collect();
        for (name, list) in [
            ("methods", &self.methods),
            ("accept", &accept),
            ("users", &self.users),
            ("groups", &self.groups),
            ("networks", &self.networks),
        ] {
            if !list.is_empty() {
                members.insert(name.to_owned(), json!(list));
            }
        }
        Value::Object(members)
    }
}
