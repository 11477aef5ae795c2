//! oauth2-proxy: `skip_auth_routes`, `skip_auth_regex`, `htpasswd_file`, `upstreams`, and words for all the rest.
//!
//! 1. A route is `regex`, `METHOD=regex`, or with `!=` everything that the expression does not match. The last kind is
//!    not carried over: the rest of what an expression matches is more than patterns can say.
//! 2. An opening for some methods comes with a rule that keeps the others as they were: protected, not denied.
//! 3. Several openings of one path add up, as they do there.

mod origin;
mod reasons;
mod regex;
mod settings;

use super::Unreadable;
use super::accounts::UserFiles;
use super::draft::{Access, Draft, Rule};
use super::networks::{is_inside_only, network, written};
use crate::cli::nfc;
use origin::{origin, without_user};
use reasons::reason;
use settings::Setting;

/// Fewer bits than these are no address of somebody's (IPv4, IPv6).
const WIDEST: (u8, u8) = (8, 16);

/// Reads the file.
pub fn import(text: &str, files: &UserFiles<'_>) -> Result<Draft, Unreadable> {
    let settings = settings::read(text)?;
    let mut reading = Reading { files, settings: &settings, draft: Draft::default(), openings: Vec::new() };
    for setting in &settings {
        reading.setting(setting);
    }
    reading.rules();
    Ok(reading.draft)
}

/// A path that is open.
struct Opening {
    line: usize,
    what: String,
    pattern: String,
    /// Empty for any method.
    method: Option<String>,
}

struct Reading<'r> {
    files: &'r UserFiles<'r>,
    settings: &'r [Setting],
    draft: Draft,
    openings: Vec<Opening>,
}

impl Reading<'_> {
    fn setting(&mut self, setting: &Setting) {
        match setting.name.as_str() {
            "skip_auth_routes" => self.each(setting, Self::route),
            "skip_auth_regex" => self.each(setting, |reading, at, text| reading.open(at, text, None, text)),
            "htpasswd_file" => self.each(setting, Self::htpasswd),
            "trusted_ips" => self.trusted(setting),
            "upstreams" => self.upstreams(setting),
            "htpasswd_user_groups" => {}
            name => self.draft.leave(setting.line, name, reason(name)),
        }
    }

    fn each(&mut self, setting: &Setting, take: impl Fn(&mut Self, usize, &str)) {
        if setting.values.is_empty() {
            self.draft.leave(setting.line, &setting.name, "it has no value that can be read");
        }
        setting.values.iter().for_each(|value| take(self, setting.line, value));
    }

    fn route(&mut self, line: usize, route: &str) {
        let Some((method, expression)) = route.split_once('=') else {
            return self.open(line, route, None, route);
        };
        if method.ends_with('!') {
            let why = "it opens all that the expression does not match, and patterns say what they match: open by \
                       hand what shall be open";
            return self.draft.leave(line, shown(route), why);
        }
        let method = method.to_ascii_uppercase();
        if method == "HEAD" {
            let why = "HEAD is decided as GET here: a rule for it alone would open GET, too";
            return self.draft.leave(line, shown(route), why);
        }
        if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') {
            return self.draft.leave(line, shown(route), "what stands before = is no method");
        }
        self.open(line, route, Some(method), expression);
    }

    fn open(&mut self, line: usize, route: &str, method: Option<String>, expression: &str) {
        let (said, refused) = regex::patterns(expression);
        for why in refused {
            self.draft.leave(line, shown(route), format!("{why}; what it opens stays protected"));
        }
        for one in said {
            if let Some(why) = one.narrower {
                self.draft.differs(line, shown(route), why);
            }
            let opening = Opening { line, what: shown(route), pattern: one.pattern, method: method.clone() };
            self.openings.push(opening);
        }
    }

    fn htpasswd(&mut self, line: usize, path: &str) {
        self.draft.needs_users = true;
        match self.files.read(path, true) {
            Err(why) => self.draft.leave(line, "htpasswd_file", why),
            Ok((text, file)) => {
                let (users, left) = self.draft.accounts.read(text.expose(), &file);
                self.draft.left.extend(left);
                let groups = self.settings.iter().filter(|it| it.name == "htpasswd_user_groups");
                for group in groups.flat_map(|it| &it.values) {
                    users.iter().for_each(|user| self.draft.accounts.put_into(user, &nfc(group)));
                }
            }
        }
    }

    /// Trusted addresses pass without signing in, and others may sign in: a rule here can say one of the two.
    fn trusted(&mut self, setting: &Setting) {
        if self.settings.iter().any(|other| other.name == "htpasswd_file") {
            let why = "a rule with networks and access = \"public\" lets nobody in from elsewhere, not even with \
                       credentials: whoever comes from there signs in like the others";
            return self.draft.leave(setting.line, "trusted_ips", why);
        }
        let mut networks = Vec::new();
        for text in &setting.values {
            match trusted_network(text) {
                Ok(network) => networks.push(network),
                Err(why) => self.draft.leave(setting.line, format!("trusted_ips {text:?}"), why),
            }
        }
        if networks.is_empty() {
            return;
        }
        let why = "the address is the one that Cloudflare saw, and from elsewhere nobody passes this rule, not even \
                   with credentials";
        self.draft.differs(setting.line, "trusted_ips", why);
        self.draft.rules.push(Rule {
            line: setting.line,
            what: "trusted_ips".to_owned(),
            path: "/*".to_owned(),
            access: Access::Public,
            networks,
            ..Rule::default()
        });
    }

    fn upstreams(&mut self, setting: &Setting) {
        let [url] = setting.values.as_slice() else {
            let why = "a policy has one origin: name it, and let it send the rest on";
            return self.draft.leave(setting.line, "upstreams", why);
        };
        match origin(url) {
            Err(why) => self.draft.leave(setting.line, format!("upstreams {:?}", without_user(url)), why),
            Ok((origin, path)) => {
                if path {
                    let why =
                        "there only paths below the URL's own go on; here all do, each with its own path";
                    self.draft.differs(setting.line, "upstreams", why);
                }
                self.draft.origin = Some(origin);
            }
        }
    }

    /// Rules of all openings.
    fn rules(&mut self) {
        let mut done: Vec<&str> = Vec::new();
        for opening in &self.openings {
            if done.contains(&opening.pattern.as_str()) {
                continue;
            }
            done.push(&opening.pattern);
            let covering = || self.openings.iter().filter(|other| covers(&other.pattern, &opening.pattern));
            let methods = if covering().any(|other| other.method.is_none()) {
                Vec::new()
            } else {
                let mut methods: Vec<String> = covering().filter_map(|other| other.method.clone()).collect();
                methods.sort();
                methods.dedup();
                methods
            };
            // The address opens every path to those who are trusted, and this rule to all.
            let trusted = self.draft.rules.iter().position(|rule| rule.path == opening.pattern);
            if let Some(rule) = trusted.map(|index| self.draft.rules.remove(index)) {
                self.draft.leave(
                    rule.line,
                    rule.what,
                    "skip_auth_routes says who may pass on every path, and one rule can",
                );
            }
            let rule = Rule {
                line: opening.line,
                what: opening.what.clone(),
                path: opening.pattern.clone(),
                ..Rule::default()
            };
            if !methods.is_empty() {
                let what = format!("{}, every other method", opening.what);
                self.draft.rules.push(Rule { what, ..rule.clone() });
            }
            self.draft.rules.push(Rule { access: Access::Public, methods, ..rule });
        }
    }
}

