// kill -9 in the middle of sending: what was acknowledged is there, once, in order; a client that comes back gets exactly what it missed.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Payam} from '../support/payam.mjs';
import {Person, ask, connected, within} from '../support/client.mjs';

const senders = 5;
const rounds = 4;

test('nothing acknowledged is lost or doubled by SIGKILL, and after_seq returns what was missed', async () => {
  const server = await Payam.onEmptyDirectory();
  const people = [];
  try {
    await server.start();
    for (let index = 0; index < senders; ++index) people.push(await Person.arrive(server.url, 'sender'));
    const listener = await Person.arrive(server.url, 'listener');
    people.push(listener);
    const room = await people[0].createRoom('Under fire', ...people.slice(1), listener);

    const acknowledged = new Map();  // client_id → the message, as the ack said
    const attempted = new Map();     // client_id → content
    const heard = [];                // what the listener got, in order
    const ears = await listener.connect({transports: ['websocket']});
    ears.on('broadcast_message', (message) => heard.push(message));
    const sockets = await Promise.all(people.map((person, index) =>
      person.connect({transports: index % 2 ? ['websocket'] : ['polling', 'websocket']})));

    for (let round = 0; round < rounds; ++round) {
      // Everyone sends as fast as acknowledgements come back; the server dies after a few hundred of them.
      const before = acknowledged.size;
      let sending = true;
      const work = sockets.map(async (socket, index) => {
        for (let number = 0; sending; ++number) {
          const client_id = `${round}-${index}-${number}`;
          const content = `پیام ${number} از ${index} 🙂`;
          attempted.set(client_id, content);
          const reply = await socket.timeout(2000).emitWithAck('chat_message', {room, message: content, client_id}).catch(() => null);
          if (!reply) return;  // the server is gone
          assert.equal(reply.status, 'ok', JSON.stringify(reply));
          acknowledged.set(client_id, reply);
        }
      });
      await within((async () => { while (acknowledged.size < before + 200) await new Promise(setImmediate); })(), 'acknowledgements');
      await server.kill();
      sending = false;
      await Promise.all(work);
      const lastHeard = heard.at(-1)?.seq ?? 0;

      await server.start({port: server.port});
      await Promise.all([ears, ...sockets].map(connected));  // the library comes back by itself, with the token of before

      // Exactly what was missed: from what the listener last heard to the room's last, without a gap.
      for (let after = lastHeard, more = true; more; after = heard.at(-1).seq) {
        const caught = await ask(ears, 'join_room', {room, after_seq: after});
        assert.equal(caught.status, 'ok', JSON.stringify(caught));
        heard.push(...caught.messages);
        more = caught.more === true;
        if (!more) assert.equal(heard.at(-1).seq, caught.seq);
      }
    }

    // What was never acknowledged is sent again under its client_id: it may be there already, but never twice.
    for (const [client_id, content] of attempted) {
      if (acknowledged.has(client_id)) continue;
      const sender = sockets[Number(client_id.split('-')[1])];
      acknowledged.set(client_id, await ask(sender, 'chat_message', {room, message: content, client_id}));
    }

    const stored = await listener.history(room);
    assert.deepEqual(stored.map((message) => message.seq), Array.from(stored, (_, index) => index + 1), 'seq counts from 1 without a gap');
    assert.equal(stored.length, attempted.size);
    assert.equal(new Set(stored.map((message) => message.client_id)).size, attempted.size);
    const bySeq = new Map(stored.map((message) => [message.seq, message]));
    for (const [client_id, {status, ...message}] of acknowledged) {
      assert.equal(status, 'ok');
      assert.equal(message.client_id, client_id);
      assert.deepEqual(bySeq.get(message.seq), message, `acknowledged as ${message.seq}`);
    }
    await within((async () => { while (heard.at(-1).seq < stored.at(-1).seq) await new Promise(setImmediate); })(), 'the last broadcast');
    assert.deepEqual(heard, stored, 'live and caught up together: everything once, in order');
  } finally {
    people.forEach((person) => person.leave());
    await server.remove();
  }
});
