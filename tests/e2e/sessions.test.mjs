// An account's life from outside, with stock clients: devices that sign in, refresh, are signed out and told at once; passwords, sign-up and
// the directory by option; guesses that are slowed; keys that rotate.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {promisify} from 'node:util';
import {Payam, binary} from '../support/payam.mjs';
import {Person, ask, call, connected, event, settled, unique, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const everyone = [];
after(() => everyone.forEach((person) => person.leave()));
async function arrive(name = 'user', where = url) {
  const person = await Person.arrive(where, name);
  everyone.push(person);
  return person;
}

// The same person on one more device: a session of its own, with its refresh token.
async function device(person, agent = 'test') {
  const answer = await person.call('POST', '/auth/login', {email: person.email, password: person.password}, {token: null, headers: {'User-Agent': agent}});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const other = Object.assign(new Person(person.url, person), {token: answer.body.access_token, refreshToken: answer.body.refresh_token});
  everyone.push(other);
  return other;
}
const refresh = (where, refresh_token) => call(where, 'POST', '/auth/token', new URLSearchParams({grant_type: 'refresh_token', refresh_token}));
const isIn = async (person, token = person.token) => (await person.call('GET', '/auth/users/me', undefined, {token})).status === 200;
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());

// Resolves with why the session ended, once the socket is disconnected.
async function ended(socket) {
  if (socket.connected) await within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect');
  return (await event(socket, 'session_ended')).reason;
}
const alone = {transports: ['websocket'], reconnection: false};

async function withServer(options, body) {
  const server = await Payam.onEmptyDirectory(options);
  try {
    await body(await server.start());
  } finally {
    everyone.forEach((person) => person.url === server.url && person.leave());
    await server.remove();
  }
}

// — refresh —

test('a refresh gives a new pair, again and again; the session and its sockets go on', async () => {
  const person = await arrive();
  const phone = await device(person);
  const socket = await phone.connect(alone);
  let [token, refreshToken] = [phone.token, phone.refreshToken];
  for (let round = 0; round < 3; ++round) {
    const answer = await refresh(url, refreshToken);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body).sort(), ['access_token', 'expires_in', 'refresh_token', 'token_type']);
    assert.notEqual(answer.body.refresh_token, refreshToken);
    assert.notEqual(answer.body.access_token, token);
    assert.equal(claimsOf(answer.body.access_token).sid, claimsOf(token).sid);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    [token, refreshToken] = [answer.body.access_token, answer.body.refresh_token];
  }
  assert.ok(await isIn(person, token));
  await settled(socket);
  assert.ok(socket.connected);
});

test('a reply that was lost does not sign the device out: the old token gives the session’s newest', async () => {
  const phone = await device(await arrive());
  const lost = await refresh(url, phone.refreshToken);
  const again = await refresh(url, phone.refreshToken);
  assert.equal(again.status, 200);
  assert.equal(again.body.refresh_token, lost.body.refresh_token);
  assert.notEqual(again.body.access_token, lost.body.access_token);
  assert.equal((await refresh(url, again.body.refresh_token)).status, 200);
});

test('five tabs that refresh with one token at once, again and again, all stay signed in', async () => {
  const person = await arrive();
  let token = (await device(person)).refreshToken;
  for (let round = 0; round < 4; ++round) {
    const answers = await Promise.all(Array.from({length: 5}, () => refresh(url, token)));
    assert.deepEqual(answers.map(({status}) => status), [200, 200, 200, 200, 200]);
    for (const {body} of answers) assert.ok(await isIn(person, body.access_token));
    const newest = new Set(answers.map(({body}) => body.refresh_token));
    assert.equal(newest.size, 1, 'they share what they have');
    assert.ok(!newest.has(token));
    [token] = newest;
  }
});

// Nine exchanges within 30 seconds: the first token is forgotten, as all are after that time.
async function forgotten(token) {
  let newest = token;
  for (let count = 0; count < 9; ++count) newest = (await refresh(url, newest)).body.refresh_token;
  return newest;
}

