//! Accounts in `EDGEWARD_KV`: under `user:<user-id>` the line of that user without the user-id,
//! `hash[:group,group][:!flag,!flag]`. The whole line, as `edgeward hash` writes it, will do too.
//!
//! 1. A user-id is looked for when it is asked about, and what was found is kept in the isolate for 30 seconds, also that
//!    there is none: who is taken out is locked out when that and KV's own delay are over.
//! 2. What is kept has a bound; the oldest goes first. It is shared by all user-ids that are sent, invented ones too.
//! 3. A value that cannot be read is the fault of who wrote it: that account is refused, the others live.
//! 4. A store that failed is left alone for a second, for that user-id.
//! 5. The most expensive verification among the lines that were seen is what every "no" costs, here as in `EDGEWARD_USERS`.

use super::Nfc;
use super::cost::Cost;
use super::htpasswd::Account;
use crate::config::Problem;
use crate::sorted_map::SortedMap;
use crate::time::{Lifetime, UnixTime};
use std::collections::VecDeque;

/// For so long what was read is used.
pub const HOLDS: Lifetime = Lifetime::from_seconds(30);

/// For so long after a failure the store is not asked again.
pub const FAILURE_HOLDS: Lifetime = Lifetime::from_seconds(1);

/// For so long, in milliseconds, requests wait for what another one asked; then one more asks, as the other may have ended with
/// its client.
pub const PATIENCE: i64 = 500;

/// Of so many user-ids that were asked about and have no answer yet that is remembered.
const MOST_ASKED: usize = 64;

/// How many user-ids are kept.
pub const CAPACITY: usize = 1024;

/// The longest key that Workers KV takes, in octets.
pub const LONGEST_KEY: usize = 512;

const PREFIX: &str = "user:";

/// The key of a user-id; `None` where there can be no such account: it is none (RFC 7617 §2), not in NFC, or too long.
#[must_use]
pub fn key(user: &str, nfc: Nfc) -> Option<String> {
    let is_user_id =
        !user.is_empty() && !user.contains(|c: char| c == ':' || c.is_control()) && user.trim() == user;
    let fits = is_user_id && PREFIX.len() + user.len() <= LONGEST_KEY;
    (fits && (user.is_ascii() || nfc(user) == user)).then(|| [PREFIX, user].concat())
}

/// Reads the value of a user-id.
///
/// # Errors
/// What is wrong with it; never any part of what may be a password.
pub fn read(user: &str, value: &str, nfc: Nfc) -> Result<Account, Problem> {
    let at = ["EDGEWARD_KV ", PREFIX, user].concat();
    // The editor's, or the shell's.
    let value = value.strip_prefix('\u{feff}').unwrap_or(value).trim_ascii_end();
    let whole = Account::parse(&at, value, nfc).ok().filter(|account| account.user() == user);
    whole.map_or_else(|| Account::parse(&at, &[user, ":", value].concat(), nfc), Ok)
}

/// What is known of a user-id.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// Its account.
    Account(&'a Account),
    /// There is none.
    Nobody,
    /// There is one that cannot be read.
    Broken,
    /// The store did not answer a moment ago.
    Silent,
}

/// What was read of the store.
#[derive(Debug, Default)]
pub struct StoredAccounts {
    kept: SortedMap<String, Kept>,
    /// User-ids by the moment they were read, the oldest first; each once.
    order: VecDeque<String>,
    /// User-ids that somebody has asked about, and since when.
    asked: Vec<(String, UnixTime)>,
    most: Option<Cost>,
}

#[derive(Debug)]
struct Kept {
    what: What,
    until: UnixTime,
}

#[derive(Debug)]
enum What {
    Account(Box<Account>),
    Nobody,
    Broken,
    Silent,
}

