// Malformed JSON, packets and payloads, unknown rooms, strangers, bodies over the limit: the contract's error, and the server lives on.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import net from 'node:net';
import {after, test} from 'node:test';
import WebSocket from 'ws';
import {Person, ask, call, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const people = [];
after(() => people.forEach((person) => person.leave()));
async function arrive(name) {
  const person = await Person.arrive(url, name);
  people.push(person);
  return person;
}
async function alive() {
  assert.equal((await call(url, 'GET', '/healthz')).status, 200);
}

// — bodies —

test('malformed JSON is 422 json_invalid, and the connection lives on', async () => {
  const person = await arrive('mary');
  for (const body of ['{', '{"name": }', '{"name": "x"', 'name=x', '{"name":"x"} trailing', "{'name':'x'}", '\u0000', '{"name":"\ud800"}'.replace('\ud800', '\\ud800'), '{"name":"a\\u0000b"}']) {
    const answer = await person.call('POST', '/chat/chat_rooms/', body, {headers: {'Content-Type': 'application/json'}});
    assert.equal(answer.status, 422, body);
    assert.ok(Array.isArray(answer.body.detail), body);
  }
  const answer = await person.call('POST', '/chat/chat_rooms/', '{', {headers: {'Content-Type': 'application/json'}});
  const [fault] = answer.body.detail;
  assert.equal(fault.type, 'json_invalid');
  assert.equal(fault.loc[0], 'body');
  await alive();
});

test('every fault of a body is listed, in the FastAPI shape', async () => {
  const answer = await call(url, 'POST', '/auth/signup', {username: 7, email: 'no-at-sign'});
  assert.equal(answer.status, 422);
  const faults = new Map(answer.body.detail.map((fault) => [fault.loc.join('.'), fault]));
  assert.deepEqual([...faults.keys()].sort(), ['body.email', 'body.password', 'body.username']);
  assert.deepEqual(faults.get('body.password'), {type: 'missing', loc: ['body', 'password'], msg: 'Field required', input: {username: 7, email: 'no-at-sign'}});
  assert.equal(faults.get('body.username').type, 'string_type');
  assert.equal(faults.get('body.username').msg, 'Input should be a valid string');
  assert.equal(faults.get('body.username').input, 7);
  assert.equal(faults.get('body.email').type, 'value_error');
});

test('deeply nested JSON is refused, not followed', async () => {
  const person = await arrive('deep');
  const body = `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  assert.equal((await person.call('POST', '/chat/chat_rooms/', body, {headers: {'Content-Type': 'application/json'}})).status, 422);
  await alive();
});

test('a body over the limit is 413', async () => {
  const person = await arrive('large');
  const answer = await person.call('POST', '/chat/chat_rooms/', {name: 'x'.repeat(3_000_000)});
  assert.equal(answer.status, 413);
  assert.equal(typeof answer.body.detail, 'string');
  await alive();
});

test('text over 20,000 characters is 422, exactly 20,000 is fine, counted in characters', async () => {
  const person = await arrive('long');
  const room = await person.createRoom('Long');
  const path = `/chat/chat_rooms/${room}/messages`;
  assert.equal((await person.call('POST', path, {content: '😀'.repeat(20_000)})).status, 201);
  assert.equal((await person.call('POST', path, {content: '😀'.repeat(20_001)})).status, 422);
  assert.equal((await person.call('POST', path, {content: ''})).status, 422);
  const socket = await person.connect();
  assert.equal((await ask(socket, 'chat_message', {room, message: 'x'.repeat(20_001)})).code, 'invalid');
  assert.equal((await ask(socket, 'chat_message', {room, message: ''})).code, 'invalid');
});

// — rooms —

test('a stranger sees and does nothing in a room, the same way as in one that does not exist', async () => {
  const [owner, stranger] = [await arrive('owner'), await arrive('stranger')];
  const room = await owner.createRoom('Private matters');
  const socket = await stranger.connect();
  for (const id of [room, '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'x', 'nowhere%20at%20all', '..%2F..%2Fetc']) {
    for (const [method, path, body] of [
      ['GET', `/chat/chat_rooms/${id}`], ['GET', `/chat/chat_rooms/${id}/messages`],
      ['POST', `/chat/chat_rooms/${id}/messages`, {content: 'hello?'}], ['POST', `/chat/chat_rooms/${id}/members`, {emails: [stranger.email]}],
      ['DELETE', `/chat/chat_rooms/${id}/members/${encodeURIComponent(owner.email)}`],
    ]) {
      const answer = await stranger.call(method, path, body);
      assert.deepEqual([answer.status, answer.body], [404, {detail: 'Chat room not found or access denied'}], `${method} ${path}`);
    }
  }
  for (const id of [room, 'nowhere', '']) {
    for (const [name, data] of [['chat_message', {room: id, message: 'x'}], ['join_room', {room: id}]]) {
      const reply = await ask(socket, name, data);
      assert.equal(reply.status, 'error', `${name} ${id}`);
      if (id) assert.deepEqual([reply.code, reply.message], ['not_found', 'Chat room not found or access denied']);
    }
  }
  assert.deepEqual((await owner.history(room)), []);
});

test('an unknown member is refused by name and nothing is created', async () => {
  const person = await arrive('maker');
  const answer = await person.call('POST', '/chat/chat_rooms/', {name: 'Typo', members: [person.email, 'nobody@example.org']});
  assert.equal(answer.status, 400);
  assert.match(answer.body.detail, /nobody@example\.org/);
  assert.deepEqual((await person.call('GET', '/chat/chat_rooms/')).body, []);
});

// — HTTP itself —

function raw(text) {
  const {hostname, port} = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (data) => { answer += data.toString('latin1'); });
  socket.on('error', () => {});
  socket.write(text);
  return within(once(socket, 'close').then(() => answer), `the server to close after ${JSON.stringify(text.slice(0, 60))}`);
}

test('a request that two servers could read differently is 400 and the connection closes', async () => {
  const head = 'POST /auth/login HTTP/1.1\r\nHost: x\r\n';
  for (const lines of ['Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 4\r\nContent-Length: 5\r\n', 'Content-Length: -1\r\n', 'Content-Length: 1x\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 0\r\n']) {
    assert.match(await raw(`${head}${lines}\r\n0\r\n\r\n`), /^HTTP\/1\.1 400 /, lines);
  }
  assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1\.1 4(00|31) /);
  await alive();
});

test('a wrong method is 405 with Allow, an unknown path 404', async () => {
  const wrong = await call(url, 'PUT', '/auth/login');
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get('allow'), /POST/);
  assert.deepEqual((await call(url, 'GET', '/no/such/path')).body, {detail: 'Not Found'});
});

test('every reply carries X-Request-ID', async () => {
  for (const path of ['/', '/healthz', '/no/such/path', '/auth/users/me']) assert.ok((await call(url, 'GET', path)).headers.get('x-request-id'), path);
});

test('empty lines sent ahead, as many as one likes, end their own connection', async () => {
  const form = 'username=nobody&password=wrong+password';
  const login = `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
  const answers = await raw(login + '\r\n'.repeat(8_191) + '\r\n'.repeat(32_768));
  assert.match(answers, /^HTTP\/1\.1 401 /);
  assert.match(answers, /HTTP\/1\.1 431 /);
  await alive();
});

test('a streamed request that is whole with its head is answered', async () => {
  const person = await arrive('empty');
  const upload = `POST /chat/upload_media/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${person.token}\r\nContent-Type: multipart/form-data; boundary=X\r\n`;
  const open = await call(url, 'GET', '/socket.io/?EIO=4&transport=polling');
  const {sid} = JSON.parse(open.body.slice(1));
  const post = `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
  for (const rest of ['Content-Length: 0\r\n\r\n', '\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Expect: 100-continue\r\nContent-Length: 0\r\n\r\n']) {
    assert.match(await raw(upload + rest), /^HTTP\/1\.1 400 /, rest);
    assert.match(await raw(post + rest), /^HTTP\/1\.1 400 /, rest);
  }
  const body = '--X\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--X--\r\n';
  assert.match(await raw(`${upload}Content-Length: ${body.length}\r\n\r\n${body}`), /^HTTP\/1\.1 200 /);
  await alive();
});

test('what is for one person is kept by no cache, and no secret is sent back', async () => {
  const person = await arrive('private');
  for (const [path, token] of [['/auth/users/me', person.token], ['/chat/chat_rooms/', person.token], ['/auth/users/me', null], ['/no/such/path', null]]) {
    const {headers} = await call(url, 'GET', path, undefined, {token});
    assert.deepEqual([headers.get('cache-control'), headers.get('x-content-type-options')], ['no-store', 'nosniff'], path);
  }
  const refused = await call(url, 'POST', '/auth/signup', {username: 'x', password: 'hunter2 hunter2'});
  assert.deepEqual(refused.body.detail[0].input, {username: 'x', password: '**********'});
  const socket = await person.connect();
  const answer = await ask(socket, 'authenticate', {token: ['hunter2']});
  assert.equal(answer.detail[0].input, '**********');
});

// — packets —

// A websocket that speaks Engine.IO by hand; `joined` has said CONNECT with the token.
async function byHand(person) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  socket.packets = [];
  socket.on('message', (data, binary) => socket.packets.push(binary ? data : data.toString()));
  socket.closed = once(socket, 'close');
  await within(once(socket, 'open'), 'open');
  if (person) {
    socket.send(`40${JSON.stringify({token: person.token})}`);
    await within((async () => { while (!socket.packets.some((packet) => `${packet}`.startsWith('40{"sid"'))) await once(socket, 'message'); })(), 'CONNECT');
  }
  return socket;
}

test('malformed packets close their own connection and no other', async () => {
  const person = await arrive('packets');
  const room = await person.createRoom('Witness');
  const witness = await person.connect();
  for (const packet of ['4abc', '42{}', '42[]', '42abc["x"]', '40[]', '9', '', '42["connect"]', '42["disconnecting"]', '451-["x",{"_placeholder":true,"num":7}]', '4511-["x"]',
    '42["chat_message",{"room":', '42/unknown,["x"]', '44', '2', '4']) {
    const socket = await byHand(person);
    socket.send(packet);
    await within(socket.closed, `the close after ${packet}`);
  }
  assert.equal((await ask(witness, 'chat_message', {room, message: 'still here'})).status, 'ok');
});

test('well-formed packets with wrong data never close the connection', async () => {
  const person = await arrive('wrong');
  const room = await person.createRoom('Patience');
  const socket = await byHand(person);
  const nested = `${'['.repeat(100)}${']'.repeat(100)}`;
  const events = ['["chat_message"]', '["chat_message",null]', '["chat_message",7]', '["chat_message",[]]', '["chat_message","text"]', '["chat_message",{"room":7,"message":"x"}]',
    '["chat_message",{"room":"x","message":{}}]', `["chat_message",{"room":"${room}","message":"\\ud800"}]`, `["chat_message",{"room":"${room}","message":"a\\u0000b"}]`, `["chat_message",${nested}]`,
    `["chat_message",{"room":"${room}","message":"x","client_id":"${'c'.repeat(65)}"}]`, `["join_room",{"room":"${room}","after_seq":-1}]`, `["join_room",{"room":"${room}","after_seq":"1"}]`,
    `["join_room",{"room":"${room}","after_seq":1e300}]`, '["typing",{"room":"x"}]', '["no_such_event",1,2,3]', '["resume",{}]', '[1,2]'];
  for (const [index, text] of events.entries()) {
    socket.send(`42${text}`);
    socket.send(`42${index}${text}`);
  }
  socket.send(`42999["chat_message",{"room":"${room}","message":"the end"}]`);
  await within((async () => { while (!socket.packets.some((packet) => `${packet}`.startsWith('43999['))) await once(socket, 'message'); })(), 'the last ack');
  const answered = new Map(socket.packets.map((packet) => /^43(\d+)(\[.*)$/s.exec(packet)).filter(Boolean).map(([, id, json]) => [Number(id), JSON.parse(json)[0]]));
  for (const [index, text] of events.entries()) {
    if (/no_such_event|\[1,2\]/.test(text)) continue;  // nobody listens: nothing to answer
    assert.equal(answered.get(index)?.status, 'error', text);
    assert.ok(answered.get(index).code && answered.get(index).message, text);
  }
  assert.equal(answered.get(999).seq, 1, 'nothing wrong was stored');
  assert.ok(socket.packets.some((packet) => `${packet}`.startsWith('42["error",{"message":"Invalid data"')));
  socket.close();
});

test('a frame over maxPayload closes with 1009; a polling body over it is 413 and the session lives', async () => {
  const person = await arrive('huge');
  const socket = await byHand(person);
  const {maxPayload} = JSON.parse(socket.packets.find((packet) => packet.startsWith('0{')).slice(1));
  socket.send(`4${'x'.repeat(maxPayload + 1)}`);
  const [code] = await within(socket.closed, 'close');
  assert.equal(code, 1009);

  const open = await call(url, 'GET', '/socket.io/?EIO=4&transport=polling');
  const {sid} = JSON.parse(open.body.slice(1));
  const session = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const tooLarge = await call(url, 'POST', session, `4${'x'.repeat(maxPayload + 1)}`, {headers: {'Content-Type': 'text/plain;charset=UTF-8'}});
  assert.equal(tooLarge.status, 413);
  assert.equal((await call(url, 'POST', session, `40${JSON.stringify({token: person.token})}`)).body, 'ok');
  assert.match((await call(url, 'GET', session)).body, /^40\{"sid"/);
});

test('malformed payloads end their polling session with 400, others live on', async () => {
  for (const body of ['', 'x', '4hello\u001e', '\u001e\u001e', 'b!!!', '4\u001e9']) {
    const open = await call(url, 'GET', '/socket.io/?EIO=4&transport=polling');
    const session = `/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(open.body.slice(1)).sid}`;
    const answer = await call(url, 'POST', session, body, {headers: {'Content-Type': 'text/plain;charset=UTF-8'}});
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal((await call(url, 'GET', session)).status, 400, JSON.stringify(body));
  }
  await alive();
});

test('a wrong handshake is told what is wrong', async () => {
  for (const [query, code, text] of [['EIO=4', 0, 'Transport unknown'], ['EIO=4&transport=constructor', 0, 'Transport unknown'], ['EIO=4&transport=polling&sid=nobody', 1, 'Session ID unknown'],
    ['EIO=99&transport=polling', 5, 'Unsupported protocol version']]) {
    const answer = await call(url, 'GET', `/socket.io/?${query}`);
    assert.deepEqual([answer.status, answer.body], [400, {code, message: text}], query);
  }
});

test('a namespace nobody serves is refused, the connection stays', async () => {
  const person = await arrive('names');
  const socket = await byHand(person);
  socket.send('40/admin,{}');
  await within((async () => { while (!socket.packets.includes('44/admin,{"message":"Invalid namespace"}')) await once(socket, 'message'); })(), 'CONNECT_ERROR');
  socket.send(`421["chat_message",{"room":"x","message":"y"}]`);
  await within((async () => { while (!socket.packets.some((packet) => `${packet}`.startsWith('431['))) await once(socket, 'message'); })(), 'an ack');
  socket.close();
});
