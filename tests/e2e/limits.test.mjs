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