impl StoredAccounts {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { kept: SortedMap::new(), order: VecDeque::new(), asked: Vec::new(), most: None }
    }

    /// What is known of a user-id at this moment; `None` where the store has to be asked.
    #[must_use]
    pub fn get(&self, user: &str, now: UnixTime) -> Option<Stored<'_>> {
        let kept = self.kept.get(user).filter(|kept| now < kept.until && kept.until <= now + HOLDS)?;
        Some(match &kept.what {
            What::Account(account) => Stored::Account(account),
            What::Nobody => Stored::Nobody,
            What::Broken => Stored::Broken,
            What::Silent => Stored::Silent,
        })
    }

    /// Whether another request has just asked about that user-id: its question is enough for all who wait. Where none has,
    /// this one does.
    pub fn others_ask(&mut self, user: &str, now: UnixTime) -> bool {
        self.asked.retain(|(_, since)| *since <= now && now.since(*since).millis() < PATIENCE);
        if self.asked.iter().any(|(asked, _)| asked == user) {
            return true;
        }
        if self.asked.len() < MOST_ASKED {
            self.asked.push((user.to_owned(), now));
        }
        false
    }

    /// Takes what the store answered to a question of the moment `asked`: the value of the key, or `None` where there is
    /// none.
    ///
    /// # Errors
    /// A problem for the log, where the value cannot be read.
    pub fn took(
        &mut self,
        user: &str,
        value: Option<&str>,
        asked: UnixTime,
        nfc: Nfc,
    ) -> Result<(), Problem> {
        let (what, problem) = match value.map(|value| read(user, value, nfc)) {
            None => (What::Nobody, Ok(())),
            Some(Ok(account)) => {
                self.note_cost(account.cost());
                (What::Account(Box::new(account)), Ok(()))
            }
            Some(Err(problem)) => (What::Broken, Err(problem)),
        };
        self.keep(user, Kept { what, until: asked + HOLDS });
        problem
    }

    /// The store did not answer.
    pub fn failed(&mut self, user: &str, now: UnixTime) {
        self.keep(user, Kept { what: What::Silent, until: now + FAILURE_HOLDS });
    }

    /// The most expensive verification among all lines that were seen.
    #[must_use]
    pub const fn most(&self) -> Option<Cost> {
        self.most
    }

    fn note_cost(&mut self, cost: Cost) {
        if self.most.is_none_or(|most| most.nanos() < cost.nanos()) {
            self.most = Some(cost);
        }
    }

    fn keep(&mut self, user: &str, kept: Kept) {
        self.asked.retain(|(asked, _)| asked != user);
        if self.kept.insert(user.to_owned(), kept).is_some() {
            self.order.retain(|known| known != user);
        }
        self.order.push_back(user.to_owned());
        while self.order.len() > CAPACITY {
            self.order.pop_front().and_then(|oldest| self.kept.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::nfc;
    use proptest::prelude::*;

    const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    const DEARER: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn keys() {
        let (long, longer) = ("x".repeat(507), "x".repeat(508));
        for user in ["ann", "ann@acme.example", "caf\u{e9}", "a b", "..", "$2a", &long] {
            assert_eq!(key(user, nfc), Some(format!("user:{user}")));
        }
        for user in ["", "token:ann", "a:b", "a\nb", " ann", "ann ", "cafe\u{301}", "a\u{0}", &longer] {
            assert_eq!(key(user, nfc), None, "{user:?}");
        }
        assert_eq!(key(&"\u{e9}".repeat(254), nfc), None, "octets, not characters");
    }

    #[test]
    fn values() {
        for (value, groups, suspended) in [
            (HASH.to_owned(), &[][..], false),
            (format!("{HASH}\n"), &[], false),
            (format!("\u{feff}{HASH}:team,x\r\n"), &["team", "x"], false),
            (format!("{HASH}:!suspended"), &[], true),
            (format!("ann:{HASH}:team"), &["team"], false),
            (format!("ann:{HASH}:team:!suspended"), &["team"], true),
        ] {
            let account = read("ann", &value, nfc).expect(&value);
            assert_eq!(
                (account.user(), account.groups(), account.suspended()),
                ("ann", &groups.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..], suspended)
            );
        }
        assert_eq!(
            read("caf\u{e9}", &format!("cafe\u{301}:{HASH}"), nfc).expect("in NFC").user(),
            "caf\u{e9}"
        );
        for value in [
            String::new(),
            "hunter2".to_owned(),
            "ann:hunter2".to_owned(),
            format!("bob:{HASH}"),
            format!("{HASH}:a:b"),
            format!("{HASH}\nbob:{HASH}"),
            format!("ann:ann:{HASH}"),
        ] {
            let problem = read("ann", &value, nfc).expect_err(&value).to_string();
            assert!(problem.starts_with("EDGEWARD_KV user:ann: found "), "{problem}");
            assert!(!problem.contains("hunter2") && !problem.contains(HASH), "{problem}");
        }
    }

    fn word(stored: Option<Stored<'_>>) -> String {
        match stored {
            None => "ask".to_owned(),
            Some(Stored::Account(account)) => account.user().to_owned(),
            Some(Stored::Nobody) => "nobody".to_owned(),
            Some(Stored::Broken) => "broken".to_owned(),
            Some(Stored::Silent) => "silent".to_owned(),
        }
    }

    #[test]
    fn kept_for_thirty_seconds_whatever_it_was() {
        let mut accounts = StoredAccounts::new();
        assert_eq!(word(accounts.get("ann", at(0))), "ask");
        accounts.took("ann", Some(HASH), at(0), nfc).expect("good");
        accounts.took("bob", None, at(0), nfc).expect("nothing");
        assert!(accounts.took("cid", Some("hunter2"), at(0), nfc).is_err());
        accounts.failed("eve", at(0));
        for (seconds, words) in [
            (0, ["ann", "nobody", "broken", "silent"]),
            (1, ["ann", "nobody", "broken", "ask"]),
            (29, ["ann", "nobody", "broken", "ask"]),
            (30, ["ask", "ask", "ask", "ask"]),
            (-1, ["ask", "ask", "ask", "silent"]),
        ] {
            let found = ["ann", "bob", "cid", "eve"].map(|user| word(accounts.get(user, at(seconds))));
            assert_eq!(found, words, "{seconds}");
        }
        accounts.took("ann", None, at(10), nfc).expect("taken out");
        assert_eq!(word(accounts.get("ann", at(10))), "nobody");
    }

    #[test]
    fn one_asks_for_all_who_wait() {
        let mut accounts = StoredAccounts::new();
        let millis = UnixTime::from_millis;
        assert!(!accounts.others_ask("ann", millis(0)));
        assert!(accounts.others_ask("ann", millis(499)) && !accounts.others_ask("bob", millis(499)));
        assert!(!accounts.others_ask("ann", millis(500)), "the other may have ended with its client");
        accounts.took("ann", None, millis(600), nfc).expect("nothing");
        assert!(!accounts.others_ask("ann", millis(601)), "it was answered");
        accounts.failed("ann", millis(700));
        assert!(!accounts.others_ask("ann", millis(701)), "it failed");
        for n in 0..200 {
            assert!(!accounts.others_ask(&n.to_string(), millis(800)));
        }
        assert_eq!(accounts.asked.len(), MOST_ASKED);
    }

    #[test]
    fn the_dearest_line_that_was_seen_counts() {
        let mut accounts = StoredAccounts::new();
        assert_eq!(accounts.most(), None);
        for (value, cost) in [(Some(HASH), 5), (Some(DEARER), 10), (Some(HASH), 10), (None, 10)] {
            accounts.took("ann", value, at(0), nfc).expect("good");
            assert_eq!(accounts.most(), Some(Cost::Bcrypt { cost }));
        }
    }

    proptest! {
        #[test]
        fn read_never_panics(user in "\\PC{0,12}", value in "([a-z]{0,4}:?(\\$2y\\$05\\$)?[!:,\r\n]?){0,8}\\PC{0,12}") {
            let _ = read(&user, &value, nfc);
        }

        /// What is under a key is the account of that user-id or of nobody.
        #[test]
        fn an_account_is_of_the_user_that_was_asked_for(user in "[a-z\u{e9}$@ ]{1,6}", other in "[a-z$]{1,6}", is_whole: bool) {
            let value = if is_whole { format!("{other}:{HASH}") } else { HASH.to_owned() };
            if key(&user, nfc).is_some() && let Ok(account) = read(&user, &value, nfc) {
                prop_assert_eq!(account.user(), user);
                prop_assert!(!is_whole || other == account.user());
            }
        }

        #[test]
        fn bounded_and_consistent(steps in proptest::collection::vec((0_u16..2000, 0_i64..100, 0_u8..3), 0..300)) {
            let mut accounts = StoredAccounts::new();
            for n in 0..CAPACITY {
                accounts.failed(&n.to_string(), at(0));
            }
            for (n, seconds, what) in steps {
                let user = n.to_string();
                match what {
                    0 => accounts.failed(&user, at(seconds)),
                    1 => drop(accounts.took(&user, None, at(seconds), nfc)),
                    _ => drop(accounts.took(&user, Some(HASH), at(seconds), nfc)),
                }
                prop_assert!(accounts.get(&user, at(seconds)).is_some());
                prop_assert_eq!(accounts.order.len(), CAPACITY);
                prop_assert_eq!(accounts.kept.len(), CAPACITY);
            }
        }
    }
}
