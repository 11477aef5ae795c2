//! Why settings are left over.

/// Why a setting has nothing that corresponds to it.
pub fn reason(name: &str) -> &'static str {
    const REASONS: [(&[&str], &str); 9] = [
        (
            &["api_routes"],
            "there is nothing to say: programs get a 401 and browsers a page on every path, by what each asks for",
        ),
        (
            &["skip_auth_preflight"],
            "say which origins may ask, in [vars.EDGEWARD.cors]: their preflights are answered without credentials",
        ),
        (
            &["skip_jwt_bearer_tokens", "extra_jwt_issuers", "bearer_token_login_fallback"],
            "only tokens signed with HMAC are verified here: see [[vars.EDGEWARD.tokens]]",
        ),
        (
            &[
                "email_domains",
                "authenticated_emails_file",
                "allowed_",
                "github_",
                "google_",
                "gitlab_",
                "bitbucket_",
                "keycloak_",
                "azure_",
                "admin_",
                "entra_",
            ],
            "whom the provider lets in is not known here: name users or groups in the rules",
        ),
        (&["cookie_", "session_", "redis_", "csrf"], "no session of oauth2-proxy's goes on"),
        (
            &["pass_", "set_", "prefer_email", "basic_auth_password", "signature_key", "inject_"],
            "who passed is told to the origin by X-Edgeward-User and X-Edgeward-Assertion",
        ),
        (
            &[
                "http_address",
                "https_address",
                "tls_",
                "reverse_proxy",
                "real_client_ip_header",
                "force_https",
                "ping_",
                "ready_",
                "metrics_",
                "gcp_",
                "trusted_proxy",
                "ssl_",
                "upstream_timeout",
                "flush_",
                "proxy_websockets",
                "ssl_upstream",
            ],
            "it is about the proxy's own server; Cloudflare is that now",
        ),
        (
            &[
                "logging_",
                "standard_logging",
                "request_logging",
                "auth_logging",
                "exclude_logging",
                "errors_",
                "silence_",
            ],
            "the log is set with log in [vars.EDGEWARD]",
        ),
        (
            &[
                "provider",
                "client_",
                "oidc_",
                "redirect_url",
                "scope",
                "login_url",
                "redeem_url",
                "profile_url",
                "validate_url",
                "resource",
                "approval_prompt",
                "prompt",
                "acr_values",
                "whitelist_domain",
                "insecure_oidc",
                "skip_oidc",
                "skip_provider_button",
                "code_challenge",
                "user_id_claim",
                "backend_logout",
                "jwt_key",
                "pubjwk_url",
                "proxy_prefix",
            ],
            "nobody signs in with a provider here: give out passwords (`edgeward hash`) or tokens",
        ),
    ];
    let fits = |(starts, _): &&(&[&str], &str)| starts.iter().any(|start| name.starts_with(start));
    REASONS.iter().find(fits).map_or("nothing here corresponds to it", |(_, why)| why)
}
