//! `totp enroll`: the QR code is read as a camera reads it, and the codes of its secret are those that the line is for.

use super::support::{Folder, GOOD, Ran, SECRET, dev_vars, ran};
use edgeward::time::UnixTime;
use edgeward::token::mac::RootSecret;
use edgeward::totp::{Enrolment, TotpSecrets};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

fn enrolled(line: &str, user: &str) -> Enrolment {
    let root = RootSecret::parse(SECRET).expect("a good secret");
    let secrets = TotpSecrets::parse(line, &root, str::to_owned).expect("a good line");
    assert_eq!(secrets.users().collect::<Vec<_>>(), [user]);
    secrets.of(user).expect("enrolled").clone()
}

fn uri(ran: &Ran) -> &str {
    let lines: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("otpauth:")).collect();
    assert_eq!(lines.len(), 1, "{}", ran.err);
    lines[0]
}

/// The lines of half blocks.
fn drawn(ran: &Ran) -> Vec<&str> {
    let is_block = |c: char| matches!(c, '\u{2588}' | '\u{2580}' | '\u{2584}' | ' ');
    ran.err.lines().filter(|line| line.chars().count() > 20 && line.chars().all(is_block)).collect()
}

/// What a camera reads that sees blocks of ink on the other colour. `is_ink_light`: how the terminal writes.
fn scanned(lines: &[&str], is_ink_light: bool) -> String {
    const SCALE: usize = 4;
    let modules: Vec<Vec<bool>> = lines
        .iter()
        .flat_map(|line| {
            let row = |inks: [char; 2]| line.chars().map(|c| inks.contains(&c) == is_ink_light).collect();
            [row(['\u{2588}', '\u{2580}']), row(['\u{2588}', '\u{2584}'])]
        })
        .collect();
    let (width, height) = (modules[0].len() * SCALE, modules.len() * SCALE);
    let light = |x: usize, y: usize| if modules[y / SCALE][x / SCALE] { 255 } else { 0 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, light);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code");
    grids[0].decode().expect("it is read").1
}

/// The parameters of the URI.
fn parameters(uri: &str) -> BTreeMap<&str, &str> {
    let (_, query) = uri.split_once('?').expect("a query");
    query.split('&').map(|pair| pair.split_once('=').expect("a value")).collect()
}

/// RFC 4648 §6, read bit by bit.
fn base32(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .bytes()
        .map(|c| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|it| *it == c).expect("base32") as u8)
        .flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1))
        .collect();
    bits.chunks_exact(8).map(|octet| octet.iter().fold(0, |value, bit| value << 1 | bit)).collect()
}

