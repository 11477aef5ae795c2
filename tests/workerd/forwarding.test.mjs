// What the origin gets and what comes back from it. Contract §5, attacks 7, 8, 12, 21 and 27.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eachRow, passed, refused, shared } from './expect.mjs';
import { OLD_SECRET_BYTES, SECRET, SECRET_BYTES, assertionKey, base64url, basic, bearer, jwt, now, policy, secrets } from './given.mjs';
import { originView, withGate } from './harness.mjs';

const world = shared();
const { ask, passes, refuses } = world;
const ANN = basic('ann');
const ADDRESS = '203.0.113.77';
const claimsOf = (seen) => JSON.parse(Buffer.from(seen.get('x-edgeward-assertion').split('.')[1], 'base64url'));

/** Two lines the tests need on every answer that is no echo. */
const viaOrigin = async (path, more = {}) => world.gate.request(path, { ...more, headers: { ...ANN, ...more.headers } });

test('method, path, query and content reach the origin as they came', async (t) => {
  const { createHash } = await import('node:crypto');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
    await t.test(method, async () => {
      const body = `content of ${method} \u00e9`;
      const seen = await passes('/x/%C3%A9/a%20b?q=%2f+%zz&&x', { method, headers: ANN, body });
      assert.equal(seen.method, method);
      assert.equal(seen.url, '/x/%C3%A9/a%20b?q=%2f+%zz&&x');
      assert.deepEqual(seen.body, { length: Buffer.byteLength(body), sha256: createHash('sha256').update(body).digest('hex') });
    });
  }
  await t.test('HEAD', async () => {
    const response = await viaOrigin('/x', { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.content.length, 0);
    assert.equal((await world.origin.last()).method, 'HEAD');
  });
  await t.test('Host is the origin\'s', async () => assert.equal((await passes('/x', { headers: ANN })).get('host'), world.origin.host));
});

