//! The language switch: a choice becomes a cookie, and the page is shown once more.

use super::{Answerer, Reply, language, languages};
use crate::exchange::Exchanged;
use crate::request::{FieldList, RequestFacts, Scheme};
use crate::reserved::form_value;
use crate::return_to::{ReturnTo, written};
use crate::verdict::{Cause, Refusal};

impl Answerer<'_> {
    /// Takes a choice: the fields `language` and `return_to` of a form. Back to the page, with the cookie that keeps it
    /// (RFC 9110 §15.4.4).
    ///
    /// # Errors
    /// A refusal where the form names no language that there is.
    pub fn language_chosen(&self, form: &str) -> Result<Reply, Refusal> {
        let tag = form_value(form, "language").and_then(|tag| languages::find(&tag));
        let tag = tag.map(languages::Language::tag).ok_or_else(|| {
            Refusal::new(Cause::RequestAmbiguous, "The form does not name one of the languages of this site.")
        })?;
        let return_to = form_value(form, "return_to").unwrap_or_default();
        let location = self.back(&return_to).url().to_owned();
        let cookie = Some(language::set_cookie(tag, self.facts.scheme == Scheme::Https));
        Ok(self.exchanged(Exchanged { location, cookie }))
    }

    /// The page that a choice was made on; the front page where `return_to` is none of ours.
    fn back(&self, return_to: &str) -> ReturnTo {
        let origin = self.facts.origin();
        self.referrer(&origin, return_to)
            .or_else(|| ReturnTo::parse(return_to, &origin, &[]))
            .unwrap_or_else(|| ReturnTo::front(&origin))
    }

    /// The page's own address by `Referer`, where it is what `return_to` says: that never has a token in it, as pages are
    /// passed on, but the link that was opened has, and has to stay one.
    fn referrer(&self, origin: &str, return_to: &str) -> Option<ReturnTo> {
        let referrer = self.facts.field("referer")?;
        let known = ReturnTo::parse(&referrer, origin, &[])?;
        let none = FieldList::default();
        let facts = self.places.set_aside(RequestFacts::new("GET", known.url(), &none).ok()?);
        (written(origin, &self.target_of(&facts)) == return_to).then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Places;
    use crate::reply::form::Sent;
    use crate::reply::page::Pages;
    use crate::time::UnixTime;
    use crate::verdict::Refused;

    fn chosen(uri: &str, referrer: Option<&str>, form: &str) -> Result<(u16, String, String), Cause> {
        let secret = crate::secret::Secret::new(crate::token::to_base64url(&[7; 32]));
        let policy = r#"{"tokens":[{"format":"edgeward"}]}"#.to_owned();
        let sources = crate::config::Sources {
            policy: Some(policy),
            secret: Some(secret),
            ledger: true,
            ..Default::default()
        };
        let policy = crate::config::Config::parse(&sources, str::to_owned).policy.expect("a policy");
        let fields = FieldList::new(referrer.map(|value| ("Referer", value)));
        let facts = RequestFacts::new("POST", uri, &fields).expect("an absolute URI");
        let answerer = Answerer {
            facts: &facts,
            policy: Some(&policy),
            places: &Places::of(&policy),
            reference: "0123456789abcdef",
            now: UnixTime::from_seconds(0),
        };
        let reply = answerer.language_chosen(form).map_err(|refusal| refusal.cause)?;
        let field = |name| {
            let found = reply.fields.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Ok((reply.status, field("Location"), field("Set-Cookie")))
    }

    const HERE: &str = "https://h.example/.edgeward/language";

    /// The page of a form that was sent and refused is had once more where that form is asked for.
    #[test]
    fn a_choice_on_the_page_to_sign_in_keeps_where_that_leads() {
        let sent = Sent { return_to: "/a?b=c&d", ..Sent::default() };
        let wrong = Refusal::new(Cause::CredentialsWrong, "No.");
        let refused = Refused { refusal: wrong, accept: crate::policy::Kinds::NONE };
        let fields = FieldList::new([("Sec-Fetch-Mode", "navigate")]);
        let value = |method: &str, uri: &str| {
            let facts = RequestFacts::new(method, uri, &fields).expect("an absolute URI");
            let answerer = Answerer {
                facts: &facts,
                policy: None,
                places: &Places::default(),
                reference: "0123456789abcdef",
                now: UnixTime::from_seconds(0),
            };
            let mut pages = Pages::new(crate::policy::Brand::default()).with_languages();
            let html = answerer.refused_form(&refused, &sent, &mut pages).content.expect("a page");
            let (_, form) = html.split_once("action=\"/.edgeward/language\"").expect("the switch");
            let (_, value) = form.split_once("name=\"return_to\" value=\"").expect("the field");
            value.split('"').next().unwrap_or_default().to_owned()
        };
        let sign_in = "https://h.example/.edgeward/sign-in";
        assert_eq!(value("POST", sign_in), "/.edgeward/sign-in?return_to=/a%3Fb%3Dc%26d");
        assert_eq!(value("GET", &[sign_in, "?return_to=%2Fx"].concat()), "/.edgeward/sign-in?return_to=%2Fx");
    }

    #[test]
    fn back_with_the_cookie() {
        let (status, location, cookie) =
            chosen(HERE, None, "language=en&return_to=%2Fa%3Fb%3Dc").expect("chosen");
        assert_eq!((status, location.as_str()), (303, "https://h.example/a?b=c"));
        assert!(cookie.starts_with("__Host-edgeward-lang=en; Path=/; Secure; "), "{cookie}");
        let (_, location, cookie) =
            chosen("http://localhost:8787/.edgeward/language", None, "language=en&return_to=/")
                .expect("chosen");
        assert_eq!(location, "http://localhost:8787/");
        assert!(cookie.starts_with("edgeward-lang=en; Path=/; HttpOnly;"), "{cookie}");
    }

    #[test]
    fn a_language_that_is_none() {
        for form in ["", "language=", "language=xx", "language=EN", "language=en&language=en", "return_to=/"]
        {
            assert_eq!(chosen(HERE, None, form), Err(Cause::RequestAmbiguous), "{form}");
        }
    }

    #[test]
    fn never_to_another_site() {
        for bad in [
            "",
            "//evil.example",
            "/%5cevil.example",
            "https://evil.example/",
            "a",
            "/a%0d%0aX:y",
            "/a/%2e%2e/b",
        ] {
            let (_, location, _) =
                chosen(HERE, None, &format!("language=en&return_to={bad}")).expect("chosen");
            assert_eq!(location, "https://h.example/", "{bad}");
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        for (referrer, return_to, wanted) in [
            ("https://h.example/a?ew=T&b=c", "/a?b=c", "/a?ew=T&b=c"),
            ("https://h.example/a?b=c", "/other", "/other"),
            ("https://evil.example/a?ew=T", "/a", "/a"),
            ("https://h.example.evil.example/a?ew=T", "/a", "/a"),
            ("https://h.example//evil.example/?ew=T", "//evil.example/", "/"),
            ("https://h.example//x?ew=T&y", "https://h.example//x?y", "//x?ew=T&y"),
            ("https://h.example/T/x?ew=T#f", "/T/x", "/T/x?ew=T#f"),
            ("https://h.example", "/", "/"),
            ("http://h.example/a?ew=T", "/a", "/a"),
            ("nothing", "/a", "/a"),
        ] {
            let return_to_field = return_to.replace('?', "%3F").replace('=', "%3D").replace('&', "%26");
            let form = format!("language=en&return_to={return_to_field}");
            let (_, location, _) = chosen(HERE, Some(referrer), &form).expect("chosen");
            assert_eq!(location, format!("https://h.example{wanted}"), "{referrer}");
        }
    }
}
