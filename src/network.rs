//! Networks: an address, and how many of its first bits count (RFC 4632 §3.1, RFC 4291 §2.3).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// `203.0.113.0/24`. Bits behind the prefix are kept as they were written, and mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// It is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl Network {
    /// The network of which `address` is one; `None` where an address has fewer bits than `length`.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        (length <= most(address)).then_some(Self { address, length })
    }

    /// The address, as it was written.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// The length of the prefix, in bits.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Whether it is one address alone.
    #[must_use]
    pub const fn is_single(self) -> bool {
        self.length == most(self.address)
    }

    /// The same with zeros behind the prefix.
    #[must_use]
    pub fn truncated(self) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
        let bits = bits(self.address) & mask;
        let address = match self.address {
            IpAddr::V4(_) => u32::try_from(bits >> 96).map_or(self.address, |it| Ipv4Addr::from(it).into()),
            IpAddr::V6(_) => Ipv6Addr::from(bits).into(),
        };
        Self { address, length: self.length }
    }

    /// Whether the address is one of its. IPv4 and IPv6 are two worlds.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let other = Self { address, length: self.length };
        self.address.is_ipv4() == address.is_ipv4() && other.truncated() == self.truncated()
    }
}

/// A network of one address.
impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self { address, length: most(address) }
    }
}

/// An address, `/`, and the length of the prefix in decimal digits.
impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, length) = text.split_once('/').ok_or(NotANetwork)?;
        let is_number = length.bytes().all(|b| b.is_ascii_digit());
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most_digits = if address.is_ipv4() { 2 } else { 3 };
        let length = length.parse().ok().filter(|_| is_number && length.len() <= most_digits);
        Self::new(address, length.ok_or(NotANetwork)?).ok_or(NotANetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

const fn most(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of an address, the first on the left.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|NotANetwork| panic!("{text}"))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn who_is_in_it() {
        for (text, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7/24", "203.0.113.0", "203.0.112.255"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("128.0.0.0/1", "255.0.0.0", "127.255.255.255"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("2001:db8::1/128", "2001:db8::1", "2001:db8::"),
            ("::ffff:10.0.0.0/104", "::ffff:10.1.2.3", "10.1.2.3"),
        ] {
            assert!(network(text).contains(address(inside)), "{text} {inside}");
            assert!(!network(text).contains(address(outside)), "{text} {outside}");
        }
    }

    #[test]
    fn written_and_cut() {
        for (text, cut) in [
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.7/0", "0.0.0.0/0"),
            ("203.0.113.7/32", "203.0.113.7/32"),
            ("2001:db8:ffff::1/33", "2001:db8:8000::/33"),
        ] {
            assert_eq!(
                (network(text).to_string(), network(text).truncated().to_string()),
                (text.into(), cut.into())
            );
        }
        assert!(Network::from(address("::1")).is_single() && !network("::/127").is_single());
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "/",
            "1.2.3.4",
            "::1",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/-1",
            "1.2.3.4/+1",
            "1.2.3.4/ 1",
            "1.2.3.4/032",
            "1.2.3/8",
            "01.2.3.4/8",
            "::/129",
            "::/0128",
            "::/1/2",
            "1.2.3.4/8 ",
            "[::]/8",
            "/8",
            "1.2.3.4/99999999999",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
        assert_eq!(Network::new(address("1.2.3.4"), 33), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(v4: [u8; 4], v6: [u8; 16], is_v4: bool, length in 0..=128_u8) {
            let address = if is_v4 { IpAddr::from(v4) } else { v6.into() };
            let network = Network::new(address, length.min(most(address))).expect("short enough");
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            prop_assert!(network.contains(address) && network.truncated().contains(address));
            prop_assert_eq!(network.truncated().truncated(), network.truncated());
        }

        #[test]
        fn never_panics(text in "[0-9a-f:./]{0,24}|\\PC{0,12}") {
            let _ = text.parse::<Network>();
        }
    }
}
