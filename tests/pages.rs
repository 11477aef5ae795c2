//! The visitor's page, as a string: what it always says, what never gets into it, what is kept.
//! `tests/browser/` has the same pages in a browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::policy::{Brand, Notice, Rgb};
use edgeward::reply::catalog::Variant;
use edgeward::reply::page::{Confirm, PageFacts, Pages, Rendered};
use edgeward::sorted_map::SortedMap;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::verdict::Cause;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const VARIANTS: [Variant; 3] = [Variant::Plain, Variant::Prompt, Variant::Program];
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{brand}}{user}";

const LINK: Confirm<'static> =
    Confirm { token: "QHJlYWxseS1hLXRva2Vu", return_to: "/reports?year=2026&page=2" };

fn facts() -> PageFacts<'static> {
    PageFacts {
        status: 401,
        host: "staging.acme.example",
        address: "https://staging.acme.example/reports?year=2026",
        reference: "0123456789abcdef-FRA",
        now: UnixTime::from_seconds(1_795_372_200),
        when: Some(UnixTime::from_seconds(1_795_372_015)),
        user: Some("ann"),
        retry_after: Some(Lifetime::from_seconds(30)),
        span: Some(Lifetime::from_seconds(43_200)),
        confirm: Some(LINK),
        return_to: "/reports?year=2026",
        ..PageFacts::of(Cause::TokenExpired)
    }
}

fn acme() -> Brand {
    let url = |text: &str| Some(text.to_owned());
    Brand {
        name: Some("Acme".into()),
        logo: url("/.edgeward/brand/logo.svg"),
        color: Some(Rgb(0x0b, 0x5f, 0xff)),
        support: url("mailto:help@acme.example"),
        forgot_password: url("https://acme.example/reset"),
        status_page: url("https://status.acme.example"),
        notice: Some(Notice::Text("Maintenance on Sunday, 2–3 am".into())),
        credit: true,
    }
}

fn every_page(brand: &Brand) -> Vec<(String, Rendered)> {
    let mut pages = Pages::new(brand.clone());
    let mut all = Vec::new();
    for cause in Cause::ALL {
        for variant in VARIANTS {
            all.push((
                format!("{cause:?} {variant:?}"),
                pages.render(&PageFacts { cause, variant, ..facts() }),
            ));
        }
        all.push((format!("{cause:?} problem"), pages.problem(cause, 401, "acme.example")));
    }
    all
}

#[test]
fn every_page_is_whole_and_small() {
    for brand in [acme(), Brand::default()] {
        for (name, page) in every_page(&brand) {
            let html = &page.html;
            assert!(html.len() < 14_000, "{name}: {} bytes", html.len());
            assert!(html.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\" data-"), "{name}");
            assert!(html.ends_with("</html>\n"), "{name}");
            for once in ["<h1>", "<main>", "<title>", "<header>"] {
                assert_eq!(html.matches(once).count(), 1, "{name}: {once}");
            }
            assert!(!html.contains("{{"), "{name}: a placeholder is left");
            assert!(!html.contains(" style=\""), "{name}");
            let counts = name.starts_with("TooManyAttempts") && !name.ends_with("problem");
            assert_eq!(html.contains("<script"), counts, "{name}: a script only where there is a use for it");
        }
    }
}

#[test]
fn a_page_says_what_the_contract_wants() {
    let mut pages = Pages::new(Brand::default());
    for cause in Cause::ALL {
        let html = pages.render(&PageFacts { cause, status: 418, ..facts() }).html;
        let name = cause.name();
        assert!(html.contains(&format!("data-status=\"418\" data-cause=\"{name}\"")), "{name}");
        assert!(html.contains("class=\"reference\" dir=\"ltr\">0123456789abcdef-FRA<"), "{name}");
        assert!(
            html.contains("https:/<wbr>/<wbr>staging.acme.example/<wbr>reports?<wbr>year=<wbr>2026"),
            "{name}"
        );
        assert!(
            html.contains("<time datetime=\"2026-11-22T18:30:00Z\">22 November 2026, 18:30 UTC</time>"),
            "{name}"
        );
    }
}

