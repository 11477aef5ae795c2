//! Addresses and networks of other systems as a rule writes them.

use edgeward::network::Network;
use std::net::IpAddr;

/// An address or a network (`10.0.0.1`, `10.0.0.0/8`, Apache's `10.1` and `10.0.0.0/255.0.0.0`), its host bits cleared.
pub fn network(text: &str) -> Option<Network> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let Some(prefix) = prefix else {
        return address.parse::<IpAddr>().ok().map(Network::from).or_else(|| partial(address));
    };
    let address: IpAddr = address.parse().ok()?;
    let network = match prefix.parse::<u8>() {
        Ok(prefix) => Network::new(address, prefix)?,
        Err(_) => Network::new(address, length_of(prefix.parse().ok()?)?)?,
    };
    Some(network.truncated())
}

/// Whether it never stands in `CF-Connecting-IP`: private, loopback, link-local.
pub fn is_inside_only(network: &Network) -> bool {
    const INSIDE: [&str; 8] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    ];
    INSIDE
        .iter()
        .filter_map(|text| text.parse::<Network>().ok())
        .any(|inside| inside.contains(network.address()) && inside.length() <= network.length())
}

/// As the policy writes it: a single address without a prefix.
pub fn written(network: &Network) -> String {
    if network.is_single() { network.address().to_string() } else { network.to_string() }
}

/// How many bits a mask such as `255.255.0.0` leaves; `None` where its ones do not come first.
fn length_of(mask: IpAddr) -> Option<u8> {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    let length = u8::try_from(ones).ok()?;
    let all = if mask.is_ipv4() { IpAddr::from([255; 4]) } else { [255; 16].into() };
    (Network::new(all, length)?.truncated().address() == mask).then_some(length)
}

/// `10.1` is `10.1.0.0/16` to Apache.
fn partial(text: &str) -> Option<Network> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let octets: Vec<u8> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [a, b, c] = match octets.as_slice() {
        [a] => [*a, 0, 0],
        [a, b] => [*a, *b, 0],
        [a, b, c] => [*a, *b, *c],
        _ => return None,
    };
    let prefix = u8::try_from(octets.len()).ok()? * 8;
    Network::new([a, b, c, 0].into(), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_every_spelling() {
        for (text, expected) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("203.0.113.7/24", Some("203.0.113.0/24")),
            ("10.0.0.0/255.255.0.0", Some("10.0.0.0/16")),
            ("10.1", Some("10.1.0.0/16")),
            ("10.", Some("10.0.0.0/8")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("::1", Some("::1")),
            ("all", None),
            ("1.2.3.4/33", None),
            ("unix:", None),
            ("", None),
            ("example.org", None),
        ] {
            assert_eq!(network(text).as_ref().map(written).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_stays_inside() {
        for (text, inside) in [("10.1.2.3", true), ("::1", true), ("8.8.8.8", false), ("0.0.0.0/0", false)] {
            assert_eq!(is_inside_only(&network(text).unwrap()), inside, "{text}");
        }
    }
}
