//! `[vars.EDGEWARD.brand]`: whose door it is.

use super::names::is_plain;
use super::reader::Node;
use super::url::{Url, is_uri_octet};
use crate::policy::{Brand, Notice, Rgb};
use crate::sorted_map::SortedMap;

/// Where the files of a brand are.
const FOLDER: &str = "/.edgeward/brand/";
/// Characters of a name: it stands in every headline.
const LONGEST_NAME: usize = 100;
/// Characters of a notice: it stands on every page, and a page stays under 14 KB.
const LONGEST_NOTICE: usize = 1000;

/// The whole table.
pub fn brand(node: &Node<'_>) -> Option<Brand> {
    node.table(|table| Brand {
        name: table.read("name", |node| title(&node, LONGEST_NAME)),
        logo: table.read("logo", |node| logo(&node)),
        color: table.read("color", |node| {
            node.parsed(
                color,
                "a colour like \"#0b5fff\" or \"#05f\"",
                "Write # and 3 or 6 hexadecimal digits.",
            )
        }),
        support: table.read("support", |node| support(&node)),
        forgot_password: table.read("forgot_password", |node| link(&node)),
        status_page: table.read("status_page", |node| link(&node)),
        notice: table.read("notice", |node| notice(&node)),
        credit: table.read_or_default("credit", |node| node.boolean()),
    })
}

fn title(node: &Node<'_>, longest: usize) -> Option<String> {
    let expected = format!("one line of at most {longest} characters");
    let fits = |text: &str| is_plain(text) && text.chars().count() <= longest && !text.trim().is_empty();
    node.parsed(
        |text| fits(text).then(|| text.to_owned()),
        &expected,
        "Shorten it, and leave out control characters.",
    )
}

fn logo(node: &Node<'_>) -> Option<String> {
    let is_logo = |text: &str| is_brand_path(text) || is_data_image(text);
    let expected = "a path below /.edgeward/brand/, or a data: URL of an image without raw quotes, spaces and angle brackets";
    let fix = "Put the file into www/.edgeward/brand/ and write \"/.edgeward/brand/logo.svg\".";
    node.parsed(|text| is_logo(text).then(|| text.to_owned()), expected, fix)
}

fn is_brand_path(text: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_fine);
    text.strip_prefix(FOLDER).is_some_and(|rest| rest.split('/').all(is_segment))
}

/// `data:image/…,…` (RFC 2397): in an `<img>` no script of it runs.
fn is_data_image(text: &str) -> bool {
    let has_type = text.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("data:image/"));
    has_type && text.contains(',') && text.bytes().all(|b| is_uri_octet(b) && b != b'\'')
}

fn color(text: &str) -> Option<Rgb> {
    let digits: Vec<u8> = text.strip_prefix('#')?.chars().map(hex_digit).collect::<Option<_>>()?;
    match *digits.as_slice() {
        [r, g, b] => Some(Rgb(r * 17, g * 17, b * 17)),
        [r, r2, g, g2, b, b2] => Some(Rgb(r * 16 + r2, g * 16 + g2, b * 16 + b2)),
        _ => None,
    }
}

fn hex_digit(c: char) -> Option<u8> {
    c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn support(node: &Node<'_>) -> Option<String> {
    let expected = "a mailto:, tel: or https: URL";
    let fix = "Write it like \"mailto:help@acme.example\".";
    node.parsed(|text| is_support(text).then(|| text.to_owned()), expected, fix)
}

fn is_support(text: &str) -> bool {
    let is_uri = text.bytes().all(|b| is_uri_octet(b) && b != b'\'');
    let is_one = match text.split_once(':') {
        Some(("mailto", address)) => is_address(address),
        Some(("tel", number)) => {
            number.bytes().any(|b| b.is_ascii_digit())
                && number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'(' | b')'))
        }
        Some(_) => Url::parse(text).is_some_and(|url| url.scheme == "https"),
        None => false,
    };
    is_uri && is_one
}

/// Something before and after an `@`; a subject may follow (RFC 6068).
fn is_address(text: &str) -> bool {
    let address = text.split('?').next().unwrap_or(text);
    address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && super::url::host(host).is_some())
}

