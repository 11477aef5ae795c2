//! The colours of a page, out of one brand colour.
//!
//! WCAG 2.2 counts: text needs 4.5 : 1 against what it stands on (1.4.3), what is no text but has to be seen needs
//! 3 : 1 (1.4.11). Every colour here is either fixed and far from its ground, or moved towards black or white until
//! the ratio holds: a brand colour is kept as it is wherever it can be.

use crate::policy::Rgb;
use core::fmt::Write as _;

/// Black.
pub const BLACK: Rgb = Rgb(0, 0, 0);
/// White.
pub const WHITE: Rgb = Rgb(255, 255, 255);

/// WCAG 2.2, 1.4.3: text at its usual size.
pub const TEXT: f64 = 4.5;
/// WCAG 2.2, 1.4.11: what has to be seen but is no text.
pub const SEEN: f64 = 3.0;

/// The brand colour of an operator who named none: a deep blue that is nobody's in particular.
pub const DEFAULT: Rgb = Rgb(0x2f, 0x4f, 0xc4);

/// The colours of one scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind the card.
    pub ground: Rgb,
    /// The card.
    pub card: Rgb,
    /// Text.
    pub ink: Rgb,
    /// Text that stands back.
    pub quiet: Rgb,
    /// Borders that only please.
    pub line: Rgb,
    /// Borders of what is filled in; 3 : 1 against card and ground.
    pub edge: Rgb,
    /// The brand's colour, on button and monogram; 3 : 1 against card and ground.
    pub brand: Rgb,
    /// Text on it: black or white.
    pub on_brand: Rgb,
    /// The brand's colour as text and as focus ring; 4.5 : 1 against card and ground.
    pub link: Rgb,
    /// What is wrong, as text: a red whatever the brand's colour is; 4.5 : 1 against card and ground.
    pub alarm: Rgb,
}

impl Palette {
    /// For a light screen.
    #[must_use]
    pub fn light(brand: Rgb) -> Self {
        let bases = [Rgb(246, 246, 247), WHITE, Rgb(22, 24, 29), Rgb(88, 93, 102), Rgb(224, 226, 230)];
        Self::tinted(bases, Rgb(179, 38, 30), brand, BLACK)
    }

    /// For a dark screen: not the light one inverted, but a card that is a little lighter than what it lies on.
    #[must_use]
    pub fn dark(brand: Rgb) -> Self {
        let bases =
            [Rgb(13, 14, 17), Rgb(23, 24, 28), Rgb(238, 239, 242), Rgb(166, 170, 179), Rgb(48, 51, 58)];
        Self::tinted(bases, Rgb(255, 138, 128), brand, WHITE)
    }

    /// Grounds and greys get a breath of the brand's hue; what has to be read is then moved `towards` black or white.
    fn tinted([ground, card, ink, quiet, line]: [Rgb; 5], alarm: Rgb, brand: Rgb, towards: Rgb) -> Self {
        let ground = mix(ground, brand, 2);
        let card = if card == WHITE { WHITE } else { mix(card, brand, 4) };
        let behind = [ground, card];
        let fill = reach(brand, towards, &behind, SEEN);
        let line = mix(line, brand, 8);
        Self {
            ground,
            card,
            ink: reach(mix(ink, brand, 4), towards, &behind, 10.0),
            quiet: reach(mix(quiet, brand, 8), towards, &behind, TEXT),
            line,
            edge: reach(line, towards, &behind, SEEN),
            brand: fill,
            on_brand: text_on(fill),
            link: reach(brand, towards, &behind, TEXT),
            alarm: reach(alarm, towards, &behind, TEXT),
        }
    }

    fn declarations(&self) -> String {
        let named = [
            ("ground", self.ground),
            ("card", self.card),
            ("ink", self.ink),
            ("quiet", self.quiet),
            ("line", self.line),
            ("edge", self.edge),
            ("brand", self.brand),
            ("on-brand", self.on_brand),
            ("link", self.link),
            ("alarm", self.alarm),
        ];
        let mut css = String::new();
        for (name, color) in named {
            // Writing to a String cannot fail.
            let _ = write!(css, "--{name}:{};", hex(color));
        }
        css
    }
}

