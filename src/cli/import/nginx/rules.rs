//! Locations as rules.

use super::super::accounts::UserFiles;
use super::super::draft::{Access, Draft, Rule, Unsaid};
use super::super::patterns::{below, literal};
use super::scope::{Networks, Scope};
use super::{Kind, Location};

/// What a location comes to.
#[derive(Clone, Debug, Default)]
struct Ruling {
    access: Access,
    accept: Vec<&'static str>,
    users: Vec<String>,
    networks: Vec<String>,
}

impl Ruling {
    fn denied() -> Self {
        Self { access: Access::Denied, ..Self::default() }
    }

    fn public() -> Self {
        Self { access: Access::Public, ..Self::default() }
    }

    /// Everybody from anywhere.
    fn is_open(&self) -> bool {
        self.access == Access::Public && self.networks.is_empty()
    }
}

/// Makes the rules.
pub struct Rules<'r> {
    /// Where they go.
    pub draft: Draft,
    /// Where files of accounts are read.
    pub files: &'r UserFiles<'r>,
    /// The different ones that are named.
    pub user_files: Vec<String>,
}

impl Rules<'_> {
    /// The rules of all locations.
    pub fn all(&mut self, locations: &[Location]) {
        let mut rulings: Vec<Option<Ruling>> = locations.iter().map(|it| self.ruling(it)).collect();
        for index in 0..locations.len() {
            self.follow_fallback(index, locations, &mut rulings);
        }
        for (location, ruling) in locations.iter().zip(rulings) {
            if let Some(ruling) = ruling {
                self.rule(location, ruling);
            }
        }
    }

    /// Who may pass there; `None` where there is nothing to reach.
    fn ruling(&mut self, location: &Location) -> Option<Ruling> {
        let scope = &location.scope;
        if let Some(answer) = &scope.answer {
            match answer.it {
                300..=399 => {
                    let why = "it sends browsers elsewhere, which is the origin's to do: the rule around it decides";
                    self.draft.differs(location.line, &location.what, why);
                    return None;
                }
                400.. => return Some(Ruling::denied()),
                _ => {}
            }
        }
        if scope.internal || scope.other_guard.is_some() {
            return Some(Ruling::denied());
        }
        let ruling = self.guarded(location);
        if location.kind == Kind::Rest && ruling.access == Access::Public {
            if location.whole {
                let why =
                    "it is public as far as this file goes, and no location says so: it stays protected";
                self.draft.leave(location.line, &location.what, why);
            }
            return None;
        }
        let is_certain = scope.unsure.is_none() && (location.whole || says_off(scope));
        if is_certain || ruling.access != Access::Public {
            return Some(ruling);
        }
        if scope.unsure.is_none() && location.kind != Kind::Named {
            let why = "nothing protects it in this file, and what surrounds it is not seen or not said: it stays protected";
            self.draft.leave(location.line, &location.what, why);
        }
        Some(Ruling::default())
    }

    /// By what asks for something: signature, password, network.
    fn guarded(&mut self, location: &Location) -> Ruling {
        let scope = &location.scope;
        let wants_password = scope.basic.as_ref().is_some_and(|basic| basic.it.is_some());
        let networks = scope.networks(&mut self.draft);
        if scope.signed.is_asked() {
            return self.signed(location, wants_password || networks == Networks::None, networks);
        }
        if wants_password {
            return self.basic(location, networks);
        }
        match networks {
            Networks::Any => Ruling::public(),
            Networks::These(networks) => Ruling { networks, ..Ruling::public() },
            Networks::None => Ruling::denied(),
            Networks::Unsaid => Ruling::default(),
        }
    }

    fn signed(&mut self, location: &Location, and_more: bool, networks: Networks) -> Ruling {
        if and_more {
            let why = "a signature and a password, or a closed network, are asked for together, and a rule asks for one: \
                       nobody passes";
            self.draft.leave(location.line, &location.what, why);
            return Ruling::denied();
        }
        match location.scope.signed.entry(&mut self.draft) {
            Err(fault) => {
                let line = if fault.line == 0 { location.line } else { fault.line };
                self.draft.leave(
                    line,
                    "secure_link_hmac",
                    format!("{}: nobody passes {}", fault.it, location.what),
                );
                Ruling::denied()
            }
            Ok(()) => {
                let networks = if let Networks::These(networks) = networks { networks } else { Vec::new() };
                Ruling { accept: vec!["signed-url"], networks, ..Ruling::default() }
            }
        }
    }

    fn basic(&mut self, location: &Location, networks: Networks) -> Ruling {
        let scope = &location.scope;
        self.draft.needs_users = true;
        self.realm(location);
        let Some(users) = self.users(location) else { return Ruling::denied() };
        let basic = Ruling { accept: vec!["basic"], users, ..Ruling::default() };
        match (networks, scope.any) {
            (Networks::Any, false) | (Networks::None | Networks::Unsaid, true) => basic,
            (Networks::Any, true) if scope.gates.is_empty() => basic,
            (Networks::Any, true) => Ruling::public(),
            (Networks::These(_), true) => {
                let why = "a rule lets in by network or by password, not by either: those networks sign in like others";
                self.draft.differs(location.line, format!("satisfy any in {}", location.what), why);
                basic
            }
            (Networks::These(networks), false) => Ruling { networks, ..basic },
            (Networks::None, false) => Ruling::denied(),
            (Networks::Unsaid, false) => basic,
        }
    }

    fn realm(&mut self, location: &Location) {
        let Some(basic) = &location.scope.basic else { return };
        let Some(realm) = &basic.it else { return };
        let is_plain = !realm.contains('$')
            && realm.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
            && !realm.is_empty();
        match &self.draft.realm {
            Some(known) if known == realm => {}
            None if is_plain => self.draft.realm = Some(realm.clone()),
            _ => {
                let why = "a policy has one realm, in printable ASCII";
                self.draft.differs(basic.line, format!("auth_basic {realm:?}"), why);
            }
        }
    }

    /// Whom the location's file names; none where there is one file for all. `None` where nobody knows.
    fn users(&mut self, location: &Location) -> Option<Vec<String>> {
        let is_only = self.user_files.len() == 1;
        let Some(file) = &location.scope.user_file else {
            self.draft.leave(
                location.line,
                &location.what,
                "there is no auth_basic_user_file: nobody passes",
            );
            return None;
        };
        match self.files.read(&file.it, is_only) {
            Ok((text, name)) => {
                let (users, left) = self.draft.accounts.read(text.expose(), &name);
                let new: Vec<_> = left.into_iter().filter(|left| !self.draft.left.contains(left)).collect();
                self.draft.left.extend(new);
                if is_only { Some(Vec::new()) } else { Some(users).filter(|users| !users.is_empty()) }
            }
            Err(why) if is_only => {
                self.draft.leave(file.line, "auth_basic_user_file", why);
                Some(Vec::new())
            }
            Err(why) => {
                let why = format!(
                    "{why}; it is one of several, so that nobody is known to be let in: {} is denied",
                    location.what
                );
                self.draft.leave(file.line, "auth_basic_user_file", why);
                None
            }
        }
    }

    /// `try_files` may end in another location: what is public must not lead to what is not.
    fn follow_fallback(&mut self, index: usize, locations: &[Location], rulings: &mut [Option<Ruling>]) {
        let (Some(location), Some(Some(ruling))) = (locations.get(index), rulings.get(index)) else { return };
        let Some(fallback) =
            location.scope.fallback.as_ref().filter(|it| ruling.is_open() && !it.it.starts_with('='))
        else {
            return;
        };
        let path = fallback.it.split('?').next().unwrap_or_default();
        let is_open = |at: usize| rulings.get(at).is_some_and(|it| it.as_ref().is_none_or(Ruling::is_open));
        let target = target(path, location, locations);
        if target.is_some_and(is_open) {
            return;
        }
        let why = "it may end in a location that is not public: it stays protected";
        self.draft.leave(fallback.line, "try_files", why);
        if let Some(ruling) = rulings.get_mut(index) {
            *ruling = Some(Ruling::default());
        }
    }

    fn rule(&mut self, location: &Location, ruling: Ruling) {
        let is_open = ruling.access == Access::Public;
        match location.kind {
            Kind::Named => return,
            Kind::Expression => {
                self.expression(location, is_open);
                return;
            }
            Kind::Rest if is_default(&ruling) => return,
            Kind::Exact | Kind::Prefix | Kind::Settled | Kind::Rest => {}
        }
        let text = literal(&location.path);
        let is_prefix = location.kind != Kind::Exact;
        if is_prefix && !text.ends_with('/') {
            self.not_whole(location, &text, is_open);
        }
        self.draft.rules.push(Rule {
            line: location.line,
            what: location.what.clone(),
            path: if is_prefix { below(&text) } else { text },
            host: location.host.clone(),
            methods: Vec::new(),
            access: ruling.access,
            accept: ruling.accept,
            users: ruling.users,
            groups: Vec::new(),
            networks: ruling.networks,
            settled: matches!(location.kind, Kind::Exact | Kind::Settled),
        });
    }

    fn expression(&mut self, location: &Location, is_open: bool) {
        let end = if is_open {
            "what it opens stays as the rule around it says"
        } else {
            "nothing it may protect is opened"
        };
        self.draft.leave(location.line, &location.what, format!("expressions are not carried over; {end}"));
        if !is_open {
            let (line, what) = (location.line, location.what.clone());
            self.draft.unsaid.push(Unsaid { line, what, host: location.host.clone(), prefix: None });
        }
    }

    /// A prefix that ends within a segment.
    fn not_whole(&mut self, location: &Location, text: &str, is_open: bool) {
        let why =
            format!("narrower here: it also matches paths that go on after {} without a /", location.path);
        self.draft.differs(location.line, &location.what, why);
        if !is_open {
            let (line, what, prefix) = (location.line, location.what.clone(), Some(text.to_owned()));
            self.draft.unsaid.push(Unsaid { line, what, host: location.host.clone(), prefix });
        }
    }
}

