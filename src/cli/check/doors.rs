//! The platform's back doors: ways to what is guarded that do not lead past the guard, or past another one.

use super::Findings;
use crate::cli::deployment::Deployment;
use crate::cli::wrangler::Wrangler;
use edgeward::policy::{Origin, Policy, TokenPlace};
use toml::Value;

/// Names each that is open.
pub fn look(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    second_hosts(wrangler, findings);
    assets(wrangler, findings);
    cache(wrangler, findings);
    routes(wrangler, findings);
    local_host(wrangler, findings);
    if let Some(policy) = &deployment.config.policy {
        logged_tokens(policy, wrangler, findings);
    }
}

fn is_true(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool) == Some(true)
}

fn is_false(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool) == Some(false)
}

/// What stands there, for a sentence.
fn found(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

fn second_hosts(wrangler: &Wrangler, findings: &mut Findings) {
    let workers_dev = wrangler.inherited("workers_dev");
    if !is_false(workers_dev) {
        let expected = "false, as otherwise the site can be reached at *.workers.dev too, where rules with a host do not hold";
        findings.warn("workers_dev", found(workers_dev), expected, "Add workers_dev = false.");
    }
    let previews = wrangler.inherited("preview_urls");
    if !is_false(previews) {
        let expected = "false, as otherwise each version that was ever uploaded stays reachable, with the policy of its day";
        findings.warn("preview_urls", found(previews), expected, "Add preview_urls = false.");
    }
}

fn assets(wrangler: &Wrangler, findings: &mut Findings) {
    let Some(assets) = wrangler.inherited("assets") else { return };
    let first = assets.get("run_worker_first");
    if !is_true(first) {
        let expected = "true, as otherwise Cloudflare serves the files of the folder without asking Edgeward";
        findings.problem(
            "assets.run_worker_first",
            found(first),
            expected,
            "Add run_worker_first = true to [assets].",
        );
    }
    let html = assets.get("html_handling");
    if html.and_then(Value::as_str) != Some("none") {
        let expected =
            "\"none\", as otherwise one file answers under several paths, and rules hold for one of them";
        findings.problem(
            "assets.html_handling",
            found(html),
            expected,
            "Add html_handling = \"none\" to [assets].",
        );
    }
}

/// Workers Caching answers from the cache before the Worker runs.
fn cache(wrangler: &Wrangler, findings: &mut Findings) {
    let enabled = wrangler.inherited("cache").and_then(|cache| cache.get("enabled"));
    if is_true(enabled) {
        let expected = "false, as a cached answer is served to anybody without asking Edgeward";
        findings.problem("cache.enabled", "true", expected, "Take it out.");
    }
}

fn routes(wrangler: &Wrangler, findings: &mut Findings) {
    let routes = all_routes(wrangler);
    if routes.is_empty() {
        let is_somewhere = is_true(wrangler.inherited("workers_dev"));
        let expected = if is_somewhere {
            "the hosts to guard, as Edgeward now stands in front of nothing but its own *.workers.dev address"
        } else {
            "the hosts to guard, as Edgeward now stands in front of nothing"
        };
        let fix = "Add routes = [{ pattern = \"staging.example.com/*\", zone_name = \"example.com\" }].";
        findings.warn("routes", "nothing", expected, fix);
        return;
    }
    routes.iter().for_each(|route| of_route(route, findings));
    if routes.iter().any(|route| !route.is_custom) {
        findings.note(
            "not checked: on the free plan a route has a mode for when the daily requests run out; set it to \"Fail closed\" in \
             the dashboard (Workers Routes), as \"Fail open\" lets every request pass.",
        );
    }
}

/// A route: its key path, its pattern, and whether it is a domain of the Worker's own.
struct Route {
    at: String,
    pattern: String,
    is_custom: bool,
}

fn all_routes(wrangler: &Wrangler) -> Vec<Route> {
    let list = wrangler.inherited("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let listed = list.iter().enumerate().map(|(index, value)| (format!("routes[{index}]"), value));
    let single = wrangler.inherited("route").map(|value| ("route".to_owned(), value));
    listed
        .chain(single)
        .filter_map(|(at, value)| {
            let pattern = value.as_str().or_else(|| value.get("pattern")?.as_str())?.to_owned();
            Some(Route { at, pattern, is_custom: is_true(value.get("custom_domain")) })
        })
        .collect()
}

/// The hosts of routes that name one: without port and path.
pub fn routed_hosts(wrangler: &Wrangler) -> Vec<String> {
    let host = |route: Route| {
        let bare = route.pattern.split_once("://").map_or(route.pattern.as_str(), |(_, bare)| bare);
        bare.split(['/', ':']).next().unwrap_or(bare).to_ascii_lowercase()
    };
    all_routes(wrangler)
        .into_iter()
        .map(host)
        .filter(|host| !host.contains('*') && !host.is_empty())
        .collect()
}

/// What a pattern leaves out is served by the origin itself.
fn of_route(route: &Route, findings: &mut Findings) {
    let Route { at, pattern, is_custom } = route;
    if *is_custom {
        return;
    }
    let quoted = format!("{pattern:?}");
    let bare = pattern.split_once("://").map_or(pattern.as_str(), |(_, bare)| bare);
    if bare.len() != pattern.len() {
        let expected = "a pattern without scheme, as requests of the other one go past Edgeward";
        findings.warn(at, quoted.clone(), expected, &format!("Write {bare:?}."));
    }
    let path = bare.find('/').and_then(|slash| bare.get(slash..)).unwrap_or_default();
    if !matches!(path, "/*" | "*") && !bare.ends_with("*/*") {
        let host = bare.split('/').next().unwrap_or(bare).trim_end_matches('*');
        let expected = "a pattern for the whole host, as all that it leaves out goes past Edgeward";
        findings.warn(
            at,
            quoted,
            expected,
            &format!("Write \"{host}/*\", and leave open by rules what is to be open."),
        );
    }
}

fn local_host(wrangler: &Wrangler, findings: &mut Findings) {
    let host = wrangler.top("dev").and_then(|dev| dev.get("host"));
    let is_local = host.and_then(Value::as_str) == Some("localhost");
    if !is_local && (host.is_some() || !all_routes(wrangler).is_empty()) {
        let expected = "\"localhost\", as otherwise `wrangler dev` hands over requests in the name of the route's host and in clear, which are sent to https";
        findings.warn("dev.host", found(host), expected, "Add host = \"localhost\" to [dev].");
    }
}

/// What closes an origin.
const HOW: &str = "have it verify X-Edgeward-Assertion (`edgeward key assertion --origin …` prints the keys), or close it \
                   otherwise: Cloudflare Tunnel, Authenticated Origin Pulls, or a firewall for Cloudflare's addresses alone";

/// An origin that answers whoever finds its address is guarded by nobody. Whether it does cannot be seen from here.
pub fn look_at_origin(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    let Some(policy) = &deployment.config.policy else { return };
    let name = "EDGEWARD_ORIGIN_AUTHORIZATION";
    let is_listed = wrangler.required().is_some_and(|required| required.contains(&name));
    let is_told = policy.forward.identity || is_listed || deployment.secrets.get(name).is_some();
    match &policy.origin {
        Origin::Assets => {}
        Origin::Url { origin, .. } if !is_told => {
            let expected =
                format!("true, or {name}, as {origin} cannot tell requests of Edgeward's from others");
            findings.warn("EDGEWARD.forward.identity", "false", &expected, &format!("Set it to true; then {HOW}."));
        }
        Origin::Url { origin, .. } => {
            let expected = "an origin that nobody reaches around Edgeward";
            let fix = format!("Close it: {HOW}. Once it is, say so with --origin-closed.");
            findings.warn("EDGEWARD.origin", format!("{origin:?}"), expected, &fix);
        }
        Origin::Own => findings.note(format!(
            "not checked: requests go on to the site behind the route, and whoever reaches its server by address goes \
             past Edgeward: {HOW}."
        )),
    }
}

/// Logs that hold every URL hold every token that stands in one.
fn logged_tokens(policy: &Policy, wrangler: &Wrangler, findings: &mut Findings) {
    let in_query =
        policy.tokens.iter().flat_map(|entry| &entry.from).any(|place| matches!(place, TokenPlace::Query(_)));
    let observed = wrangler.inherited("observability");
    let logs = observed.and_then(|it| it.get("logs"));
    let is_on =
        is_true(observed.and_then(|it| it.get("enabled"))) || is_true(logs.and_then(|it| it.get("enabled")));
    let invocations = logs.and_then(|it| it.get("invocation_logs"));
    if in_query && is_on && !is_false(invocations) {
        let expected =
            "false, as the URL of every request is kept otherwise, and tokens stand in queries here";
        findings.warn(
            "observability.logs.invocation_logs",
            found(invocations),
            expected,
            "Add invocation_logs = false.",
        );
    }
}
