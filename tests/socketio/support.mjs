// Servers and clients of the Socket.IO tests. Every wait has a limit.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {createInterface} from 'node:readline';
import {io} from 'socket.io-client';
import WebSocket from 'ws';

export const conformance = new URL(process.env.SIO_CONFORMANCE_URL ?? 'http://127.0.0.1:3000');
const limit = 10_000;  // milliseconds

export function within(promise, what, milliseconds = limit) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Until it holds.
export async function until(holds, what, milliseconds = limit) {
  const end = Date.now() + milliseconds;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// A program that prints "listening on host:port"; {url, stop()}.
export async function start(command, args) {
  const program = spawn(command, args, {stdio: ['ignore', 'pipe', 'inherit']});
  const lines = createInterface(program.stdout);
  const ended = once(program, 'exit');
  const [line] = await within(Promise.race([once(lines, 'line'), ended.then(([status]) => { throw new Error(`${command} ended with ${status}`); })]),
                              `${command} to listen`, 30_000);
  return {
    url: `http://127.0.0.1:${line.split(':').pop()}`,
    pid: program.pid,
    async stop() {
      program.kill('SIGTERM');
      const [status] = await within(ended, `${command} to end`, 30_000);
      if (status !== 0) throw new Error(`${command} ended with ${status}`);
    },
  };
}

const build = process.env.PAYAM_BUILD ?? fileURLToPath(new URL('../../build/release', import.meta.url));
// examples/beast
export const startBeast = () => start(`${build}/sio-beast`, ['0']);
export const startFeatures = (threads = 2) => start(`${build}/sio-features`, ['--port', '0', '--threads', String(threads)]);

const open = new Set();

// A connected client; options as socket.io-client's, and `nsp`. Events that came are kept for next().
export async function connect(url, {nsp = '/', ...options} = {}) {
  const socket = client(url, {nsp, ...options});
  await within(new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('connect_error', reject); }), 'connect');
  return socket;
}

export function client(url, {nsp = '/', ...options} = {}) {
  const socket = io(new URL(nsp, url).href, {forceNew: true, reconnection: false, transports: ['websocket'], ...options});
  open.add(socket);
  socket.arrived = [];
  socket.onAny((...event) => {
    socket.arrived.push(event);
    socket.listeners('arrived').forEach((listener) => listener());
  });
  return socket;
}

// The next event of that name, taken out of those that came: its arguments.
export async function next(socket, name, milliseconds) {
  const take = () => {
    const at = socket.arrived.findIndex(([event]) => event === name);
    return at < 0 ? undefined : socket.arrived.splice(at, 1)[0].slice(1);
  };
  return take() ?? within(new Promise((resolve) => {
    const look = () => {
      const event = take();
      if (event === undefined) return;
      socket.off('arrived', look);
      resolve(event);
    };
    socket.on('arrived', look);
  }), name, milliseconds);
}

export const ask = (socket, ...event) => within(new Promise((resolve) => socket.emit(...event, (...reply) => resolve(reply))), `the reply to ${event[0]}`);

export function closeAll() {
  for (const socket of open) socket.disconnect();
  open.clear();
}

// A bare websocket past the handshake of Engine.IO, whose messages are taken one by one; pings are answered unless `silent`.
export class Raw {
  static async open(url = conformance, path = '/socket.io/', {silent = false} = {}) {
    const raw = new Raw();
    raw.socket = new WebSocket(`ws://${new URL(url).host}${path}?EIO=4&transport=websocket`, {perMessageDeflate: false});
    raw.messages = [];
    raw.waiting = [];
    raw.closed = new Promise((resolve) => raw.socket.on('close', (code) => resolve(code)));
    raw.socket.on('error', () => {});
    raw.socket.on('message', (data, binary) => {
      const message = binary ? data : data.toString();
      if (message === '2') {
        if (!silent) raw.socket.send('3');
        return;
      }
      const taker = raw.waiting.shift();
      taker ? taker(message) : raw.messages.push(message);
    });
    await raw.message();
    return raw;
  }
  // Past CONNECT and the event that follows it.
  static async connected(url, path, payload = '') {
    const raw = await Raw.open(url, path);
    raw.send(`40${payload}`);
    raw.connect = JSON.parse((await raw.message()).slice(2));
    await raw.message();
    return raw;
  }
  send(data) { this.socket.send(data); }
  message() {
    if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), 'a message');
  }
  close(milliseconds) { return within(this.closed, 'close', milliseconds); }
  end() { this.socket.terminate(); }
}
