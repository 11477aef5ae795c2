//! URLs as they can be shown: no token of the policy's, and nothing that looks like one of somebody else's.

use edgeward::authenticate::Gate;
use edgeward::policy::Format;
use edgeward::request::RequestFacts;
use edgeward::token::signed_url::{bunny, preset};

/// What stands for a value that is not shown.
const HIDDEN: &str = "…";

/// Parameters that bear tokens elsewhere.
const OTHERS: [&str; 4] = ["access_token", "id_token", "jwt", "api_key"];

/// The URL without tokens of ours and without userinfo.
pub fn url(gate: &Gate, facts: &RequestFacts<'_>) -> String {
    let query = facts.query.and_then(|query| gate.places.without_tokens(query));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    masked(&format!("{}{query}", facts.uri_without_query()))
}

/// Whether a URL as it came in bears a token, be it one that the policy reads or not.
pub fn bears_token(gate: &Gate, received: &RequestFacts<'_>) -> bool {
    let query = received.query.unwrap_or_default();
    let ours = gate.places.without_tokens(query).as_deref() != Some(query) && !query.is_empty();
    let url = format!("{}?{query}", received.uri_without_query());
    ours || masked(&url) != url
}

/// The same URL without the values of parameters that bear tokens in any format, and without a token in the path.
pub fn masked(url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let path = masked_path(path);
    match query {
        None => path,
        Some(query) => {
            let parameters: Vec<String> = query.split('&').map(masked_parameter).collect();
            format!("{path}?{}", parameters.join("&"))
        }
    }
}

fn masked_path(path: &str) -> String {
    let segment = |segment: &str| match segment.strip_prefix(bunny::PATH_MARK) {
        Some(_) => format!("{}{HIDDEN}", bunny::PATH_MARK),
        None => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn masked_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, value)) if !value.is_empty() && (bears(name) || is_credential(value)) => {
            format!("{name}={HIDDEN}")
        }
        Some(_) | None => parameter.to_owned(),
    }
}

/// Whether some format looks for its token, or for its signature, under that name.
fn bears(name: &str) -> bool {
    let of_format = |(_, format): (&str, Format)| {
        let preset = preset(format);
        let first = preset.parameters.first().is_some_and(|(_, first)| *first == name);
        first || preset.from.iter().any(|place| place.strip_prefix("query:") == Some(name))
    };
    OTHERS.contains(&name) || Format::ALL.into_iter().any(of_format)
}

/// A JWT or an API key of ours, wherever it stands.
fn is_credential(value: &str) -> bool {
    let is_jwt = value.starts_with("ey") && value.matches('.').count() == 2;
    is_jwt || edgeward::api_key::form(value) != edgeward::api_key::Form::Foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        for (url, shown) in [
            ("https://h/a?b=1&c", "https://h/a?b=1&c"),
            ("https://h/a?ew=abc&b=1", "https://h/a?ew=…&b=1"),
            ("https://h/a?b=1&verify=1-x&hdnts=y&_hash=z", "https://h/a?b=1&verify=…&hdnts=…&_hash=…"),
            ("https://h/bcdn_token=x&expires=1/a", "https://h/bcdn_token=…/a"),
            ("https://h/a?x=eyJ.a.b&token=", "https://h/a?x=…&token="),
            ("https://h/a?x=ew_1234", "https://h/a?x=…"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
