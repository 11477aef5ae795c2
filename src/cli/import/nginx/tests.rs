//! Configurations as people have them, and what becomes of each location.

use super::super::draft::Rule;
use super::*;
use proptest::prelude::*;
use std::path::Path;

fn draft(text: &str) -> Draft {
    let mut draft = import(text, &UserFiles::new(&[], Path::new("."))).unwrap();
    draft.finish();
    draft
}

fn rules(text: &str) -> Vec<String> {
    let shown = |rule: &Rule| {
        let access = rule.access.name().unwrap_or("protected");
        let host = rule.host.clone().unwrap_or_default();
        [&[format!("{host}{}", rule.path), access.to_owned()], rule.networks.as_slice()].concat().join(" ")
            + &rule.accept.iter().map(|kind| format!(" {kind}")).collect::<String>()
    };
    draft(text).rules.iter().map(shown).collect()
}

fn lines_left(text: &str) -> Vec<usize> {
    draft(text).left.iter().filter(|left| !left.carried).filter_map(|left| left.line).collect()
}

#[test]
fn a_site_with_a_closed_folder() {
    let text = "server {\n listen 443 ssl;\n server_name acme.example;\n root /srv;\n\
                location / { try_files $uri $uri/ =404; }\n\
                location /admin/ { auth_basic \"Staff; only\"; auth_basic_user_file htpasswd; }\n\
                location = /healthz { return 200 \"ok\"; }\n\
                location /old/ { return 301 /new/; }\n\
                location = /private { deny all; }\n}";
    assert_eq!(rules(text), ["/* public", "/admin/* protected basic", "/healthz public", "/private denied"]);
    let draft = draft(text);
    assert_eq!(draft.realm.as_deref(), Some("Staff; only"));
    assert!(draft.needs_users);
    assert_eq!(lines_left(text), [6], "the htpasswd file is not there");
}

/// `/admin` also is the beginning of `/administrator`: a public `/` around it would open that.
#[test]
fn a_prefix_that_ends_within_a_segment_closes_what_is_around_it() {
    let site =
        |path: &str| format!("server {{ location / {{ root /srv; }}\nlocation {path} {{ deny all; }} }}");
    assert_eq!(rules(&site("/admin")), ["/admin/* denied"]);
    assert_eq!(rules(&site("/admin/")), ["/* public", "/admin/* denied"]);
    assert_eq!(rules(&site("= /admin")), ["/* public", "/admin denied"]);
}

#[test]
fn an_expression_that_protects_closes_what_it_may_reach() {
    let site = |location: &str| {
        format!(
            "server {{ location / {{ root /srv; }}\nlocation ^~ /static/ {{ expires 1d; }}\nlocation = /a {{ root /srv; }}\n{location} }}"
        )
    };
    let all = ["/* public", "/static/* public", "/a public"];
    for protecting in [
        "location ~ /\\.ht { deny all; }",
        "location ~* \\.php$ { auth_basic x; auth_basic_user_file y; }",
        "location ~ x { auth_request /auth; }",
        "location ~ \"^/[0-9]{3}\" { internal; }",
    ] {
        assert_eq!(rules(&site(protecting)), all[1..], "{protecting}");
        assert!(lines_left(&site(protecting)).contains(&4));
    }
    let harmless = site("location ~* \\.(png|jpg)$ { expires 30d; }");
    assert_eq!(rules(&harmless), all);
    assert_eq!(lines_left(&harmless), [4]);
}

#[test]
fn what_is_inherited_and_what_is_switched_off() {
    let text = "http { auth_basic \"x\"; auth_basic_user_file f;\n server { allow 203.0.113.0/24; deny all;\n\
                location / { root /srv; }\nlocation /open/ { auth_basic off; allow all; }\n\
                location /half/ { auth_basic off; }\nlocation /any/ { satisfy any; }\n\
                location /deep/ { location /deep/er/ { allow 2001:db8::/32; deny all; } } } }";
    assert_eq!(
        rules(text),
        [
            "/* protected 203.0.113.0/24 basic",
            "/open/* public",
            "/half/* public 203.0.113.0/24",
            "/any/* protected basic",
            "/deep/er/* protected 2001:db8::/32 basic",
            "/deep/* protected 203.0.113.0/24 basic",
        ]
    );
}

#[test]
fn what_is_not_understood_opens_nothing() {
    for directive in [
        "if ($remote_addr = 1.2.3.4) { return 403; }",
        "if ($cookie_session = \"\") { return 302 /login; }",
        "include snippets/auth.conf;",
        "some_new_directive on;",
        "rewrite ^/a /b last;",
        "limit_except GET { deny all; }",
        "deny 192.0.2.1;",
        "allow 192.0.2.1;",
        "auth_request /auth;",
        "auth_jwt \"x\";",
        "access_by_lua_block { ngx.exit(403) }",
        "secure_link $arg_md5,$arg_expires;",
        "try_files $uri /index.php;",
        "try_files $uri @app;",
    ] {
        let inside = format!(
            "server {{ location / {{ {directive} }} location @app {{ deny all; }} location ~ \\.php$ {{ deny all; }} }}"
        );
        let around = format!("server {{ {directive} location / {{ }} location ~ x {{ deny all; }} }}");
        for text in [inside, around] {
            assert!(rules(&text).iter().all(|rule| !rule.contains("public")), "{text}: {:?}", rules(&text));
            assert!(!draft(&text).left.is_empty());
        }
    }
}