#[test]
fn times_are_said_as_people_say_them() {
    let html = Pages::new(acme()).render(&facts()).html;
    let wanted = "It was good until <time datetime=\"2026-11-22T18:26:55Z\" title=\"22 November 2026, 18:26 UTC\">3 minutes \
                  ago</time>. Ask whoever sent it for a new one.";
    assert!(html.contains(wanted), "{html}");
}

#[test]
fn the_policy_allows_what_is_in_the_page_and_nothing_else() {
    for (name, page) in every_page(&acme()) {
        let (_, rest) = page.html.split_once("<style>").expect("a style");
        let (style, _) = rest.split_once("</style>").expect("a style");
        let hash = STANDARD.encode(Sha256::digest(style));
        let script = page.html.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>"));
        let script = script.map_or("'none'".to_owned(), |(script, _)| {
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)))
        });
        let wanted = format!(
            "default-src 'none'; img-src 'self' data:; style-src 'sha256-{hash}'; script-src {script}; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(page.csp, wanted, "{name}");
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let url_of = |html: &str, attribute: &str| -> Vec<String> {
        html.split(&format!(" {attribute}=\""))
            .skip(1)
            .filter_map(|it| it.split('"').next().map(str::to_owned))
            .collect()
    };
    for (name, page) in every_page(&acme()) {
        for source in url_of(&page.html, "src") {
            assert!(
                source.starts_with('/') && !source.starts_with("//") || source.starts_with("data:"),
                "{name}: {source}"
            );
        }
        for not in ["<link rel=\"stylesheet\"", "@import", "url(", "<iframe", "http-equiv"] {
            assert!(!page.html.contains(not), "{name}: {not}");
        }
    }
}

/// Row 31 of the attacks: host, address, user-id, reference, whatever is in them.
#[test]
fn script_injection() {
    let confirm = Some(Confirm { token: EVIL, return_to: EVIL });
    let evil = PageFacts { host: EVIL, address: EVIL, reference: EVIL, user: Some(EVIL), confirm, ..facts() };
    for brand in [acme(), Brand::default(), Brand { name: Some(EVIL.into()), ..acme() }] {
        let mut pages = Pages::new(brand);
        for cause in Cause::ALL {
            for variant in VARIANTS {
                let page = pages.render(&PageFacts { cause, variant, ..evil });
                assert_harmless(&page.html);
                let ours = cause == Cause::TooManyAttempts;
                assert_eq!(page.csp.contains("script-src 'none'"), !ours, "{cause:?}");
            }
            assert_harmless(&pages.problem(cause, 401, EVIL).html);
        }
    }
}

fn assert_harmless(html: &str) {
    // The script that counts down stands last, and nothing of a visitor is in it.
    let html = html.split_once("<script>(()=>{").map_or(html, |(before, _)| before);
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("<img src=x"), "{html}");
    // What a visitor sends is never read as a placeholder or a blank: it stands there as it came.
    if html.contains("alert(1)") {
        assert!(html.contains("{{brand}}{user}"), "{html}");
    }
}

#[test]
fn the_address_in_a_link_is_escaped_too() {
    let address = "http://acme.example/\"onclick=alert(1) x='";
    let facts = PageFacts { cause: Cause::InsecureTransport, address, ..facts() };
    let html = Pages::new(acme()).render(&facts).html;
    assert!(html.contains("href=\"https://acme.example/&quot;onclick=alert(1) x=&#39;\""), "{html}");
    for address in ["javascript:alert(1)", "ftp://x/", "", "//evil.example"] {
        let html = Pages::new(acme()).render(&PageFacts { address, ..facts }).html;
        assert!(html.contains("class=\"button\" href=\"https://staging.acme.example/\""), "{address}");
    }
}

#[test]
fn a_token_in_the_address_is_not_shown() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlIG9mIDMyIGJ5dGVzLCBhcyBIUzI1Ng";
    for address in
        [format!("https://a.example/x?access_token={token}"), format!("https://a.example/{token}/x")]
    {
        let html = Pages::new(acme()).render(&PageFacts { address: &address, ..facts() }).html;
        assert!(!html.contains("c2lnbmF0dXJl") && html.contains("eyJhbGci…"), "{html}");
    }
}

