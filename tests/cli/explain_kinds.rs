//! `explain` on every kind of credentials: what is recognised, which key fits, and what would have to be otherwise.

use super::support::{Folder, GOOD, K, Ran, SECRET, dev_vars};
use edgeward::policy::HmacAlgorithm;
use edgeward::token::mac::MacKey;
use serde_json::{Value, json};

const AT: &str = "2026-11-22T00:00:00Z";
const LATER: &str = "2026-11-22T02:00:00Z";

const LEDGER: &str = "[[durable_objects.bindings]]\nname = \"EDGEWARD_LEDGER\"\nclass_name = \"Ledger\"\n\
    [[migrations]]\ntag = \"v1\"\nnew_sqlite_classes = [\"Ledger\"]\n";
const SHARES: &str =
    "[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\n[[vars.EDGEWARD.tokens]]\nkeys = [\"k\"]\n";

fn folder(policy: &str, rest: &str) -> Folder {
    let folder = Folder::good();
    let head = GOOD.split("[vars.EDGEWARD]").next().expect("the head");
    folder.write("wrangler.toml", &format!("{head}{rest}[vars.EDGEWARD]\norigin = \"assets\"\n{policy}"));
    folder
}

/// The URL by standard input, so that nothing secret is an argument.
fn explain(folder: &Folder, url: &str, arguments: &[&str]) -> Ran {
    let at: &[&str] = if arguments.contains(&"--at") { &[] } else { &["--at", AT] };
    let ran = folder.run_with(&[&["explain", "--json", "--url", "-"], at, arguments].concat(), url);
    for secret in [SECRET, K] {
        ran.hides(secret);
    }
    ran
}

fn share(folder: &Folder, arguments: &[&str]) -> String {
    let ran = folder.run(&[&["url", "sign", "--at", AT, "--expires", "1h"], arguments].concat()).exits(0);
    ran.out.trim_end().to_owned()
}

fn token_of(link: &str) -> &str {
    link.rsplit('=').next().expect("a token")
}