test('what a client says of itself does not reach the origin', async (t) => {
  const ours = ['X-Edgeward-User', 'X-Edgeward-Groups', 'X-Edgeward-Assertion', 'X-Edgeward-Anything', 'X-Edgeward-'];
  const others = ['X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'Forwarded', 'X-Real-IP'];
  const forwarded = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Forwarded-User', 'X-Forwarded-Anything'];
  const requests = [
    ['protected', '/x', ANN],
    ['protected, by token', '/x', bearer(jwt())],
    ['public', '/public/x', {}],
    ['report', '/report/x', {}],
    ['forward_credentials', '/keep/x', ANN],
    ['shared_cache', '/shared/x', ANN],
  ];
  for (const [rule, path, headers] of requests) {
    for (const name of [...ours, ...others, ...forwarded]) {
      await t.test(`${rule}: ${name}`, async () => {
        for (const alias of aliases(name)) {
          const seen = await passes(path, { headers: [...Object.entries(headers), [alias, 'spoofed-value'], ['X-Kept', 'yes']] });
          assert.doesNotMatch(seen.rawHeaders.join('\n'), /spoofed-value/, alias);
          assert.equal(seen.get('x-kept'), 'yes');
        }
      });
    }
  }
});

/** `-`, `_` and `.` in any mixture as separators, in any case. */
function aliases(name) {
  const mixed = name.split('-').reduce((out, part, i) => out + ['_', '.', '-'][i % 3] + part);
  const other = name.split('-').reduce((out, part, i) => out + ['.', '-', '_'][i % 3] + part);
  return [...new Set([name, name.toLowerCase(), name.toUpperCase(), name.replaceAll('-', '_'), name.replaceAll('-', '.'), mixed, other])];
}

test('a spoofed field in two lines and two spellings is off in all of them', async () => {
  const lines = [['X-Edgeward-User', 'spoofed'], ['x-edgeward-user', 'spoofed'], ['X_Edgeward_User', 'spoofed'], ['X-Edgeward_User', 'spoofed']];
  const seen = await passes('/x', { headers: [...Object.entries(ANN), ...lines] });
  assert.equal(seen.get('x-edgeward-user'), 'ann');
  assert.doesNotMatch(seen.rawHeaders.join('\n'), /spoofed/);
});

test('Connection cannot name ours away', async () => {
  const seen = await passes('/x', { headers: { ...ANN, Connection: 'close, X-Edgeward-User, X-Edgeward-Assertion, X-Forwarded-For', 'CF-Connecting-IP': ADDRESS } });
  assert.equal(seen.get('x-edgeward-user'), 'ann');
  assert.equal(seen.get('x-forwarded-for'), ADDRESS);
  assert.ok(seen.get('x-edgeward-assertion'));
});

test('names of renamed fields are off, and set under the new name', async () => {
  await withGate({ policy: policy(world.origin, { forward: { user: 'Remote-User', groups: 'Remote-Groups' } }), secrets: secrets() }, async (gate) => {
    for (const alias of aliases('Remote-User')) {
      const response = await gate.request('/x', { headers: [...Object.entries(ANN), [alias, 'spoofed'], ['X-Edgeward-User', 'spoofed']] });
      const seen = response.origin();
      assert.equal(seen.get('remote-user'), 'ann');
      assert.equal(seen.get('remote-groups'), 'staff,admins');
      assert.doesNotMatch(seen.rawHeaders.join('\n'), /spoofed/);
      const open = (await gate.request('/public/x', { headers: [[alias, 'spoofed']] })).origin();
      assert.doesNotMatch(open.rawHeaders.join('\n'), /spoofed/);
    }
  });
});

test('forward.identity = false tells the origin nothing, and still believes no client', async () => {
  await withGate({ policy: policy(world.origin, { forward: { identity: false } }), secrets: secrets() }, async (gate) => {
    const seen = (await gate.request('/x', { headers: { ...ANN, 'X-Edgeward-User': 'spoofed', 'X-Edgeward-Assertion': 'spoofed' } })).origin();
    assert.doesNotMatch(seen.rawHeaders.join('\n'), /x-edgeward|spoofed/i);
  });
});

test('credentials are off before the origin, verified or not, on every rule', async (t) => {
  const token = jwt();
  const wrong = 'Basic d3Jvbmc6d3Jvbmc=';
  await eachRow(
    t,
    [
      ['protected', '/x', ANN],
      ['protected, Bearer', '/x', bearer(token)],
      ['public, good', '/public/x', ANN],
      ['public, wrong', '/public/x', { Authorization: wrong }],
      ['public, two lines', '/public/x', [['Authorization', wrong], ['Authorization', wrong]]],
      ['public, another scheme', '/public/x', { Authorization: 'Negotiate abc' }],
      ['report, wrong', '/report/x', { Authorization: wrong }],
      ['report, Bearer', '/report/x', bearer('a.b.c')],
      ['shared cache', '/shared/x', ANN],
      ['a weaker credential beside a stronger one', '/x', { ...ANN, Cookie: `acme_token=${token}` }],
      ['the configured field on public', '/public/x', { 'X-Token': token }],
      ['the configured field on a rule that takes Basic alone', '/basic/x', { ...ANN, 'X-Token': token }],
      ['the cookie on public', '/public/x', { Cookie: `acme_token=${token}` }],
      ['the cookie twice on public', '/public/x', { Cookie: `acme_token=${token}; acme_token=${token}` }],
    ],
    async (path, headers) => {
      const seen = await passes(path, { headers });
      assert.equal(seen.get('authorization'), undefined);
      assert.equal(seen.get('x-token'), undefined);
      assert.equal(seen.get('cookie'), undefined);
      assert.ok(!seen.rawHeaders.join('\n').includes(token));
    },
  );
});

test('forward_credentials keeps Authorization and nothing else', async () => {
  assert.equal((await passes('/keep/x', { headers: ANN })).get('authorization'), ANN.Authorization);
  assert.equal((await passes('/keep-public/x', { headers: ANN })).get('authorization'), ANN.Authorization);
  const seen = await passes('/keep/x?access_token=abc&z', { headers: { ...ANN, Cookie: 'acme_token=abc; z=1' } });
  assert.deepEqual([seen.get('authorization'), seen.get('cookie'), seen.url], [ANN.Authorization, 'z=1', '/keep/x?z']);
});

test('EDGEWARD_ORIGIN_AUTHORIZATION is what the origin gets as Authorization', async () => {
  await withGate({ policy: policy(world.origin), secrets: secrets({ EDGEWARD_ORIGIN_AUTHORIZATION: 'Bearer origin-secret' }) }, async (gate) => {
    assert.deepEqual((await gate.request('/x', { headers: ANN })).origin().all('authorization'), ['Bearer origin-secret']);
  });
});

test('query tokens are off, the rest stays byte for byte', async (t) => {
  const token = jwt();
  const rows = [
    ['first', `?access_token=${token}&a=1`, '?a=1'],
    ['last', `?a=1&access_token=${token}`, '?a=1'],
    ['between', `?a=%2f+%zz&access_token=${token}&&c=;%20`, '?a=%2f+%zz&&c=;%20'],
    ['empties around', `?&access_token=${token}&&b`, '?&&b'],
    ['a name that only ends so', `?xaccess_token=1&access_token=${token}`, '?xaccess_token=1'],
    ['a name that only begins so', `?access_token=${token}&access_tokens=1`, '?access_tokens=1'],
    ['its name in a value', `?a=access_token=1&access_token=${token}`, '?a=access_token=1'],
    ['upper case is another name', `?ACCESS_TOKEN=1&access_token=${token}`, '?ACCESS_TOKEN=1'],
  ];
  await eachRow(t, rows, async (query, left) => {
    for (const [path, headers] of [['/x', {}], ['/public/x', {}], ['/report/x', {}], ['/x', ANN]]) {
      assert.equal((await passes(path + query, { headers })).url, path + left, path);
    }
  });
  await t.test('alone', async () => assert.match((await passes(`/x?access_token=${token}`)).url, /^\/x\??$/));
  await t.test('its name percent-encoded is no way round', async () => {
    const seen = await passes(`/public/x?access%5Ftoken=${token}&a=1`);
    assert.ok(!seen.url.includes(token));
  });
});

test('cookies of ours are off, the rest stays byte for byte', async (t) => {
  const names = ['acme_token', '__Host-edgeward', '__Host-edgeward-device', '__Host-edgeward-lang', '__Host-edgeward-link'];
  for (const name of names) {
    for (const [rule, path, headers] of [['protected', '/x', ANN], ['public', '/public/x', {}]]) {
      await t.test(`${name} on ${rule}`, async () => {
        const off = async (cookie) => (await passes(path, { headers: { ...headers, Cookie: cookie } })).get('cookie');
        assert.equal(await off(`a=1; ${name}=v; b=2`), 'a=1; b=2');
        assert.equal(await off(`${name}=v; b="q u"; c==%zz`), 'b="q u"; c==%zz');
        assert.equal(await off(`a=1; ${name}=v`), 'a=1');
        assert.equal(await off(`${name}=v`), undefined);
        assert.equal(await off(`x${name}=v; ${name}x=v`), `x${name}=v; ${name}x=v`);
      });
    }
  }
  await t.test('none of ours: untouched, odd as it is', async () => {
    const odd = 'a=1;b=2;; c ; =d; e="x;y"';
    assert.equal((await passes('/x', { headers: { ...ANN, Cookie: odd } })).get('cookie'), odd);
  });
});

test('X-Forwarded-Host, -Proto and -For are Edgeward\'s', async () => {
  const seen = await passes({ path: '/x', authority: 'shop.example:8443' }, { headers: { ...ANN, 'CF-Connecting-IP': ADDRESS, 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'http' } });
  assert.equal(seen.get('x-forwarded-host'), 'shop.example:8443');
  assert.equal(seen.get('x-forwarded-proto'), 'https');
  assert.equal(seen.get('x-forwarded-for'), ADDRESS);
  const clear = await passes('http://localhost/public/x', { headers: { 'X-Forwarded-Proto': 'https' } });
  assert.equal(clear.get('x-forwarded-proto'), 'http');
  assert.equal(clear.get('x-forwarded-for'), undefined);
});

test('user and groups: bytes outside 0x21–0x7E, % and , are percent-encoded', async () => {
  const seen = await passes('/x', { headers: bearer(jwt({ claims: { sub: 'Ann %41 L\u00e9e, x', groups: ['a,b', 'c d', '50%', '\u00fc', '~!"'] } })) });
  assert.equal(seen.get('x-edgeward-user'), 'token:Ann%20%2541%20L%C3%A9e%2C%20x');
  assert.equal(seen.get('x-edgeward-groups'), 'a%2Cb,c%20d,50%25,%C3%BC,~!"');
  const evil = await passes('/x', { headers: bearer(jwt({ claims: { sub: 'a\r\nX-Evil: 1', groups: ['x\n'] } })) });
  assert.equal(evil.get('x-edgeward-user'), 'token:a%0D%0AX-Evil:%201');
  assert.equal(evil.get('x-evil'), undefined);
});

test('no groups: no field or an empty one, never the client\'s', async () => {
  const seen = await passes('/x', { headers: { ...basic('bob'), 'X-Edgeward-Groups': 'admins' } });
  assert.ok([undefined, ''].includes(seen.get('x-edgeward-groups')));
});

function checkAssertion(token, { audience = world.origin.url, secret = SECRET_BYTES } = {}) {
  const [head, body, tag] = token.split('.');
  const expected = createHmac('sha256', assertionKey(audience, secret)).update(`${head}.${body}`).digest('base64url');
  assert.equal(tag, expected, 'the tag, by an independent HKDF and HMAC');
  return { header: JSON.parse(Buffer.from(head, 'base64url')), claims: JSON.parse(Buffer.from(body, 'base64url')) };
}

test('the assertion is signed with a key derived for its audience, and says who, what and where', async () => {
  const seen = await passes('/x/%C3%A9?a=1', { method: 'PUT', headers: ANN, body: 'x' });
  const { header, claims } = checkAssertion(seen.get('x-edgeward-assertion'));
  assert.equal(header.typ, 'edgeward-assertion+jwt');
  assert.equal(header.alg, 'HS256');
  assert.ok(typeof header.kid === 'string' && header.kid.length > 0);
  assert.equal(claims.iss, 'https://acme.example');
  assert.equal(claims.aud, world.origin.url);
  assert.equal(claims.sub, 'ann');
  assert.ok(Math.abs(claims.iat - now()) <= 3);
  assert.equal(claims.exp, claims.iat + 60);
  assert.ok(typeof claims.jti === 'string' && claims.jti.length >= 16);
  assert.equal(claims.htm, 'PUT');
  assert.equal(claims.htu, 'https://acme.example/x/%C3%A9');
  assert.ok(Array.isArray(claims.amr) && claims.amr.length > 0);
});

test('every assertion has a jti of its own, and HEAD is HEAD', async () => {
  const ids = new Set();
  for (let i = 0; i < 5; i += 1) ids.add(claimsOf(await passes('/x', { headers: ANN })).jti);
  assert.equal(ids.size, 5);
  await viaOrigin('/x', { method: 'HEAD' });
  assert.equal(claimsOf(originView(await world.origin.last())).htm, 'HEAD');
});

test('on public rules the assertion names nobody', async () => {
  const seen = await passes('/public/x', { headers: ANN });
  assert.equal(seen.get('x-edgeward-user'), undefined);
  const { claims } = checkAssertion(seen.get('x-edgeward-assertion'));
  assert.ok(!('sub' in claims));
});

test('an assertion is never accepted as Bearer', async () => {
  const token = (await passes('/x', { headers: ANN })).get('x-edgeward-assertion');
  await refuses('/bearer/x', { headers: bearer(token) }, 'token-malformed');
  await withGate({ policy: policy(world.origin, { tokens: undefined }), secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: [{ kty: 'oct', kid: claimsKid(token), alg: 'HS256', k: base64url(assertionKey(world.origin.url)) }] }) }) }, async (gate) => {
    const response = await gate.request('/bearer/x', { headers: { ...bearer(token), Accept: 'application/json' } });
    refused(response, 'token-malformed');
  });
});

