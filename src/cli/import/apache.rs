//! Apache: `AuthType Basic` and `Require` in `<Location>`, `<Directory>` and `.htaccess`.
//!
//! 1. Sections are put over each other as Apache does: directories from the shortest to the longest, then the
//!    `.htaccess`, then locations in the order of the file. A rule is made for each path at which one begins.
//! 2. A directory is where `DocumentRoot` or `Alias` of the file put it; an `.htaccess` where `--at` says.
//! 3. A path is public where `Require all granted` is what holds in the end, every directive is known to say nothing of access,
//!    and no `.htaccess` below may say something else.
//! 4. Expressions, files and conditions are not carried over; where one of them protects anything, nothing is opened.

mod require;
mod section;
mod syntax;

use super::Unreadable;
use super::accounts::UserFiles;
use super::draft::{Access, Draft, Rule, Unsaid};
use super::patterns::{below, literal};
use require::Who;
use section::Settings;
use syntax::Directive;

/// Reads a configuration, or an `.htaccess`, that is for the URL path `at`.
pub fn import(text: &str, files: &UserFiles<'_>, at: Option<&str>) -> Result<Draft, Unreadable> {
    let directives = syntax::parse(text)?;
    let mut reading = Reading { draft: Draft::default(), sites: vec![Site::default()] };
    reading.walk(&directives, 0);
    reading.htaccess(&directives, at);
    let Reading { draft, sites } = reading;
    let mut rules = Rules { draft, files, user_files: user_files(&sites) };
    rules.all(&sites);
    Ok(rules.draft)
}

/// The main server, or a virtual host.
#[derive(Clone, Default)]
struct Site {
    line: usize,
    names: Vec<(usize, String)>,
    root: Option<String>,
    aliases: Vec<(String, String)>,
    sections: Vec<Section>,
    /// Whether all that it does is send browsers elsewhere.
    sends_on: bool,
    /// What stands outside of sections and may decide about access.
    own: Settings,
}

/// A section that has a place.
#[derive(Clone)]
struct Section {
    line: usize,
    what: String,
    place: Place,
    settings: Settings,
}

#[derive(Clone, PartialEq, Eq)]
enum Place {
    /// A folder of the server's disk.
    Folder(String),
    /// A URL path; of an `.htaccess`.
    Htaccess(String),
    /// A URL path.
    Url(String),
    /// What no pattern says.
    Unsaid,
}

struct Reading {
    draft: Draft,
    sites: Vec<Site>,
}

impl Reading {
    fn walk(&mut self, directives: &[Directive], site: usize) {
        for directive in directives {
            match directive.block.as_deref() {
                None => self.plain(directive, site),
                Some(block) => self.section(directive, block, site),
            }
        }
    }

    fn plain(&mut self, directive: &Directive, index: usize) {
        let Some(site) = self.sites.get_mut(index) else { return };
        let second = directive.args.get(1).cloned().unwrap_or_default();
        match directive.name.as_str() {
            "servername" | "serveralias" => {
                site.names.extend(directive.args.iter().map(|name| (directive.line, name.clone())));
            }
            "documentroot" => site.root = Some(directive.first().to_owned()),
            "alias" | "scriptalias" => site.aliases.push((directive.first().to_owned(), second)),
            "redirect" if directive.args.iter().any(|word| word == "/") => site.sends_on = true,
            "include" | "includeoptional" | "use" => {
                let why = "what that file says is not read: put its lines in its place; nothing around it is opened";
                self.draft.leave(directive.line, format!("{} {}", directive.name, directive.first()), why);
                site.own.unsure = Some(section::At { line: directive.line, it: directive.name.clone() });
            }
            "aliasmatch" | "scriptaliasmatch" | "virtualdocumentroot" => {
                self.draft.leave(
                    directive.line,
                    &directive.name,
                    "where it leads is not known: nothing around it is opened",
                );
                site.own.unsure = Some(section::At { line: directive.line, it: directive.name.clone() });
            }
            _ => {}
        }
    }