fn advice(json: &Value) -> String {
    let all = json["advice"].as_array().expect("a list");
    all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_share_link() {
    let folder = folder(SHARES, "");
    let link = share(&folder, &["https://staging.acme.example/a/report.pdf?x=1"]);
    let ran = explain(&folder, &link, &[]).exits(0);
    ran.hides(token_of(&link));
    let json = ran.json();
    assert_eq!(json["credentials"], "signed-url, in the URL");
    assert_eq!(json["request"]["url"], "https://staging.acme.example/a/report.pdf?x=1");
    let found = &json["links"][0];
    assert_eq!((&found["format"], &found["entry"]), (&json!("edgeward"), &json!(0)), "{json}");
    assert_eq!(json["user"], format!("link:{}", found["id"].as_str().expect("an id")));
    assert_eq!(json["key"], found["key"]);
    assert!(ran.err.is_empty(), "standard input is where it belongs: {}", ran.err);
    for (url, at, cause, said) in [
        (
            link.clone(),
            LATER,
            "token-expired",
            "It expired 3600 s (60 minutes) ago, and no leeway is given on that",
        ),
        (link.replace("report", "other"), AT, "token-wrong-scope", "`edgeward url verify`"),
        (link.replace(token_of(&link), "AAAA"), AT, "token-malformed", "`edgeward url verify`"),
    ] {
        let ran = explain(&folder, &url, &["--at", at]).exits(1);
        ran.hides(token_of(&link));
        let json = ran.json();
        assert_eq!((&json["cause"], &json["links"][0]["cause"]), (&json!(cause), &json!(cause)), "{json}");
        assert!(advice(&json).contains(said), "{json}");
    }
}

#[test]
fn a_token_in_an_argument_is_warned_of_and_not_shown() {
    let folder = folder(SHARES, "");
    let link = share(&folder, &["https://staging.acme.example/a"]);
    let ran = folder.run(&["explain", "--at", AT, "--url", &link]).exits(0);
    assert!(ran.err.contains("--url - reads it from standard input"), "{}", ran.err);
    ran.hides(token_of(&link));
    assert!(ran.out.contains("Link           edgeward, EDGEWARD.tokens[0]: good by key "), "{}", ran.out);
    // Nor where the policy has no entry for it.
    let plain = self::folder("", "");
    let ran = plain.run(&["explain", "--at", AT, "--json", "--url", &link]).exits(1);
    ran.hides(token_of(&link));
    assert!(ran.err.contains("--url - reads it"), "{}", ran.err);
    assert!(advice(&ran.json()).contains("an entry with format = \"edgeward\" would read it"), "{ran:?}");
    let path = "https://h.example/bcdn_token=HS256-abc&expires=99/a";
    let ran = plain.run(&["explain", "--at", AT, "--json", "--url", path]).exits(1);
    ran.hides("HS256-abc");
    let none = plain.run(&["explain", "--at", AT, "--url", "https://h.example/a?b=c"]);
    assert!(!none.err.contains("standard input"), "{}", none.err);
    plain.run_with(&["explain", "--url", "-", "-H", "@-"], &link).exits(2);
}

/// What a click would do, without doing it.
#[test]
fn a_link_that_counts_its_uses() {
    let policy = format!("{SHARES}[[vars.EDGEWARD.rules]]\npath = \"/ann/*\"\nusers = [\"ann\"]\n");
    let folder = folder(&policy, LEDGER);
    let link = share(&folder, &["--uses", "3", "https://staging.acme.example/a"]);
    let ran = explain(&folder, &link, &["-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Dest: document"])
        .exits(1);
    ran.hides(token_of(&link));
    let json = ran.json();
    assert_eq!((&json["cause"], &json["links"][0]["uses"]), (&json!("token-needs-confirmation"), &json!(3)));
    assert_eq!(json["click"]["verdict"], "exchange", "{json}");
    let exchange = &json["click"]["exchange"];
    assert_eq!(
        (&exchange["status"], &exchange["location"], &exchange["cookie"]),
        (&json!(303), &json!("https://staging.acme.example/a"), &json!("__Host-edgeward-link"))
    );
    assert!(ran.err.contains("no link for used"), "{}", ran.err);
    let words = folder.run_with(&["explain", "--at", AT, "--url", "-"], &link).exits(1);
    assert!(words.out.contains("A click      POST /.edgeward/link counts one use"), "{}", words.out);
    // Where the rule is for others, a click does not help.
    let elsewhere = share(&folder, &["--uses", "3", "https://staging.acme.example/ann/x"]);
    let json = explain(&folder, &elsewhere, &[]).exits(1).json();
    assert_eq!(
        (&json["cause"], &json["click"]["cause"]),
        (&json!("token-needs-confirmation"), &json!("not-allowed"))
    );
    let bare = self::folder(SHARES, "");
    let json = explain(&bare, &link, &[]).exits(1).json();
    assert_eq!(json["cause"], "not-configured");
    assert!(advice(&json).contains("EDGEWARD_LEDGER would have to be bound"), "{json}");
}

#[test]
fn a_link_that_is_exchanged_and_its_cookie() {
    let policy = format!("{SHARES}[[vars.EDGEWARD.rules]]\npath = \"/*\"\nexchange = \"cookie\"\n");
    let folder = folder(&policy, "");
    let link = share(&folder, &["--prefix", "/a/", "https://staging.acme.example/a/x"]);
    let navigation = ["-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Dest: document"];
    let json = explain(&folder, &link, &navigation).exits(0).json();
    assert_eq!(json["verdict"], "exchange", "{json}");
    assert_eq!(json["exchange"]["location"], "https://staging.acme.example/a/x");
    // A script's request is let in as it is.
    assert_eq!(explain(&folder, &link, &["-H", "Sec-Fetch-Mode: cors"]).exits(0).json()["verdict"], "pass");

    let cookie = cookie_of(&link);
    let with_cookie = |url: &str, at: &str| {
        let line = format!("Cookie: __Host-edgeward-link={cookie}");
        let ran = folder.run_with(&["explain", "--json", "--at", at, "--url", url, "-H", "@-"], &line);
        ran.hides(&cookie);
        ran.json()
    };
    let json = with_cookie("https://staging.acme.example/a/y", AT);
    assert_eq!(json["credentials"], "signed-url, by the cookie that stands for it");
    assert_eq!((&json["verdict"], &json["grants"][0]["covers"]), (&json!("pass"), &json!(true)), "{json}");
    let json = with_cookie("https://staging.acme.example/b", AT);
    assert_eq!((&json["cause"], &json["grants"][0]["covers"]), (&json!("token-wrong-scope"), &json!(false)));
    assert_eq!(with_cookie("https://staging.acme.example/a/y", LATER)["cause"], "token-expired");
}

/// The cookie that the Worker would set for a link.
fn cookie_of(link: &str) -> String {
    use edgeward::request::{FieldList, RequestFacts};
    use edgeward::secret::Secret;
    use edgeward::time::UnixTime;
    use edgeward::token::signed_url::{
        Entry, LinkVerifier, Seen, Strength, edgeward as share, grants, preset,
    };
    let root = edgeward::token::mac::RootSecret::parse(SECRET).expect("a secret");
    let entry = preset(edgeward::policy::Format::Edgeward).defaults(0);
    let links = LinkVerifier::new(vec![Entry::new(entry, share::keys(&root))], Default::default());
    let none = FieldList::default();
    let link = Secret::new(link.to_owned());
    let facts = RequestFacts::new("GET", link.expose(), &none).expect("an absolute URL");
    let now = UnixTime::parse_rfc3339(AT).expect("a moment");
    let grant = links.verify(&Seen::new(&facts, "", &[]), Strength::Url, now).expect("a good link");
    let mut jar = grants::Jar::empty(facts.host());
    let key_print = links.key_print(&grant);
    jar.add(grant.written_out(&facts, "", key_print), now);
    jar.write(&grants::keys(&root), now).expect("it fits")
}

/// A format of others: which entry read it, and which key signed it.
#[test]
fn links_of_other_formats() {
    let entries = "[[vars.EDGEWARD.tokens]]\nformat = \"akamai\"\nkeys = [\"k\"]\npaths = [\"/a/*\"]\n\
        [[vars.EDGEWARD.tokens]]\nformat = \"bunny\"\nkeys = [\"b\"]\n";
    let folder = folder(entries, "");
    let keys = json!({"keys": [
        {"kty": "oct", "kid": "k", "alg": "HS256", "k": K},
        {"kty": "oct", "kid": "b", "alg": "HS256", "k": SECRET},
    ]});
    folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{keys}'\n"));
    let fields = "ip=203.0.113.9~exp=1795309200~acl=/a/*";
    let key = edgeward::token::from_base64url(K).expect("base64url");
    let tag = MacKey::new(HmacAlgorithm::Hs256, &key).tag(&[fields.as_bytes()]);
    let hex: String = tag.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    let link = format!("https://h.example/a/x?hdnts={fields}~hmac={hex}");
    let ran = explain(&folder, &link, &["--address", "203.0.113.9"]).exits(0);
    ran.hides(&hex);
    let found = &ran.json()["links"][0];
    assert_eq!(
        (&found["format"], &found["entry"], &found["key"]),
        (&json!("akamai"), &json!(0), &json!("k"))
    );
    // The address decides, and it is said where it is missing.
    assert_eq!(
        explain(&folder, &link, &["--address", "198.51.100.1"]).exits(1).json()["cause"],
        "token-wrong-scope"
    );
    assert_eq!(explain(&folder, &link, &["-H", "CF-Connecting-IP: 203.0.113.9"]).exits(0).json()["key"], "k");
    explain(&folder, &link, &["--address", "203.0.113.9", "-H", "CF-Connecting-IP: 203.0.113.9"]).exits(2);
    explain(&folder, &link, &["--country", "Netherlands"]).exits(2);
    explain(&folder, &link, &["--country", "NL", "--address", "203.0.113.9"]).exits(0);
    let json = explain(&folder, &link.replace("/a/x", "/b/x"), &[]).exits(1).json();
    assert_eq!(json["cause"], "credentials-missing", "no entry looks there: {json}");
    let two = explain(&folder, &format!("{link}&token=x"), &["--address", "203.0.113.9"]).exits(0).json();
    let formats: Vec<_> = two["links"].as_array().expect("a list").iter().map(|it| &it["format"]).collect();
    assert_eq!(formats, ["akamai", "bunny"], "the one that takes it comes first");
}

#[test]
fn api_keys() {
    let rules = "[[vars.EDGEWARD.rules]]\npath = \"/ci/*\"\naccept = [\"api-key\"]\napi_keys = [\"ci\"]\nscopes = [\"deploy\"]\n\
        [[vars.EDGEWARD.rules]]\npath = \"/cd/*\"\naccept = [\"api-key\"]\napi_keys = [\"cd\"]\n";
    let folder = folder(rules, "");
    let made = folder.run(&["api-key", "ci", "--scopes", "deploy", "--json"]).exits(0).json();
    let other = folder.run(&["api-key", "other", "--json"]).exits(0).json();
    let (key, line) = (made["key"].as_str().expect("a key"), made["line"].as_str().expect("a line"));
    let unknown = other["key"].as_str().expect("a key");
    folder
        .write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='{line}\nweak:{}'\n", dev_vars(), "ab".repeat(32)));
    let run = |path: &str, key: &str| {
        let url = format!("https://a.example{path}");
        let line = format!("X-API-Key: {key}");
        let ran = folder.run_with(&["explain", "--json", "--at", AT, "--url", &url, "-H", "@-"], &line);
        if !key.is_empty() {
            ran.hides(key);
        }
        ran.json()
    };
    let good = run("/ci/x", key);
    assert_eq!(
        (&good["user"], &good["scopes"], &good["passes"]),
        (&json!("key:ci"), &json!(["deploy"]), &json!(true))
    );
    assert_eq!(good["credentials"], "api-key, in X-API-Key", "{good}");
    for (path, key, cause, said) in [
        ("/ci/x", unknown, "credentials-wrong", "Its line would have to be in EDGEWARD_API_KEYS"),
        ("/ci/x", &key.replace(&key[5..8], "000"), "credentials-wrong", "copied once more, whole"),
        ("/cd/x", key, "not-allowed", "one of these: api_keys cd."),
        ("/ci/x", "", "credentials-wrong", "EDGEWARD_API_KEYS"),
    ] {
        let json = run(path, key);
        assert_eq!(json["cause"], cause, "{json}");
        assert!(advice(&json).contains(said), "{json}");
    }
    let stored = self::folder(
        &format!("{rules}[vars.EDGEWARD.api_key]\nkv = true\n"),
        "[[kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\nid = \"0\"\n",
    );
    let ran = stored.run_with(
        &["explain", "--json", "--at", AT, "--url", "https://a.example/ci/x", "-H", "@-"],
        &format!("X-API-Key: {unknown}"),
    );
    let ran = ran.exits(1);
    assert!(advice(&ran.json()).contains("EDGEWARD_KV, which is not looked in here"), "{ran:?}");
    assert!(ran.err.contains("the stores are not asked here"), "{}", ran.err);
}

#[test]
fn fresh_tokens_and_where_they_are_had() {
    let folder = folder("[vars.EDGEWARD.token]\nlifetime = \"5m\"\n", "");
    let made = folder.run(&["api-key", "ci", "--scopes", "deploy", "--json"]).exits(0).json();
    let (key, line) = (made["key"].as_str().expect("a key"), made["line"].as_str().expect("a line"));
    folder.write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='{line}'\n", dev_vars()));
    let run = |method: &str, path: &str, at: &str, line: &str| {
        let url = format!("https://a.example{path}");
        let arguments = ["explain", "--json", "-X", method, "--at", at, "--url", &url, "-H", "@-"];
        let ran = folder.run_with(&arguments, line);
        ran.hides(line.rsplit(' ').next().expect("credentials"));
        ran.json()
    };
    let asked = run("POST", "/.edgeward/token", AT, &format!("X-API-Key: {key}"));
    assert_eq!(asked["fresh_token"], json!({"lifetime": 300, "scopes": ["deploy"]}), "{asked}");
    assert_eq!(run("POST", "/.edgeward/token", AT, "X-API-Key: none")["cause"], "credentials-wrong");

    let token = fresh_token();
    let bearer = format!("Authorization: Bearer {token}");
    let good = run("GET", "/", AT, &bearer);
    assert_eq!((&good["user"], &good["passes"]), (&json!("key:ci"), &json!(true)), "{good}");
    assert_eq!(good["credentials"], "bearer, in Authorization, a fresh token of Edgeward's own");
    let old = run("GET", "/", LATER, &bearer);
    assert_eq!(old["cause"], "token-expired");
    assert!(advice(&old).contains("POST /.edgeward/token with its API key"), "{old}");

    let url = ["explain", "--json", "--at", AT, "--url", "https://b.example/", "-H", "@-"];
    let elsewhere = folder.run_with(&url, &bearer).exits(1).json();
    assert_eq!(elsewhere["cause"], "token-wrong-audience");
    assert!(advice(&elsewhere).contains("on the site that made it"), "{elsewhere}");

    let without = Folder::good();
    let arguments = ["explain", "--json", "-X", "POST", "--url", "https://a.example/.edgeward/token"];
    let json = without.run(&arguments).exits(1).json();
    assert_eq!(json["cause"], "not-found");
    assert!(advice(&json).contains("[vars.EDGEWARD.token] would have to be there"), "{json}");
}

/// As `POST /.edgeward/token` makes it, five minutes long.
fn fresh_token() -> String {
    use edgeward::time::{Lifetime, UnixTime};
    use edgeward::token::fresh::{FreshTokens, Holder};
    let root = edgeward::token::mac::RootSecret::parse(SECRET).expect("a secret");
    let fresh = FreshTokens::new(&root, Lifetime::from_seconds(300)).expect("a secret");
    let holder = Holder { origin: "https://a.example", user: "key:ci", scope: "deploy", id: "1" };
    fresh.mint(&holder, UnixTime::parse_rfc3339(AT).expect("a moment"))
}

#[test]
fn orders_and_forms() {
    let folder = folder(SHARES, LEDGER);
    let order = {
        use edgeward::revocation::order::{Order, sign};
        let root = edgeward::token::mac::RootSecret::parse(SECRET).expect("a secret");
        let order = Order { ids: vec!["x".to_owned()], ..Order::default() };
        let now = edgeward::time::UnixTime::parse_rfc3339(AT).expect("a moment");
        sign(&root, "https://a.example", &order, now).expect("a secret")
    };
    let post = |host: &str, path: &str, lines: &str| {
        let url = format!("https://{host}{path}");
        let arguments = ["explain", "--json", "-X", "POST", "--at", AT, "--url", &url, "-H", "@-"];
        folder.run_with(&arguments, lines).hides(&order).json()
    };
    let bearer = format!("Authorization: Bearer {order}");
    assert_eq!(post("a.example", "/.edgeward/revoke", &bearer)["passes"], true);
    assert_eq!(post("b.example", "/.edgeward/revoke", &bearer)["cause"], "token-bad-signature");
    assert_eq!(post("a.example", "/.edgeward/revoke", "Accept: */*")["cause"], "credentials-missing");
    let form = "Content-Type: application/x-www-form-urlencoded\nSec-Fetch-Site: same-origin";
    assert_eq!(post("a.example", "/.edgeward/link", form)["passes"], true);
    let foreign = form.replace("same-origin", "cross-site");
    assert_eq!(post("a.example", "/.edgeward/link", &foreign)["cause"], "cross-site");
}

#[test]
fn what_would_have_to_be_otherwise() {
    let rules = "[[vars.EDGEWARD.rules]]\npath = \"/office\"\nnetworks = [\"203.0.113.0/24\"]\n\
        [[vars.EDGEWARD.rules]]\npath = \"/ann\"\nusers = [\"ann\"]\nclaims = { plan = [\"pro\"] }\n\
        [[vars.EDGEWARD.rules]]\npath = \"/later\"\nnot_before = \"2027-01-01T00:00:00Z\"\n\
        [[vars.EDGEWARD.rules]]\npath = \"/read\"\nmethods = [\"GET\"]\nscopes = [\"read\"]\n\
        [[vars.EDGEWARD.rules]]\npath = \"/closed\"\naccess = \"denied\"\n";
    let folder = folder(rules, "");
    let hash = folder.run_with(&["hash", "ann", "--algorithm", "bcrypt"], "right password").exits(0).out;
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{hash}'\n", dev_vars()));
    let token = folder.run(&["token", "mint", "--at", AT, "--sub", "bob", "--expires", "10m"]).exits(0).out;
    let bearer = format!("Authorization: Bearer {}", token.trim_end());
    let late = "2026-11-22T00:10:44Z";
    for (arguments, line, said) in [
        (
            &["--url", "https://a.example/x"][..],
            "",
            "a user-id and password (Authorization: Basic), or a token",
        ),
        (
            &["--url", "https://a.example/office"],
            bearer.as_str(),
            "in 203.0.113.0/24; it is not said (--address)",
        ),
        (
            &["--url", "https://a.example/office", "--address", "::1"],
            &bearer,
            "in 203.0.113.0/24; it is ::1.",
        ),
        (&["--url", "https://a.example/ann"], &bearer, "one of these: users ann; claims plan = pro."),
        (&["--url", "https://a.example/later"], &bearer, "from 2027-01-01T00:00:00Z on"),
        (&["--url", "https://a.example/read"], &bearer, "token:bob would have to have the scopes read."),
        (&["--url", "https://a.example/read", "-X", "PUT"], &bearer, "one of GET, or another rule"),
        (&["--url", "https://a.example/closed"], &bearer, "another access than \"denied\""),
        (
            &["--url", "https://a.example/x", "--at", late],
            &bearer,
            "This JWT expired 44 s ago; a leeway of 60 s",
        ),
        (&["--url", "https://a.example/x"], "Authorization: Basic YW5uOndyb25n", "The account ann is there"),
        (&["--url", "https://a.example/x"], "Authorization: Basic Ym9iOndyb25n", "have an account bob"),
        (
            &["--url", "https://a.example/x", "-X", "POST"],
            "Authorization: Basic YW5uOndyb25n\nSec-Fetch-Site: cross-site",
            "A page of this site would have to cause it",
        ),
        (&["--url", "http://a.example/x", "-X", "POST"], "", "come by https"),
    ] {
        let at: &[&str] = if arguments.contains(&"--at") { &[] } else { &["--at", AT] };
        let ran =
            folder.run_with(&[&["explain", "--json", "-H", "@-"], at, arguments].concat(), line).exits(1);
        assert!(advice(&ran.json()).contains(said), "{arguments:?}: {ran:?}");
        ran.hides("right password").hides(token.trim_end()).hides("ann:wrong");
    }
}

/// Who is sent to another host to sign in is told so, and a program is not.
#[test]
fn a_sign_in_that_is_had_elsewhere() {
    let policy = "[vars.EDGEWARD.session]\nauthority = \"https://login.example\"\n";
    let store = "[[kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\nid = \"0123\"\n";
    let folder = folder(policy, &[store, LEDGER].concat());
    let url = "https://staging.acme.example/a";
    let page = ["-H", "Sec-Fetch-Mode: navigate"];
    let json = explain(&folder, url, &page).exits(1).json();
    assert_eq!(
        (&json["cause"], &json["sign_in_at"]),
        (&json!("credentials-missing"), &json!("login.example"))
    );
    assert!(json["status"].is_null(), "{json}");
    for others in [
        &["-H", "Sec-Fetch-Mode: cors"][..],
        &["-H", "Accept: */*"],
        &["--method", "POST", "-H", "Sec-Fetch-Mode: navigate"],
    ] {
        let json = explain(&folder, url, others).exits(1).json();
        assert!(json["sign_in_at"].is_null(), "{json}");
    }
}