#[test]
fn the_second_request_renders_nothing() {
    let mut pages = Pages::new(acme());
    let first = pages.render(&facts());
    assert_eq!(pages.rendered(), 1);
    let other = PageFacts {
        host: "other.example",
        address: "https://other.example/a?b",
        reference: "fedcba9876543210",
        now: UnixTime::from_seconds(1_795_400_000),
        when: Some(UnixTime::from_seconds(1_795_000_000)),
        user: Some("bob"),
        confirm: None,
        ..facts()
    };
    let second = pages.render(&other);
    assert_eq!(pages.rendered(), 1, "filled from what is kept");
    assert_eq!(first.csp, second.csp);
    for of_first in ["staging.acme.example", "reports", "0123456789abcdef", "3 minutes ago", "ann<"] {
        assert!(!second.html.contains(of_first), "{of_first}");
    }
    assert!(second.html.contains("fedcba9876543210"));
    assert_eq!(pages.render(&facts()), first);
    assert_eq!(pages.rendered(), 1);
}

#[test]
fn the_host_stands_for_a_missing_name() {
    let mut pages = Pages::new(Brand::default());
    for host in ["one.example", "two.example"] {
        let html = pages.render(&PageFacts { cause: Cause::OriginUnreachable, host, ..facts() }).html;
        assert!(html.contains(&format!("<title>{host} does not answer · {host}</title>")), "{html}");
        assert!(html.contains(&format!("<h1><bdi>{host}</bdi> does not answer</h1>")), "{html}");
    }
    assert_eq!(pages.rendered(), 1);
}

#[test]
fn edgeward_is_named_with_credit_only() {
    for (brand, named) in [(Brand { credit: false, logo: None, ..acme() }, false), (acme(), true)] {
        for (name, page) in every_page(&brand) {
            let said = page
                .html
                .replace("/.edgeward/", "")
                .replace("EDGEWARD_", "")
                .to_lowercase()
                .contains("edgeward");
            assert_eq!(said, named, "{name}");
        }
    }
}

#[test]
fn a_notice_speaks_the_language_of_the_page() {
    let texts =
        SortedMap::from([("de".to_owned(), "Wartung".to_owned()), ("en".to_owned(), "Upkeep".to_owned())]);
    let brand = Brand { notice: Some(Notice::ByLanguage(texts)), ..Brand::default() };
    let page = Pages::new(brand).render(&PageFacts { ..facts() });
    assert!(page.html.contains("<p>Upkeep</p>") && !page.html.contains("Wartung"));
    assert_eq!(page.language, "en");
}

#[test]
fn a_brand_has_its_own_page() {
    let own = "<!doctype html>\r\n<html lang=\"{{lang}}\" data-status=\"{{status}}\" data-cause=\"{{cause}}\"><title>{{brand}}</title>\
               {{> colors}}<style>\r\nb{color:var(--link)}\r\n</style><b>{{user}}</b>{{#support}}<a href=\"{{support}}\">?</a>{{/support}}\
               <script>let a = 1</script>{{^forgot_password}}none{{/forgot_password}}";
    let mut pages = Pages::new(Brand { forgot_password: None, ..acme() });
    let before = pages.render(&facts());
    pages.replace(401, own).expect("a template");
    let page = pages.render(&PageFacts { user: Some("<ann>"), ..facts() });
    assert_ne!(before.html, page.html);
    assert!(
        page.html.contains("<b><bdi>&lt;ann&gt;</bdi></b><a href=\"mailto:help@acme.example\">?</a>"),
        "{}",
        page.html
    );
    assert!(page.html.ends_with("</script>none"));
    for inline in ["\nb{color:var(--link)}\n", "let a = 1"] {
        let hash = STANDARD.encode(Sha256::digest(inline));
        assert!(page.csp.contains(&format!("'sha256-{hash}'")), "{inline}");
    }
    assert_eq!(page.csp.matches("'sha256-").count(), 3, "colours, style, script: {}", page.csp);
    assert!(pages.render(&PageFacts { status: 403, ..facts() }).html.contains("class=\"card\""));
}

#[test]
fn a_broken_page_changes_nothing() {
    let mut pages = Pages::new(acme());
    let before = pages.render(&facts());
    let error = pages
        .replace(401, "<p>\n<script>let host = \"{{host}}\"</script>")
        .expect_err("a placeholder in a script");
    assert_eq!(error.line, 2);
    assert!(
        error.to_string().starts_with("line 2: {{host}} stands inside an element that is no text"),
        "{error}"
    );
    assert_eq!(pages.render(&facts()), before);
    assert_eq!(pages.rendered(), 1);
}