const claimsKid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

test('the first of several secrets signs', async () => {
  const two = `${base64url(OLD_SECRET_BYTES)}\n  ${SECRET}`;
  await withGate({ policy: policy(world.origin), secrets: secrets({ EDGEWARD_SECRET: two }) }, async (gate) => {
    const seen = (await gate.request('/x', { headers: ANN })).origin();
    checkAssertion(seen.get('x-edgeward-assertion'), { secret: OLD_SECRET_BYTES });
  });
});

test('shared caches: what is not public is fetched with no-store and leaves as private', async (t) => {
  const STRIPPED = ['cdn-cache-control', 'cloudflare-cdn-cache-control', 'surrogate-control'];
  const tokens = (value) => (value ?? '').toLowerCase().split(',').map((it) => it.trim().split('=')[0]).filter(Boolean);
  await eachRow(
    t,
    [
      ['public', 'public, max-age=600, s-maxage=900'],
      ['public in upper case', 'PUBLIC, S-MaxAge=900'],
      ['immutable', 'public, max-age=31536000, immutable'],
      ['private already', 'private, max-age=60'],
    ],
    async (cc) => {
      const response = await viaOrigin(`/x/as/cache-headers?cc=${encodeURIComponent(cc)}`);
      const said = tokens(response.get('cache-control'));
      assert.ok(said.includes('private'), response.get('cache-control'));
      assert.ok(!said.includes('public') && !said.includes('s-maxage'));
      for (const name of STRIPPED) assert.equal(response.get(name), undefined, name);
      assert.equal(response.get('etag'), '"v1"');
    },
  );
  await t.test('stricter stays', async () => assert.ok(tokens((await viaOrigin('/x/as/cache-headers?cc=no-store')).get('cache-control')).includes('no-store')));
  await t.test('none said: private', async () => assert.ok(tokens((await viaOrigin('/x')).get('cache-control')).includes('private')));
  await t.test('by token and in report mode too', async () => {
    for (const [path, headers] of [['/x/as/cache-headers', bearer(jwt())], ['/report/as/cache-headers', {}]]) {
      const response = await world.gate.request(path, { headers });
      assert.ok(!tokens(response.get('cache-control')).includes('public'));
    }
  });
  // workerd writes `cache: "no-store"` of a fetch as these two fields.
  await t.test('the fetch says no-store', async () => {
    const seen = await passes('/x', { headers: ANN });
    assert.equal(seen.get('cache-control'), 'no-cache');
    assert.equal(seen.get('pragma'), 'no-cache');
  });
  for (const [name, path, headers] of [['public', '/public/as/cache-headers', {}], ['shared_cache', '/shared/as/cache-headers', ANN]]) {
    await t.test(`${name}: untouched`, async () => {
      const response = await world.gate.request(path, { headers });
      assert.equal(response.get('cache-control'), 'public, max-age=600, s-maxage=900');
      for (const field of STRIPPED) assert.ok(response.get(field), field);
    });
  }
});

