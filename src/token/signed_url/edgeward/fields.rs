//! The fields of a share link's token: where each stands, and what it may say. One spelling for each value.

use crate::network::Network;
use crate::time::UnixTime;
use std::net::IpAddr;

/// Octets of a key id.
pub const KID_SIZE: usize = 3;
/// Octets of the identifier.
pub const ID_SIZE: usize = 8;
/// Octets of the digest of where it is for.
pub const TARGET_SIZE: usize = 16;
/// The longest subject, in octets.
pub const LONGEST_SUBJECT: usize = 255;
const TAG_SIZE: usize = 32;

/// Version 1, in the two highest bits. The bit below them is 0.
const VERSION: u8 = 0b0100_0000;
const ADDRESS: u8 = 0b0001_0000;
const PREFIX: u8 = 0b0000_1000;
const METHODS: u8 = 0b0000_0100;
const USES: u8 = 0b0000_0010;
const DELAYED: u8 = 0b0000_0001;
const FLAGS: u8 = ADDRESS | PREFIX | METHODS | USES | DELAYED;

/// The methods, from the lowest bit.
const METHOD_NAMES: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// GET alone: what a token means that says nothing of methods.
pub const GET: u8 = 1;

/// Added to the length of an IPv6 network's prefix; an IPv4 network's is 32 at most.
const IPV6: u8 = 32;

/// Where a link is for.
pub enum Where<'a> {
    /// One address.
    Exactly {
        /// Its raw path.
        path: &'a str,
        /// Its raw query without the token; empty for none.
        query: &'a str,
    },
    /// All paths that begin so.
    Below(&'a str),
}

/// The octets of each field, in the order in which they stand; those of one that is not there are none.
pub struct Parts<'t>(pub [&'t [u8]; 11]);

/// What is left of a token.
struct Rest<'t>(&'t [u8]);

impl<'t> Rest<'t> {
    fn first(&mut self, count: usize) -> Option<&'t [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    fn last(&mut self, count: usize) -> Option<&'t [u8]> {
        let (rest, last) = self.0.split_at_checked(self.0.len().checked_sub(count)?)?;
        self.0 = rest;
        Some(last)
    }
}

impl<'t> Parts<'t> {
    /// Takes the octets of a token apart, its tag aside; `None` where it is no share link of this version.
    pub fn split(token: &'t [u8]) -> Option<(Self, &'t [u8])> {
        let mut rest = Rest(token);
        let tag = rest.last(TAG_SIZE)?;
        let target = rest.last(TARGET_SIZE)?;
        let head = rest.first(1)?;
        let flags = head.first()? ^ VERSION;
        if flags & !FLAGS != 0 {
            return None;
        }
        let size = |flag: u8, size: usize| if flags & flag == 0 { 0 } else { size };
        let (kid, id) = (rest.first(KID_SIZE)?, rest.first(ID_SIZE)?);
        let (from, end) = (rest.first(4)?, rest.first(4)?);
        let uses = rest.first(size(USES, 2))?;
        let methods = rest.first(size(METHODS, 1))?;
        let prefix = rest.first(size(PREFIX, 1))?;
        let address = match size(ADDRESS, 1) {
            0 => &[],
            _ => rest.first(1 + usize::from(bits(*rest.0.first()?).div_ceil(8)))?,
        };
        let subject = rest.0;
        Some((Self([head, kid, id, from, end, uses, methods, prefix, address, subject, target]), tag))
    }
}

/// How many bits of an address a network's first octet announces.
const fn bits(octet: u8) -> u8 {
    if octet > IPV6 { octet - IPV6 } else { octet }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Of the key.
    pub kid: [u8; KID_SIZE],
    /// Of the link.
    pub id: [u8; ID_SIZE],
    /// Whether `from` is a not-before.
    pub delayed: bool,
    /// Not-before, or the time of issue.
    pub from: UnixTime,
    /// Expiry.
    pub end: UnixTime,
    /// How often; never 0.
    pub uses: Option<u16>,
    /// A bit each; never 0.
    pub methods: u8,
    /// How many octets of the path are bound; never 0.
    pub prefix: Option<u8>,
    /// From where; never a network of all addresses.
    pub network: Option<Network>,
    /// For whom; never empty.
    pub subject: Option<String>,
    /// The digest of where.
    pub target: [u8; TARGET_SIZE],
}

