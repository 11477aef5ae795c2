// Bearer tokens (RFC 6750) that are JWTs (RFC 7515, 7519): what others mint is let in, what is wrong is refused for its cause.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { challenges, eachRow, passed, shared } from './expect.mjs';
import { KEYS, NO_VECTORS, base64url, basic, bearer, cases, jwt, keySet, now, policy, secrets, sign } from './given.mjs';
import { startGate, withGate } from './harness.mjs';
import { python } from './python.mjs';

const world = shared();
const { ask, refuses, passes, stops } = world;
const sent = (token) => ({ headers: bearer(token) });
const refusesToken = (token, cause) => refuses('/bearer/x', sent(token), cause);
const GOOD = () => sent(jwt());

/** Each row is a token and the cause it is refused for; a good token after it still works. */
const refusesEach = (t, rows) =>
  eachRow(t, rows, async (token, cause) => {
    await refusesToken(token, cause);
    await passes('/bearer/x', GOOD());
  });

test('a token made by hand is let in, and the origin is told who it is', async () => {
  const seen = await passes('/x', sent(jwt({ claims: { sub: 'ann@idp', groups: ['editors', 'a,b c'] } })));
  assert.equal(seen.get('x-edgeward-user'), 'token:ann@idp');
  assert.equal(seen.get('x-edgeward-groups'), 'editors,a%2Cb%20c');
  assert.equal(seen.get('authorization'), undefined);
});

test('tokens minted by jose are let in', async (t) => {
  await eachRow(t, ['main', 'main384', 'main512'].map((kid) => [KEYS[kid].alg, kid]), async (kid) => {
    const { alg, key } = KEYS[kid];
    const token = await new SignJWT({ scope: 'read' }).setProtectedHeader({ alg, kid, typ: 'JWT' }).setSubject('jo').setIssuedAt().setExpirationTime('5m').sign(key);
    assert.equal((await passes('/x', sent(token))).get('x-edgeward-user'), 'token:jo');
  });
});

test('tokens minted by jsonwebtoken are let in', async (t) => {
  await eachRow(t, ['main', 'main384', 'main512'].map((kid) => [KEYS[kid].alg, kid]), async (kid) => {
    const { alg, key } = KEYS[kid];
    const token = jsonwebtoken.sign({ plan: 'pro' }, key, { algorithm: alg, keyid: kid, subject: 'jo', expiresIn: '5m' });
    assert.equal((await passes('/x', sent(token))).get('x-edgeward-user'), 'token:jo');
  });
});

test('tokens minted by PyJWT are let in', async (t) => {
  const interpreter = python();
  if (!interpreter) return t.skip('PyJWT cannot be had here');
  const script = [
    'import jwt, sys, time',
    'key, alg, kid = bytes.fromhex(sys.argv[1]), sys.argv[2], sys.argv[3]',
    'print(jwt.encode({"sub": "py", "exp": int(time.time()) + 300}, key, algorithm=alg, headers={"kid": kid}))',
  ].join('\n');
  return eachRow(t, ['main', 'main384', 'main512'].map((kid) => [KEYS[kid].alg, kid]), async (kid) => {
    const { alg, key } = KEYS[kid];
    const token = execFileSync(interpreter, ['-c', script, key.toString('hex'), alg, kid], { encoding: 'utf8' }).trim();
    assert.equal((await passes('/x', sent(token))).get('x-edgeward-user'), 'token:py');
  });
});

test('the scheme is compared without regard to case', async (t) => {
  const rows = ['bearer', 'BEARER', 'bEaReR'].map((scheme) => [scheme, scheme]);
  await eachRow(t, rows, (scheme) => passes('/x', { headers: { Authorization: `${scheme} ${jwt()}` } }));
});