test('Location and Content-Location on the origin\'s authority become the public one', async (t) => {
  const of = async (location, content = '/here') => viaOrigin(`/x/as/location?location=${encodeURIComponent(location)}&content-location=${encodeURIComponent(content)}`);
  const { url, host } = world.origin;
  await eachRow(
    t,
    [
      ['its own authority', `${url}/there?x=%2f#y`, 'https://acme.example/there?x=%2f#y'],
      ['its root', `${url}/`, 'https://acme.example/'],
      ['path only', '/there', '/there'],
      ['elsewhere', 'https://other.example/there', 'https://other.example/there'],
      ['an authority that only begins so', `${url}9.evil.example/`, `${url}9.evil.example/`],
      ['relative', 'there', 'there'],
      ['scheme-relative, its own', `//${host}/there`, /^(https:)?\/\/acme\.example\/there$/],
    ],
    async (from, to) => {
      const response = await of(from, from);
      assert.equal(response.status, 201);
      for (const name of ['location', 'content-location']) {
        if (to instanceof RegExp) assert.match(response.get(name), to);
        else assert.equal(response.get(name), to);
      }
    },
  );
});

test('a base path of the origin is put on, and taken off again', async (t) => {
  await withGate({ policy: policy(`${world.origin.url}/base`), secrets: secrets() }, async (gate) => {
    const get = (path, more) => gate.request(path, { ...more, headers: ANN });
    await t.test('on', async () => assert.equal((await get('/x/y?z')).origin().url, '/base/x/y?z'));
    await t.test('on a path that looks like an authority', async () => assert.equal((await get('//evil.example/x')).origin().url, '/base//evil.example/x'));
    await t.test('the assertion is for the origin, without the path', async () => {
      const seen = (await get('/x')).origin();
      const { claims } = checkAssertion(seen.get('x-edgeward-assertion'));
      assert.equal(claims.aud, world.origin.url);
      assert.equal(claims.htu, 'https://acme.example/x');
    });
    const rows = [
      ['absolute', `${world.origin.url}/base/there?x`, 'https://acme.example/there?x'],
      ['path only', '/base/there?x', '/there?x'],
      ['the base itself', '/base/', '/'],
      ['a path that only begins so', '/basement', '/basement'],
    ];
    for (const [name, from, to] of rows) {
      await t.test(`off, ${name}`, async () => {
        const response = await get(`/location?location=${encodeURIComponent(from)}`);
        assert.equal(response.get('location'), to);
      });
    }
  });
});

