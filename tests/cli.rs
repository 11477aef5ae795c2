//! The command `edgeward`, driven as people drive it: arguments, environment, files, standard input and a terminal.

#[path = "cli/support.rs"]
mod support;

#[path = "cli/api_key.rs"]
mod api_key;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/check_kinds.rs"]
mod check_kinds;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/explain_kinds.rs"]
mod explain_kinds;
#[path = "cli/hash.rs"]
mod hash;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/manners.rs"]
mod manners;
#[path = "cli/revoke.rs"]
mod revoke;
#[path = "cli/token.rs"]
mod token;
#[path = "cli/token_kinds.rs"]
mod token_kinds;
#[path = "cli/totp.rs"]
mod totp;
#[path = "cli/url.rs"]
mod url;
