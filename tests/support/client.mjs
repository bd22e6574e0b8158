// What the end-to-end tests do over and over: sign up, log in, call, connect, wait. Every wait has a limit.
import assert from 'node:assert/strict';
import {io} from 'socket.io-client';

export const limit = 15_000;  // milliseconds; generous, since a busy machine is no failure

// The three ways a client can talk: never upgrade, never poll, begin with polling and move over.
export const transports = {
  'polling only': {transports: ['polling']},
  'websocket only': {transports: ['websocket']},
  'polling, then upgrade': {transports: ['polling', 'websocket']},
};

export function within(promise, what, milliseconds = limit) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

let count = 0;
export const unique = (name) => `${name}${process.pid}x${++count}`;

export class Person {
  // Signs up and logs in as a user whose name begins so.
  static async arrive(url, name = 'user') {
    const username = unique(name);
    const person = new Person(url, {username, email: `${username.toLowerCase()}@example.org`, password: `correct horse ${username}`});
    const signup = await person.call('POST', '/auth/signup', {username, email: person.email, password: person.password});
    assert.equal(signup.status, 201, JSON.stringify(signup.body));
    person.id = signup.body.id;
    await person.logIn();
    return person;
  }

  constructor(url, {username, email, password}) {
    Object.assign(this, {url, username, email, password});
    this.sockets = [];
  }

  async logIn() {
    const answer = await this.call('POST', '/auth/login', new URLSearchParams({username: this.email, password: this.password}));
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    this.token = answer.body.access_token;
  }

  // {status, headers, body}: JSON bodies are parsed. A plain object is sent as JSON; `token: null` sends none.
  call(method, path, body, {token = this.token, headers = {}} = {}) {
    return call(this.url, method, path, body, {token, headers});
  }

  async createRoom(name, ...members) {
    const answer = await this.call('POST', '/chat/chat_rooms/', {name, members: members.map((member) => member.email)});
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.id;
  }

  // All messages of a room, in the order of its pages.
  async history(room, pageSize = 500) {
    const messages = [];
    for (let after = 0; ;) {
      const page = await this.call('GET', `/chat/chat_rooms/${room}/messages?limit=${pageSize}&after=${after}`);
      assert.equal(page.status, 200, JSON.stringify(page.body));
      if (page.body.length === 0) return messages;
      messages.push(...page.body);
      after = page.body.at(-1).seq;
    }
  }

  // A connected socket, with `socket.events`: everything that came, as [name, ...arguments]. `options` are socket.io-client's.
  async connect(options = {transports: ['websocket']}) {
    const socket = this.socket(options);
    await connected(socket);
    return socket;
  }

  socket(options) {
    const socket = io(this.url, {forceNew: true, auth: {token: this.token}, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options});
    socket.events = [];
    socket.onAny((...event) => socket.events.push(event));
    this.sockets.push(socket);
    return socket;
  }

  leave() {
    for (const socket of this.sockets.splice(0)) socket.disconnect();
  }
}

export async function call(url, method, path, body, {token, headers = {}} = {}) {
  headers = {...headers};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined && typeof body !== 'string' && !(body instanceof URLSearchParams) && !(body instanceof FormData) && !(body instanceof Uint8Array)) {
    headers['Content-Type'] ??= 'application/json';
    body = JSON.stringify(body);
  }
  const answer = await fetch(url + path, {method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(limit)});
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json');
  return {status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text};
}

export function connected(socket) {
  if (socket.connected) return Promise.resolve(socket);
  return within(new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error) => { if (!socket.active) reject(error); });
  }), 'connect');
}

export const refusal = (socket) =>
  within(new Promise((resolve, reject) => {
    socket.once('connect_error', resolve);
    socket.once('connect', () => reject(new Error('connected, though it should have been refused')));
  }), 'connect_error');

// The first event of that name, already there or still to come, whose first argument satisfies `wanted`.
export function event(socket, name, wanted = () => true) {
  const there = socket.events.find(([known, argument]) => known === name && wanted(argument));
  if (there) return Promise.resolve(there[1]);
  return within(new Promise((resolve) => {
    const look = (known, argument) => {
      if (known !== name || !wanted(argument)) return;
      socket.offAny(look);
      resolve(argument);
    };
    socket.onAny(look);
  }), `${name} (came: ${socket.events.map(([known]) => known).join(', ')})`);
}

// The acknowledgement of an event.
export const ask = (socket, name, ...data) => socket.timeout(limit).emitWithAck(name, ...data);

// Resolves when everything the server sent to this socket before now has arrived: an ack comes after it, in order.
export const settled = (socket) => ask(socket, 'get_online_users', {});

export const broadcasts = (socket, room) =>
  socket.events.filter(([name, message]) => name === 'broadcast_message' && message.room_id === room).map(([, message]) => message);

export function hasShape(value, example, path = 'value') {
  assert.deepEqual(Object.keys(value).sort(), Object.keys(example).sort(), `the fields of ${path}`);
  for (const [key, type] of Object.entries(example)) {
    const kind = value[key] === null ? 'null' : Array.isArray(value[key]) ? 'array' : typeof value[key];
    assert.ok(type.split('|').includes(kind), `${path}.${key} is ${kind}, not ${type}`);
  }
}

export const message = {
  id: 'string', room_id: 'string', seq: 'number', rev: 'number', sender: 'string|null', content: 'string', timestamp: 'string', client_id: 'string|null',
  reply_to: 'string|null', attachments: 'array', mentions: 'array', edited_at: 'string|null', deleted: 'boolean', pinned: 'boolean', reactions: 'array',
};
export const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
