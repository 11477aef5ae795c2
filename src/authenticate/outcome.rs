//! What comes out: a verdict and the proof that it was reached, or the question that it needs answered first.

use crate::password::UserPass;
use crate::password::proven::Proof;
use crate::policy::{Cors, Kind, Rule};
use crate::session::{Factors, Session};
use crate::time::UnixTime;
use crate::token::signed_url::Grant;
use crate::verdict::Refused;

/// A verdict, or what it needs first.
#[derive(Debug)]
pub enum Outcome<'g> {
    /// It is decided.
    Decided(Decision<'g>),
    /// Something from outside: get it, and ask again with the answer.
    Needs(Question),
}

/// What a verdict needs from outside.
#[derive(Debug)]
pub enum Question {
    /// The slow verification of a password: run [`crate::password::htpasswd::Users::check_with`].
    Password(PasswordQuestion),
    /// What `EDGEWARD_KV` holds: what was read of it is too old.
    Store,
    /// The account of this user-id in `EDGEWARD_KV`: the value under [`crate::password::stored::key`].
    Account(String),
    /// A call of the ledger.
    Ledger(LedgerQuestion),
}

/// A call of `EDGEWARD_LEDGER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerQuestion {
    /// What it is about: where the answer belongs.
    pub about: About,
    /// Name of the object.
    pub object: String,
    /// Its method.
    pub method: &'static str,
    /// The arguments: a JSON array.
    pub arguments: String,
}

/// What a call of the ledger is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Whether something was revoked.
    Revoked,
    /// How often a link was used.
    Used,
    /// One more use of it.
    Spent,
    /// Whether a password may be tried.
    Attempt,
    /// That one was right.
    Forgotten,
    /// A second factor that is being proven.
    SecondFactor(SecondFactorStep),
}

/// What the ledger is asked while a second factor is proven, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorStep {
    /// Counts an attempt.
    Attempt,
    /// Spends what was right.
    Spend,
    /// Forgets the attempts.
    Forget,
}

/// What the ledger said: JSON; `None` where it did not answer.
pub type LedgerAnswer = Option<String>;

/// Answers to what this very request needed.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Whether the password is right.
    pub password: Option<bool>,
    /// Of [`About::Revoked`], each with what was asked: a cookie may stand for several links, and what is said of one says
    /// nothing of the next.
    pub revoked: Vec<(String, LedgerAnswer)>,
    /// Of [`About::Used`].
    pub used: Option<LedgerAnswer>,
    /// Of [`About::Spent`].
    pub spent: Option<LedgerAnswer>,
    /// Of [`About::Attempt`], each with what was asked.
    pub attempts: Vec<(String, LedgerAnswer)>,
    /// Whether [`About::Forgotten`] was said; what was answered makes no difference.
    pub forgotten: bool,
    /// Of [`About::SecondFactor`], in the order of its steps.
    pub second_factor: [Option<LedgerAnswer>; 3],
}

impl Answers {
    /// Takes the ledger's answer to a question.
    pub fn take(&mut self, question: LedgerQuestion, answer: LedgerAnswer) {
        match question.about {
            About::Revoked => self.revoked.push((question.arguments, answer)),
            About::Used => self.used = Some(answer),
            About::Spent => self.spent = Some(answer),
            About::Attempt => self.attempts.push((question.arguments, answer)),
            About::Forgotten => self.forgotten = true,
            About::SecondFactor(step) => {
                let [attempt, spend, forget] = &mut self.second_factor;
                *match step {
                    SecondFactorStep::Attempt => attempt,
                    SecondFactorStep::Spend => spend,
                    SecondFactorStep::Forget => forget,
                } = Some(answer);
            }
        }
    }

    /// What the ledger said to that step; `None` where it was not asked.
    #[must_use]
    pub const fn second_factor(&self, step: SecondFactorStep) -> Option<&LedgerAnswer> {
        let [attempt, spend, forget] = &self.second_factor;
        match step {
            SecondFactorStep::Attempt => attempt.as_ref(),
            SecondFactorStep::Spend => spend.as_ref(),
            SecondFactorStep::Forget => forget.as_ref(),
        }
    }

    /// What the ledger said to these arguments of [`About::Revoked`]; `None` where it was not asked.
    #[must_use]
    pub fn revoked(&self, arguments: &str) -> Option<&LedgerAnswer> {
        said(&self.revoked, arguments)
    }

    /// What the ledger said to these arguments of [`About::Attempt`]; `None` where it was not asked.
    #[must_use]
    pub fn attempt(&self, arguments: &str) -> Option<&LedgerAnswer> {
        said(&self.attempts, arguments)
    }
}

fn said<'s>(answers: &'s [(String, LedgerAnswer)], arguments: &str) -> Option<&'s LedgerAnswer> {
    answers.iter().find(|(asked, _)| asked == arguments).map(|(_, answer)| answer)
}

/// A password to verify, and how a right one is remembered.
#[derive(Debug)]
pub struct PasswordQuestion {
    /// What was sent.
    pub user_pass: UserPass,
    /// What is remembered if it is right; `None` for an unknown user.
    pub proof: Option<Proof>,
}