/// The code that an app shows: RFC 6238 §4 over that secret, written down a second time.
fn shown<M: hmac::Mac + hmac::KeyInit>(secret: &[u8], digits: usize) -> String {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(secret).expect("any length");
    mac.update(&(NOW.seconds() as u64 / 30).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let number = tag[offset..offset + 4].iter().fold(0_u32, |number, octet| number << 8 | u32::from(*octet));
    let text = format!("{:010}", number & 0x7fff_ffff);
    text[10 - digits..].to_owned()
}

#[test]
fn a_camera_reads_what_the_line_is_for() {
    let folder = Folder::good();
    let ran = folder.run(&["totp", "enroll", "ann"]).exits(0);
    assert_eq!(ran.out.lines().count(), 1);
    let (lines, uri) = (drawn(&ran), uri(&ran));
    assert_eq!(scanned(&lines, true), uri);
    let parameters = parameters(uri);
    assert!(uri.starts_with("otpauth://totp/Edgeward:ann?"), "{uri}");
    assert_eq!((parameters["algorithm"], parameters["digits"], parameters["period"]), ("SHA1", "6", "30"));
    assert_eq!(parameters["issuer"], "Edgeward");
    let secret = base32(parameters["secret"]);
    let ann = enrolled(&ran.out, "ann");
    assert_eq!((secret.len(), ann.code(NOW)), (20, shown::<Hmac<sha1::Sha1>>(&secret, 6)));
    assert!(ran.err.contains(&format!("Or to type: {}", &parameters["secret"][..4])));
    ran.hides(SECRET);
    assert!(!ran.out.contains(parameters["secret"]), "the line holds no secret in clear");
}

#[test]
fn the_margin_is_wide_enough_and_the_terminal_too() {
    let ran = Folder::good()
        .run(&["totp", "enroll", "ann.longer.name@acme.example", "--algorithm", "sha512"])
        .exits(0);
    let lines = drawn(&ran);
    assert_eq!(scanned(&lines, true), uri(&ran));
    assert!(lines[0].chars().count() <= 79, "{}", lines[0].chars().count());
    let (first, second) = (lines[0], lines[1]);
    assert!(first.chars().chain(second.chars()).all(|c| c == '\u{2588}'), "four light modules above");
    assert!(lines.iter().all(|line| line.starts_with("\u{2588}\u{2588}\u{2588}\u{2588}")));
    let end = "\u{2588}".repeat(4);
    assert!(lines.iter().all(|line| line.ends_with(&end)));
}

#[test]
fn for_a_terminal_that_writes_dark_on_light() {
    let ran = Folder::good().run(&["totp", "enroll", "ann", "--invert"]).exits(0);
    let lines: Vec<&str> = ran.err.lines().skip_while(|line| !line.ends_with("to scan:")).skip(1).collect();
    let count = lines.iter().position(|line| line.starts_with("otpauth:")).expect("the same as text");
    assert_eq!(scanned(&lines[..count], false), uri(&ran));
}

#[test]
fn no_code_is_drawn_where_none_is_wanted() {
    let ran = Folder::good().run(&["totp", "enroll", "ann", "--no-qr"]).exits(0);
    assert_eq!(drawn(&ran), [""; 0]);
    assert!(uri(&ran).starts_with("otpauth://totp/"));
    Folder::good().run(&["totp", "enroll", "ann", "--no-qr", "--invert"]).exits(2);
}

#[test]
fn every_algorithm_and_length() {
    for (algorithm, name, octets) in
        [("sha1", "SHA1", 20), ("sha256", "SHA256", 32), ("sha512", "SHA512", 64)]
    {
        for digits in ["6", "8"] {
            let arguments = ["totp", "enroll", "ann", "--algorithm", algorithm, "--digits", digits, "--json"];
            let ran = Folder::good().run(&arguments).exits(0);
            let json = ran.json();
            let (uri, line) = (json["uri"].as_str().expect("text"), json["line"].as_str().expect("text"));
            let parameters = parameters(uri);
            assert_eq!((parameters["algorithm"], parameters["digits"]), (name, digits));
            let (secret, count) = (base32(parameters["secret"]), digits.parse().expect("a number"));
            assert_eq!(secret.len(), octets);
            let code = match algorithm {
                "sha1" => shown::<Hmac<sha1::Sha1>>(&secret, count),
                "sha256" => shown::<Hmac<sha2::Sha256>>(&secret, count),
                _ => shown::<Hmac<sha2::Sha512>>(&secret, count),
            };
            assert_eq!(enrolled(line, "ann").code(NOW), code, "{algorithm} {digits}");
            assert!(line.starts_with(&format!("ann:{algorithm}:{digits}:")));
        }
    }
}

#[test]
fn ten_recovery_codes() {
    let ran = Folder::good().run(&["totp", "enroll", "ann"]).exits(0);
    let listed = ran.err.lines().skip_while(|line| !line.starts_with("Recovery codes")).skip(1);
    let codes: BTreeSet<&str> =
        listed.take_while(|line| line.starts_with("  ")).flat_map(str::split_ascii_whitespace).collect();
    let ann = enrolled(&ran.out, "ann");
    assert_eq!(codes.len(), 10);
    let names: BTreeSet<String> = codes.iter().map(|code| ann.recovery(code).expect("one of ten")).collect();
    assert_eq!(names.len(), 10);
    assert!(ran.err.contains("not onto the phone that has the app"));
    let other = Folder::good().run(&["totp", "enroll", "ann", "--json"]).exits(0).json();
    let others = other["recovery_codes"].as_array().expect("a list");
    assert!(others.iter().all(|code| !codes.contains(code.as_str().expect("text"))), "others each time");
}

#[test]
fn json_holds_the_same_and_nothing_is_drawn() {
    let ran = Folder::good().run(&["totp", "enroll", "ann", "--json"]).exits(0);
    let json = ran.json();
    assert!(drawn(&ran).is_empty() && !ran.err.contains("otpauth:"), "{}", ran.err);
    assert_eq!(
        (&json["user"], &json["algorithm"], &json["digits"]),
        (&json!("ann"), &json!("sha1"), &json!(6))
    );
    assert_eq!((&json["issuer"], &json["period"]), (&json!("Edgeward"), &json!(30)));
    let ann = enrolled(json["line"].as_str().expect("text"), "ann");
    let codes = json["recovery_codes"].as_array().expect("a list");
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| ann.recovery(code.as_str().expect("text")).is_some()));
}