test('the algorithm is the key\'s: whatever else the header says is refused', async (t) => {
  const input = (header) => `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify({ exp: now() + 600, sub: 'x' }))}`;
  const unsigned = (header) => `${input(header)}.`;
  const signed = (header, kid, alg) => `${input(header)}.${sign(input(header), KEYS[kid].key, alg)}`;
  await refusesEach(t, [
    ['none', unsigned({ alg: 'none', kid: 'main' }), 'token-algorithm'],
    ['nOnE', unsigned({ alg: 'nOnE', kid: 'main' }), 'token-algorithm'],
    ['NONE with a MAC', signed({ alg: 'NONE', kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['no alg', signed({ kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['HS512 with the key of HS256', signed({ alg: 'HS512', kid: 'main' }, 'main', 'HS512'), 'token-algorithm'],
    ['HS256 with the key of HS384', signed({ alg: 'HS256', kid: 'main384' }, 'main384', 'HS256'), 'token-algorithm'],
    ['RS256', signed({ alg: 'RS256', kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['ES256', signed({ alg: 'ES256', kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['HS1', signed({ alg: 'HS1', kid: 'main' }, 'main', 'HS1'), 'token-algorithm'],
    ['hs256 in lower case', signed({ alg: 'hs256', kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['an empty alg', signed({ alg: '', kid: 'main' }, 'main', 'HS256'), 'token-algorithm'],
    ['HS512 where the entry allows HS256 alone', signed({ alg: 'HS512', kid: 'strict' }, 'strict', 'HS512'), 'token-algorithm'],
  ]);
  await t.test('none with the signature left off altogether', () => stops('/bearer/x', sent(input({ alg: 'none' })), [401]));
});

test('an empty signature, a foreign key, and a changed claim are bad signatures', async (t) => {
  const good = jwt();
  const [head, , tag] = good.split('.');
  await refusesEach(t, [
    ['another key', jwt({ key: KEYS.strict.key }), 'token-bad-signature'],
    ['the empty key', jwt({ key: Buffer.alloc(0) }), 'token-bad-signature'],
    ['another payload', `${head}.${base64url(JSON.stringify({ exp: now() + 600, sub: 'root' }))}.${tag}`, 'token-bad-signature'],
    ['a tag cut short', good.slice(0, -3), 'token-bad-signature'],
    ['the tag of another token', `${good.split('.').slice(0, 2).join('.')}.${jwt({ claims: { sub: 'y' } }).split('.')[2]}`, 'token-bad-signature'],
  ]);
});

test('an empty signature does not let in', () => stops('/bearer/x', sent(jwt({ signature: '' })), [401]));

test('kid: unknown ones are refused, there is no falling back to another key', async (t) => {
  await refusesEach(t, [
    ['unknown', jwt({ header: { kid: 'nobody' }, key: KEYS.main.key }), 'token-unknown-key'],
    ['empty', jwt({ header: { kid: '' }, key: KEYS.main.key }), 'token-unknown-key'],
    ['in another case', jwt({ header: { kid: 'MAIN' }, key: KEYS.main.key }), 'token-unknown-key'],
    ['a path', jwt({ header: { kid: '../../dev/null' }, key: Buffer.alloc(0) }), 'token-unknown-key'],
    ['a number', jwt({ header: { kid: 1 } }), 'token-malformed'],
    ['null', jwt({ header: { kid: null } }), 'token-malformed'],
    ['that of another key', jwt({ header: { kid: 'main' }, key: KEYS.trusted.key }), 'token-bad-signature'],
  ]);
});

test('without a kid the fitting keys of the one entry are tried', async () => {
  const tokens = [{ format: 'jwt', algorithms: ['HS256', 'HS512'], require: ['exp'] }];
  await withGate({ policy: policy(world.origin, { tokens, rules: [] }), secrets: secrets() }, async (gate) => {
    for (const kid of ['main', 'trusted', 'lax', 'main512']) {
      const token = jwt({ kid, header: { kid: undefined } });
      passed(await gate.request('/x', sent(token)));
    }
    const foreign = await gate.request('/x', { headers: { ...bearer(jwt({ header: { kid: undefined }, key: Buffer.alloc(32, 9) })), Accept: 'application/json' } });
    assert.deepEqual([foreign.status, foreign.json().cause], [401, 'token-bad-signature']);
  });
});

test('with no tokens entry every key is taken with its own algorithm', async () => {
  const said = policy(world.origin, { tokens: undefined, rules: [] });
  await withGate({ policy: JSON.stringify(said), secrets: secrets() }, async (gate) => {
    for (const kid of Object.keys(KEYS)) passed(await gate.request('/x', sent(jwt({ kid }))));
    const noExp = await gate.request('/x', sent(jwt({ claims: { exp: undefined } })));
    assert.equal(noExp.status, 401);
  });
});

test('an entry with more than eight keys requires a kid', async () => {
  const nine = Array.from({ length: 9 }, (_, i) => ({ kty: 'oct', kid: `k${i}`, alg: 'HS256', k: base64url(Buffer.from(`${i}-of-nine-keys`.repeat(4))) }));
  const said = JSON.stringify(policy(world.origin, { tokens: undefined, rules: [] }));
  await withGate({ policy: said, secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: nine }) }) }, async (gate) => {
    const key = Buffer.from('0-of-nine-keys'.repeat(4));
    passed(await gate.request('/x', sent(jwt({ header: { kid: 'k0' }, key }))));
    assert.equal((await gate.request('/x', sent(jwt({ header: { kid: undefined }, key })))).status, 401);
  });
});

test('form: what is no JWS in compact form is malformed', async (t) => {
  const good = jwt();
  const [head, body, tag] = good.split('.');
  const raw = (header, claims) => jwt({ header, claims });
  const HEADER = '{"alg":"HS256","kid":"main"}';
  const lastChanged = `${head}.${body}.${tag.slice(0, -1)}${nextSpelling(tag.at(-1))}`;
  await refusesEach(t, [
    ['one part', 'abcdef', 'token-malformed'],
    ['two parts', `${head}.${body}`, 'token-malformed'],
    ['four parts', `${good}.x`, 'token-malformed'],
    ['five parts, as a JWE', `${good}.x.y`, 'token-malformed'],
    ['an empty header', `.${body}.${tag}`, 'token-malformed'],
    ['an empty payload, signed', raw({}, ''), 'token-malformed'],
    ['only dots', '..', 'token-malformed'],
    ['a header that is no JSON', raw('abc'), 'token-malformed'],
    ['a header that is an array', raw('["HS256"]'), 'token-malformed'],
    ['a header that is a text', raw('"HS256"'), 'token-malformed'],
    ['alg as an array', raw('{"alg":["HS256"],"kid":"main"}'), 'token-malformed'],
    ['alg twice', raw('{"alg":"none","alg":"HS256","kid":"main"}'), 'token-malformed'],
    ['kid twice', raw('{"alg":"HS256","kid":"x","kid":"main"}'), 'token-malformed'],
    ['text after the header', raw(`${HEADER} x`), 'token-malformed'],
    ['crit', raw('{"alg":"HS256","kid":"main","crit":["exp"],"exp":1}'), 'token-malformed'],
    ['crit with nothing in it', raw('{"alg":"HS256","kid":"main","crit":[]}'), 'token-malformed'],
    ['b64 false', raw('{"alg":"HS256","kid":"main","b64":false}'), 'token-malformed'],
    ['typ of our assertions', raw('{"alg":"HS256","kid":"main","typ":"edgeward-assertion+jwt"}'), 'token-malformed'],
    ['the same in another case', raw('{"alg":"HS256","kid":"main","typ":"Edgeward-Assertion+JWT"}'), 'token-malformed'],
    ['the same with the media type\'s prefix', raw('{"alg":"HS256","kid":"main","typ":"application/edgeward-assertion+jwt"}'), 'token-malformed'],
    ['padding', `${head}.${body}.${tag}=`, 'token-malformed'],
    ['another spelling of the last character', lastChanged, 'token-malformed'],
    ['standard base64 alphabet', `${head}.${body}.${`+/${tag.slice(2)}`}`, 'token-malformed'],
    ['claims that are no JSON', raw({}, 'abc'), 'token-malformed'],
    ['claims that are an array', raw({}, '[]'), 'token-malformed'],
    ['claims that are null', raw({}, 'null'), 'token-malformed'],
    ['claims that are a text', raw({}, '"x"'), 'token-malformed'],
    ['claims that are no UTF-8', raw({}, Buffer.from(`{"exp":${now() + 600},"sub":"\xff"}`, 'latin1')), 'token-malformed'],
    ['text after the claims', raw({}, `{"exp":${now() + 600}} x`), 'token-malformed'],
    ['exp twice', raw({}, `{"exp":1,"exp":${now() + 600}}`), 'token-malformed'],
    ['exp twice, one escaped', raw({}, `{"exp":1,"\\u0065xp":${now() + 600}}`), 'token-malformed'],
    ['an unknown claim twice', raw({}, `{"exp":${now() + 600},"x":1,"x":2}`), 'token-malformed'],
    ['a member twice deeper down', raw({}, `{"exp":${now() + 600},"x":{"y":1,"y":2}}`), 'token-malformed'],
    ['over 8 KB', jwt({ claims: { x: 'x'.repeat(8200) } }), 'token-malformed'],
  ]);
});

test('claims nested two thousand deep are no fault of the gate', async () => {
  const deep = jwt({ claims: `{"exp":${now() + 600},"x":${'['.repeat(2000)}${']'.repeat(2000)}}` });
  assert.ok([200, 401].includes((await ask('/bearer/x', sent(deep))).status));
  await passes('/bearer/x', GOOD());
});

function nextSpelling(character) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) ^ 1]; // 32 octets end in two unused bits
}

test('a Bearer value that is no b64token is malformed credentials (RFC 6750 §2.1)', async (t) => {
  const rows = [
    ['nothing', 'Bearer'],
    ['a space', 'Bearer '],
    ['two words', `Bearer invalid ${jwt()}`],
    ['quotes', 'Bearer "abc"'],
    ['a character that is none of it', 'Bearer ab$c'],
    ['= inside', 'Bearer a=b'],
  ];
  await eachRow(t, rows, (value) => refuses('/bearer/x', { headers: { Authorization: value } }, 'credentials-malformed'));
});

test('tokens of any length that break do not break the gate', async (t) => {
  const rows = [1000, 8192, 65_536, 200_000].map((length) => [`${length} octets`, 'x'.repeat(length)]);
  await eachRow(t, rows, async (text) => {
    const response = await ask('/bearer/x', { headers: { Authorization: `Bearer ${text}` } });
    assert.ok([401, 431].includes(response.status), String(response.status));
    await passes('/bearer/x', GOOD());
  });
});

test('claim types: a NumericDate is a number from 0 to 253402300799', async (t) => {
  const exp = now() + 600;
  const wrong = (name) =>
    ['"1999999999"', '[1999999999]', 'true', 'null', '{}', '-1', '1e300', '253402300800', '-0.5'].map((text) => [
      `${name} ${text}`,
      jwt({ claims: name === 'exp' ? `{"exp":${text},"sub":"x"}` : `{"exp":${exp},"${name}":${text}}` }),
      'token-malformed',
    ]);
  await refusesEach(t, [...wrong('exp'), ...wrong('nbf'), ...wrong('iat')]);
  await refusesEach(t, [
    ['sub as a number', jwt({ claims: { sub: 7 } }), 'token-malformed'],
    ['sub as null', jwt({ claims: { sub: null } }), 'token-malformed'],
    ['iss as an array', jwt({ kid: 'strict', claims: strict({ iss: ['https://login.acme.example'] }) }), 'token-malformed'],
    ['iss as a number', jwt({ claims: { iss: 7 } }), 'token-malformed'],
    ['aud as a number', jwt({ kid: 'strict', claims: strict({ aud: 7 }) }), 'token-malformed'],
    ['aud with a number in it', jwt({ kid: 'strict', claims: strict({ aud: ['staging', 7] }) }), 'token-malformed'],
    ['jti as a number', jwt({ kid: 'strict', claims: strict({ jti: 7 }) }), 'token-malformed'],
    ['scope as an array', jwt({ claims: { scope: ['read'] } }), 'token-malformed'],
    ['groups as a text', jwt({ claims: { groups: 'editors' } }), 'token-malformed'],
    ['groups with a number in it', jwt({ claims: { groups: ['editors', 7] } }), 'token-malformed'],
  ]);
  await t.test('fractions and the largest date are allowed', async () => {
    await passes('/bearer/x', sent(jwt({ claims: `{"exp":${exp}.5,"nbf":0.25,"sub":"x"}` })));
    await passes('/bearer/x', sent(jwt({ claims: `{"exp":253402300799,"nbf":0,"iat":0,"sub":"x"}` })));
    await passes('/bearer/x', sent(jwt({ claims: `{"exp":${exp / 1e9}e9,"sub":"x"}` })));
  });
});

test('leeway: thirty seconds on exp, nbf and iat, and not one more', async (t) => {
  const at = (claims) => sent(jwt({ claims: { ...claims } }));
  await t.test('good: expired 27 s ago', () => passes('/bearer/x', at({ exp: now() - 27 })));
  await t.test('good: nbf in 29 s', () => passes('/bearer/x', at({ nbf: now() + 29 })));
  await t.test('good: issued in 29 s', () => passes('/bearer/x', at({ iat: now() + 29 })));
  await t.test('expired 30 s ago', () => refuses('/bearer/x', at({ exp: now() - 30 }), 'token-expired'));
  await t.test('nbf in 33 s', () => refuses('/bearer/x', at({ nbf: now() + 33 }), 'token-not-yet-valid'));
  await t.test('issued in 33 s', () => refuses('/bearer/x', at({ iat: now() + 33 }), 'token-not-yet-valid'));
  await t.test('long expired', () => refuses('/bearer/x', at({ exp: 1 }), 'token-expired'));
});

test('with no leeway exp is the first second that is too late (RFC 7519 §4.1.4)', async () => {
  await withGate({ policy: policy(world.origin, { leeway: 0 }), secrets: secrets() }, async (gate) => {
    assert.equal((await gate.request('/x', sent(jwt({ claims: { exp: now() } })))).status, 401);
    passed(await gate.request('/x', sent(jwt({ claims: { exp: now() + 3, nbf: now(), iat: now() } }))));
    assert.equal((await gate.request('/x', sent(jwt({ claims: { nbf: now() + 3 } })))).status, 401);
  });
});

/** Claims that the entry `strict` takes. */
function strict(more = {}) {
  return { iss: 'https://login.acme.example', aud: 'staging', sub: 'ann', jti: 'j1', iat: now() - 10, exp: now() + 600, ...more };
}

test('issuer, audience, max_age and required claims: configured means required', async (t) => {
  const of = (more) => jwt({ kid: 'strict', claims: strict(more) });
  await t.test('all there', () => passes('/bearer/x', sent(of())));
  await t.test('the second issuer, one of several audiences', () => passes('/bearer/x', sent(of({ iss: 'https://login2.acme.example', aud: ['x', 'preview'] }))));
  await t.test('an hour exactly', () => passes('/bearer/x', sent(of({ iat: now() - 10, exp: now() + 3590 }))));
  await refusesEach(t, [
    ['no issuer', of({ iss: undefined }), 'token-missing-claim'],
    ['another issuer', of({ iss: 'https://evil.example' }), 'token-wrong-issuer'],
    ['an issuer with a slash more', of({ iss: 'https://login.acme.example/' }), 'token-wrong-issuer'],
    ['an empty issuer', of({ iss: '' }), 'token-wrong-issuer'],
    ['no audience', of({ aud: undefined }), 'token-missing-claim'],
    ['another audience', of({ aud: 'production' }), 'token-wrong-audience'],
    ['no audience in the array', of({ aud: [] }), 'token-wrong-audience'],
    ['a prefix of the audience', of({ aud: 'stag' }), 'token-wrong-audience'],
    ['no sub', of({ sub: undefined }), 'token-missing-claim'],
    ['no jti', of({ jti: undefined }), 'token-missing-claim'],
    ['no exp', of({ exp: undefined }), 'token-missing-claim'],
    ['no iat under max_age', of({ iat: undefined }), 'token-missing-claim'],
    ['a second over an hour', of({ iat: now() - 10, exp: now() + 3591 }), 'token-too-old'],
  ]);
});

test('max_age without exp counts from iat, and forgives the leeway', async () => {
  const of = (claims) => sent(jwt({ kid: 'lax', claims: { exp: undefined, ...claims } }));
  await passes('/bearer/x', of({ iat: now() - 7200 - 25 }));
  await refuses('/bearer/x', of({ iat: now() - 7200 - 35 }), 'token-too-old');
  await refuses('/bearer/x', of({}), 'token-missing-claim');
});

test('exp is required unless require says otherwise', async () => {
  await refuses('/bearer/x', sent(jwt({ claims: { exp: undefined } })), 'token-missing-claim');
  await passes('/bearer/x', sent(jwt({ kid: 'narrow', claims: { exp: undefined, sub: undefined } })));
});

test('one cause comes before another in the order of the contract', async (t) => {
  const both = (first, more) => jwt({ kid: 'strict', claims: strict(more), ...first });
  await refusesEach(t, [
    ['algorithm before signature', both({ alg: 'HS512', header: {}, key: KEYS.main.key }), 'token-algorithm'],
    ['signature before claim types', both({ key: KEYS.main.key }, { exp: 'x' }), 'token-bad-signature'],
    ['signature before expiry', both({ key: KEYS.main.key }, { exp: 1 }), 'token-bad-signature'],
    ['claim types before a missing claim', both({}, { nbf: 'x', iss: undefined }), 'token-malformed'],
    ['a missing claim before a wrong issuer', both({}, { iss: 'x', jti: undefined }), 'token-missing-claim'],
    ['issuer before audience', both({}, { iss: 'x', aud: 'x' }), 'token-wrong-issuer'],
    ['audience before too early', both({}, { aud: 'x', nbf: now() + 900 }), 'token-wrong-audience'],
    ['too early before expired', both({}, { nbf: now() + 900, exp: 1, iat: 1 }), 'token-not-yet-valid'],
    ['expired before too old', both({}, { exp: now() - 40, iat: now() - 9000 }), 'token-expired'],
  ]);
});

test('places: Authorization, query, cookie and field', async (t) => {
  const token = jwt();
  await t.test('query', async () => assert.equal((await passes(`/x?a=1&access_token=${token}`)).url, '/x?a=1'));
  await t.test('cookie', async () => assert.equal((await passes('/x', { headers: { Cookie: `acme_token=${token}` } })).get('cookie'), undefined));
  await t.test('field', async () => assert.equal((await passes('/x', { headers: { 'X-Token': token } })).get('x-token'), undefined));
  await t.test('cookie names are case-sensitive', () => refuses('/x', { headers: { Cookie: `Acme_Token=${token}` } }, 'credentials-missing'));
  await t.test('a damaged one in the cookie', () => stops('/x', { headers: { Cookie: `acme_token=s${token}` } }, [401]));
  await t.test('two words in the cookie', () => stops('/x', { headers: { Cookie: 'acme_token=invalid token' } }, [401]));
  await t.test('a form parameter is none', () =>
    refuses('/x', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `access_token=${token}` }, 'credentials-missing'));
});

test('an entry\'s key is good only in that entry\'s places', async () => {
  const token = jwt({ kid: 'strict', claims: strict() });
  await passes('/x', sent(token));
  await stops('/x', { headers: { Cookie: `acme_token=${token}` } }, [401]);
  await stops(`/x?access_token=${token}`, {}, [401]);
});

test('twice is ambiguous: a cookie, a parameter, two fields', async (t) => {
  const token = jwt();
  await eachRow(
    t,
    [
      ['cookie twice', '/x', { Cookie: `acme_token=${token}; acme_token=${token}` }],
      ['cookie twice, bad then good', '/x', { Cookie: `acme_token=bad; acme_token=${token}` }],
      ['parameter twice', `/x?access_token=${token}&access_token=${token}`, {}],
      ['Authorization and the configured field', '/x', { ...bearer(token), 'X-Token': token }],
      ['Basic and the configured field', '/x', { ...basic('ann'), 'X-Token': token }],
    ],
    (path, headers) => refuses(path, { headers }, 'request-ambiguous'),
  );
  await t.test('the configured field in two lines', () => stops('/x', { headers: [['X-Token', token], ['X-Token', token]] }, [400, 401]));
  await t.test('the cookie in two lines', () => stops('/x', { headers: [['Cookie', `acme_token=${token}`], ['Cookie', `acme_token=${token}`]] }, [400, 401]));
});

test('the strongest place decides alone', async () => {
  const [good, bad] = [jwt(), jwt({ claims: { exp: 1 } })];
  await passes(`/x?access_token=${bad}`, { headers: bearer(good) });
  await refuses(`/x?access_token=${good}`, { headers: bearer(bad) }, 'token-expired');
  await refuses(`/x?access_token=${bad}`, { headers: { Cookie: `acme_token=${good}` } }, 'token-expired');
  await passes(`/x?access_token=${good}`, { headers: { Cookie: `acme_token=${bad}` } });
  await refuses('/x', { headers: { ...basic('ann', 'wrong'), Cookie: `acme_token=${good}` } }, 'credentials-wrong');
});

test('what a rule does not accept is as if it were absent', async () => {
  const token = jwt();
  await passes('/basic/x', { headers: { ...basic('ann'), Cookie: `acme_token=${token}` } });
  await passes('/basic/x', { headers: { ...basic('ann'), 'X-Token': token } });
  await passes(`/bearer/x?access_token=${token}`, { headers: basic('ann') });
  await refuses('/basic/x', sent(token), 'credentials-unsupported');
  await refuses('/basic/x', { headers: { Cookie: `acme_token=${token}` } }, 'credentials-unsupported');
});

test('scopes: all of them, by exact words, and said in the challenge', async (t) => {
  const with_ = (scope) => sent(jwt({ claims: { scope } }));
  await t.test('both', () => passes('/scoped/x', with_('write read')));
  await t.test('both and more', () => passes('/scoped/x', with_('read admin write')));
  await eachRow(t, [['one of two', 'read'], ['none', undefined], ['joined by a comma', 'read,write'], ['prefixes', 'reader writer'], ['upper case', 'READ WRITE'], ['empty', '']], async (scope) => {
    const response = await refuses('/scoped/x', with_(scope), 'insufficient-scope');
    const [scheme, said] = challenges(response).find(([name]) => name === 'Bearer');
    assert.equal(scheme, 'Bearer');
    assert.equal(said.error, 'insufficient_scope');
    assert.deepEqual(said.scope.split(' ').sort(), ['read', 'write']);
  });
  await t.test('accounts have none', () => refuses('/scoped/x', { headers: basic('ann') }, 'insufficient-scope'));
});

test('groups and claims: one that matches is enough, within claims every name must', async (t) => {
  const with_ = (claims) => sent(jwt({ claims }));
  await t.test('group of the token', () => passes('/staff/x', with_({ groups: ['x', 'staff'] })));
  await t.test('no group', () => refuses('/staff/x', with_({}), 'not-allowed'));
  await t.test('another group', () => refuses('/staff/x', with_({ groups: ['Staff', 'staff2'] }), 'not-allowed'));
  await t.test('groups or users: by group', () => passes('/either/x', with_({ groups: ['editors'] })));
  await t.test('groups or users: by user', () => passes('/either/x', { headers: basic('ann') }));
  await t.test('neither', () => refuses('/either/x', { headers: basic('bob') }, 'not-allowed'));
  await t.test('both claims', () => passes('/claims/x', with_({ plan: 'team', region: ['us', 'eu'] })));
  await t.test('one claim of two', () => refuses('/claims/x', with_({ plan: 'pro' }), 'not-allowed'));
  await t.test('a wrong value', () => refuses('/claims/x', with_({ plan: 'free', region: 'eu' }), 'not-allowed'));
  await t.test('a value of another type', () => refuses('/claims/x', with_({ plan: { pro: true }, region: 'eu' }), 'not-allowed'));
  await t.test('a claim of the prototype is none', () => refuses('/claims/x', with_({ constructor: 'pro' }), 'not-allowed'));
});

test('a token is not an account: users names accounts alone', async () => {
  await passes('/for-ann', { headers: basic('ann') });
  await refuses('/for-ann', sent(jwt({ claims: { sub: 'ann' } })), 'not-allowed');
});

test('trust_subject: sub is a user-id of ours, whose line holds', async (t) => {
  const of = (sub) => sent(jwt({ kid: 'trusted', claims: { sub, groups: ['forged'] } }));
  await t.test('ann', async () => {
    const seen = await passes('/for-ann', of('ann'));
    assert.equal(seen.get('x-edgeward-user'), 'ann');
    assert.equal(seen.get('x-edgeward-groups'), 'staff,admins');
  });
  await t.test('nobody of that name', () => stops('/x', of('nobody-here'), [401, 403]));
  await t.test('a suspended account', () => refuses('/x', of('suspended'), 'account-suspended'));
  await t.test('her line\'s groups hold', () => refuses('/staff/x', sent(jwt({ kid: 'trusted', claims: { sub: 'bob', groups: ['staff'] } })), 'not-allowed'));
  for (const sub of ['token:ann', 'key:ann', 'link:ann']) await t.test(`${sub} is malformed`, () => refuses('/x', of(sub), 'token-malformed'));
});

test('a token without sub has no user: the field and the claim are left out', async () => {
  const seen = await passes('/x', { headers: { ...bearer(jwt({ claims: { sub: undefined } })), 'X-Edgeward-User': 'root' } });
  assert.equal(seen.get('x-edgeward-user'), undefined);
  const claims = JSON.parse(Buffer.from(seen.get('x-edgeward-assertion').split('.')[1], 'base64url'));
  assert.ok(!('sub' in claims));
});

test('networks and times narrow: not-allowed elsewhere and otherwise', async (t) => {
  const from = (address) => ({ headers: { ...basic('ann'), ...(address && { 'CF-Connecting-IP': address }) } });
  await t.test('inside, IPv4', () => passes('/net/x', from('203.0.113.77')));
  await t.test('inside, IPv6', () => passes('/net/x', from('2001:db8:1::5')));
  await t.test('outside', () => refuses('/net/x', from('203.0.114.1'), 'not-allowed'));
  await t.test('no address', () => refuses('/net/x', from(), 'not-allowed'));
  await t.test('X-Forwarded-For is not believed', () =>
    refuses('/net/x', { headers: { ...basic('ann'), 'X-Forwarded-For': '203.0.113.77', 'X-Real-IP': '203.0.113.77' } }, 'not-allowed'));
  await t.test('before not_before', () => refuses('/future/x', from(), 'not-allowed'));
  await t.test('after not_after', () => refuses('/past/x', from(), 'not-allowed'));
  await t.test('public inside', () => passes('/public-net/x', { headers: { 'CF-Connecting-IP': '203.0.113.9' } }));
  await t.test('decided as authenticated outside', () => refuses('/public-net/x', { headers: { 'CF-Connecting-IP': '198.51.100.9' } }, 'credentials-missing'));
});

const PEERS = cases('cases_bearer_apikey_peers.json');

test('the cases of public suites that speak of Bearer', { skip: PEERS ? false : NO_VECTORS }, async (t) => {
  for (const it of PEERS.filter(({ input }) => input.kind === 'http-request' && !input.config.api_keys && !input.config.users)) {
    const asked = peer(it);
    if (asked) await t.test(`${it.id}: ${it.what}`, asked);
  }
});

/** Opaque tokens and short keys are not ours: a good JWT stands where the suite's own good token stood. */
function peer({ input, expected }) {
  if (expected.level !== 'must' || input.config.prefix) return undefined;
  const own = [...(input.config.tokens ?? []), /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(JSON.stringify(input))?.[0]].filter(Boolean);
  const good = jwt();
  const swap = (text) => (expected.status === 200 ? own.reduce((out, token) => out.replace(token, good), text) : text).replace('access_token=', place(input));
  const value = (it) => (typeof it === 'string' ? swap(it) : `${it.repeat[0]}${it.repeat[1].repeat(it.repeat[2])}${it.repeat[3]}`);
  const headers = input.headers.map(([name, it]) => [name, value(it)]);
  return async () => {
    const before = await world.origin.count();
    const response = await world.gate.request(`/bearer${input.path}`, { method: input.method, headers, body: input.body });
    const told = expected.status === 200 ? response.status : Math.floor(response.status / 100) * 100 + 1; // another 4xx is right too
    assert.equal(told, expected.status);
    assert.equal((await world.origin.count()) - before, expected.origin_called ? 1 : 0);
  };
}

const place = (input) => (input.config.cookie ? 'acme_token=' : 'access_token=');
