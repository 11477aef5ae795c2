//! Sections as rules.

use super::super::accounts::UserFiles;
use super::super::draft::{Access, Draft, Rule, Unsaid};
use super::super::patterns::{below, literal};
use super::require::Who;
use super::section::Settings;
use super::site::{Section, Site, merged, trimmed};

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
    /// The rules of all servers.
    pub fn all(&mut self, sites: &[Site]) {
        let Some((main, hosts)) = sites.split_first() else { return };
        let hosts: Vec<&Site> =
            hosts.iter().filter(|host| !(host.sends_on && host.sections.is_empty())).collect();
        match hosts.as_slice() {
            [] => self.site(main, &None),
            [one] => self.site(&merged(main, one), &None),
            several => {
                for host in several {
                    for name in self.names(host) {
                        self.site(&merged(main, host), &Some(name));
                    }
                }
            }
        }
    }

    /// The hosts by whose names a virtual host's rules are told apart.
    fn names(&mut self, site: &Site) -> Vec<String> {
        let mut names = Vec::new();
        for (line, name) in &site.names {
            let name = name.rsplit("//").next().unwrap_or(name).split(':').next().unwrap_or_default();
            if name.contains(['*', '?']) || name.is_empty() {
                let why =
                    "a rule is for one host by its full name: under this name everything stays protected";
                self.draft.leave(*line, format!("name {name:?}"), why);
            } else {
                names.push(name.to_ascii_lowercase());
            }
        }
        if names.is_empty() {
            let why = "of several virtual hosts this one has no plain name: all of it stays protected";
            self.draft.leave(site.line, "<VirtualHost>", why);
        }
        names
    }

    fn site(&mut self, site: &Site, host: &Option<String>) {
        let mut done: Vec<String> = Vec::new();
        let mut starts: Vec<(usize, String, String)> = Vec::new();
        for section in &site.sections {
            let paths = site.paths(&section.place);
            if paths.is_empty() {
                self.nowhere(section, host);
            }
            starts.extend(paths.into_iter().map(|path| (section.line, section.what.clone(), path)));
        }
        let line = site.line.max(1);
        starts.extend(site.aliases.iter().map(|(url, _)| (line, format!("Alias {url}"), trimmed(url))));
        for (line, what, path) in starts {
            if !done.contains(&path) {
                self.rule(site, (line, &what), &path, host);
                done.push(path);
            }
        }
    }

    /// A folder that no URL of the file leads to.
    fn nowhere(&mut self, section: &Section, host: &Option<String>) {
        let why = "neither DocumentRoot nor Alias in this file leads there";
        if section.settings.protects() {
            self.draft.leave(
                section.line,
                &section.what,
                format!("{why}: nothing that it may protect is opened"),
            );
            let (line, what) = (section.line, section.what.clone());
            self.draft.unsaid.push(Unsaid { line, what, host: host.clone(), prefix: None });
        } else if section.settings.who.is_some() {
            self.draft.leave(section.line, &section.what, format!("{why}: what it opens stays protected"));
        }
    }

    fn rule(&mut self, site: &Site, (line, what): (usize, &str), path: &str, host: &Option<String>) {
        let settings = site.settings_at(path);
        let rule = Rule {
            line,
            what: what.to_owned(),
            path: below(&literal(path)),
            host: host.clone(),
            ..Rule::default()
        };
        let rule = match &settings.who {
            None => rule,
            Some(Who::Shut) => Rule { access: Access::Denied, ..rule },
            Some(Who::Open) => self.opened(rule, &settings, &[]),
            Some(Who::Some { persons: None, networks }) => {
                self.opened(rule, &settings, networks.as_deref().unwrap_or_default())
            }
            Some(Who::Some { persons: Some((users, groups)), networks }) => {
                let networks = networks.clone().unwrap_or_default();
                self.with_password(
                    Rule { users: users.clone(), groups: groups.clone(), networks, ..rule },
                    &settings,
                )
            }
        };
        self.draft.rules.push(rule);
    }

    fn opened(&mut self, rule: Rule, settings: &Settings, networks: &[String]) -> Rule {
        if settings.unsure.is_some() {
            return rule;
        }
        if settings.overridden == Some(true) {
            let why = "AllowOverride lets an .htaccess below it protect folders: it stays protected. Import each of those with \
                       --at, and add access = \"public\" by hand";
            self.draft.leave(rule.line, &rule.what, why);
            return rule;
        }
        Rule { access: Access::Public, networks: networks.to_vec(), ..rule }
    }

    fn with_password(&mut self, rule: Rule, settings: &Settings) -> Rule {
        let kind = settings.kind.as_ref();
        let provider = settings.provider.as_ref().map_or("file", |it| it.it.as_str());
        let is_basic = kind.is_some_and(|it| it.it.eq_ignore_ascii_case("basic"));
        if !is_basic || !provider.eq_ignore_ascii_case("file") {
            let why = "accounts come from AuthType Basic and a file here; of others nobody passes";
            let line = kind.map_or(rule.line, |it| it.line);
            self.draft.leave(line, format!("the accounts of {}", rule.what), why);
            return denied(rule);
        }
        self.draft.needs_users = true;
        self.realm(settings);
        let Some(of_file) = self.users(&rule, settings) else { return denied(rule) };
        self.groups(&rule, settings);
        let names_nobody = rule.users.is_empty() && rule.groups.is_empty();
        let users = if names_nobody {
            of_file
        } else {
            rule.users.iter().map(|user| crate::cli::nfc(user)).collect()
        };
        Rule { accept: vec!["basic"], users, ..rule }
    }

    fn realm(&mut self, settings: &Settings) {
        let Some(realm) = &settings.realm else { return };
        let is_plain = realm.it.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && !realm.it.is_empty();
        match &self.draft.realm {
            Some(known) if *known == realm.it => {}
            None if is_plain => self.draft.realm = Some(realm.it.clone()),
            _ => {
                let why = "a policy has one realm, in printable ASCII";
                self.draft.differs(realm.line, format!("AuthName {:?}", realm.it), why);
            }
        }
    }

    /// Whom the file names, where there are several files. `None` where nobody knows.
    fn users(&mut self, rule: &Rule, settings: &Settings) -> Option<Vec<String>> {
        let is_only = self.user_files.len() == 1;
        let Some(file) = &settings.users else {
            self.draft.leave(rule.line, &rule.what, "there is no AuthUserFile: nobody passes");
            return None;
        };
        match self.files.read(&file.it, is_only) {
            Ok((text, name)) => {
                let (users, left) = self.draft.accounts.read(text.expose(), &name);
                let new: Vec<_> = left.into_iter().filter(|left| !self.draft.left.contains(left)).collect();
                self.draft.left.extend(new);
                if is_only { Some(Vec::new()) } else { Some(users).filter(|users| !users.is_empty()) }
            }
            Err(why) => {
                self.draft.leave(file.line, "AuthUserFile", &why);
                is_only.then(Vec::new)
            }
        }
    }

    /// `group: user user` of the group file, on the lines of the accounts.
    fn groups(&mut self, rule: &Rule, settings: &Settings) {
        if rule.groups.is_empty() {
            return;
        }
        let Some(file) = &settings.groups else {
            let why = "there is no AuthGroupFile: add the groups to the lines of the accounts";
            return self.draft.leave(rule.line, format!("the groups of {}", rule.what), why);
        };
        match self.files.read(&file.it, false) {
            Err(why) => {
                let why = format!("{why}; add the groups to the lines of the accounts");
                self.draft.leave(file.line, "AuthGroupFile", why);
            }
            Ok((text, _)) => {
                for (group, users) in text.expose().lines().filter_map(|line| line.split_once(':')) {
                    users
                        .split_whitespace()
                        .for_each(|user| self.draft.accounts.put_into(user, group.trim()));
                }
            }
        }
    }
}

fn denied(rule: Rule) -> Rule {
    Rule { access: Access::Denied, users: Vec::new(), groups: Vec::new(), networks: Vec::new(), ..rule }
}
