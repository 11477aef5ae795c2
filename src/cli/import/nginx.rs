//! nginx: `location` blocks with `auth_basic`, `allow` and `deny`, and `secure_link_hmac`.
//!
//! 1. `location = /a` is the path `/a`; `location /a/` all below. `location /a` matches `/administrator`, too, where it
//!    is written `/admin`: the pattern `/admin/*` is narrower, and where what surrounds it is public that is not carried over.
//! 2. Expressions are not carried over. Where one of them protects anything, only what no expression can take over is
//!    opened: `=` and `^~`.
//! 3. A location is public where nothing in it, or around it, asks for anything, and every directive is known to say
//!    nothing of access. What no location names is not opened.
//! 4. Where several servers are told apart by name, each rule is for its host.

mod rules;
mod scope;
mod signed;
mod syntax;

use super::Unreadable;
use super::accounts::UserFiles;
use super::draft::Draft;
use rules::Rules;
use scope::Scope;
use syntax::Directive;

/// Reads a configuration, or a piece of one.
pub fn import(text: &str, files: &UserFiles<'_>) -> Result<Draft, Unreadable> {
    let directives = syntax::parse(text)?;
    let mut draft = Draft::default();
    let servers = servers(&directives, &mut draft);
    let mut locations = Vec::new();
    for server in &servers {
        for host in hosts(server, servers.len(), &mut draft) {
            collect(server, &host, &mut locations, &mut draft);
        }
    }
    let mut rules = Rules { draft, files, user_files: user_files(&locations) };
    rules.all(&locations);
    Ok(rules.draft)
}

/// A `server` block; a piece of a configuration is one without a name.
struct Server<'d> {
    block: &'d [Directive],
    around: Scope,
    /// Whether what surrounds the locations is seen.
    whole: bool,
}

/// A `location` and what holds in it.
struct Location {
    line: usize,
    what: String,
    kind: Kind,
    path: String,
    host: Option<String>,
    scope: Scope,
    /// Whether what surrounds it is seen.
    whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `=`
    Exact,
    /// A prefix.
    Prefix,
    /// `^~`: a prefix before all expressions.
    Settled,
    /// `~`, `~*`
    Expression,
    /// `@name`
    Named,
    /// What no location names: as the server says.
    Rest,
}

fn servers<'d>(directives: &'d [Directive], draft: &mut Draft) -> Vec<Server<'d>> {
    let mut servers = Vec::new();
    let blocks = |list: &'d [Directive], name: &'static str| {
        list.iter().filter(move |it| it.name == name).filter_map(|it| it.block.as_deref())
    };
    for http in blocks(directives, "http") {
        let around = Scope::default().inner(http, draft);
        servers.extend(blocks(http, "server").map(|block| Server {
            block,
            around: around.clone(),
            whole: true,
        }));
    }
    if servers.is_empty() {
        let around = Scope::default().inner(directives, draft);
        servers.extend(blocks(directives, "server").map(|block| Server {
            block,
            around: around.clone(),
            whole: true,
        }));
    }
    if servers.is_empty() {
        servers.push(Server { block: directives, around: Scope::default(), whole: false });
    }
    servers.retain(|server| !sends_on(server.block));
    servers
}

/// A server that does nothing but send browsers elsewhere, to https most often.
fn sends_on(block: &[Directive]) -> bool {
    let is_redirect = |it: &Directive| {
        let is_return =
            it.name == "return" && !it.first().is_some_and(|status| status.starts_with(['2', '4', '5']));
        is_return || scope::sends_by_host(it)
    };
    let says_nothing_else = |it: &Directive| {
        matches!(it.name.as_str(), "listen" | "server_name" | "access_log" | "error_log" | "server_tokens")
            || (it.name == "return" && it.first() == Some("404"))
            || is_redirect(it)
    };
    let is_location = |it: &Directive| {
        let acme = it.first().is_some_and(|path| path.starts_with("/.well-known/acme-challenge"));
        it.name == "location"
            && (acme || it.block.as_deref().is_some_and(|block| block.iter().all(is_redirect)))
    };
    let redirects = |it: &Directive| is_redirect(it) || (is_location(it) && it.first() == Some("/"));
    block.iter().all(|it| says_nothing_else(it) || is_location(it)) && block.iter().any(redirects)
}