/// Custom properties for both schemes and for paper: the only place where a value of the operator's stands in a style sheet.
#[must_use]
pub fn css(brand: Option<Rgb>) -> String {
    let brand = brand.unwrap_or(DEFAULT);
    let (light, dark) = (Palette::light(brand).declarations(), Palette::dark(brand).declarations());
    format!(":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
}

/// A colour as CSS writes it: `#0b5fff`.
#[must_use]
pub fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Black or white, whichever has more contrast; always 4.5 : 1 at least, as black's and white's ratios multiply to 21.
#[must_use]
pub fn text_on(ground: Rgb) -> Rgb {
    if contrast(ground, BLACK) >= contrast(ground, WHITE) { BLACK } else { WHITE }
}

/// Contrast ratio by WCAG 2.2, from 1 to 21.
#[must_use]
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// `color`, moved `towards` black or white in hundredths until it has `ratio` against each ground.
///
/// Where even the end of that way does not have it, the end is returned.
#[must_use]
pub fn reach(color: Rgb, towards: Rgb, grounds: &[Rgb], ratio: f64) -> Rgb {
    let enough = |candidate: &Rgb| grounds.iter().all(|ground| contrast(*candidate, *ground) >= ratio);
    (0..=100).map(|share| mix(color, towards, share)).find(enough).unwrap_or(towards)
}

/// `share` hundredths of `with` in `color`.
fn mix(color: Rgb, with: Rgb, share: u16) -> Rgb {
    let share = share.min(100);
    let channel = |a: u8, b: u8| {
        let sum = u16::from(a) * (100 - share) + u16::from(b) * share + 50;
        // At most (255 * 100 + 50) / 100 = 255: the fallback is never taken.
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    Rgb(channel(color.0, with.0), channel(color.1, with.1), channel(color.2, with.2))
}

/// Relative luminance by WCAG 2.2, from 0 to 1.
fn luminance(Rgb(red, green, blue): Rgb) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every colour of a grid of 18 steps a channel (17 apart), corners and greys included.
    fn many() -> impl Iterator<Item = Rgb> {
        let steps = || (0..=15_u8).map(|step| step * 17);
        steps().flat_map(move |r| steps().flat_map(move |g| steps().map(move |b| Rgb(r, g, b))))
    }

    #[test]
    fn known_ratios() {
        for (one, other, ratio) in [
            (BLACK, WHITE, 21.0),
            (WHITE, WHITE, 1.0),
            (Rgb(0x77, 0x77, 0x77), WHITE, 4.478),
            (Rgb(0x76, 0x76, 0x76), WHITE, 4.542),
            (Rgb(255, 0, 0), WHITE, 3.998),
            (Rgb(0, 0, 255), WHITE, 8.592),
        ] {
            assert!((contrast(one, other) - ratio).abs() < 0.001, "{one:?} {other:?}");
            assert!((contrast(other, one) - ratio).abs() < 0.001, "{one:?} {other:?}");
        }
    }

    #[test]
    fn black_or_white_is_always_legible() {
        for color in many() {
            assert!(contrast(color, text_on(color)) >= TEXT, "{color:?}");
        }
        // The worst that 8 bits can do: the greys around a luminance of 0.179.
        for grey in 0..=255 {
            let color = Rgb(grey, grey, grey);
            assert!(contrast(color, text_on(color)) >= TEXT, "{color:?}");
        }
    }

    #[test]
    fn every_brand_is_legible_in_both_schemes() {
        for brand in many() {
            for it in [Palette::light(brand), Palette::dark(brand)] {
                for behind in [it.card, it.ground] {
                    assert!(contrast(it.brand, behind) >= SEEN, "{brand:?} fill {it:?}");
                    assert!(contrast(it.link, behind) >= TEXT, "{brand:?} link {it:?}");
                    assert!(contrast(it.edge, behind) >= SEEN, "{brand:?} edge {it:?}");
                    assert!(contrast(it.alarm, behind) >= TEXT, "{brand:?} alarm {it:?}");
                    assert!(contrast(it.quiet, behind) >= TEXT, "{brand:?} quiet {it:?}");
                    assert!(contrast(it.ink, behind) >= 10.0, "{brand:?} ink {it:?}");
                }
                assert!(contrast(it.brand, it.on_brand) >= TEXT, "{brand:?} text on fill {it:?}");
            }
        }
    }

    #[test]
    fn a_colour_that_suffices_is_kept() {
        let brand = Rgb(0x0b, 0x5f, 0xff);
        assert_eq!(Palette::light(brand).brand, brand);
        assert_eq!(Palette::light(brand).link, brand);
        assert_eq!(Palette::light(brand).on_brand, WHITE);
        let pale = Rgb(0xff, 0xe0, 0x66);
        assert_ne!(Palette::light(pale).brand, pale);
        assert_eq!(Palette::dark(pale).brand, pale);
        assert_eq!(Palette::dark(pale).on_brand, BLACK);
    }

    #[test]
    fn grounds_are_told_apart() {
        for brand in many() {
            for it in [Palette::light(brand), Palette::dark(brand)] {
                assert!(contrast(it.ground, it.card) > 1.02, "{brand:?} {it:?}");
                assert!(contrast(it.line, it.card) > 1.1, "{brand:?} {it:?}");
            }
        }
    }

    #[test]
    fn css_names_every_colour_twice() {
        let css = css(Some(Rgb(1, 2, 3)));
        for name in ["ground", "card", "ink", "quiet", "line", "edge", "brand", "on-brand", "link", "alarm"] {
            assert_eq!(css.matches(&format!("--{name}:#")).count(), 2, "{name}");
        }
        assert!(css.contains("--brand:#010203;"));
    }
}
