//! Commands as a shell reads them.

/// A line that a shell takes apart into these arguments.
pub fn line(arguments: &[String]) -> String {
    arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" ")
}

/// This very command.
pub fn own() -> Vec<String> {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("edgeward".to_owned()).chain(arguments).collect()
}

fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let arguments = ["--x=1", "", "it's", "{\"a\":0}", "$(id)", "a b", "é\\"].map(str::to_owned);
        let script = format!("printf '%s\\n' {}", line(&arguments));
        let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), arguments.join("\n") + "\n");
    }
}
