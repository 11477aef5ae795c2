//! What a template may ask for.

/// The name of a value, a flag or a list. `www/.edgeward/README.md` lists them for who writes pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The table below and the README say what each is.
pub enum Name {
    Lang,
    Dir,
    Status,
    Cause,
    Brand,
    Host,
    Monogram,
    Icon,
    Logo,
    Headline,
    Text,
    Button,
    ButtonUrl,
    HasLinks,
    Links,
    Link,
    LinkUrl,
    HasSteps,
    Steps,
    Step,
    Address,
    Moment,
    MomentIso,
    Reference,
    User,
    When,
    Wait,
    Confirm,
    ConfirmToken,
    ConfirmReturnTo,
    Support,
    ForgotPassword,
    StatusPage,
    HasLanguages,
    Languages,
    LanguageTag,
    LanguageName,
    LanguageSelected,
    ReturnTo,
    Span,
    Place,
    HasFoot,
    Notice,
    Credit,
    LabelConfirm,
    LabelSteps,
    LabelHelp,
    LabelAddress,
    LabelMoment,
    LabelReference,
    LabelCause,
    LabelStatus,
    LabelCheck,
    LabelLanguage,
    LabelChange,
    Page,
    ButtonTab,
    HasHelp,
    SignIn,
    Folded,
    Code,
    CodeDigits,
    SignOut,
    Clear,
    FormUser,
    FormReturnTo,
    Wrong,
    Remember,
    Remembered,
    Resend,
    Tab,
    Everywhere,
    LabelUser,
    LabelPassword,
    LabelRemember,
    LabelShow,
    LabelHide,
    LabelCaps,
    LabelCode,
    LabelRecovery,
    LabelEverywhere,
    LabelResend,
    LabelResendTab,
    LabelBusy,
    LabelSignIn,
    LabelNext,
    LabelSignOut,
    LabelClear,
    LabelUseRecovery,
    LabelOther,
    LabelForgot,
}

impl Name {
    /// Every name, as it is written.
    pub const ALL: [(&'static str, Self); 91] = [
        ("lang", Self::Lang),
        ("dir", Self::Dir),
        ("status", Self::Status),
        ("cause", Self::Cause),
        ("brand", Self::Brand),
        ("host", Self::Host),
        ("monogram", Self::Monogram),
        ("icon", Self::Icon),
        ("logo", Self::Logo),
        ("headline", Self::Headline),
        ("text", Self::Text),
        ("button", Self::Button),
        ("button_url", Self::ButtonUrl),
        ("has_links", Self::HasLinks),
        ("links", Self::Links),
        ("link", Self::Link),
        ("link_url", Self::LinkUrl),
        ("has_steps", Self::HasSteps),
        ("steps", Self::Steps),
        ("step", Self::Step),
        ("address", Self::Address),
        ("moment", Self::Moment),
        ("moment_iso", Self::MomentIso),
        ("reference", Self::Reference),
        ("user", Self::User),
        ("when", Self::When),
        ("wait", Self::Wait),
        ("confirm", Self::Confirm),
        ("confirm_token", Self::ConfirmToken),
        ("confirm_return_to", Self::ConfirmReturnTo),
        ("support", Self::Support),
        ("forgot_password", Self::ForgotPassword),
        ("status_page", Self::StatusPage),
        ("has_languages", Self::HasLanguages),
        ("languages", Self::Languages),
        ("language_tag", Self::LanguageTag),
        ("language_name", Self::LanguageName),
        ("language_selected", Self::LanguageSelected),
        ("return_to", Self::ReturnTo),
        ("span", Self::Span),
        ("place", Self::Place),
        ("has_foot", Self::HasFoot),
        ("notice", Self::Notice),
        ("credit", Self::Credit),
        ("label_confirm", Self::LabelConfirm),
        ("label_steps", Self::LabelSteps),
        ("label_help", Self::LabelHelp),
        ("label_address", Self::LabelAddress),
        ("label_moment", Self::LabelMoment),
        ("label_reference", Self::LabelReference),
        ("label_cause", Self::LabelCause),
        ("label_status", Self::LabelStatus),
        ("label_check", Self::LabelCheck),
        ("label_language", Self::LabelLanguage),
        ("label_change", Self::LabelChange),
        ("page", Self::Page),
        ("button_tab", Self::ButtonTab),
        ("has_help", Self::HasHelp),
        ("sign_in", Self::SignIn),
        ("folded", Self::Folded),
        ("code", Self::Code),
        ("code_digits", Self::CodeDigits),
        ("sign_out", Self::SignOut),
        ("clear", Self::Clear),
        ("form_user", Self::FormUser),
        ("form_return_to", Self::FormReturnTo),
        ("wrong", Self::Wrong),
        ("remember", Self::Remember),
        ("remembered", Self::Remembered),
        ("resend", Self::Resend),
        ("tab", Self::Tab),
        ("everywhere", Self::Everywhere),
        ("label_user", Self::LabelUser),
        ("label_password", Self::LabelPassword),
        ("label_remember", Self::LabelRemember),
        ("label_show", Self::LabelShow),
        ("label_hide", Self::LabelHide),
        ("label_caps", Self::LabelCaps),
        ("label_code", Self::LabelCode),
        ("label_recovery", Self::LabelRecovery),
        ("label_everywhere", Self::LabelEverywhere),
        ("label_resend", Self::LabelResend),
        ("label_resend_tab", Self::LabelResendTab),
        ("label_busy", Self::LabelBusy),
        ("label_sign_in", Self::LabelSignIn),
        ("label_next", Self::LabelNext),
        ("label_sign_out", Self::LabelSignOut),
        ("label_clear", Self::LabelClear),
        ("label_use_recovery", Self::LabelUseRecovery),
        ("label_other", Self::LabelOther),
        ("label_forgot", Self::LabelForgot),
    ];

    /// The one that is written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(written, name)| (written == text).then_some(name))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find_map(|(written, name)| (name == self).then_some(written))
            .unwrap_or_default()
    }

