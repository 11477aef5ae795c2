//! The reader: recursive descent over the text, one function for each production of RFC 8259.

use super::number::nearest;
use super::{Json, JsonError};
use std::borrow::Cow;

/// The deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 32;

/// Objects of up to so many members look for a second name by walking; larger ones keep an index.
const WALK: usize = 24;

/// What is wrong, and at which byte.
struct Fault {
    what: &'static str,
    at: usize,
}

type Read<T> = Result<T, Fault>;

/// Reads a whole text.
pub(super) fn document(text: &str) -> Result<Json<'_>, JsonError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.document().map_err(|fault| locate(text, &fault))
}

fn locate(text: &str, fault: &Fault) -> JsonError {
    let before = text.get(..fault.at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    JsonError {
        what: fault.what,
        line: before.bytes().filter(|b| *b == b'\n').count() + 1,
        column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The next byte; always on a character boundary where a function returns.
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<Json<'a>> {
        if self.text.starts_with('\u{feff}') {
            return Err(self.fault("a byte order mark"));
        }
        let value = self.value()?;
        self.skip_white_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.fault("something after the end of the value")),
        }
    }

    fn value(&mut self) -> Read<Json<'a>> {
        self.skip_white_space();
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.literal(),
            None => Err(self.fault("nothing where a value should be")),
        }
    }

    fn literal(&mut self) -> Read<Json<'a>> {
        let literals = [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)];
        let rest = self.rest();
        match literals.into_iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                self.at += name.len();
                Ok(value)
            }
            None => Err(self.fault("no value")),
        }
    }

    fn array(&mut self) -> Read<Json<'a>> {
        self.enter()?;
        let mut elements = Vec::new();
        if !self.skips(b']') {
            loop {
                elements.push(self.value()?);
                if self.skips(b']') {
                    break;
                }
                self.expect(b',', "no comma and no end of the array")?;
            }
        }
        self.depth -= 1;
        Ok(Json::Array(elements))
    }

    fn object(&mut self) -> Read<Json<'a>> {
        self.enter()?;
        let mut members = Vec::new();
        let mut index = Vec::new();
        if !self.skips(b'}') {
            members.reserve(8);
            loop {
                let name = self.name(&members, &mut index)?;
                self.expect(b':', "no colon after a member name")?;
                let value = self.value()?;
                members.push((name, value));
                if self.skips(b'}') {
                    break;
                }
                self.expect(b',', "no comma and no end of the object")?;
            }
        }
        self.depth -= 1;
        Ok(Json::Object(members))
    }

    fn name(&mut self, members: &[(Cow<'a, str>, Json<'a>)], index: &mut Vec<usize>) -> Read<Cow<'a, str>> {
        self.skip_white_space();
        let at = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.fault("no member name in quotation marks"));
        }
        let name = self.string()?;
        if stands_in(&name, members, index) {
            return Err(Fault { what: "a member name that stands twice in one object", at });
        }
        Ok(name)
    }

    /// A string: what stands between two specials is taken over whole, and borrowed if there is nothing else.
    fn string(&mut self) -> Read<Cow<'a, str>> {
        let begin = self.at;
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let run = self.plain_run(begin)?;
            if text.is_empty() {
                text = Cow::Borrowed(run);
            } else {
                text.to_mut().push_str(run);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.to_mut().push(self.escape()?),
                Some(_) | None => return Err(self.fault("a control character in a string")),
            }
        }
    }

    /// Up to the next quotation mark, backslash or control character.
    fn plain_run(&mut self, begin: usize) -> Read<&'a str> {
        let rest = self.rest();
        match special(rest.as_bytes()) {
            Some(length) => {
                self.at += length;
                // On a boundary: an ASCII character begins there.
                Ok(rest.get(..length).unwrap_or_default())
            }
            None => Err(Fault { what: "a string without its end", at: begin }),
        }
    }

    fn escape(&mut self) -> Read<char> {
        let begin = self.at;
        let unknown = Fault { what: "an escape that JSON does not have", at: begin };
        let letter = self.text.as_bytes().get(begin + 1).copied();
        self.at += 2;
        match letter {
            Some(b @ (b'"' | b'\\' | b'/')) => Ok(char::from(b)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => {
                let unit = self.four_digits().ok_or(unknown)?;
                self.character(unit).ok_or(Fault { what: "half of a surrogate pair", at: begin })
            }
            Some(_) | None => Err(unknown),
        }
    }

    /// The character that begins with this UTF-16 code unit; `None` where it is half of one.
    fn character(&mut self, unit: u32) -> Option<char> {
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.rest().starts_with("\\u").then(|| self.at += 2)?;
        let low = self.four_digits().filter(|low| (0xDC00..0xE000).contains(low))?;
        char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    }

    fn number(&mut self) -> Read<Json<'a>> {
        let begin = self.at;
        self.next_if(|b| b == b'-');
        let leading_zero = self.peek() == Some(b'0');
        let integer = self.digits();
        let fraction = if self.next_if(|b| b == b'.') { Some(self.digits()) } else { None };
        let exponent = if self.next_if(|b| matches!(b, b'e' | b'E')) {
            self.next_if(|b| matches!(b, b'+' | b'-'));
            Some(self.digits())
        } else {
            None
        };
        if integer == 0 || (leading_zero && integer > 1) || fraction == Some(0) || exponent == Some(0) {
            return Err(Fault { what: "a number that JSON does not have", at: begin });
        }
        let text = self.text.get(begin..self.at).unwrap_or_default();
        let whole = if fraction.is_none() && exponent.is_none() { small_integer(text) } else { None };
        let number = whole.unwrap_or_else(|| nearest(text));
        if number.is_finite() {
            Ok(Json::Number(number))
        } else {
            Err(Fault { what: "a number out of range", at: begin })
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn enter(&mut self) -> Read<()> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault("more than 32 levels of nesting"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Skips white space, and this byte if it comes next.
    fn skips(&mut self, wanted: u8) -> bool {
        self.skip_white_space();
        self.next_if(|b| b == wanted)
    }

    fn expect(&mut self, wanted: u8, otherwise: &'static str) -> Read<()> {
        if self.skips(wanted) { Ok(()) } else { Err(self.fault(otherwise)) }
    }

    fn next_if(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_white_space(&mut self) {
        while self.next_if(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {}
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    const fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }
}

/// Where the first quotation mark, backslash or control character stands. Eight bytes at a time: a claims set is nearly
/// all string, and this is most of what reading it costs.
fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // The lowest byte that such a difference marks is right; those above it may be wrong, and are not looked at.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let marks = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if marks != 0 {
            return Some(index * 8 + (marks.trailing_zeros() / 8) as usize);
        }
    }
    let at = rest.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20)?;
    Some(words.len() * 8 + at)
}

