//! One line → one account, or a problem that shows nothing secret.
//!
//! A line may be anything, a password on its own included. So a user-id is shown only where the field behind it is a
//! hash; until then the line's number must do.

use super::Account;
use crate::config::Problem;
use crate::password::Nfc;
use crate::password::phc::{PasswordHash, Unusable};
use crate::time::UnixTime;
use sha2::{Digest as _, Sha256};

const FORM: &str = "user:hash[:group,group][:!flag,!flag]";
const REPLACE: &str = "Run `edgeward hash ann` and replace the line.";

/// What user-ids may not begin with, a colon behind it: who is known by a token, a key or a link.
const RESERVED: [&str; 3] = ["token", "key", "link"];

/// Reads a line that is not blank. `at`: where it stands.
pub(super) fn parse(at: &str, line: &str, nfc: Nfc) -> Result<Account, Problem> {
    let mut fields = line.split(':');
    let (Some(user), Some(hash), third, fourth, None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Problem::new(at, "a line of another form", FORM, REPLACE));
    };
    let user = user_id(at, user, nfc)?;
    let stamp = Sha256::digest(hash).into();
    let digest = Sha256::digest(line).into();
    let hash = PasswordHash::parse(hash).map_err(|unusable| in_line(at, &user, unusable))?;
    let options = Options::parse(third, fourth).map_err(|(found, expected)| {
        Problem::new(at, found, expected, format!("Correct the line of \"{user}\"."))
    })?;
    let Options { groups, suspended, until } = options;
    Ok(Account { user, groups, suspended, until, hash, stamp, digest })
}

/// What to do about a hash that is not good enough.
pub(super) fn replace(user: &str) -> String {
    // A name that a shell might read in another way is not put into a command.
    if is_plain_word(user) {
        format!("Run `edgeward hash {user}` and replace the line.")
    } else {
        format!("Run `edgeward hash` and replace the line of \"{user}\".")
    }
}

/// Whether no shell reads a user-id in another way.
pub(crate) fn is_plain_word(user: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
    user.bytes().all(is_plain) && !user.starts_with('-')
}

fn user_id(at: &str, text: &str, nfc: Nfc) -> Result<String, Problem> {
    let user = if text.is_ascii() { text.to_owned() } else { nfc(text) };
    match user_id_fault(&user) {
        Some(found) => Err(Problem::new(at, found, FORM, "Correct the user-id.")),
        None => Ok(user),
    }
}

/// What no user-id can be. RFC 7617 §2: no control characters; a colon has ended it already, so none begins with one of
/// [`RESERVED`] and a colon.
pub(crate) fn user_id_fault(user: &str) -> Option<&'static str> {
    if user.is_empty() {
        Some("an empty user-id")
    } else if has_control(user) {
        Some("a control character in a user-id")
    } else if has_outer_space(user) {
        Some("white space at an end of a user-id")
    } else {
        None
    }
}

fn in_line(at: &str, user: &str, unusable: Unusable) -> Problem {
    if unusable.is_hash {
        return Problem::new(at, unusable.found, unusable.expected, replace(user));
    }
    // The first colon splits, so this is all that a reserved user-id can look like.
    if RESERVED.contains(&user) {
        let found = "what may be a user-id that begins with token:, key: or link:";
        return Problem::new(at, found, "another user-id: these name who has no account", REPLACE);
    }
    Problem::new(at, unusable.found, unusable.expected, REPLACE)
}

/// What was found and what was expected.
type Fault = (&'static str, &'static str);

/// What may stand behind the hash.
#[derive(Default)]
struct Options {
    groups: Vec<String>,
    suspended: bool,
    until: Option<UnixTime>,
}

impl Options {
    /// Groups, flags, or groups and then flags: an exclamation mark tells which.
    fn parse(third: Option<&str>, fourth: Option<&str>) -> Result<Self, Fault> {
        let mut options = Self::default();
        match (third, fourth) {
            (None, _) => {}
            (Some(flags), None) if flags.starts_with('!') => options.flags(flags)?,
            (Some(groups), None) => options.groups(groups)?,
            (Some(groups), Some(flags)) => {
                options.groups(groups)?;
                options.flags(flags)?;
            }
        }
        Ok(options)
    }

    fn groups(&mut self, text: &str) -> Result<(), Fault> {
        for group in text.split(',') {
            if group.starts_with('!') {
                return Err(("a flag among the groups", "groups, a colon, and then flags"));
            }
            if group.is_empty() || has_control(group) || has_outer_space(group) {
                let found = "a group that is empty, or has control characters, or white space at an end";
                return Err((found, "names of groups with commas between them"));
            }
            if self.groups.iter().any(|known| known == group) {
                return Err(("a group twice", "each group once"));
            }
            self.groups.push(group.to_owned());
        }
        Ok(())
    }

    fn flags(&mut self, text: &str) -> Result<(), Fault> {
        for flag in text.split(',') {
            match flag.strip_prefix("!until=") {
                Some(day) if self.until.is_none() => self.until = Some(midnight(day)?),
                None if flag == "!suspended" && !self.suspended => self.suspended = true,
                Some(_) | None => {
                    return Err(("an unknown or repeated flag", "!suspended, !until=2027-03-01, or both"));
                }
            }
        }
        Ok(())
    }
}

