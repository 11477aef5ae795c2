//! Configurations as people have them, and what becomes of each section.

use super::super::draft::Rule;
use super::*;
use proptest::prelude::*;
use std::path::Path;

fn draft_at(text: &str, at: Option<&str>) -> Draft {
    let mut draft = import(text, &UserFiles::new(&[], Path::new(".")), at).unwrap();
    draft.finish();
    draft
}

fn shown(draft: &Draft) -> Vec<String> {
    let one = |rule: &Rule| {
        let access = rule.access.name().unwrap_or("protected");
        let host = rule.host.clone().unwrap_or_default();
        let mut words = vec![format!("{host}{}", rule.path), access.to_owned()];
        words.extend(rule.users.iter().map(|user| format!("u:{user}")));
        words.extend(rule.groups.iter().map(|group| format!("g:{group}")));
        words.extend(rule.networks.iter().cloned());
        words.join(" ")
    };
    draft.rules.iter().map(one).collect()
}

fn rules(text: &str) -> Vec<String> {
    shown(&draft_at(text, None))
}

const BASIC: &str = "AuthType Basic\nAuthName \"Staff only\"\nAuthUserFile /nowhere/htpasswd\n";

#[test]
fn locations() {
    let text = format!(
        "<VirtualHost *:443>\nServerName acme.example\nDocumentRoot \"/srv/www\"\n<Directory \"/srv/www\">\nRequire all granted\n\
         </Directory>\n<Location \"/admin\">\n{BASIC}Require user ann bob\nRequire group staff\n</Location>\n\
         <Location /inner>\nRequire ip 203.0.113.0/24\n</Location>\n<Location /gone>\nRequire all denied\n</Location>\n\
         </VirtualHost>\n<VirtualHost *:80>\nServerName acme.example\nRedirect permanent / https://acme.example/\n</VirtualHost>"
    );
    assert_eq!(
        rules(&text),
        [
            "/* public",
            "/admin/* protected u:ann u:bob g:staff",
            "/inner/* public 203.0.113.0/24",
            "/gone/* denied"
        ]
    );
    assert_eq!(draft_at(&text, None).realm.as_deref(), Some("Staff only"));
}

#[test]
fn directories_are_where_root_and_aliases_put_them() {
    let text = format!(
        "DocumentRoot /srv/www\nAlias /docs /opt/docs\n<Directory />\nRequire all denied\n</Directory>\n\
         <Directory /srv/www>\nRequire all granted\n</Directory>\n<Directory /srv/www/private/>\n{BASIC}Require valid-user\n</Directory>\n\
         <Directory /opt/docs/open>\nRequire all granted\n</Directory>"
    );
    assert_eq!(rules(&text), ["/docs/* denied", "/* public", "/private/* protected", "/docs/open/* public"]);
}

/// Of locations the later one wins, however short its path is.
#[test]
fn a_later_location_is_put_over_a_longer_one() {
    let text = format!(
        "<Location /a/open>\nRequire all granted\n</Location>\n<Location /a>\n{BASIC}Require valid-user\n</Location>"
    );
    assert_eq!(rules(&text), ["/a/open/* protected", "/a/* protected"]);
    let text = format!(
        "<Location /a>\n{BASIC}Require valid-user\n</Location>\n<Location /a/open>\nRequire all granted\n</Location>"
    );
    assert_eq!(rules(&text), ["/a/* protected", "/a/open/* public"]);
}

