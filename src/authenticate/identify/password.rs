//! Steps 14 and 15 for a password, wherever it was sent: with Basic, or in the form of the sign-in page.
//!
//! 1. The account is looked up.
//! 2. With Basic a password that was proven lately from this network is right, and nothing is counted: each request of a page
//!    bears it. A form
//!    comes once, and is always counted: else whoever has to wait could go on to guess a password that is in use.
//! 3. The ledger counts the try, or says how long to wait ([`crate::attempts`]).
//! 4. The password is verified, which is slow, and as slow for an unknown user.
//! 5. Where it was right, the ledger forgets the tries. Whether that worked makes no difference to who was right.
//! 6. Nobody is refused before `EDGEWARD_KV` was asked, where accounts may be there, also for a user-id of `EDGEWARD_USERS`: how long
//!    a "no" takes tells nobody where an account is, or whether.

use super::revoked::silent;
use super::{Asking, Halt};
use crate::attempts::{self, AttemptKey, Call, Said, Trying};
use crate::authenticate::{
    About, Circumstances, Gate, LedgerQuestion, PasswordQuestion, Question, not_configured,
};
use crate::device::Reach;
use crate::password::UserPass;
use crate::password::htpasswd::Account;
use crate::request::RequestFacts;
use crate::verdict::{Cause, Refusal};

/// Whose password this is. Whether the account is in good standing is not looked at.
///
/// Like [`authenticate`](crate::authenticate::authenticate) it never waits: it says what it needs, and is asked again from
/// the beginning with the answer.
///
/// # Errors
/// [`Halt::Needs`]: something from outside has to be known first. [`Halt::Refused`]: `too-many-attempts` with `retry_after`;
/// `credentials-wrong`, of an unknown user as of a wrong password; `check-unavailable` where a store does not answer;
/// `not-configured`.
pub fn prove_password<'a>(
    gate: &'a Gate,
    facts: &RequestFacts<'_>,
    user_pass: UserPass,
    at: &'a Circumstances<'a>,
) -> Result<&'a Account, Halt> {
    let (Some(policy), Some(verifiers)) = (&gate.config.policy, &gate.config.verifiers) else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    Asking { gate, policy, verifiers, at }.prove(user_pass, Proven::IsAsked, facts)
}

/// What it is worth that a password was proven lately.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    /// It is right.
    Suffices,
    /// It is asked for once more.
    IsAsked,
}

