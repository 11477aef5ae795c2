// A client that never stops working: its API key is sent once in a while, and a token of some minutes with each request.
//
//   const client = refreshing("https://acme.example", process.env.ACME_API_KEY);
//   const response = await client("/api/orders");
//
// It needs `[vars.EDGEWARD.token]` in the policy. Where a token has expired, Edgeward answers 401 with problem details
// (RFC 9457) whose `refresh` says where a fresh one is made: the client gets one and repeats the request, once.

/** `fetch` for one site: the same arguments and the same answers, with a token in each request. */
export function refreshing(site, apiKey, field = "X-API-Key") {
  let token; // a promise: requests that come at once share it

  async function fresh(path = "/.edgeward/token") {
    const response = await fetch(new URL(path, site), { method: "POST", headers: { [field]: apiKey } });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    return (await response.json()).access_token;
  }

  /** Gets a token, unless somebody has got a newer one than `stale` by now. A failure is not kept. */
  function renewed(stale, path) {
    if (token === stale) {
      token = fresh(path);
      token.catch(() => (token = undefined));
    }
    return token;
  }

  return async function client(path, init = {}) {
    const send = async (bearer) => {
      const headers = new Headers(init.headers);
      headers.set("Authorization", `Bearer ${await bearer}`);
      if (!headers.has("Accept")) headers.set("Accept", "application/json");
      return fetch(new URL(path, site), { ...init, headers });
    };
    const used = token ?? renewed();
    const response = await send(used);
    const refresh = await refreshPath(response);
    return refresh ? send(renewed(used, refresh)) : response;
  };
}

/** Where a fresh token is made, if that is what the answer asks for. */
async function refreshPath(response) {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  if (response.status !== 401 || !isProblem) return undefined;
  return (await response.clone().json()).refresh;
}
