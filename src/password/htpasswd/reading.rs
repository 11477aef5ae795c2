//! All lines of all secrets → [`Users`], or everything that is wrong with them.

use super::{Account, Users, line};
use crate::config::Problem;
use crate::password::Nfc;
use crate::password::cost::Cost;
use crate::password::tag::Tagger;
use crate::sorted_map::SortedMap;

/// What is gathered while the lines are read.
#[derive(Default)]
pub(super) struct Reading {
    accounts: SortedMap<String, Account>,
    /// Where each user-id stands.
    places: SortedMap<String, String>,
    /// Every cost once.
    costs: Vec<Cost>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The first line of a generated password: it needs a key.
    generated_at: Option<String>,
}

impl Reading {
    /// Reads one secret.
    pub(super) fn source(&mut self, name: &str, text: &str, nfc: Nfc) {
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

    /// The accounts, if nothing is wrong with any.
    pub(super) fn finish(mut self, keys: Vec<Tagger>) -> Result<Users, Vec<Problem>> {
        if let Some(at) = self.generated_at.take().filter(|_| keys.is_empty()) {
            let found = "{HMAC-SHA256}, and no EDGEWARD_SECRET that can be used";
            let fix = "Set EDGEWARD_SECRET to the value this line was made with.";
            self.problems.push(Problem::new(at, found, "the secret that its key comes from", fix));
        }
        let most = self.costs.iter().copied().max_by_key(|cost| cost.nanos());
        if most.is_none() && self.problems.is_empty() {
            self.problems.push(no_lines("EDGEWARD_USERS"));
        }
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
    use crate::password::nfc;
    use crate::password::phc::{hash_argon2id, hash_bcrypt};
    use crate::secret::Secret;
    use proptest::prelude::*;

    const SALT: [u8; 16] = *b"0123456789abcdef";
    const GENERATED: &str = "{HMAC-SHA256}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn secret(text: impl Into<String>) -> Secret<String> {
        Secret::new(text.into())
    }

    fn bcrypt(password: &str, cost: u32) -> String {
        hash_bcrypt(&secret(password), SALT, cost).unwrap()
    }

    fn parse_all(sources: &[(&str, &str)]) -> Result<Users, Vec<Problem>> {
        let sources: Vec<_> =
            sources.iter().map(|(name, text)| ((*name).to_owned(), secret(*text))).collect();
        Users::parse(&sources, &[Secret::new(vec![1; 32])], nfc)
    }

    fn parse(text: &str) -> Result<Users, Vec<Problem>> {
        parse_all(&[("EDGEWARD_USERS", text)])
    }

    fn places(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.at.as_str()).collect()
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
        let mixed = parse(&format!("ann:{argon2}\nbob:{GENERATED}")).unwrap();
        assert_eq!(places(mixed.warnings()), ["EDGEWARD_USERS"]);
        assert_eq!(
            mixed.warnings()[0].found,
            "verifications of different cost, from {HMAC-SHA256} to Argon2id of m=19456,t=2,p=1"
        );
    }

    /// Wherever in a line it stands.
    #[test]
    fn a_problem_shows_nothing_that_may_be_a_password() {
        for line in [
            "s3cr3t-w0rd",
            "ann:s3cr3t-w0rd",
            "s3cr3t-w0rd:ann",
            "ann:x:s3cr3t-w0rd",
            "s3cr3t-w0rd:1234567890abc",
        ] {
            let shown = parse(line).unwrap_err()[0].to_string();
            assert!(!shown.contains("s3cr3t-w0rd"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "([a-zé]{0,3}[:,!$#\r\n]?(!until=|\\$2y\\$05\\$)?){0,12}\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
