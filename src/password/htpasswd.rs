//! `EDGEWARD_USERS`: accounts, one on each line, `user:hash[:group,group][:!flag,!flag]`.
//!
//! 1. Lines end with a newline; blank ones and those that begin with `#` are skipped, white space at an end is cut.
//! 2. The user-id is brought to NFC and then compared octet by octet: `Ann` is not `ann`.
//! 3. The hash is one of [`super::phc`]; none of them has a colon in it.
//! 4. A flag is `!suspended`, or `!until=2027-03-01`: the password runs out at 00:00 UTC of that day.
//! 5. No user-id twice, in `EDGEWARD_USERS_2` … `_9` neither.
//! 6. One bad line makes the whole unreadable: half a list of users is a list nobody wrote. Each is told.
//!
//! ```
//! use edgeward::{password::htpasswd::Users, secret::Secret};
//!
//! let lines = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi:editors:!until=2027-03-01";
//! let source = ("EDGEWARD_USERS".to_owned(), Secret::new(lines.to_owned()));
//! let users = Users::parse(&[source], &[], str::to_owned).unwrap();
//! assert_eq!(users.account("ann").unwrap().groups(), ["editors"]);
//!
//! let source = ("EDGEWARD_USERS".to_owned(), Secret::new("ann:hunter2".to_owned()));
//! let problems = Users::parse(&[source], &[], str::to_owned).unwrap_err();
//! assert_eq!(problems[0].at, "EDGEWARD_USERS line 1");
//! ```

mod line;

use super::cost::{Cost, Work};
use super::phc::{GENERATED_PURPOSE, PasswordHash};
use super::tag::Tagger;
use super::{Nfc, UserPass};
use crate::config::Problem;
use crate::secret::Secret;
use crate::time::UnixTime;
use std::collections::HashMap;

/// Every account, and what it takes to verify their passwords.
#[derive(Debug)]
pub struct Users {
    accounts: HashMap<String, Account>,
    keys: Vec<Tagger>,
    /// The most expensive verification among the lines: what every "no" costs.
    most: Cost,
    warnings: Vec<Problem>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Account {
    user: String,
    groups: Vec<String>,
    suspended: bool,
    until: Option<UnixTime>,
    hash: PasswordHash,
    stamp: [u8; 32],
}

impl Account {
    /// The user-id, in NFC.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Its groups, in the order of the line.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether the line says `!suspended`.
    #[must_use]
    pub const fn suspended(&self) -> bool {
        self.suspended
    }

    /// The moment from which the password no longer holds: 00:00 UTC of the day that `!until` names.
    #[must_use]
    pub const fn until(&self) -> Option<UnixTime> {
        self.until
    }

    /// Whether the password has run out.
    #[must_use]
    pub fn expired(&self, now: UnixTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Whether a verification costs so much that its success is worth remembering. One HMAC is not.
    #[must_use]
    pub const fn is_slow(&self) -> bool {
        !matches!(self.hash, PasswordHash::Generated(_))
    }

    /// SHA-256 of the hash's text: what was proven against this hash is bound to it.
    pub(super) const fn stamp(&self) -> &[u8; 32] {
        &self.stamp
    }
}

impl Users {
    /// Reads the lines of `sources`, by their names (`EDGEWARD_USERS`, `EDGEWARD_USERS_2` …).
    ///
    /// `password_keys`: one key for each `EDGEWARD_SECRET`, derived for [`GENERATED_PURPOSE`]; all of them verify.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the lines. No problem shows a hash or a password.
    pub fn parse(
        sources: &[(String, Secret<String>)],
        password_keys: &[Secret<Vec<u8>>],
        nfc: Nfc,
    ) -> Result<Self, Vec<Problem>> {
        let mut reading = Reading::default();
        if sources.is_empty() {
            reading.problems.push(no_lines("EDGEWARD_USERS"));
        }
        for (name, text) in sources {
            reading.source(name, text.expose(), nfc);
        }
        let keys = password_keys.iter().map(|key| Tagger::new(key.expose(), GENERATED_PURPOSE)).collect();
        reading.finish(keys)
    }