test('a used token that turns up later ends the session and closes its sockets at once; other sessions stay', async () => {
  const person = await arrive();
  const [thief, desk] = [await device(person), await device(person)];
  const [stolen, other] = [await thief.connect(alone), await desk.connect(alone)];
  const newest = await forgotten(thief.refreshToken);
  assert.ok(await isIn(thief));
  const reused = await refresh(url, thief.refreshToken);
  assert.equal(reused.status, 401);
  assert.equal(await ended(stolen), 'token_reused');
  assert.ok(!await isIn(thief));
  assert.equal((await refresh(url, newest)).status, 401, 'the thief has nothing either');
  await settled(other);
  assert.ok(await isIn(desk));
});

test('after logout no token of the session works, used ones neither', async () => {
  const phone = await device(await arrive());
  const second = await refresh(url, phone.refreshToken);
  assert.equal((await phone.call('POST', '/auth/logout')).status, 204);
  for (const token of [phone.refreshToken, second.body.refresh_token]) assert.equal((await refresh(url, token)).status, 401);
});

test('whatever is no refresh token is 401: an access token, nothing, a megabyte, bytes that are no text', async () => {
  const phone = await device(await arrive());
  const {sid} = claimsOf(phone.token);
  for (const wrong of ['nonsense', phone.token, `${sid}.made.up`, 'x'.repeat(1_000_000), '', '.', '..', '\0', `${sid}.\u{1F600}.x`]) {
    const answer = await refresh(url, wrong);
    assert.equal(answer.status, 401, wrong.slice(0, 80));
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    assert.deepEqual(answer.body, {detail: 'Could not validate credentials'});
  }
  for (const bytes of ['%FF%FE.%80.%C3', '%ED%A0%80.a.b', '%00.%00.%00']) {
    const answer = await call(url, 'POST', '/auth/token', `grant_type=refresh_token&refresh_token=${bytes}`, {headers: {'Content-Type': 'application/x-www-form-urlencoded'}});
    assert.equal(answer.status, 401, bytes);
  }
  assert.ok(await isIn(phone), 'a wrong guess ends nothing');
  assert.equal((await refresh(url, phone.refreshToken)).status, 200);
});

// — devices —

test('logout ends this device alone, its sockets at once', async () => {
  const person = await arrive();
  const [phone, desk] = [await device(person), await device(person)];
  const [polling, websocket, other] = [await phone.connect({transports: ['polling'], reconnection: false}), await phone.connect(alone), await desk.connect(alone)];
  const answer = await phone.call('POST', '/auth/logout');
  assert.equal(answer.status, 204);
  assert.match(answer.headers.get('set-cookie'), /Max-Age=0/);
  assert.deepEqual([await ended(polling), await ended(websocket)], ['logged_out', 'logged_out']);
  assert.ok(!await isIn(phone));
  assert.equal((await refresh(url, phone.refreshToken)).status, 401);
  const back = phone.socket(alone);
  await assert.rejects(connected(back), /Could not validate credentials/);
  await settled(other);
  assert.ok(await isIn(desk));
});

test('sessions are listed with device and address, and ended from another device', async () => {
  const person = await arrive();
  const [phone, desk] = [await device(person, 'Phone/1.0'), await device(person, 'Desk/2.0')];
  const socket = await phone.connect(alone);
  const {body} = await desk.call('GET', '/auth/sessions');
  assert.equal(body.length, 3);
  const listed = new Map(body.map((session) => [session.device, session]));
  assert.deepEqual([listed.get('Phone/1.0').current, listed.get('Desk/2.0').current], [false, true]);
  assert.equal(listed.get('Phone/1.0').id, claimsOf(phone.token).sid);
  assert.equal(listed.get('Phone/1.0').address, '127.0.0.1');
  assert.ok(listed.get('Phone/1.0').last_used_at >= listed.get('Phone/1.0').created_at);
  const stranger = await arrive('stranger');
  assert.equal((await stranger.call('DELETE', `/auth/sessions/${listed.get('Phone/1.0').id}`)).status, 404);
  assert.ok(await isIn(phone));
  assert.equal((await desk.call('DELETE', `/auth/sessions/${listed.get('Phone/1.0').id}`)).status, 204);
  assert.equal(await ended(socket), 'revoked');
  assert.ok(!await isIn(phone));
  assert.equal((await desk.call('DELETE', `/auth/sessions/${listed.get('Phone/1.0').id}`)).status, 404);
});