    /// Whether it is a URL of ours: the operator's own, checked when the policy was read, or one that we made.
    #[must_use]
    pub const fn is_url(self) -> bool {
        matches!(
            self,
            Self::Icon
                | Self::Logo
                | Self::ButtonUrl
                | Self::LinkUrl
                | Self::Support
                | Self::ForgotPassword
                | Self::StatusPage
        )
    }

    /// Whether it can only be asked for as a section: a list, or a yes or no.
    #[must_use]
    pub const fn is_section_only(self) -> bool {
        matches!(
            self,
            Self::Steps
                | Self::Links
                | Self::Languages
                | Self::HasSteps
                | Self::HasLinks
                | Self::HasLanguages
                | Self::LanguageSelected
                | Self::Confirm
                | Self::HasFoot
                | Self::HasHelp
                | Self::ButtonTab
                | Self::SignIn
                | Self::Folded
                | Self::Code
                | Self::SignOut
                | Self::Clear
                | Self::Wrong
                | Self::Remember
                | Self::Remembered
                | Self::Resend
                | Self::Tab
                | Self::Everywhere
        )
    }

    /// The section outside of which it has no value: the list it is a part of, or the form.
    #[must_use]
    pub const fn within(self) -> Option<Self> {
        match self {
            Self::Step => Some(Self::Steps),
            Self::Link | Self::LinkUrl => Some(Self::Links),
            Self::LanguageTag | Self::LanguageName | Self::LanguageSelected => Some(Self::Languages),
            Self::ConfirmToken | Self::ConfirmReturnTo => Some(Self::Confirm),
            Self::CodeDigits => Some(Self::Code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_agree() {
        for (written, name) in Name::ALL {
            assert_eq!(Name::parse(written), Some(name));
            assert_eq!(name.as_str(), written);
        }
        for bad in ["", "Brand", "brand ", "style"] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_readme_names_each() {
        let readme = include_str!("../../www/.edgeward/README.md");
        for (written, name) in Name::ALL {
            let form = if name.is_section_only() {
                format!("`{{{{#{written}}}}}`")
            } else {
                format!("`{{{{{written}}}}}`")
            };
            assert!(readme.contains(&form), "{form}");
        }
    }
}