    fn section(&mut self, directive: &Directive, block: &[Directive], site: usize) {
        let first = directive.first();
        match directive.name.as_str() {
            "virtualhost" => {
                self.sites.push(Site { line: directive.line, ..Site::default() });
                let index = self.sites.len() - 1;
                self.walk(block, index);
                let own: Vec<Directive> = block.iter().filter(|it| is_of_site(it)).cloned().collect();
                let own = Settings::of(&own, &mut self.draft);
                if let Some(site) = self.sites.get_mut(index) {
                    site.own = std::mem::take(&mut site.own).under(&own);
                }
            }
            "ifmodule" if first.starts_with('!') => {
                let why = "it is for servers without that module, and taken to be left out";
                self.draft.leave(directive.line, directive.head(), why);
            }
            "ifmodule" => self.walk(block, site),
            "ifdefine" | "ifversion" | "iffile" | "ifdirective" | "ifsection" => {
                self.draft.leave(
                    directive.line,
                    directive.head(),
                    "whether it holds is not known: nothing is opened",
                );
                self.walk(block, site);
                self.unsaid(directive);
            }
            "location" | "directory" if is_plain(&directive.args) => {
                let path = first.strip_suffix('/').unwrap_or(first).to_owned();
                let place = if directive.name == "location" { Place::Url(path) } else { Place::Folder(path) };
                self.placed(directive, block, place, site);
            }
            "requireall" | "requireany" | "requirenone" | "limit" | "limitexcept" => {}
            _ => self.placed(directive, block, Place::Unsaid, site),
        }
    }

    fn placed(&mut self, directive: &Directive, block: &[Directive], place: Place, site: usize) {
        let settings = Settings::of(&flat(block), &mut self.draft);
        for inner in block.iter().filter(|it| is_inner(&it.name)) {
            self.section(inner, inner.block.as_deref().unwrap_or_default(), site);
        }
        let (line, what) = (directive.line, directive.head());
        if place == Place::Unsaid {
            if settings.protects() {
                self.draft.leave(
                    line,
                    what,
                    "a rule is for paths in plain text alone: nothing that it may protect is opened",
                );
                self.unsaid(directive);
            } else if settings.who.is_some() {
                self.draft.leave(
                    line,
                    what,
                    "a rule is for paths in plain text alone: what it opens stays protected",
                );
            }
            return;
        }
        if let Some(site) = self.sites.get_mut(site) {
            site.sections.push(Section { line, what, place, settings });
        }
    }

    fn unsaid(&mut self, directive: &Directive) {
        let (line, what) = (directive.line, directive.head());
        self.draft.unsaid.push(Unsaid { line, what, host: None, prefix: None });
    }

    /// What stands outside of all sections is an `.htaccess`.
    fn htaccess(&mut self, directives: &[Directive], at: Option<&str>) {
        let own = flat(directives);
        let says = |it: &Directive| {
            require::is_requirement(it) || it.name.starts_with("auth") || it.name.starts_with("limit")
        };
        let of_server = ["virtualhost", "location", "directory", "documentroot", "listen", "servername"];
        if !own.iter().any(says) || directives.iter().any(|it| of_server.contains(&it.name.as_str())) {
            let plain: Vec<Directive> = own.into_iter().filter(is_of_site).collect();
            let settings = Settings::of(&plain, &mut self.draft);
            if let Some(main) = self.sites.first_mut() {
                main.own = std::mem::take(&mut main.own).under(&settings);
            }
            return;
        }
        let settings = Settings::of(&own, &mut self.draft);
        let line = own.iter().find(|it| says(it)).map_or(1, |it| it.line);
        if at.is_none() {
            let why = "the folder that it is in is not known: taken to be the whole site, and opened is nothing; name the \
                       folder's URL path with --at";
            self.draft.differs(line, ".htaccess", why);
        }
        let unsure = at.is_none().then(|| section::At { line, it: ".htaccess".to_owned() });
        let settings = Settings { unsure: settings.unsure.clone().or(unsure), ..settings };
        let place = Place::Htaccess(at.unwrap_or("/").trim_end_matches('/').to_owned());
        if let Some(main) = self.sites.first_mut() {
            main.sections.push(Section { line, what: ".htaccess".to_owned(), place, settings });
        }
    }
}

/// A directive of a whole server: what is only for sections is looked at there.
fn is_of_site(directive: &Directive) -> bool {
    directive.block.is_none()
        && !matches!(
            directive.name.as_str(),
            "include" | "includeoptional" | "use" | "aliasmatch" | "scriptaliasmatch" | "virtualdocumentroot"
        )
}

