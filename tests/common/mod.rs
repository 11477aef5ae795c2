//! A gate with accounts and a key, and requests described in a line.
#![allow(dead_code)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgeward::authenticate::{
    Answers, Authenticated, Circumstances, Gate, Outcome, Question, Stored, Verdict, Who, authenticate,
};
use edgeward::config::{Config, Sources};
use edgeward::password::proven::ProvenCache;
use edgeward::request::{FieldList, RequestFacts};
use edgeward::secret::Secret;
use edgeward::time::UnixTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;

/// 2026-11-22T00:00:00Z.
pub const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

const KEY: &[u8] = b"the key of these tests, 32 octets";

/// One HS256 key.
pub const KEYS: &str =
    r#"{"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":"dGhlIGtleSBvZiB0aGVzZSB0ZXN0cywgMzIgb2N0ZXRz"}]}"#;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// The gate of a policy; the password of every account is `right`.
pub fn gate(policy: &str) -> Gate {
    gate_with(policy, SECRET)
}

/// The same, with an `EDGEWARD_SECRET`.
pub fn gate_with(policy: &str, secret: &str) -> Gate {
    let hash = "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$";
    let mut tag = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"right", b"saltsaltsaltsalt", 1000, &mut tag);
    let hash = format!("{hash}{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(tag));
    let users =
        format!("ann:{hash}\nbob:{hash}:team\noff:{hash}:team:!suspended\nold:{hash}:!until=2026-01-01");
    let sources = Sources {
        policy: Some(policy.to_owned()),
        secret: Some(Secret::new(secret.to_owned())),
        keys: Some(Secret::new(KEYS.to_owned())),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(users))],
        assets: true,
        ..Sources::default()
    };
    let gate = Gate::new(Config::parse(&sources, nfc));
    gate.config.problems.iter().for_each(|problem| println!("{problem}"));
    gate
}

pub fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// A token with these claims, and an `exp` where they have none.
pub fn token(claims: &str) -> String {
    let claims = match claims.strip_prefix('{') {
        Some("}") => r#"{"exp":4102444800}"#.to_owned(),
        Some(rest) if !claims.contains("\"exp\"") => format!("{{\"exp\":4102444800,{rest}"),
        _ => claims.to_owned(),
    };
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"k"}"#),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mac = Hmac::<Sha256>::new_from_slice(KEY).expect("any length").chain_update(&input);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A request that is only described.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    uri: String,
    lines: Vec<(String, String)>,
}

impl Request {
    pub fn new(method: &str, uri: &str) -> Self {
        Self { method: method.into(), uri: uri.into(), lines: Vec::new() }
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    pub fn uri(&self) -> &str {
        &self.uri
    }

    pub fn lines(&self) -> impl Iterator<Item = (&String, &str)> {
        self.lines.iter().map(|(name, value)| (name, value.as_str()))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.lines.push((name.into(), value.into()));
        self
    }

    pub fn basic(self, user: &str, password: &str) -> Self {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        self.with("Authorization", &value)
    }

    pub fn bearer(self, claims: &str) -> Self {
        let value = format!("Bearer {}", token(claims));
        self.with("Authorization", &value)
    }
}

/// What the gate says, in a word or two.
pub fn verdict(gate: &Gate, request: &Request) -> String {
    let fields = FieldList::new(request.lines.iter().map(|(name, value)| (name, value.as_str())));
    let facts = RequestFacts::new(&request.method, &request.uri, &fields).expect("an absolute URI");
    let proven = ProvenCache::new(&Secret::new([7; 32]));
    let answers = Answers::default();
    let at = Circumstances {
        now: NOW,
        proven: &proven,
        answers: &answers,
        store: Stored::nothing(),
        confirmed: None,
        nfc,
    };
    let decision = match authenticate(gate, &facts, &at) {
        Outcome::Decided(decision) => decision,
        Outcome::Needs(Question::Password(question)) => {
            let users = gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref()).expect("accounts");
            let mut answers = answers.clone();
            answers.password = Some(users.check(&question.user_pass));
            match authenticate(gate, &facts, &Circumstances { answers: &answers, ..at }) {
                Outcome::Decided(decision) => decision,
                Outcome::Needs(_) => panic!("asked twice"),
            }
        }
        Outcome::Needs(Question::Store) => return "store".into(),
        Outcome::Needs(Question::Account(user)) => return format!("account {user}"),
        Outcome::Needs(Question::Ledger(question)) => return format!("ledger {}", question.method),
    };
    let name = |who: &Authenticated| who.user().unwrap_or("somebody").to_owned();
    match decision.verdict {
        Verdict::Pass(passage) => match passage.who() {
            Who::Anyone => "public".into(),
            Who::Known(who) => name(who),
            Who::Reported(refused) => format!("reported {}", refused.refusal.cause.name()),
        },
        Verdict::Exchange(exchange) => format!("exchange {}", name(&exchange.who)),
        Verdict::ToHttps => "to-https".into(),
        Verdict::Preflight(_) => "preflight".into(),
        Verdict::Reserved(None) => "reserved".into(),
        Verdict::Reserved(Some(who)) => format!("reserved {}", name(&who)),
        Verdict::Refused(refused) => refused.refusal.cause.name().into(),
    }
}
