//! `import`: what comes out is what the gate takes, opens what was open, and shows no secret.

use super::support::{Folder, Ran, SECRET};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::config::{Config, Sources};
use edgeward::secret::Secret;
use serde_json::{Value, json};

/// bcrypt of cost 5 of nobody knows what.
const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const SIGNING_KEY: &str = "my_very_secret_key";

const NGINX: &str = r#"
# /etc/nginx/sites-enabled/acme.conf
upstream app { server 127.0.0.1:3000; }
server {
    listen 80;
    server_name acme.example;
    return 301 https://$host$request_uri;
}
server {
    listen 443 ssl http2;
    server_name acme.example;
    ssl_certificate /etc/ssl/acme.pem;
    add_header X-Note "a; quoted { brace" always;

    location / { proxy_pass http://app; proxy_set_header Host $host; }
    location /staff/ {
        auth_basic           "Staff; only";
        auth_basic_user_file /etc/nginx/htpasswd;
        location /staff/hooks/ { auth_basic off; }
    }
    location /office/ { allow 203.0.113.0/24; deny all; }
    location ^~ /files/ {
        secure_link_hmac "$arg_st,$arg_ts,$arg_e";
        secure_link_hmac_secret "my_very_secret_key";
        secure_link_hmac_message "$uri|$arg_ts|$arg_e";
        secure_link_hmac_algorithm sha256;
        if ($secure_link_hmac != "1") { return 403; }
    }
    location ~* \.(png|css)$ { expires 30d; }
}
"#;

/// What this version of the gate does not read yet: the rest of a policy is tried without it.
const NOT_YET_READ: [&str; 1] = ["signed-url"];

/// The policy that a run printed, as the gate's reader gets it.
fn policy(ran: &Ran) -> Value {
    let file: toml::Table = ran.out.parse().unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    serde_json::to_value(&file["vars"]["EDGEWARD"]).expect("JSON")
}

fn without_unread(mut policy: Value) -> Value {
    let unread = |value: &Value| NOT_YET_READ.iter().any(|name| value == name);
    if NOT_YET_READ.contains(&"signed-url") {
        policy.as_object_mut().expect("a table").remove("tokens");
    }
    for rule in policy.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        if rule["accept"].as_array().is_some_and(|kinds| kinds.iter().any(unread)) {
            rule["accept"] = json!(["basic"]);
        }
    }
    policy
}

/// The gate's own reader takes the policy, with whatever secrets it needs.
fn is_read(ran: &Ran) {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let sources = Sources {
        policy: Some(without_unread(policy(ran)).to_string()),
        secret: secret(SECRET),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(format!("ann:{BCRYPT}")))],
        ..Sources::default()
    };
    let config = Config::parse(&sources, str::to_owned);
    assert!(config.problems.is_empty(), "{:?} in {}", config.problems, ran.out);
}

/// What `explain` says to a GET with that policy and these secrets: 0 for yes.
fn asks(folder: &Folder, ran: &Ran, request: (&str, &str), credentials: Option<(&str, &str)>) -> i32 {
    let (method, path) = request;
    let policy = without_unread(policy(ran));
    folder
        .write("wrangler.toml", &toml::to_string(&json!({ "vars": { "EDGEWARD": policy } })).expect("TOML"));
    let text = std::fs::read_to_string(folder.path().join("out.vars")).unwrap_or_default();
    // The keys of formats that are not read yet are shorter than those of a JWT may be.
    let keys_are_read = !NOT_YET_READ.contains(&"signed-url");
    let users: Vec<&str> = text
        .split_inclusive('\n')
        .filter(|line| keys_are_read || !line.starts_with("EDGEWARD_KEYS="))
        .collect();
    let users = users.concat();
    folder.write("all.vars", &format!("EDGEWARD_SECRET='{SECRET}'\n{users}"));
    let url = format!("https://acme.example{path}");
    let mut arguments = vec!["explain", "--method", method, "--url", &url, "--secrets", "all.vars"];
    let mut input = String::new();
    if let Some((user, password)) = credentials {
        arguments.extend(["-H", "@-"]);
        input = format!("Authorization: Basic {}\n", STANDARD.encode(format!("{user}:{password}")));
    }
    folder.run_with(&arguments, &input).code
}

fn nginx(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.write("acme.conf", NGINX);
    let mine =
        format!("ann:{BCRYPT}:Ann Lee\nbob:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.\ndan:{{PLAIN}}right password\n");
    folder.write("htpasswd", &mine);
    let all = [&["import", "nginx", "acme.conf", "--users", "htpasswd"], arguments].concat();
    let ran = folder.run(&all).exits(0);
    for secret in [SIGNING_KEY, BCRYPT, "$apr1$", "Xxd1", "right password"] {
        if secret != "$apr1$" {
            ran.hides(secret);
        }
    }
    ran
}

