// A request for each cause: what the tests of answers go through.
import { basic, bearer, jwt, now, passwordLine, strictClaims } from "./given.mjs";

const BRAND = {
  name: "Acme & Söhne",
  color: "#0b5fff",
  support: "mailto:help@acme.example",
  status_page: "https://status.acme.example",
  notice: "Maintenance on Sunday",
};
/** An account whose user-id is an attack. */
export const EVIL_USER = '"><script>alert(1)</script>';
/** The policy and the accounts with which each cause below can be brought about. */
export const settings = () => ({
  policy: { brand: BRAND },
  secrets: {
    EDGEWARD_USERS: [
      passwordLine("ann", "ann-answers-pw-1", "staff"),
      passwordLine("sam", "sam-answers-pw-2", "!suspended"),
      passwordLine("old", "old-answers-pw-3", "!until=2020-01-01"),
      passwordLine(EVIL_USER, "evil-answers-pw-4"),
    ].join("\n"),
  },
});

export const ANN = basic("ann", "ann-answers-pw-1");
export const RAY = "0123456789abcdef-AMS";
export const PROBLEM = { Accept: "application/problem+json" };
export const PAGE = { Accept: "text/html" };

const strict = (more) => bearer(jwt({ kid: "strict", claims: strictClaims(more) }));

/** A request for each cause that can be brought about with this policy. */
export const CAUSES = [
  ["credentials-missing", "/x", {}],
  ["credentials-malformed", "/x", { Authorization: "Basic !!!" }],
  ["credentials-unsupported", "/basic/x", { Authorization: "Bearer abc" }],
  ["credentials-wrong", "/x", basic("ann", "nope")],
  ["token-malformed", "/x", bearer("a.b.c")],
  ["token-algorithm", "/x", bearer(jwt({ header: { alg: "none" } }))],
  ["token-unknown-key", "/x", bearer(jwt({ header: { kid: "x" } }))],
  ["token-bad-signature", "/x", bearer(jwt({ key: "x" }))],
  ["token-expired", "/x", bearer(jwt({ claims: { exp: now() - 100 } }))],
  ["token-not-yet-valid", "/x", bearer(jwt({ claims: { nbf: now() + 900 } }))],
  ["token-too-old", "/x", strict({ exp: now() + 9000 })],
  ["token-wrong-issuer", "/x", strict({ iss: "x" })],
  ["token-wrong-audience", "/x", strict({ aud: "x" })],
  ["token-missing-claim", "/x", strict({ jti: undefined })],
  ["password-expired", "/x", basic("old", "old-answers-pw-3")],
  ["account-suspended", "/x", basic("sam", "sam-answers-pw-2")],
  ["request-ambiguous", "/x/%2e%2e%2fpublic", {}],
  ["request-ambiguous", "/%zz", {}],
  ["not-allowed", "/past/x", ANN],
  ["insufficient-scope", "/scoped/x", ANN],
  ["denied", "/denied/x", {}],
  ["cross-site", "/x", { ...ANN, "Sec-Fetch-Site": "cross-site" }, "POST"],
  ["insecure-transport", "http://acme.example/x", {}, "POST"],
  ["not-found", "/.edgeward/nothing-here", {}],
  ["method-not-allowed", "/.edgeward/health", {}, "DELETE"],
  ["method-not-allowed", "/public/x", {}, "TRACE"],
];
