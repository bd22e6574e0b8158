// RATE_LIMITS=on: what is too often is refused with a time to wait, a flood is disconnected, and others notice nothing.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {Payam} from '../support/payam.mjs';
import {Person, ask, event, within} from '../support/client.mjs';

let server;
const everyone = [];
const arrive = async (name) => {
  const person = await Person.arrive(server.url, name);
  everyone.push(person);
  return person;
};
before(async () => {
  server = await Payam.onEmptyDirectory({RATE_LIMITS: 'on'});
  await server.start();
});
after(async () => {
  everyone.forEach((person) => person.leave());
  await server.remove();
});

test('sends have a burst and a rate, shared by sockets and HTTP', async () => {
  const sara = await arrive('sara');
  const room = await sara.createRoom('Busy');
  const socket = await sara.connect();
  const replies = await Promise.all(Array.from({length: 700}, (_, index) => ask(socket, 'chat_message', {room, message: `${index}`})));
  const refused = replies.filter(({status}) => status === 'error');
  assert.ok(refused.length >= 10, `${refused.length} refused`);
  assert.ok(refused.length <= 200, 'a burst is allowed');
  for (const {code, message} of refused) {
    assert.equal(code, 'rate_limited');
    assert.match(message, /try again in \d+ s/);
  }
  assert.equal((await sara.history(room)).length, replies.length - refused.length, 'what was refused was not sent');

  const answers = await Promise.all(Array.from({length: 500}, () => sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'x'})));
  const late = answers.filter(({status}) => status === 429);
  assert.ok(late.length > 0);
  for (const {headers, body} of late) {
    assert.match(headers.get('retry-after'), /^[1-9]\d*$/);
    assert.equal(typeof body.detail, 'string');
  }
  await delay(1000 * Number(late[0].headers.get('retry-after')));
  assert.equal((await sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'x'})).status, 201);
  assert.ok(socket.connected);
});

test('without an ack the error is an event', async () => {
  const sara = await arrive('sara');
  const room = await sara.createRoom('Typing');
  const socket = await sara.connect();
  for (let count = 0; count < 100; ++count) socket.emit('typing', {room, typing: true});
  const {code, message} = await event(socket, 'error');
  assert.deepEqual([code, typeof message], ['rate_limited', 'string']);
  assert.equal((await ask(socket, 'get_online_users', {})).status, 'ok');
});

test('joins have a limit of their own', async () => {
  const sara = await arrive('sara');
  const room = await sara.createRoom('Joins');
  const socket = await sara.connect();
  const replies = await Promise.all(Array.from({length: 600}, () => ask(socket, 'join_room', {room})));
  assert.ok(replies.some(({code}) => code === 'rate_limited'));
  assert.equal((await ask(socket, 'chat_message', {room, message: 'still may'})).status, 'ok');
});

for (const [what, flood] of [
  ['events that are refused', (socket, room) => { for (let count = 0; count < 4000; ++count) socket.emit('chat_message', {room, message: 'x'}); }],
  ['events that nobody knows', (socket) => { for (let count = 0; count < 10_000; ++count) socket.emit('noise', count); }],
]) {
  test(`a flood of ${what} is told so and disconnected; others chat on`, async () => {
    const [sara, leo] = [await arrive('sara'), await arrive('leo')];
    const room = await sara.createRoom('Flood', leo);
    const [saras, leos] = [await sara.connect({transports: ['websocket'], reconnection: false}), await leo.connect()];
    const ended = within(new Promise((resolve) => saras.once('disconnect', resolve)), 'disconnect');
    flood(saras, room);
    await ended;
    const last = saras.events.filter(([name]) => name === 'error').at(-1);
    assert.deepEqual(last?.[1], {message: 'Too many events: disconnected', code: 'rate_limited'});
    assert.equal((await ask(leos, 'chat_message', {room, message: 'what was that?'})).status, 'ok');
  });
}

test('an operator sets the limits, and a proxy they trust says whose they are', async () => {
  const strict = await Payam.onEmptyDirectory({RATE_LIMITS: 'sends=3/h,joins=2/h,logins=2/h,handshakes=4/h,signups=5/h', TRUSTED_PROXIES: '127.0.0.1'});
  await strict.start();
  try {
    const from = (address) => ({'X-Forwarded-For': address});
    const knock = async (path, address, form) => {
      const answer = await fetch(strict.url + path, {method: form ? 'POST' : 'GET', headers: from(address), body: form && new URLSearchParams(form)});
      await answer.text();
      return answer;
    };
    const late = ({status, headers}) => {
      assert.equal(status, 429);
      assert.match(headers.get('retry-after'), /^[1-9]\d*$/);
    };
    const sara = new Person(strict.url, {username: 'sara', email: 'sara@example.org', password: 'a long password'});
    const signup = (name, address) => sara.call('POST', '/auth/signup', {username: name, email: `${name}@example.org`, password: 'a long password'}, {headers: from(address)});
    for (const name of ['sara', 'b', 'c', 'd', 'e']) assert.equal((await signup(name, '198.51.100.1')).status, 201);
    late(await signup('f', '198.51.100.1'));
    assert.equal((await signup('f', '198.51.100.2')).status, 201, 'elsewhere');

    const wrong = {username: 'sara@example.org', password: 'a wrong guess'};
    for (let count = 0; count < 2; ++count) assert.equal((await knock('/auth/login', '198.51.100.1', wrong)).status, 401);
    late(await knock('/auth/login', '198.51.100.1', wrong));
    assert.equal((await knock('/auth/login', '198.51.100.2', {...wrong, password: sara.password})).status, 200, 'elsewhere');

    const handshake = '/socket.io/?EIO=4&transport=polling';
    for (let count = 0; count < 4; ++count) assert.equal((await knock(handshake, '198.51.100.1')).status, 200);
    late(await knock(handshake, '198.51.100.1'));
    assert.equal((await knock(handshake, '198.51.100.2')).status, 200, 'elsewhere');

    await sara.logIn();
    const room = await sara.createRoom('Strict');  // the first of three
    const socket = await sara.connect();
    const codes = [];
    for (let count = 0; count < 4; ++count) codes.push((await ask(socket, 'chat_message', {room, message: 'x'})).code ?? 'ok');
    assert.deepEqual(codes, ['ok', 'ok', 'rate_limited', 'rate_limited']);
    late(await sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'x'}));
    const joins = [];
    for (let count = 0; count < 3; ++count) joins.push((await ask(socket, 'join_room', {room})).code ?? 'ok');
    assert.deepEqual(joins, ['ok', 'ok', 'rate_limited']);
    sara.leave();
  } finally {
    await strict.remove();
  }
});

test('without limits too much at once is still told before the connection is closed', async () => {
  const open = await Payam.onEmptyDirectory({RATE_LIMITS: 'off'});
  await open.start();
  try {
    const sara = await Person.arrive(open.url, 'sara');
    const room = await sara.createRoom('Open');
    const socket = await sara.connect({transports: ['websocket'], reconnection: false});
    const ended = within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect');
    for (let count = 0; count < 20_000; ++count) socket.emit('chat_message', {room, message: 'x'});
    assert.equal(await ended, 'io server disconnect');
    assert.deepEqual(await event(socket, 'error'), {message: 'Too many events at once: disconnected', code: 'rate_limited'});
    const metrics = await (await fetch(`${open.url}/metrics`)).text();
    assert.match(metrics, /^payam_connections_cut_total\{reason="too_many_handlers"\} 1$/m);
    assert.match(await open.log(), / warning socket_overloaded socket=\S+ user=\S+\n/);
  } finally {
    await open.remove();
  }
});