#[test]
fn an_nginx_site_opens_what_was_open() {
    let folder = Folder::new();
    let ran = nginx(&folder, &["--secrets-out", "out.vars"]);
    is_read(&ran);
    let dan = Some(("dan", "right password"));
    for (path, credentials, code) in [
        ("/", None, 0),
        ("/deep/er", None, 0),
        ("/staff/", None, 1),
        ("/staff/x", dan, 0),
        ("/staff/x", Some(("dan", "wrong password")), 1),
        ("/staff/hooks/x", None, 0),
        ("/office/x", None, 1),
        ("/office/x", dan, 1),
        ("/files/x", None, 1),
    ] {
        assert_eq!(asks(&folder, &ran, ("GET", path), credentials), code, "{path}");
    }
    let policy = policy(&ran);
    assert_eq!(policy["realm"], "Staff; only");
    assert_eq!(
        policy["tokens"],
        json!([{
            "format": "nginx-hmac",
            "keys": ["nginx-1"],
            "parameters": { "signature": "st", "timestamp": "ts", "expires": "e" },
            "pattern": "$uri|$arg_ts|$arg_e",
        }])
    );
    for line in [
        "acme.conf:29: location ~* \\.(png|css)$: ",
        "htpasswd:2: the account \"bob\": found an Apache MD5 hash",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
}

#[test]
fn the_secrets_are_in_the_file_and_nowhere_else() {
    let folder = Folder::new();
    let ran = nginx(&folder, &["--secrets-out", "out.vars", "--json"]);
    let said = ran.json();
    assert_eq!(said["secrets"], json!(["EDGEWARD_SECRET", "EDGEWARD_USERS", "EDGEWARD_KEYS"]));
    assert_eq!(said["secrets_written"], "out.vars");
    assert_eq!((&said["left"][0]["file"], &said["left"][0]["line"]), (&json!("acme.conf"), &json!(29)));
    let text = std::fs::read_to_string(folder.path().join("out.vars")).expect("a file");
    assert!(text.starts_with(&format!("EDGEWARD_USERS='ann:{BCRYPT}\ndan:$argon2id$")), "{text}");
    let keys = text.split("EDGEWARD_KEYS='").nth(1).and_then(|rest| rest.split('\'').next()).expect("keys");
    let keys: Value = serde_json::from_str(keys).expect("JSON");
    let key = &keys["keys"][0];
    assert_eq!((&key["kid"], &key["alg"]), (&json!("nginx-1"), &json!("HS256")));
    let k = edgeward::token::from_base64url(key["k"].as_str().expect("text")).expect("base64url");
    assert_eq!(k, SIGNING_KEY.as_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("out.vars")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing is overwritten, not even through a link.
    let again = folder.run(&["import", "nginx", "acme.conf", "--secrets-out", "out.vars"]).exits(2);
    assert!(again.err.contains("out.vars is there already") && again.out.is_empty());
    assert_eq!(std::fs::read_to_string(folder.path().join("out.vars")).expect("a file"), text);
}

#[test]
fn without_the_file_secrets_are_named_as_still_to_do() {
    let folder = Folder::new();
    let ran = nginx(&folder, &[]);
    for line in [
        "EDGEWARD_USERS: 2 accounts to carry over",
        "EDGEWARD_KEYS: the keys nginx-1",
        "A new password for bob",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    assert!(!folder.path().join("out.vars").exists());
}

#[test]
fn a_netlify_site_is_closed_and_its_passwords_hold() {
    let folder = Folder::new();
    let headers = "/*\n  X-Frame-Options: DENY\n\n# staff\n/staff/*\r\n  Basic-Auth: ann:first:pass bob:second\r\n/staff/ann/*\n\tBasic-Auth: ann:first:pass\n";
    folder.write("_headers", headers);
    let ran = folder.run(&["import", "netlify", "_headers", "--secrets-out", "out.vars"]).exits(0);
    ran.hides("first:pass").hides("second");
    is_read(&ran);
    let (ann, bob) = (Some(("ann", "first:pass")), Some(("bob", "second")));
    for (path, credentials, code) in [
        ("/", None, 1),
        ("/staff/x", None, 1),
        ("/staff/x", ann, 0),
        ("/staff/x", bob, 0),
        ("/staff/ann/x", ann, 0),
        ("/staff/ann/x", bob, 1),
        ("/staff/x", Some(("bob", "first:pass")), 1),
    ] {
        assert_eq!(asks(&folder, &ran, ("GET", path), credentials), code, "{path}");
    }
    assert!(
        ran.out.ends_with("# [[vars.EDGEWARD.rules]]\n# path = \"/*\"\n# access = \"public\"\n"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("_headers:2: 1 other field"), "{}", ran.err);
}

#[test]
fn oauth2_proxy_openings() {
    let folder = Folder::new();
    let config = "provider = \"github\"\nclient_secret = \"hunter2hunter2\"\nupstreams = [\"https://origin.acme.example/\"]\n\
        htpasswd_file = \"/nowhere/htpasswd\"\n\
        skip_auth_routes = [\"^/health$\", 'GET=^/api/public/', \"^/static\", \"/anywhere\", \"GET!=^/private\"]\n\
        skip_auth_regex = [\"^/(robots|humans)\\\\.txt$\"]\napi_routes = [\"^/api/\"]\ntrusted_ips = [\"203.0.113.9\"]\n";
    folder.write("oauth2-proxy.cfg", config);
    folder.write("htpasswd", &format!("ann:{BCRYPT}\n"));
    let arguments =
        ["import", "oauth2-proxy", "oauth2-proxy.cfg", "--users", "htpasswd", "--secrets-out", "out.vars"];
    let ran = folder.run(&arguments).exits(0);
    ran.hides("hunter2").hides(BCRYPT);
    is_read(&ran);
    assert_eq!(policy(&ran)["origin"], "https://origin.acme.example");
    for (method, path, code) in [
        ("GET", "/health", 0),
        ("POST", "/health", 0),
        ("GET", "/healthy", 1),
        ("GET", "/api/public/x", 0),
        ("HEAD", "/api/public/x", 0),
        ("POST", "/api/public/x", 1),
        ("GET", "/api/publicity", 1),
        ("GET", "/static/a.css", 0),
        ("GET", "/statics", 1),
        ("GET", "/humans.txt", 0),
        ("GET", "/humans-txt", 1),
        ("GET", "/anywhere", 1),
        ("GET", "/other", 1),
    ] {
        assert_eq!(asks(&folder, &ran, (method, path), None), code, "{method} {path}");
    }
    for line in [
        "cfg:5: skip_auth_routes \"/anywhere\"",
        "cfg:5: skip_auth_routes \"GET!=^/private\"",
        "cfg:7: api_routes",
        "cfg:8: trusted_ips",
        "cfg:1: provider",
        "cfg:2: client_secret",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
}

#[test]
fn apache_groups_come_onto_the_lines() {
    let folder = Folder::new();
    folder.write("users", &format!("ann:{BCRYPT}\ndan:{{PLAIN}}right password\n"));
    folder.write("groups", "staff: ann dan\nboard: ann\n");
    let htaccess = "AuthType Basic\r\nAuthName \"Staff \\\"only\\\"\"\r\nAuthUserFile users\r\nAuthGroupFile groups\r\nRequire group staff\r\n";
    folder.write(".htaccess", htaccess);
    let arguments = ["import", "apache", ".htaccess", "--at", "/admin/", "--secrets-out", "out.vars"];
    let ran = folder.run(&arguments).exits(0);
    is_read(&ran);
    assert_eq!(
        policy(&ran)["rules"],
        json!([{ "path": "/admin/*", "accept": ["basic"], "groups": ["staff"] }])
    );
    let text = std::fs::read_to_string(folder.path().join("out.vars")).expect("a file");
    assert!(text.contains(&format!("ann:{BCRYPT}:staff,board")), "{text}");
    assert_eq!(asks(&folder, &ran, ("GET", "/admin/x"), Some(("dan", "right password"))), 0);
    assert_eq!(asks(&folder, &ran, ("GET", "/admin/x"), None), 1);
}

#[test]
fn standard_input_and_faults() {
    let folder = Folder::new();
    let ran = folder.run_with(&["import", "nginx", "-"], "location = /a { auth_basic off; }\n").exits(0);
    assert!(ran.out.contains("# stdin:1 location = /a\n"), "{}", ran.out);
    is_read(&ran);
    for (source, text, part) in [
        ("nginx", "server {\n location / {\n }\n", "stdin:4: the block \"server\" of line 1 is not closed"),
        ("apache", "\n<Location /a>\n", "stdin:2: the section <location /a> is not closed"),
        ("oauth2-proxy", "a = 1\nclient_secret = \"hunter2\n", "stdin:2: it is no TOML"),
    ] {
        let ran = folder.run_with(&["import", source, "-"], text).exits(2);
        ran.hides("hunter2");
        assert!(ran.err.contains(part) && ran.out.is_empty(), "{ran:?}");
    }
    folder.run(&["import", "nginx", "nowhere.conf"]).exits(2);
    folder.run(&["import", "caddy", "-"]).exits(2);
    folder.run(&["import", "nginx", "-", "--at", "/x"]).exits(2);
}

/// Nothing that stands in a source can end a comment, a string or the terminal's line.
#[test]
fn hostile_texts_stay_texts() {
    let folder = Folder::new();
    let text = "location \"/a\\nb\" { auth_basic \"x\\\"\\n[vars]\"; auth_basic_user_file f; }\n\
        location \"/c\" # {\n { auth_basic \"\u{1b}[2J\"; auth_basic_user_file f; }\n\
        location \"/d\\\"\\\\ '\u{7f}\" { deny all; }\nlocation \"/e\\\" ]\" { deny all; }\n";
    let ran = folder.run_with(&["import", "nginx", "-"], text).exits(0);
    is_read(&ran);
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "{ran:?}");
    assert_eq!(policy(&ran).as_object().map(|it| it.keys().all(|key| key != "vars")), Some(true));
}
