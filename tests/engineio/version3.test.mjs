// Version 3 of the protocol, as Socket.IO v2 clients speak it, where it is allowed; with the old official client.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import version3 from 'engine.io-client-3';
import {Raw, Socket, call, frame, get, pause, url, within} from './engine.mjs';

const Client = version3.Socket;
const path = '/engine.io-3/';
const base = `${path}?EIO=3&transport=polling`;

async function open(extra = '') {
  const {body} = await get(base + extra);
  const [, length, json] = body.match(/^(\d+):0(.*)$/);
  assert.equal(Number(length), json.length + 1);
  return `${base}${extra}&sid=${JSON.parse(json).sid}`;
}

for (const [name, options] of Object.entries({
  'polling only': {transports: ['polling']},
  'websocket only': {transports: ['websocket']},
  'polling, then upgrade': {transports: ['polling', 'websocket']},
  'base64 only': {transports: ['polling', 'websocket'], forceBase64: true},
})) {
  test(`the old client: ${name}`, async () => {
    const client = new Client(url.origin, {path, ...options});
    const received = [];
    client.on('message', (message) => received.push(message));
    let upgraded = options.transports.length === 1;
    client.on('upgrade', () => { upgraded = true; });
    await within(once(client, 'open'), 'open');
    const sent = [];
    for (let i = 0; !upgraded || i < 50; ++i) {
      const message = i % 5 === 0 ? Buffer.from([i & 255, 255, 0, 4]) : `سلام 👋 ${i}`;
      sent.push(message);
      client.send(message);
      await pause(2);
    }
    await within((async () => { while (received.length < sent.length) await pause(5); })(), 'the echoes');
    assert.deepEqual(received.map((message) => (typeof message === 'string' ? message : Buffer.from(message))), sent);
    client.close();
  });
}

test('a payload has lengths, in code units', async () => {
  const session = await open();
  assert.equal((await call('POST', session, {body: '6:4hello3:4👋'})).body, 'ok');
  const {headers, body} = await get(session);
  assert.equal(body, '6:4hello3:4👋');
  assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
});

test('binary messages make a payload of octets, or of base64 for those who ask', async () => {
  const octets = {body: Buffer.from([1, 3, 255, 4, 1, 2]), headers: {'Content-Type': 'application/octet-stream'}};
  const session = await open();
  assert.equal((await call('POST', session, octets)).body, 'ok');
  const answer = await get(session);
  assert.equal(answer.headers['content-type'], 'application/octet-stream');

  const base64 = await open('&b64=1');
  assert.equal((await call('POST', base64, {body: '6:b4AQI='})).body, 'ok');
  assert.equal((await get(base64)).body, '6:b4AQI=');
});

test('the client pings, the server pongs', async () => {
  const session = await open();
  assert.equal((await call('POST', session, {body: '1:2'})).body, 'ok');
  assert.equal((await get(session)).body, '1:3');
  await call('POST', session, {body: '1:3'});
  assert.equal((await get(session)).status, 400, 'a pong from the client ends it');
});

test('a bad payload ends the session with 400', async () => {
  for (const body of ['', '4hello', '1:7', '2:4', 'x:4', '3:4a']) {
    const session = await open();
    assert.equal((await call('POST', session, {body})).status, 400, body);
    assert.equal((await get(session)).status, 400, body);
  }
});

test('binary frames of a websocket begin with their type', async () => {
  const raw = await Raw.websocket(`${path}?EIO=3&transport=websocket`);
  raw.write(Buffer.concat([frame(0x82, Buffer.from([4, 1, 2])), frame(0x81, '2')]));
  assert.deepEqual([...(await raw.frame()).payload], [4, 1, 2]);
  assert.equal((await raw.frame()).payload.toString(), '3');
  raw.close();
});

test('clients of version 4 are served beside it', async () => {
  const socket = await Socket.open(`${path}?EIO=4&transport=websocket`);
  socket.send('4hello');
  assert.equal(await socket.message(), '4hello');
  socket.end();
});
