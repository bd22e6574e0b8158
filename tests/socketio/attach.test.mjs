// The library inside an HTTP server of another's making: examples/beast.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {closeAll, connect, next, startBeast, until} from './support.mjs';

let server;
before(async () => { server = await startBeast(); });
after(async () => {
  closeAll();
  await server?.stop();
});

const said = async () => Number(await (await fetch(new URL('/said', server.url))).text());

test('the official client, over every transport, inside a Beast server', async () => {
  let count = await said();
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
    const [a, b] = [await connect(server.url, {transports}), await connect(server.url, {transports})];
    if (transports.length > 1) await until(() => a.io.engine.transport.name === 'websocket', 'the upgrade');
    for (let i = 0; i < 20; ++i) a.emit('say', `سلام ${i}`);
    for (let i = 0; i < 20; ++i) assert.deepEqual(await next(b, 'said'), [`سلام ${i}`]);
    assert.equal(await said(), count += 20);
    for (const socket of [a, b]) socket.disconnect();
  }
});

test('frames that come with the request for a websocket are read', async () => {
  const {hostname, port} = new URL(server.url);
  const socket = net.connect(port, hostname);
  const request = 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
                  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const connectPacket = Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from('40')]);
  socket.write(Buffer.concat([Buffer.from(request), connectPacket]));
  let received = '';
  while (!received.includes('40{"sid":')) received += (await once(socket, 'data'))[0];
  socket.destroy();
});

test('the application goes on with its own requests, also after a refused one', async () => {
  assert.equal((await fetch(new URL('/socket.io/?EIO=4&transport=carrier-pigeon', server.url))).status, 400);
  assert.equal((await fetch(new URL('/nothing', server.url))).status, 404);
  assert.ok((await said()) >= 0);
});