/// 00:00 UTC of a day (RFC 3339 §5.6 `full-date`).
fn midnight(day: &str) -> Result<UnixTime, Fault> {
    let moment = UnixTime::parse_rfc3339(&format!("{day}T00:00:00Z")).filter(|_| day.len() == 10);
    moment.ok_or(("a date of another form in !until", "a day like 2027-03-01"))
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn has_outer_space(text: &str) -> bool {
    text.trim() != text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::nfc;
    use proptest::prelude::*;

    const HASH: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

    fn read(line: &str) -> Result<Account, Problem> {
        parse("EDGEWARD_USERS line 3", line, nfc)
    }

    fn rest(rest: &str) -> Result<Account, Problem> {
        read(&format!("ann:{HASH}{rest}"))
    }

    #[test]
    fn groups_and_flags() {
        for (text, groups, suspended, until) in [
            ("", &[][..], false, None),
            (":editors", &["editors"], false, None),
            (":a,b c,\u{e9}", &["a", "b c", "\u{e9}"], false, None),
            (":!suspended", &[], true, None),
            (":!until=2027-03-01", &[], false, Some(1_803_859_200)),
            (":a,b:!until=2027-03-01,!suspended", &["a", "b"], true, Some(1_803_859_200)),
        ] {
            let account = rest(text).unwrap();
            assert_eq!(account.groups(), groups, "{text}");
            assert_eq!(account.suspended(), suspended, "{text}");
            assert_eq!(account.until().map(UnixTime::seconds), until, "{text}");
        }
    }

    #[test]
    fn a_password_runs_out_as_its_day_begins() {
        let account = rest(":!until=2027-03-01").unwrap();
        for (now, expired) in [("2027-02-28T23:59:59.999Z", false), ("2027-03-01T00:00:00Z", true)] {
            assert_eq!(account.expired(UnixTime::parse_rfc3339(now).unwrap()), expired, "{now}");
        }
        assert!(!rest("").unwrap().expired(UnixTime::from_seconds(i64::MAX)));
    }

    #[test]
    fn what_may_not_stand_behind_the_hash() {
        for text in [
            ":",
            "::!suspended",
            ":a:",
            ":a,",
            ":,a",
            ":a,,b",
            ":a, b",
            ": a",
            ":a\tb",
            ":a,a",
            ":a:b",
            ":a:!suspended:",
            ":!suspended:a",
            ":a,!suspended",
            ":!suspended,a",
            ":!",
            ":!Suspended",
            ":!suspend",
            ":!suspended,!suspended",
            ":!until",
            ":!until=",
            ":!until=2027-02-29",
            ":!until=2027-3-1",
            ":!until=2027-03-01T00:00:00Z",
            ":!until=01.03.2027",
            ":!until=2027-03-01,!until=2027-03-02",
            ":!until=\u{0662}027-03-01",
        ] {
            let problem = rest(text).unwrap_err();
            assert_eq!(problem.at, "EDGEWARD_USERS line 3");
            assert!(!problem.to_string().contains(HASH), "{text}");
        }
    }

    #[test]
    fn user_ids() {
        for user in
            ["a", "ann@acme.example", "a@b@c", "Ann Lee", "\u{fc}", "token", "key", "links", "-x", "!a"]
        {
            assert_eq!(read(&format!("{user}:{HASH}")).unwrap().user(), user);
        }
        assert_eq!(read(&format!("u\u{308}:{HASH}")).unwrap().user(), "\u{fc}");
        for user in ["", " ann", "a\u{0}b", "a\u{7f}", "a\u{85}b", "a\rb", "\u{a0}ann"] {
            assert!(read(&format!("{user}:{HASH}")).is_err(), "{user:?}");
        }
        for user in ["token:ann", "key:ci", "link:x"] {
            let problem = read(&format!("{user}:{HASH}")).unwrap_err();
            assert_eq!(
                problem.found, "what may be a user-id that begins with token:, key: or link:",
                "{user}"
            );
        }
    }

    #[test]
    fn a_problem_says_what_to_do() {
        for (line, shown) in [
            (
                "ann:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.",
                "EDGEWARD_USERS line 3: found an Apache MD5 hash ($apr1$), expected Argon2id, bcrypt, PBKDF2 or \
                 {HMAC-SHA256}. Run `edgeward hash ann` and replace the line.",
            ),
            (
                "ann; rm -rf:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
                "EDGEWARD_USERS line 3: found an unsalted SHA-1 hash ({SHA}), expected Argon2id, bcrypt, PBKDF2 or \
                 {HMAC-SHA256}. Run `edgeward hash` and replace the line of \"ann; rm -rf\".",
            ),
            (
                "bob:hunter2",
                "EDGEWARD_USERS line 3: found plain text, or a hash of an unknown scheme, expected Argon2id, bcrypt, \
                 PBKDF2 or {HMAC-SHA256}. Run `edgeward hash ann` and replace the line.",
            ),
            (
                "hunter2",
                "EDGEWARD_USERS line 3: found a line of another form, expected user:hash[:group,group][:!flag,!flag]. \
                 Run `edgeward hash ann` and replace the line.",
            ),
            (
                "ann:$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                "EDGEWARD_USERS line 3: found bcrypt of cost 31, expected a cost from 4 to 14: more takes seconds of a \
                 Worker's CPU. Run `edgeward hash ann` and replace the line.",
            ),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(line in "\\PC{0,60}", tail in "[:!,=a-z0-9-]{0,40}") {
            let _ = read(&line);
            let _ = rest(&tail);
        }

        #[test]
        fn round_trip(
            user in "[A-Za-z0-9@._-]{1,20}",
            groups in proptest::collection::hash_set("[a-z]{1,8}", 0..4),
            suspended: bool,
        ) {
            let groups: Vec<String> = groups.into_iter().collect();
            let list = if groups.is_empty() { String::new() } else { format!(":{}", groups.join(",")) };
            let flag = if suspended { ":!suspended" } else { "" };
            let account = read(&format!("{user}:{HASH}{list}{flag}")).unwrap();
            prop_assert_eq!(account.user(), user);
            prop_assert_eq!(account.groups(), groups);
            prop_assert_eq!(account.suspended(), suspended);
        }
    }
}
