//! The double nearest to a number in decimal (RFC 8259 §6), ties to even: what IEEE 754 §5.12 asks for.
//!
//! The number is taken as a fraction of two whole numbers of any size, divided, and rounded once. The standard
//! library's reader is quicker and says the same of every text (a test below); its tables are 10 KB of wasm that do not
//! compress. [`super::read`] reads plain seconds, which nearly every number in a token is, without either.

/// Digits that can matter: halfway between two doubles lies no number of more than 767 significant digits, so of those
/// that follow it matters only whether all are zero.
const MOST_DIGITS: i64 = 800;

/// The largest power of ten below the base of [`Natural`], and its exponent.
const TEN_TO_NINE: (u64, i64) = (1_000_000_000, 9);

/// The double nearest to `text`, which has the form of a JSON number; infinite where that is beyond the largest.
pub(super) fn nearest(text: &str) -> f64 {
    let (sign, unsigned) = text.strip_prefix('-').map_or((1.0, text), |unsigned| (-1.0, unsigned));
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let mut decimal = Decimal::read(digits);
    decimal.power = decimal.power.saturating_add(whole(exponent));
    sign * decimal.nearest()
}

/// An exponent; beyond the range of `i64` its limit, which is as far out of range.
fn whole(text: &str) -> i64 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = digits
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    sign * value
}

/// `digits` · 10^`power`.
struct Decimal {
    digits: Natural,
    /// How many digits there are.
    count: i64,
    power: i64,
}

impl Decimal {
    /// Reads digits, among them perhaps a point.
    fn read(text: &str) -> Self {
        let mut decimal = Self { digits: Natural(Vec::new()), count: 0, power: 0 };
        let (mut after_point, mut more) = (0, false);
        for byte in text.bytes() {
            if byte == b'.' {
                after_point = 1;
            } else if decimal.count < MOST_DIGITS {
                decimal.push(u64::from(byte - b'0'));
                decimal.power -= after_point;
            } else {
                more |= byte != b'0';
                decimal.power += 1 - after_point;
            }
        }
        if more {
            // Stands for the rest: it lies where the rest lies, between these digits and the next higher ones.
            decimal.push(1);
            decimal.power -= 1;
        }
        decimal
    }

    fn push(&mut self, digit: u64) {
        self.digits.multiply(10, digit);
        self.count += i64::from(!self.digits.0.is_empty());
    }

    fn nearest(self) -> f64 {
        match self.count.saturating_add(self.power) {
            _ if self.count == 0 => 0.0,
            // Below half of the smallest double, 4.9e-324; above the largest, 1.8e308.
            ..-330 => 0.0,
            311.. => f64::INFINITY,
            _ => self.binary().nearest(),
        }
    }

    /// As a binary fraction of more bits than a double has.
    fn binary(self) -> Binary {
        let Self { mut digits, power, .. } = self;
        // 10^n has less than 10n/3 bits: after dividing by it at least 64 are left.
        let places = 3 + usize::try_from(-power).unwrap_or(0) * 10 / 3 / 32;
        for (factor, times) in in_steps(power) {
            (0..times).for_each(|_| digits.multiply(factor, 0));
        }
        digits.0.splice(0..0, core::iter::repeat_n(0, places));
        let mut more = false;
        for (divisor, times) in in_steps(-power) {
            (0..times).for_each(|_| more |= digits.divide(divisor));
        }
        Binary { digits, places: places * 32, more }
    }
}

/// 10^`power` as factors, each with the times it is to be applied; none where the power is negative.
fn in_steps(power: i64) -> [(u64, i64); 2] {
    let (factor, digits) = TEN_TO_NINE;
    let power = power.max(0);
    [(factor, power / digits), (10, power % digits)]
}

/// `digits` / 2^`places`, and a little `more` or not.
struct Binary {
    digits: Natural,
    places: usize,
    more: bool,
}

