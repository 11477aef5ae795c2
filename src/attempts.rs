//! Lock-out: how often somebody may guess.
//!
//! 1. A try is counted before the password is verified, by the ledger, which does one thing after the other: a hundred
//!    guesses sent at once get as many answers as there are free tries. After a right one the count is forgotten.
//! 2. Tries are counted by user-id, known or not: the same work, the same answers. And by where they come from:
//!
//! | from | counted for | free | then |
//! | --- | --- | --- | --- |
//! | a browser in which this user signed in before ([`crate::device`]) | that browser | 5 | wait 30 s, doubling to 15 min |
//! | anywhere else | the client's network (IPv4 /24, IPv6 /48) | 5 | the same |
//! | | and all networks together | 50 | the same |
//!
//! 3. So whoever guesses from many networks ends up waiting, and cannot lock the user out: a known browser has its own count,
//!    and a network from which the user's password was right is not counted with all the others for thirty days.
//! 4. A day after the last try a count is forgotten.
//!
//! The ledger learns no user-id: names are MACs under a key derived from `EDGEWARD_SECRET`. What is counted for a user lies in
//! one of 256 objects, so invented names make no objects. Without a ledger nothing is counted, and `edgeward check` says so;
//! with one that does not answer, nobody is let in by a password that would have to be verified.

use crate::device::DeviceId;
use crate::json::Json;
use crate::network::Network;
use crate::policy::HmacAlgorithm;
use crate::text::hex;
use crate::time::{Lifetime, UnixTime};
use crate::token::mac::{MacKey, Purpose, RootSecret};
use core::net::IpAddr;

const PURPOSE: Purpose = Purpose("edgeward/attempts/v1");

/// Tries of one browser, or from one network, that are answered at once.
pub const FREE: u32 = 5;

/// Tries from all networks together that are answered at once.
pub const FREE_EVERYWHERE: u32 = 50;

/// The first wait.
pub const FIRST_WAIT: Lifetime = Lifetime::from_seconds(30);

/// The longest wait.
pub const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(15 * 60);

/// So long after the last try a count is kept: as many tries as the longest waits allow must not be had sooner by waiting.
const KEPT: i64 = 86_400;

/// For so many days a network from which the password was right is known.
const KNOWN_DAYS: i64 = 30;

const DAY: i64 = 86_400;

/// Octets of a MAC that name a count: enough that no two ever meet.
const NAME_SIZE: usize = 16;

/// The key under which the ledger knows user-ids.
#[derive(Clone, Debug)]
pub struct AttemptKey(MacKey);

/// Who tries, from where.
#[derive(Clone, Copy, Debug)]
pub struct Trying<'a> {
    /// The user-id that was sent.
    pub user: &'a str,
    /// The known browser it came from, if it did.
    pub device: Option<DeviceId>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

/// A call of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Name of the object.
    pub object: String,
    /// Its method.
    pub method: &'static str,
    /// The arguments: a JSON array.
    pub arguments: String,
}

/// What the ledger says of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It may be answered; it was counted.
    Allowed,
    /// Not before so long.
    Wait(Lifetime),
    /// It did not answer, or not in its words: nobody knows.
    Silent,
}

impl AttemptKey {
    /// Derived from the first secret: all isolates have to agree on a name. With a new first secret counts begin anew.
    #[must_use]
    pub fn new(root: &RootSecret) -> Option<Self> {
        let keys = root.derive(&[PURPOSE.0.as_bytes()]);
        Some(Self(MacKey::new(HmacAlgorithm::Hs256, keys.first()?.expose())))
    }

    /// May this be tried? Asking counts it; [`Said::read`] reads the answer.
    #[must_use]
    pub fn question(&self, trying: &Trying<'_>) -> Call {
        let names = self.names(trying);
        let mut arguments = String::from("[[");
        push_limits(&mut arguments, &names.narrow, FREE);
        if let Some(Wide { everywhere, known }) = &names.wide {
            arguments.push(',');
            push_limits(&mut arguments, everywhere, FREE_EVERYWHERE);
            arguments.pop();
            arguments.extend([",\"", known, "\"]"]);
        }
        arguments.push_str("]]");
        Call { object: names.object, method: "attempts", arguments }
    }

    /// It was right: what was counted is forgotten, and the network is known.
    #[must_use]
    pub fn forgetting(&self, trying: &Trying<'_>, now: UnixTime) -> Call {
        let names = self.names(trying);
        let arguments = match names.wide {
            None => ["[[\"", &names.narrow, "\"]]"].concat(),
            Some(Wide { everywhere, known }) => {
                // To the day: the same question all day long.
                let until = ((now.seconds().div_euclid(DAY) + KNOWN_DAYS + 1) * DAY).to_string();
                ["[[\"", &names.narrow, "\",\"", &everywhere, "\"],[[\"", &known, "\",", &until, "]]]"]
                    .concat()
            }
        };
        Call { object: names.object, method: "forget", arguments }
    }