#[test]
fn fallbacks_that_are_public_stay_public() {
    let text = "server { location / { try_files $uri $uri/ /index.html; } location /a/ { try_files $uri @app; }\n\
                location @app { proxy_pass http://app; } location ~* \\.png$ { expires 1d; } }";
    assert_eq!(rules(text), ["/* public", "/a/* public"]);
}

#[test]
fn a_piece_without_its_surroundings_opens_only_what_says_so() {
    let text = "location / { root /srv; }\nlocation /open/ { auth_basic off; }\nlocation /x/ { deny all; }";
    assert_eq!(rules(text), ["/* protected", "/open/* public", "/x/* denied"]);
    assert_eq!(lines_left(text), [1]);
}

#[test]
fn servers_by_their_names() {
    let text = "server { listen 80; server_name a.example b.example; return 301 https://$host$request_uri; }\n\
                server { server_name A.example b.example; location / { root /a; } }\n\
                server { server_name *.c.example; location / { root /c; } }\n\
                server { server_name d.example; location / { deny all; } }";
    assert_eq!(rules(text), ["a.example/* public", "b.example/* public", "d.example/* denied"]);
    assert_eq!(lines_left(text), [3, 3]);
}

/// `/a` and `/a/` are one path to a rule.
#[test]
fn a_page_beside_a_closed_folder_of_its_name() {
    let text = "server { location / { root /srv; } location = /a { root /srv; } location /a/ { deny all; } }";
    assert_eq!(rules(text), ["/* public", "/a/* denied"]);
    assert_eq!(draft(text).left.len(), 1);
    assert_eq!(
        rules("server { location = / { root /srv; } location / { deny all; } }"),
        ["/ public", "/* denied"]
    );
}

/// What certbot writes: the server of port 80 sends on by host, and has nothing else.
#[test]
fn a_server_that_only_sends_on_is_none() {
    let text = "server { if ($host = a.example) { return 301 https://$host$request_uri; }\nlisten 80; server_name a.example;\n\
                return 404; }\nserver { server_name a.example; location / { root /srv; } }";
    assert_eq!(rules(text), ["/* public"]);
    assert!(lines_left(text).is_empty());
}

#[test]
fn two_servers_of_one_name_that_disagree() {
    let text = "server { server_name a.example; location / { root /a; } }\n\
                server { server_name a.example; location / { deny all; } }";
    assert_eq!(rules(text), ["a.example/* denied"]);
}

const SIGNED: &str = "server { location / { deny all; } location ^~ /files/ {\n secure_link_hmac \"$arg_st,$arg_ts,$arg_e\";\n\
    secure_link_hmac_secret \"my_very_secret_key\";\n secure_link_hmac_message \"$uri|$arg_ts|$arg_e\";\n\
    secure_link_hmac_algorithm sha256;\n if ($secure_link_hmac != \"1\") { return 404; } } }";

#[test]
fn a_signed_folder() {
    assert_eq!(rules(SIGNED), ["/* denied", "/files/* protected signed-url"]);
    let draft = draft(SIGNED);
    assert!(draft.left.is_empty(), "{:?}", draft.left);
    let token = &draft.tokens[0];
    assert_eq!(token.pattern, "$uri|$arg_ts|$arg_e");
    assert_eq!(
        (token.keys.join(" "), token.parameters.join(" "), token.weak_keys),
        ("nginx-1".into(), "st ts e".into(), false)
    );
    assert_eq!(draft.keys[0].algorithm.name(), "HS256");
}

#[test]
fn signed_folders_that_cannot_be_carried_over_are_denied() {
    for (from, to) in [
        ("sha256", "md5"),
        ("sha256", "sha1"),
        ("$uri|", ""),
        ("$arg_st,$arg_ts,$arg_e\"", "$arg_st,$arg_ts\""),
        ("$arg_st,", "$cookie_st,"),
        ("my_very_secret_key", "$secret"),
        ("my_very_secret_key", ""),
        ("if (", "auth_basic x; if ("),
        ("$uri|", "$uri|$remote_addr|"),
    ] {
        let text = SIGNED.replacen(from, to, 1);
        assert_ne!(text, SIGNED);
        assert_eq!(rules(&text)[1..], ["/files/* denied"], "{to}");
        let draft = draft(&text);
        assert!(draft.tokens.is_empty() && !draft.left.is_empty());
        assert!(draft.left.iter().all(|left| !format!("{left:?}").contains("my_very")), "{:?}", draft.left);
    }
}