test('a new password signs every other device out and is the only one from then on', async () => {
  const person = await arrive();
  const [phone, desk] = [await device(person), await device(person)];
  const [there, here] = [await phone.connect(alone), await desk.connect(alone)];
  const change = (current_password, new_password) => desk.call('POST', '/auth/users/me/password', {current_password, new_password});
  assert.equal((await change('a wrong one', 'a new password')).status, 403);
  assert.ok(await isIn(phone));
  assert.equal((await change(person.password, 'a new password')).status, 204);
  assert.equal(await ended(there), 'password_changed');
  assert.ok(!await isIn(phone) && !await isIn(person) && await isIn(desk));
  await settled(here);
  const logIn = (password) => call(url, 'POST', '/auth/login', {email: person.email, password});
  assert.deepEqual([(await logIn(person.password)).status, (await logIn('a new password')).status], [401, 200]);
});

test('an erased account is gone from every device; its messages stay without a sender, and whoever is there is told', async () => {
  const [person, friend] = [await arrive('leaving'), await arrive('friend')];
  const room = await friend.createRoom('Memories', person);
  const mine = await person.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'remember me'});
  const theirs = await friend.call('POST', `/chat/chat_rooms/${room}/messages`, {content: `yes, @${person.username}`});
  await person.call('PUT', `/chat/chat_rooms/${room}/messages/${theirs.body.id}/reactions/${encodeURIComponent('❤️')}`);
  const phone = await device(person);
  const [socket, ears] = [await phone.connect(alone), await friend.connect(alone)];
  assert.equal((await person.call('DELETE', '/auth/users/me', {password: 'a wrong one'})).status, 403);
  assert.equal((await person.call('DELETE', '/auth/users/me', {password: person.password})).status, 204);
  assert.equal(await ended(socket), 'account_erased');
  const told = await event(ears, 'room_updated');
  assert.deepEqual([told.change.type, told.change.members], ['account_erased', [person.email]]);
  assert.ok(!await isIn(phone));
  const history = await friend.history(room);
  assert.deepEqual(history.map(({id, sender, content}) => [id, sender, content]),
                   [[mine.body.id, null, 'remember me'], [theirs.body.id, friend.email, `yes, @${person.username}`]]);
  assert.deepEqual([history[1].mentions, history[1].reactions], [[], []]);
  const missed = await ask(ears, 'join_room', {room, after_rev: theirs.body.rev});
  assert.deepEqual(missed.changes.map(({type, actor, members}) => [type, actor, members]).at(-1), ['account_erased', null, []]);
  assert.deepEqual((await friend.call('GET', `/auth/users?q=${person.username}`)).body, []);
  const again = await call(url, 'POST', '/auth/signup', {username: person.username, email: person.email, password: 'another person'});
  assert.equal(again.status, 201, 'the names are free');
});

test('every device is told at once: messages, edits, reactions, rooms and leaving', async () => {
  const [person, friend] = [await arrive('many'), await arrive('friend')];
  const devices = [];
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) devices.push(await (await device(person)).connect({transports, reconnection: false}));
  const room = await friend.createRoom('New', person);
  const onAll = (name, wanted) => Promise.all(devices.map((socket) => event(socket, name, wanted)));
  await onAll('room_added', ({id}) => id === room);
  const sent = await person.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'from one of mine'});
  await onAll('broadcast_message', ({id}) => id === sent.body.id);
  await ask(devices[0], 'edit_message', {id: sent.body.id, message: 'edited on another'});
  await onAll('message_updated', ({id, content}) => id === sent.body.id && content === 'edited on another');
  await friend.call('PUT', `/chat/chat_rooms/${room}/messages/${sent.body.id}/reactions/${encodeURIComponent('👍')}`);
  await onAll('message_updated', ({reactions}) => reactions.length === 1);
  await friend.call('PUT', `/chat/chat_rooms/${room}/messages/${sent.body.id}/pin`);
  await onAll('message_updated', ({pinned}) => pinned);
  await friend.call('PATCH', `/chat/chat_rooms/${room}`, {name: 'Renamed'});
  await onAll('room_updated', ({name}) => name === 'Renamed');
  await ask(devices[1], 'delete_message', {id: sent.body.id});
  await onAll('message_updated', ({deleted}) => deleted);
  await friend.call('DELETE', `/chat/chat_rooms/${room}/members/${person.email}`);
  await onAll('room_removed', ({id}) => id === room);
  await friend.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'alone now'});
  for (const socket of devices) {
    await settled(socket);
    assert.ok(!socket.events.some(([name, message]) => name === 'broadcast_message' && message.content === 'alone now'));
  }
});