fn confirming() -> PageFacts<'static> {
    PageFacts { cause: Cause::TokenNeedsConfirmation, ..facts() }
}

#[test]
fn a_link_that_counts_has_one_button() {
    for brand in [acme(), Brand::default()] {
        let page = Pages::new(brand).render(&confirming());
        let form = "<form method=\"post\" action=\"/.edgeward/link\">\n\
                    <input type=\"hidden\" name=\"token\" value=\"QHJlYWxseS1hLXRva2Vu\">\n\
                    <input type=\"hidden\" name=\"return_to\" value=\"/reports?year=2026&amp;page=2\">\n\
                    <input type=\"hidden\" name=\"form\" value=\"";
        assert!(page.html.contains(form), "{}", page.html);
        assert_eq!(page.html.matches("class=\"button\"").count(), 1, "one thing to do");
        assert!(page.html.contains("and opening it now counts."), "{}", page.html);
        assert!(page.csp.contains("form-action 'self'"));
    }
}

#[test]
fn who_cannot_be_asked_is_told_what_to_do() {
    let html = Pages::new(acme()).render(&PageFacts { confirm: None, ..confirming() }).html;
    assert!(!html.contains("<form") && !html.contains("<input"), "{html}");
    assert!(html.contains("Open it in a browser and press “Open”."), "{html}");
    assert!(html.contains("<a class=\"button\" href=\"\">Try again</a>"), "{html}");
}

#[test]
fn no_other_page_has_the_form() {
    let mut pages = Pages::new(acme());
    for cause in Cause::ALL.into_iter().filter(|cause| *cause != Cause::TokenNeedsConfirmation) {
        let html = pages.render(&PageFacts { cause, ..facts() }).html;
        assert!(!html.contains("<form") && !html.contains(LINK.token), "{cause:?}");
    }
}

#[test]
fn each_link_is_in_its_own_page() {
    let mut pages = Pages::new(acme());
    let first = pages.render(&confirming()).html;
    let link = Confirm { token: "dGhlLW90aGVyLW9uZQ", return_to: "/b" };
    let second = pages.render(&PageFacts { confirm: Some(link), ..confirming() }).html;
    assert_eq!(pages.rendered(), 1, "filled from what is kept");
    for of_first in [LINK.token, "page=2"] {
        assert!(first.contains(of_first) && !second.contains(of_first), "{of_first}");
    }
    assert!(second.contains("value=\"dGhlLW90aGVyLW9uZQ\"") && second.contains("value=\"/b\""));
    pages.render(&PageFacts { confirm: None, ..confirming() });
    assert_eq!(pages.rendered(), 2, "with a button and without are two pages");
}

