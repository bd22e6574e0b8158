// Engine.IO v4: the handshake and its refusals.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Raw, Socket, call, commands, get, maxPayload, openPolling, pingInterval, pingTimeout, polling, post, url, websocket, websocketOf, within} from './engine.mjs';

async function refused(answer, status, code, message) {
  const {status: actual, headers, body} = await answer;
  assert.equal(actual, status);
  assert.match(headers['content-type'], /^application\/json/);
  assert.deepEqual(JSON.parse(body), {code, message});
}

// The response to a handshake written by hand: {status, head, body}, after the connection's end.
async function upgrade(path, extra = '') {
  const raw = new Raw();
  raw.write(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`);
  await within(raw.ended, 'the end');
  const [head, body] = raw.received.toString().split('\r\n\r\n');
  return {status: Number(head.split(' ')[1]), head, body};
}

test('the open packet holds five things and nothing else', async () => {
  const {status, headers, body} = await get(polling);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(body[0], '0');
  const {sid, ...rest} = JSON.parse(body.slice(1));
  assert.ok(sid.length >= 20);
  assert.deepEqual(rest, {upgrades: ['websocket'], pingInterval, pingTimeout, maxPayload});
});

test('on a websocket it offers no upgrade', async () => {
  const socket = new Socket(websocket);
  const {sid, ...rest} = JSON.parse((await socket.message()).slice(1));
  assert.ok(sid.length >= 20);
  assert.deepEqual(rest, {upgrades: [], pingInterval, pingTimeout, maxPayload});
  socket.end();
});

test('a missing or unknown transport is code 0', async () => {
  for (const transport of ['', '&transport=', '&transport=abc', '&transport=constructor', '&transport=__proto__', '&transport=Polling']) {
    await refused(get(`/engine.io/?EIO=4${transport}`), 400, 0, 'Transport unknown');
    await refused(post(`/engine.io/?EIO=4${transport}&sid=abc`, '4a'), 400, 0, 'Transport unknown');
  }
});

test('an unknown sid is code 1', async () => {
  for (const sid of ['abc', 'constructor', '__proto__', 'AAAAAAAAAAAAAAAAAAAA0', 'AAAAAAAAAAAAAAAAAAAA999']) {
    await refused(get(`${polling}&sid=${sid}`), 400, 1, 'Session ID unknown');
    await refused(post(`${polling}&sid=${sid}`, '4a'), 400, 1, 'Session ID unknown');
  }
});

test('a first request that is not GET is code 2', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) await refused(call(method, polling), 400, 2, 'Bad handshake method');
});

test('OPTIONS is answered with 204 and the headers of CORS', async () => {
  const {status, headers} = await call('OPTIONS', polling, {headers: {'Origin': 'https://a.example', 'Access-Control-Request-Headers': 'x-custom'}});
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.match(headers['access-control-allow-methods'], /POST/);
  assert.equal(headers['access-control-allow-headers'], 'x-custom');
  assert.equal((await get(polling)).headers['access-control-allow-origin'], '*');
  assert.equal((await get('/engine.io/?EIO=4&transport=abc')).headers['access-control-allow-origin'], '*');
});

test('a transport that does not fit is code 3', async () => {
  await refused(get(websocket), 400, 3, 'Bad request');
  const session = await openPolling();
  await refused(get(websocketOf(session)), 400, 3, 'Bad request');
});

test('a bad byte in Origin is refused', async () => {
  const raw = new Raw();
  raw.write(`GET ${polling} HTTP/1.1\r\nHost: ${url.host}\r\nOrigin: http://a\x01\r\nConnection: close\r\n\r\n`);
  await raw.until((bytes) => bytes.includes('\r\n'), 'the status');
  assert.match(raw.received.toString(), /^HTTP\/1\.1 400 /);
  raw.close();
});

test('the application may refuse', async () => {
  await refused(get(`${commands.polling}&refuse=not%20you`), 403, 4, 'not you');
  await refused(get(`${commands.polling}&refuse=`), 403, 4, 'Forbidden');
  assert.equal((await get(commands.polling)).status, 200);
});

test('a protocol version that is not spoken is code 5, checked last', async () => {
  for (const version of ['', 'EIO=3&', 'EIO=5&', 'EIO=abc&']) {
    await refused(get(`/engine.io/?${version}transport=polling`), 400, 5, 'Unsupported protocol version');
  }
  await refused(get('/engine.io/?transport=abc'), 400, 0, 'Transport unknown');
  await refused(post('/engine.io/?transport=polling', ''), 400, 2, 'Bad handshake method');
  await refused(get('/engine.io-commands/?transport=polling&refuse=no'), 403, 4, 'no');
  const session = (await openPolling()).replace('EIO=4&', '');
  assert.equal((await post(session, '4hello')).status, 200, 'only the handshake asks for it');
});

test('a refused websocket is told before the upgrade, in plain text', async () => {
  const cases = [
    ['/engine.io/?EIO=4', 'Transport unknown'],
    ['/engine.io/?EIO=4&transport=abc', 'Transport unknown'],
    [`${websocket}&sid=abc`, 'Session ID unknown'],
    ['/engine.io/?transport=websocket', 'Unsupported protocol version'],
    ['/engine.io/?EIO=3&transport=websocket', 'Unsupported protocol version'],
    [`${commands.websocket}&refuse=not%20you`, 'not you'],
    [`${commands.websocket}&refuse=`, 'Forbidden'],
  ];
  for (const [path, message] of cases) {
    const {status, head, body} = await upgrade(path);
    assert.equal(status, 400, path);
    assert.match(head, /content-type: text\/plain/i);
    assert.equal(body, message);
  }
});

test('the keys of the handshake are checked', async () => {
  const ask = async (...lines) => {
    const raw = new Raw();
    raw.write([`GET ${websocket} HTTP/1.1`, `Host: ${url.host}`, 'Connection: keep-alive, Upgrade', 'Upgrade: WebSocket', ...lines, '', ''].join('\r\n'));
    await raw.until((bytes) => bytes.includes('\r\n\r\n'), 'the answer');
    raw.close();
    return raw.received.toString();
  };
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', version = 'Sec-WebSocket-Version: 13';
  assert.match(await ask(key, version), /^HTTP\/1\.1 101 [^]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
  assert.match(await ask(version), /^HTTP\/1\.1 400 /);
  assert.match(await ask('Sec-WebSocket-Key: short', version), /^HTTP\/1\.1 400 /);
  assert.match(await ask(key, 'Sec-WebSocket-Version: 7'), /^HTTP\/1\.1 426 [^]*sec-websocket-version: 13\r\n/i);
});
