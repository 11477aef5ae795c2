//! `EDGEWARD_KV` by way of wrangler, which knows the account, the namespace and who may write.

use super::How;
use crate::cli::input;
use crate::cli::output::{Misuse, visible_lines};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What wrangler prints where the local store has no such key.
const NOT_FOUND: &str = "Value not found";

/// A store, and how wrangler is asked about it.
pub struct Store<'h> {
    how: &'h How,
}

/// What came of it, or why nothing did: a sentence. Not to be able to start is misuse.
type Attempt<T> = Result<Result<T, String>, Misuse>;

impl<'h> Store<'h> {
    /// The one that is asked for.
    pub const fn new(how: &'h How) -> Self {
        Self { how }
    }

    /// The command that prints a value.
    pub fn get(&self, key: &str) -> Vec<String> {
        self.command("get", key, &[])
    }

    /// The command that writes a value; nothing is written by taking the key out.
    pub fn put(&self, key: &str, value: &str) -> Vec<String> {
        if value.is_empty() { self.command("delete", key, &[]) } else { self.command("put", key, &[value]) }
    }

    /// The value that is there.
    pub fn read(&self, key: &str) -> Attempt<Option<String>> {
        let output = run(&self.get(key))?;
        if !output.status.success() {
            return Ok(if is_absent(&output, key) { Ok(None) } else { Err(complaint("read", key, &output)) });
        }
        let Ok(text) = String::from_utf8(output.stdout) else {
            return Ok(Err(format!("{key} is no text.")));
        };
        Ok(Ok(some(&text)))
    }

    /// Writes a value, from a file: it may be longer than arguments may be.
    pub fn write(&self, key: &str, value: &str) -> Attempt<()> {
        if value.is_empty() {
            return finished(key, &run(&self.put(key, value))?);
        }
        let file = Temporary::new(value)?;
        let path = file.0.display().to_string();
        finished(key, &run(&self.command("put", key, &["--path", &path]))?)
    }

    fn command(&self, verb: &str, key: &str, rest: &[&str]) -> Vec<String> {
        let how = self.how;
        let mut words = vec!["npx", "wrangler", "kv", "key", verb, "--binding", "EDGEWARD_KV", key];
        words.extend(rest);
        words.push(if how.local { "--local" } else { "--remote" });
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        match how.preview {
            true => words.push("--preview".into()),
            // Only `get` has this default; where a binding has two ids the others stop without it.
            false if verb != "get" => words.push("--preview=false".into()),
            false => {}
        }
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.map(|it| [name.to_owned(), it]).into_iter().flatten())
        };
        option("--env", how.which.from.env.clone());
        let config = &how.which.config;
        option("--config", (config != Path::new("wrangler.toml")).then(|| config.display().to_string()));
        option("--persist-to", how.persist_to.as_ref().map(|folder| folder.display().to_string()));
        words
    }
}

/// What a `get` printed, of a file or standard input.
pub fn printed(file: &Path) -> Result<String, Misuse> {
    if file == Path::new("-") {
        return Ok(some(input::all()?.expose()).unwrap_or_default());
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Misuse::new(format!("{} cannot be read: {error}.", file.display())))?;
    Ok(some(&text).unwrap_or_default())
}

fn some(text: &str) -> Option<String> {
    (text.trim_end() != NOT_FOUND).then(|| text.to_owned())
}

/// Cloudflare's API says 404; wrangler shows it with the key, so that no other 404 is taken for this one.
fn is_absent(output: &Output, key: &str) -> bool {
    let wanted = format!("/values/{} - 404", key.replace(':', "%3A"));
    [&output.stdout, &output.stderr].iter().any(|stream| String::from_utf8_lossy(stream).contains(&wanted))
}

fn finished(key: &str, output: &Output) -> Attempt<()> {
    Ok(if output.status.success() { Ok(()) } else { Err(complaint("write", key, output)) })
}

fn complaint(verb: &str, key: &str, output: &Output) -> String {
    let said = plain(&[&output.stderr[..], &output.stdout[..]].concat());
    format!("wrangler could not {verb} {key}:\n{said}")
}

/// Without colours, blank lines and where the log is.
fn plain(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest));
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    visible_lines(&lines.join("\n"))
}

/// Runs a command without anybody to ask: wrangler's prompts would not be seen.
pub fn run(arguments: &[String]) -> Result<Output, Misuse> {
    let (program, rest) =
        arguments.split_first().map_or(("npx", &[][..]), |(program, rest)| (program.as_str(), rest));
    let program = if cfg!(windows) && program == "npx" { "npx.cmd" } else { program };
    Command::new(program).args(rest).stdin(Stdio::null()).output().map_err(|error| {
        Misuse::new(format!("{program} does not start: {error}. Without --run the commands are printed."))
    })
}

/// A file that goes away again.
struct Temporary(PathBuf);

impl Temporary {
    fn new(content: &str) -> Result<Self, Misuse> {
        let name = format!("edgeward-{:016x}.json", u64::from_ne_bytes(crate::cli::random::octets()?));
        let path = std::env::temp_dir().join(name);
        let written =
            std::fs::File::create_new(&path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.map_err(|error| Misuse::new(format!("{} cannot be written: {error}.", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing secret stands in it, and nobody can be told.
        let _ = std::fs::remove_file(&self.0);
    }
}
