//! What is read from people: prompts on the terminal, and standard input where there is none.

use super::output::{Misuse, say};
use edgeward::secret::Secret;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicU8, Ordering};

/// Octets of standard input that are read: more than any secret, token or list of users has.
const MOST: u64 = 1024 * 1024;

/// Who has read of standard input: there is one, and two readers would each get a part of it.
static READ: AtomicU8 = AtomicU8::new(NOBODY);
const NOBODY: u8 = 0;
const BY_LINE: u8 = 1;
const WHOLE: u8 = 2;

/// Whether somebody sits there.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// One line of standard input, without its end; `None` at its end.
pub fn line() -> Result<Option<Secret<String>>, Misuse> {
    if READ.swap(BY_LINE, Ordering::Relaxed) == WHOLE {
        return Err(taken());
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MOST).read_line(&mut line).map_err(|error| unreadable(&error))?;
    let text = Secret::new(line);
    let cut = text.expose().trim_end_matches('\n').trim_end_matches('\r');
    Ok((read > 0).then(|| Secret::new(cut.to_owned())))
}

/// All of standard input.
pub fn all() -> Result<Secret<String>, Misuse> {
    if READ.swap(WHOLE, Ordering::Relaxed) != NOBODY {
        return Err(taken());
    }
    let mut text = String::new();
    std::io::stdin().lock().take(MOST).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    Ok(Secret::new(text))
}

fn taken() -> Misuse {
    Misuse::new("Two things cannot both be read from standard input: give one of them another way.")
}

fn unreadable(error: &std::io::Error) -> Misuse {
    Misuse::new(format!("Standard input cannot be read: {error}."))
}

/// Asks for what may be seen while it is typed.
pub fn ask(prompt: &str) -> Result<String, Misuse> {
    say(prompt);
    Ok(line()?.map(|line| line.expose().clone()).unwrap_or_default())
}

/// Asks for what may not be seen.
pub fn ask_secret(prompt: &str) -> Result<Secret<String>, Misuse> {
    rpassword::prompt_password(prompt)
        .map(Secret::new)
        .map_err(|error| Misuse::new(format!("The terminal cannot be asked: {error}.")))
}
