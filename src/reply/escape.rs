//! Text of anybody's, made harmless in HTML.

/// `text` for element content and for quoted attribute values alike: the five characters that could end either are
/// references, and what HTML cannot hold (NUL, other control characters) is U+FFFD.
pub fn html(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

/// `text` as a value in a query (RFC 3986 §3.4): all but unreserved characters and `/` percent-encoded.
#[must_use]
pub fn component(text: &str) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or('0');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            other => out.extend(['%', digit(other >> 4), digit(other)]),
        }
    }
    out
}

/// What is left of an address when it is shown: parts so long that they may be tokens keep their first characters.
///
/// The folded part of a page is what people send to whoever helps them; a link's token must not go along. A path segment
/// of more than 64 characters and a piece of the query of more than 24 end in `…` after 8, all of it after 240.
#[must_use]
pub fn shown_address(address: &str) -> String {
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address, None),
    };
    let mut shown = shorten(path, 64);
    if let Some(query) = query {
        shown.push('?');
        shown.push_str(&shorten(query, 24));
    }
    cut(&shown, 240)
}

fn shorten(text: &str, longest: usize) -> String {
    let short = |part: &str| if part.chars().count() > longest { cut(part, 8) } else { part.to_owned() };
    let mut shown = String::new();
    for piece in text.split_inclusive(['/', '&', '=', ';', ',']) {
        let part = piece.trim_end_matches(['/', '&', '=', ';', ',']);
        // A host may be as long as it is, and is no secret.
        shown.push_str(&if shown.ends_with("://") { part.to_owned() } else { short(part) });
        shown.push_str(piece.strip_prefix(part).unwrap_or_default());
    }
    shown
}

/// The first `most` characters, and `…` where there were more.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        html(text, &mut out);
        out
    }

    #[test]
    fn the_five_and_controls() {
        assert_eq!(escaped("\"><script>'&"), "&quot;&gt;&lt;script&gt;&#39;&amp;");
        assert_eq!(escaped("a\0b\u{1b}c\u{85}d\te"), "a\u{fffd}b\u{fffd}c\u{fffd}d\te");
        assert_eq!(escaped("grün 安"), "grün 安");
    }

    #[test]
    fn a_value_of_a_query() {
        assert_eq!(component("/a?b=c d&é#\"%"), "/a%3Fb%3Dc%20d%26%C3%A9%23%22%25");
    }

    #[test]
    fn tokens_are_not_shown() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlIG9mIDMyIGJ5dGVzLCBhcyBIUzI1Ng";
        let shown = shown_address(&format!("https://acme.example/a/b?access_token={jwt}&page=2"));
        assert_eq!(shown, "https://acme.example/a/b?access_token=eyJhbGci…&page=2");
        assert_eq!(
            shown_address(&format!("https://acme.example/t/{jwt}/x")),
            "https://acme.example/t/eyJhbGci…/x"
        );
        assert_eq!(shown_address("https://acme.example/prises?x=%22"), "https://acme.example/prises?x=%22");
    }

    proptest! {
        #[test]
        fn nothing_escapes(text in "\\PC*") {
            let out = escaped(&text);
            prop_assert!(!out.contains(['<', '>', '"', '\'']));
        }

        #[test]
        fn shown_is_short(text in "\\PC{0,600}") {
            prop_assert!(shown_address(&text).chars().count() <= 241);
        }
    }
}
