//! Lines, and what comes of them.

use super::*;
use crate::password::nfc;
use crate::time::UnixTime;
use crate::token::{from_base64url, to_base64url};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_seconds(1_700_000_010);

fn root(bytes: &[u8]) -> RootSecret {
    let values: Vec<String> = bytes.iter().map(|byte| to_base64url(&[*byte; 32])).collect();
    RootSecret::parse(&values.join(" ")).expect("good secrets")
}

fn made(user: &str, hash: Hash, digits: Digits) -> Made {
    let secret: Vec<u8> = user.bytes().cycle().take(hash.secret_size()).collect();
    Made::new(user, hash, digits, &secret, &[9; SEED_SIZE]).expect("whole")
}

fn line(user: &str) -> String {
    made(user, Hash::Sha1, Digits::Six).line(&root(&[1]), [5; 24]).expect("sealed")
}

fn parse(text: &str) -> Result<TotpSecrets, Vec<Problem>> {
    TotpSecrets::parse(text, &root(&[1]), nfc)
}

fn sentences(text: &str) -> Vec<String> {
    parse(text).expect_err("a problem").iter().map(ToString::to_string).collect()
}

#[test]
fn lines_are_read_and_blank_ones_skipped() {
    let long = made("Zo\u{eb}", Hash::Sha512, Digits::Eight);
    let text = format!(
        "\u{feff}# second factors\r\n\n \t\n{}\r\n#{}\n{} \n",
        line("ann"),
        line("bob"),
        long.line(&root(&[1]), [6; 24]).expect("sealed")
    );
    let secrets = parse(&text).expect("good lines");
    assert_eq!(secrets.users().collect::<Vec<_>>(), ["Zo\u{eb}", "ann"]);
    assert!(secrets.of("bob").is_none() && secrets.of("Ann").is_none());
    let zoe = secrets.of("Zo\u{eb}").expect("enrolled");
    assert_eq!((zoe.user(), zoe.digits()), ("Zo\u{eb}", Digits::Eight));
    assert_eq!(zoe.matches(&long.enrolment().code(NOW), NOW), Some(Step::at(NOW)));
}

#[test]
fn a_user_id_is_read_in_nfc() {
    let decomposed = line("Zo\u{eb}").replacen("Zo\u{eb}", "Zoe\u{308}", 1);
    assert!(parse(&decomposed).expect("a good line").of("Zo\u{eb}").is_some());
}

#[test]
fn one_step_of_skew_and_no_more() {
    let ann = made("ann", Hash::Sha1, Digits::Six).enrolment();
    let code = ann.code(NOW);
    let step = Step::at(NOW);
    let begins = UnixTime::from_seconds(i64::try_from(step.number() * STEP).expect("a time"));
    for (seconds, is_taken) in
        [(-31, false), (-30, true), (-1, true), (0, true), (59, true), (60, false), (90, false)]
    {
        let at = UnixTime::from_seconds(begins.seconds() + seconds);
        assert_eq!(ann.matches(&code, at), is_taken.then_some(step), "{seconds}");
    }
    assert_eq!(step.over(), u64::try_from(begins.seconds()).expect("a time") + 60);
}

#[test]
fn codes_of_others_are_wrong() {
    let (ann, bob) = (made("ann", Hash::Sha1, Digits::Six), made("bob", Hash::Sha1, Digits::Six));
    let ann = ann.enrolment();
    assert_eq!(ann.matches(&bob.enrolment().code(NOW), NOW), None);
    assert_eq!(ann.matches(&made("ann", Hash::Sha256, Digits::Six).enrolment().code(NOW), NOW), None);
    for typed in ["", "000000", "12345", "1234567", "-12345", "\u{e9}", "99999999999999999999"] {
        assert_eq!(ann.matches(typed, NOW), None, "{typed}");
    }
}

#[test]
fn names_say_nothing_and_stay() {
    let enrolled = |line: &str, secrets: &[u8]| {
        let all = TotpSecrets::parse(line, &root(secrets), nfc).expect("a good line");
        all.of("ann").expect("enrolled").clone()
    };
    let first = line("ann");
    let ann = enrolled(&first, &[1]);
    let rotated = enrolled(&first, &[2, 1]);
    assert_eq!(ann.name(), rotated.name(), "what was counted stays counted while the secret rotates");
    assert_eq!(ann.name().len(), 22);
    let codes: Vec<_> = ann.recovery_codes().collect();
    let names: Vec<_> = codes.iter().map(|code| ann.recovery(code.expose()).expect("one of ten")).collect();
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name) && *name != ann.name(), "each has its own");
        assert_eq!(rotated.recovery(codes[at].expose()).as_ref(), Some(name));
    }
    assert_eq!(ann.recovery("00000-00000"), None);
}