test('redirects are passed on, never followed', async () => {
  await world.origin.forget();
  const response = await viaOrigin('/x/as/redirect');
  assert.equal(response.status, 302);
  assert.equal(response.get('location'), '/elsewhere?x=%2f');
  assert.equal(await world.origin.count(), 1);
});

test('Set-Cookie lines stay apart and in order; ours are dropped, a Domain of the origin is dropped', async (t) => {
  const bake = async (...cookies) => (await viaOrigin(`/x/as/set-cookie?${cookies.map((c) => `c=${encodeURIComponent(c)}`).join('&')}`)).all('set-cookie');
  await t.test('two lines', async () => assert.deepEqual(await bake('a=1; Path=/; Expires=Wed, 01 Sep 2027 00:00:00 GMT', 'b=2; HttpOnly'), ['a=1; Path=/; Expires=Wed, 01 Sep 2027 00:00:00 GMT', 'b=2; HttpOnly']));
  await t.test('three of one name', async () => assert.deepEqual(await bake('a=1', 'a=2', 'a=3'), ['a=1', 'a=2', 'a=3']));
  await t.test('Domain of the origin', async () => {
    const [line] = await bake('a=1; Domain=127.0.0.1; Path=/; Secure');
    assert.doesNotMatch(line, /domain/i);
    assert.match(line, /^a=1;.*Path=\/.*Secure/);
  });
  await t.test('Domain of another', async () => assert.deepEqual(await bake('a=1; Domain=acme.example'), ['a=1; Domain=acme.example']));
  await t.test('names of ours', async () => {
    const lines = await bake('__Host-edgeward=x; Path=/; Secure', 'a=1', '__Host-edgeward-device=x', '__Host-edgeward-lang=x', '__Host-edgeward-link=x', ' __Host-edgeward =x');
    assert.deepEqual(lines, ['a=1']);
    assert.match(await world.gate.printed(), /__Host-edgeward/);
  });
  await t.test('on public rules too', async () => {
    const response = await world.gate.request(`/public/as/set-cookie?c=${encodeURIComponent('__Host-edgeward=x')}&c=b`);
    assert.deepEqual(response.all('set-cookie'), ['b']);
  });
});

