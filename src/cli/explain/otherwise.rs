//! What would have to be otherwise for a refused request to pass.

use super::report::Asked;
use super::{links, presented};
use crate::cli::clock::{seconds_between, span};
use crate::cli::nfc;
use crate::cli::output::visible;
use crate::cli::token::advice::{self, Looked};
use edgeward::api_key::{self, Form};
use edgeward::credentials::{Credentials, basic};
use edgeward::policy::{Access, Kind, Rule};
use edgeward::time::UnixTime;
use edgeward::verdict::{Cause, Refusal};

/// Sentences, none where the verdict says all.
pub fn otherwise(asked: &Asked<'_>, rule: Option<&Rule>, refusal: &Refusal) -> Vec<String> {
    match (refusal.cause, rule) {
        (Cause::CredentialsMissing | Cause::CredentialsUnsupported, Some(rule)) => missing(asked, rule),
        (Cause::CredentialsWrong, Some(rule)) => wrong(asked, rule),
        (Cause::NotAllowed, Some(rule)) => not_allowed(asked, rule),
        (Cause::InsufficientScope, Some(rule)) => {
            let name = refusal.user.as_deref().map_or_else(String::new, |user| format!(" {}", visible(user)));
            vec![format!("Whoever passes{name} would have to have the scopes {}.", rule.scopes.join(" "))]
        }
        (Cause::Denied, Some(rule)) => vec![denied(rule)],
        (Cause::CrossSite, _) => vec![
            "A page of this site would have to cause it (Sec-Fetch-Site, Origin), or the rule to say cross_site = \
             \"allow\"; API keys and tokens in Authorization are exempt."
                .to_owned(),
        ],
        (Cause::InsecureTransport, _) => vec!["It would have to come by https.".to_owned()],
        (Cause::AccountSuspended, _) => {
            vec!["The account's line in EDGEWARD_USERS would have to be without !suspended.".to_owned()]
        }
        (Cause::PasswordExpired, _) => {
            vec!["The account's line in EDGEWARD_USERS would have to have a later !until.".to_owned()]
        }
        (Cause::NotConfigured, _) => not_configured(asked, refusal),
        (Cause::NotFound, _) => not_found(asked),
        (_, Some(rule)) => of_token(asked, rule, refusal),
        (_, None) => Vec::new(),
    }
}

/// By what the rule lets in, and what looks like credentials that nothing reads.
fn missing(asked: &Asked<'_>, rule: &Rule) -> Vec<String> {
    let kinds: Vec<String> = rule.accept.iter().map(|kind| borne(asked, kind)).collect();
    let mut sentences = vec![format!("It would have to bear {}.", kinds.join(", or "))];
    let unread = links::unread(asked.gate, asked.facts);
    if let [first, ..] = unread.as_slice() {
        sentences.push(format!(
            "It bears what links of the format {} do: an entry with format = \"{first}\" would read it.",
            unread.join(" or ")
        ));
    }
    sentences
}

fn borne(asked: &Asked<'_>, kind: Kind) -> String {
    match kind {
        Kind::Basic => "a user-id and password (Authorization: Basic)".to_owned(),
        Kind::Bearer => "a token (Authorization: Bearer, or where EDGEWARD.tokens says)".to_owned(),
        Kind::ApiKey => format!("an API key ({})", asked.api_key_field()),
        Kind::SignedUrl => "the token of a signed URL".to_owned(),
        Kind::Session => "the cookie of a sign-in".to_owned(),
    }
}

/// The client is not told which of these it is; who has the secrets may know.
fn wrong(asked: &Asked<'_>, rule: &Rule) -> Vec<String> {
    presented::looked_at(asked, rule, |credentials, _| match credentials {
        Credentials::Basic(value) => wrong_password(asked, value.expose()),
        Credentials::ApiKey(key) => vec![unknown_key(asked, key.expose())],
        Credentials::Token(..) => {
            let elsewhere =
                if asked.gate.config.store { ", or EDGEWARD_KV, which is not looked in here" } else { "" };
            vec![format!(
                "EDGEWARD_USERS would have to have an account of the name that is the token's sub{elsewhere}."
            )]
        }
        _ => Vec::new(),
    })
}

fn wrong_password(asked: &Asked<'_>, value: &str) -> Vec<String> {
    let Ok(sent) = basic::parse(value, nfc) else { return Vec::new() };
    let verifiers = asked.gate.config.verifiers.as_ref();
    let users = verifiers.and_then(|verifiers| verifiers.users.as_ref());
    let user = visible(&sent.user);
    vec![match users.and_then(|users| users.account(&sent.user)) {
        Some(_) => format!("The account {user} is there: the password would have to be its own."),
        None if asked.gate.config.store => format!(
            "EDGEWARD_USERS would have to have an account {user}, or EDGEWARD_KV, which is not looked in here: `edgeward hash` \
             makes its line."
        ),
        None => {
            format!("EDGEWARD_USERS would have to have an account {user}: `edgeward hash` makes its line.")
        }
    }]
}

fn unknown_key(asked: &Asked<'_>, key: &str) -> String {
    let in_store = asked.gate.config.policy.as_ref().is_some_and(|policy| policy.api_key.in_store);
    match api_key::form(key) {
        Form::Mistyped => {
            "It would have to be copied once more, whole: a key of ours has 52 letters and digits.".to_owned()
        }
        Form::Ours | Form::Foreign if in_store => {
            "Its line would have to be in EDGEWARD_API_KEYS, or in EDGEWARD_KV, which is not looked in here: \
             `edgeward api-key --check --list FILE` looks in a copy of that list."
                .to_owned()
        }
        Form::Ours | Form::Foreign => {
            "Its line would have to be in EDGEWARD_API_KEYS: `edgeward api-key` makes key and line."
                .to_owned()
        }
    }
}