    fn names(&self, trying: &Trying<'_>) -> Names {
        let name = |fields: &[&[u8]]| {
            let fields = [&[trying.user.as_bytes()], fields].concat();
            hex(self.0.tag_for(&PURPOSE, &fields).as_bytes().get(..NAME_SIZE).unwrap_or_default())
        };
        let everywhere = name(&[]);
        let object = ["tries:", everywhere.get(..2).unwrap_or_default()].concat();
        if let Some(device) = &trying.device {
            return Names { object, narrow: name(&[b"device", device.octets()]), wide: None };
        }
        let network = trying.address.and_then(network).map(|it| it.to_string()).unwrap_or_default();
        let known = name(&[b"known", network.as_bytes()]);
        Names {
            object,
            narrow: name(&[b"network", network.as_bytes()]),
            wide: Some(Wide { everywhere, known }),
        }
    }
}

impl Said {
    /// Reads the ledger's answer; `None` where it gave none.
    #[must_use]
    pub fn read(answer: Option<&str>) -> Self {
        let Some(json) = answer.and_then(|text| Json::parse(text).ok()) else { return Self::Silent };
        let wait = json.get("wait").and_then(Json::as_whole);
        match (json.get("allowed").and_then(Json::as_bool), wait) {
            (Some(true), None) => Self::Allowed,
            // Never less than a second: who comes back at once would be told the same again.
            (Some(false), Some(wait)) => Self::Wait(Lifetime::from_seconds(wait.max(1))),
            _ => Self::Silent,
        }
    }
}

/// Names in the ledger.
struct Names {
    object: String,
    /// Of the browser, or the network.
    narrow: String,
    /// Where the browser is not known.
    wide: Option<Wide>,
}

struct Wide {
    /// Of all networks together.
    everywhere: String,
    /// Of the mark under which that is not asked.
    known: String,
}

/// Whoever has one address of these has, or can have, all of them.
fn network(address: IpAddr) -> Option<Network> {
    let length = if address.is_ipv4() { 24 } else { 48 };
    Network::new(address, length).map(Network::truncated)
}

/// The octets of that network: what a password was proven from.
#[must_use]
pub fn near(address: Option<IpAddr>) -> [u8; 7] {
    match address {
        None => [0; 7],
        Some(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            [4, a, b, c, 0, 0, 0]
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, e, f, ..] = address.octets();
            [6, a, b, c, d, e, f]
        }
    }
}

