//! `edgeward url sign`: a share link.

use super::words;
use crate::cli::deployment::Deployment;
use crate::cli::output::{Misuse, Outcome};
use crate::cli::{Which, clock, random};
use clap::Args;
use edgeward::network::Network;
use edgeward::policy::Format;
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::Key;
use edgeward::token::signed_url::edgeward::{Terms, keys, sign};
use edgeward::token::signed_url::{Entry, Grant, LinkVerifier, Seen, Strength, preset};
use edgeward::token::to_base64url;
use serde_json::json;

/// What a QR code of a size that phones read from paper holds, and old software takes of a URL.
const COMFORTABLE: usize = 255;

const AFTER: &str = "\
The link is good for this very address, query included, or with --prefix for all paths that begin so; for GET and HEAD, or \
the methods that are named. Spans are counted from when it begins. It is signed with the first value of EDGEWARD_SECRET, \
and taken where the policy has an entry with format = \"edgeward\".

Examples:
  edgeward url sign https://staging.acme.example/report.pdf
  edgeward url sign https://acme.example/album/index.html --prefix /album/ --expires 30d --subject ann
  edgeward url sign https://acme.example/launch --not-before 2026-12-01T09:00:00Z --expires 12h
  edgeward url sign https://acme.example/once.zip --uses 1 --network 203.0.113.0/24";

/// A share link: a URL that is good by itself, for a while
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Sign {
    /// The URL to share, without a token
    #[arg(value_name = "URL")]
    url: String,

    /// When it ends: a span (45s, 30m, 12h, 7d) or a moment (RFC 3339)
    #[arg(long, value_name = "SPAN|MOMENT", default_value = "7d", value_parser = when)]
    expires: When,

    /// When it begins: a span from now, or a moment
    #[arg(long, value_name = "SPAN|MOMENT", value_parser = when)]
    not_before: Option<When>,

    /// Good for all paths that begin so; ends with a slash
    #[arg(long, value_name = "PATH/")]
    prefix: Option<String>,

    /// A method it is good for; may stand several times [default: GET, and HEAD with it]
    #[arg(long = "method", short = 'X', value_name = "METHOD", value_parser = method)]
    methods: Vec<String>,

    /// How often it may be used; needs EDGEWARD_LEDGER
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    uses: Option<u16>,

    /// For whom it is: revocable by that, too; readable to whoever has the link
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// The network it is good from
    #[arg(long, value_name = "CIDR", value_parser = network)]
    network: Option<Network>,

    /// The moment it is made at [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,

    #[command(flatten)]
    which: Which,
}

/// A moment, or a span until it.
#[derive(Clone, Copy, Debug)]
enum When {
    In(Lifetime),
    At(UnixTime),
}