impl Fields {
    /// Reads them; `None` where one has a value that it cannot have, or that has another spelling.
    pub fn read(parts: &Parts<'_>) -> Option<Self> {
        let [head, kid, id, from, end, uses, methods, prefix, address, subject, target] = parts.0;
        Some(Self {
            kid: kid.try_into().ok()?,
            id: id.try_into().ok()?,
            delayed: head.first()? & DELAYED != 0,
            from: seconds(from)?,
            end: seconds(end)?,
            uses: optional(uses, |uses| {
                uses.try_into().ok().map(u16::from_be_bytes).filter(|uses| *uses > 0)
            })?,
            methods: optional(methods, |set| set.first().copied().filter(|set| is_worth_saying(*set)))?
                .unwrap_or(GET),
            prefix: optional(prefix, |length| length.first().copied().filter(|length| *length > 0))?,
            network: optional(address, network)?,
            subject: optional(subject, |octets| {
                core::str::from_utf8(octets).ok().filter(|it| is_subject(it))
            })?
            .map(str::to_owned),
            target: target.try_into().ok()?,
        })
    }

    /// Writes them; `None` where a time lies before 1970 or after 2106.
    pub fn write(&self) -> Option<[Vec<u8>; 11]> {
        let uses = self.uses.map(|uses| uses.to_be_bytes().to_vec());
        let methods = is_worth_saying(self.methods).then(|| vec![self.methods]);
        let prefix = self.prefix.map(|length| vec![length]);
        let address = self.network.map(address);
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        let head = VERSION
            | flag(DELAYED, self.delayed)
            | flag(USES, uses.is_some())
            | flag(METHODS, methods.is_some())
            | flag(PREFIX, prefix.is_some())
            | flag(ADDRESS, address.is_some());
        let seconds = |at: UnixTime| Some(u32::try_from(at.seconds()).ok()?.to_be_bytes().to_vec());
        Some([
            vec![head],
            self.kid.to_vec(),
            self.id.to_vec(),
            seconds(self.from)?,
            seconds(self.end)?,
            uses.unwrap_or_default(),
            methods.unwrap_or_default(),
            prefix.unwrap_or_default(),
            address.unwrap_or_default(),
            self.subject.as_deref().unwrap_or_default().as_bytes().to_vec(),
            self.target.to_vec(),
        ])
    }
}

/// Whether a text can be a subject.
pub fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_SUBJECT && !text.contains(char::is_control)
}

/// The bit of a method; HEAD is decided as GET.
pub fn method_bit(name: &str) -> Option<u8> {
    let name = if name == "HEAD" { "GET" } else { name };
    let position = METHOD_NAMES.iter().position(|it| *it == name)?;
    Some(1 << position)
}

/// The methods of a set.
pub fn method_names(set: u8) -> Vec<String> {
    let is_in = |(position, _): &(usize, &&str)| set & 1 << position != 0;
    METHOD_NAMES.iter().enumerate().filter(is_in).map(|(_, name)| (*name).to_owned()).collect()
}

/// Whether a set of methods is one that is written: not none, not GET alone, and no bit that means nothing.
const fn is_worth_saying(set: u8) -> bool {
    set > GET && set >> METHOD_NAMES.len() == 0
}

/// Nothing where the field is not there; `None` where it is there and says nothing good.
fn optional<'t, T>(octets: &'t [u8], read: impl FnOnce(&'t [u8]) -> Option<T>) -> Option<Option<T>> {
    if octets.is_empty() { Some(None) } else { read(octets).map(Some) }
}

fn seconds(octets: &[u8]) -> Option<UnixTime> {
    Some(UnixTime::from_seconds(u32::from_be_bytes(octets.try_into().ok()?).into()))
}

fn network(octets: &[u8]) -> Option<Network> {
    let (first, address) = octets.split_first()?;
    let mut whole = [0; 16];
    whole.iter_mut().zip(address).for_each(|(to, from)| *to = *from);
    let network = if *first > IPV6 {
        Network::new(whole.into(), bits(*first))?
    } else {
        let [a, b, c, d, ..] = whole;
        Network::new([a, b, c, d].into(), *first)?
    };
    (*first > 0 && network == network.truncated()).then_some(network)
}

/// A network of one bit at least, its own address cut to what it needs.
fn address(network: Network) -> Vec<u8> {
    let length = network.length();
    let count = usize::from(length.div_ceil(8));
    let (first, octets) = match network.truncated().address() {
        IpAddr::V4(address) => (length, address.octets().to_vec()),
        IpAddr::V6(address) => (length.saturating_add(IPV6), address.octets().to_vec()),
    };
    core::iter::once(first).chain(octets.into_iter().take(count)).collect()
}
