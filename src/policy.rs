//! The policy: what the operator wrote, parsed into types that have no bad values.
//!
//! [`crate::config`] makes these; nothing here reads text.

mod link;
mod pattern;
mod problems;
pub mod rules;
pub mod session;
mod token;
mod tree;

use crate::network::Network;
use crate::sorted_map::SortedMap;
use crate::time::{Lifetime, UnixTime};

pub use link::{Format, LinkEntry, LinkPlace, UrlMode};
pub use rules::{Choice, PathCase, RuleSet};
pub use session::{Consumer, Discourse, Provider, SessionSettings, Warn};
pub use token::{HmacAlgorithm, TokenEntry, TokenPlace};

/// Everything the operator decides that is no secret. Parsed once for each isolate.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Protection space (RFC 9110 §11.5); printable ASCII.
    pub realm: String,
    /// Where requests that pass are sent.
    pub origin: Origin,
    /// Clock skew that is forgiven, 0–300 s.
    pub leeway: Lifetime,
    /// Which verdicts are logged.
    pub log: LogLevel,
    /// What happens to requests in clear.
    pub http: PlainHttp,
    /// Whether own answers over https carry `Strict-Transport-Security` (RFC 6797).
    pub hsts: bool,
    /// Whose door it is.
    pub brand: Brand,
    /// The rules, and what holds where none matches.
    pub rules: RuleSet,
    /// How bearer tokens are read; never empty where the kind is configured.
    pub tokens: Vec<TokenEntry>,
    /// How signed URLs are read; never empty where the kind is configured.
    pub links: Vec<LinkEntry>,
    /// Where API keys are.
    pub api_key: ApiKeySettings,
    /// Where it is asked whether something was revoked, and what holds where there is no answer.
    pub revocation: Revocation,
    /// How people sign in; `None` where they cannot.
    pub session: Option<SessionSettings>,
    /// What `POST /.edgeward/token` makes; `None` where there is no such path.
    pub fresh_tokens: Option<FreshTokens>,
    /// What the origin is told about who passed.
    pub forward: Forward,
    /// Cross-origin sharing; `None` where the operator configured none.
    pub cors: Option<Cors>,
    /// How long the origin may take to begin its answer; `None` for as long as the platform waits.
    pub origin_timeout: Option<Lifetime>,
    /// Origins, besides the request's own, that may open a WebSocket with ambient credentials.
    pub websocket_origins: Vec<String>,
}

/// Where requests that pass are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The request's own URL: the Worker runs on a route in front of the origin.
    Own,
    /// The `ASSETS` binding.
    Assets,
    /// Another server.
    Url {
        /// `scheme://host[:port]`, serialised as a URL parser would: lower case, default port left out.
        origin: String,
        /// What is put before the path: empty, or begins with `/` and does not end with one.
        base_path: String,
    },
}

/// Which verdicts are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Refusals (the default).
    #[default]
    Refused,
    /// Every request.
    All,
    /// None. Problems of the configuration are logged all the same.
    None,
}

/// What happens to requests in clear to a host that is not loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// GET and HEAD are sent to `https:`, all else is refused (the default).
    #[default]
    Redirect,
    /// Refused.
    Refuse,
    /// Served like any other.
    Allow,
}

/// Whose door it is: what a visitor's page shows. Every part may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// Name; where it is left out the page shows the host.
    pub name: Option<String>,
    /// A path under `/.edgeward/brand/`, or a `data:` URL.
    pub logo: Option<String>,
    /// One colour.
    pub color: Option<Rgb>,
    /// Where help is to be had: `mailto:` or `https:`.
    pub support: Option<String>,
    /// Where a forgotten password is replaced: `https:`.
    pub forgot_password: Option<String>,
    /// Where the state of the site is told: `https:`.
    pub status_page: Option<String>,
    /// A notice on every page.
    pub notice: Option<Notice>,
    /// Whether the foot says "Guarded by Edgeward".
    pub credit: bool,
}

/// A colour of 8 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The operator's notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// One text for all.
    Text(String),
    /// By language tag, in lower case.
    ByLanguage(SortedMap<String, String>),
}

/// What the origin is told about who passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Whether it is told at all.
    pub identity: bool,
    /// Field that names the user; as written, default `X-Edgeward-User`.
    pub user: String,
    /// Field that names the groups; as written, default `X-Edgeward-Groups`.
    pub groups: String,
}

impl Default for Forward {
    fn default() -> Self {
        Self { identity: true, user: "X-Edgeward-User".into(), groups: "X-Edgeward-Groups".into() }
    }
}

/// Cross-origin sharing (Fetch §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Which origins may read.
    pub origins: CorsOrigins,
    /// Methods a preflight allows.
    pub methods: Vec<String>,
    /// Field names a preflight allows.
    pub headers: Vec<String>,
    /// Whether ambient credentials may be sent along.
    pub credentials: bool,
    /// How long a preflight's answer is good.
    pub max_age: Lifetime,
    /// Who answers a preflight.
    pub preflight: Preflight,
}

/// Which origins may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All; excludes credentials.
    Any,
    /// These, compared exactly.
    Listed(Vec<String>),
}

