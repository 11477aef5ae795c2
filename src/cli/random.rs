//! The machine's generator, which the core is told.

use super::output::Misuse;
use edgeward::secret::Secret;
use edgeward::token::to_base64url;

/// Fresh random octets.
pub fn octets<const N: usize>() -> Result<[u8; N], Misuse> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets)
        .map_err(|error| Misuse::new(format!("The system's random generator fails: {error}.")))?;
    Ok(octets)
}

/// The same in base64url.
pub fn base64url<const N: usize>() -> Result<Secret<String>, Misuse> {
    let octets = Secret::new(octets::<N>()?);
    Ok(Secret::new(to_base64url(octets.expose())))
}
