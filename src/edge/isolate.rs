//! What lives as long as the isolate: the configuration, prepared once, and caches that each have a bound.

use super::host::{self, Host};
use super::languages::Unavailable;
use super::log;
use crate::api_key::ApiKeys;
use crate::authenticate::Gate;
use crate::authority::away::Elsewhere;
use crate::config::{Config, Sources};
use crate::password::proven::ProvenCache;
use crate::password::stored::StoredAccounts;
use crate::policy::Brand;
use crate::reply::page::Pages;
use crate::revocation::sessions::{self, Ended};
use crate::revocation::{Kept, Lists};
use crate::secret::Secret;
use crate::text::hex;
use crate::time::UnixTime;
use crate::token::assertion::AssertionKey;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Most keys of assertions that are kept: one for each origin a request is sent to.
const MOST_ASSERTION_KEYS: usize = 16;

/// Octets of randomness drawn at a time: a crossing for each 32 requests.
const RANDOM_BATCH: u32 = 512;

/// The key of `EDGEWARD_KV` that holds API keys.
const API_KEYS: &str = "api-keys";

/// For so many seconds it is not told again that a key verified something.
const KEY_TOLD_EVERY: i64 = 60;

/// Keys of which that is remembered.
const MOST_TOLD_KEYS: usize = 64;

/// What lives as long as the isolate.
pub struct Isolate {
    /// Policy, keys and accounts.
    pub gate: Gate,
    /// Passwords that were proven lately.
    pub proven: RefCell<ProvenCache>,
    /// Pages, rendered once.
    pub pages: RefCell<Pages>,
    /// Our name in `Via`.
    pub pseudonym: String,
    assertions: RefCell<Vec<(String, Rc<AssertionKey>)>>,
    templates_asked: RefCell<Vec<u16>>,
    random: RefCell<Vec<u8>>,
    /// Whether the `ASSETS` binding is there.
    pub has_assets: bool,
    /// What was read of `EDGEWARD_KV`.
    pub kept: RefCell<Kept>,
    /// Accounts that were read of it.
    pub accounts: RefCell<StoredAccounts>,
    /// Whether what was read of it let in the request that is answered.
    pub used_store: Cell<bool>,
    api_keys: RefCell<StoredKeys>,
    /// Whether `EDGEWARD_EVENTS` is there.
    pub has_events: bool,
    /// Keys that verified something of late, and when that was last told.
    told_keys: RefCell<Vec<(String, UnixTime)>>,
    /// Languages whose words could not be had.
    pub unavailable: Unavailable,
}

/// The API keys of `EDGEWARD_KV`, and the text they were read from: read again only where that has changed.
#[derive(Default)]
struct StoredKeys {
    text: String,
    keys: Option<Rc<ApiKeys>>,
}

thread_local! {
    static ISOLATE: Cell<Option<&'static Isolate>> = const { Cell::new(None) };
}

/// The moment of the request.
pub fn now(host: &Host) -> UnixTime {
    // `Date.now()` is a whole number far below 2^53.
    #[allow(clippy::cast_possible_truncation)]
    UnixTime::from_millis(host.now() as i64)
}

