//! What directives say of access in one block, and what of it the blocks in it take over.

use super::super::draft::Draft;
use super::super::networks::{is_inside_only, network, written};
use super::signed::Signed;
use super::syntax::Directive;

/// A value and its line.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The line.
    pub line: usize,
    /// The value.
    pub it: T,
}

/// `allow` or `deny`.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Whether it is `allow`.
    pub allow: bool,
    /// `all`, an address, a network.
    pub whom: String,
}

/// The settings that hold in a block.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// `auth_basic`; `None` within for `off`.
    pub basic: Option<At<Option<String>>>,
    /// `auth_basic_user_file`.
    pub user_file: Option<At<String>>,
    /// `allow` and `deny`, of the innermost block that has any.
    pub gates: Vec<At<Gate>>,
    /// Whether `satisfy any`.
    pub any: bool,
    /// `secure_link_hmac…`.
    pub signed: Signed,
    /// What asks for credentials in ways that are not carried over.
    pub other_guard: Option<At<String>>,
    /// What may decide about access, and is not understood.
    pub unsure: Option<At<String>>,
    /// `return`: its status.
    pub answer: Option<At<u16>>,
    /// `try_files`: its last word.
    pub fallback: Option<At<String>>,
    /// Whether `internal`.
    pub internal: bool,
}

impl Scope {
    /// The scope of a block within this one.
    pub fn inner(&self, directives: &[Directive], draft: &mut Draft) -> Self {
        let mut scope = Self { answer: None, fallback: None, internal: false, ..self.clone() };
        let own_gates = directives.iter().any(|it| matches!(it.name.as_str(), "allow" | "deny"));
        if own_gates {
            scope.gates.clear();
        }
        directives.iter().for_each(|directive| scope.take(directive, draft));
        scope
    }

    fn take(&mut self, directive: &Directive, draft: &mut Draft) {
        let line = directive.line;
        let first = || directive.first().unwrap_or_default().to_owned();
        match directive.name.as_str() {
            "auth_basic" => self.basic = Some(At { line, it: Some(first()).filter(|text| text != "off") }),
            "auth_basic_user_file" => self.user_file = Some(At { line, it: first() }),
            "satisfy" => self.any = directive.first() == Some("any"),
            name @ ("allow" | "deny") => {
                self.gates.push(At { line, it: Gate { allow: name == "allow", whom: first() } });
            }
            "return" => self.answer = Some(At { line, it: status(directive) }),
            "internal" => self.internal = true,
            "try_files" => {
                self.fallback = directive.args.last().map(|last| At { line, it: last.clone() });
            }
            "if" => self.condition(directive, draft),
            "include" => self.include(directive, draft),
            "rewrite" => self.rewrite(directive, draft),
            "limit_except" => {
                self.unsure(directive, "it asks some methods for more than others", draft);
            }
            "secure_link" | "secure_link_md5" | "secure_link_secret" => self.md5(directive, draft),
            name if name.starts_with("secure_link_hmac") => self.signed.take(directive),
            name if is_guard(name) => self.guard(directive, draft),
            name if is_block(name) || is_harmless(name) => {}
            _ => self.unsure(directive, "it is not known here whether it decides about access", draft),
        }
    }

    fn condition(&mut self, directive: &Directive, draft: &mut Draft) {
        if !self.signed.is_check(directive) && !sends_by_host(directive) {
            self.unsure(directive, "conditions are not carried over", draft);
        }
    }

    fn include(&mut self, directive: &Directive, draft: &mut Draft) {
        const PLAIN: [&str; 8] = [
            "mime.types",
            "fastcgi_params",
            "fastcgi.conf",
            "proxy_params",
            "uwsgi_params",
            "scgi_params",
            "fastcgi-php.conf",
            "options-ssl-nginx.conf",
        ];
        let file = directive.first().unwrap_or_default();
        if !PLAIN.iter().any(|plain| file.rsplit('/').next() == Some(plain)) {
            let why = "what that file says is not read: put its lines in its place and import again";
            self.unsure(directive, why, draft);
        }
    }

    fn rewrite(&mut self, directive: &Directive, draft: &mut Draft) {
        let is_plain =
            matches!(directive.args.last().map(String::as_str), Some("break" | "redirect" | "permanent"));
        if !is_plain {
            self.unsure(directive, "it leads to another location, which may have other rules", draft);
        }
    }

    fn md5(&mut self, directive: &Directive, draft: &mut Draft) {
        let why = "the plain secure_link is a bare MD5 and no HMAC, and is not verified here: sign with \
                   secure_link_hmac, whose preset is nginx-hmac; until then nobody passes";
        draft.leave(directive.line, &directive.name, why);
        self.other_guard = Some(At { line: directive.line, it: directive.name.clone() });
    }

    fn guard(&mut self, directive: &Directive, draft: &mut Draft) {
        if directive.first() == Some("off") {
            self.other_guard = None;
            return;
        }
        let why = "what it asks for is not known here: nobody passes until you write a rule";
        draft.leave(directive.line, &directive.name, why);
        self.other_guard = Some(At { line: directive.line, it: directive.name.clone() });
    }

    fn unsure(&mut self, directive: &Directive, why: &str, draft: &mut Draft) {
        // No arguments: any may be a secret. A condition and a file's name are worth showing.
        let head = matches!(directive.name.as_str(), "include" | "rewrite" | "limit_except");
        let what = if head { directive.head() } else { directive.name.clone() };
        draft.leave(directive.line, what, format!("{why}; what it concerns stays protected"));
        self.unsure = Some(At { line: directive.line, it: directive.name.clone() });
    }

