//! What a section says of access, and how sections that apply to one path are put over each other.

use super::super::draft::Draft;
use super::require::{self, Who};
use super::syntax::Directive;

/// A value and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The line.
    pub line: usize,
    /// The value.
    pub it: String,
}

/// The settings of a section; `None` is what it does not say.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `AuthType`.
    pub kind: Option<At>,
    /// `AuthName`.
    pub realm: Option<At>,
    /// `AuthUserFile`.
    pub users: Option<At>,
    /// `AuthGroupFile`.
    pub groups: Option<At>,
    /// `AuthBasicProvider`.
    pub provider: Option<At>,
    /// Who may pass.
    pub who: Option<Who>,
    /// What may decide about access and is not understood.
    pub unsure: Option<At>,
    /// Whether an `.htaccess` below may say something else.
    pub overridden: Option<bool>,
}

impl Settings {
    /// Of the directives of a section.
    pub fn of(directives: &[Directive], draft: &mut Draft) -> Self {
        let mut settings = Self { who: require::any(directives, draft), ..Self::default() };
        directives.iter().for_each(|directive| settings.take(directive, draft));
        settings
    }

    fn take(&mut self, directive: &Directive, draft: &mut Draft) {
        let value = || Some(At { line: directive.line, it: directive.first().to_owned() });
        match directive.name.as_str() {
            "authtype" => self.kind = value(),
            "authname" => self.realm = value(),
            "authuserfile" => self.users = value(),
            "authgroupfile" => self.groups = value(),
            "authbasicprovider" => {
                self.provider = Some(At { line: directive.line, it: directive.args.join(" ") });
            }
            "allowoverride" => {
                let none = directive.args.iter().all(|word| word.eq_ignore_ascii_case("none"));
                self.overridden = Some(!none);
            }
            "limit" | "limitexcept" => self.limit(directive, draft),
            _ if require::is_requirement(directive) || is_walked(&directive.name) => {}
            "rewriterule" if !is_safe_rewrite(directive) => {
                self.unsure(directive, "it may refuse or lead to a path with other rules", draft);
            }
            "order" | "allow" | "deny" | "satisfy" => {
                self.unsure(directive, "of access control only Require is carried over", draft);
            }
            name if is_harmless(name) => {}
            _ => self.unsure(directive, "it is not known here whether it decides about access", draft),
        }
    }

    /// What is asked of some methods is asked of all; what is opened to some is opened to none.
    fn limit(&mut self, directive: &Directive, draft: &mut Draft) {
        let inner = Self::of(directive.block.as_deref().unwrap_or_default(), draft);
        if self.who.is_none() && !matches!(inner.who, None | Some(Who::Open)) {
            draft.differs(directive.line, directive.head(), "here it is asked of every method");
            self.who = inner.who;
            return;
        }
        self.unsure(directive, "it asks some methods for more than others", draft);
    }

    fn unsure(&mut self, directive: &Directive, why: &str, draft: &mut Draft) {
        let what = if directive.block.is_some() { directive.head() } else { directive.name.clone() };
        draft.leave(directive.line, what, format!("{why}; what it concerns stays protected"));
        self.unsure = Some(At { line: directive.line, it: directive.name.clone() });
    }

    /// Puts the settings of a later section over these.
    pub fn under(self, later: &Self) -> Self {
        let pick = |new: &Option<At>, old: Option<At>| new.clone().or(old);
        Self {
            kind: pick(&later.kind, self.kind),
            realm: pick(&later.realm, self.realm),
            users: pick(&later.users, self.users),
            groups: pick(&later.groups, self.groups),
            provider: pick(&later.provider, self.provider),
            unsure: pick(&later.unsure, self.unsure),
            who: later.who.clone().or(self.who),
            overridden: later.overridden.or(self.overridden),
        }
    }

    /// Whether it asks for anything, so that what it covers must not be opened.
    pub fn protects(&self) -> bool {
        self.unsure.is_some() || !matches!(self.who, None | Some(Who::Open))
    }
}

/// Sections that are looked at where they stand.
fn is_walked(name: &str) -> bool {
    const SECTIONS: [&str; 18] = [
        "virtualhost",
        "location",
        "locationmatch",
        "directory",
        "directorymatch",
        "files",
        "filesmatch",
        "proxy",
        "proxymatch",
        "if",
        "elseif",
        "else",
        "ifmodule",
        "ifdefine",
        "ifversion",
        "ifdirective",
        "ifsection",
        "iffile",
    ];
    SECTIONS.contains(&name)
}

/// A rewriting that sends browsers elsewhere, or that changes nothing and refuses nothing.
fn is_safe_rewrite(directive: &Directive) -> bool {
    let flags = directive.args.get(2).map(|flags| flags.trim_matches(['[', ']']).to_ascii_uppercase());
    let flags: Vec<&str> =
        flags.as_deref().map(|text| text.split(',').map(str::trim).collect()).unwrap_or_default();
    let refuses = flags.iter().any(|flag| matches!(*flag, "F" | "FORBIDDEN" | "G" | "GONE"));
    let sends = flags.iter().any(|flag| flag.starts_with("R=3") || matches!(*flag, "R" | "REDIRECT"));
    !refuses && (sends || directive.args.get(1).is_some_and(|target| target == "-"))
}

/// What says nothing of access: by how its name begins.
fn is_harmless(name: &str) -> bool {
    const STARTS: [&str; 76] = [
        "add",
        "alias",
        "allowencodedslashes",
        "balancer",
        "brotli",
        "browsermatch",
        "buffer",
        "cache",
        "charset",
        "checkspelling",
        "contentdigest",
        "cookie",
        "customlog",
        "dav",
        "default",
        "deflate",
        "directory",
        "documentroot",
        "enablemmap",
        "enablesendfile",
        "errordocument",
        "errorlog",
        "expires",
        "extendedstatus",
        "fcgid",
        "fileetag",
        "filter",
        "forcetype",
        "group",
        "h2",
        "header",
        "hostname",
        "http",
        "identity",
        "imap",
        "index",
        "keepalive",
        "language",
        "limitinternal",
        "limitrequest",
        "listen",
        "loadmodule",
        "log",
        "max",
        "mime",
        "min",
        "mod_gzip",
        "multiviews",
        "mutex",
        "namevirtualhost",
        "options",
        "php_",
        "pid",
        "protocol",
        "proxy",
        "readme",
        "redirect",
        "remoteip",
        "remove",
        "requestheader",
        "requestreadtimeout",
        "rewritebase",
        "rewritecond",
        "rewriteengine",
        "rewriteoptions",
        "rewriterule",
        "script",
        "sendbuffer",
        "server",
        "set",
        "start",
        "substitute",
        "timeout",
        "trace",
        "type",
        "user",
    ];
    const NAMES: [&str; 17] = [
        "acceptpathinfo",
        "asyncrequestworkerfactor",
        "unsetenv",
        "usecanonicalname",
        "usecanonicalphysicalport",
        "threadsperchild",
        "transferlog",
        "sslengine",
        "sslcertificatefile",
        "sslcertificatekeyfile",
        "sslcertificatechainfile",
        "sslprotocol",
        "sslciphersuite",
        "sslhonorcipherorder",
        "ssloptions",
        "sslsessiontickets",
        "sslusestapling",
    ];
    NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}
