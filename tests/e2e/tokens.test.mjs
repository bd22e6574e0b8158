// Wrong, expired, unsigned and foreign-key tokens, over HTTP and at the socket's door.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {after, test} from 'node:test';
import {Payam} from '../support/payam.mjs';
import {Person, call, connected, refusal, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const people = [];
after(() => people.forEach((person) => person.leave()));
async function arrive(where = url) {
  const person = await Person.arrive(where, 'token');
  people.push(person);
  return person;
}

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const signed = (header, claims, sign) => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(input).toString('base64url')}`;
};
const hs256 = (secret) => (input) => crypto.createHmac('sha256', secret).update(input).digest();
const es256 = (key) => (input) => crypto.sign('sha256', Buffer.from(input), {key, dsaEncoding: 'ieee-p1363'});
const now = () => Math.floor(Date.now() / 1000);

async function refusedEverywhere(person, token, what) {
  const answer = await call(person.url, 'GET', '/auth/users/me', undefined, {token});
  assert.equal(answer.status, 401, what);
  assert.deepEqual(answer.body, {detail: 'Could not validate credentials'}, what);
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer', what);
  const socket = person.socket({auth: {token}, reconnection: false, transports: ['websocket']});
  const error = await refusal(socket);
  assert.deepEqual([error.message, error.data], ['Could not validate credentials', {code: 'unauthorized'}], what);
}

test('a token is an ES256 JWT with the contract’s claims, signed by the published key', async () => {
  const person = await arrive();
  const [header, claims, signature] = person.token.split('.');
  const {alg, kid} = decode(header);
  assert.equal(alg, 'ES256');
  const {sub, exp, iat, jti, sid} = decode(claims);
  assert.equal(sub, person.email);
  assert.ok(exp > iat && Math.abs(iat - now()) < 60);
  assert.ok(jti && sid);
  const keys = (await call(url, 'GET', '/.well-known/jwks.json')).body.keys;
  const jwk = keys.find((candidate) => candidate.kid === kid);
  assert.ok(jwk && !('d' in jwk));
  const key = crypto.createPublicKey({key: jwk, format: 'jwk'});
  assert.ok(crypto.verify('sha256', Buffer.from(`${header}.${claims}`), {key, dsaEncoding: 'ieee-p1363'}, Buffer.from(signature, 'base64url')));
});

test('no token at all is Not authenticated', async () => {
  const answer = await call(url, 'GET', '/auth/users/me');
  assert.deepEqual([answer.status, answer.body, answer.headers.get('www-authenticate')], [401, {detail: 'Not authenticated'}, 'Bearer']);
});

test('nonsense, changed, unsigned and foreign-key tokens are refused', async () => {
  const person = await arrive();
  const [header, claims, signature] = person.token.split('.');
  const foreign = crypto.generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey;
  const jwk = (await call(url, 'GET', '/.well-known/jwks.json')).body.keys[0];
  const pem = crypto.createPublicKey({key: jwk, format: 'jwk'}).export({type: 'spki', format: 'pem'});
  const flipped = Buffer.from(signature, 'base64url');
  flipped[5] ^= 1;
  const cases = {
    'not a token': 'nonsense',
    'two parts': `${header}.${claims}`,
    'four parts': `${person.token}.x`,
    'an empty signature': `${header}.${claims}.`,
    'a changed signature': `${header}.${claims}.${flipped.toString('base64url')}`,
    'changed claims': `${header}.${encode({...decode(claims), sub: 'other@example.org'})}.${signature}`,
    'alg none': `${encode({alg: 'none', typ: 'JWT'})}.${claims}.`,
    'alg None with a signature': `${encode({...decode(header), alg: 'None'})}.${claims}.${signature}`,
    'a foreign key': signed(decode(header), decode(claims), es256(foreign)),
    'a foreign key named in the header': signed({...decode(header), jwk: foreign.export({format: 'jwk'}), kid: 'mine'}, decode(claims), es256(foreign)),
    'the public key as an HMAC secret': signed({alg: 'HS256', typ: 'JWT', kid: decode(header).kid}, decode(claims), hs256(pem)),
    'a signature of zeros': `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`,
    'very long': `${'a'.repeat(7000)}.${claims}.${signature}`,
  };
  for (const [what, token] of Object.entries(cases)) await refusedEverywhere(person, token, what);
  assert.equal((await person.call('GET', '/auth/users/me')).status, 200);
});

test('HS256 by option: good tokens work; expired, other secrets, no sid are refused', async () => {
  const secret = 'a secret of at least thirty-two bytes, made for this test';
  const server = await Payam.onEmptyDirectory({ALGORITHM: 'HS256', SECRET_KEY: secret});
  try {
    await server.start();
    const person = await arrive(server.url);
    const [header, claims] = person.token.split('.').slice(0, 2).map(decode);
    assert.equal(header.alg, 'HS256');
    const make = (changes, key = secret) => signed(header, {...claims, ...changes}, hs256(key));
    assert.equal((await call(server.url, 'GET', '/auth/users/me', undefined, {token: make({})})).status, 200);
    const cases = {
      expired: make({exp: now() - 1, iat: now() - 1000}),
      'another secret': make({}, 'another secret of at least thirty-two bytes, also made here'),
      'an empty secret': make({}, ''),
      'no exp': make({exp: undefined}),
      'exp is text': make({exp: 'tomorrow'}),
      'no sub': make({sub: undefined}),
      'sub is a list': make({sub: [claims.sub]}),
      'an unknown sid': make({sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV'}),
      'nobody’s e-mail': make({sub: 'nobody@example.org'}),
    };
    for (const [what, token] of Object.entries(cases)) await refusedEverywhere(person, token, what);
  } finally {
    people.forEach((person) => person.url === server.url && person.leave());
    await server.remove();
  }
});

test('a token that expires while connected is announced with token_expired', async () => {
  const secret = 'a secret of at least thirty-two bytes, made for this test';
  const server = await Payam.onEmptyDirectory({ALGORITHM: 'HS256', SECRET_KEY: secret});
  try {
    await server.start();
    const person = await arrive(server.url);
    const [header, claims] = person.token.split('.').slice(0, 2).map(decode);
    const socket = person.socket({auth: {token: signed(header, {...claims, exp: now() + 2}, hs256(secret))}});
    await connected(socket);
    await within(new Promise((resolve) => { socket.once('token_expired', resolve); }), 'token_expired');
    assert.ok(socket.connected);
    const reply = await socket.timeout(5000).emitWithAck('authenticate', {token: person.token});
    assert.equal(reply.status, 'ok');
  } finally {
    people.forEach((person) => person.url === server.url && person.leave());
    await server.remove();
  }
});

test('keys survive a restart: yesterday’s token still works', async () => {
  const server = await Payam.onEmptyDirectory();
  try {
    await server.start();
    const person = await arrive(server.url);
    assert.deepEqual(await server.stop(), {code: 0, signal: null});
    await server.start();
    assert.equal((await call(server.url, 'GET', '/auth/users/me', undefined, {token: person.token})).status, 200);
  } finally {
    await server.remove();
  }
});