#[test]
fn what_the_app_calls_the_site() {
    let folder = Folder::good();
    let issuer = |arguments: &[&str]| {
        let arguments = [&["totp", "enroll", "ann", "--json"], arguments].concat();
        folder.run(&arguments).exits(0).json()["issuer"].as_str().expect("text").to_owned()
    };
    assert_eq!(issuer(&[]), "Edgeward");
    folder.write("wrangler.toml", &GOOD.replace("origin =", "realm = \"Acme: staging\"\norigin ="));
    assert_eq!(issuer(&[]), "Acme staging", "a colon would end it");
    folder.write(
        "wrangler.toml",
        &GOOD.replace("origin =", "realm = \"R\"\nbrand = { name = \"S\u{f6}hne\" }\norigin ="),
    );
    assert_eq!(issuer(&[]), "S\u{f6}hne");
    assert_eq!(issuer(&["--issuer", "Mine"]), "Mine");
    let long = "x".repeat(65);
    for bad in ["", " ", "a:b", "a\nb", long.as_str()] {
        folder.run(&["totp", "enroll", "ann", "--issuer", bad]).exits(2);
    }
}

#[test]
fn a_user_id_that_could_not_sign_in() {
    let folder = Folder::good();
    for (user, words) in [("a:b", "colon"), ("", "user-id"), ("#ann", "#"), ("a\u{7}b", "refuse")] {
        let ran = folder.run(&["totp", "enroll", user]).exits(2);
        assert!(ran.err.contains(words) && ran.out.is_empty() && !ran.err.contains("otpauth"), "{}", ran.err);
    }
    let decomposed = folder.run(&["totp", "enroll", "Zoe\u{308}"]).exits(0);
    enrolled(&decomposed.out, "Zo\u{eb}");
}

