// Readers that stop for good or for a while (those who read a byte at a time: slow_reader_test.py): the server's memory stays bounded,
// others are not slowed, nobody gets a hole in what they receive. /tight/ queues 256 KiB a connection, then closes it.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {ask, closeAll, connect, next, startFeatures, until, within} from './support.mjs';

const cap = 256 * 1024;
const path = '/tight/';

let server;
before(async () => { server = await startFeatures(); });
after(async () => {
  closeAll();
  await server?.stop();
});

const megabytes = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;

// A bare websocket that joins a room and reads only when told to.
class SlowReader {
  static async join(room) {
    const reader = new SlowReader();
    const {hostname, port, host} = new URL(server.url);
    reader.socket = net.connect(port, hostname);
    reader.socket.on('error', () => {});
    reader.bytes = Buffer.alloc(0);
    reader.frames = [];
    reader.closed = false;
    reader.socket.on('close', () => { reader.closed = true; });
    reader.socket.write(`GET ${path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
                        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await reader.read((frames) => frames.some((frame) => frame.startsWith('0')));
    reader.send('40');
    reader.send(`420["join",["${room}"]]`);
    await reader.read((frames) => frames.some((frame) => frame.startsWith('430')));
    reader.frames = [];
    return reader;
  }
  send(text) {
    const payload = Buffer.from(text);
    assert.ok(payload.length < 126);
    this.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }
  take(chunk) {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    if (!this.upgraded) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.bytes = this.bytes.subarray(end + 4);
      this.upgraded = true;
    }
    for (;;) {
      if (this.bytes.length < 2) return;
      let length = this.bytes[1] & 127, header = 2;
      if (length === 126) {
        if (this.bytes.length < 4) return;
        [length, header] = [this.bytes.readUInt16BE(2), 4];
      }
      if (this.bytes.length < header + length) return;
      if ((this.bytes[0] & 15) === 1) this.frames.push(this.bytes.subarray(header, header + length).toString());
      this.bytes = this.bytes.subarray(header + length);
    }
  }
  // Reads until the frames suffice.
  async read(enough) {
    this.socket.pause();
    const deadline = Date.now() + 20_000;
    while (!enough(this.frames)) {
      assert.ok(Date.now() < deadline, 'the reader waits in vain');
      const chunk = this.socket.read();
      if (chunk === null) {
        if (this.closed || this.socket.readableEnded) return;
        await Promise.race([once(this.socket, 'readable').catch(() => {}), new Promise((resolve) => setTimeout(resolve, 20))]);
      } else {
        this.take(chunk);
      }
    }
  }
  end() { this.socket.destroy(); }
}

const text = 'x'.repeat(8_000);
const shout = (socket, room, n) => ask(socket, 'shout', {event: 'n', args: [n, text], to: [room], except: []});
const numbers = (frames) => frames.filter((frame) => frame.startsWith('42["n"')).map((frame) => JSON.parse(frame.slice(2))[1]);

test('who stops reading for good is disconnected with a reason, and nobody else notices', async () => {
  const room = 'stopped';
  const [sender, good] = [await connect(server.url, {path}), await connect(server.url, {path})];
  for (const socket of [sender, good]) await ask(socket, 'join', [room]);
  const slow = await SlowReader.join(room);
  slow.socket.pause();
  const memory = megabytes();
  let sent = 0, worst = 0, gone;
  sender.on('left', (id, reason) => { gone = reason; });
  while (gone === undefined) {
    assert.ok(sent < 5_000, 'the slow reader is never disconnected');
    const began = Date.now();
    await shout(sender, room, sent);
    assert.equal((await next(good, 'n'))[0], sent++);
    worst = Math.max(worst, Date.now() - began);
    const [{bytes_queued: queued}] = await ask(good, 'counters');
    assert.ok(queued <= cap + 64 * 1024, `${queued} bytes queued`);
  }
  assert.equal(gone, 'buffer overflow');
  assert.ok(worst < 1_000, `others waited ${worst} ms`);
  assert.ok(megabytes() - memory < 64, `${megabytes() - memory} MiB more`);
  await within(until(async () => (await ask(good, 'counters'))[0].connections_open === 2, 'the connection to be gone'), 'the end');
  for (const socket of [sender, good]) socket.disconnect();
  slow.end();
});

test('who stops for a while gets everything, in order', async () => {
  const room = 'while';
  const sender = await connect(server.url, {path});
  const slow = await SlowReader.join(room);
  slow.socket.pause();
  const count = 60;  // 480 kB: more than the queue, less than queue and kernel together
  for (let n = 0; n < count; ++n) await shout(sender, room, n);
  await slow.read((frames) => numbers(frames).length >= count);
  assert.deepEqual(numbers(slow.frames), Array.from({length: count}, (_, n) => n));
  sender.disconnect();
  slow.end();
});

test('volatile events are dropped for who does not read, and only for him', async () => {
  const room = 'volatile';
  const [sender, good] = [await connect(server.url, {path}), await connect(server.url, {path})];
  await ask(good, 'join', [room]);
  const slow = await SlowReader.join(room);
  slow.socket.pause();
  const count = 2_000;  // 16 MB
  for (let n = 0; n < count; ++n) {
    await ask(sender, 'shout', {event: 'n', args: [n, text], to: [room], except: [], is_volatile: true});
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const [counters] = await ask(sender, 'counters');
  assert.ok(counters.volatile_dropped > 100, `${counters.volatile_dropped} dropped`);
  assert.ok(!slow.closed);
  await until(() => good.arrived.some(([, n]) => n === count - 1), 'the last to arrive at the good reader');
  await ask(sender, 'shout', {event: 'n', args: ['end'], to: [room], except: []});
  await slow.read((frames) => numbers(frames).includes('end'));
  const got = numbers(slow.frames).filter((n) => n !== 'end');
  assert.ok(got.length < count);
  assert.deepEqual(got, [...got].sort((a, b) => a - b), 'in order, with holes');
  for (const socket of [sender, good]) socket.disconnect();
  slow.end();
});

// A session over polling in a room, with nothing queued; {poll(), post(body)}.
async function pollingMember(room) {
  const open = await fetch(new URL(`${path}?EIO=4&transport=polling`, server.url));
  const {sid} = JSON.parse((await open.text()).slice(1));
  const session = new URL(`${path}?EIO=4&transport=polling&sid=${sid}`, server.url);
  const poll = async () => {
    const answer = await fetch(session);
    assert.equal(answer.status, 200);
    return (await answer.text()).split('\x1e');
  };
  const post = async (body) => assert.equal(await (await fetch(session, {method: 'POST', body})).text(), 'ok');
  await post('40');
  await poll();
  await post(`420["join",["${room}"]]`);
  while (!(await poll()).some((packet) => packet.startsWith('430'))) {}
  return {session, poll, post};
}

test('a polling client that never polls is disconnected with a reason too', async () => {
  const room = 'no polls';
  const sender = await connect(server.url, {path});
  await ask(sender, 'join', [room]);
  const {session} = await pollingMember(room);
  let gone;
  sender.on('left', (id, reason) => { gone = reason; });
  for (let n = 0; gone === undefined; ++n) {
    assert.ok(n < 200, 'never disconnected');
    await shout(sender, room, n);
  }
  assert.equal(gone, 'buffer overflow');
  assert.equal((await fetch(session)).status, 400);
  sender.disconnect();
});

test('a polling client that pauses gets everything, in order; meanwhile the counter says what is queued', async () => {
  const room = 'late polls';
  const sender = await connect(server.url, {path});
  const queued = async () => (await ask(sender, 'counters'))[0].bytes_queued;
  await until(async () => (await queued()) < 1_000, 'the queues to be empty');
  const late = await pollingMember(room);
  const count = 25;
  for (let n = 0; n < count; ++n) await shout(sender, room, n);
  assert.ok((await queued()) > count * text.length);
  const got = [];
  while (numbers(got).length < count) got.push(...await late.poll());
  assert.deepEqual(numbers(got), Array.from({length: count}, (_, n) => n));
  assert.ok((await queued()) < 1_000, 'nothing is queued any more');
  await late.post('41');
  sender.disconnect();
});

test('what is volatile is dropped first, while there is no poll to take it', async () => {
  const room = 'volatile polls';
  const sender = await connect(server.url, {path});
  const late = await pollingMember(room);
  for (let n = 0; n < 200; ++n) await ask(sender, 'shout', {event: 'n', args: [n, text], to: [room], except: [], is_volatile: true});
  await shout(sender, room, 200);
  const got = [];
  while (numbers(got).length < 1) got.push(...await late.poll());
  assert.deepEqual(numbers(got), [200]);
  await late.post('41');
  sender.disconnect();
});

test('a socket knows the bytes that wait for its own connection', async () => {
  const late = await pollingMember('own bytes');
  await late.post('425["burst",3,1000]');
  const got = [];
  while (!got.some((packet) => packet.startsWith('435'))) got.push(...await late.poll());
  const [before, after] = JSON.parse(got.find((packet) => packet.startsWith('435')).slice(3));
  assert.equal(before, 0);
  // Three packets of 1,000 characters with at most 30 bytes around each.
  assert.ok(after > 3_000 && after < 3_090, `${after} bytes`);
});