/// The hosts that a server's rules are for; `None` for any.
fn hosts(server: &Server<'_>, servers: usize, draft: &mut Draft) -> Vec<Option<String>> {
    if servers < 2 {
        return vec![None];
    }
    let mut hosts = Vec::new();
    for directive in server.block.iter().filter(|it| it.name == "server_name") {
        for name in &directive.args {
            if name.is_empty() || name == "_" || name.contains(['*', '~', '$']) || name.starts_with('.') {
                let why =
                    "a rule is for one host by its full name: under this name everything stays protected";
                draft.leave(directive.line, format!("server_name {name:?}"), why);
            } else {
                hosts.push(Some(name.to_ascii_lowercase()));
            }
        }
    }
    if hosts.is_empty() {
        let line = server.block.first().map_or(1, |first| first.line);
        draft.leave(
            line,
            "server",
            "of several servers this one has no plain name: all of it stays protected",
        );
    }
    hosts
}

/// The locations of a server, those within others too, and what holds where there is none.
fn collect(server: &Server<'_>, host: &Option<String>, locations: &mut Vec<Location>, draft: &mut Draft) {
    let scope = server.around.inner(server.block, draft);
    let own = |it: &&Directive| it.name == "location";
    let first = locations.len();
    for directive in server.block.iter().filter(own) {
        nested(directive, &scope, (host, server.whole), locations, draft);
    }
    let of_server = locations.get(first..).unwrap_or_default();
    if !of_server.iter().any(|it| it.path == "/" && matches!(it.kind, Kind::Prefix | Kind::Settled)) {
        let line = server.block.first().map_or(1, |first| first.line);
        let what = "what no location names".to_owned();
        let (path, whole) = ("/".to_owned(), server.whole);
        locations.push(Location { line, what, kind: Kind::Rest, path, host: host.clone(), scope, whole });
    }
}

fn nested(
    directive: &Directive,
    around: &Scope,
    (host, whole): (&Option<String>, bool),
    locations: &mut Vec<Location>,
    draft: &mut Draft,
) {
    let block = directive.block.as_deref().unwrap_or_default();
    let scope = around.inner(block, draft);
    let (kind, path) = kind(&directive.args);
    for inner in block.iter().filter(|it| it.name == "location") {
        nested(inner, &scope, (host, whole), locations, draft);
    }
    let what = directive.head();
    locations.push(Location { line: directive.line, what, kind, path, host: host.clone(), scope, whole });
}

fn kind(args: &[String]) -> (Kind, String) {
    match args {
        [modifier, path] => match modifier.as_str() {
            "=" => (Kind::Exact, path.clone()),
            "^~" => (Kind::Settled, path.clone()),
            _ => (Kind::Expression, path.clone()),
        },
        [one] if one.starts_with('@') => (Kind::Named, one.clone()),
        // Modifier and path may be one word.
        [one] => match (one.strip_prefix('='), one.strip_prefix("^~"), one.strip_prefix('~')) {
            (Some(path), _, _) => (Kind::Exact, path.to_owned()),
            (_, Some(path), _) => (Kind::Settled, path.to_owned()),
            (_, _, Some(path)) => (Kind::Expression, path.to_owned()),
            (None, None, None) => (Kind::Prefix, one.clone()),
        },
        _ => (Kind::Expression, args.join(" ")),
    }
}

/// The different files of accounts that are in force anywhere.
fn user_files(locations: &[Location]) -> Vec<String> {
    let mut files: Vec<String> =
        locations.iter().filter_map(|it| it.scope.user_file.as_ref()).map(|file| file.it.clone()).collect();
    files.sort();
    files.dedup();
    files
}

#[cfg(test)]
mod tests;
