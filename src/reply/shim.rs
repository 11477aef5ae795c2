use super::{Answerer, Reply};
use crate::reply::form::{Form, Sent, SignIn};
use crate::reply::page::Pages;
use crate::reply::said::Saying;
use crate::verdict::Refused;
impl Answerer<'_> {
    pub fn refused_form(&self, refused: &Refused, _: &Sent<'_>, pages: &mut Pages) -> Reply {
        self.refused(refused, pages)
    }
    pub fn said(&self, saying: &Saying<'_>, _: &mut Pages) -> Reply {
        self.finish(
            Reply::new(saying.said.status())
                .typed("text/plain; charset=utf-8", saying.said.name().to_owned()),
        )
    }
    pub fn sign_in_form<'f>(&self, user: &'f str, return_to: &'f str) -> Form<'f> {
        Form::SignIn(SignIn { user, return_to, ..SignIn::default() })
    }
}
