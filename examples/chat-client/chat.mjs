// A chat client that never misses and never doubles a change, over any number of disconnections. Every change of a room (a
// message, an edit, a deletion, a reaction, a pin, a name, who is a member) has a number, its rev: 1, 2, 3… without a gap. So
// apply what is rev + 1, pass over what is known, and when something is missing ask for everything after the last.
//
//   import {io} from 'socket.io-client';
//   const chat = new Chat({io, url: 'http://127.0.0.1:8000', token, onMessage: (message) => console.log(message.content)});
export class Chat {
  rooms = new Map();  // id → {id, rev, name, topic, roles: {email: role}, messages: Map of id → message}
  #asking = false;

  constructor({io, url, token, onMessage = () => {}, options = {}}) {
    Object.assign(this, {url, token, onMessage, socket: io(url, {auth: {token}, ...options})});
    this.socket.on('connect', () => this.#start());
    for (const name of ['broadcast_message', 'message_updated']) {
      this.socket.on(name, (message) => this.#hear(message.room_id, {rev: message.rev, message}));
    }
    this.socket.on('room_updated', ({id, change}) => this.#hear(id, change));
    this.socket.on('room_added', ({id, rev}) => this.#hear(id, {rev}));
    this.socket.on('room_removed', ({id}) => this.rooms.delete(id));
  }

  // Rooms that were joined meanwhile are in the lists; what happened in those known, the answer to `resume` says.
  async #start() {
    try {
      for (const list of ['chat_rooms', 'private_chats']) {
        const answer = await fetch(`${this.url}/chat/${list}/`, {headers: {Authorization: `Bearer ${this.token}`}, signal: AbortSignal.timeout(10_000)});
        for (const {id, rev} of await answer.json()) this.#room(id, rev);
      }
      for (const room of this.rooms.values()) room.behind = true;
      this.#ask();
    } catch {
      if (this.socket.connected) setTimeout(() => this.#start(), 500);
    }
  }

  // What is read of a new room from its beginning is as of `asOf` at least, the last change known of.
  #room(id, asOf = 0) {
    if (!this.rooms.has(id)) this.rooms.set(id, {id, rev: 0, asOf, behind: true, name: '', topic: '', roles: {}, messages: new Map()});
    return this.rooms.get(id);
  }

  #hear(id, change) {
    const room = this.#room(id, change.rev);
    if (change.rev === room.rev + 1 && (change.type || change.message)) this.#apply(room, change);
    else if (change.rev > room.rev) room.behind = true;
    if (room.behind) this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (let behind; (behind = [...this.rooms.values()].filter((room) => room.behind).slice(0, 1000)).length > 0;) {
        for (const room of behind) room.behind = false;  // an event that comes before the answer may set it again
        const from = Object.fromEntries(behind.map(({id, rev}) => [id, {rev}]));
        const answer = await this.socket.timeout(10_000).emitWithAck('resume', {rooms: from}).catch(() => null);
        if (answer?.status !== 'ok') {
          for (const room of behind) room.behind = true;
          if (!answer && this.socket.connected) this.socket.disconnect().connect();  // it only seems to be: begin anew
          throw new Error('resume');
        }
        for (const room of behind) if (this.rooms.get(room.id) === room) this.#catchUp(room, answer.rooms[room.id]);
      }
    } catch {
      if (this.socket.connected) setTimeout(() => this.#ask(), 500);  // else the next connection asks
    } finally {
      this.#asking = false;
    }
  }

  #catchUp(room, page) {
    if (!page) return this.rooms.delete(room.id);  // no longer mine
    const erasure = page.changes.findLast(({type, rev}) => type === 'account_erased' && rev > room.asOf);
    if (erasure) return this.#readAnew(room, erasure.rev);
    for (const message of page.messages) this.#apply(room, {rev: room.rev, message});
    for (const change of page.changes) if (change.rev > room.rev) this.#apply(room, {...change, rev: room.rev});
    room.rev = Math.max(room.rev, page.rev);
    room.behind ||= page.more;
  }

  // An account was erased while this client was away, and nobody says any more which messages were its own: all are asked for once more.
  #readAnew(room, asOf) {
    Object.assign(room, {rev: 0, asOf, behind: true, roles: {}});
    for (const message of room.messages.values()) message.rev = 0;
  }

  #erase(room, email) {
    delete room.roles[email];
    for (const message of room.messages.values()) {
      if (message.sender === email) message.sender = null;
      message.mentions = message.mentions.filter((one) => one !== email);
      for (const reaction of message.reactions) reaction.users = reaction.users.filter((one) => one !== email);
      message.reactions = message.reactions.filter(({users}) => users.length > 0);
    }
  }

  #apply(room, {rev, type, kind, actor, members, role, name, topic, message}) {
    room.rev = rev;
    if (type === 'room_created') for (const email of members) room.roles[email] = kind === 'group' && email === actor ? 'owner' : 'member';
    if (type === 'members_added') for (const email of members) room.roles[email] = 'member';
    if (type === 'role_changed') for (const email of members) room.roles[email] = role;  // an erased account is not named
    if (type === 'member_removed') for (const email of members) delete room.roles[email];
    if (type === 'account_erased') for (const email of members) this.#erase(room, email);
    room.name = name ?? room.name;
    room.topic = topic ?? room.topic;
    const known = message && room.messages.get(message.id);
    if (message && !(known?.rev >= message.rev)) room.messages.set(message.id, message);  // a page has it in its present state
    if (message && !known) this.onMessage(message);
  }
}