    /// The account of that user-id (in NFC).
    #[must_use]
    pub fn account(&self, user: &str) -> Option<&Account> {
        self.accounts.get(user)
    }

    /// Whether this user-id is there and this is its password.
    ///
    /// Slow, and every "no" equally so: see [`super::cost`]. Flags are not looked at: who cannot prove to be a user
    /// is not told that the user is suspended.
    #[must_use]
    pub fn check(&self, user_pass: &UserPass) -> bool {
        self.check_counting(user_pass, &mut Work::default())
    }

    /// [`Users::check`], with the verifications it took noted in `work`.
    pub fn check_counting(&self, user_pass: &UserPass, work: &mut Work) -> bool {
        let account = self.account(&user_pass.user);
        if account.is_some_and(|account| work.verify(&account.hash, user_pass, &self.keys)) {
            return true;
        }
        work.top_up(self.most, user_pass, &self.keys);
        false
    }

    /// What works but deserves a second look: low costs, line by line, and costs that differ.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

/// What is gathered while the lines are read.
#[derive(Default)]
struct Reading {
    accounts: HashMap<String, Account>,
    /// Where each user-id stands.
    places: HashMap<String, String>,
    /// Every cost once.
    costs: Vec<Cost>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The first line of a generated password: it needs a key.
    generated_at: Option<String>,
}

impl Reading {
    fn source(&mut self, name: &str, text: &str, nfc: Nfc) {
        // A byte order mark is the editor's, not the first user's.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.split('\n').map(str::trim_ascii_end).zip(1_u32..);
        let mut is_empty = true;
        for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            is_empty = false;
            let at = format!("{name} line {number}");
            match line::parse(&at, line, nfc) {
                Ok(account) => self.account(at, account),
                Err(problem) => self.problems.push(problem),
            }
        }
        if is_empty {
            self.problems.push(no_lines(name));
        }
    }

    fn account(&mut self, at: String, account: Account) {
        if let Some(first) = self.places.get(&account.user) {
            let found = format!("the user-id \"{}\" again, after {first}", account.user);
            self.problems.push(Problem::new(at, found, "each user-id once", "Remove one of the two lines."));
            return;
        }
        self.note_cost(&at, &account);
        self.places.insert(account.user.clone(), at);
        self.accounts.insert(account.user.clone(), account);
    }

    fn note_cost(&mut self, at: &str, account: &Account) {
        let cost = account.hash.cost();
        if !self.costs.contains(&cost) {
            self.costs.push(cost);
        }
        if let Some(recommended) = cost.recommended() {
            self.warnings.push(Problem::new(at, cost.to_string(), recommended, line::replace(&account.user)));
        }
        if cost == Cost::Generated && self.generated_at.is_none() {
            self.generated_at = Some(at.to_owned());
        }
    }

