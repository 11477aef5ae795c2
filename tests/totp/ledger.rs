//! A ledger as `src/edge/ledger.js` keeps one, in memory: `attempt`, `forget` and `spend`.

use edgeward::authenticate::LedgerQuestion;
use edgeward::time::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is kept, by object and name, and every question.
#[derive(Default)]
pub struct Ledger {
    /// How many tries, and the moment of the last.
    tries: BTreeMap<String, (i64, i64)>,
    spent: BTreeMap<String, i64>,
    pub questions: Vec<LedgerQuestion>,
}

impl Ledger {
    pub fn ask(&mut self, question: &LedgerQuestion, now: UnixTime) -> String {
        self.questions.push(question.clone());
        let arguments: Value = serde_json::from_str(&question.arguments).expect("JSON");
        let name = format!("{}/{}", question.object, arguments[0].as_str().expect("a name"));
        let number = |at: usize| arguments[at].as_i64().expect("a number");
        let answer = match question.method {
            "attempt" => self.attempt(name, [number(1), number(2), number(3), number(4)], now.seconds()),
            "forget" => json!(self.tries.remove(&name).map_or(0, |_| 1)),
            "spend" => self.spend(name, number(1), number(2), now.seconds()),
            other => panic!("{other}"),
        };
        answer.to_string()
    }

    fn attempt(&mut self, name: String, [free, base, most, keep]: [i64; 4], now: i64) -> Value {
        let (used, at) = self.tries.get(&name).copied().filter(|(_, at)| now < at + keep).unwrap_or((0, now));
        let wait = if used < free { 0 } else { most.min(base << (used - free).min(40)) - (now - at) };
        if wait > 0 {
            return json!({ "allowed": false, "wait": wait });
        }
        self.tries.insert(name, (used + 1, now));
        json!({ "allowed": true, "used": used + 1, "at": null })
    }

    fn spend(&mut self, name: String, limit: i64, expires: i64, now: i64) -> Value {
        assert!(expires == 0 || expires > now, "what is spent is remembered");
        let used = self.spent.entry(name).or_insert(0);
        let ok = *used < limit;
        *used += i64::from(ok);
        json!({ "ok": ok, "used": *used, "at": null })
    }
}