// — tokens that end while a socket is connected —

test('authenticate keeps a socket past its token’s end; a token of somebody else does not', async () => {
  const secret = 'a secret of at least thirty-two bytes, made for this test';
  await withServer({ALGORITHM: 'HS256', SECRET_KEY: secret}, async (server) => {
    const [person, other] = [await arrive('short', server.url), await arrive('other', server.url)];
    const shortened = (token, seconds) => {
      const text = [headerOf(token), {...claimsOf(token), exp: Math.floor(Date.now() / 1000) + seconds}]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const socket = person.socket({...alone, auth: {token: shortened(person.token, 2)}});
    await connected(socket);
    await event(socket, 'token_expired');
    assert.ok(socket.connected, 'there is time to authenticate');
    assert.equal((await ask(socket, 'authenticate', {token: other.token})).code, 'unauthorized');
    assert.equal((await ask(socket, 'authenticate', {token: shortened(person.token, -1)})).code, 'unauthorized');
    assert.equal((await ask(socket, 'authenticate', {token: shortened(person.token, 2)})).status, 'ok');
    socket.events.length = 0;
    await event(socket, 'token_expired');
    assert.equal((await ask(socket, 'authenticate', {token: person.token})).status, 'ok');
    assert.ok(socket.connected);
  });
});

// — sign-up and the directory —

const signUp = (where, invite) => {
  const username = unique('new');
  return call(where, 'POST', '/auth/signup', {username, email: `${username}@example.org`, password: 'long enough', invite});
};

test('SIGNUP=invite: an invite of the operator is good for one, a room’s invite leads into the room', () => withServer({SIGNUP: 'invite'}, async (server) => {
  const {stdout} = await promisify(execFile)(binary, ['invite', '--data-dir', server.dataDir], {env: {PATH: process.env.PATH}, timeout: 20_000});
  const invite = stdout.trim().split(/\s+/).at(-1);
  for (const wrong of [undefined, 'x', `${invite}x`]) assert.equal((await signUp(server.url, wrong)).status, 403);
  const answer = await signUp(server.url, invite);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal((await signUp(server.url, invite)).status, 403, 'used');
  const owner = new Person(server.url, {...answer.body, password: 'long enough'});
  await owner.logIn();
  const room = await owner.createRoom('By invitation');
  const {token} = (await owner.call('POST', `/chat/chat_rooms/${room}/invites`, {uses: 1})).body;
  const guest = await signUp(server.url, token);
  assert.equal(guest.status, 201);
  assert.deepEqual((await owner.call('GET', `/chat/chat_rooms/${room}`)).body.members.sort(), [owner.email, guest.body.email].sort());
  assert.equal((await signUp(server.url, token)).status, 403, 'used up');
}));

test('SIGNUP=closed: nobody signs up, with an invite or without; who is there signs in', async () => {
  const server = await Payam.onEmptyDirectory();
  try {
    await server.start();
    const person = await arrive('early', server.url);
    await server.stop();
    server.options.SIGNUP = 'closed';
    await server.start();
    const {stdout} = await promisify(execFile)(binary, ['invite', '--data-dir', server.dataDir], {env: {PATH: process.env.PATH}, timeout: 20_000});
    for (const invite of [undefined, stdout.trim().split(/\s+/).at(-1)]) {
      const answer = await signUp(server.url, invite);
      assert.deepEqual([answer.status, answer.body], [403, {detail: 'Sign-up is closed'}]);
    }
    person.url = server.url;
    await person.logIn();
  } finally {
    await server.remove();
  }
});

for (const [mode, found] of Object.entries({prefix: [true, true, true], exact: [false, false, true], off: [false, false, false]})) {
  test(`USER_DIRECTORY=${mode}`, () => withServer({USER_DIRECTORY: mode}, async (server) => {
    const [person, other] = [await arrive('somebody', server.url), await arrive('seeker', server.url)];
    const asked = [person.username.slice(0, 6).toUpperCase(), person.email.slice(0, 6), person.email.toUpperCase()];
    for (const [index, text] of asked.entries()) {
      const {status, body} = await other.call('GET', `/auth/users?q=${encodeURIComponent(text)}`);
      assert.equal(status, 200);
      assert.deepEqual(body, found[index] ? [{email: person.email, username: person.username, full_name: null}] : [], text);
    }
    assert.deepEqual((await other.call('GET', `/auth/users?q=${person.username.slice(1)}`)).body, [], 'no part from the middle');
  }));
}

// — guessing —

const guess = (where, email, address, password = 'a wrong guess') =>
  call(where, 'POST', '/auth/login', {email, password}, {headers: address ? {'X-Forwarded-For': address} : {}});
const throttled = {RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1'};

test('wrong guesses at an account are slowed before 30 in a minute, from one address and from many; its owner is not locked out', () =>
  withServer(throttled, async (server) => {
    const owner = await arrive('owner', server.url);
    assert.equal((await guess(server.url, owner.email, '192.0.2.7', owner.password)).status, 200, 'a known address');
    for (const addressOf of [() => '198.51.100.1', (index) => `203.0.113.${index}`]) {
      const answers = [];
      for (let index = 0; index < 30; ++index) answers.push(await guess(server.url, owner.email, addressOf(index)));
      assert.ok(answers.every(({status}) => status === 401 || status === 429));
      const refused = answers.filter(({status}) => status === 429);
      assert.ok(refused.length > 0, 'within 30');
      for (const {headers, body} of refused) {
        assert.match(headers.get('retry-after'), /^[1-9]\d*$/);
        assert.equal(body.detail, 'Too many attempts');
      }
    }
    assert.equal((await guess(server.url, owner.email, '192.0.2.7', owner.password)).status, 200, 'from where the owner signed in before');
  }));

test('an address that tries many accounts is slowed, whether they exist or not; others sign in meanwhile', () => withServer(throttled, async (server) => {
  const people = [];
  for (let index = 0; index < 3; ++index) people.push(await arrive('one', server.url));
  const statuses = [];
  for (let index = 0; index < 90; ++index) {
    const email = index % 9 === 0 ? people[(index / 9) % 3].email : `nobody${index}@example.org`;
    statuses.push((await guess(server.url, email, '198.51.100.9')).status);
  }
  assert.ok(statuses.includes(429), 'slowed');
  assert.ok(statuses.indexOf(429) >= 20, 'a house full of people is not');
  assert.equal((await guess(server.url, people[0].email, '192.0.2.20', people[0].password)).status, 200);
}));

test('an unknown e-mail is answered in the same words and the same time as a wrong password', () => withServer({BCRYPT_COST: '9'}, async (server) => {
  const person = await arrive('known', server.url);
  const times = {known: [], unknown: []};
  const bodies = new Set();
  for (let round = 0; round < 40; ++round) {
    for (const [kind, email] of [['known', person.email], ['unknown', `nobody${round}@example.org`]]) {
      const began = performance.now();
      const answer = await guess(server.url, email);
      times[kind].push(performance.now() - began);
      assert.equal(answer.status, 401);
      bodies.add(JSON.stringify(answer.body));
    }
  }
  assert.deepEqual([...bodies], ['{"detail":"Incorrect email or password"}']);
  // The lower quartile: what the machine does besides only adds time.
  const quartile = (list) => list.sort((a, b) => a - b)[10];
  const [known, unknown] = [quartile(times.known), quartile(times.unknown)];
  console.log(`wrong password ${known.toFixed(1)} ms, unknown e-mail ${unknown.toFixed(1)} ms`);
  assert.ok(unknown > known * 0.6 && unknown < known / 0.6, `${known} ms against ${unknown} ms`);
}));

test('PASSWORD_DENYLIST: its passwords are refused in every spelling; without its file the server does not start', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'payam-denylist-'));
  const list = path.join(folder, 'list');
  await writeFile(list, 'correct horse\nپسورد۱۲۳۴\n');
  await withServer({PASSWORD_DENYLIST: list}, async (server) => {
    const person = await arrive('sara', server.url);
    for (const password of ['correct horse', 'Correct HORSE', 'پسورد۱۲۳۴']) {
      const signup = await call(server.url, 'POST', '/auth/signup', {username: unique('x'), email: `${unique('x')}@example.org`, password});
      assert.equal(signup.status, 422);
      assert.deepEqual(signup.body.detail.map(({loc}) => loc), [['body', 'password']]);
      const change = await person.call('POST', '/auth/users/me/password', {current_password: person.password, new_password: password});
      assert.equal(change.status, 422);
      assert.ok(!JSON.stringify([signup.body, change.body]).toLowerCase().includes(password.toLowerCase()));
    }
  });
  await rm(folder, {recursive: true});
  const without = await Payam.onEmptyDirectory({PASSWORD_DENYLIST: list});
  await assert.rejects(without.start(), (error) => error.message.includes(`PASSWORD_DENYLIST: ${list}: No such file or directory`));
  await without.remove();
});