test('Range and conditional requests go through', async () => {
  const part = await viaOrigin('/x/as/range', { headers: { Range: 'bytes=2-5' } });
  assert.deepEqual([part.status, part.get('content-range'), part.text()], [206, 'bytes 2-5/20', '2345']);
  const same = await viaOrigin('/x/as/range', { headers: { 'If-None-Match': '"r1"' } });
  assert.deepEqual([same.status, same.get('etag')], [304, '"r1"']);
});

test('Via goes out, after those that are there', async () => {
  const seen = await passes('/x', { headers: { ...ANN, Via: '1.0 fred' } });
  assert.match(seen.get('via'), /^1\.0 fred, 1\.1 edgeward-[0-9a-f]{8}$/);
  assert.match((await passes('/public/x')).get('via'), /^1\.1 edgeward-[0-9a-f]{8}$/);
});

test('a Via of ours coming in is a loop: 502, logged', async () => {
  const via = (await passes('/x', { headers: ANN })).get('via');
  for (const [path, headers] of [['/x', ANN], ['/public/x', {}]]) {
    await refuses(path, { headers: { ...headers, Via: `1.1 other, ${via}` } }, 'origin-unreachable');
  }
  assert.match(await world.gate.printed(), /loop/i);
  await passes('/x', { headers: { ...ANN, Via: '1.1 edgeward-00000000x, 1.1 edgewardly' } });
});

test('an origin that is down is 502, one that hangs up too, and the gate goes on', async () => {
  await withGate({ policy: policy('http://127.0.0.1:1'), secrets: secrets() }, async (gate) => {
    for (const path of ['/x', '/public/x']) {
      const response = await gate.request(path, { headers: { ...ANN, Accept: 'application/json' } });
      refused(response, 'origin-unreachable');
      assert.equal(response.get('cache-control'), 'no-store');
    }
    assert.equal((await gate.request('/x')).status, 401);
  });
  const response = await ask('/x/as/hang-up', { headers: ANN });
  refused(response, 'origin-unreachable');
  await passes('/x', { headers: ANN });
});

test('an origin that breaks off in the middle does not harm the next request', async () => {
  await assert.rejects(viaOrigin('/x/as/half'));
  await passes('/x', { headers: ANN });
});

test('an origin that never answers holds up nobody else, and its own 504 passes', async () => {
  const waiting = new AbortController();
  const hung = viaOrigin('/x/as/no-answer', { signal: waiting.signal }).catch((error) => error.name);
  for (let i = 0; i < 5; i += 1) passed(await ask('/x', { headers: ANN }));
  waiting.abort();
  assert.equal(await hung, 'AbortError');
  passed(await ask('/x', { headers: ANN }));
  const own = await viaOrigin('/x/as/status/504');
  assert.deepEqual([own.status, own.text()], [504, 'from the origin']);
});

test('an origin that does not answer in time is 504', async () => {
  await withGate({ policy: policy(world.origin, { origin_timeout: '1s' }), secrets: secrets() }, async (gate) => {
    const response = await gate.request('/x/as/no-answer', { headers: { ...ANN, Accept: 'application/json' } });
    refused(response, 'origin-timeout');
    assert.equal((await gate.request('/x/as/slow?ms=200', { headers: ANN })).text(), 'slow');
    const text = await gate.request('/x/as/stream', { headers: ANN });
    assert.equal(text.text(), 'first\nlast\n', 'only the wait for the fields is timed, not the content');
  });
});

test('content streams: the first part is here before the last is sent', async () => {
  const started = performance.now();
  const first = await viaOrigin('/x/as/stream', {
    onResponse: (message) =>
      new Promise((done) => {
        message.once('data', (chunk) => done([String(chunk), performance.now() - started]));
        message.resume();
      }),
  });
  assert.equal(first[0], 'first\n');
  assert.ok(first[1] < 500, `${first[1]} ms`);
});

const GIB = 1 << 30;

test('1 GiB each way with flat memory', { timeout: 60_000 }, async (t) => {
  const watch = watchMemory();
  const got = await viaOrigin(`/x/as/big?bytes=${GIB}`, { onResponse: counted });
  assert.equal(got, GIB);
  const sent = await viaOrigin('/x', { method: 'POST', headers: { 'Content-Length': String(GIB) }, body: pour });
  assert.equal(sent.origin().body.length, GIB);
  const grown = watch.stop();
  if (grown === undefined) return t.diagnostic('memory of other processes cannot be read here');
  return assert.ok(grown < 200 * 1024 * 1024, `grew by ${Math.round(grown / 1024 / 1024)} MiB`);
});