/// Whether credentials are switched off in so many words, and nothing else is asked for.
fn says_off(scope: &Scope) -> bool {
    scope.basic.as_ref().is_some_and(|basic| basic.it.is_none())
}

fn is_default(ruling: &Ruling) -> bool {
    ruling.access == Access::Authenticated && ruling.accept.is_empty() && ruling.networks.is_empty()
}

/// The location that a path leads to, as nginx finds it; `None` where an expression may take it.
fn target(path: &str, from: &Location, locations: &[Location]) -> Option<usize> {
    let same_host = || locations.iter().enumerate().filter(|(_, it)| it.host == from.host);
    let find =
        |kind: Kind| same_host().find(|(_, it)| it.kind == kind && it.path == path).map(|(index, _)| index);
    if path.starts_with('@') {
        return find(Kind::Named);
    }
    if path.contains('$') || !path.starts_with('/') {
        return None;
    }
    if let Some(exact) = find(Kind::Exact) {
        return Some(exact);
    }
    let prefixes = same_host().filter(|(_, it)| {
        matches!(it.kind, Kind::Prefix | Kind::Settled | Kind::Rest) && path.starts_with(it.path.as_str())
    });
    let (index, longest) = prefixes.max_by_key(|(_, it)| it.path.len())?;
    let may_be_taken = same_host().any(|(_, it)| it.kind == Kind::Expression && !is_plain_expression(it));
    (longest.kind == Kind::Settled || !may_be_taken).then_some(index)
}

/// Whether an expression surely asks for nothing, so that it does not matter whether it takes the path.
fn is_plain_expression(location: &Location) -> bool {
    let scope = &location.scope;
    let asks = scope.basic.as_ref().is_some_and(|basic| basic.it.is_some()) || scope.signed.is_asked();
    !asks
        && scope.gates.is_empty()
        && scope.other_guard.is_none()
        && scope.unsure.is_none()
        && !scope.internal
}
