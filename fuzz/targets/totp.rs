//! Second factors: what is typed as a code, and the lines of `EDGEWARD_TOTP`, each read a second time.
//!
//! First line: what is typed. There `§` stands for Ann's code of now, `¶` for her first recovery code. The rest: lines, in
//! which `§` stands for what was sealed for `ann:sha256:6`, `¶` for `bob:sha512:8`.

use super::{first_line, nfc, text};
use edgeward::config::Problem;
use edgeward::time::UnixTime;
use edgeward::token::mac::RootSecret;
use edgeward::token::to_base64url;
use edgeward::totp::{Digits, Enrolment, Hash, Made, TotpSecrets};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::BTreeSet;

const NOW: u64 = 1_795_305_614;
const SECRET: [u8; 32] = [0x5c; 32];
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Checks what is typed, and the lines.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (typed, lines) = first_line(&text);
    let ann = Made::new("ann", Hash::Sha256, Digits::Six, &SECRET, &[7; 16]).expect("whole").enrolment();
    codes(typed, &ann);
    recovery(typed, &ann);
    all(lines);
}

/// Nothing passes but the digits of the step before, this one or the next.
fn codes(typed: &str, ann: &Enrolment) {
    let typed = typed.replace('\u{a7}', &code(NOW / 30));
    let digits: Option<String> = between(&typed).map(digit).collect();
    let steps = [NOW / 30 - 1, NOW / 30, NOW / 30 + 1];
    let expected = steps.into_iter().rfind(|step| digits.as_ref() == Some(&code(*step)));
    let found = ann.matches(&typed, UnixTime::from_seconds(NOW as i64)).map(|step| step.number());
    assert_eq!(found, expected, "{typed:?}");
    let is_code = digits.is_some_and(|digits| digits.len() == 6);
    assert_eq!(ann.has_form(&typed), is_code, "{typed:?}");
}

/// HOTP by another way of cutting: RFC 4226 §5.4.
fn code(step: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("any length");
    mac.update(&step.to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let offset = usize::from(tag[31] % 16);
    let number = (0..4).fold(0_u64, |number, at| number * 256 + u64::from(tag[offset + at])) % (1 << 31);
    format!("{number:010}")[4..].to_owned()
}

fn between(typed: &str) -> impl Iterator<Item = char> {
    const OTHERS: &str = "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{feff}";
    typed.chars().filter(|c| !c.is_whitespace() && !OTHERS.contains(*c))
}

/// The digits of five scripts.
fn digit(c: char) -> Option<char> {
    let scripts = [
        "0123456789",
        "\u{660}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}",
        "\u{6f0}\u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}\u{6f6}\u{6f7}\u{6f8}\u{6f9}",
        "\u{966}\u{967}\u{968}\u{969}\u{96a}\u{96b}\u{96c}\u{96d}\u{96e}\u{96f}",
        "\u{ff10}\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}\u{ff17}\u{ff18}\u{ff19}",
    ];
    let at = scripts.iter().find_map(|script| script.chars().position(|it| it == c))?;
    scripts[0].chars().nth(at)
}

/// Nothing passes but one of the ten, however it is written, and each has a name of its own.
fn recovery(typed: &str, ann: &Enrolment) {
    let codes: Vec<String> = ann.recovery_codes().map(|code| code.expose().replace('-', "")).collect();
    let typed = typed.replace('\u{b6}', &codes[0]);
    let read: String = between(&typed).map(|c| c.to_ascii_uppercase()).collect();
    let read = read.replace(['I', 'L'], "1").replace('O', "0");
    let is_form = read.chars().count() == 10 && read.chars().all(|c| ALPHABET.contains(c));
    assert_eq!(edgeward::totp::recovery::has_form(&typed), is_form, "{typed:?}");
    let expected =
        codes.iter().find(|code| **code == read).map(|code| ann.recovery(code).expect("one of ten"));
    assert_eq!(ann.recovery(&typed), expected, "{typed:?}");
    let names: BTreeSet<_> = codes.iter().filter_map(|code| ann.recovery(code)).collect();
    assert_eq!(names.len(), 10);
}

fn all(lines: &str) {
    let root = RootSecret::parse(&to_base64url(&[9; 32])).expect("a good secret");
    let sealed = |user: &str, hash: Hash, digits| {
        let made = Made::new(user, hash, digits, &[8; 64][..hash.secret_size()], &[1; 16]).expect("whole");
        made.line(&root, [2; 24]).expect("sealed").rsplit(':').next().expect("a field").to_owned()
    };
    let (ann, bob) = (sealed("ann", Hash::Sha256, Digits::Six), sealed("bob", Hash::Sha512, Digits::Eight));
    let lines = lines.replace('\u{a7}', &ann).replace('\u{b6}', &bob);
    let good = [("ann", format!("sha256:6:{ann}")), ("bob", format!("sha512:8:{bob}"))];
    let expected = expected(&lines, &good);
    match TotpSecrets::parse(&lines, &root, nfc) {
        Ok(secrets) => {
            let users: BTreeSet<String> = secrets.users().map(str::to_owned).collect();
            assert_eq!(Ok(users), expected, "{lines:?}");
        }
        Err(problems) => told(&problems, expected.expect_err("a problem of good lines"), &[ann, bob]),
    }
}

/// Who is in the lines, or which of them are wrong: none where nothing is there.
fn expected(lines: &str, good: &[(&str, String)]) -> Result<BTreeSet<String>, Vec<usize>> {
    let (mut users, mut wrong) = (BTreeSet::new(), Vec::new());
    for (index, line) in lines.strip_prefix('\u{feff}').unwrap_or(lines).split('\n').enumerate() {
        let line = line.trim_end_matches([' ', '\t', '\r', '\u{c}']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (user, rest) = line.split_once(':').unwrap_or_default();
        let is_good = good.iter().any(|(name, right)| nfc(user) == *name && rest == right);
        if !is_good || !users.insert(user.to_owned()) {
            wrong.push(index + 1);
        }
    }
    if wrong.is_empty() && !users.is_empty() { Ok(users) } else { Err(wrong) }
}

/// Every line that is wrong is told, in order, on one line each and without a secret.
fn told(problems: &[Problem], wrong: Vec<usize>, secrets: &[String]) {
    let places: Vec<String> = problems.iter().map(|problem| problem.at.clone()).collect();
    let lines: Vec<String> = wrong.iter().map(|line| format!("EDGEWARD_TOTP line {line}")).collect();
    let expected = if wrong.is_empty() { vec!["EDGEWARD_TOTP".to_owned()] } else { lines };
    assert_eq!(places, expected);
    for sentence in problems.iter().map(ToString::to_string) {
        assert!(!sentence.chars().any(char::is_control) && sentence.len() < 1500, "{sentence:?}");
        assert!(secrets.iter().all(|secret| !sentence.contains(secret.as_str())), "{sentence}");
    }
}
