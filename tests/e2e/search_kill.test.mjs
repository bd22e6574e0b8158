// kill -9 while messages are sent, edited and deleted: after the restart a search finds at once what was acknowledged, as it was left, and
// nothing that was deleted or edited away.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Payam} from '../support/payam.mjs';
import {Person, connected, within} from '../support/client.mjs';

const people = 4;
const rounds = 4;
const enough = 150;  // acknowledgements before the server dies

// Words that are the beginning of no other.
const word = (kind, number) => `${kind}${String(number).padStart(6, '0')}`;

test('what was acknowledged is findable at once after SIGKILL, what was deleted or edited away is not', async () => {
  const server = await Payam.onEmptyDirectory();
  const writers = [];
  try {
    await server.start();
    for (let index = 0; index < people; ++index) writers.push(await Person.arrive(server.url, 'writer'));
    const room = await writers[0].createRoom('Under fire', ...writers.slice(1));
    const sockets = await Promise.all(writers.map((writer) => writer.connect({transports: ['websocket']})));
    const there = new Map();   // word → message id, as acknowledged
    const gone = new Set();    // words that an acknowledged edit or deletion took away
    let number = 0;
    let latency = [];

    // One message's life, as far as the server lives; what is not certain is in neither.
    async function live(socket, seed) {
      const mine = ++number;
      const first = word('سلام', mine);
      const sent = await socket.timeout(2000).emitWithAck('chat_message', {room, message: `${first} die Straße 東京`, client_id: first}).catch(() => null);
      if (!sent) return false;
      assert.equal(sent.status, 'ok', JSON.stringify(sent));
      there.set(first, sent.id);
      if (seed % 3 === 0) return true;
      there.delete(first);
      const second = word('edit', mine);
      const changed = await (seed % 3 === 1
        ? socket.timeout(2000).emitWithAck('edit_message', {id: sent.id, message: `${second} instead`})
        : socket.timeout(2000).emitWithAck('delete_message', {id: sent.id})).catch(() => null);
      if (!changed) return false;
      assert.equal(changed.status, 'ok', JSON.stringify(changed));
      gone.add(first);
      if (seed % 3 === 1) there.set(second, sent.id);
      return true;
    }

    async function search(q) {
      const began = performance.now();
      const answer = await writers[0].call('GET', `/chat/search?q=${encodeURIComponent(q)}`);
      latency.push(performance.now() - began);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body.map(({id}) => id);
    }

    for (let round = 0; round < rounds; ++round) {
      let done = 0, living = true;
      const work = sockets.map(async (socket, index) => {
        for (let seed = index; living && await live(socket, seed); ++seed) ++done;
      });
      await within((async () => { while (done < enough) await new Promise(setImmediate); })(), 'acknowledgements');
      await server.kill();
      living = false;
      await Promise.all(work);
      await server.start({port: server.port});
      const [last] = [...there].at(-1);
      assert.deepEqual(await search(last), [there.get(last)], 'the first thing asked after the start');
      for (const [text, id] of there) assert.deepEqual(await search(text), [id], `round ${round}: ${text}`);
      for (const text of gone) assert.deepEqual(await search(text), [], `round ${round}: ${text}`);
      await Promise.all(sockets.map(connected));
    }
    assert.ok(there.size > people * rounds && gone.size > people * rounds);
    latency = latency.sort((a, b) => a - b);
    console.log(`${there.size} found, ${gone.size} gone; a search ${latency[latency.length >> 1].toFixed(1)} ms (median), ${latency.at(-1).toFixed(1)} ms (longest)`);
  } finally {
    writers.forEach((writer) => writer.leave());
    await server.remove();
  }
});
