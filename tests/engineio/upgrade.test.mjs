// Engine.IO v4: from polling to a websocket.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import {Socket as Client} from 'engine.io-client';
import {Socket, commands, get, openPolling, pause, pingInterval, pingTimeout, post, url, websocketOf, within} from './engine.mjs';

async function probed(session) {
  const socket = await Socket.open(websocketOf(session), false);
  socket.send('2probe');
  assert.equal(await socket.message(), '3probe');
  return socket;
}

test('the probe is answered, the pending poll ends with a noop, then the websocket takes over', async () => {
  const session = await openPolling();
  const poll = get(session);
  await pause(20);
  const socket = await probed(session);
  assert.equal((await poll).body, '6');
  socket.send('5');
  socket.send('4hello');
  assert.equal(await socket.data(), '4hello');
  socket.end();
});

test('each later poll during the upgrade gets a noop as well', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  for (let i = 0; i < 3; ++i) assert.equal((await get(session)).body, '6');
  socket.send('5');
  socket.send('4hello');
  assert.equal(await socket.data(), '4hello');
  socket.end();
});

test('what is queued meanwhile is flushed in order, nothing lost or doubled', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  await post(session, '4a\x1e4b');
  await post(session, '4c');
  socket.send('5');
  socket.send('4d');
  for (const message of ['4a', '4b', '4c', '4d']) assert.equal(await socket.data(), message);
  socket.end();
});

test('pings pause during the upgrade and go on after it', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  await pause(2 * (pingInterval + pingTimeout));
  assert.deepEqual(socket.messages, []);
  socket.send('5');
  assert.equal(await socket.message(), '2');
  socket.send('3');
  assert.equal(await socket.message(), '2');
  socket.end();
});

test('after the upgrade polling is refused with code 3', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  socket.send('5');
  socket.send('4hello');
  assert.equal(await socket.data(), '4hello');
  for (const answer of [await get(session), await post(session, '4late')]) {
    assert.equal(answer.status, 400);
    assert.deepEqual(JSON.parse(answer.body), {code: 3, message: 'Bad request'});
  }
  socket.send('4still here');
  assert.equal(await socket.data(), '4still here');
  socket.end();
});

test('a second websocket of the session is closed, the first goes on', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  await (await Socket.open(websocketOf(session), false)).close();
  socket.send('5');
  socket.send('4hello');
  assert.equal(await socket.data(), '4hello');
  await (await Socket.open(websocketOf(session), false)).close();
  socket.send('4still here');
  assert.equal(await socket.data(), '4still here');
  socket.end();

  const direct = new Socket(`/engine.io/?EIO=4&transport=websocket`);
  const {sid} = JSON.parse((await direct.message()).slice(1));
  await (await Socket.open(`/engine.io/?EIO=4&transport=websocket&sid=${sid}`, false)).close();
  direct.send('4still here');
  assert.equal(await direct.data(), '4still here');
  direct.end();
});

test('a wrong first frame closes only that websocket', async () => {
  for (const wrong of ['2', '2wrong', '3probe', '4hello', '1', 'abc', Buffer.from([1])]) {
    const session = await openPolling();
    const poll = get(session);
    const socket = await Socket.open(websocketOf(session), false);
    socket.send(wrong);
    await socket.close();
    await post(session, '4polling goes on');
    assert.equal((await poll).body, '4polling goes on');
    const again = await probed(session);
    again.send('5');
    again.send('4and may upgrade later');
    assert.equal(await again.data(), '4and may upgrade later');
    again.end();
  }
});

test('a websocket lost in the middle leaves polling as it was', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  socket.end();
  await pause(20);
  const poll = get(session);
  await post(session, '4still here');
  assert.equal((await poll).body, '4still here');
});

test('the session may close during the upgrade', async () => {
  const session = await openPolling();
  const socket = await probed(session);
  await post(session, '1');
  await socket.close();
  assert.equal((await get(session)).status, 400);
});

test('the official client upgrades in the middle of its messages and gets each once, in order', async () => {
  const client = new Client(url.origin, {path: '/engine.io-commands/', transports: ['polling', 'websocket']});
  const received = [];
  let upgraded = false;
  client.on('message', (message) => received.push(message));
  client.on('upgrade', () => { upgraded = true; });
  await within(once(client, 'open'), 'open');
  let sent = 0;
  while (!upgraded || sent < 200) {
    for (let i = 0; i < 5; ++i) client.send(`message ${sent++}`);
    await pause(1);
  }
  for (let i = 0; i < 50; ++i) client.send(`message ${sent++}`);
  await within((async () => { while (received.length < sent) await pause(5); })(), 'the echoes');
  await pause(20);
  assert.deepEqual(received, Array.from({length: sent}, (_, i) => `message ${i}`));
  client.close();
});