#[test]
fn signed_folders_that_differ() {
    for (from, to) in
        [("if ($secure_link_hmac != \"1\") { return 404; }", ""), ("my_very_secret_key", "short")]
    {
        let text = SIGNED.replacen(from, to, 1);
        assert_eq!(rules(&text)[1..], ["/files/* protected signed-url"], "{to}");
        assert_eq!(draft(&text).left.len(), 1);
    }
    assert!(draft(&SIGNED.replace("my_very_secret_key", "short")).tokens[0].weak_keys);
    assert_eq!(draft(&SIGNED.replace("sha256", "SHA512")).keys[0].algorithm.name(), "HS512");
    let twice = SIGNED.replace(
        "server {",
        "server { location /b/ { secure_link_hmac \"$arg_x,$arg_y,$arg_z\"; \
        secure_link_hmac_secret \"my_very_secret_key\"; secure_link_hmac_message \"$uri$arg_y$arg_z\"; \
        if ($secure_link_hmac = \"\") { return 403; } if ($secure_link_hmac = \"0\") { return 410; } }",
    );
    assert_eq!(
        rules(&twice),
        ["/b/* protected signed-url", "/* denied", "/files/* denied"],
        "a key has one entry"
    );
}

#[test]
fn the_plain_md5_is_refused_and_names_the_preset() {
    let text = "server { location /dl/ {\n secure_link $arg_md5,$arg_expires;\n secure_link_md5 \"$uri secret\";\n\
                if ($secure_link = \"\") { return 403; } } }";
    assert_eq!(rules(text), ["/dl/* denied"]);
    let draft = draft(text);
    let first = draft.left.iter().find(|left| left.line == Some(2)).unwrap();
    assert!(first.why.contains("nginx-hmac"), "{first:?}");
    assert!(draft.left.iter().all(|left| !format!("{left:?}").contains("uri secret")));
}

#[test]
fn tabs_line_ends_comments_and_quotes() {
    let text = "# note }\r\nserver\t{\r\n\tlocation\t/a/\t{ # {\r\n\t\tauth_basic 'it\\'s; {mine}';\r\n\t\tauth_basic_user_file f;\r\n\t}\r\n}\r\n";
    assert_eq!(rules(text), ["/a/* protected basic"]);
    assert_eq!(draft(text).realm.as_deref(), Some("it's; {mine}"));
}

/// Whether nginx opens a path: the location of this very path, else the one with the longest prefix of it.
fn nginx_opens(locations: &[(&str, &str, bool)], path: &str) -> bool {
    let exact = locations.iter().find(|(kind, text, _)| *kind == "=" && *text == path);
    let prefixes = locations.iter().filter(|(kind, text, _)| *kind != "=" && path.starts_with(text));
    let found = exact.or_else(|| prefixes.max_by_key(|(_, text, _)| text.len()));
    found.is_some_and(|(.., open)| *open)
}

proptest! {
    /// What the policy opens nginx opened: the same path, or the one that differs by a `/` at its end.
    #[test]
    fn nothing_is_opened_that_was_closed(
        drawn in proptest::collection::vec((0_usize..3, 0_usize..10, proptest::bool::ANY), 1..8),
    ) {
        const KINDS: [&str; 3] = ["", "=", "^~"];
        const TEXTS: [&str; 10] = ["/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/ab/c/", "/b/", "/b", "/a/bc"];
        let mut locations: Vec<(&str, &str, bool)> = Vec::new();
        for (kind, text, open) in drawn {
            let (kind, text) = (KINDS[kind], TEXTS[text]);
            // nginx refuses two locations of one text.
            if !locations.iter().any(|(other, there, _)| *there == text && (*other == "=") == (kind == "=")) {
                locations.push((kind, text, open));
            }
        }
        let block = |(kind, text, open): &(&str, &str, bool)| {
            format!("location {kind} {text} {{ {} }}\n", if *open { "root /srv;" } else { "deny all;" })
        };
        let text = format!("server {{ {} }}", locations.iter().map(block).collect::<String>());
        let draft = draft(&text);
        let patterns: Vec<&str> = draft.rules.iter().map(|rule| rule.path.as_str()).collect();
        for path in ["/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/bc", "/a/bcd", "/ab", "/abc", "/ab/", "/ab/c", "/ab/c/d", "/b", "/bx", "/b/x", "/c"] {
            let deciding = super::super::patterns::most_specific(&patterns, path);
            let rule = draft.rules.iter().find(|rule| Some(rule.path.as_str()) == deciding);
            if rule.is_some_and(|rule| rule.access == super::super::draft::Access::Public) {
                let twin = path.strip_suffix('/').map_or(format!("{path}/"), str::to_owned);
                prop_assert!(nginx_opens(&locations, path) || nginx_opens(&locations, &twin), "{path} in {text}");
            }
        }
    }

    #[test]
    fn never_panics(text in "((server|location|/a|=|~|\\^~|auth_basic|deny all|allow|return|if|[a-c]|[{};$\"' \n]) ?){0,40}") {
        if let Ok(mut draft) = import(&text, &UserFiles::new(&[], Path::new("."))) {
            draft.finish();
        }
    }
}
