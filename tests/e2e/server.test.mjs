// The program itself: starting, stopping, options, its data directory.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {Payam, binary} from '../support/payam.mjs';
import {Person, ask, call, within} from '../support/client.mjs';

async function withServer(options, body) {
  const server = await Payam.onEmptyDirectory(options);
  try {
    await body(await server.start());
  } finally {
    await server.remove();
  }
}

// Runs the program to its end: {code, out}.
async function run(args, env = {}) {
  const process_ = spawn(binary, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {PATH: process.env.PATH, ...env}, cwd: '/tmp'});
  let out = '';
  process_.stdout.on('data', (data) => { out += data; });
  process_.stderr.on('data', (data) => { out += data; });
  const late = setTimeout(() => process_.kill('SIGKILL'), 20_000);
  const [code] = await once(process_, 'close');
  clearTimeout(late);
  return {code, out};
}

test('SIGTERM drains: what was sent is acknowledged, clients are told, the exit status is 0', () => withServer({}, async (server) => {
  const person = await Person.arrive(server.url, 'drain');
  const room = await person.createRoom('The last ones');
  const socket = await person.connect({transports: ['websocket'], reconnection: false});
  const reason = within(new Promise((resolve) => { socket.once('disconnect', resolve); }), 'disconnect');
  const replies = Array.from({length: 50}, (_, number) => ask(socket, 'chat_message', {room, message: `number ${number}`, client_id: `${number}`}).catch(() => null));
  await replies[0];
  const stopped = server.stop();
  const acknowledged = (await Promise.all(replies)).filter(Boolean);
  assert.match(await reason, /transport close|io server disconnect/);
  assert.deepEqual(await stopped, {code: 0, signal: null});

  await server.start();
  const stored = await Object.assign(person, {url: server.url}).history(room);
  for (const {status, ...message} of acknowledged) assert.deepEqual(stored[message.seq - 1], message, status);
}));

test('SIGINT ends it with 0 too, with a polling client waiting', () => withServer({}, async (server) => {
  const person = await Person.arrive(server.url, 'poll');
  await person.connect({transports: ['polling'], reconnection: false});
  server.process.kill('SIGINT');
  assert.deepEqual(await within(server.exited, 'exit', 20_000), {code: 0, signal: null});
  person.leave();
}));

test('a second server on the same data directory stops with a clear message; the first lives on', () => withServer({}, async (server) => {
  const second = await run(['serve', '--port', '0', '--data-dir', server.dataDir]);
  assert.notEqual(second.code, 0);
  assert.match(second.out, /in use|another|locked/i);
  assert.ok(second.out.includes(server.dataDir), second.out);
  assert.ok(second.out.split('\n').length < 6, 'a message, not a stack');
  assert.equal((await call(server.url, 'GET', '/healthz')).status, 200);
}));

test('a port that is taken stops it with a clear message', () => withServer({}, async (server) => {
  const second = await run(['serve', '--port', String(server.port), '--data-dir', path.join(server.folder, 'other')]);
  assert.notEqual(second.code, 0);
  assert.ok(second.out.includes(String(server.port)), second.out);
}));

test('an unknown option is an error that names the nearest known one', async () => {
  const flag = await run(['serve', '--data-dri', '/tmp/x']);
  assert.notEqual(flag.code, 0);
  assert.match(flag.out, /--data-dir/);
});

test('--help can be read by a person and names every option of the contract', async () => {
  const {code, out} = await run(['serve', '--help']);
  assert.equal(code, 0);
  for (const option of ['secret-key', 'algorithm', 'access-token-expire-minutes', 'host', 'port', 'data-dir', 'threads', 'bcrypt-cost', 'jwt-key-file', 'signup', 'max-upload-bytes', 'rate-limits',
    'cors-origins', 'trusted-proxies', 'log-level']) assert.ok(out.includes(`--${option}`), option);
  assert.ok(out.split('\n').every((line) => line.length <= 140));
});

test('a flag wins over the environment', async () => {
  const server = await Payam.onEmptyDirectory({DATA_DIR: '/proc/nowhere'});
  server.flags = ['--data-dir', path.join(server.folder, 'data')];
  try {
    await server.start();
    assert.ok((await readdir(path.join(server.folder, 'data'))).length > 0);
  } finally {
    await server.remove();
  }
});

test('keys and data are readable by their owner alone', () => withServer({}, async (server) => {
  await Person.arrive(server.url, 'private');
  for (const file of await readdir(path.join(server.dataDir, 'keys'))) {
    const {mode} = await stat(path.join(server.dataDir, 'keys', file));
    assert.equal(mode & 0o777, 0o600, file);
  }
  assert.equal((await stat(server.dataDir)).mode & 0o077, 0, 'the data directory');
}));

test('SIGNUP=closed refuses newcomers', () => withServer({SIGNUP: 'closed'}, async (server) => {
  const answer = await call(server.url, 'POST', '/auth/signup', {username: 'x1', email: 'x1@example.org', password: 'long enough'});
  assert.equal(answer.status, 403);
}));

test('CORS: none by default, an exact list by option', async () => {
  const origin = 'https://app.example.org';
  const asked = {headers: {Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization, content-type'}};
  await withServer({}, async (server) => {
    const answer = await call(server.url, 'GET', '/healthz', undefined, asked);
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  });
  await withServer({CORS_ORIGINS: `${origin},https://other.example.org`}, async (server) => {
    const answer = await call(server.url, 'GET', '/auth/users/me', undefined, asked);
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    assert.match(answer.headers.get('vary'), /Origin/i);
    for (const name of ['Link', 'Location', 'Retry-After', 'X-Request-ID']) assert.match(answer.headers.get('access-control-expose-headers'), new RegExp(name, 'i'));
    const preflight = await call(server.url, 'OPTIONS', '/auth/login', undefined, asked);
    assert.ok([200, 204].includes(preflight.status));
    assert.match(preflight.headers.get('access-control-allow-headers'), /authorization/i);
    const stranger = await call(server.url, 'GET', '/healthz', undefined, {headers: {Origin: 'https://evil.example.org'}});
    assert.equal(stranger.headers.get('access-control-allow-origin'), null);
  });
});

test('a reader that stops is disconnected, not buffered without bound; others are served meanwhile', () => withServer({}, async (server) => {
  const [writer, sleeper] = [await Person.arrive(server.url, 'writer'), await Person.arrive(server.url, 'sleeper')];
  const room = await writer.createRoom('Flood', sleeper);
  const socket = await writer.connect();
  const asleep = await sleeper.connect({transports: ['websocket'], reconnection: false});
  asleep.io.engine.transport.ws._socket.pause();  // reads nothing more, as a phone in a tunnel
  const text = 'x'.repeat(20_000);
  const before = await memory(server);
  for (let number = 0; number < 1500; ++number) assert.equal((await ask(socket, 'chat_message', {room, message: text})).status, 'ok');
  assert.ok(await memory(server) - before < 40e6, 'the server keeps at most a few megabytes for one reader');
  asleep.io.engine.transport.ws._socket.resume();
  await within(new Promise((resolve) => { if (!asleep.connected) resolve(); else asleep.once('disconnect', resolve); }), 'disconnect');
  writer.leave();
  sleeper.leave();
}));

async function memory(server) {
  const {readFile} = await import('node:fs/promises');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${server.process.pid}/status`, 'utf8'))[1]) * 1024;
}
