// Every feature with the official client, over each transport.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import msgpack from 'socket.io-msgpack-parser';
import {ask, client, closeAll, connect, next, startFeatures, until, within} from './support.mjs';

let server;
before(async () => { server = await startFeatures(); });
after(async () => {
  closeAll();
  await server?.stop();
});

const many = (count, options) => Promise.all(Array.from({length: count}, () => connect(server.url, options)));
const quiet = () => new Promise((resolve) => setTimeout(resolve, 50));

for (const [name, transports] of Object.entries({polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket']})) {
  describe(name, () => {
    const options = {transports};

    test('events, acknowledgements, binary data, Persian and emoji go both ways', async () => {
      const socket = await connect(server.url, {...options, auth: {token: 'ژ'}, query: {who: 'مینا'}});
      const [welcome] = await next(socket, 'welcome');
      assert.deepEqual({...welcome, transport: undefined}, {auth: {token: 'ژ'}, recovered: false, transport: undefined, query: 'مینا'});
      socket.emit('echo', 'سلام', '👋🏽', {deep: [{n: 1.5}]}, null);
      assert.deepEqual(await next(socket, 'echo'), ['سلام', '👋🏽', {deep: [{n: 1.5}]}, null]);
      const bytes = Buffer.from([0, 255, 30, 10]);
      assert.deepEqual(await ask(socket, 'echo-ack', {file: bytes}, [bytes]), [{file: bytes}, [bytes]]);
      assert.deepEqual(await ask(socket, 'greet', {name: 'مینا'}), ['salaam, مینا']);
      socket.disconnect();
    });

    test('many events arrive in order, also across an upgrade', async () => {
      const socket = await connect(server.url, options);
      const count = 500;
      for (let i = 0; i < count; ++i) socket.emit('echo', i);
      for (let i = 0; i < count; ++i) assert.deepEqual(await next(socket, 'echo'), [i]);
      socket.disconnect();
    });

    test('rooms: to, in, except, union, one copy each, sender left out', async () => {
      const [a, b, c] = await many(3, options);
      const rooms = `${name}-`;
      await ask(a, 'join', [`${rooms}red`]);
      await ask(b, 'join', [`${rooms}red`, `${rooms}blue`]);
      assert.deepEqual((await ask(c, 'join', [`${rooms}blue`]))[0].slice(1), [`${rooms}blue`]);
      await ask(a, 'shout', {event: 'one', args: [1], to: [`${rooms}red`, `${rooms}blue`], except: []});
      assert.deepEqual(await next(b, 'one'), [1]);
      assert.deepEqual(await next(c, 'one'), [1]);
      await ask(a, 'shout', {event: 'two', args: [], to: [`${rooms}red`], except: [`${rooms}blue`], from_server: true});
      await next(a, 'two');
      await ask(a, 'leave', [`${rooms}red`]);
      await ask(c, 'shout', {event: 'three', args: [], to: [`${rooms}red`], except: []});
      await next(b, 'three');
      await quiet();
      for (const socket of [a, b, c]) assert.deepEqual(socket.arrived.filter(([event]) => event !== 'welcome'), []);
      for (const socket of [a, b, c]) socket.disconnect();
    });

    test('who leaves is told to its rooms, with the reason', async () => {
      const [a, b] = await many(2, options);
      const room = `${name}-leaving`;
      await ask(a, 'join', [room]);
      await ask(b, 'join', [room]);
      const {id} = b;
      b.disconnect();
      assert.deepEqual(await next(a, 'left'), [id, 'client namespace disconnect']);
      a.disconnect();
    });

    test('the server asks one client and all of a room', async () => {
      const [a, b] = await many(2, options);
      const room = `${name}-asked`;
      for (const socket of [a, b]) {
        await ask(socket, 'join', [room]);
        socket.on('question', (what, reply) => reply(what === 'why' ? {because: Buffer.from([7])} : socket.id));
      }
      assert.deepEqual(await ask(a, 'echo-ack', 1), [1]);
      const [outcome] = await ask(a, 'ask me', 5_000);
      assert.equal(outcome, 'reply');
      const [replies, expected, timedOut] = await ask(a, 'ask all', [room], 5_000);
      assert.deepEqual(replies.sort(), [a.id, b.id].sort());
      assert.deepEqual([expected, timedOut], [2, false]);
      b.off('question');
      const late = await ask(a, 'ask all', [room], 100);
      assert.deepEqual(late, [[a.id], 2, true]);
      assert.deepEqual(await ask(b, 'ask me', 50), ['timed out']);
      for (const socket of [a, b]) socket.disconnect();
    });

    test('fetchSockets, socketsJoin, socketsLeave, disconnectSockets', async () => {
      const [a, b, c] = await many(3, options);
      const [from, to] = [`${name}-from`, `${name}-to`];
      await ask(a, 'join', [from]);
      await ask(b, 'join', [from]);
      assert.deepEqual((await ask(c, 'fetch', [from]))[0].sort(), [a.id, b.id].sort());
      await ask(c, 'move all', from, to);
      await until(async () => (await ask(c, 'fetch', [to]))[0].length === 2, 'both to move');
      assert.deepEqual(await ask(c, 'fetch', [from]), [[]]);
      const ends = [a, b].map((socket) => within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect'));
      c.emit('end all', to, false);
      assert.deepEqual(await Promise.all(ends), ['io server disconnect', 'io server disconnect']);
      c.disconnect();
    });

    test('a namespace may be left and the rest stays', async () => {
      const main = await connect(server.url, options);
      const other = main.io.socket('/dynamic-1');
      const arrived = within(new Promise((resolve) => other.once('welcome', resolve)), 'welcome');
      assert.equal(await arrived, '/dynamic-1');
      other.disconnect();
      assert.deepEqual(await ask(main, 'echo-ack', 'still here'), ['still here']);
      main.disconnect();
    });

    test('disconnect(true) ends the connection', async () => {
      const socket = await connect(server.url, options);
      const reason = within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect');
      socket.emit('end me', true);
      assert.equal(await reason, 'io server disconnect');
    });
  });
}

test('a middleware refuses with message and data, and accepts', async () => {
  const refused = client(server.url, {nsp: '/guarded'});
  const error = await within(new Promise((resolve) => refused.once('connect_error', resolve)), 'connect_error');
  assert.equal(error.message, 'Not authorized');
  assert.deepEqual(error.data, {code: 'unauthorized'});
  refused.disconnect();
  const accepted = await connect(server.url, {nsp: '/guarded', auth: {token: 1}});
  accepted.disconnect();
});

test('a namespace nobody knows is refused', async () => {
  const socket = client(server.url, {nsp: '/dynamic-x'});
  const error = await within(new Promise((resolve) => socket.once('connect_error', resolve)), 'connect_error');
  assert.equal(error.message, 'Invalid namespace');
  socket.disconnect();
});

test('event middleware, arguments that do not fit and handlers that throw leave the connection alone', async () => {
  const socket = await connect(server.url);
  assert.deepEqual(await ask(socket, 'forbidden'), [{event: 'forbidden', message: 'not allowed', data: {event: 'forbidden'}}]);
  assert.deepEqual(await ask(socket, 'greet', {name: 5}), [{event: 'greet', message: '0.name: expected a string', data: null}]);
  socket.emit('greet', {});
  assert.deepEqual(await next(socket, 'failed'), [{event: 'greet', message: '0: field `name` is missing', data: null}]);
  socket.emit('throw');
  assert.deepEqual(await next(socket, 'failed'), [{event: 'throw', message: 'the handler failed', data: null}]);
  assert.deepEqual(await ask(socket, 'echo-ack', 1), [1]);
  socket.disconnect();
});

test('the client\'s own timeouts and retries are served', async () => {
  const socket = await connect(server.url, {retries: 2, ackTimeout: 5_000});
  assert.deepEqual(await within(socket.emitWithAck('echo-ack', 1), 'the reply'), 1);
  await assert.rejects(socket.timeout(50).emitWithAck('nobody answers'));
  socket.disconnect();
});

test('the MessagePack parser', async () => {
  for (const transports of [['polling'], ['websocket']]) {
    const socket = await connect(server.url, {path: '/msgpack/', parser: msgpack, transports, auth: {token: 'ژ'}});
    assert.equal((await next(socket, 'welcome'))[0].auth.token, 'ژ');
    const date = new Date(Date.UTC(2026, 10, 23, 5, 52, 0, 123));
    const [text, bytes, number, when, nothing] = await ask(socket, 'echo-ack', 'سلام', Buffer.from([1, 2]), -70000.5, date, undefined);
    assert.deepEqual([text, Buffer.from(bytes), number, when, nothing], ['سلام', Buffer.from([1, 2]), -70000.5, date.toISOString(), null]);
    const refused = client(server.url, {nsp: '/guarded', path: '/msgpack/', parser: msgpack, transports});
    const error = await within(new Promise((resolve) => refused.once('connect_error', resolve)), 'connect_error');
    assert.deepEqual([error.message, error.data], ['Not authorized', {code: 'unauthorized'}]);
    refused.disconnect();
    socket.disconnect();
  }
});

describe('connection state recovery', () => {
  const options = {path: '/recovery/', reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 100};

  test('a lost connection comes back with its rooms and what it missed', async () => {
    const [socket, other] = await many(2, options);
    assert.equal(socket.recovered, false);
    await ask(socket, 'join', ['kept']);
    const {id} = socket;
    for (let round = 0; round < 3; ++round) {
      await ask(other, 'shout', {event: 'before', args: [round], to: ['kept'], except: []});
      assert.equal((await next(socket, 'before'))[0], round);
      socket.io.engine.close();
      await ask(other, 'shout', {event: 'missed', args: [round], to: ['kept'], except: []});
      await within(new Promise((resolve) => socket.once('connect', resolve)), 'connect');
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
      assert.equal((await next(socket, 'missed'))[0], round);
    }
    assert.deepEqual(socket.arrived.filter(([event]) => event === 'missed' || event === 'before'), []);
    for (const each of [socket, other]) each.disconnect();
  });

  test('also when no event was received yet', async () => {
    const socket = client(server.url, {...options, nsp: '/guarded', auth: {token: 1}});
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'connect');
    const {id} = socket;
    socket.io.engine.close();
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'connect');
    assert.deepEqual([socket.id, socket.recovered], [id, true]);
    socket.disconnect();
  });

  test('a client that wanted to go is forgotten', async () => {
    const socket = await connect(server.url, options);
    const {id} = socket;
    socket.disconnect();
    socket.connect();
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'connect');
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    socket.disconnect();
  });
});

test('nothing is left when everybody has gone', async () => {
  closeAll();
  const last = await connect(server.url);
  await until(async () => {
    const [counters] = await ask(last, 'counters');
    return counters.sockets_open === 1 && counters.connections_open === 1;
  }, 'the others to be gone');
  last.disconnect();
});
