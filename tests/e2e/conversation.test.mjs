// Ten thousand messages by fifty people in one room: everyone hears all of them in the same order, and they come back equal.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Person, ask, transports, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const writers = 50;
const each = 200;
const inFlight = 4;  // unacknowledged messages a writer allows itself

const openings = ['سلام', 'Hello', 'راستی', 'By the way', 'به نظرم', 'I think', '😄', 'می‌دانی؟', 'Look:', 'خب'];
const middles = ['کتاب‌ها رسیدند', 'the train is late', 'هوا خوب است ☀️', 'we ship on Friday 🚀', 'جلسه ساعت ۱۰ است', 'it costs 3.50 €', 'عکس را دیدم', 'tests are green ✅'];
const textOf = (writer, number) => `${openings[(writer + number) % openings.length]} ${middles[(writer * 7 + number) % middles.length]} (${writer}/${number})`;

const people = [];
after(() => people.forEach((person) => person.leave()));

test('a conversation of 10,000 messages by 50 people goes through and comes back equal', async () => {
  for (let index = 0; index < writers; ++index) people.push(await Person.arrive(url, 'writer'));
  const room = await people[0].createRoom('شلوغ', ...people.slice(1));
  const ways = Object.values(transports);
  const heard = people.map(() => []);
  const sockets = await Promise.all(people.map(async (person, index) => {
    const socket = await person.connect(ways[index % ways.length]);
    socket.offAny();
    socket.on('broadcast_message', (message) => heard[index].push(message));
    return socket;
  }));

  const acknowledged = people.map(() => []);
  await within(Promise.all(sockets.map(async (socket, writer) => {
    let number = 0;
    await Promise.all(Array.from({length: inFlight}, async () => {
      while (number < each) {
        const mine = number++;
        const reply = await socket.timeout(120_000).emitWithAck('chat_message', {room, message: textOf(writer, mine), client_id: `${writer}-${mine}`});
        assert.equal(reply.status, 'ok', JSON.stringify(reply));
        acknowledged[writer][mine] = reply;
      }
    }));
  })), '10,000 acknowledgements', 300_000);
  await within((async () => { while (heard.some((list) => list.length < writers * each)) await new Promise((resolve) => setTimeout(resolve, 20)); })(), 'the last broadcasts', 60_000);

  const stored = await people[0].history(room);
  assert.equal(stored.length, writers * each);
  assert.deepEqual(stored.map((message) => message.seq), Array.from(stored, (_, index) => index + 1));
  for (const list of heard) assert.deepEqual(list, stored);
  for (const [writer, replies] of acknowledged.entries()) {
    for (const [number, {status, ...message}] of replies.entries()) {
      assert.equal(message.content, textOf(writer, number));
      assert.equal(message.sender, people[writer].email);
      assert.deepEqual(stored[message.seq - 1], message);
    }
    const order = stored.filter((message) => message.sender === people[writer].email).map((message) => Number(message.client_id.split('-')[1]));
    assert.deepEqual(order, Array.from({length: each}, (_, index) => index), 'one sender’s messages keep their order');
  }
  // A page at a time, backwards, gives the same.
  const backwards = [];
  for (let before = writers * each + 1; before > 1; before = backwards[0].seq) {
    const page = await people[1].call('GET', `/chat/chat_rooms/${room}/messages?limit=500&before=${before}`);
    backwards.unshift(...page.body);
  }
  assert.deepEqual(backwards, stored);
  // And so does catching up from the beginning.
  const caught = [];
  for (let more = true; more;) {
    const reply = await ask(sockets[2], 'join_room', {room, after_seq: caught.length});
    assert.ok(reply.messages.length <= 500);
    caught.push(...reply.messages);
    more = reply.more === true;
  }
  assert.deepEqual(caught, stored);
});
