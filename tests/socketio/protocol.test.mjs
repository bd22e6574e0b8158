// The packets of the v5 specification and what it leaves open, byte by byte against sio-conformance.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {conformance, Raw, within} from './support.mjs';

const closesAfter = async (raw, what) => {
  await raw.close();
  assert.deepEqual(raw.messages, [], what);
};

test('the sid of a namespace is not that of the connection, and stands alone', async () => {
  const response = await fetch(new URL('/socket.io/?EIO=4&transport=polling', conformance));
  const handshake = JSON.parse((await response.text()).slice(1));
  const session = new URL(`/socket.io/?EIO=4&transport=polling&sid=${handshake.sid}`, conformance);
  await (await fetch(session, {method: 'POST', body: '40'})).text();
  const packets = (await (await fetch(session)).text()).split('\x1e');
  const {sid, ...rest} = JSON.parse(packets[0].slice(2));
  assert.deepEqual(rest, {});
  assert.notEqual(sid, handshake.sid);
  assert.equal(packets[1], '42["auth",{}]');
});

test('a namespace may be named with or without the comma', async () => {
  const raw = await Raw.connected();
  raw.send('40/custom');
  assert.match(await raw.message(), /^40\/custom,{"sid":"[^"]+"}$/);
  assert.equal(await raw.message(), '42/custom,["auth",{}]');
  raw.send('41/custom');
  raw.send('40/custom,{"token":"x"}');
  assert.match(await raw.message(), /^40\/custom,/);
  assert.equal(await raw.message(), '42/custom,["auth",{"token":"x"}]');
  raw.end();
});

test('an unknown namespace is refused, the connection stays, and the time to join runs on', async () => {
  const raw = await Raw.open();
  raw.send('40/random');
  assert.equal(await raw.message(), '44/random,{"message":"Invalid namespace"}');
  const began = Date.now();
  await raw.close();
  assert.ok(Date.now() - began < 1_500);
});

test('no namespace joined within the time closes the connection', async () => {
  const began = Date.now();
  const raw = await Raw.open();
  await raw.close();
  const took = Date.now() - began;
  assert.ok(took >= 950 && took < 3_000, `${took} ms`);
});

test('who has joined stays past that time', async () => {
  const raw = await Raw.connected();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  raw.send('42["message","still here"]');
  assert.equal(await raw.message(), '42["message-back","still here"]');
  raw.end();
});

for (const packet of ['4abc', '42{}', '42[]', '42', '42abc["message-with-ack",1]', '40[]', '40', '42/custom,["x"]', '41/custom',
  '44{"message":"x"}', '42["connect"]', '42["connect_error"]', '42["disconnect"]', '42["disconnecting"]', '42["newListener"]',
  '42["removeListener"]', '450-["x"]', '4511-["x"]', '45["x"]', '451-["x",{"_placeholder":true,"num":1}]',
  '451-["x",{"_placeholder":true,"num":-1}]', '451-["x",{"_placeholder":true,"num":"0"}]', '43{}', '41[]']) {
  test(`${packet} closes the connection`, async () => {
    const raw = await Raw.connected();
    raw.send(packet);
    await closesAfter(raw, packet);
  });
}

test('a stray attachment and text amid attachments close the connection', async () => {
  const stray = await Raw.connected();
  stray.send(Buffer.from([1]));
  await closesAfter(stray);
  const amid = await Raw.connected();
  amid.send('451-["message",{"_placeholder":true,"num":0}]');
  amid.send('42["message"]');
  await closesAfter(amid);
});

test('41 gets no answer and the connection stays', async () => {
  const raw = await Raw.connected();
  raw.send('41');
  raw.send('40');
  assert.match(await raw.message(), /^40{/);
  raw.end();
});

test('numbers name events, unknown acknowledgements are ignored, whole arguments come back', async () => {
  const raw = await Raw.connected();
  raw.send('42[1,2]');
  raw.send('437[]');
  raw.send('42["nobody listens"]');
  raw.send('42["message",0.1,1e21,-0.5,"\\u0633\\n",null,true,{"a":[1,{"b":[]}]}]');
  assert.equal(await raw.message(), '42["message-back",0.1,1e+21,-0.5,"س\\n",null,true,{"a":[1,{"b":[]}]}]');
  raw.end();
});

test('an acknowledgement carries the id of the event, binary ones are type 6', async () => {
  const raw = await Raw.connected();
  raw.send('420["message-with-ack",1]');
  assert.equal(await raw.message(), '430[1]');
  raw.send('42456["message-with-ack",1,"2",{"3":[false]}]');
  assert.equal(await raw.message(), '43456[1,"2",{"3":[false]}]');
  raw.send('452-789["message-with-ack",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]');
  raw.send(Buffer.from([1, 2, 3]));
  raw.send(Buffer.from([4, 5, 6]));
  // In the order in which they stand.
  assert.equal(await raw.message(), '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  assert.deepEqual(await raw.message(), Buffer.from([4, 5, 6]));
  assert.deepEqual(await raw.message(), Buffer.from([1, 2, 3]));
  raw.end();
});

test('data that is well formed but unreadable does not close', async () => {
  const raw = await Raw.connected();
  raw.send('42["message","\\ud800"]');
  raw.send(`42["message",${'['.repeat(300)}${']'.repeat(300)}]`);
  raw.send(`42["message",${'['.repeat(100)}${']'.repeat(100)}]`);
  assert.equal(await raw.message(), `42["message-back",${'['.repeat(100)}${']'.repeat(100)}]`);
  raw.end();
});

test('nothing falls between a header and its attachments', async () => {
  const raw = await Raw.connected();
  const rounds = 200;
  for (let i = 0; i < rounds; ++i) {
    raw.send(`451-["message",{"_placeholder":true,"num":0},${i}]`);
    raw.send(Buffer.from([i]));
    raw.send(`42["message",${i}]`);
  }
  for (let i = 0; i < rounds; ++i) {
    assert.equal(await raw.message(), `451-["message-back",{"_placeholder":true,"num":0},${i}]`);
    assert.deepEqual(await raw.message(), Buffer.from([i]));
    assert.equal(await raw.message(), `42["message-back",${i}]`);
  }
  raw.end();
});

test('binary over polling is base64, in order', async () => {
  const response = await fetch(new URL('/socket.io/?EIO=4&transport=polling', conformance));
  const {sid} = JSON.parse((await response.text()).slice(1));
  const session = new URL(`/socket.io/?EIO=4&transport=polling&sid=${sid}`, conformance);
  const body = ['40', '451-["message",{"_placeholder":true,"num":0}]', 'bAQID', '42["message","after"]'].join('\x1e');
  await (await fetch(session, {method: 'POST', body})).text();
  const packets = (await within((await fetch(session)).text(), 'the poll')).split('\x1e');
  assert.deepEqual(packets.slice(1), ['42["auth",{}]', '451-["message-back",{"_placeholder":true,"num":0}]', 'bAQID', '42["message-back","after"]']);
});