#[test]
fn a_problem_says_what_to_do() {
    let good = line("ann");
    let sealed = good.rsplit(':').next().expect("a field").to_owned();
    for (text, shown) in [
        (
            "JBSWY3DPEHPK3PXP".to_owned(),
            "found a line of another form, expected user:sha1|sha256|sha512:6|8:sealed-secret. Run `edgeward totp enroll \
             ann` and replace the line.",
        ),
        (
            "otpauth://totp/A:ann?secret=JBSWY3DPEHPK3PXP".to_owned(),
            "found a secret that is not sealed (not shown), expected a sealed one, as otherwise whoever reads the list has \
             the second factor. Make another with `edgeward totp enroll`: this one has been seen.",
        ),
        (
            "ann:sha1:6:JBSWY3DPEHPK3PXP".to_owned(),
            "found a secret that is not sealed (not shown), expected a sealed one, as otherwise whoever reads the list has \
             the second factor. Make another with `edgeward totp enroll`: this one has been seen.",
        ),
        (
            good.replace("sha1", "SHA1"),
            "found an algorithm of another name, expected sha1, sha256 or sha512. Run `edgeward totp enroll ann` and \
             replace the line.",
        ),
        (
            good.replace(":6:", ":7:"),
            "found another number of digits, expected 6 or 8. Run `edgeward totp enroll ann` and replace the line.",
        ),
        (
            good.replace("sha1", "sha256"),
            "found a sealed secret that is cut or changed (not shown), expected what `edgeward totp enroll` prints, for \
             this very algorithm. Run `edgeward totp enroll ann` and replace the line.",
        ),
        (
            good.replace(":6:", ":8:"),
            "found a secret that EDGEWARD_SECRET does not open (not shown), expected one that was sealed with it, for this \
             user, this algorithm and this number of digits. Put the secret it was sealed with back into EDGEWARD_SECRET, \
             or run `edgeward totp enroll ann` and replace the line.",
        ),
        (
            format!("a; rm:sha1:6:{sealed}"),
            "found a secret that EDGEWARD_SECRET does not open (not shown), expected one that was sealed with it, for this \
             user, this algorithm and this number of digits. Put the secret it was sealed with back into EDGEWARD_SECRET, \
             or run `edgeward totp enroll ann` and replace the line.",
        ),
        (
            format!(":sha1:6:{sealed}"),
            "found an empty user-id, expected user:sha1|sha256|sha512:6|8:sealed-secret. Correct the user-id.",
        ),
    ] {
        assert_eq!(sentences(&format!("#\n{text}\r\n")), [format!("EDGEWARD_TOTP line 2: {shown}")]);
    }
    assert_eq!(
        sentences(&format!("{good}\n\n{}", line("ann"))),
        [
            "EDGEWARD_TOTP line 3: found the user-id \"ann\" again, after line 1, expected each user-id once. Remove one \
             of the two lines."
        ]
    );
    for nothing in ["", " \n", "# ann\n"] {
        assert_eq!(
            sentences(nothing),
            [
                "EDGEWARD_TOTP: found no lines, expected lines of the form user:sha1|sha256|sha512:6|8:sealed-secret. Run \
                 `edgeward totp enroll ann` and put its line in, or delete the secret."
            ]
        );
    }
}

#[test]
fn one_bad_line_is_enough_and_each_is_told() {
    let text = format!("{}\nx\n{}\ny:z\n", line("ann"), line("bob"));
    let places: Vec<_> = parse(&text).expect_err("problems").into_iter().map(|it| it.at).collect();
    assert_eq!(places, ["EDGEWARD_TOTP line 2", "EDGEWARD_TOTP line 4"]);
}

#[test]
fn another_secret_opens_nothing() {
    for (secrets, opens) in [(&[1][..], true), (&[2, 1], true), (&[2], false), (&[2, 3], false)] {
        assert_eq!(TotpSecrets::parse(&line("ann"), &root(secrets), nfc).is_ok(), opens, "{secrets:?}");
    }
}

#[test]
fn debug_does_not_leak() {
    let shown = format!("{:?}", parse(&line("ann")).expect("a good line"));
    assert!(shown.contains("ann") && shown.contains("[redacted]") && shown.len() < 200, "{shown}");
}

fn hashes() -> impl Strategy<Value = Hash> {
    prop::sample::select(Hash::ALL.to_vec())
}

proptest! {
    #[test]
    fn parse_never_panics(text in "\\PC{0,80}", tail in "[a-z0-9:_#\n-]{0,200}") {
        let _ = parse(&text);
        let _ = parse(&format!("ann:sha1:6:{tail}"));
    }

    #[test]
    fn what_is_made_is_read(
        user in "[A-Za-z0-9@._ \u{e9}-]{0,20}[a-z]",
        hash in hashes(),
        secret in prop::collection::vec(any::<u8>(), 64),
        seed: [u8; 16],
        nonce: [u8; 24],
    ) {
        let user = user.trim_start();
        let made = Made::new(user, hash, Digits::Eight, &secret[..hash.secret_size()], &seed).expect("whole");
        let line = made.line(&root(&[1]), nonce).expect("sealed");
        let all = parse(&line).expect("a good line");
        let read = all.of(user).expect("enrolled");
        prop_assert_eq!(read.matches(&made.enrolment().code(NOW), NOW), Some(Step::at(NOW)));
        prop_assert_eq!(read.name(), made.enrolment().name());
    }

    #[test]
    fn one_changed_bit_refuses_the_line(hash in hashes(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let line = made("ann", hash, Digits::Six).line(&root(&[1]), [5; 24]).expect("sealed");
        let (head, sealed) = line.rsplit_once(':').expect("a field");
        let mut octets = from_base64url(sealed).expect("base64url");
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        let changed = to_base64url(&octets);
        let problems = parse(&format!("{head}:{changed}")).expect_err("a changed line");
        prop_assert!(problems.iter().all(|it| !it.to_string().contains(&changed) && !it.to_string().contains(sealed)));
    }

    #[test]
    fn one_changed_character_refuses_the_line(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9:_-]") {
        let line = line("ann");
        let at = at.index(line.len());
        let mut changed = line.clone();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(parse(&changed).is_ok(), changed == line);
    }

    #[test]
    fn a_code_is_good_for_three_steps(from in 0..4_000_000_000_i64, later in -300..300_i64) {
        let ann = made("ann", Hash::Sha512, Digits::Eight).enrolment();
        let (then, now) = (UnixTime::from_seconds(from + 300), UnixTime::from_seconds(from + 300 + later));
        let apart = Step::at(then).number().abs_diff(Step::at(now).number());
        // Among a hundred million codes those of seven steps do not meet.
        prop_assert_eq!(ann.matches(&ann.code(then), now).is_some(), apart <= 1);
    }
}