    fn finish(mut self, keys: Vec<Tagger>) -> Result<Users, Vec<Problem>> {
        if let Some(at) = self.generated_at.take().filter(|_| keys.is_empty()) {
            let found = "{HMAC-SHA256}, and no EDGEWARD_SECRET that can be used";
            let fix = "Set EDGEWARD_SECRET to the value this line was made with.";
            self.problems.push(Problem::new(at, found, "the secret that its key comes from", fix));
        }
        let most = self.costs.iter().copied().max_by_key(|cost| cost.nanos());
        match most.filter(|_| self.problems.is_empty()) {
            Some(most) => {
                self.warnings.extend(mixed(&self.costs));
                Ok(Users { accounts: self.accounts, keys, most, warnings: self.warnings })
            }
            None => Err(self.problems),
        }
    }
}

fn no_lines(name: &str) -> Problem {
    let fix = "Run `edgeward hash ann` and put its line in, or delete the secret.";
    Problem::new(name, "no line", "one user on each line", fix)
}

/// Costs that differ: the dearest is what each wrong guess costs us, the cheapest what it costs a thief of the lines.
fn mixed(costs: &[Cost]) -> Option<Problem> {
    let cheapest = costs.iter().min_by_key(|cost| cost.nanos())?;
    let dearest = costs.iter().max_by_key(|cost| cost.nanos())?;
    if cheapest.nanos() == dearest.nanos() {
        return None;
    }
    let found = format!("verifications of different cost, from {cheapest} to {dearest}");
    let expected = "one cost for all: every wrong password takes as long as the dearest";
    Some(Problem::new("EDGEWARD_USERS", found, expected, "Run `edgeward hash` for the lines that differ."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::phc::{hash_argon2id, hash_bcrypt, hash_generated, hash_pbkdf2};
    use crate::password::{nfc, phc::Digest};
    use proptest::prelude::*;

    const SALT: [u8; 16] = *b"0123456789abcdef";

    fn secret(text: impl Into<String>) -> Secret<String> {
        Secret::new(text.into())
    }

    fn user_pass(user: &str, password: &str) -> UserPass {
        UserPass { user: user.into(), password: secret(password) }
    }

    fn key(byte: u8) -> Secret<Vec<u8>> {
        Secret::new(vec![byte; 32])
    }

    fn bcrypt(password: &str, cost: u32) -> String {
        hash_bcrypt(&secret(password), SALT, cost).unwrap()
    }

    fn parse_all(sources: &[(&str, &str)]) -> Result<Users, Vec<Problem>> {
        let sources: Vec<_> =
            sources.iter().map(|(name, text)| ((*name).to_owned(), secret(*text))).collect();
        Users::parse(&sources, &[key(1), key(2)], nfc)
    }

    fn parse(text: &str) -> Result<Users, Vec<Problem>> {
        parse_all(&[("EDGEWARD_USERS", text)])
    }

    fn places(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.at.as_str()).collect()
    }

    #[test]
    fn lines_are_read_and_blank_ones_skipped() {
        let (ann, bob) = (bcrypt("a", 4), bcrypt("b", 4));
        let text =
            format!("\u{feff}# people\r\n\r\n  \t\nann:{ann}:x,y z:!suspended\r\nbob:{bob} \n#eve:{ann}\n");
        let users = parse(&text).unwrap();
        assert!(users.check(&user_pass("ann", "a")), "flags are the caller's to look at");
        assert!(users.check(&user_pass("bob", "b")) && !users.check(&user_pass("bob", "a")));
        let account = users.account("ann").unwrap();
        assert_eq!((account.groups(), account.suspended()), (&["x".to_owned(), "y z".to_owned()][..], true));
        assert!(users.account("eve").is_none() && users.account("#eve").is_none());
    }

    #[test]
    fn case_and_form_of_a_user_id() {
        let text = format!("Ann:{}\nann:{}\nZoe\u{308}:{}", bcrypt("1", 4), bcrypt("2", 4), bcrypt("3", 4));
        let users = parse(&text).unwrap();
        for (user, password, good) in [
            ("Ann", "1", true),
            ("Ann", "2", false),
            ("ann", "2", true),
            ("ANN", "1", false),
            ("Zo\u{eb}", "3", true),
            ("Zoe\u{308}", "3", false),
            ("", "1", false),
        ] {
            assert_eq!(users.check(&user_pass(user, password)), good, "{user}");
        }
    }

    #[test]
    fn a_password_keeps_its_colons_and_its_bytes() {
        let users =
            parse(&format!("ann:{}\nbob:{}", bcrypt("pa:ss:word", 4), bcrypt("123\u{a3}", 4))).unwrap();
        assert!(users.check(&user_pass("ann", "pa:ss:word")) && !users.check(&user_pass("ann", "pa")));
        assert!(users.check(&user_pass("bob", "123\u{a3}")), "RFC 7617 section 2.1");
    }

    #[test]
    fn a_user_id_stands_once_in_all_secrets() {
        let line = |user: &str| format!("{user}:{}", bcrypt("x", 4));
        let twice = [line("ann"), line("bob"), line("ann")].join("\n");
        let problems = parse(&twice).unwrap_err();
        assert_eq!(places(&problems), ["EDGEWARD_USERS line 3"]);
        assert_eq!(problems[0].found, "the user-id \"ann\" again, after EDGEWARD_USERS line 1");
        let problems = parse_all(&[
            ("EDGEWARD_USERS", &line("Zo\u{eb}")),
            ("EDGEWARD_USERS_2", &format!("\n{}", line("Zoe\u{308}"))),
        ])
        .unwrap_err();
        assert_eq!(places(&problems), ["EDGEWARD_USERS_2 line 2"], "the same in NFC");
    }

    #[test]
    fn one_bad_line_is_enough_and_each_is_told() {
        let good = bcrypt("x", 4);
        let text = format!("ann:{good}\nhunter2\nbob:$apr1$a$b\ncid:{good}\neve:");
        let problems = parse(&text).unwrap_err();
        assert_eq!(
            places(&problems),
            ["EDGEWARD_USERS line 2", "EDGEWARD_USERS line 3", "EDGEWARD_USERS line 5"]
        );
    }

    #[test]
    fn nothing_at_all_is_a_problem() {
        for text in ["", "\n\n", "# ann\r\n", " "] {
            assert_eq!(places(&parse(text).unwrap_err()), ["EDGEWARD_USERS"], "{text:?}");
        }
        let good = format!("ann:{}", bcrypt("x", 4));
        let problems = parse_all(&[("EDGEWARD_USERS", &good), ("EDGEWARD_USERS_3", "")]).unwrap_err();
        assert_eq!(places(&problems), ["EDGEWARD_USERS_3"]);
        assert_eq!(places(&parse_all(&[]).unwrap_err()), ["EDGEWARD_USERS"]);
    }

    #[test]
    fn a_generated_password_needs_its_secret() {
        let ann = user_pass("ann", "Zm9vYmFyYmF6cXV4MTIz");
        let old = format!("ann:{}", hash_generated(&ann, &key(2)));
        let users = parse(&old).unwrap();
        assert!(users.check(&ann), "the second secret verifies too");
        assert!(!users.account("ann").unwrap().is_slow());
        let moved = parse(&format!("bob:{}", hash_generated(&ann, &key(1)))).unwrap();
        assert!(!moved.check(&user_pass("bob", "Zm9vYmFyYmF6cXV4MTIz")), "a line moved to another user");
        let source = ("EDGEWARD_USERS".to_owned(), secret(old));
        let problems = Users::parse(&[source], &[], nfc).unwrap_err();
        assert_eq!(places(&problems), ["EDGEWARD_USERS line 1"]);
    }

    /// What a check took, for an answer that must be no.
    fn work_of_no(users: &Users, user: &str) -> Work {
        let mut work = Work::default();
        assert!(!users.check_counting(&user_pass(user, "wrong"), &mut work), "{user}");
        work
    }

    /// Attack row 19: equal costs, equal work, verification by verification.
    #[test]
    fn an_unknown_user_takes_the_work_of_a_wrong_password() {
        let argon2 = hash_argon2id(&secret("a"), SALT).unwrap();
        let pbkdf2 = hash_pbkdf2(Digest::Sha512, &secret("b"), SALT, 1000).unwrap();
        let generated = hash_generated(&user_pass("ann", "c"), &key(1));
        for hash in [argon2, pbkdf2, generated, bcrypt("d", 5)] {
            let users = parse(&format!("ann:{hash}")).unwrap();
            let cost = PasswordHash::parse(&hash).unwrap().cost();
            assert_eq!(work_of_no(&users, "ann").runs(), [cost], "{cost}");
            assert_eq!(work_of_no(&users, "nobody").runs(), [cost], "{cost}");
        }
    }

    #[test]
    fn a_wrong_password_is_topped_up_to_the_dearest_line() {
        let users = parse(&format!("ann:{}\nbob:{}", bcrypt("a", 4), bcrypt("b", 7))).unwrap();
        let costs = |costs: &[u32]| costs.iter().map(|cost| Cost::Bcrypt { cost: *cost }).collect::<Vec<_>>();
        assert_eq!(work_of_no(&users, "nobody").runs(), costs(&[7]));
        assert_eq!(work_of_no(&users, "bob").runs(), costs(&[7]));
        assert_eq!(work_of_no(&users, "ann").runs(), costs(&[4, 6, 5, 4]));
        assert_eq!(work_of_no(&users, "ann").nanos(), work_of_no(&users, "nobody").nanos());
        let mut work = Work::default();
        assert!(users.check_counting(&user_pass("ann", "a"), &mut work));
        assert_eq!(work.runs(), costs(&[4]), "a right password costs its own line only");
    }

    #[test]
    fn schemes_are_topped_up_with_one_another() {
        let pbkdf2 = hash_pbkdf2(Digest::Sha256, &secret("b"), SALT, 20_000).unwrap();
        let generated = hash_generated(&user_pass("cid", "c"), &key(1));
        let users = parse(&format!("ann:{}\nbob:{pbkdf2}\ncid:{generated}", bcrypt("a", 5))).unwrap();
        let most = work_of_no(&users, "nobody").nanos();
        for user in ["ann", "bob", "cid"] {
            let nanos = work_of_no(&users, user).nanos();
            assert!(most - nanos < most / 1000, "{user}: {nanos} of {most}");
        }
    }

    #[test]
    fn what_bcrypt_does_not_see_costs_as_much() {
        let users = parse(&format!("ann:{}", bcrypt(&"x".repeat(72), 4))).unwrap();
        assert!(users.check(&user_pass("ann", &"x".repeat(72))));
        let mut work = Work::default();
        assert!(!users.check_counting(&user_pass("ann", &"x".repeat(73)), &mut work));
        assert_eq!(work.runs(), [Cost::Bcrypt { cost: 4 }]);
    }

    #[test]
    fn low_and_mixed_costs_are_warned_of() {
        let users = parse(&format!("ann:{}\nbob:{}", bcrypt("a", 5), bcrypt("b", 5))).unwrap();
        assert_eq!(places(users.warnings()), ["EDGEWARD_USERS line 1", "EDGEWARD_USERS line 2"]);
        assert_eq!(
            users.warnings()[0].to_string(),
            "EDGEWARD_USERS line 1: found bcrypt of cost 5, expected a cost of 10 or more. \
             Run `edgeward hash ann` and replace the line."
        );
        let argon2 = hash_argon2id(&secret("a"), SALT).unwrap();
        assert!(parse(&format!("ann:{argon2}\nbob:{argon2}")).unwrap().warnings().is_empty());
        let mixed =
            parse(&format!("ann:{argon2}\nbob:{}", hash_generated(&user_pass("bob", "b"), &key(1)))).unwrap();
        assert_eq!(places(mixed.warnings()), ["EDGEWARD_USERS"]);
        assert_eq!(
            mixed.warnings()[0].found,
            "verifications of different cost, from {HMAC-SHA256} to Argon2id of m=19456,t=2,p=1"
        );
    }

    #[test]
    fn debug_does_not_leak() {
        let hash = bcrypt("hunter2", 4);
        let shown = format!("{:?}", parse(&format!("ann:{hash}")).unwrap());
        assert!(!shown.contains(&hash[7..29]) && !shown.contains("hunter2"), "{shown}");
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "([a-zé]{0,3}[:,!$#\r\n]?(!until=|\\$2y\\$05\\$)?){0,12}\\PC{0,20}") {
            let _ = parse(&text);
        }

        /// No problem shows what may be a password, wherever in a line it stands.
        #[test]
        fn a_problem_shows_no_password(field in 0_usize..3) {
            let lines = ["s3cr3t-w0rd", "ann:s3cr3t-w0rd", "s3cr3t-w0rd:ann"];
            let problems = parse(lines[field]).unwrap_err();
            prop_assert!(!problems[0].to_string().contains("s3cr3t-w0rd"));
        }
    }
}