/// Whether all that one pattern matches is matched by another.
fn covers(outer: &str, inner: &str) -> bool {
    outer == inner || outer.strip_suffix('*').is_some_and(|folder| format!("{inner}/").starts_with(folder))
}

fn shown(route: &str) -> String {
    format!("skip_auth_routes {route:?}")
}

fn trusted_network(text: &str) -> Result<String, &'static str> {
    let network = network(text).ok_or("it is neither an address nor a network")?;
    let widest = if network.address().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
    if is_inside_only(&network) {
        return Err("an address of an inner network never reaches Cloudflare");
    }
    if network.length() < widest {
        return Err("it trusts a large part of the Internet: say so by hand if it is meant");
    }
    Ok(written(&network))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    fn draft(text: &str) -> Draft {
        let mut draft = import(text, &UserFiles::new(&[], Path::new("."))).unwrap();
        draft.finish();
        draft
    }

    fn rules(draft: &Draft) -> Vec<String> {
        let shown = |rule: &Rule| {
            format!("{} {} {:?}{}", rule.methods.join(","), rule.path, rule.access, rule.networks.join(","))
        };
        draft.rules.iter().map(|rule| shown(rule).trim_start().to_owned()).collect()
    }

    #[test]
    fn openings_add_up_and_other_methods_stay_protected() {
        let text = r#"skip_auth_routes = ["GET=^/api/", "POST=^/api/hook$", "^/health$", "put=^/api/"]"#;
        assert_eq!(
            rules(&draft(text)),
            [
                "/api/* Authenticated",
                "GET,PUT /api/* Public",
                "/api/hook Authenticated",
                "GET,POST,PUT /api/hook Public",
                "/health Public"
            ]
        );
    }

    #[test]
    fn what_is_not_certain_opens_nothing() {
        for route in
            ["!=^/private", "GET!=^/private", "HEAD=^/a$", "/health", "=^/a$", "^/.edgeward/", "^/a?b=c"]
        {
            let draft = draft(&format!("skip_auth_routes = [{}]", json!(route)));
            assert!(draft.rules.is_empty() && !draft.left.is_empty(), "{route}: {:?}", draft.rules);
        }
    }

    #[test]
    fn trusted_addresses() {
        let text = "trusted_ips = [\"203.0.113.7\", \"10.0.0.0/8\", \"0.0.0.0/1\", \"x\"]\nskip_auth_routes=[\"^/a$\"]";
        let one = draft(text);
        assert_eq!(rules(&one), ["/* Public203.0.113.7", "/a Public"]);
        assert_eq!(one.left.iter().filter(|it| !it.carried).count(), 3);
        let two = draft("htpasswd_file = \"/nowhere/at/all\"\ntrusted_ips = [\"203.0.113.7\"]");
        assert!(two.rules.is_empty() && two.left.len() == 2 && two.needs_users);
        let three = draft("trusted_ips = [\"203.0.113.7\"]\nskip_auth_routes = [\"GET=^/\"]");
        assert_eq!(rules(&three), ["/* Authenticated", "GET /* Public"]);
    }

    #[test]
    fn values_of_other_settings_are_never_shown() {
        let draft =
            draft("client_secret = \"hunter2\"\ncookie_secret = \"hunter2\"\nsomething_new = \"hunter2\"");
        assert_eq!(draft.left.len(), 3);
        assert!(draft.left.iter().all(|it| !format!("{it:?}").contains("hunter2")));
    }
}
