// What most would write: jose's `jwtVerify` with a key that is imported once for each isolate.
import { jwtVerify } from "jose";

let imported;

function key(env) {
  const octets = Uint8Array.from(atob(env.KEY.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return (imported ??= crypto.subtle.importKey("raw", octets, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]));
}

export default {
  async fetch(request, env) {
    const field = request.headers.get("authorization") ?? "";
    try {
      await jwtVerify(field.slice("Bearer ".length), await key(env), { algorithms: ["HS256"], requiredClaims: ["exp"] });
    } catch {
      return new Response("Unauthorized\n", { status: 401, headers: { "WWW-Authenticate": "Bearer" } });
    }
    return fetch(request);
  },
};