fn link(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    if Url::parse(text).is_some_and(|url| url.is_secure()) && !text.contains('\'') {
        return Some(text.to_owned());
    }
    node.refuse("an https: URL", "Write it like \"https://acme.example/reset\".");
    None
}

fn notice(node: &Node<'_>) -> Option<Notice> {
    if node.is_text() {
        return notice_text(node).map(Notice::Text);
    }
    let mut texts = SortedMap::new();
    for (language, node) in node.named_items()? {
        let tag = language.to_ascii_lowercase();
        if !is_language_tag(&tag) {
            node.refuse_as("a key that is no language tag", "one like en, pl or pt-BR", "Correct the key.");
        } else if let Some(text) = notice_text(&node)
            && texts.insert(tag, text).is_some()
        {
            node.refuse_as("this language a second time", "one text for each", "Take one out.");
        }
    }
    Some(Notice::ByLanguage(texts))
}

/// Lines are allowed, other control characters are not.
fn notice_text(node: &Node<'_>) -> Option<String> {
    let fits = |text: &str| {
        text.chars().count() <= LONGEST_NOTICE
            && !text.trim().is_empty()
            && !text.chars().any(|c| c.is_control() && c != '\n')
    };
    let expected = format!("a text of at most {LONGEST_NOTICE} characters");
    let fix = "Shorten it, and leave out control characters.";
    node.parsed(|text| fits(text).then(|| text.to_owned()), &expected, fix)
}

/// The shape of a language tag (RFC 5646 §2.1): subtags of one to eight letters and digits.
fn is_language_tag(text: &str) -> bool {
    let is_subtag =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric());
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 35 && text.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors() {
        for (text, rgb) in [
            ("#0b5fff", Some(Rgb(0x0b, 0x5f, 0xff))),
            ("#05F", Some(Rgb(0, 0x55, 0xff))),
            ("#ffffff", Some(Rgb(255, 255, 255))),
            ("0b5fff", None),
            ("#0b5ff", None),
            ("#0b5fffff", None),
            ("#ggg", None),
            ("#", None),
            ("blue", None),
            ("#+1a", None),
        ] {
            assert_eq!(color(text), rgb, "{text}");
        }
    }

    #[test]
    fn logos() {
        for good in ["/.edgeward/brand/logo.svg", "/.edgeward/brand/a/b-1.png"] {
            assert!(is_brand_path(good), "{good}");
        }
        for bad in [
            "/.edgeward/brand/",
            "/.edgeward/brand/../pages/401.html",
            "/.edgeward/brand/./x",
            "/.edgeward/brand//x",
            "/.edgeward/brand/%2e%2e/x",
            "/.edgeward/brand/x?y",
            "/.edgeward/branding/x",
            "/logo.svg",
            "https://acme.example/logo.svg",
        ] {
            assert!(!is_brand_path(bad), "{bad}");
        }
        assert!(is_data_image("data:image/svg+xml;base64,PHN2Zy8+") && is_data_image("DATA:image/png,x"));
        for bad in [
            "data:text/html,x",
            "data:image/png",
            "data:image/svg+xml,<svg>",
            "data:image/png,a\"b",
            "data:image/png,a'b",
        ] {
            assert!(!is_data_image(bad), "{bad}");
        }
    }

    #[test]
    fn ways_to_help() {
        for good in [
            "mailto:help@acme.example",
            "mailto:help@acme.example?subject=Access",
            "https://acme.example/help?x#y",
            "tel:+48-22-000.00(0)",
        ] {
            assert!(is_support(good), "{good}");
        }
        for bad in [
            "help@acme.example",
            "mailto:help",
            "mailto:@acme.example",
            "http://acme.example",
            "https://user:pw@acme.example",
            "javascript:alert(1)",
            "javascript://acme.example/%0aalert(1)",
            "tel:",
            "tel:abc",
            "mailto:a@b.example\"onclick=x",
            "mailto:a b@c.example",
        ] {
            assert!(!is_support(bad), "{bad}");
        }
    }

    #[test]
    fn language_tags() {
        assert!(is_language_tag("en") && is_language_tag("pt-br") && is_language_tag("zh-hant-tw"));
        for bad in ["", "e_n", "-en", "en-", "9x", "abcdefghi"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
