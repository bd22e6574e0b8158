// Engine.IO v4 over HTTP long-polling.
import assert from 'node:assert/strict';
import http from 'node:http';
import {test} from 'node:test';
import {Raw, call, commands, get, maxPayload, openPolling, pause, pingInterval, pingTimeout, polling, post, url} from './engine.mjs';

const isOver = async (session) => assert.equal((await get(session)).body, '{"code":1,"message":"Session ID unknown"}');

test('a post is answered with ok', async () => {
  const {status, headers, body} = await post(await openPolling(), '4hello');
  assert.equal(status, 200);
  assert.equal(body, 'ok');
  assert.equal(headers['cache-control'], 'no-store');
});

test('a payload holds packets parted by a separator, binary ones as base64', async () => {
  const session = await openPolling();
  const payload = '4سلام 👋\x1ebAQIDBA==\x1e4\x1e4test3';
  assert.equal((await post(session, payload)).status, 200);
  const {headers, body} = await get(session);
  assert.equal(body, payload);
  assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
  assert.equal(headers['cache-control'], 'no-store');
});

test('a poll waits for the first packet', async () => {
  const session = await openPolling();
  const poll = get(session);
  await post(session, '4later');
  assert.equal((await poll).body, '4later');
});

test('a second poll is refused, the first ends with the session', async () => {
  const session = await openPolling();
  const first = get(session);
  await pause(20);
  assert.equal((await get(session)).status, 400);
  const {status, body} = await first;
  assert.equal(status, 200);
  assert.equal(body, '1');
  await isOver(session);
});

test('a second post is refused and ends the session', async () => {
  const session = await openPolling();
  const slow = http.request({hostname: url.hostname, port: url.port, method: 'POST', path: session, agent: false, headers: {'Content-Length': 10}});
  slow.on('error', () => {});
  slow.write('4slow');
  await pause(20);
  assert.equal((await post(session, '4fast')).status, 400);
  await isOver(session);
  slow.destroy();
});

test('an aborted poll ends the session', async () => {
  const session = await openPolling();
  const abort = new AbortController();
  const poll = get(session, {signal: abort.signal});
  await pause(20);
  abort.abort();
  await assert.rejects(poll);
  await isOver(session);
});

test('an aborted post ends the session', async () => {
  const session = await openPolling();
  const raw = new Raw();
  raw.write(`POST ${session} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 100\r\n\r\n4half`);
  await pause(20);
  raw.close();
  await pause(20);
  await isOver(session);
});

test('one bad packet ends the session with 400', async () => {
  for (const payload of ['', 'abc', '9', '4ok\x1e', '\x1e4ok', '4ok\x1e\x1e4ok', '4ok\x1eabc', 'b*', Buffer.from('34ff', 'hex')]) {
    const session = await openPolling();
    assert.equal((await post(session, payload)).status, 400, JSON.stringify(payload));
    await isOver(session);
  }
});

test('a post of octets is refused and ends the session', async () => {
  const session = await openPolling();
  assert.equal((await post(session, '4hello', {'Content-Type': 'application/octet-stream'})).status, 400);
  await isOver(session);
});

test('a post over the limit is 413 and the session lives', async () => {
  const session = await openPolling();
  const large = '4'.padEnd(maxPayload + 1, 'x');
  assert.equal((await post(session, large, {'Content-Length': large.length})).status, 413);
  assert.equal((await post(session, large, {'Transfer-Encoding': 'chunked'})).status, 413);
  assert.equal((await post(session, large.slice(0, -1))).status, 200);
  assert.equal((await get(session)).body.length, maxPayload);
});

test('the server pings, the client pongs', async () => {
  const session = await openPolling();
  for (let i = 0; i < 3; ++i) {
    const started = performance.now();
    assert.equal((await get(session)).body, '2');
    const waited = performance.now() - started;
    assert.ok(waited > pingInterval - 50, `${waited} ms`);
    assert.equal((await post(session, '3')).body, 'ok');
  }
});

test('without a pong the session ends, whatever else is sent', async () => {
  const session = await openPolling();
  assert.equal((await get(session)).body, '2');
  const poll = get(session);
  await pause(pingTimeout / 2);
  await post(session, '4still here');
  assert.equal((await poll).body, '4still here');
  await pause(pingTimeout / 2);
  await isOver(session);
});

test('a poll is told that the session has timed out', async () => {
  const session = await openPolling();
  assert.equal((await get(session)).body, '2');
  assert.equal((await get(session)).body, '1');
  await isOver(session);
});

test('a ping from the client ends the session', async () => {
  const session = await openPolling();
  await post(session, '2');
  await isOver(session);
});

test('the client closes by post: the poll gets a noop', async () => {
  const session = await openPolling();
  const poll = get(session);
  await pause(20);
  assert.equal((await post(session, '1')).body, 'ok');
  const {status, body} = await poll;
  assert.equal(status, 200);
  assert.equal(body, '6');
  await isOver(session);
});

test('the server closes: first the packets, then the close packet', async () => {
  const pending = await openPolling(commands.polling);
  const poll = get(pending);
  await pause(20);
  await post(pending, '4close');
  assert.equal((await poll).body, '4last words');
  assert.equal((await get(pending)).body, '1');
  assert.equal((await get(pending)).status, 400);

  const later = await openPolling(commands.polling);
  await post(later, '4close');
  assert.equal((await get(later)).body, '4last words');
  assert.equal((await get(later)).body, '1');
  assert.equal((await get(later)).status, 400);
});

test('other methods of a session are refused and change nothing', async () => {
  const session = await openPolling();
  for (const method of ['PUT', 'DELETE', 'PATCH']) assert.equal((await call(method, session)).status, 400);
  assert.equal((await post(session, '4hello')).status, 200);
});

test('many sessions at once keep apart', async () => {
  const sessions = await Promise.all(Array.from({length: 200}, () => openPolling(commands.polling)));
  assert.equal(new Set(sessions).size, 200);
  const echoes = await Promise.all(sessions.map(async (session, i) => {
    await post(session, `4${i}`);
    return (await get(session)).body;
  }));
  assert.deepEqual(echoes, sessions.map((_, i) => `4${i}`));
  await Promise.all(sessions.map((session) => post(session, '1')));
});
