//! A QR code (ISO/IEC 18004) in a terminal: half blocks, so that two rows of modules are one line of text.
//!
//! A reader looks for dark modules on a light ground with a light margin around. What a terminal calls white may be any colour,
//! and its ground dark: so the two colours are named, out of the part of the palette that themes leave alone. Where colours
//! cannot be, the blocks are the light modules, as most terminals write light on dark; `invert` is for the others.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code (ISO/IEC 18004 §6.3.8).
const MARGIN: usize = 4;

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether the terminal shows colours.
    pub colored: bool,
    /// Dark and light the other way round.
    pub invert: bool,
}

/// The code of that text as lines; `None` for text that is too long for any.
pub fn drawn(text: &str, style: Style) -> Option<Vec<String>> {
    // The least correction of errors: nothing damages a screen, and larger modules are read from further away.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let side = code.width() + 2 * MARGIN;
    let inside = MARGIN..side - MARGIN;
    let is_light = |x: usize, y: usize| {
        let is_margin = !inside.contains(&x) || !inside.contains(&y);
        is_margin || code[(x - MARGIN, y - MARGIN)] == Color::Light
    };
    let line = |y: usize| {
        // Below the last row, as there is an odd number of them, there is one more of the margin.
        let halves =
            |x| (is_light(x, y) != style.invert, (y + 1 >= side || is_light(x, y + 1)) != style.invert);
        colored((0..side).map(|x| block(halves(x))).collect(), style)
    };
    Some((0..side).step_by(2).map(line).collect())
}

/// The character whose inked halves are the light ones.
const fn block(light: (bool, bool)) -> char {
    match light {
        (true, true) => '\u{2588}',
        (true, false) => '\u{2580}',
        (false, true) => '\u{2584}',
        (false, false) => ' ',
    }
}

/// White ink on black ground: 231 and 16 of the 256 colours.
fn colored(line: String, style: Style) -> String {
    if style.colored { format!("\u{1b}[38;5;231;48;5;16m{line}\u{1b}[0m") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(style: Style) -> Vec<String> {
        drawn("otpauth://totp/A:ann?secret=MZXW6YTBOI", style).expect("short enough")
    }

    #[test]
    fn as_many_lines_as_half_the_rows() {
        let plain = lines(Style { colored: false, invert: false });
        let side = plain[0].chars().count();
        assert_eq!(plain.len(), side.div_ceil(2));
        assert!(plain.iter().all(|line| line.chars().count() == side));
        assert!(plain[0].chars().all(|c| c == '\u{2588}'), "the margin is light");
        let inverted = lines(Style { colored: false, invert: true });
        assert!(inverted[0].chars().all(|c| c == ' '));
        let swap = |c| match c {
            '\u{2588}' => ' ',
            ' ' => '\u{2588}',
            '\u{2580}' => '\u{2584}',
            _ => '\u{2580}',
        };
        for (line, other) in plain.iter().zip(&inverted) {
            assert_eq!(line.chars().map(swap).collect::<String>(), *other);
        }
        let colored = lines(Style { colored: true, invert: false });
        assert!(colored.iter().zip(&plain).all(|(line, plain)| line.contains(plain.as_str())));
        assert!(colored.iter().all(|line| line.ends_with("\u{1b}[0m")));
    }

    #[test]
    fn a_text_may_be_too_long() {
        assert!(drawn(&"x".repeat(3000), Style { colored: false, invert: false }).is_none());
    }
}