impl Isolate {
    /// The isolate's state: read from the environment at the first request.
    pub fn of(host: &Host, env: &JsValue) -> &'static Self {
        ISOLATE.get().unwrap_or_else(|| {
            let isolate: &'static Self = Box::leak(Box::new(Self::read(host, env)));
            ISOLATE.set(Some(isolate));
            isolate
        })
    }

    fn read(host: &Host, env: &JsValue) -> Self {
        let config = Config::parse(&sources(host, env), host::nfc);
        log::problems(host, &config);
        let gate = Gate::new(config);
        let has_assets = host.has(env, "ASSETS", "fetch");
        let pages = pages(&gate, has_assets);
        let key = <[u8; 32]>::try_from(host.random(32).as_slice()).unwrap_or_default();
        Self {
            pseudonym: pseudonym(&gate, host),
            gate,
            proven: RefCell::new(ProvenCache::new(&Secret::new(key))),
            pages: RefCell::new(pages),
            assertions: RefCell::default(),
            templates_asked: RefCell::default(),
            random: RefCell::default(),
            has_assets,
            kept: RefCell::default(),
            accounts: RefCell::default(),
            used_store: Cell::new(false),
            api_keys: RefCell::default(),
            has_events: host.has(env, "EDGEWARD_EVENTS", "writeDataPoint"),
            told_keys: RefCell::default(),
            unavailable: Unavailable::default(),
        }
    }

    /// Whether a brand's own page for this status was not asked for yet; it is asked for once.
    pub fn wants_template(&self, status: u16) -> bool {
        let mut asked = self.templates_asked.borrow_mut();
        if asked.contains(&status) || !self.has_assets {
            return false;
        }
        asked.push(status);
        true
    }

    /// Takes a brand's own page; empty where it has none, `None` where that could not be learned: then it is asked for
    /// again. A broken one is logged, and ours is shown.
    pub fn take_template(&self, host: &Host, status: u16, text: Option<&str>) {
        let Some(text) = text else {
            return self.templates_asked.borrow_mut().retain(|asked| *asked != status);
        };
        if text.is_empty() {
            return;
        }
        if let Err(error) = self.pages.borrow_mut().replace(status, text) {
            log::problem(
                host,
                &format!("www/.edgeward/pages/{status}.html: {error}. The built-in page is shown."),
            );
        }
    }

    /// The key of assertions for an audience; `None` while `EDGEWARD_SECRET` is wrong.
    pub fn assertion_key(&self, audience: &str) -> Option<Rc<AssertionKey>> {
        let root = self.gate.config.root.as_ref()?;
        let mut kept = self.assertions.borrow_mut();
        if let Some((_, key)) = kept.iter().find(|(known, _)| known == audience) {
            return Some(Rc::clone(key));
        }
        if kept.len() >= MOST_ASSERTION_KEYS {
            kept.remove(0);
        }
        let key = Rc::new(AssertionKey::new(root, audience)?);
        kept.push((audience.to_owned(), Rc::clone(&key)));
        Some(key)
    }

    /// Whether API keys are read from `EDGEWARD_KV`.
    pub fn stores_keys(&self) -> bool {
        self.gate.config.policy.as_ref().is_some_and(|policy| policy.api_key.in_store)
    }

    /// Whether people can sign in.
    pub fn has_sessions(&self) -> bool {
        self.gate.config.policy.as_ref().is_some_and(|policy| policy.session.is_some())
    }

    /// Keys of `EDGEWARD_KV` that are read with those that say what is revoked, one a line.
    pub fn more_keys(&self) -> String {
        let keys = [(self.stores_keys(), API_KEYS), (self.has_sessions(), sessions::KV_KEY)];
        keys.into_iter().filter(|(is_read, _)| *is_read).flat_map(|(_, key)| [key, "\n"]).collect()
    }

    /// API keys of `EDGEWARD_KV`; `None` where they cannot be read.
    pub fn stored_keys(&self) -> Option<Rc<ApiKeys>> {
        self.api_keys.borrow().keys.clone()
    }

    /// Takes what `EDGEWARD_KV` answered to a question of the moment `asked`; `None` where it did not.
    pub fn take_store(&self, host: &Host, values: Option<&[Option<String>]>, asked: UnixTime) {
        let lists = match values {
            Some([ids, subjects, keys, before, more @ ..]) => {
                let mut more = more.iter();
                if let Some(api_keys) = self.stores_keys().then(|| more.next()).flatten() {
                    self.take_keys(host, api_keys.as_deref().unwrap_or_default());
                }
                let ended = Ended::parse(more.next().and_then(Option::as_deref));
                Lists::parse(ids.as_deref(), subjects.as_deref(), keys.as_deref(), before.as_deref())
                    .and_then(|lists| ended.map(|ended| lists.with_sessions(ended)))
            }
            Some(_) | None => Err("EDGEWARD_KV did not answer.".to_owned()),
        };
        match lists {
            Ok(lists) => self.kept.borrow_mut().took(lists, asked),
            Err(sentence) => {
                log::problem(host, &sentence);
                self.kept.borrow_mut().failed(now(host));
            }
        }
    }

    /// Takes what `EDGEWARD_KV` said of an account to a question of the moment `asked`; `None` where it did not answer. A value
    /// that cannot be read is logged.
    pub fn take_account(&self, host: &Host, user: &str, value: Option<Option<&str>>, asked: UnixTime) {
        let mut accounts = self.accounts.borrow_mut();
        match value {
            None => accounts.failed(user, now(host)),
            Some(value) => {
                if let Err(problem) = accounts.took(user, value, asked, host::nfc) {
                    log::problem(host, &problem.to_string());
                }
            }
        }
    }

    fn take_keys(&self, host: &Host, text: &str) {
        let mut stored = self.api_keys.borrow_mut();
        if stored.keys.is_some() && stored.text == text {
            return;
        }
        let read = if text.trim().is_empty() {
            Ok(ApiKeys::default())
        } else {
            ApiKeys::parse(text, "EDGEWARD_KV api-keys")
        };
        if let Err(problems) = &read {
            problems.iter().for_each(|problem| log::problem(host, &problem.to_string()));
        }
        *stored = StoredKeys { text: text.to_owned(), keys: read.ok().map(Rc::new) };
    }

    /// Whether it is to be told that a key verified something: once a minute for each.
    pub fn tells_key(&self, kid: &str, now: UnixTime) -> bool {
        let mut told = self.told_keys.borrow_mut();
        told.retain(|(_, at)| now.since(*at).seconds() < KEY_TOLD_EVERY);
        if told.len() >= MOST_TOLD_KEYS || told.iter().any(|(known, _)| known == kid) {
            return false;
        }
        told.push((kid.to_owned(), now));
        true
    }

    /// 16 random octets in hexadecimal.
    pub fn random_hex(&self, host: &Host) -> String {
        let mut pool = self.random.borrow_mut();
        if pool.len() < 16 {
            *pool = host.random(RANDOM_BATCH);
        }
        let at = pool.len().saturating_sub(16);
        hex(&pool.split_off(at))
    }
}

