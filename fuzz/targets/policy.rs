//! Configuration: any text gives a configuration, one that opens nothing it does not say, and no problem tells a secret.
//!
//! Texts between lines of `---`: the policy, `EDGEWARD_KEYS`, `EDGEWARD_USERS`, `EDGEWARD_SECRET` and
//! `EDGEWARD_ORIGIN_AUTHORIZATION`; one that is `-` is not there, and those left out are good. `§` stands for octets that
//! nobody may see, `¶` for the same in base64url.

mod secrets;

use super::{nfc, text};
use edgeward::authenticate::{Answers, Circumstances, Gate, Outcome, Stored, Verdict, Who, authenticate};
use edgeward::config::{Config, Problem, Sources};
use edgeward::password::proven::ProvenCache;
use edgeward::policy::{Access, Mode, Policy};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::secret::Secret;
use edgeward::time::UnixTime;
use serde_json::Value;

/// A key for each algorithm.
const KEYS: &str = r#"{"keys":[
    {"kty":"oct","kid":"a","alg":"HS256","k":"Wm_rKDWUrtHXsrq4A5v84frPeuxVWfgg0LPPZDrEKgE"},
    {"kty":"oct","kid":"b","alg":"HS512","k":"Qm_rKDWUrtHXsrq4A5v84frPeuxVWfgg0LPPZDrEKgFKbStDWUrtHXsrq4A5v84frPeuxVWfgg0LPPZDrEKgAA"}
]}"#;
const USERS: &str = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi:editors";
const ROOT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// What the keys of a policy may be called.
const POLICY_KEYS: &str = "realm origin leeway log http hsts brand rules tokens api_key forward cors origin_timeout \
                           websocket paths";
/// What the keys of a rule may be called.
const RULE_KEYS: &str = "path host methods access accept scopes users groups claims networks not_before not_after mode \
                         shared_cache forward_credentials cross_site";

/// The texts of an input.
struct Texts {
    policy: Option<String>,
    keys: Option<String>,
    users: Option<String>,
    root: Option<String>,
    origin: Option<String>,
}

impl Texts {
    fn read(text: &str) -> Self {
        let mut parts = text.split("\n---\n");
        let mut next = |good: &str| match parts.next() {
            None => Some(good.to_owned()),
            Some("-") => None,
            Some(text) => Some(secrets::marked(text)),
        };
        let (policy, keys, users, root) = (next("{}"), next(KEYS), next(USERS), next(ROOT));
        Self { policy, keys, users, root, origin: next("Basic b3JpZ2luOnB3") }
    }

    fn sources(&self) -> Sources {
        let secret = |text: &Option<String>| text.clone().map(Secret::new);
        let users = secret(&self.users).map(|users| ("EDGEWARD_USERS".to_owned(), users));
        Sources {
            policy: self.policy.clone(),
            secret: secret(&self.root),
            keys: secret(&self.keys),
            users: users.into_iter().collect(),
            origin_authorization: secret(&self.origin),
            assets: true,
            ..Sources::default()
        }
    }
}

/// Checks the configuration that the texts give.
pub fn run(data: &[u8]) {
    let texts = Texts::read(&text(data));
    let config = Config::parse(&texts.sources(), nfc);
    whole_or_told(&config);
    config.problems.iter().chain(&config.warnings).for_each(readable);
    secrets::stay_hidden(&config, &texts);
    if let Some(policy) = &config.policy {
        says_what_was_written(policy, texts.policy.as_deref().unwrap_or("{}"));
    }
    nobody_passes_by_mistake(config);
}

/// What cannot be used is told, and what is not told can be used.
fn whole_or_told(config: &Config) {
    let is_whole = config.policy.is_some() && config.verifiers.is_some() && config.root.is_some();
    if config.problems.is_empty() {
        assert!(is_whole, "something is missing, and nobody is told");
    }
    if config.verifiers.is_some() {
        assert!(is_whole && config.problems.is_empty(), "{:?}", config.problems);
    }
    assert!(config.problems.len() <= 202 && config.warnings.len() <= 101, "a log is flooded");
}

/// A sentence on one line, with a place.
fn readable(problem: &Problem) {
    assert!(!problem.at.is_empty() && !problem.expected.is_empty() && !problem.fix.is_empty(), "{problem:?}");
    let sentence = problem.to_string();
    assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
    assert!(sentence.chars().count() < 1500, "{sentence}");
}

/// A usable policy has no key that nobody knows, and each rule the access that is written there.
fn says_what_was_written(policy: &Policy, text: &str) {
    let written: Value = serde_json::from_str(text).expect("JSON to every reader");
    known_keys(&written, POLICY_KEYS);
    let none = Vec::new();
    let rules = written.get("rules").and_then(Value::as_array).unwrap_or(&none);
    assert_eq!(policy.rules.iter().count(), rules.len() + 1, "each rule, and what holds elsewhere");
    for rule in policy.rules.iter() {
        let access = rule.index.map(|index| &rules[index]).inspect(|rule| known_keys(rule, RULE_KEYS));
        let access = access
            .and_then(|rule| rule.get("access"))
            .map_or("authenticated", |it| it.as_str().unwrap_or("?"));
        let expected = match rule.access {
            Access::Authenticated => "authenticated",
            Access::Public => "public",
            Access::Denied => "denied",
        };
        assert_eq!(access, expected, "{rule:?}");
    }
    assert!(policy.realm.bytes().all(|b| (0x20..0x7F).contains(&b)), "{:?}", policy.realm);
    assert!((0..=300).contains(&policy.leeway.seconds()));
}

fn known_keys(table: &Value, known: &str) {
    for key in table.as_object().expect("a table").keys() {
        assert!(known.split_whitespace().any(|name| name == key), "{key:?} was passed over");
    }
}

/// Without credentials, or with wrong ones, only public rules and those in report mode let anybody pass.
fn nobody_passes_by_mistake(config: Config) {
    let gate = Gate::new(config);
    let proven = ProvenCache::new(&Secret::new([7; 32]));
    let mut answers = Answers::default();
    answers.password.replace(false);
    let at = Circumstances {
        now: NOW,
        proven: &proven,
        answers: &answers,
        store: Stored::nothing(),
        confirmed: None,
        nfc,
    };
    let wrong = [("authorization", "Basic YW5uOndyb25n"), ("authorization", "Bearer e30.e30.AA")];
    for fields in [&[][..], &wrong[..1], &wrong[1..]] {
        let fields = FieldList::new(fields.iter().copied());
        for (method, uri) in
            [("GET", "https://h/"), ("POST", "https://h/a/b"), ("GET", "https://api.example/a?q=1")]
        {
            let facts = RequestFacts::new(method, uri, &fields).expect("an absolute URI");
            if let Outcome::Decided(decision) = authenticate(&gate, &facts, &at)
                && let Verdict::Pass(passage) = decision.verdict
            {
                let rule = passage.rule();
                match passage.who() {
                    Who::Anyone => assert_eq!(rule.access, Access::Public),
                    Who::Reported(_) => assert_eq!(rule.mode, Mode::Report),
                    Who::Known(who) => panic!("{who:?} proved nothing"),
                }
            }
        }
    }
}
