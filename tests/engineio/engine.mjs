// Plain requests and bare websockets for the Engine.IO tests: nothing between the test and the wire. Every wait has a limit.
import {once} from 'node:events';
import http from 'node:http';
import net from 'node:net';
import WebSocket from 'ws';

export const url = new URL(process.env.SIO_CONFORMANCE_URL ?? 'http://127.0.0.1:3000');
export const pingInterval = 300, pingTimeout = 200, maxPayload = 1_000_000;  // of /engine.io/

export const polling = '/engine.io/?EIO=4&transport=polling';
export const websocket = '/engine.io/?EIO=4&transport=websocket';

// A second server with slow heartbeats whose sessions obey: "close", "burst 100"; `refuse=text` is refused by the application.
export const commands = {
  polling: '/engine.io-commands/?EIO=4&transport=polling',
  websocket: '/engine.io-commands/?EIO=4&transport=websocket',
};

const limit = 10_000;  // milliseconds

export function within(promise, what, milliseconds = limit) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// {status, headers, body}; `request` can be aborted by its signal.
export async function call(method, path, {body, headers = {}, signal} = {}) {
  const request = http.request({hostname: url.hostname, port: url.port, method, path, headers, signal, agent: false});
  request.end(body);
  const [response] = await within(once(request, 'response'), `${method} ${path}`);
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
  await within(once(response, 'end'), `the body of ${method} ${path}`);
  return {status: response.statusCode, headers: response.headers, body: text};
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body, headers) => call('POST', path, {body, headers});

// A polling session: the path of its requests.
export async function openPolling(base = polling) {
  const {body} = await get(base);
  return `${base}&sid=${JSON.parse(body.slice(1)).sid}`;
}

export const websocketOf = (path) => path.replace('transport=polling', 'transport=websocket');

// A websocket whose messages, as strings or Buffers, are taken one by one.
export class Socket {
  constructor(path, options) {
    this.socket = new WebSocket(`ws://${url.host}${path}`, {perMessageDeflate: false, ...options});
    this.messages = [];
    this.waiting = [];
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.opened.catch(() => {});
    this.socket.on('message', (data, binary) => {
      const message = binary ? data : data.toString();
      const next = this.waiting.shift();
      next ? next(message) : this.messages.push(message);
    });
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
  }

  // Opened and past its open packet, if it has one.
  static async open(path = websocket, handshake = true) {
    const socket = new Socket(path);
    await within(socket.opened, 'the websocket');
    if (handshake) await socket.message();
    return socket;
  }

  send(data) { this.socket.send(data); }
  message() {
    if (this.messages.length > 0) return Promise.resolve(this.messages.shift());
    return within(new Promise((resolve) => this.waiting.push(resolve)), 'a message');
  }
  // The next message that is not a ping.
  async data() {
    for (;;) {
      const message = await this.message();
      if (message !== '2') return message;
    }
  }
  // The code of the close frame.
  close() { return within(this.closed, 'close'); }
  end() { this.socket.terminate(); }
}

// A connection on which the test writes every byte itself.
export class Raw {
  constructor() {
    this.socket = net.connect(url.port, url.hostname);
    this.socket.on('error', () => {});
    this.received = Buffer.alloc(0);
    this.ended = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.socket.emit('more');
    });
  }
  write(data) { this.socket.write(data); }
  async until(enough, what) {
    while (!enough(this.received)) await within(once(this.socket, 'more'), what);
    return this.received;
  }
  close() { this.socket.destroy(); }

  // Past the handshake of a websocket and its open packet.
  static async websocket(path = websocket) {
    const raw = new Raw();
    raw.write(`GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
              'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await raw.until((bytes) => bytes.includes('\r\n\r\n'), 'the handshake');
    const head = raw.received.indexOf('\r\n\r\n') + 4;
    raw.head = raw.received.subarray(0, head).toString();
    raw.received = raw.received.subarray(head);
    await raw.frame();
    return raw;
  }

  // The next frame that is not a ping of Engine.IO: {opcode, payload}.
  async frame() {
    for (;;) {
      await this.until((bytes) => frameSize(bytes) !== undefined, 'a frame');
      const {header, size} = frameSize(this.received);
      const frame = {opcode: this.received[0] & 15, payload: this.received.subarray(header, size)};
      this.received = this.received.subarray(size);
      if (!(frame.opcode === 1 && frame.payload.toString() === '2')) return frame;
    }
  }
}

function frameSize(bytes) {
  if (bytes.length < 2) return undefined;
  let length = bytes[1] & 127, header = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    [length, header] = [bytes.readUInt16BE(2), 4];
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    [length, header] = [Number(bytes.readBigUInt64BE(2)), 10];
  }
  return bytes.length < header + length ? undefined : {header, size: header + length};
}

// A client's masked frame; `first` is its whole first byte.
export function frame(first, payload = '', {masked = true} = {}) {
  payload = Buffer.from(payload);
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  let length;
  if (payload.length < 126) {
    length = Buffer.from([payload.length]);
  } else if (payload.length < 65536) {
    length = Buffer.from([126, payload.length >> 8, payload.length & 255]);
  } else {
    length = Buffer.alloc(9, 127);
    length.writeBigUInt64BE(BigInt(payload.length), 1);
  }
  if (!masked) return Buffer.concat([Buffer.from([first]), length, payload]);
  length[0] |= 128;
  return Buffer.concat([Buffer.from([first]), length, key, payload.map((byte, i) => byte ^ key[i % 4])]);
}

export const closeCode = ({payload}) => (payload.length < 2 ? 1005 : payload.readUInt16BE(0));
