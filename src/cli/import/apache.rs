//! Apache: `AuthType Basic` and `Require` in `<Location>`, `<Directory>` and `.htaccess`.
//!
//! 1. Sections are put over each other as Apache does: directories from the shortest to the longest, then the
//!    `.htaccess`, then locations in the order of the file. A rule is made for each path at which one begins.
//! 2. A directory is where `DocumentRoot` or `Alias` of the file put it; an `.htaccess` where `--at` says.
//! 3. A path is public where `Require all granted` is what holds in the end, every directive is known to say nothing of access,
//!    and no `.htaccess` below may say something else.
//! 4. Expressions, files and conditions are not carried over; where one of them protects anything, nothing is opened.

mod require;
mod rules;
mod section;
mod site;
mod syntax;

use super::Unreadable;
use super::accounts::UserFiles;
use super::draft::{Draft, Unsaid};
use rules::Rules;
use section::Settings;
use site::{Place, Section, Site};
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

#[cfg(test)]
mod tests;
