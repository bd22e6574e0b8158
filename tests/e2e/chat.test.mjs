// The main job with the official JavaScript client, over each transport: sign up, log in, connect, chat both ways.
import assert from 'node:assert/strict';
import {after, describe, test} from 'node:test';
import {Person, ask, broadcasts, connected, event, hasShape, isoTime, message, refusal, transports} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const everyone = [];
const arrive = async (name) => {
  const person = await Person.arrive(url, name);
  everyone.push(person);
  return person;
};
after(() => everyone.forEach((person) => person.leave()));

// Letters that tempt a server to change them: half-space, both forms of ya and kaf, tatweel, marks, decomposed letters, joined emoji, flags.
const sentences = [
  'سلام! حالِ شما چطور است؟',
  'می‌خواهم کتاب‌هایم را ببرم',
  'يك كتاب عربي و یک کتاب فارسی ـــ ۱۲۳ ١٢٣ 123',
  'Plain English, with "quotes", \\backslashes\\, <b>tags</b> & ampersands',
  'cafe\u0301 is not caf\u00e9',
  '👋🏽 👩‍👩‍👧‍👦 🇮🇷 🏳️‍🌈 ❤️',
  'line one\nline two\r\n\ttabbed\u2028separated',
  '𝒳 𐍈 — outside the basic plane',
  '\u202bembedded right to left\u202c and back',
];

for (const [name, options] of Object.entries(transports)) {
  describe(name, () => {
    test('two people chat both ways in Persian, English and emoji, each message acknowledged and broadcast', async () => {
      const [sara, leo] = [await arrive('sara'), await arrive('leo')];
      const room = await sara.createRoom('کوه‌نوردی 🏔️', leo);
      const [saras, leos] = [await sara.connect(options), await leo.connect(options)];
      for (const [index, text] of sentences.entries()) {
        const [sender, socket] = index % 2 ? [leo, leos] : [sara, saras];
        const reply = await ask(socket, 'chat_message', {room, message: text});
        const {status, ...sent} = reply;
        assert.equal(status, 'ok');
        hasShape(sent, message);
        assert.equal(sent.content, text);
        assert.equal(sent.sender, sender.email);
        assert.equal(sent.room_id, room);
        assert.equal(sent.seq, index + 1);
        assert.match(sent.timestamp, isoTime);
        for (const other of [saras, leos]) assert.deepEqual(await event(other, 'broadcast_message', (got) => got.id === sent.id), sent);
      }
      for (const socket of [saras, leos]) assert.deepEqual(broadcasts(socket, room).map((got) => got.content), sentences);
      assert.deepEqual((await leo.history(room)).map((got) => got.content), sentences);
      if (name === 'polling, then upgrade') assert.equal(saras.io.engine.transport.name, 'websocket');
      if (name === 'polling only') assert.equal(saras.io.engine.transport.name, 'polling');
    });

    test('without an ack the sender gets chat_response, and everyone the broadcast', async () => {
      const [sara, leo] = [await arrive('sara'), await arrive('leo')];
      const room = await sara.createRoom('Quiet', leo);
      const [saras, leos] = [await sara.connect(options), await leo.connect(options)];
      saras.emit('chat_message', {room, message: 'سلام 👋'});
      assert.deepEqual(await event(saras, 'chat_response'), {status: 'received', message: 'سلام 👋'});
      assert.equal((await event(leos, 'broadcast_message')).content, 'سلام 👋');
      await event(saras, 'broadcast_message');
      assert.equal(leos.events.filter(([event]) => event === 'chat_response').length, 0);
    });

    test('the token may stand in the Authorization header', async () => {
      const sara = await arrive('sara');
      const room = await sara.createRoom('Header');
      const socket = sara.socket({...options, auth: {}, extraHeaders: {Authorization: `Bearer ${sara.token}`}});
      await connected(socket);
      assert.equal((await ask(socket, 'chat_message', {room, message: 'with a header'})).status, 'ok');
    });

    test('the path of the original’s earlier clients is served too', async () => {
      const sara = await arrive('sara');
      const socket = await sara.connect({...options, path: '/ws/socket.io/'});
      assert.equal((await ask(socket, 'get_online_users', {})).status, 'ok');
    });

    test('a connection without a token is refused with the contract’s error', async () => {
      const stranger = new Person(url, {username: 'x', email: 'x@example.org', password: 'x'});
      everyone.push(stranger);
      const error = await refusal(stranger.socket({...options, auth: {}, reconnection: false}));
      assert.equal(error.message, 'Could not validate credentials');
      assert.deepEqual(error.data, {code: 'unauthorized'});
    });

    test('a mistake is answered in the ack, or as an error event without one; the connection lives on', async () => {
      const sara = await arrive('sara');
      const room = await sara.createRoom('Mistakes');
      const socket = await sara.connect(options);
      const unknown = await ask(socket, 'chat_message', {room: 'nowhere', message: 'hello?'});
      assert.deepEqual(unknown, {status: 'error', code: 'not_found', message: 'Chat room not found or access denied'});
      socket.emit('chat_message', {room: 'nowhere', message: 'hello?'});
      assert.deepEqual(await event(socket, 'error'), {message: 'Chat room not found or access denied', code: 'not_found'});
      socket.emit('chat_message', {message: 'no room named'});
      assert.equal((await event(socket, 'error', (error) => error.message === 'Invalid data')).message, 'Invalid data');
      assert.equal((await ask(socket, 'chat_message', {room, message: 'still here'})).status, 'ok');
    });

    test('join_room brings exactly what was missed, by seq and by rev', async () => {
      const [sara, leo] = [await arrive('sara'), await arrive('leo')];
      const room = await sara.createRoom('Catching up', leo);
      const socket = await sara.connect(options);
      for (let number = 1; number <= 7; ++number) await ask(socket, 'chat_message', {room, message: `number ${number}`});
      const leos = await leo.connect(options);
      const bySeq = await ask(leos, 'join_room', {room, after_seq: 4});
      assert.equal(bySeq.status, 'ok');
      assert.equal(bySeq.room, room);
      assert.equal(bySeq.seq, 7);
      assert.deepEqual(bySeq.messages.map((got) => [got.seq, got.content]), [[5, 'number 5'], [6, 'number 6'], [7, 'number 7']]);
      assert.ok(!bySeq.more);
      const rev = bySeq.messages[0].rev;
      const byRev = await ask(leos, 'join_room', {room, after_rev: rev});
      assert.equal(byRev.rev, bySeq.rev);
      assert.deepEqual(byRev.messages.map((got) => got.seq), [6, 7]);
      const nothing = await ask(leos, 'join_room', {room, after_seq: 7});
      assert.deepEqual(nothing.messages, []);
      const plain = await ask(leos, 'join_room', {room});
      assert.deepEqual([plain.status, plain.room, plain.seq], ['ok', room, 7]);
    });
  });
}