fn not_allowed(asked: &Asked<'_>, rule: &Rule) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(from) = rule.not_before.filter(|from| asked.now < *from) {
        sentences.push(format!("The rule lets someone in from {from} on."));
    }
    if let Some(until) = rule.not_after.filter(|until| asked.now >= *until) {
        sentences.push(format!("The rule let someone in until {until}."));
    }
    let address = asked.facts.client_address();
    let is_inside = address.is_some_and(|it| rule.networks.iter().any(|network| network.contains(it)));
    if !rule.networks.is_empty() && !is_inside {
        let networks: Vec<String> = rule.networks.iter().map(ToString::to_string).collect();
        let from = address.map_or("is not said (--address)".to_owned(), |it| format!("is {it}"));
        sentences
            .push(format!("The client's address would have to be in {}; it {from}.", networks.join(", ")));
    }
    if sentences.is_empty() {
        sentences.push(format!("Who asks would have to be one of these: {}.", admitted(rule)));
    }
    sentences
}

fn admitted(rule: &Rule) -> String {
    let admits = &rule.admits;
    let lists = [("users", &admits.users), ("groups", &admits.groups), ("api_keys", &admits.api_keys)];
    let mut parts: Vec<String> = lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(key, names)| format!("{key} {}", visible(&names.join(", "))))
        .collect();
    let claims: Vec<String> = admits
        .claims
        .iter()
        .map(|(name, values)| format!("{} = {}", visible(name), visible(&values.join(" or "))))
        .collect();
    if !claims.is_empty() {
        parts.push(format!("claims {}", claims.join(" and ")));
    }
    parts.join("; ")
}

fn denied(rule: &Rule) -> String {
    match (&rule.methods, rule.access) {
        (_, Access::Denied) => "The rule would have to have another access than \"denied\".".to_owned(),
        (Some(methods), _) => format!(
            "The method would have to be one of {}, or another rule for this path be for this one.",
            methods.join(", ")
        ),
        (None, _) => "A rule for this path would have to be for this method.".to_owned(),
    }
}

fn not_configured(asked: &Asked<'_>, refusal: &Refusal) -> Vec<String> {
    if refusal.sent == Some(Kind::SignedUrl) && !asked.gate.config.ledger {
        return vec![
            "The link counts its uses: EDGEWARD_LEDGER would have to be bound, with [[durable_objects.bindings]] and its \
             [[migrations]] in wrangler.toml."
                .to_owned(),
        ];
    }
    vec!["`edgeward check` says what is wrong, and what to do.".to_owned()]
}

fn not_found(asked: &Asked<'_>) -> Vec<String> {
    let what = match asked.facts.path {
        edgeward::reserved::TOKEN => "[vars.EDGEWARD.token] would have to be there: it offers fresh tokens.",
        edgeward::reserved::LINK => "EDGEWARD.tokens would have to have a format of signed URLs.",
        edgeward::reserved::REVOKE => {
            "EDGEWARD_LEDGER would have to be bound: it keeps what is revoked at once."
        }
        _ => return Vec::new(),
    };
    vec![what.to_owned()]
}

/// Why a token is not taken is taken apart where tokens are: here is what can be said in a sentence.
fn of_token(asked: &Asked<'_>, rule: &Rule, refusal: &Refusal) -> Vec<String> {
    if refusal.cause == Cause::TokenNeedsConfirmation {
        return vec![
            "A person would have to press the button of the page: see what a click does.".to_owned(),
        ];
    }
    presented::looked_at(asked, rule, |credentials, _| match credentials {
        Credentials::Token(token, _) => of_jwt(asked, token.expose(), refusal),
        Credentials::Link(_) | Credentials::Jar(_) => of_link(refusal, asked.now),
        _ => Vec::new(),
    })
}

fn of_jwt(asked: &Asked<'_>, token: &str, refusal: &Refusal) -> Vec<String> {
    if asked.fresh().is_some_and(|fresh| fresh.is_ours(token)) {
        return match refusal.cause {
            Cause::TokenExpired => {
                vec![
                    "Its client would have to get the next one: POST /.edgeward/token with its API key."
                        .to_owned(),
                ]
            }
            Cause::TokenWrongAudience => {
                vec![
                    "A fresh token is good on the site that made it: its client would have to get one here."
                        .to_owned(),
                ]
            }
            _ => Vec::new(),
        };
    }
    let policy = asked.gate.config.policy.as_ref();
    advice::advice(&Looked::at(token, asked.secrets, policy, Some(refusal), asked.now))
}

fn of_link(refusal: &Refusal, now: UnixTime) -> Vec<String> {
    let first = match (refusal.cause, refusal.when) {
        (Cause::TokenExpired, Some(end)) => format!(
            "It expired {} ago, and no leeway is given on that: a fresh link is needed.",
            exact(now.since(end).seconds())
        ),
        (Cause::TokenNotYetValid, Some(from)) => {
            format!("It is good from {from} on, in {}.", exact(seconds_between(now, from)))
        }
        (Cause::TokenMissingClaim, _) => {
            "The signer would have to give it an expiry, or its entry to say require = [].".to_owned()
        }
        _ => "`edgeward url verify` reads the link from standard input and says what it was signed for."
            .to_owned(),
    };
    vec![first]
}

/// Seconds as they are, and in words where these say more.
fn exact(seconds: i64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{seconds} s ({})", span(seconds)) }
}
