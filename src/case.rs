//! The lower case of single characters, as the Unicode Character Database has it.
//!
//! The standard library says the same by a table of 11 KB. Here neighbours that change alike are one run, which is a
//! sixth of that. A test compares every character with the standard library.

mod lower;

use lower::LOWER;

/// Characters that change alike: `first`, every `step`th after it, and `last`; `by` is added to their code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: u32,
    last: u32,
    step: u32,
    by: i32,
}

/// Appends the lower case of a character.
pub fn push_lower(out: &mut String, character: char) {
    if character == 'İ' {
        // The only one whose lower case is two characters.
        out.push_str("i\u{307}");
    } else if character.is_ascii() {
        out.push(character.to_ascii_lowercase());
    } else {
        out.push(single(character));
    }
}

fn single(character: char) -> char {
    let code = u32::from(character);
    let run = LOWER.get(LOWER.partition_point(|run| run.last < code));
    let changed = run
        .filter(|run| run.first <= code && (code - run.first).is_multiple_of(run.step))
        .and_then(|run| char::from_u32(code.wrapping_add_signed(run.by)));
    changed.unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/case/lower.rs");

    #[test]
    fn every_character_is_as_in_the_standard_library() {
        if std::env::var_os("EDGEWARD_UPDATE").is_some() {
            std::fs::write(FILE, table()).expect("writable");
        }
        for character in '\0'..=char::MAX {
            let mut out = String::new();
            push_lower(&mut out, character);
            let wanted: String = character.to_lowercase().collect();
            assert_eq!(
                out, wanted,
                "write the table: EDGEWARD_UPDATE=1 cargo test every_character_is, twice"
            );
        }
    }

    fn runs() -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for character in '\u{80}'..=char::MAX {
            let changed: Vec<char> = character.to_lowercase().collect();
            let [changed] = changed[..] else { continue };
            let code = u32::from(character);
            let by = u32::from(changed).wrapping_sub(code).cast_signed();
            match runs.last_mut().filter(|run| run.by == by && by != 0) {
                Some(run) if run.first == run.last && code - run.last <= 2 => {
                    (run.last, run.step) = (code, code - run.last);
                }
                Some(run) if code - run.last == run.step => run.last = code,
                _ if by != 0 => runs.push(Run { first: code, last: code, step: 1, by }),
                _ => {}
            }
        }
        runs
    }

    fn table() -> String {
        let runs = runs();
        let mut table = format!(
            "//! Written by a test out of what the standard library says.\n\nuse super::Run;\n\n\
            const fn run(first: u32, last: u32, step: u32, by: i32) -> Run {{\n    Run {{ first, last, step, by }}\n}}\n\n\
            /// Upper case to lower case.\n#[rustfmt::skip]\npub static LOWER: [Run; {}] = [",
            runs.len()
        );
        for (at, Run { first, last, step, by }) in runs.into_iter().enumerate() {
            table.push_str(if at % 4 == 0 { "\n    " } else { " " });
            write!(table, "run({first:#x}, {last:#x}, {step}, {by}),").expect("a string");
        }
        table + "\n];\n"
    }
}