/// `["<name>",free,first wait,longest wait,kept]`
fn push_limits(text: &mut String, name: &str, free: u32) {
    text.extend(["[\"", name, "\""]);
    for number in [i64::from(free), FIRST_WAIT.seconds(), LONGEST_WAIT.seconds(), KEPT] {
        text.extend([",", &number.to_string()]);
    }
    text.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> AttemptKey {
        let secret = crate::token::to_base64url(&[byte; 32]);
        AttemptKey::new(&RootSecret::parse(&secret).expect("a good secret")).expect("a key")
    }

    fn from<'a>(user: &'a str, address: &str) -> Trying<'a> {
        Trying { user, device: None, address: address.parse().ok() }
    }

    fn on(user: &str, device: u8) -> Trying<'_> {
        Trying { user, device: Some(DeviceId::new([device; 16])), address: None }
    }

    /// The texts in the arguments, in their order.
    fn names(question: &Call) -> Vec<String> {
        question.arguments.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn questions() {
        let asked = key(1).question(&from("ann", "203.0.113.7"));
        let [narrow, everywhere, known] = &names(&asked)[..] else { panic!("{}", asked.arguments) };
        let limits = format!(r#"[[["{narrow}",5,30,900,86400],["{everywhere}",50,30,900,86400,"{known}"]]]"#);
        assert_eq!((asked.method, &asked.arguments), ("attempts", &limits));
        assert_eq!(asked.object, format!("tries:{}", &everywhere[..2]));
        assert!([narrow, everywhere, known].iter().all(|name| name.len() == 32));

        let forgotten =
            key(1).forgetting(&from("ann", "203.0.113.7"), UnixTime::from_seconds(86_400 * 100 + 7));
        let wanted = format!(r#"[["{narrow}","{everywhere}"],[["{known}",{}]]]"#, 86_400 * 131);
        assert_eq!((forgotten.method, &forgotten.arguments), ("forget", &wanted));
        assert_eq!(forgotten.object, asked.object);

        let asked = key(1).question(&on("ann", 1));
        let [narrow] = &names(&asked)[..] else { panic!("{}", asked.arguments) };
        assert_eq!(asked.arguments, format!(r#"[[["{narrow}",5,30,900,86400]]]"#));
        let forgotten = key(1).forgetting(&on("ann", 1), UnixTime::from_seconds(0));
        assert_eq!(forgotten.arguments, format!(r#"[["{narrow}"]]"#));
    }

    #[test]
    fn what_is_counted_together() {
        let narrow = |trying: &Trying<'_>| names(&key(1).question(trying)).remove(0);
        let base = narrow(&from("ann", "203.0.113.7"));
        for (same, other) in [
            (true, from("ann", "203.0.113.255")),
            (false, from("ann", "203.0.114.7")),
            (false, from("ann", "::ffff:0:0")),
            (false, from("Ann", "203.0.113.7")),
            (false, from("ann", "")),
            (false, on("ann", 1)),
        ] {
            assert_eq!(narrow(&other) == base, same, "{other:?}");
        }
        assert_eq!(narrow(&from("ann", "2001:db8:1:2::3")), narrow(&from("ann", "2001:db8:1:ffff::")));
        assert_ne!(narrow(&from("ann", "2001:db8:1::")), narrow(&from("ann", "2001:db8:2::")));
        assert_ne!(narrow(&on("ann", 1)), narrow(&on("ann", 2)));
        assert_ne!(narrow(&on("ann", 1)), narrow(&on("bob", 1)));
        let wide = |trying: &Trying<'_>| names(&key(1).question(trying))[1..].to_vec();
        let (here, there) = (wide(&from("ann", "203.0.113.7")), wide(&from("ann", "198.51.100.1")));
        assert_eq!(here[0], there[0], "all networks together");
        assert_ne!(here[1], there[1], "each is known by itself");
    }

    /// Attack row 32: ten thousand invented names have ten thousand counts, in 256 objects.
    #[test]
    fn no_two_users_share_a_count() {
        let (key, mut counts, mut objects) =
            (key(1), std::collections::HashSet::new(), std::collections::HashSet::new());
        for n in 0..10_000 {
            let asked = key.question(&from(&format!("invented-{n}"), "203.0.113.7"));
            assert!(names(&asked).into_iter().all(|name| counts.insert(name)), "{n}");
            objects.insert(asked.object);
        }
        assert!(objects.len() <= 256);
    }

    #[test]
    fn names_say_nothing_without_the_key() {
        let (one, other) = (key(1).question(&from("ann", "::1")), key(2).question(&from("ann", "::1")));
        assert!(names(&one).iter().all(|name| !names(&other).contains(name)));
        assert!(!format!("{:?}", key(1)).contains("state"));
    }

    #[test]
    fn answers() {
        for (answer, said) in [
            (Some(r#"{"allowed":true,"used":1,"at":null}"#), Said::Allowed),
            (Some(r#"{"allowed":false,"wait":30}"#), Said::Wait(Lifetime::from_seconds(30))),
            (Some(r#"{"allowed":false,"wait":0}"#), Said::Wait(Lifetime::from_seconds(1))),
            (Some(r#"{"allowed":false}"#), Said::Silent),
            (Some(r#"{"allowed":true,"wait":30}"#), Said::Silent),
            (Some(r#"{"allowed":"true"}"#), Said::Silent),
            (Some(r#"{"wait":3}"#), Said::Silent),
            (Some("null"), Said::Silent),
            (Some(""), Said::Silent),
            (None, Said::Silent),
        ] {
            assert_eq!(Said::read(answer), said, "{answer:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(answer in "\\PC{0,60}", wait: i64) {
            let _ = Said::read(Some(&answer));
            let _ = Said::read(Some(&format!(r#"{{"allowed":false,"wait":{wait}}}"#)));
        }

        /// Whatever is sent: JSON, and never the user-id itself.
        #[test]
        fn arguments_are_json_without_the_user_id(user in "[g-z\"\\\\\u{1f600}]{3,20}", address: [u8; 4], device: Option<u8>) {
            let device = device.map(|byte| DeviceId::new([byte; 16]));
            let trying = Trying { user: &user, device, address: Some(IpAddr::from(address)) };
            for question in [key(1).question(&trying), key(1).forgetting(&trying, UnixTime::from_seconds(1))] {
                let object = ["{\"a\":", &question.arguments, "}"].concat();
                prop_assert!(Json::parse(&object).is_ok());
                prop_assert!(!question.arguments.contains(&user));
            }
        }
    }
}