#[test]
fn what_is_not_certain_opens_nothing() {
    for uncertain in [
        "<LocationMatch \"^/x\">\nRequire all denied\n</LocationMatch>",
        "<Location ~ x>\nRequire valid-user\n</Location>",
        "<Directory /srv/*/x>\nRequire all denied\n</Directory>",
        "<Directory /elsewhere>\nRequire all denied\n</Directory>",
        "<Files \"*.bak\">\nRequire all denied\n</Files>",
        "<FilesMatch \"^\\.ht\">\nRequire all denied\n</FilesMatch>",
        "<If \"%{HTTP_HOST} == 'x'\">\nRequire all denied\n</If>",
        "<IfDefine X>\n<Location /x>\nRequire all denied\n</Location>\n</IfDefine>",
        "<Proxy *>\nRequire ip 10.0.0.1\n</Proxy>",
        "Include conf/more.conf",
        "RewriteRule ^/x /y [L]",
        "RewriteRule ^/x - [F]",
        "SomethingNew On",
        "SSLVerifyClient require",
        "<Location />\nOrder deny,allow\nDeny from all\n</Location>",
        "<Location />\nAllowOverride All\n</Location>",
        "<Location />\n<Limit POST>\nRequire valid-user\n</Limit>\n</Location>",
    ] {
        let text = format!(
            "DocumentRoot /srv/www\n<Directory /srv/www>\nRequire all granted\n</Directory>\n{uncertain}"
        );
        assert!(rules(&text).iter().all(|rule| !rule.contains("public")), "{uncertain}: {:?}", rules(&text));
        assert!(!draft_at(&text, None).left.is_empty(), "{uncertain}");
    }
    for certain in [
        "RewriteRule ^/x https://a.example/ [R=301,L]",
        "Options -Indexes",
        "<IfModule mod_x.c>\nExpiresActive On\n</IfModule>",
    ] {
        let text = format!(
            "DocumentRoot /srv/www\n<Directory /srv/www>\n{certain}\nRequire all granted\n</Directory>"
        );
        assert_eq!(rules(&text), ["/* public"], "{certain}");
    }
}

#[test]
fn an_htaccess_is_where_it_is_said_to_be() {
    let text = format!("{BASIC}require valid-user\n");
    assert_eq!(rules(&text), ["/* protected"]);
    assert_eq!(shown(&draft_at(&text, Some("/admin/"))), ["/admin/* protected"]);
    let open = "Require all granted\n";
    assert_eq!(rules(open), ["/* protected"], "nobody knows what it opens");
    assert_eq!(shown(&draft_at(open, Some("/pub"))), ["/pub/* public"]);
    let old = format!("{BASIC}<Limit GET POST>\nRequire valid-user\n</Limit>\n");
    assert_eq!(shown(&draft_at(&old, Some("/"))), ["/* protected"]);
    let wrapped = format!("<IfModule mod_authn_file.c>\n{BASIC}Require user ann\n</IfModule>\n");
    assert_eq!(shown(&draft_at(&wrapped, Some("/"))), ["/* protected u:ann"]);
}

#[test]
fn other_ways_to_sign_in_let_nobody_in() {
    for other in [
        "AuthType Digest",
        "AuthType Basic\nAuthBasicProvider ldap",
        "AuthType openid-connect",
        "AuthName x",
        "AuthType Basic",
    ] {
        let text = format!("<Location /a>\n{other}\nRequire valid-user\n</Location>");
        assert_eq!(rules(&text), ["/a/* denied"], "{other}");
        assert!(!draft_at(&text, None).left.is_empty());
    }
}

#[test]
fn virtual_hosts_by_their_names() {
    let text = "<Location /status>\nRequire all denied\n</Location>\n\
        <VirtualHost *:80>\nServerName a.example:80\nServerAlias www.a.example *.a.example\n<Location />\nRequire all granted\n</Location>\n</VirtualHost>\n\
        <VirtualHost *:80>\n<Location />\nRequire all granted\n</Location>\n</VirtualHost>";
    // The later section of the host is put over the server's.
    assert_eq!(
        rules(text),
        [
            "a.example/status/* public",
            "a.example/* public",
            "www.a.example/status/* public",
            "www.a.example/* public"
        ]
    );
    assert_eq!(draft_at(text, None).left.len(), 2);
}

proptest! {
    #[test]
    fn never_panics(text in "((<Location /a>|</Location>|<Directory /srv>|</Directory>|Require all granted|Require user|AuthType|Alias /a /b|DocumentRoot /srv|Order|[a-c<>/\"])\n?){0,20}") {
        if let Ok(mut draft) = import(&text, &UserFiles::new(&[], Path::new(".")), None) {
            draft.finish();
        }
    }
}