    /// The addresses that pass.
    pub fn networks(&self, draft: &mut Draft) -> Networks {
        let mut networks = Vec::new();
        for At { line, it: Gate { allow, whom } } in &self.gates {
            match (allow, whom.as_str()) {
                (true, "all") if networks.is_empty() => return Networks::Any,
                (false, "all") if networks.is_empty() => return Networks::None,
                (false, "all") => return Networks::These(networks),
                (true, "unix:") => {}
                (true, text) if let Some(network) = network(text) => {
                    if is_inside_only(&network) {
                        let why = "an address of an inner network never reaches Cloudflare: it is of no effect here";
                        draft.differs(*line, format!("allow {text}"), why);
                    }
                    networks.push(written(&network));
                }
                _ => {
                    let why = "networks that are let in can be said, and those that are not cannot";
                    draft.leave(*line, format!("{} {whom}", if *allow { "allow" } else { "deny" }), why);
                    return Networks::Unsaid;
                }
            }
        }
        let Some(last) = self.gates.last() else { return Networks::Any };
        let why = "without a \"deny all\" behind it everybody passes in nginx, which is hardly meant: the path stays \
                   protected";
        draft.leave(last.line, "allow", why);
        Networks::Unsaid
    }
}

/// Which addresses pass.
#[derive(Debug, PartialEq, Eq)]
pub enum Networks {
    /// All.
    Any,
    /// None.
    None,
    /// These.
    These(Vec<String>),
    /// It cannot be said.
    Unsaid,
}

/// A condition that sends browsers from one host, or from http, to another: it keeps nobody from anything.
pub fn sends_by_host(directive: &Directive) -> bool {
    const BY: [&str; 4] = ["($host", "($http_host", "($scheme", "($server_port"];
    let only = match directive.block.as_deref() {
        Some([only]) => only,
        Some(_) | None => return false,
    };
    let sends = only.name == "return" && (300..400).contains(&status(only));
    directive.name == "if" && sends && directive.first().is_some_and(|first| BY.contains(&first))
}

fn status(directive: &Directive) -> u16 {
    // `return URL` is 302.
    directive.first().and_then(|text| text.parse().ok()).unwrap_or(302)
}

/// What guards in ways of its own.
fn is_guard(name: &str) -> bool {
    const STARTS: [&str; 9] = [
        "auth_",
        "access_by_lua",
        "rewrite_by_lua",
        "content_by_lua",
        "ssl_verify_client",
        "js_access",
        "perl",
        "naxsi",
        "modsecurity",
    ];
    STARTS.iter().any(|start| name.starts_with(start))
}

/// Blocks that are walked through, or that only define something.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "http"
            | "server"
            | "location"
            | "upstream"
            | "map"
            | "geo"
            | "types"
            | "events"
            | "split_clients"
            | "stream"
            | "mail"
    )
}

/// What says nothing of access.
fn is_harmless(name: &str) -> bool {
    const NAMES: [&str; 62] = [
        "absolute_redirect",
        "access_log",
        "add_header",
        "aio",
        "alias",
        "autoindex",
        "break",
        "brotli",
        "charset",
        "chunked_transfer_encoding",
        "daemon",
        "default_type",
        "directio",
        "dav_methods",
        "error_log",
        "error_page",
        "etag",
        "expires",
        "flv",
        "grpc_pass",
        "gzip",
        "http2",
        "http3",
        "if_modified_since",
        "index",
        "keepalive_requests",
        "keepalive_timeout",
        "limit_conn",
        "limit_conn_zone",
        "limit_rate",
        "limit_rate_after",
        "limit_req",
        "limit_req_zone",
        "lingering_close",
        "listen",
        "load_module",
        "log_format",
        "log_not_found",
        "max_ranges",
        "merge_slashes",
        "mp4",
        "msie_padding",
        "open_file_cache",
        "output_buffers",
        "pid",
        "port_in_redirect",
        "proxy_pass",
        "recursive_error_pages",
        "reset_timedout_connection",
        "resolver",
        "resolver_timeout",
        "root",
        "sendfile",
        "server_name",
        "server_name_in_redirect",
        "server_tokens",
        "set",
        "set_real_ip_from",
        "sub_filter",
        "user",
        "worker_processes",
        "worker_rlimit_nofile",
    ];
    const STARTS: [&str; 23] = [
        "autoindex_",
        "brotli_",
        "charset_",
        "client_",
        "fastcgi_",
        "gzip_",
        "grpc_",
        "hls_",
        "large_client_header",
        "limit_conn_",
        "limit_req_",
        "lingering_",
        "mp4_",
        "open_file_cache_",
        "proxy_",
        "real_ip_",
        "scgi_",
        "send",
        "server_names_hash",
        "ssl_",
        "sub_filter_",
        "tcp_",
        "uwsgi_",
    ];
    NAMES.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || matches!(
            name,
            "types_hash_max_size"
                | "types_hash_bucket_size"
                | "variables_hash_max_size"
                | "worker_connections"
                | "multi_accept"
                | "use"
                | "stub_status"
                | "map_hash_bucket_size"
                | "underscores_in_headers"
                | "read_ahead"
                | "postpone_output"
                | "etag"
        )
}