impl Binary {
    /// Rounds to 53 bits; to fewer where the last would stand below 2^-1074, the last place of a double.
    fn nearest(&self) -> f64 {
        const SIGNIFICAND: usize = 53;
        const LAST_PLACE: usize = 1074;
        let length = self.digits.bits();
        let dropped = (length - SIGNIFICAND).max(self.places.saturating_sub(LAST_PLACE));
        let kept = (dropped..length).rev().fold(0, |kept, at| kept << 1 | u64::from(self.digits.bit(at)));
        let half = self.digits.bit(dropped - 1);
        let beyond_half = self.more || (0..dropped - 1).any(|at| self.digits.bit(at));
        let rounded = kept + u64::from(half && (beyond_half || kept & 1 == 1));
        // The exponent field counts from the last place; the first bit of the significand adds one to it, and so does
        // one that was rounded up to 2^53 (IEEE 754 §3.4).
        let exponent = (dropped + LAST_PLACE - self.places) as u64;
        let bits = (exponent << 52) + rounded;
        f64::from_bits(bits.min(f64::INFINITY.to_bits()))
    }
}

/// A whole number of any size: digits of base 2^32, the lowest first, the highest not zero.
struct Natural(Vec<u64>);

impl Natural {
    /// Multiplies, and adds; both below 2^32.
    fn multiply(&mut self, factor: u64, added: u64) {
        let mut carry = added;
        for digit in &mut self.0 {
            let product = *digit * factor + carry;
            *digit = product & 0xFFFF_FFFF;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Divides by a number below 2^32; whether there was a remainder.
    fn divide(&mut self, divisor: u64) -> bool {
        let mut remainder = 0;
        for digit in self.0.iter_mut().rev() {
            let part = remainder << 32 | *digit;
            *digit = part / divisor;
            remainder = part % divisor;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        remainder > 0
    }

    /// How many binary digits it has.
    fn bits(&self) -> usize {
        let unused = self.0.last().map_or(0, |highest| highest.leading_zeros() as usize - 32);
        self.0.len() * 32 - unused
    }

    fn bit(&self, at: usize) -> bool {
        self.0.get(at / 32).is_some_and(|digit| digit >> (at % 32) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use proptest::prelude::*;

    fn same(text: &str) -> bool {
        text.parse::<f64>().expect("a number").to_bits() == nearest(text).to_bits()
    }

    #[test]
    fn hard_cases() {
        let half_of_the_smallest = format!("{:.1100}", f64::from_bits(1) / 2.0 + f64::from_bits(1));
        let a_tie = format!("9007199254740993{}", ".".to_owned() + &"0".repeat(900));
        let above_a_tie = format!("{a_tie}1");
        for text in [
            "0",
            "-0",
            "0.0e5",
            "1",
            "0.1",
            "-2.5e-3",
            "1700000000.1234567",
            "253402300799.9999999",
            "9007199254740993",
            "9007199254740992.5",
            "123456789012345678901234567890",
            "1e22",
            "1e23",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e999999999999999999999",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.5e-324",
            "1e-400",
            "1e-99999999999999999999",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "2.2250738585072012e-308",
            "0e999999999999999999999",
            "0.000000000000000000000000000000000000000000001e45",
            &half_of_the_smallest,
            &a_tie,
            &above_a_tie,
            &format!("1{}e-1000", "0".repeat(1000)),
            &format!("0.{}1e1000", "0".repeat(999)),
        ] {
            assert!(same(text), "{text}: {:e}", nearest(text));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn any_text(text in r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
            prop_assert!(same(&text));
        }

        #[test]
        fn any_double_and_its_neighbours(bits in any::<u64>(), digit in 0..10_u8) {
            let double = f64::from_bits(bits);
            prop_assume!(double.is_finite());
            for text in [format!("{double}"), format!("{double:e}"), format!("{double:.30e}"), format!("{double:.800e}")] {
                prop_assert!(same(&text));
            }
            // Exactly between it and the next, and a little further.
            let next = f64::from_bits(bits + 1);
            let between = format!("{:.1080}", double / 2.0 + next / 2.0);
            let beyond = format!("{between}{digit}");
            prop_assert!(same(&between));
            prop_assert!(same(&beyond));
        }
    }
}