impl<'a> Asking<'a> {
    pub(super) fn prove(
        &self,
        user_pass: UserPass,
        lately: Proven,
        facts: &RequestFacts<'_>,
    ) -> Result<&'a Account, Halt> {
        let user = user_pass.user.clone();
        match self.settle(user_pass, lately, facts) {
            Err(Halt::Refused(refusal)) => {
                self.look_elsewhere(&user)?;
                Err(refusal.into())
            }
            settled => settled,
        }
    }

    fn settle(
        &self,
        user_pass: UserPass,
        lately: Proven,
        facts: &RequestFacts<'_>,
    ) -> Result<&'a Account, Halt> {
        if self.verifiers.users.is_none() {
            return Err(not_configured("No accounts are configured.").into());
        }
        let at = self.at;
        let account = self.account(&user_pass.user)?;
        let near = attempts::near(facts.client_address());
        let proof = account.map(|account| at.proven.proof(&user_pass, account, &near));
        let holds = || proof.as_ref().is_some_and(|proof| at.proven.holds(proof, at.now));
        let proven = lately == Proven::Suffices && holds();
        match (at.answers.password, account) {
            (None, Some(account)) if proven => Ok(account),
            (None, _) => {
                self.may_try(&user_pass.user, facts)?;
                Err(Halt::Needs(Question::Password(PasswordQuestion { user_pass, proof })))
            }
            (Some(true), Some(account)) => {
                self.forget(&user_pass.user, facts)?;
                Ok(account)
            }
            (Some(_), _) => {
                Err(Refusal::new(Cause::CredentialsWrong, "User-id or password is wrong.").into())
            }
        }
    }

    /// Asks `EDGEWARD_KV` for an account that is in `EDGEWARD_USERS` already: only so that it takes as long. What it says, or
    /// that it says nothing, makes no difference.
    fn look_elsewhere(&self, user: &str) -> Result<(), Halt> {
        match self.stored_account(user) {
            Err(Halt::Needs(question)) => Err(Halt::Needs(question)),
            Ok(_) | Err(Halt::Refused(_)) => Ok(()),
        }
    }

    /// Step 14. Asking counts the try.
    fn may_try(&self, user: &str, facts: &RequestFacts<'_>) -> Result<(), Halt> {
        let Some(key) = self.counting() else { return Ok(()) };
        let call = key.question(&self.trying(user, facts));
        let Some(answer) = self.at.answers.attempt(&call.arguments) else {
            return Err(Halt::Needs(Question::Ledger(asked(About::Attempt, call))));
        };
        match Said::read(answer.as_deref()) {
            Said::Allowed => Ok(()),
            Said::Silent => Err(silent().into()),
            Said::Wait(wait) => {
                let detail = "Too many passwords were wrong: wait before you try another.";
                let refusal = Refusal::new(Cause::TooManyAttempts, detail);
                Err(Refusal { retry_after: Some(wait), ..refusal }.into())
            }
        }
    }

    fn forget(&self, user: &str, facts: &RequestFacts<'_>) -> Result<(), Halt> {
        match self.counting() {
            Some(key) if !self.at.answers.forgotten => {
                let call = key.forgetting(&self.trying(user, facts), self.at.now);
                Err(Halt::Needs(Question::Ledger(asked(About::Forgotten, call))))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Without a ledger nothing is counted.
    fn counting(&self) -> Option<&'a AttemptKey> {
        self.verifiers.attempts.as_ref().filter(|_| self.gate.config.ledger)
    }

    fn trying<'t>(&self, user: &'t str, facts: &RequestFacts<'_>) -> Trying<'t> {
        let reach = Reach::of(facts, self.policy.session.as_ref());
        let device = self.verifiers.devices.known(facts, reach, user, self.at.now);
        Trying { user, device, address: facts.client_address() }
    }
}

fn asked(about: About, call: Call) -> LedgerQuestion {
    LedgerQuestion { about, object: call.object, method: call.method, arguments: call.arguments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::{Answers, LedgerAnswer, Stored};
    use crate::config::{Config, Sources};
    use crate::password::nfc;
    use crate::password::proven::ProvenCache;
    use crate::password::stored::StoredAccounts;
    use crate::request::FieldList;
    use crate::revocation::Kept;
    use crate::secret::Secret;
    use crate::time::UnixTime;

    const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);
    /// Of the password `U*U`: crypt_blowfish's published vector.
    const HASH: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    const ALLOWED: &str = r#"{"allowed":true,"used":1,"at":null}"#;

    fn gate(ledger: bool, store: bool) -> Gate {
        let text = |text: &str| Secret::new(text.to_owned());
        Gate::new(Config::parse(
            &Sources {
                secret: Some(text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")),
                users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(["ann:", HASH].concat()))],
                ledger,
                store,
                ..Sources::default()
            },
            nfc,
        ))
    }

    /// What is known besides the request, as an isolate holds it.
    struct World {
        gate: Gate,
        accounts: StoredAccounts,
        proven: ProvenCache,
        answers: Answers,
        lately: Proven,
    }

    impl World {
        fn new(ledger: bool, store: bool) -> Self {
            Self {
                lately: Proven::Suffices,
                gate: gate(ledger, store),
                accounts: StoredAccounts::new(),
                proven: ProvenCache::new(&Secret::new([7; 32])),
                answers: Answers::default(),
            }
        }

        /// Asks once: the account, the cause, or what is needed first.
        fn ask(&self, user: &str, password: &str) -> Result<String, Halt> {
            let (fields, revoked) = (FieldList::default(), Kept::new());
            let facts = RequestFacts::new("GET", "https://a.example/", &fields).expect("an absolute URI");
            let store = Stored { revoked: &revoked, api_keys: None, accounts: &self.accounts };
            let at = Circumstances {
                now: NOW,
                proven: &self.proven,
                answers: &self.answers,
                store,
                confirmed: None,
                nfc,
            };
            let user_pass = UserPass { user: user.to_owned(), password: Secret::new(password.to_owned()) };
            let config = &self.gate.config;
            let (policy, verifiers) = (config.policy.as_ref(), config.verifiers.as_ref());
            let (policy, verifiers) = (policy.expect("a policy"), verifiers.expect("verifiers"));
            let asking = Asking { gate: &self.gate, policy, verifiers, at: &at };
            asking.prove(user_pass, self.lately, &facts).map(|account| account.user().to_owned())
        }

        /// Asks until it is settled, and answers as the Worker would: the steps, one word each. `said`: by the ledger, to a
        /// try.
        fn settle(&mut self, user: &str, password: &str, said: Option<&str>) -> Vec<String> {
            let mut steps = Vec::new();
            loop {
                assert!(steps.len() < 9, "{steps:?}");
                match self.ask(user, password) {
                    Ok(account) => steps.push(account),
                    Err(Halt::Refused(refusal)) => steps.push(refusal.cause.name().to_owned()),
                    Err(Halt::Needs(question)) => {
                        steps.push(self.answer(question, said));
                        continue;
                    }
                }
                return steps;
            }
        }

        fn answer(&mut self, question: Question, said: Option<&str>) -> String {
            let word = match question {
                Question::Account(user) => {
                    drop(self.accounts.took(&user, (user == "zoe").then_some(HASH), NOW, nfc));
                    "account"
                }
                Question::Ledger(question) => {
                    let method = question.method;
                    let answer: LedgerAnswer =
                        if method == "attempts" { said.map(str::to_owned) } else { None };
                    self.answers.take(question, answer);
                    method
                }
                Question::Password(question) => {
                    let users = self.gate.config.verifiers.as_ref().and_then(|it| it.users.as_ref());
                    let users = users.expect("accounts");
                    let right = users.check_with(&self.accounts, &question.user_pass, NOW).0;
                    if let Some(proof) = question.proof.filter(|_| right) {
                        self.proven.remember(proof, NOW);
                    }
                    self.answers.password = Some(right);
                    "password"
                }
                Question::Store => "store",
            };
            word.to_owned()
        }
    }

    #[test]
    fn step_by_step() {
        const WAIT: &str = r#"{"allowed":false,"wait":7}"#;
        for (ledger, store, user, password, said, steps) in [
            (true, false, "ann", "U*U", Some(ALLOWED), &["attempts", "password", "forget", "ann"][..]),
            (true, false, "ann", "no", Some(ALLOWED), &["attempts", "password", "credentials-wrong"]),
            (true, false, "eve", "U*U", Some(ALLOWED), &["attempts", "password", "credentials-wrong"]),
            (true, false, "ann", "U*U", Some(WAIT), &["attempts", "too-many-attempts"]),
            (true, false, "eve", "U*U", Some(WAIT), &["attempts", "too-many-attempts"]),
            (true, false, "ann", "U*U", None, &["attempts", "check-unavailable"]),
            (true, false, "ann", "U*U", Some("{}"), &["attempts", "check-unavailable"]),
            (false, false, "ann", "U*U", None, &["password", "ann"]),
            (true, true, "ann", "U*U", Some(ALLOWED), &["attempts", "password", "forget", "ann"]),
            (
                true,
                true,
                "ann",
                "no",
                Some(ALLOWED),
                &["attempts", "password", "account", "credentials-wrong"],
            ),
            (true, true, "ann", "no", Some(WAIT), &["attempts", "account", "too-many-attempts"]),
            (true, true, "ann", "no", None, &["attempts", "account", "check-unavailable"]),
            (true, true, "zoe", "U*U", Some(ALLOWED), &["account", "attempts", "password", "forget", "zoe"]),
            (
                true,
                true,
                "eve",
                "U*U",
                Some(ALLOWED),
                &["account", "attempts", "password", "credentials-wrong"],
            ),
            (true, true, "zoe", "U*U", Some(WAIT), &["account", "attempts", "too-many-attempts"]),
            (false, true, "zoe", "no", None, &["account", "password", "credentials-wrong"]),
        ] {
            let found = World::new(ledger, store).settle(user, password, said);
            assert_eq!(found, steps, "{user} {password} {said:?} {ledger} {store}");
        }
    }

    #[test]
    fn what_was_proven_lately_asks_nobody() {
        let mut world = World::new(true, true);
        world.settle("zoe", "U*U", Some(ALLOWED));
        world.answers = Answers::default();
        assert_eq!(world.settle("zoe", "U*U", None), ["zoe"]);
        assert_eq!(world.settle("zoe", "no", None), ["attempts", "check-unavailable"]);
        world.answers = Answers::default();
        world.lately = Proven::IsAsked;
        let steps = world.settle("zoe", "U*U", Some(ALLOWED));
        assert_eq!(steps, ["attempts", "password", "forget", "zoe"], "a form is always counted");
        world.answers = Answers::default();
        assert_eq!(
            world.settle("zoe", "U*U", Some(r#"{"allowed":false,"wait":30}"#)),
            ["attempts", "too-many-attempts"]
        );
    }

    #[test]
    fn a_store_that_is_silent_or_holds_what_cannot_be_read() {
        let mut world = World::new(true, true);
        for user in ["ann", "zoe"] {
            world.accounts.failed(user, NOW);
        }
        assert_eq!(world.settle("zoe", "U*U", Some(ALLOWED)), ["check-unavailable"]);
        assert_eq!(world.settle("ann", "U*U", Some(ALLOWED)), ["attempts", "password", "forget", "ann"]);
        assert!(world.accounts.took("zoe", Some("?"), NOW, nfc).is_err());
        world.answers = Answers::default();
        assert_eq!(world.settle("zoe", "U*U", Some(ALLOWED)), ["not-configured"]);
    }

    #[test]
    fn how_long_to_wait_is_told() {
        let mut world = World::new(true, false);
        world.settle("ann", "no", Some(r#"{"allowed":false,"wait":7}"#));
        let Err(Halt::Refused(refusal)) = world.ask("ann", "no") else { panic!("it is refused") };
        assert_eq!(refusal.retry_after.map(crate::time::Lifetime::seconds), Some(7));
    }
}