test('a message sent over HTTP reaches sockets, and one sent by socket is in the history', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const room = await sara.createRoom('Both', leo);
  const leos = await leo.connect();
  const posted = await sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'از راه HTTP', sender: 'someone@else', timestamp: '1999-01-01'});
  assert.equal(posted.status, 201);
  hasShape(posted.body, message);
  assert.equal(posted.body.sender, sara.email);
  assert.deepEqual(await event(leos, 'broadcast_message'), posted.body);
  const {status, ...sent} = await ask(leos, 'chat_message', {room, message: 'by socket'});
  assert.equal(status, 'ok');
  assert.deepEqual((await sara.call('GET', `/chat/chat_rooms/${room}/messages`)).body, [posted.body, sent]);
});

test('a client_id sends once, however often it is tried, over either way', async () => {
  const sara = await arrive('sara');
  const room = await sara.createRoom('Once');
  const socket = await sara.connect();
  const {status, ...first} = await ask(socket, 'chat_message', {room, message: 'once', client_id: 'a-1'});
  assert.equal(status, 'ok');
  const again = await ask(socket, 'chat_message', {room, message: 'once', client_id: 'a-1'});
  assert.deepEqual(again, {status: 'ok', ...first});
  const byHttp = await sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'once', client_id: 'a-1'});
  assert.equal(byHttp.status, 200);
  assert.deepEqual(byHttp.body, first);
  await ask(socket, 'chat_message', {room, message: 'the end'});
  assert.deepEqual(broadcasts(socket, room).map((got) => got.content), ['once', 'the end']);
});

test('who is added hears the room at once, on every device', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const devices = [await leo.connect(), await leo.connect({transports: ['polling']})];
  const room = await sara.createRoom('New', leo);
  const saras = await sara.connect();
  await ask(saras, 'chat_message', {room, message: 'welcome'});
  for (const device of devices) assert.equal((await event(device, 'broadcast_message')).content, 'welcome');
});

test('who is removed hears no more and is refused', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const room = await sara.createRoom('Small', leo);
  const [saras, leos] = [await sara.connect(), await leo.connect()];
  const removed = await sara.call('DELETE', `/chat/chat_rooms/${room}/members/${encodeURIComponent(leo.email)}`);
  assert.ok([200, 204].includes(removed.status), `${removed.status}`);
  await ask(saras, 'chat_message', {room, message: 'among us'});
  const refused = await ask(leos, 'chat_message', {room, message: 'me too'});
  assert.deepEqual(refused, {status: 'error', code: 'not_found', message: 'Chat room not found or access denied'});
  assert.deepEqual(broadcasts(leos, room), []);
});

test('older 4.x clients work', async () => {
  const {io} = await import('socket.io-client-4.0');
  const sara = await arrive('sara');
  const room = await sara.createRoom('Old friend');
  const socket = io(url, {forceNew: true, auth: {token: sara.token}});
  try {
    await connected(socket);
    const reply = await new Promise((resolve) => { socket.emit('chat_message', {room, message: 'هنوز کار می‌کند'}, resolve); });
    assert.equal(reply.content, 'هنوز کار می‌کند');
  } finally {
    socket.disconnect();
  }
});
