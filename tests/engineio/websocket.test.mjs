// Engine.IO v4 over websockets, and the framing below it (RFC 6455).
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Raw, Socket, closeCode, commands, frame, maxPayload, pause, pingInterval, pingTimeout, websocket, within} from './engine.mjs';

test('text and binary come back as they were', async () => {
  const socket = await Socket.open();
  socket.send('4سلام 👋');
  assert.equal(await socket.data(), '4سلام 👋');
  socket.send(Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(await socket.data(), Buffer.from([1, 2, 3, 4]));
  socket.end();
});

test('the server pings, and closes without a pong', async () => {
  const socket = await Socket.open();
  for (let i = 0; i < 3; ++i) {
    const started = performance.now();
    assert.equal(await socket.message(), '2');
    assert.ok(performance.now() - started > pingInterval - 50);
    socket.send('3');
  }
  assert.equal(await socket.message(), '2');
  const pinged = performance.now();
  socket.send('4not a pong');
  assert.equal(await socket.message(), '4not a pong');
  await socket.close();
  const waited = performance.now() - pinged;
  assert.ok(waited > pingTimeout - 50 && waited < pingTimeout + 500, `${waited} ms`);
});

test('what is no packet, a ping or a close ends the session', async () => {
  for (const packet of ['abc', '', '9', '2', '1']) {
    const socket = await Socket.open();
    socket.send(packet);
    await socket.close();
  }
});

test('the server closes after what it had to say', async () => {
  const socket = await Socket.open(commands.websocket);
  socket.send('4close');
  assert.equal(await socket.message(), '4last words');
  await socket.close();
});

test('a message over the limit closes with 1009', async () => {
  const socket = await Socket.open();
  socket.send('4'.padEnd(maxPayload, 'x'));
  assert.equal((await socket.data()).length, maxPayload);
  socket.send('4'.padEnd(maxPayload + 1, 'x'));
  assert.equal(await socket.close(), 1009);
});

test('fragments make one message, with control frames in between', async () => {
  const raw = await Raw.websocket();
  raw.write(Buffer.concat([frame(0x01, '4hel'), frame(0x89, 'are you there'), frame(0x00, ''), frame(0x80, 'lo')]));
  const pong = await raw.frame();
  assert.deepEqual([pong.opcode, pong.payload.toString()], [10, 'are you there']);
  const echo = await raw.frame();
  assert.deepEqual([echo.opcode, echo.payload.toString()], [1, '4hello']);
  raw.close();
});

test('frames may come a byte at a time', async () => {
  const raw = await Raw.websocket();
  for (const byte of frame(0x81, '4slow')) {
    raw.write(Buffer.from([byte]));
    await pause(1);
  }
  assert.equal((await raw.frame()).payload.toString(), '4slow');
  raw.close();
});

test('breaches of the framing close with the code for them', async () => {
  const cases = [
    [1002, frame(0x81, '4a', {masked: false})],
    [1002, frame(0xc1, '4a')],
    [1002, frame(0xa1, '4a')],
    [1002, frame(0x83, '')],
    [1002, frame(0x8b, '')],
    [1002, frame(0x80, 'a')],
    [1002, Buffer.concat([frame(0x01, '4a'), frame(0x81, '4b')])],
    [1002, frame(0x09, '')],
    [1002, frame(0x89, Buffer.alloc(126))],
    [1002, frame(0x88, Buffer.from([3]))],
    [1002, frame(0x88, Buffer.from([3, 237]))],
    [1007, frame(0x81, Buffer.from('34c328', 'hex'))],
    [1007, frame(0x81, Buffer.from('34eda080', 'hex'))],
    [1007, frame(0x88, Buffer.from('03e8ff', 'hex'))],
    [1009, Buffer.from('82ff7fffffffffffffff00000000', 'hex')],
  ];
  for (const [code, bytes] of cases) {
    const raw = await Raw.websocket();
    raw.write(bytes);
    const close = await raw.frame();
    assert.equal(close.opcode, 8, bytes.toString('hex'));
    assert.equal(closeCode(close), code, bytes.toString('hex'));
    await within(raw.ended, 'the end', 2000);
  }
});

test('the close handshake: the code comes back, then the connection ends', async () => {
  for (const [payload, code] of [['', 1005], ['\x03\xe8bye', 1000], ['\x0f\xa0', 4000]]) {
    const raw = await Raw.websocket();
    raw.write(frame(0x88, Buffer.from(payload, 'latin1')));
    const close = await raw.frame();
    assert.equal(close.opcode, 8);
    assert.equal(closeCode(close), code);
    await within(raw.ended, 'the end', 2000);
  }
});

test('messages are compressed for a client that offers it', async () => {
  for (const offer of [true, {serverNoContextTakeover: true}, {clientMaxWindowBits: 10}, {serverMaxWindowBits: 15}]) {
    const socket = new Socket(commands.websocket, {perMessageDeflate: offer});
    await socket.message();
    assert.match(socket.socket.extensions, /permessage-deflate/);
    const before = socket.socket._socket.bytesRead;
    for (const message of [`4${'سلام 👋 '.repeat(10_000)}`, '4short', Buffer.alloc(100_000, 7)]) {
      socket.send(message);
      assert.deepEqual(await socket.message(), message);
    }
    const received = socket.socket._socket.bytesRead - before;
    assert.ok(received < 10_000, `${received} bytes for 280,000`);
    socket.end();
  }
});

test('a client that offers no compression, or one that cannot be kept, is served without it', async () => {
  for (const offer of [false, {serverMaxWindowBits: 9}]) {
    const socket = new Socket(commands.websocket, {perMessageDeflate: offer});
    await socket.message();
    assert.equal(socket.socket.extensions, '');
    const before = socket.socket._socket.bytesRead;
    socket.send(`4${'x'.repeat(5_000)}`);
    assert.equal(await socket.message(), `4${'x'.repeat(5_000)}`);
    assert.equal(socket.socket._socket.bytesRead - before, 5_001 + 4);
    socket.end();
  }
  const off = new Socket(websocket, {perMessageDeflate: true});  // a server without the option
  await off.message();
  assert.equal(off.socket.extensions, '');
  off.end();
});

test('packets under the threshold go out as they are', async () => {
  const socket = new Socket(commands.websocket, {perMessageDeflate: true});
  await socket.message();
  for (const [size, compressed] of [[1023, false], [1024, true]]) {
    const before = socket.socket._socket.bytesRead;
    socket.send('4'.padEnd(size, 'x'));
    await socket.message();
    const received = socket.socket._socket.bytesRead - before;
    compressed ? assert.ok(received < 50, `${received} bytes`) : assert.equal(received, size + 4);
  }
  socket.end();
});

test('a compressed message is limited by what it holds', async () => {
  const socket = new Socket(commands.websocket, {perMessageDeflate: true});
  await socket.message();
  socket.send(`4${'x'.repeat(maxPayload - 1)}`);
  assert.equal((await socket.message()).length, maxPayload);
  socket.send(Buffer.alloc(50_000_000));  // 50 kB on the wire
  assert.equal(await socket.close(), 1009);
});

test('a burst arrives whole and in order', async () => {
  const socket = await Socket.open(commands.websocket);
  socket.send('4burst 5000');
  for (let i = 0; i < 5000; ++i) assert.equal(await socket.message(), `4${i}`);
  socket.end();
});

test('a reader that stops is closed and costs others nothing', async () => {
  const stopped = await Raw.websocket(commands.websocket);
  stopped.socket.pause();
  const other = await Socket.open(commands.websocket);
  const message = frame(0x81, '4'.padEnd(900_000, 'x'));
  let closed = false;
  stopped.ended.then(() => { closed = true; });
  // Echoes pile up: first in the kernel's buffers, then in the server's queue, up to its bound.
  for (let i = 0; i < 40 && !closed; ++i) {
    stopped.write(message);
    other.send(`4${i}`);
    assert.equal(await other.message(), `4${i}`);
    await pause(5);
  }
  stopped.socket.resume();
  await within(stopped.ended, 'the end of the connection');
  other.end();
});
