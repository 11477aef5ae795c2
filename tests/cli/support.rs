//! A folder of its own for each test, and the real binary in it.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// `EDGEWARD_SECRET`: 32 octets.
pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// The `k` of the key "k".
pub const K: &str = "dGhlIGtleSBvZiB0aGVzZSB0ZXN0cywgMzIgb2N0ZXRz";

/// One HS256 key.
pub fn keys() -> String {
    format!(r#"{{"keys":[{{"kty":"oct","kid":"k","alg":"HS256","k":"{K}"}}]}}"#)
}

/// `.dev.vars` with a secret and a key.
pub fn dev_vars() -> String {
    format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{}'\n", keys())
}

/// A configuration without back doors, and an origin that is its own folder.
pub const GOOD: &str = r#"
name = "edgeward"
workers_dev = false
preview_urls = false
routes = [{ pattern = "staging.acme.example/*", zone_name = "acme.example" }]

[assets]
directory = "www"
binding = "ASSETS"
run_worker_first = true
html_handling = "none"

[dev]
host = "localhost"

[vars.EDGEWARD]
origin = "assets"

[[vars.EDGEWARD.rules]]
path = "/public/*"
access = "public"

[[vars.EDGEWARD.rules]]
path = "/api/*"
accept = ["bearer"]
scopes = ["read"]
"#;

/// What passwords that are guessed at are counted in: [`GOOD`] has none, and takes none.
pub const LEDGER: &str = r#"
[[durable_objects.bindings]]
name = "EDGEWARD_LEDGER"
class_name = "Ledger"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Ledger"]
"#;

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("cli-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// One with the good configuration and its secrets.
    pub fn good() -> Self {
        let folder = Self::new();
        folder.write("wrangler.toml", GOOD);
        folder.write(".dev.vars", &dev_vars());
        folder
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The command, in this folder and with nothing of this process' environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeward"));
        command.args(arguments).current_dir(&self.0).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments), "")
    }

    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        ran(self.command(arguments), input)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came out.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Neither standard output nor standard error shows it.
    pub fn hides(&self, secret: &str) -> &Self {
        assert!(!self.out.contains(secret) && !self.err.contains(secret), "{secret} shows in {self:?}");
        self
    }

    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }
}

pub fn ran(mut command: Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    // Who does not read its input closes it: no error of ours.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("a code"), out: text(output.stdout), err: text(output.stderr) }
}