#[test]
fn without_the_secret_nothing_can_be_sealed() {
    let ran = Folder::new().run(&["totp", "enroll", "ann"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_SECRET is not here") && ran.out.is_empty(), "{}", ran.err);
    let ran = Folder::new().run_with(&["totp", "enroll", "ann", "--secrets", "-"], &dev_vars()).exits(0);
    enrolled(&ran.out, "ann");
    let mut command = Folder::new().command(&["totp", "enroll", "ann"]);
    command.env("EDGEWARD_SECRET", SECRET).current_dir(env!("CARGO_TARGET_TMPDIR"));
    enrolled(&ran_ok(command).out, "ann");
}

fn ran_ok(command: std::process::Command) -> Ran {
    ran(command, "").exits(0)
}

/// As a shell appends line by line; a user-id that is there is told, as is one without an account.
#[test]
fn lines_that_are_there() {
    let folder = Folder::good();
    let first = folder.run(&["totp", "enroll", "ann"]).exits(0);
    assert!(first.err.contains("not checked: EDGEWARD_TOTP is not here"), "{}", first.err);
    assert!(first.err.contains("Store the line beside those that are there"), "{}", first.err);
    folder.write(".dev.vars", &format!("{}EDGEWARD_TOTP='{}'\n", dev_vars(), first.out));
    let again = folder.run(&["totp", "enroll", "ann"]).exits(0);
    assert!(!again.err.contains("beside those that are there"), "{}", again.err);
    assert!(
        again.err.contains("ann has a line in EDGEWARD_TOTP (.dev.vars): put this one in its place"),
        "{}",
        again.err
    );
    let other = folder.run(&["totp", "enroll", "bob"]).exits(0);
    assert!(!other.err.contains("has a line") && !other.err.contains("has no line"), "{}", other.err);
    let both = format!("{}{}", first.out, other.out);
    let root = RootSecret::parse(SECRET).expect("a good secret");
    assert!(TotpSecrets::parse(&both, &root, str::to_owned).is_ok());
    let users = "EDGEWARD_USERS='bob:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'\n";
    folder.write(".dev.vars", &format!("{}{users}EDGEWARD_TOTP='ann:hunter2'\n", dev_vars()));
    let ran = folder.run(&["totp", "enroll", "ann"]).exits(0);
    assert!(ran.err.contains("ann has no line in EDGEWARD_USERS here"), "{}", ran.err);
    assert!(ran.err.contains("EDGEWARD_TOTP line 1: found a line of another form"), "{}", ran.err);
    ran.hides("hunter2");
}

#[test]
fn a_code_of_the_app_is_asked_for() {
    let folder = Folder::good();
    let wrong =
        folder.run_with(&["totp", "enroll", "ann", "--confirm"], "000000\n12345\nabc\n999999\n").exits(2);
    assert!(wrong.out.is_empty() && wrong.err.contains("no line was printed"), "{}", wrong.err);
    assert_eq!(wrong.err.matches("The code that the app shows now:").count(), 3);
    let none = folder.run_with(&["totp", "enroll", "ann", "--confirm"], "").exits(2);
    assert_eq!(none.err.matches("The code that the app shows now:").count(), 1);
}

/// The way there and back: what the command shows is typed in.
#[test]
fn a_right_code_prints_the_line() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let folder = Folder::good();
    let mut child = folder
        .command(&["totp", "enroll", "ann", "--confirm"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines =
        BufReader::new(child.stderr.take().expect("a pipe")).lines().map(|line| line.expect("UTF-8"));
    let uri = lines.find(|line| line.starts_with("otpauth:")).expect("a URI");
    assert!(lines.any(|line| line.starts_with("The code that the app shows now:")));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let mut mac =
        Hmac::<sha1::Sha1>::new_from_slice(&base32(parameters(&uri)["secret"])).expect("any length");
    mac.update(&(now.as_secs() / 30).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let offset = usize::from(tag[19] & 0xf);
    let number = tag[offset..offset + 4].iter().fold(0_u32, |number, octet| number << 8 | u32::from(*octet))
        & 0x7fff_ffff;
    writeln!(child.stdin.take().expect("a pipe"), "{:06}", number % 1_000_000).expect("it reads");
    let mut out = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("UTF-8");
    assert!(child.wait().expect("it ends").success());
    enrolled(&out, "ann");
}

/// The old secret can go, and nobody has to be given another second factor.
#[test]
fn lines_are_sealed_anew() {
    let old = "f5HWMbLL9hAi2nbsn1TjnX8PPcX2lRC0p2ihPVGfAYE";
    let folder = Folder::new();
    folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{old}'\n"));
    let first = folder.run(&["totp", "enroll", "ann"]).exits(0).out;
    let second =
        folder.run(&["totp", "enroll", "bob", "--algorithm", "sha512", "--digits", "8"]).exits(0).out;
    let with = |secret: &str, lines: &str| {
        folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{secret}'\nEDGEWARD_TOTP='{lines}'\n"));
    };
    let lines = format!("# second factors\n{first}\n{second}");
    with(&format!("{SECRET} {old}"), &lines);
    let anew = folder.run(&["totp", "reseal"]).exits(0).out;
    assert_eq!(
        anew.lines().map(|line| line.split(':').next()).collect::<Vec<_>>(),
        [Some("# second factors"), Some("ann"), Some(""), Some("bob"),]
    );
    let [root, former] = [SECRET, old].map(|it| RootSecret::parse(it).expect("a good secret"));
    let read = TotpSecrets::parse(&anew, &root, str::to_owned).expect("good lines");
    let before = TotpSecrets::parse(&lines, &former, str::to_owned).expect("good lines");
    for user in ["ann", "bob"] {
        let (was, is) = (before.of(user).expect("enrolled"), read.of(user).expect("enrolled"));
        assert_eq!((was.code(NOW), was.name()), (is.code(NOW), is.name()), "what was counted stays counted");
    }
    with(SECRET, &lines);
    let refused = folder.run(&["totp", "reseal"]).exits(2);
    assert!(refused.err.contains("EDGEWARD_TOTP line 2: found a secret that EDGEWARD_SECRET does not open"));
    assert!(refused.out.is_empty());
    let absent = Folder::good().run(&["totp", "reseal"]).exits(2);
    assert!(absent.err.contains("EDGEWARD_TOTP is not here"), "{}", absent.err);
    with(SECRET, &anew);
    let json = folder.run(&["totp", "reseal", "--json"]).exits(0).json();
    assert_eq!(json["users"], json!(["ann", "bob"]));
}

fn check(folder: &Folder, code: i32) -> String {
    let ran = folder.run(&["check", "--origin-closed"]).exits(code);
    ran.out
}

/// A policy that lets people sign in, with a ledger.
fn signing_in() -> String {
    let ledger = "[[durable_objects.bindings]]\nname = \"EDGEWARD_LEDGER\"\nclass_name = \"Ledger\"\n\n\
                  [[migrations]]\ntag = \"v1\"\nnew_sqlite_classes = [\"Ledger\"]\n";
    format!("{GOOD}\n[vars.EDGEWARD.session]\n\n{ledger}")
}

#[test]
fn check_knows_second_factors() {
    let folder = Folder::good();
    let line = folder.run(&["totp", "enroll", "ann"]).exits(0).out;
    let users = "EDGEWARD_USERS='bob:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'\n";
    let with =
        |users: &str| folder.write(".dev.vars", &format!("{}{users}EDGEWARD_TOTP='{line}'\n", dev_vars()));
    with(users);
    let out = check(&folder, 1);
    assert!(
        out.contains(
            "problem: EDGEWARD_LEDGER: found nothing, expected the binding, as EDGEWARD_TOTP is there"
        ),
        "{out}"
    );
    assert!(out.contains("warning: EDGEWARD_TOTP: found second factors, and nowhere to prove one"), "{out}");
    folder.write("wrangler.toml", &signing_in());
    let out = check(&folder, 0);
    assert!(out.contains("warning: EDGEWARD_TOTP: found second factors of nobody: \"ann\""), "{out}");
    with(&users.replace("bob", "ann"));
    let out = check(&folder, 0);
    assert!(!out.contains("EDGEWARD_TOTP:"), "{out}");
    folder
        .write("wrangler.toml", &format!("{}\n[[kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\n", signing_in()));
    with(users);
    let out = check(&folder, 0);
    assert!(out.contains("note: EDGEWARD_TOTP: \"ann\" without a line in EDGEWARD_USERS"), "{out}");
}

/// A rule asks for second factors whose lines are at Cloudflare; or they are here, and the secret that opens them is not.
#[test]
fn check_stands_in_for_lines() {
    let folder = Folder::good();
    let rule = "\n[[vars.EDGEWARD.rules]]\npath = \"/both/*\"\nsecond_factor = true\n";
    folder.write("wrangler.toml", &format!("{}{rule}", signing_in()));
    let users = "EDGEWARD_USERS='ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'\n";
    folder.write(".dev.vars", &format!("{}{users}", dev_vars()));
    let out = check(&folder, 0);
    assert!(
        out.contains("not checked: EDGEWARD_TOTP is not here (EDGEWARD.rules[2].second_factor is true)"),
        "{out}"
    );
    let line = folder.run(&["totp", "enroll", "ann"]).exits(0).out;
    folder.write(
        ".dev.vars",
        &format!("{users}EDGEWARD_KEYS='{}'\nEDGEWARD_TOTP='{line}'\n", super::support::keys()),
    );
    let out = check(&folder, 0);
    assert!(
        out.contains("not checked: EDGEWARD_TOTP, as EDGEWARD_SECRET opens it, and that is not here"),
        "{out}"
    );
    folder.write("x.vars", &format!("{}{users}EDGEWARD_KEYS='x'\n", ""));
    let out = folder.run(&["check", "--origin-closed", "--secrets", "x.vars"]).exits(1).out;
    assert!(out.contains("problem: EDGEWARD_TOTP: found nothing (looked in x.vars"), "{out}");
}