const counted = (message) =>
  new Promise((done, failed) => {
    let length = 0;
    message.on('data', (chunk) => (length += chunk.length));
    message.on('error', failed);
    message.on('end', () => done(length));
  });

function pour(request) {
  const chunk = Buffer.alloc(1 << 16, 'edgeward');
  let left = GIB;
  const more = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!request.write(chunk)) return request.once('drain', more);
    }
    return request.end();
  };
  more();
}

/** Samples the resident memory of the workerd processes that this test started; on Linux. */
function watchMemory() {
  const first = workerdMemory();
  let most = first ?? 0;
  const timer = setInterval(() => (most = Math.max(most, workerdMemory() ?? 0)), 50);
  return {
    stop() {
      clearInterval(timer);
      return first === undefined ? undefined : most - first;
    },
  };
}

function workerdMemory() {
  try {
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statusOf(name)?.PPid === String(process.pid));
    const sizes = children.map(statusOf).filter((it) => it?.Name === 'workerd').map((it) => Number.parseInt(it.VmRSS, 10) * 1024);
    return sizes.length ? sizes.reduce((a, b) => a + b) : undefined;
  } catch {
    return undefined;
  }
}

function statusOf(pid) {
  try {
    return Object.fromEntries(readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').map((line) => line.split(':\t').map((it) => it.trim())));
  } catch {
    return undefined; // it ended meanwhile
  }
}

test('Expect: 100-continue goes through', async () => {
  const seen = await passes('/x', { method: 'POST', headers: { ...ANN, Expect: '100-continue' }, body: 'expected' });
  assert.equal(seen.body.length, 8);
});

test('a refusal of a large upload comes without reading all of it', async () => {
  const response = await world.gate.request('/x', { method: 'POST', headers: { 'Content-Length': String(GIB) }, body: (request) => { request.on('error', () => {}); request.write(Buffer.alloc(1 << 16)); } });
  assert.equal(response.status, 401);
});

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
const OWN = { Origin: 'https://acme.example' };
const FOREIGN = { Origin: 'https://evil.example' };

/** Opens a WebSocket, sends one frame, and tells what comes back. */
async function talk(path, headers) {
  const response = await world.gate.request(path, { headers: { ...UPGRADE, ...headers } });
  if (!response.socket) return { status: response.status };
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(Buffer.from('hello').map((octet, i) => octet ^ mask[i % 4]));
  const answer = new Promise((done) => response.socket.once('data', done));
  response.socket.write(Buffer.concat([Buffer.from([0x81, 0x85]), mask, payload]));
  const frame = await answer;
  response.socket.destroy();
  return { status: response.status, text: frame.subarray(2).toString() };
}

test('WebSocket: who may pass talks to the origin', async (t) => {
  const token = jwt();
  const OPEN = { status: 101, text: 'hello' };
  await eachRow(
    t,
    [
      ['Bearer', '/ws', bearer(token)],
      ['Bearer with a foreign Origin: it is not ambient', '/ws', { ...bearer(token), ...FOREIGN }],
      ['Basic with our Origin', '/ws', { ...ANN, ...OWN }],
      ['Basic with no Origin: a program', '/ws', ANN],
      ['a token cookie with our Origin', '/ws', { Cookie: `acme_token=${token}`, ...OWN }],
      ['a token in the query with a foreign Origin', `/ws?access_token=${token}`, FOREIGN],
      ['public, without credentials, from anywhere', '/public/ws', FOREIGN],
      ['cross_site = "allow" lifts it', '/lifted/ws', { ...ANN, ...FOREIGN }],
    ],
    async (path, headers) => {
      assert.deepEqual(await talk(path, headers), OPEN);
      const seen = originView(await world.origin.last());
      assert.equal(seen.get('authorization'), undefined);
      assert.ok(!JSON.stringify(seen).includes(token));
    },
  );
});

test('WebSocket: who may not pass does not reach the origin', async (t) => {
  const token = jwt();
  await eachRow(
    t,
    [
      ['no credentials', '/ws', {}, 'credentials-missing'],
      ['no credentials, our Origin', '/ws', OWN, 'credentials-missing'],
      ['no credentials, a foreign Origin', '/ws', FOREIGN, 'credentials-missing'],
      ['wrong password', '/ws', { ...basic('ann', 'no'), ...OWN }, 'credentials-wrong'],
      ['Basic with a foreign Origin', '/ws', { ...ANN, ...FOREIGN }, 'cross-site'],
      ['Basic with Origin null', '/ws', { ...ANN, Origin: 'null' }, 'cross-site'],
      ['Basic with our host over http', '/ws', { ...ANN, Origin: 'http://acme.example' }, 'cross-site'],
      ['Basic with our host on another port', '/ws', { ...ANN, Origin: 'https://acme.example:8443' }, 'cross-site'],
      ['Basic with a host below ours', '/ws', { ...ANN, Origin: 'https://a.acme.example' }, 'cross-site'],
      ['a cookie with no Origin', '/ws', { Cookie: `acme_token=${token}` }, 'cross-site'],
      ['a cookie with a foreign Origin', '/ws', { Cookie: `acme_token=${token}`, ...FOREIGN }, 'cross-site'],
      ['denied', '/denied/ws', { ...ANN, ...OWN }, 'denied'],
    ],
    async (path, headers, cause) => refuses(path, { headers: { ...UPGRADE, ...headers } }, cause),
  );
});

test('an upgrade that the origin refuses comes back as it is', async () => {
  const response = await world.gate.request('/not-a-socket', { headers: { ...UPGRADE, ...ANN } });
  assert.equal(response.status, 404);
});

test('cross-site requests with ambient credentials', async (t) => {
  const token = jwt();
  const COOKIE = { Cookie: `acme_token=${token}` };
  const SITE = (value) => ({ 'Sec-Fetch-Site': value });
  const refusedRows = [
    ['POST, Basic, cross-site', 'POST', { ...ANN, ...SITE('cross-site') }],
    ['POST, Basic, cross-site, whatever Origin says', 'POST', { ...ANN, ...SITE('cross-site'), ...OWN }],
    ['POST, Basic, a foreign Origin', 'POST', { ...ANN, ...FOREIGN }],
    ['POST, Basic, Origin null', 'POST', { ...ANN, Origin: 'null' }],
    ['POST, cookie, cross-site', 'POST', { ...COOKIE, ...SITE('cross-site') }],
    ['POST, cookie, a foreign Origin', 'POST', { ...COOKIE, ...FOREIGN }],
    ['PUT', 'PUT', { ...ANN, ...SITE('cross-site') }],
    ['DELETE', 'DELETE', { ...ANN, ...SITE('cross-site') }],
    ['PATCH', 'PATCH', { ...ANN, ...FOREIGN }],
    ['PROPFIND', 'PROPFIND', { ...ANN, ...SITE('cross-site') }],
    ['wrong password: it comes before verification', 'POST', { ...basic('ann', 'no'), ...SITE('cross-site') }],
  ];
  for (const [name, method, headers] of refusedRows) await t.test(`refused: ${name}`, () => refuses('/x', { method, headers }, 'cross-site'));
  const passedRows = [
    ['POST, Basic, same-origin', 'POST', { ...ANN, ...SITE('same-origin') }],
    ['POST, Basic, same-site', 'POST', { ...ANN, ...SITE('same-site') }],
    ['POST, Basic, none: the address bar', 'POST', { ...ANN, ...SITE('none') }],
    ['POST, Basic, our Origin', 'POST', { ...ANN, ...OWN }],
    ['POST, Basic, neither: a program', 'POST', ANN],
    ['POST, cookie, our Origin', 'POST', { ...COOKIE, ...OWN }],
    ['GET, cross-site: a link', 'GET', { ...ANN, ...SITE('cross-site') }],
    ['HEAD', 'HEAD', { ...ANN, ...SITE('cross-site') }],
    ['OPTIONS', 'OPTIONS', { ...ANN, ...FOREIGN }],
    ['Bearer is exempt', 'POST', { ...bearer(token), ...SITE('cross-site'), ...FOREIGN }],
  ];
  for (const [name, method, headers] of passedRows) await t.test(`let in: ${name}`, async () => assert.equal((await ask('/x', { method, headers })).status, 200));
  await t.test('cross_site = "allow" lifts it', () => passes('/lifted/x', { method: 'POST', headers: { ...ANN, ...SITE('cross-site') } }));
  await t.test('no credentials at all: missing', () => refuses('/x', { method: 'POST', headers: SITE('cross-site') }, 'credentials-missing'));
  await t.test('public is public', () => passes('/public/x', { method: 'POST', headers: { ...ANN, ...SITE('cross-site') } }));
});

test('many requests at once are kept apart', async () => {
  const users = Array.from({ length: 80 }, (_, i) => `u${i}`);
  const answers = await Promise.all(users.map((sub) => world.gate.request(`/x?${sub}`, { method: 'POST', headers: bearer(jwt({ claims: { sub } })), body: sub.repeat(1000) })));
  answers.forEach((response, i) => {
    passed(response);
    const seen = response.origin();
    assert.deepEqual([seen.url, seen.get('x-edgeward-user'), seen.body.length], [`/x?${users[i]}`, `token:${users[i]}`, users[i].length * 1000]);
  });
});