/// The pages of the brand. A choice of languages is offered where their words can be had, and a choice can be taken.
fn pages(gate: &Gate, assets: bool) -> Pages {
    let policy = gate.config.policy.as_ref();
    let pages = Pages::new(policy.map_or_else(Brand::default, |policy| policy.brand.clone()));
    let session = policy.and_then(|policy| policy.session.as_ref());
    let consumer = session.and_then(|session| session.discourse.consumer.as_ref());
    let pages = pages.with_discourse(consumer.map(|it| Elsewhere::Discourse(it).host()));
    if assets && policy.is_some() { pages.with_languages() } else { pages }
}

/// `edgeward-<8 hex>`: the same for all isolates of one gate, so that a loop through another isolate is found too.
fn pseudonym(gate: &Gate, host: &Host) -> String {
    let derived =
        gate.config.root.as_ref().and_then(|root| root.derive(&[b"edgeward/via/v1"]).into_iter().next());
    let octets = derived.map_or_else(|| host.random(4), |key| key.expose().to_vec());
    format!("edgeward-{}", hex(octets.get(..4).unwrap_or_default()))
}

fn sources(host: &Host, env: &JsValue) -> Sources {
    let secret = |name: &str| host.variable(env, name).map(Secret::new);
    let numbered = (2..=9).map(|number| format!("EDGEWARD_USERS_{number}"));
    let users = core::iter::once("EDGEWARD_USERS".to_owned()).chain(numbered);
    Sources {
        policy: host.variable(env, "EDGEWARD"),
        secret: secret("EDGEWARD_SECRET"),
        keys: secret("EDGEWARD_KEYS"),
        users: users.filter_map(|name| secret(&name).map(|value| (name, value))).collect(),
        origin_authorization: secret("EDGEWARD_ORIGIN_AUTHORIZATION"),
        totp: secret("EDGEWARD_TOTP"),
        api_keys: secret("EDGEWARD_API_KEYS"),
        assets: host.has(env, "ASSETS", "fetch"),
        store: host.has(env, "EDGEWARD_KV", "get"),
        ledger: host.has(env, "EDGEWARD_LEDGER", "idFromName"),
    }
}