/// Row 31 of the attacks, where it counts most: what is sent back is what came, and nothing else is in the page.
#[test]
fn a_links_values_stay_in_their_quotes() {
    let evil = "\"><script>alert(1)</script>";
    let link = Confirm { token: evil, return_to: evil };
    let html = Pages::new(acme()).render(&PageFacts { confirm: Some(link), ..confirming() }).html;
    let value = "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">";
    assert_eq!(html.matches(value).count(), 2, "{html}");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn a_brands_page_without_the_form_is_not_used_for_links_that_count() {
    let without = "<!doctype html><title>{{headline}}</title><p>Ours: {{text}}";
    let half =
        "<!doctype html><title>a</title><p>Ours{{#confirm}}<i title=\"{{confirm_token}}\"></i>{{/confirm}}";
    let hidden = "<!doctype html><title>a</title><p>Ours{{#notice}}{{#confirm}}<i title=\"{{confirm_token}}{{confirm_return_to}}\">\
                  </i>{{/confirm}}{{/notice}}";
    let built_in = Pages::new(Brand::default()).render(&confirming());
    for own in [without, half, hidden] {
        let mut pages = Pages::new(Brand::default());
        pages.replace(401, own).expect("a template");
        assert_eq!(pages.render(&confirming()), built_in, "{own}");
        for other in [facts(), PageFacts { confirm: None, ..confirming() }] {
            assert!(pages.render(&other).html.contains("<p>Ours"), "{own}");
        }
    }
}

#[test]
fn a_brands_page_with_the_form_is_used() {
    let readme = include_str!("../www/.edgeward/README.md");
    let (_, rest) = readme.split_once("```html\n").expect("an example");
    let (form, _) = rest.split_once("```").expect("an example");
    let mut pages = Pages::new(acme());
    pages.replace(401, &format!("<!doctype html><title>a</title><p>Ours\n{form}")).expect("a template");
    let html = pages.render(&confirming()).html;
    assert!(html.contains("<p>Ours") && html.contains("<button>Open</button>"), "{html}");
    assert!(html.contains("name=\"token\" value=\"QHJlYWxseS1hLXRva2Vu\">"), "{html}");
    assert!(html.contains("name=\"return_to\" value=\"/reports?year=2026&amp;page=2\">"), "{html}");
    assert!(!pages.render(&facts()).html.contains("<form"));
    for broken in ["{{confirm_token}}", "{{^confirm}}{{confirm_token}}{{/confirm}}", "{{confirm}}"] {
        pages.replace(401, broken).expect_err(broken);
    }
}

/// Words that are true whatever is known.
#[test]
fn a_link_that_was_used_says_when() {
    let mut pages = Pages::new(acme());
    let spent = PageFacts { cause: Cause::TokenSpent, ..facts() };
    let html = pages.render(&spent).html;
    assert!(html.contains("the last of them <time datetime=\"2026-11-22T18:26:55Z\""), "{html}");
    let html = pages.render(&PageFacts { when: None, ..spent }).html;
    assert!(html.contains("It could be opened only so many times, and it was."), "{html}");
}

/// What an operator would begin with.
#[test]
fn the_built_in_pages_are_templates() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/www/.edgeward/pages/");
    let page = std::fs::read_to_string(format!("{folder}page.html")).expect("the page");
    let mut pages = Pages::new(acme());
    let built_in = pages.render(&facts());
    pages.replace(401, &page).expect("a template");
    // Ours is sent without its indentation.
    let lines =
        |html: &str| -> Vec<String> { html.lines().map(|line| line.trim_start().to_owned()).collect() };
    let copied = pages.render(&facts());
    assert_eq!(lines(&copied.html), lines(&built_in.html));
    assert_eq!((copied.csp, pages.rendered()), (built_in.csp, 2));
}

#[test]
fn the_longest_page_is_small() {
    let long = "w".repeat(20_000);
    let address = format!("http://{long}/{long}?{long}={long}");
    let user = "\"".repeat(1_024);
    // A link's token has 255 characters at most; where it leads back to is as long as what was asked for.
    let (token, return_to) = ("t".repeat(255), ["/?", &"&".repeat(500)].concat());
    let confirm = Some(Confirm { token: &token, return_to: &return_to });
    let facts = PageFacts { address: &address, user: Some(&user), confirm, ..facts() };
    let mut pages = Pages::new(acme());
    for cause in Cause::ALL {
        for variant in VARIANTS {
            let html = pages.render(&PageFacts { cause, variant, ..facts }).html;
            assert!(html.len() < 14_000, "{cause:?} {variant:?}: {} bytes", html.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_element_of_a_visitors(host in "\\PC{0,40}", address in "\\PC{0,80}", user in "\\PC{0,40}", at in any::<i32>(), cause in prop_oneof![Just(Cause::NotAllowed), Just(Cause::TokenNeedsConfirmation)]) {
        let evil = PageFacts {
            host: &host,
            address: &format!("https://h/x{address}"),
            user: Some(&user),
            when: Some(UnixTime::from_seconds(i64::from(at))),
            cause,
            confirm: Some(Confirm { token: &user, return_to: &address }),
            ..facts()
        };
        let mut pages = Pages::new(Brand::default());
        let html = pages.render(&evil).html;
        let plain = pages.render(&PageFacts { host: "h", address: "https://h/x", user: Some("u"), confirm: Some(LINK), ..evil }).html;
        let tags = |html: &str| html.replace("<wbr>", "").matches('<').count();
        prop_assert_eq!(tags(&html), tags(&plain));
    }
}