impl When {
    fn from(self, begin: UnixTime) -> UnixTime {
        match self {
            Self::In(span) => begin + span,
            Self::At(moment) => moment,
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    if let Ok(span) = clock::lifetime(text) {
        return Ok(When::In(span));
    }
    let either = "write a span (45s, 30m, 12h, 7d) or a moment (2026-12-01T00:00:00Z)";
    clock::moment(text).map(When::At).map_err(|_| either.to_owned())
}

/// Methods are case-sensitive (RFC 9110 section 9.1), and those that a link can be for are all in capitals.
#[allow(clippy::unnecessary_wraps)] // as clap wants it
fn method(text: &str) -> Result<String, String> {
    Ok(text.to_ascii_uppercase())
}

fn network(text: &str) -> Result<Network, String> {
    let one = || text.parse().ok().map(|address: std::net::IpAddr| Network::from(address));
    let network = text.parse().ok().or_else(one);
    network.ok_or_else(|| "write it like 203.0.113.0/24 or 2001:db8::/32".to_owned())
}

impl Sign {
    /// Makes it, and says in words what it grants.
    pub fn run(self) -> crate::cli::Result {
        let deployment = Deployment::find(&self.which)?;
        let keys = keys(&deployment.secrets.root()?);
        let now = clock::at(self.at);
        let not_before = self.not_before.map(|when| when.from(now));
        let terms = Terms {
            issued: now,
            not_before,
            end: self.expires.from(not_before.unwrap_or(now)),
            prefix: self.prefix.as_deref(),
            methods: &self.methods,
            uses: self.uses,
            network: self.network,
            subject: self.subject.as_deref(),
        };
        let url = as_sent(&self.url);
        let link = sign(&keys, &url, &terms, id()?).map_err(Misuse::new)?;
        let grant = self.grant(&link, keys, &terms)?;
        Ok(self.outcome(&link, &url, &grant, &deployment, now))
    }

    /// What the gate makes of it: read back, not repeated.
    fn grant(&self, link: &str, keys: Vec<Key>, terms: &Terms<'_>) -> Result<Grant, Misuse> {
        let address = self.network.map(|network| ("cf-connecting-ip", network.address().to_string()));
        let fields = FieldList::new(address);
        let method = self.methods.first().map_or("GET", String::as_str);
        let entry = Entry::new(preset(Format::Edgeward).defaults(0), keys);
        let verifier = LinkVerifier::new(vec![entry], Lifetime::default());
        let begin = terms.not_before.unwrap_or(terms.issued);
        let facts = RequestFacts::new(method, link, &fields).ok();
        let verdict = facts.map(|facts| verifier.verify(&Seen::new(&facts, "", &[]), Strength::Url, begin));
        let defect = || Misuse::new("The link that was made is not good: this is a defect of Edgeward.");
        verdict.and_then(Result::ok).ok_or_else(defect)
    }

    fn outcome(
        &self,
        link: &str,
        url: &str,
        grant: &Grant,
        deployment: &Deployment,
        now: UnixTime,
    ) -> Outcome {
        let stated = grant.stated();
        let mut notes = words::grants(stated, url, now);
        notes.push(format!("Its id is {id}: `edgeward revoke id {id}` takes it back.", id = grant.id()));
        notes.extend(self.doubts(link, url, deployment));
        let json = json!({
            "url": link,
            "length": link.len(),
            "kid": grant.key(),
            "says": words::says(stated),
            "notes": notes,
        });
        Outcome { notes, ..Outcome::yes(format!("{link}\n"), json) }
    }

    /// Where it would not do.
    fn doubts(&self, link: &str, url: &str, deployment: &Deployment) -> Vec<String> {
        let mut doubts = Vec::new();
        if link.len() > COMFORTABLE {
            doubts.push(format!(
                "warning: the link has {} characters; more than {COMFORTABLE} make a QR code hard to read and are cut \
                 by some programs.",
                link.len()
            ));
        }
        if url != self.url {
            doubts.push(
                "note: the URL is written as browsers send it: some characters percent-encoded.".to_owned(),
            );
        }
        let links = deployment.config.policy.as_ref().map(|policy| &policy.links);
        if links.is_some_and(|links| links.iter().all(|entry| entry.format != Format::Edgeward)) {
            doubts.push(
                "warning: the policy here takes no share links: it needs [[vars.EDGEWARD.tokens]] with \
                 format = \"edgeward\"."
                    .to_owned(),
            );
        }
        let has_ledger = deployment.wrangler.as_ref().is_none_or(crate::cli::wrangler::Wrangler::has_ledger);
        if self.uses.is_some() && !has_ledger {
            doubts.push(
                "warning: a link that counts its uses is refused where EDGEWARD_LEDGER is not bound, and \
                 wrangler.toml does not bind it."
                    .to_owned(),
            );
        }
        doubts
    }
}

/// A random identifier that can stand in a command: no option begins so.
fn id() -> Result<[u8; 8], Misuse> {
    loop {
        let id = random::octets()?;
        if !to_base64url(&id).starts_with('-') {
            return Ok(id);
        }
    }
}

/// The URL as browsers send it (URL Standard §4.4): what may not stand in it percent-encoded. What is encoded stays.
fn as_sent(url: &str) -> String {
    let path = url.find("://").and_then(|at| url[at + 3..].find(['/', '?', '#']).map(|end| at + 3 + end));
    let (origin, rest) = url.split_at(path.unwrap_or(url.len()));
    let (before, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
    let (path, query) = before.split_at(before.find('?').unwrap_or(before.len()));
    let mut sent = origin.to_owned();
    encode(path, "\"<>`{}^", &mut sent);
    encode(query, "\"<>'", &mut sent);
    sent + fragment
}

fn encode(text: &str, unlike: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_ascii_graphic() && !unlike.contains(c) {
            out.push(c);
            continue;
        }
        for octet in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_browsers_send_them() {
        for (url, sent) in [
            ("https://h.example", "https://h.example"),
            ("https://h.example/a b/é?q='ü'#é", "https://h.example/a%20b/%C3%A9?q=%27%C3%BC%27#é"),
            ("https://h.example/a%20b%2f'?{}|^", "https://h.example/a%20b%2f'?{}|^"),
            ("https://h.example?a b", "https://h.example?a%20b"),
            ("no url", "no url"),
        ] {
            assert_eq!(as_sent(url), sent);
        }
    }

    #[test]
    fn spans_and_moments() {
        let begin = UnixTime::from_seconds(1_000);
        assert_eq!(when("30m").expect("a span").from(begin), UnixTime::from_seconds(2_800));
        assert_eq!(
            when("1970-01-01T01:00:00Z").expect("a moment").from(begin),
            UnixTime::from_seconds(3_600)
        );
        assert!(when("soon").is_err() && when("0s").is_err());
        assert_eq!(network("203.0.113.9").map(|net| net.to_string()).as_deref(), Ok("203.0.113.9/32"));
        assert!(network("203.0.113.0/33").is_err());
    }
}