impl Cors {
    /// Whether `origin` (the value of an `Origin` field) is listed. `null` never is.
    #[must_use]
    pub fn lists(&self, origin: &str) -> bool {
        match &self.origins {
            CorsOrigins::Any => origin != "null",
            CorsOrigins::Listed(origins) => origins.iter().any(|listed| listed == origin),
        }
    }
}

/// Who answers a preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// Edgeward, with the configured values (the default).
    #[default]
    Edge,
    /// The origin.
    Origin,
}

/// A rule: which requests, and what they need.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its position in the file, from 0; `None` for the one that holds where no other matches.
    pub index: Option<usize>,
    /// The path pattern, as written: `/a/b`, `/a/*`, `/a/{name}`.
    pub path: String,
    /// Host it is for: lower case, no port, no trailing dot; `None` for any.
    pub host: Option<String>,
    /// Methods it is for; `None` for any. HEAD is decided as GET.
    pub methods: Option<Vec<String>>,
    /// Who reaches it at all.
    pub access: Access,
    /// Kinds of credentials that are looked at.
    pub accept: Kinds,
    /// Who may pass.
    pub admits: Admits,
    /// Scopes that are needed, all of them (RFC 6749 §3.3).
    pub scopes: Vec<String>,
    /// Addresses it is narrowed to; empty for any.
    pub networks: Vec<Network>,
    /// From when it lets anyone pass.
    pub not_before: Option<UnixTime>,
    /// Until when it lets anyone pass (that moment excluded).
    pub not_after: Option<UnixTime>,
    /// Whether refusals are enforced.
    pub mode: Mode,
    /// Whether all who may pass may share one cached response.
    pub shared_cache: bool,
    /// Whether the origin gets `Authorization` as it came.
    pub forward_credentials: bool,
    /// Whether requests that another site caused may use ambient credentials.
    pub cross_site: CrossSite,
    /// Whether a navigation with a good signed URL is sent to the clean URL, with a cookie.
    pub exchange: bool,
    /// Whether only who proved a second factor passes.
    pub second_factor: bool,
    /// Whether Basic alone is enough for a user who has a second factor.
    pub basic_without_second_factor: bool,
}

impl Rule {
    /// The rule that holds where the operator wrote none: protected, every configured kind.
    #[must_use]
    pub fn protected(accept: Kinds) -> Self {
        Self {
            index: None,
            path: "/*".into(),
            host: None,
            methods: None,
            access: Access::Authenticated,
            accept,
            admits: Admits::default(),
            scopes: Vec::new(),
            networks: Vec::new(),
            not_before: None,
            not_after: None,
            mode: Mode::Enforce,
            shared_cache: false,
            forward_credentials: false,
            cross_site: CrossSite::Refuse,
            exchange: false,
            second_factor: false,
            basic_without_second_factor: false,
        }
    }
}

/// Who reaches a rule at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Who proves who they are (the default).
    #[default]
    Authenticated,
    /// Everybody, where the rule's networks and times hold; elsewhere as `Authenticated`.
    Public,
    /// Nobody.
    Denied,
}

/// Who may pass: one that matches is enough; with nothing named, whoever is authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admits {
    /// User-ids of accounts.
    pub users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Names of API keys.
    pub api_keys: Vec<String>,
    /// Claims of tokens: every name must match, by one of its values.
    pub claims: SortedMap<String, Vec<String>>,
}

impl Admits {
    /// Whether nobody in particular is named.
    #[must_use]
    pub fn anyone(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.api_keys.is_empty() && self.claims.is_empty()
    }
}

/// Whether refusals are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are (the default).
    #[default]
    Enforce,
    /// They are logged, and the request passes.
    Report,
}

/// Whether requests that another site caused may use ambient credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrossSite {
    /// No (the default).
    #[default]
    Refuse,
    /// Yes.
    Allow,
}

/// A kind of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// A key of an API client, in a field of its own.
    ApiKey,
    /// A token over the URL itself.
    SignedUrl,
    /// A sealed cookie that a sign-in gave.
    Session,
}

impl Kind {
    /// Every kind, in the order in which challenges are sent.
    pub const ALL: [Self; 5] = [Self::Basic, Self::Bearer, Self::ApiKey, Self::SignedUrl, Self::Session];

    /// The name in the policy and in `whoami`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::ApiKey => "api-key",
            Self::SignedUrl => "signed-url",
            Self::Session => "session",
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// This set with `kind` in it.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Where API keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeySettings {
    /// The field that carries one; its name in lower case. `authorization`: as a Bearer value.
    pub field: String,
    /// The same name as it was written: for challenges.
    pub written: String,
    /// Whether `EDGEWARD_KV` is asked, too.
    pub in_store: bool,
}

/// Where it is asked whether something was revoked, and what holds where there is no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// Whether the ledger is asked with each request.
    pub strict: bool,
    /// Whether requests pass while no store answers.
    pub pass_unchecked: bool,
}

/// What `POST /.edgeward/token` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshTokens {
    /// How long a token is good, 15 minutes at most.
    pub lifetime: Lifetime,
}
