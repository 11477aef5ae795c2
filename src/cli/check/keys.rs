//! Keys in `EDGEWARD_KEYS` by their dates and by who uses them. Only those that are here: a stand-in has neither.

use super::Findings;
use crate::cli::deployment::Deployment;
use edgeward::policy::{HmacAlgorithm, Policy};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::{Key, KeySet, Standing};
use edgeward::token::signed_url::preset;

/// How long before the last key of an entry retires it is told, in seconds: time to roll another out.
const SOON: Lifetime = Lifetime::from_seconds(14 * 86_400);

/// Looks at each key, and at the keys of each entry.
pub fn look(deployment: &Deployment, now: UnixTime, findings: &mut Findings) {
    let Some(policy) = &deployment.config.policy else { return };
    let Some(text) = deployment.secrets.value("EDGEWARD_KEYS") else { return };
    // One that cannot be read is told by the core.
    let Ok(keys) = KeySet::parse(text.expose()) else { return };
    let users = users(policy);
    for (index, key) in keys.iter().enumerate() {
        standing(index, key, now, findings);
        if !users.iter().any(|user| user.names(key) || user.uses(key)) {
            let at = format!("EDGEWARD_KEYS keys[{index}]");
            let expected = "a key that EDGEWARD.tokens or EDGEWARD.session.discourse uses, as nothing is verified with this one";
            findings.warn(
                &at,
                format!("the key {:?}", &**key.kid()),
                expected,
                "Name it there, or take it out.",
            );
        }
    }
    users.iter().for_each(|user| entry(user, &keys, now, findings));
}

/// What has keys.
struct User<'p> {
    at: String,
    kids: Option<&'p [String]>,
    fits: Box<dyn Fn(&Key) -> bool + 'p>,
}

impl User<'_> {
    /// Whether it asks for the key by its id. That such a key does not fit is for the core to tell.
    fn names(&self, key: &Key) -> bool {
        self.kids.is_some_and(|kids| kids.iter().any(|kid| **kid == **key.kid()))
    }

    fn uses(&self, key: &Key) -> bool {
        (self.fits)(key) && (self.kids.is_none() || self.names(key))
    }
}

fn users(policy: &Policy) -> Vec<User<'_>> {
    let at = |index: Option<usize>| {
        index.map_or("EDGEWARD_KEYS".to_owned(), |n| format!("EDGEWARD.tokens[{n}].keys"))
    };
    let tokens = policy.tokens.iter().map(|entry| User {
        at: at(entry.index),
        kids: entry.keys.as_deref(),
        fits: Box::new(|key| entry.algorithms.contains(&key.algorithm())),
    });
    let links = policy.links.iter().map(|entry| User {
        at: at(Some(entry.index)),
        kids: entry.keys.as_deref(),
        fits: Box::new(|key| preset(entry.format).algorithms.contains(&key.algorithm())),
    });
    let shared = policy.session.iter().flat_map(|session| session.discourse.keys()).map(|(at, kid)| User {
        at,
        kids: Some(std::slice::from_ref(kid)),
        fits: Box::new(|key| key.algorithm() == HmacAlgorithm::Hs256),
    });
    tokens.chain(links).chain(shared).collect()
}

/// A key out of use is no fault: it waits for its day, or says whose an old token is.
fn standing(index: usize, key: &Key, now: UnixTime, findings: &mut Findings) {
    let kid = &**key.kid();
    match key.standing(now) {
        Standing::Good => {}
        Standing::NotYet(from) => {
            findings.note(format!("EDGEWARD_KEYS keys[{index}]: the key {kid:?} is not in use before {from}."));
        }
        Standing::Retired(until) => findings.note(format!(
            "EDGEWARD_KEYS keys[{index}]: the key {kid:?} was retired at {until}: what it signed is refused, and the log \
             says so; take it out once that stops."
        )),
    }
}

/// An entry needs a key that is in use, now and some days from now.
fn entry(user: &User<'_>, keys: &KeySet, now: UnixTime, findings: &mut Findings) {
    let own: Vec<&Key> = keys.iter().filter(|key| user.uses(key)).collect();
    let is_good = |at: UnixTime| own.iter().any(|key| key.standing(at) == Standing::Good);
    // Our own format has no keys there, and an entry without one that fits is told by the core.
    if own.is_empty() {
        return;
    }
    if !is_good(now) {
        let expected = "one that is in use, as all that is signed is refused otherwise";
        let fix = "Add a key with `edgeward keygen --rotate`, or change its dates.";
        findings.warn(&user.at, "no key that is in use", expected, fix);
    } else if !is_good(now + SOON) {
        let last = own
            .iter()
            .filter(|key| key.standing(now) == Standing::Good)
            .filter_map(|key| key.retire_after())
            .max()
            .unwrap_or(now);
        let expected = "a key that stays in use for 14 days at least";
        let fix = "Add the next one with `edgeward keygen --rotate`, and have the signers use it before.";
        findings.warn(&user.at, format!("no key that is in use after {last}"), expected, fix);
    }
}