// A sign-in from an address of this machine: {status, milliseconds}.
const signInFrom = (localAddress, server, {email, password}) => new Promise((resolve, reject) => {
  const began = performance.now();
  const body = JSON.stringify({email, password});
  const asked = http.request(`${server.url}/auth/login`, {method: 'POST', localAddress, agent: false, headers: {'Content-Type': 'application/json'}}, (answer) => {
    answer.resume().on('end', () => resolve({status: answer.statusCode, milliseconds: performance.now() - began}));
  });
  asked.on('error', reject).end(body);
});

test('66 sign-ins with right passwords from one address keep nobody elsewhere waiting', () => withServer({BCRYPT_COST: '11', RATE_LIMITS: 'on', THREADS: '1'}, async (server) => {
  const person = await arrive('person', server.url);
  const greedy = [];  // several accounts: too many attempts at one are slowed before
  for (let count = 0; count < 8; ++count) greedy.push(await arrive('greedy', server.url));
  const before = await signInFrom('127.0.0.9', server, person);
  let done = 0;
  const flood = Array.from({length: 66}, (_, index) => signInFrom('127.0.0.1', server, greedy[index % 8]).then((answer) => {
    if (answer.status === 200) ++done;
    return answer;
  }));
  const refused = await Promise.race(flood);  // the others wait by now
  assert.equal(refused.status, 429);
  const doneBefore = done;
  const {status, milliseconds} = await signInFrom('127.0.0.9', server, person);
  const overtaken = done - doneBefore;
  const statuses = (await Promise.all(flood)).map((answer) => answer.status);
  const signedIn = statuses.filter((one) => one === 200).length;
  console.log(`alone ${before.milliseconds.toFixed(0)} ms; beside the flood ${milliseconds.toFixed(0)} ms, after ${overtaken} of the ${signedIn} that waited`);
  assert.equal(status, 200);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
  assert.ok(signedIn >= 16 && signedIn < 40, `${signedIn} signed in: the address has a bound`);
  assert.ok(overtaken <= 3, 'the one that was running, and one turn of the others');
}));