/// Whether the name is there already. `index` holds the positions of large objects' members, sorted by name: 8 KB of
/// members cost an attacker's token a few thousand comparisons, not a million.
fn stands_in(name: &str, members: &[(Cow<'_, str>, Json<'_>)], index: &mut Vec<usize>) -> bool {
    if members.len() < WALK {
        return members.iter().any(|(n, _)| n == name);
    }
    let name_at = |at: usize| members.get(at).map_or("", |(n, _)| n);
    let place = |index: &[usize], name: &str| index.binary_search_by(|at| name_at(*at).cmp(name));
    // All members so far, and this one, which is pushed right after.
    for at in index.len()..members.len() {
        if let Err(free) = place(index, name_at(at)) {
            index.insert(free, at);
        }
    }
    match place(index, name) {
        Ok(_) => true,
        Err(free) => {
            index.insert(free, members.len());
            false
        }
    }
}

/// A whole number of few digits, as NumericDates are, without the work that doubles need.
fn small_integer(text: &str) -> Option<f64> {
    if text.len() > 15 || text.starts_with('-') {
        return None;
    }
    text.parse::<u64>().ok().map(|integer| integer as f64)
}

#[cfg(test)]
mod tests {
    use super::special;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn specials_are_found_where_they_stand(bytes in prop::collection::vec(prop_oneof![
            4 => any::<u8>(), 8 => 0x20..=0xFF_u8, 1 => Just(b'"'), 1 => Just(b'\\'), 1 => 0x1E..0x22_u8
        ], 0..40)) {
            let walked = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
            prop_assert_eq!(special(&bytes), walked);
        }
    }
}
