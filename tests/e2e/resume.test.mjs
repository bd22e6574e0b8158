// The client of examples/chat-client under random disconnections, against a model that knows every change. The driver changes rooms over
// HTTP and by socket, straight to the server; the client's bytes go through a proxy that cuts them anywhere. SEED repeats a run.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import net from 'node:net';
import {test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {io} from 'socket.io-client';
import {Chat} from '../../examples/chat-client/chat.mjs';
import {Payam} from '../support/payam.mjs';
import {Person, limit} from '../support/client.mjs';

const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3];
const operations = 300;
const emojis = ['👍', '❤️', '👩‍🚀', '🇮🇷'];

// mulberry32
function generator(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {chance: (p) => next() < p, pick: (list) => list[Math.floor(next() * list.length)], whole: (n) => Math.floor(next() * n)};
}

// Between the client and the server: cut() ends every connection in the middle of whatever it was doing.
class Proxy {
  #pairs = new Set();
  constructor(server) {
    this.listener = net.createServer((near) => {
      const far = net.connect(server.port, '127.0.0.1');
      this.#pairs.add([near, far]);
      for (const [one, other] of [[near, far], [far, near]]) {
        one.on('error', () => {});
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    });
  }
  async start() {
    this.listener.listen(0, '127.0.0.1');
    await once(this.listener, 'listening');
    this.url = `http://127.0.0.1:${this.listener.address().port}`;
    return this;
  }
  cut() {
    // Only what is connected can be reset; Node's exit waits for ever for a socket that is reset twice.
    for (const pair of this.#pairs) for (const socket of pair) if (socket.readyState === 'open') socket.resetAndDestroy(); else socket.destroy();
    this.#pairs.clear();
  }
  stop() {
    this.cut();
    this.listener.close();
  }
}

// What every acknowledged change makes of a room, told without the server's help.
class Model {
  constructor(id, name, members, owner) {
    Object.assign(this, {id, name, topic: '', messages: [], given: new Map()});
    this.roles = Object.fromEntries(members.map(({email}) => [email, email === owner?.email ? 'owner' : 'member']));
  }
  send(sender, {id, seq}, content, reply_to) {
    assert.ok(!this.messages[seq - 1], `seq ${seq} given twice`);
    this.messages[seq - 1] = {id, seq, sender, content, reply_to, edited: false, deleted: false, pinned: false, reactions: []};
  }
  react(message, email, emoji, on) {
    const before = this.given.get(message.id) ?? [];
    const others = before.filter((one) => one.emoji !== emoji || one.email !== email);
    this.keep(message, !on ? others : others.length < before.length ? before : [...before, {emoji, email}]);
  }
  keep(message, now) {
    this.given.set(message.id, now);
    message.reactions = [...new Set(now.map((one) => one.emoji))].map((which) =>
      ({emoji: which, users: now.filter((one) => one.emoji === which).map((one) => one.email)}));
  }
}
// An account that is gone leaves what it said.
function erase(room, email) {
  delete room.roles[email];
  for (const message of room.messages) {
    if (message.sender === email) message.sender = null;
    room.keep(message, (room.given.get(message.id) ?? []).filter((one) => one.email !== email));
  }
}
const seenBy = ({id, seq, sender, content, reply_to, edited_at, deleted, pinned, reactions}) =>
  ({id, seq, sender, content, reply_to, edited: edited_at !== null, deleted, pinned, reactions});

class Driver {
  constructor(server, random, people, follower) {
    Object.assign(this, {server, random, people, follower, rooms: [], sent: 0, erased: 0});
  }

  // Until it is certain: all these calls may be repeated. A server that is gone is started again by the test itself.
  async call(person, method, path, body) {
    for (const deadline = Date.now() + limit; ; await delay(50)) {
      const answer = await person.call(method, path, body).catch(() => null);
      if (answer && answer.status < 500) {
        assert.ok([200, 201, 204].includes(answer.status), `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        return answer.body;
      }
      assert.ok(Date.now() < deadline, `${method} ${path} was never answered`);
    }
  }

  async makeRooms() {
    const [owner, ...others] = this.people;
    for (const name of ['Mountains', 'کتاب‌ها']) {
      this.rooms.push(new Model(await owner.createRoom(name, ...others, this.follower), name, [...this.people, this.follower], owner));
    }
    const chat = await this.call(owner, 'POST', '/chat/private_chats/', {email: this.follower.email});
    this.rooms.push(new Model(chat.id, '', [owner, this.follower], null));
  }

  async step() {
    const {random} = this;
    const room = random.pick(this.rooms);
    const path = `/chat/chat_rooms/${room.id}`;
    const isGroup = room.name !== '';
    const owner = this.people[0];
    const member = random.pick(this.people.filter(({email}) => room.roles[email]));
    const known = room.messages.filter(({deleted}) => !deleted);
    const message = known.length > 0 ? random.pick(known.slice(-20)) : null;
    const author = message && this.people.find(({email}) => email === message.sender);
    const kind = random.pick(['send', 'send', 'send', 'burst', 'edit', 'edit', 'delete', 'react', 'react', 'pin', 'name', 'topic', 'role', 'member', 'follower', 'erase']);
    if (kind === 'send') await this.send(room, member, message?.id ?? null);
    if (kind === 'burst') await Promise.all(this.people.filter(({email}) => room.roles[email]).map((person) => this.send(room, person, null)));
    if (kind === 'edit' && author && room.roles[author.email]) {
      const content = `edited ${++this.sent} ✏️`;
      await this.call(author, 'PATCH', `${path}/messages/${message.id}`, {content});
      Object.assign(message, {content, edited: true});
    }
    if (kind === 'delete' && author && room.roles[author.email]) {
      await this.call(author, 'DELETE', `${path}/messages/${message.id}`);
      Object.assign(message, {content: '', deleted: true, pinned: false});
      room.keep(message, []);
    }
    if (kind === 'react' && message) {
      const [emoji, on] = [random.pick(emojis), random.chance(0.7)];
      await this.call(member, on ? 'PUT' : 'DELETE', `${path}/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`);
      room.react(message, member.email, emoji, on);
    }
    if (kind === 'pin' && message) {
      message.pinned = random.chance(0.6);
      await this.call(owner, message.pinned ? 'PUT' : 'DELETE', `${path}/messages/${message.id}/pin`);
    }
    if (kind === 'erase' && random.chance(0.4)) await this.replace(1 + random.whole(this.people.length - 1));
    if (!isGroup) return;
    if (kind === 'name' || kind === 'topic') {
      const text = `${kind} ${++this.sent}`;
      await this.call(owner, 'PATCH', path, {[kind]: text});
      room[kind] = text;
    }
    if (kind === 'role') {
      const other = random.pick([...this.people.slice(1), this.follower]);
      if (!room.roles[other.email]) return;
      room.roles[other.email] = random.pick(['admin', 'member', 'owner']);
      await this.call(owner, 'PATCH', `${path}/members/${other.email}`, {role: room.roles[other.email]});
    }
    if (kind === 'member' || (kind === 'follower' && random.chance(0.3))) {
      const other = kind === 'follower' ? this.follower : random.pick(this.people.slice(1));
      const isIn = other.email in room.roles;
      await (isIn ? this.remove(path, other) : this.call(owner, 'POST', `${path}/members`, {emails: [other.email]}));
      if (isIn) delete room.roles[other.email];
      else room.roles[other.email] = 'member';
    }
  }

  async send(room, sender, reply_to) {
    const content = `message ${++this.sent} 🙂 از @${sender.username}`;
    const body = {content, reply_to, client_id: `c${this.sent}`};
    room.send(sender.email, await this.call(sender, 'POST', `/chat/chat_rooms/${room.id}/messages`, body), content, reply_to);
  }

  // Somebody erases their account, and a newcomer takes their place.
  async replace(index) {
    const {email, password} = this.people[index];
    await this.call(this.people[index], 'DELETE', '/auth/users/me', {password});
    for (const room of this.rooms) erase(room, email);
    this.people[index] = await Person.arrive(this.server.url, 'newcomer');
    this.erased += 1;
  }

  // The one call that says 404 when it is repeated.
  async remove(path, person) {
    const member = `${path}/members/${person.email}`;
    for (const deadline = Date.now() + limit; ; await delay(50)) {
      const answer = await this.people[0].call('DELETE', member).catch(() => null);
      if (answer && [204, 404].includes(answer.status)) return;
      assert.ok(Date.now() < deadline, `${member} was not removed: ${JSON.stringify(answer?.body)}`);
    }
  }
}

for (const seed of seeds) {
  test(`the example client misses nothing and doubles nothing (SEED=${seed})`, {timeout: 240_000}, async () => {
    const random = generator(seed);
    const server = await Payam.onEmptyDirectory({ACCESS_TOKEN_EXPIRE_MINUTES: '60'});
    let proxy, chat;
    try {
      await server.start();
      proxy = await new Proxy(server).start();
      const people = [];
      for (let index = 0; index < 4; ++index) people.push(await Person.arrive(server.url, 'person'));
      const follower = await Person.arrive(server.url, 'follower');
      const driver = new Driver(server, random, people, follower);

      const heard = [];  // [room, seq], as the client told its user; a room it was out of meanwhile is another to it
      const transports = seed % 2 ? ['websocket'] : ['polling'];
      chat = new Chat({io, url: proxy.url, token: follower.token, onMessage: ({room_id, seq}) => heard.push([chat.rooms.get(room_id), seq]),
                       options: {forceNew: true, transports, reconnectionDelay: 10, reconnectionDelayMax: 100}});
      await driver.makeRooms();

      for (let count = 0; count < operations; ++count) {
        await driver.step();
        if (random.chance(0.08)) proxy.cut();
        if (random.chance(0.03) && chat.socket.connected) chat.socket.io.engine.close();
        if (random.chance(0.02)) await delay(random.whole(300));
        if (count % 100 === 50) {
          await (random.chance(0.5) ? server.kill() : server.stop());
          await server.start({port: server.port});
        }
      }

      const mine = driver.rooms.filter((room) => room.roles[follower.email]);
      const stored = new Map();
      for (const {id} of mine) {
        const room = await driver.call(follower, 'GET', `/chat/chat_rooms/${id}`);
        stored.set(id, {...room, messages: await follower.history(id)});
      }
      const isThere = () => chat.rooms.size === mine.length && mine.every(({id}) => chat.rooms.get(id)?.rev === stored.get(id).rev);
      for (const deadline = Date.now() + 2 * limit; !isThere() && Date.now() < deadline;) await delay(20);

      assert.deepEqual([...chat.rooms.keys()].sort(), mine.map(({id}) => id).sort(), 'the rooms it is in');
      for (const model of mine) {
        const [client, room] = [chat.rooms.get(model.id), stored.get(model.id)];
        assert.deepEqual(room.messages.map(seenBy), model.messages, 'the server has what the model says');
        assert.deepEqual([room.name, room.topic, room.roles], [model.name, model.topic, model.roles]);
        const messages = [...client.messages.values()].sort((a, b) => a.seq - b.seq);
        assert.deepEqual(messages, room.messages, 'the client has what the server has');
        assert.deepEqual([client.rev, client.name, client.topic, client.roles], [room.rev, room.name, room.topic, room.roles]);
        const told = heard.filter(([which]) => which === client).map(([, seq]) => seq);
        assert.deepEqual(told, model.messages.map(({seq}) => seq), 'each message once, in order');
      }
      assert.ok(driver.sent > operations / 4);
      assert.ok(driver.erased > 0, 'accounts were erased');
    } finally {
      chat?.socket.disconnect();
      proxy?.stop();
      await server.remove();
    }
  });
}