// — keys —

test('after a rotation new tokens have a new kid, those of before still work, and both keys are published', async () => {
  const server = await Payam.onEmptyDirectory();
  try {
    await server.start();
    const person = await arrive('before', server.url);
    const before = person.token;
    await server.stop();
    await promisify(execFile)(binary, ['rotate-key', '--data-dir', server.dataDir], {env: {PATH: process.env.PATH}, timeout: 20_000});
    await server.start();
    person.url = server.url;
    assert.ok(await isIn(person, before));
    await person.logIn();
    assert.notEqual(headerOf(person.token).kid, headerOf(before).kid);
    const {keys} = (await call(server.url, 'GET', '/.well-known/jwks.json')).body;
    assert.deepEqual(keys.map(({kid}) => kid), [headerOf(person.token).kid, headerOf(before).kid], 'the signing key first');
    for (const token of [before, person.token]) {
      const [header, claims, signature] = token.split('.');
      const key = crypto.createPublicKey({key: keys.find(({kid}) => kid === headerOf(token).kid), format: 'jwk'});
      assert.ok(crypto.verify('sha256', Buffer.from(`${header}.${claims}`), {key, dsaEncoding: 'ieee-p1363'}, Buffer.from(signature, 'base64url')));
    }
    const socket = person.socket({...alone, auth: {token: before}});
    await connected(socket);
    person.leave();
  } finally {
    await server.remove();
  }
});