/// A verdict and the rule it rests on.
#[derive(Debug)]
pub struct Decision<'g> {
    /// The rule that decided; `None` where the request did not get as far as one.
    pub rule: Option<&'g Rule>,
    /// What was decided.
    pub verdict: Verdict<'g>,
}

/// What was decided.
#[derive(Debug)]
pub enum Verdict<'g> {
    /// It goes to the origin.
    Pass(Passage<'g>),
    /// It is sent to `https:`.
    ToHttps,
    /// A preflight, answered here.
    Preflight(&'g Cors),
    /// A path of our own, and who asks where that matters.
    Reserved(Option<Authenticated>),
    /// A navigation with a good signed URL: sent to the clean URL, with a cookie that grants the same.
    Exchange(Box<Exchange<'g>>),
    /// It is not let in.
    Refused(Refused),
}

impl Verdict<'_> {
    /// Whether it rests on what `EDGEWARD_KV` holds, where that is bound: nobody is let in by a token, a key or a link that
    /// was not looked for there.
    #[must_use]
    pub const fn rests_on_store(&self) -> bool {
        match self {
            Self::Pass(Passage { who: Who::Known(who), .. }) | Self::Reserved(Some(who)) => {
                !matches!(who.kind, Kind::Basic)
            }
            Self::Exchange(_) => true,
            Self::Pass(_) | Self::ToHttps | Self::Preflight(_) | Self::Reserved(None) | Self::Refused(_) => {
                false
            }
        }
    }
}

/// What a navigation with a good signed URL gets instead of the page.
#[derive(Debug)]
pub struct Exchange<'g> {
    /// The rule.
    pub rule: &'g Rule,
    /// What the link grants.
    pub grant: Grant,
    /// As whom it lets in.
    pub who: Authenticated,
}

impl<'g> Exchange<'g> {
    /// The request let in as it is, for a link that no cookie can stand for; `None` where the link counts its uses: that
    /// one lets in by its cookie alone.
    #[must_use]
    pub fn into_passage(self) -> Option<Passage<'g>> {
        let is_counted = self.grant.stated().uses.is_some();
        (!is_counted).then(|| Passage::of(self.rule, Who::Known(self.who)))
    }
}

/// Leave to go to the origin. Only [`authenticate`](super::authenticate) gives it, and forwarding takes it away: passing a request on
/// without a check does not compile.
#[derive(Debug)]
pub struct Passage<'g> {
    pub(super) rule: &'g Rule,
    pub(super) who: Who,
    pub(super) renewal: Option<Session>,
}

impl<'g> Passage<'g> {
    pub(super) const fn of(rule: &'g Rule, who: Who) -> Self {
        Self { rule, who, renewal: None }
    }

    /// The session as the browser is to keep it from now on; `None` where what it has will do, and where others may be
    /// handed the same answer.
    #[must_use]
    pub fn renewal(&self) -> Option<&Session> {
        self.renewal.as_ref().filter(|_| !self.rule.shared_cache)
    }

    /// The rule that let it pass.
    #[must_use]
    pub const fn rule(&self) -> &'g Rule {
        self.rule
    }

    /// As whom.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }
}

/// As whom a request passes.
#[derive(Debug)]
pub enum Who {
    /// Anyone: a public rule, or a preflight for the origin. Nothing was verified.
    Anyone,
    /// Somebody who proved who they are.
    Known(Authenticated),
    /// Nobody: a rule in report mode would have refused this.
    Reported(Refused),
}

/// Proof that somebody is who they say. Has no public constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    pub(super) kind: Kind,
    pub(super) user: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires: Option<UnixTime>,
    pub(super) key: Option<String>,
    pub(super) is_account: bool,
    pub(super) api_key: Option<String>,
    pub(super) factors: Option<Factors>,
}

impl Authenticated {
    /// Somebody of whom nothing is known but how they came.
    pub(super) const fn nobody(kind: Kind) -> Self {
        Self {
            kind,
            user: None,
            groups: Vec::new(),
            scopes: Vec::new(),
            expires: None,
            key: None,
            is_account: false,
            api_key: None,
            factors: None,
        }
    }

    /// By which kind of credentials.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The user-id of an account, or `token:<sub>`; `None` for a token without `sub`.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Groups.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Scopes of a token; accounts have none.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When the credentials expire, where they do.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// The `kid` of the key that verified a token.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Authentication methods for `amr` (RFC 8176 §2): `pwd` for a password, `otp` and `mfa` with a code. A token's own methods are not known
    /// to us: `token` says so.
    #[must_use]
    pub const fn methods(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Basic => &["pwd"],
            Kind::Bearer | Kind::SignedUrl => &["token"],
            Kind::ApiKey => &["key"],
            Kind::Session => match self.factors {
                Some(Factors::Both) => &["pwd", "otp", "mfa"],
                Some(Factors::Password) => &["pwd"],
                Some(Factors::Half | Factors::Elsewhere) | None => &["token"],
            },
        }
    }
}
