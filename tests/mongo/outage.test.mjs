// The database goes away, and comes back: what answers meanwhile, how soon, and that nothing acknowledged is lost.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {MongoServer} from '../support/mongo.mjs';
import {Payam} from '../support/payam.mjs';
import {Person, ask, call, connected, event, within} from '../support/client.mjs';

const bound = 15_000;  // milliseconds until an outage is told: a call may wait for a free thread, then for the database

let database;
before(async () => { database = await MongoServer.start(); });
after(() => database.remove());

async function until(condition, what, milliseconds = 60_000) {
  await within((async () => { while (!await condition()) await delay(100); })(), what, milliseconds);
}
const isReady = async (server) => (await call(server.url, 'GET', '/readyz').catch(() => ({}))).status === 200;

test('away at start: it listens, lives, is not ready, refuses; then it serves by itself', async () => {
  const {port} = database;
  await database.kill();
  const server = await Payam.onEmptyDirectory(database.options('late'));
  try {
    await server.start();  // waits for /healthz
    const health = await call(server.url, 'GET', '/healthz');
    assert.equal(health.status, 200);
    const ready = await call(server.url, 'GET', '/readyz');
    assert.equal(ready.status, 503);
    assert.ok(ready.headers.get('retry-after'));
    const refused = await call(server.url, 'POST', '/auth/login', new URLSearchParams({username: 'x@example.org', password: 'a password'}));
    assert.equal(refused.status, 503);
    assert.ok(refused.headers.get('retry-after'));
    assert.match(await server.log(), /database_away/);
    await database.again();
    assert.equal(database.port, port);
    await until(() => isReady(server), 'readiness');
    await Person.arrive(server.url, 'late');
    assert.deepEqual(await server.stop(), {code: 0, signal: null});
  } finally {
    await server.remove();
    if (database.process.exitCode !== null || database.process.signalCode !== null) await database.again();
  }
});

test('SIGTERM while it waits ends it with 0', async () => {
  await database.kill();
  const server = await Payam.onEmptyDirectory(database.options('never'));
  try {
    await server.start();
    assert.deepEqual(await server.stop(), {code: 0, signal: null});
  } finally {
    await server.remove();
    await database.again();
  }
});

test('away while it runs: 503 and errors within a bound, typing goes on, it recovers, SIGTERM still drains', async () => {
  const server = await Payam.onEmptyDirectory(database.options('away'));
  const people = [];
  try {
    await server.start();
    await until(() => isReady(server), 'readiness');
    const sara = await Person.arrive(server.url, 'sara'), omid = await Person.arrive(server.url, 'omid');
    people.push(sara, omid);
    const room = await sara.createRoom('room', omid);
    const [speaker, listener] = [await sara.connect(), await omid.connect()];
    const first = await ask(speaker, 'chat_message', {room, message: 'before', client_id: 'a'});
    assert.equal(first.status, 'ok');

    await database.kill();
    const began = Date.now();
    const refused = await speaker.timeout(bound).emitWithAck('chat_message', {room, message: 'during', client_id: 'b'});
    assert.equal(refused.status, 'error');
    assert.equal(refused.code, 'unavailable');
    const posted = await sara.call('POST', `/chat/chat_rooms/${room}/messages`, {content: 'during'});
    assert.equal(posted.status, 503);
    assert.ok(posted.headers.get('retry-after'));
    assert.ok(Date.now() - began < 2 * bound);
    assert.equal((await call(server.url, 'GET', '/healthz')).status, 200);
    assert.equal((await call(server.url, 'GET', '/readyz')).status, 503);
    speaker.emit('typing', {room, typing: true});
    assert.equal((await event(listener, 'typing', (news) => news.email === sara.email)).typing, true);

    await database.again();
    await until(() => isReady(server), 'readiness');
    const again = await ask(speaker, 'chat_message', {room, message: 'during', client_id: 'b'});
    assert.equal(again.status, 'ok');
    assert.deepEqual((await sara.history(room)).map((message) => message.content), ['before', 'during']);

    await database.kill();
    speaker.emit('chat_message', {room, message: 'at the end', client_id: 'c'}, () => {});
    assert.deepEqual(await server.stop(), {code: 0, signal: null});
  } finally {
    people.forEach((person) => person.leave());
    await server.remove();
    if (database.process.exitCode !== null || database.process.signalCode !== null) await database.again();
  }
});

test('SIGKILL of the database and of the server while people send: nothing acknowledged is lost or doubled', async () => {
  const server = await Payam.onEmptyDirectory(database.options('fire'));
  const people = [];
  try {
    await server.start();
    await until(() => isReady(server), 'readiness');
    for (let index = 0; index < 4; ++index) people.push(await Person.arrive(server.url, 'sender'));
    const room = await people[0].createRoom('Under fire', ...people.slice(1));
    const sockets = await Promise.all(people.map((person) => person.connect()));
    const acknowledged = new Map(), attempted = new Map();
    for (const victim of ['database', 'server', 'database']) {
      const enough = acknowledged.size + 60;
      let sending = true;
      const work = sockets.map(async (socket, index) => {
        for (let number = 0; sending; ++number) {
          const client_id = `${attempted.size}-${index}`;
          attempted.set(client_id, `پیام ${client_id}`);
          const reply = await socket.timeout(bound).emitWithAck('chat_message', {room, message: attempted.get(client_id), client_id}).catch(() => null);
          if (reply?.status !== 'ok') return;
          acknowledged.set(client_id, reply);
        }
      });
      await until(() => acknowledged.size >= enough, 'acknowledgements');
      await (victim === 'database' ? database : server).kill();
      sending = false;
      await Promise.all(work);
      await (victim === 'database' ? database.again() : server.start({port: server.port}));
      await until(() => isReady(server), 'readiness');
      await Promise.all(sockets.map(connected));
    }
    for (const [client_id, content] of attempted) {
      if (acknowledged.has(client_id)) continue;
      const reply = await ask(sockets[0], 'chat_message', {room, message: content, client_id});
      if (reply.status === 'ok') acknowledged.set(client_id, reply);
    }
    const stored = await people[0].history(room);
    assert.deepEqual(stored.map((message) => message.seq), Array.from(stored, (_, index) => index + 1), 'seq counts from 1 without a gap');
    const bySeq = new Map(stored.map((message) => [message.seq, message]));
    for (const [client_id, {status, ...message}] of acknowledged) assert.deepEqual(bySeq.get(message.seq), message, `${client_id}, ${status}`);
    for (const person of people) {
      const own = stored.filter((message) => message.sender === person.email).map((message) => message.client_id);
      assert.equal(new Set(own).size, own.length, 'a client_id is one message');
    }
  } finally {
    people.forEach((person) => person.leave());
    await server.remove();
  }
});
