// The last official client of Socket.IO v2 against a server with allow_eio3, over every transport.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import oldClient from 'socket.io-client-2';
import {ask, closeAll, connect as connectNew, next, startFeatures, until, within} from './support.mjs';

let server;
const open = [];
before(async () => { server = await startFeatures(); });
after(async () => {
  open.forEach((socket) => socket.io.engine.close());
  closeAll();
  await server?.stop();
});

// What support.mjs has for clients of today: a socket whose events are kept for next(), connected unless told otherwise.
function client({nsp = '/', ...options} = {}) {
  const socket = oldClient(`${server.url}${nsp}`, {path: '/v2/', forceNew: true, reconnection: false, ...options});
  open.push(socket);
  socket.arrived = [];
  const onevent = socket.onevent;
  socket.onevent = function (packet) {
    this.arrived.push(packet.data);
    this.listeners('arrived').forEach((listener) => listener());
    return onevent.call(this, packet);
  };
  return socket;
}

async function connect(options) {
  const socket = client(options);
  await within(new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); socket.once('connect_error', reject); }), 'connect');
  return socket;
}

for (const [name, options] of Object.entries({
  polling: {transports: ['polling']},
  'polling in base64': {transports: ['polling'], forceBase64: true},
  websocket: {transports: ['websocket']},
  upgrade: {transports: ['polling', 'websocket']},
})) {
  describe(name, () => {
    test('it is in the main namespace without asking, under the id it takes itself for', async () => {
      const socket = await connect({...options, query: {who: 'مینا'}});
      const [welcome] = await next(socket, 'welcome');
      assert.deepEqual({...welcome, transport: undefined}, {auth: {}, recovered: false, transport: undefined, query: 'مینا'});
      assert.deepEqual(await ask(socket, 'join', ['red']), [[socket.id, 'red']]);
      socket.disconnect();
    });

    test('events, acknowledgements and binary data go both ways', async () => {
      const socket = await connect(options);
      socket.emit('echo', 'سلام', '👋🏽', {deep: [{n: 1.5}]}, null);
      assert.deepEqual(await next(socket, 'echo'), ['سلام', '👋🏽', {deep: [{n: 1.5}]}, null]);
      const bytes = Buffer.from([0, 255, 30, 10]);
      const [reply] = await ask(socket, 'echo-ack', {file: bytes, text: 'ژ'});
      assert.deepEqual({...reply, file: Buffer.from(reply.file)}, {file: bytes, text: 'ژ'});
      assert.deepEqual(await ask(socket, 'greet', {name: 'مینا'}), ['salaam, مینا']);
      socket.once('question', (text, answer) => answer({because: text}));
      assert.deepEqual(await ask(socket, 'ask me', 5_000), ['reply', {because: 'why'}]);
      socket.disconnect();
    });

    test('many events arrive in order, large ones among them, also across an upgrade', async () => {
      const socket = await connect(options);
      const count = 300;
      const extra = (i) => (i % 50 === 0 ? 'س'.repeat(20_000) : '');
      for (let i = 0; i < count; ++i) socket.emit('echo', i, extra(i));
      for (let i = 0; i < count; ++i) assert.deepEqual(await next(socket, 'echo'), [i, extra(i)]);
      socket.disconnect();
    });

    test('rooms hold clients of both versions', async () => {
      const room = `mixed ${name}`;
      const sockets = [await connect(options), await connect(options), await connectNew(server.url, {path: '/v2/'})];
      for (const socket of sockets) await ask(socket, 'join', [room]);
      await ask(sockets[0], 'shout', {event: 'news', args: ['متن'], to: [room], except: []});
      for (const socket of sockets.slice(1)) assert.deepEqual(await next(socket, 'news'), ['متن']);
      await ask(sockets[2], 'shout', {event: 'all', args: [], to: [room], except: [], from_server: true});
      for (const socket of sockets) assert.deepEqual(await next(socket, 'all'), []);
      await ask(sockets[0], 'leave', [room]);
      await ask(sockets[2], 'shout', {event: 'rest', args: [], to: [room], except: []});
      await next(sockets[1], 'rest');
      assert.deepEqual(sockets[0].arrived.filter(([event]) => event !== 'welcome'), []);
      for (const socket of sockets) socket.disconnect();
    });

    test('namespaces, with a query for auth, and refusals', async () => {
      const guarded = await connect({...options, nsp: '/guarded?token=1'});
      assert.equal(guarded.id, `/guarded#${guarded.io.engine.id}`);
      guarded.disconnect();
      const dynamic = await connect({...options, nsp: '/dynamic-101'});
      assert.deepEqual(await next(dynamic, 'welcome'), ['/dynamic-101']);
      dynamic.disconnect();
      const refused = client({...options, nsp: '/guarded'});
      assert.deepEqual(await within(new Promise((resolve) => refused.once('error', resolve)), 'error'), {code: 'unauthorized'});
      const unknown = client({...options, nsp: '/nowhere'});
      assert.deepEqual(await within(new Promise((resolve) => unknown.once('error', resolve)), 'error'), {message: 'Invalid namespace'});
    });

    test('both sides disconnect with a reason', async () => {
      const [a, b, c] = [await connect(options), await connect(options), await connect(options)];
      const room = `leaving ${name}`;
      for (const socket of [a, b, c]) await ask(socket, 'join', [room]);
      const id = b.id;
      b.disconnect();
      assert.deepEqual(await next(a, 'left'), [id, 'client namespace disconnect']);
      const reason = new Promise((resolve) => c.once('disconnect', resolve));
      c.emit('end me', true);
      assert.equal(await within(reason, 'disconnect'), 'io server disconnect');
      a.disconnect();
    });
  });
}

test('it pings, and is closed when it does not', async () => {
  const [socket, silent] = [await connect({transports: ['websocket']}), await connect({transports: ['websocket']})];
  silent.io.engine.ping = silent.io.engine.onHeartbeat = () => {};  // and does not notice itself that nothing comes back
  silent.io.engine.removeAllListeners('heartbeat');
  clearTimeout(silent.io.engine.pingTimeoutTimer);
  let pongs = 0;
  socket.on('pong', () => { ++pongs; });
  assert.equal(await within(new Promise((resolve) => silent.once('disconnect', resolve)), 'disconnect'), 'transport close');
  await until(() => pongs >= 3, 'three pongs');
  assert.deepEqual(await ask(socket, 'greet', {name: 'x'}), ['salaam, x']);
  socket.disconnect();
});

test('everything is gone when the clients are', async () => {
  open.forEach((socket) => socket.io.engine.close());
  const watch = await connectNew(server.url, {path: '/v2/'});
  await until(async () => (await ask(watch, 'counters'))[0].connections_open === 1, 'the others to end');
  assert.equal((await ask(watch, 'counters'))[0].sockets_open, 1);
});

test('without the option it is refused', async () => {
  const socket = client({path: '/socket.io/', transports: ['polling']});
  const error = await within(new Promise((resolve) => socket.once('connect_error', resolve)), 'connect_error');
  assert.equal(error.description, 400);
});
