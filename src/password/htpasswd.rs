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

mod account;
mod line;
mod reading;

pub use account::Account;
pub(crate) use line::{is_plain_word, user_id_fault};

use super::cost::{Cost, Work};
use super::phc::{GENERATED_PURPOSE, HASHED};
use super::stored::{Stored, StoredAccounts};
use super::tag::Tagger;
use super::{Nfc, UserPass};
use crate::config::Problem;
use crate::secret::Secret;
use crate::sorted_map::SortedMap;
use crate::time::UnixTime;
use reading::Reading;

/// Every account, and what it takes to verify their passwords.
#[derive(Debug)]
pub struct Users {
    accounts: SortedMap<String, Account>,
    keys: Vec<Tagger>,
    /// The most expensive verification among the lines: what every "no" costs.
    most: Cost,
    warnings: Vec<Problem>,
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
        for (name, text) in sources {
            reading.source(name, text.expose(), nfc);
        }
        reading.finish(taggers(password_keys))
    }

    /// No lines at all: accounts come from elsewhere, and every "no" costs what `edgeward hash` makes.
    #[must_use]
    pub fn none(password_keys: &[Secret<Vec<u8>>]) -> Self {
        let (accounts, warnings) = (SortedMap::new(), Vec::new());
        Self { accounts, keys: taggers(password_keys), most: HASHED, warnings }
    }

    /// Whether there is no line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.accounts.is_empty()
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
        self.check_counting(user_pass).0
    }

    /// [`Users::check`], and the verifications it took.
    #[must_use]
    pub fn check_counting(&self, user_pass: &UserPass) -> (bool, Work) {
        self.check_with(&StoredAccounts::new(), user_pass, UnixTime::from_seconds(0))
    }

    /// The same with what was read of accounts elsewhere: it says who is there and what they cost.
    #[must_use]
    pub fn check_with(&self, stored: &StoredAccounts, user_pass: &UserPass, now: UnixTime) -> (bool, Work) {
        let mut work = Work::default();
        let elsewhere = || match stored.get(&user_pass.user, now) {
            Some(Stored::Account(account)) => Some(account),
            Some(Stored::Nobody | Stored::Broken | Stored::Silent) | None => None,
        };
        let account = self.account(&user_pass.user).or_else(elsewhere);
        if account.is_some_and(|account| work.verify(&account.hash, user_pass, &self.keys)) {
            return (true, work);
        }
        let most = stored.most().filter(|most| most.nanos() > self.most.nanos()).unwrap_or(self.most);
        work.top_up(most, user_pass, &self.keys);
        (false, work)
    }

    /// What works but deserves a second look: low costs, line by line, and costs that differ.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

fn taggers(password_keys: &[Secret<Vec<u8>>]) -> Vec<Tagger> {
    password_keys.iter().map(|key| Tagger::new(key.expose(), GENERATED_PURPOSE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::phc::{PasswordHash, hash_argon2id, hash_bcrypt, hash_generated, hash_pbkdf2};
    use crate::password::{nfc, phc::Digest};

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

    fn parse(text: &str) -> Result<Users, Vec<Problem>> {
        Users::parse(&[("EDGEWARD_USERS".to_owned(), secret(text))], &[key(1), key(2)], nfc)
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
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].at, "EDGEWARD_USERS line 1");
    }

    /// What a check took, for an answer that must be no.
    fn work_of_no(users: &Users, user: &str) -> Work {
        let (is_right, work) = users.check_counting(&user_pass(user, "wrong"));
        assert!(!is_right, "{user}");
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
        let (is_right, work) = users.check_counting(&user_pass("ann", "a"));
        assert!(is_right);
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
    fn accounts_elsewhere_count_too() {
        let costs = |costs: &[u32]| costs.iter().map(|cost| Cost::Bcrypt { cost: *cost }).collect::<Vec<_>>();
        let (users, now) = (parse(&format!("ann:{}", bcrypt("a", 4))).unwrap(), UnixTime::from_seconds(9));
        let mut stored = StoredAccounts::new();
        stored.took("bob", Some(&bcrypt("b", 6)), now, nfc).unwrap();
        stored.took("ann", Some(&bcrypt("b", 4)), now, nfc).unwrap();
        let check = |user, password| users.check_with(&stored, &user_pass(user, password), now);
        assert!(check("bob", "b").0 && !check("bob", "a").0);
        assert!(check("ann", "a").0 && !check("ann", "b").0, "EDGEWARD_USERS comes first");
        assert_eq!(check("nobody", "b").1.runs(), costs(&[6]), "the dearest line that was seen");
        assert_eq!(check("ann", "x").1.nanos(), check("nobody", "x").1.nanos());
        let later = UnixTime::from_seconds(39);
        assert!(!users.check_with(&stored, &user_pass("bob", "b"), later).0, "not longer than it holds");
        assert_eq!(users.check_with(&stored, &user_pass("bob", "b"), later).1.runs(), costs(&[6]));
    }

    #[test]
    fn without_any_line_a_no_costs_what_hash_makes() {
        let users = Users::none(&[key(1)]);
        let made = PasswordHash::parse(&hash_argon2id(&secret("a"), SALT).unwrap()).unwrap();
        assert_eq!(work_of_no(&users, "nobody").runs(), [made.cost()]);
        let mut stored = StoredAccounts::new();
        let ann = user_pass("ann", "Zm9vYmFyYmF6cXV4MTIz");
        stored.took("ann", Some(&hash_generated(&ann, &key(1))), UnixTime::from_seconds(0), nfc).unwrap();
        assert!(users.check_with(&stored, &ann, UnixTime::from_seconds(0)).0);
        let wrong = user_pass("ann", "x");
        let work = users.check_with(&stored, &wrong, UnixTime::from_seconds(0)).1;
        assert!(made.cost().nanos() - work.nanos() < made.cost().nanos() / 1000, "cheap lines lower nothing");
    }

    #[test]
    fn what_bcrypt_does_not_see_costs_as_much() {
        let users = parse(&format!("ann:{}", bcrypt(&"x".repeat(72), 4))).unwrap();
        assert!(users.check(&user_pass("ann", &"x".repeat(72))));
        let (is_right, work) = users.check_counting(&user_pass("ann", &"x".repeat(73)));
        assert!(!is_right);
        assert_eq!(work.runs(), [Cost::Bcrypt { cost: 4 }]);
    }

    #[test]
    fn debug_does_not_leak() {
        let hash = bcrypt("hunter2", 4);
        let shown = format!("{:?}", parse(&format!("ann:{hash}")).unwrap());
        assert!(!shown.contains(&hash[7..29]) && !shown.contains("hunter2"), "{shown}");
    }
}
