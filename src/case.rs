//! Upper and lower case of single characters, as the Unicode Character Database has them.
//!
//! The standard library says the same, by tables that are indexed and 24 KB large. Here neighbours that change
//! alike are one run, which is a quarter of that. A test compares every character with the standard library.

mod tables;

use tables::{LONGER_UPPER, LOWER, UPPER};

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
    } else {
        out.push(single(character, character.to_ascii_lowercase(), &LOWER));
    }
}

/// Appends the upper case of a character.
pub fn push_upper(out: &mut String, character: char) {
    match LONGER_UPPER.binary_search_by_key(&character, |(lower, _)| *lower) {
        Ok(at) => out.push_str(LONGER_UPPER.get(at).map_or("", |(_, upper)| upper)),
        Err(_) => out.push(single(character, character.to_ascii_uppercase(), &UPPER)),
    }
}

fn single(character: char, in_ascii: char, runs: &[Run]) -> char {
    if character.is_ascii() {
        return in_ascii;
    }
    let code = u32::from(character);
    let run = runs.get(runs.partition_point(|run| run.last < code));
    let changed = run
        .filter(|run| run.first <= code && (code - run.first).is_multiple_of(run.step))
        .and_then(|run| char::from_u32(code.wrapping_add_signed(run.by)));
    changed.unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/case/tables.rs");

    fn said(push: fn(&mut String, char), character: char) -> String {
        let mut out = String::new();
        push(&mut out, character);
        out
    }

    #[test]
    fn every_character_is_as_in_the_standard_library() {
        for character in '\0'..=char::MAX {
            assert_eq!(said(push_lower, character), character.to_lowercase().to_string(), "{character:?}");
            assert_eq!(said(push_upper, character), character.to_uppercase().to_string(), "{character:?}");
        }
    }

    fn runs(change: impl Fn(char) -> Vec<char>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for character in '\u{80}'..=char::MAX {
            let [changed] = change(character)[..] else { continue };
            let code = u32::from(character);
            let by = u32::from(changed).wrapping_sub(code).cast_signed();
            match runs.last_mut().filter(|run| run.by == by && by != 0) {
                Some(run) if run.first == run.last && code - run.last <= 2 => {
                    (run.last, run.step) = (code, code - run.last)
                }
                Some(run) if code - run.last == run.step => run.last = code,
                _ if by != 0 => runs.push(Run { first: code, last: code, step: 1, by }),
                _ => {}
            }
        }
        runs
    }

    type Change = fn(char) -> Vec<char>;

    #[test]
    #[ignore = "writes into the source"]
    fn write_the_tables() {
        let mut file =
            "//! Written by the test `write_the_tables` out of what the standard library says.\n\n\
            use super::Run;\n\nconst fn run(first: u32, last: u32, step: u32, by: i32) -> Run {\n    \
            Run { first, last, step, by }\n}\n"
                .to_owned();
        let tables: [(&str, &str, Change); 2] = [
            ("Upper case to lower case.", "LOWER", |c| c.to_lowercase().collect()),
            ("Lower case to upper case.", "UPPER", |c| c.to_uppercase().collect()),
        ];
        for (what, name, change) in tables {
            let runs = runs(change);
            let mut table =
                format!("\n/// {what}\n#[rustfmt::skip]\npub static {name}: [Run; {}] = [", runs.len());
            for (at, Run { first, last, step, by }) in runs.into_iter().enumerate() {
                table.push_str(if at % 4 == 0 { "\n    " } else { " " });
                write!(table, "run({first:#x}, {last:#x}, {step}, {by}),").expect("a string");
            }
            file.push_str(&(table + "\n];\n"));
        }
        let longer = ('\u{80}'..=char::MAX).filter(|c| c.to_uppercase().count() > 1);
        let longer: Vec<String> = longer
            .map(|c| {
                format!(
                    "('{}', \"{}\"),",
                    c.escape_unicode(),
                    c.to_uppercase().collect::<String>().escape_unicode()
                )
            })
            .collect();
        let rows: Vec<String> = longer.chunks(3).map(|row| format!("    {}\n", row.join(" "))).collect();
        let what =
            "/// Those whose upper case is several characters.\n#[rustfmt::skip]\npub static LONGER_UPPER";
        write!(file, "\n{what}: [(char, &str); {}] = [\n{}];\n", longer.len(), rows.concat())
            .expect("a string");
        std::fs::write(FILE, file).expect("writable");
    }
}