/// The directives with those of `<IfModule>` among them.
fn flat(directives: &[Directive]) -> Vec<Directive> {
    let mut all = Vec::new();
    for directive in directives {
        match &directive.block {
            Some(block) if directive.name == "ifmodule" => {
                if !directive.first().starts_with('!') {
                    all.extend(flat(block));
                }
            }
            _ => all.push(directive.clone()),
        }
    }
    all
}

/// Sections that may stand in a folder's.
fn is_inner(name: &str) -> bool {
    matches!(
        name,
        "files"
            | "filesmatch"
            | "if"
            | "elseif"
            | "else"
            | "ifdefine"
            | "ifversion"
            | "iffile"
            | "ifdirective"
            | "ifsection"
    )
}

/// One path without wildcards.
fn is_plain(args: &[String]) -> bool {
    matches!(args, [path] if path.starts_with('/') && !path.contains(['*', '?', '[', '$']))
}

/// The different files of accounts that are named anywhere.
fn user_files(sites: &[Site]) -> Vec<String> {
    let sections = sites.iter().flat_map(|site| &site.sections);
    let own = sites.iter().map(|site| &site.own);
    let mut files: Vec<String> = sections
        .map(|section| &section.settings)
        .chain(own)
        .filter_map(|settings| settings.users.as_ref())
        .map(|file| file.it.clone())
        .collect();
    files.sort();
    files.dedup();
    files
}

struct Rules<'r> {
    draft: Draft,
    files: &'r UserFiles<'r>,
    user_files: Vec<String>,
}

impl Rules<'_> {
    fn all(&mut self, sites: &[Site]) {
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

/// A virtual host with what the main server says: its sections come first.
fn merged(main: &Site, host: &Site) -> Site {
    Site {
        line: host.line,
        names: host.names.clone(),
        root: host.root.clone().or_else(|| main.root.clone()),
        aliases: [host.aliases.as_slice(), &main.aliases].concat(),
        sections: [main.sections.as_slice(), &host.sections].concat(),
        sends_on: false,
        own: main.own.clone().under(&host.own),
    }
}

impl Site {
    /// The URL paths at which a section begins.
    fn paths(&self, place: &Place) -> Vec<String> {
        match place {
            Place::Url(path) | Place::Htaccess(path) => vec![path.clone()],
            Place::Unsaid => Vec::new(),
            Place::Folder(folder) => {
                let mut paths: Vec<String> = self
                    .mappings()
                    .into_iter()
                    .filter_map(|(url, root)| match (rest(folder, &root), rest(&root, folder)) {
                        (Some(rest), _) => Some(format!("{url}{rest}")),
                        (None, Some(_)) => Some(url),
                        (None, None) => None,
                    })
                    .collect();
                if folder.is_empty() && paths.is_empty() {
                    paths.push(String::new());
                }
                paths
            }
        }
    }

    /// URL paths and the folders that they lead to.
    fn mappings(&self) -> Vec<(String, String)> {
        let root = self.root.iter().map(|root| (String::new(), trimmed(root)));
        self.aliases.iter().map(|(url, folder)| (trimmed(url), trimmed(folder))).chain(root).collect()
    }

    /// What holds at a URL path, all sections put over each other.
    fn settings_at(&self, path: &str) -> Settings {
        let mappings = self.mappings();
        let leads = mappings.iter().filter_map(|(url, folder)| Some((url.len(), folder, rest(path, url)?)));
        let folder =
            leads.max_by_key(|(length, ..)| *length).map(|(_, folder, rest)| format!("{folder}{rest}"));
        let is_over = |section: &&Section| match &section.place {
            Place::Folder(it) => {
                it.is_empty() || folder.as_ref().is_some_and(|folder| rest(folder, it).is_some())
            }
            Place::Url(it) | Place::Htaccess(it) => rest(path, it).is_some(),
            Place::Unsaid => false,
        };
        let mut sections: Vec<&Section> = self.sections.iter().filter(is_over).collect();
        // The sort keeps the order of the file among equals.
        sections.sort_by_key(|section| match &section.place {
            Place::Folder(folder) => (0, folder.len()),
            Place::Htaccess(_) => (1, 0),
            Place::Url(_) | Place::Unsaid => (2, 0),
        });
        sections.into_iter().fold(self.own.clone(), |settings, section| settings.under(&section.settings))
    }
}

/// What of a path lies below a folder: empty for itself, else it begins with `/`.
fn rest<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn trimmed(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests;
