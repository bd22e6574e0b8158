// The same requests and packets to the reference server and to ours, good, odd and hostile; every difference is explained below
// or a failure. An explanation that explains nothing any more is a failure too.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import http from 'node:http';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import WebSocket from 'ws';
import {frame} from './engine.mjs';

const explained = [
  {
    cases: /^upgrade .*transport=(polling|webtransport)/,
    why: 'ours refuses before the upgrade what the reference upgrades and then closes',
  },
  {
    cases: /^upgrade GET (EIO=(3|abc)&)?transport=websocket(&refuse=no)?$/,
    why: 'the reference looks at EIO after the 101 and writes its refusal into the websocket; ours answers 400 before',
  },
  {
    cases: /post (|4\\u001e|\\u001e4|4a\\u001e\\u001e4b|(4a\\u001e)?abc(\\u001e4b)?|7|9x)(;|$)|hex 00/,
    why: 'a payload with a bad packet ends both sessions; the reference answers the post with 200, ours with 400 as the specification says',
  },
  {
    cases: /post b(====|A|-_8=|A Q=);/,
    why: 'base64 that is none is a bad packet to ours, to the reference whatever Node makes of it',
  },
  {
    cases: /hex 34(ff|c0af|eda080|e2)/,
    why: 'text that is not UTF-8 is a bad packet to ours (as it is on a websocket); the reference hands out replacement characters',
  },
  {
    cases: /octets|(^|; )poll; poll|put 4a|large 1000001/,
    why: 'the same status (a wrong method 400 instead of 500), but ours says why where the reference is silent',
  },
  {
    cases: /^poll; ws; send 2probe/,
    why: 'the probe ends the pending poll with a noop at once; the reference waits up to 100 ms, and closes it with 1 if the upgrade is faster',
  },
  {
    cases: /^ws; send 5/,
    why: 'the specification wants a probe first; the reference does without',
  },
  {
    cases: /^ws!?; (send 2probe; send 5; )?send 1(;|$)(?!.*post)/,
    why: 'a close packet closes a websocket session (the protocol\'s test suite asks for it, and is content with a ping timeout); the reference ignores it',
  },
  {
    cases: /^ws!; ws/,
    why: 'a second websocket of a session is closed, as the specification says; the reference lets it take over a session that began on a websocket',
  },
];

const quiet = 80;       // milliseconds a step has to show its effect; five times as much when that was not enough
const patience = 2000;  // milliseconds for an answer that should come at once
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const path = '/engine.io-commands/';

let reference;
const servers = {};

before(async () => {
  reference = spawn(process.execPath, [fileURLToPath(new URL('reference.mjs', import.meta.url))], {stdio: ['ignore', 'pipe', 'inherit']});
  const [port] = await once(reference.stdout, 'data');
  servers.reference = new URL(`http://127.0.0.1:${String(port).trim()}`);
  servers.ours = new URL(process.env.SIO_CONFORMANCE_URL ?? 'http://127.0.0.1:3000');
});

after(() => reference.kill());

// One client of one server. What it saw is kept by who saw it (each request, each websocket), since what is asked at the same time
// may be answered in any order; and without what differs by nature.
class Client {
  constructor(server, quiet) {
    this.server = server;
    this.quiet = quiet;
    this.log = {};
    this.query = '';
    this.polls = [];
    this.posts = 0;
    this.sockets = [];
  }

  note(who, what) {
    if (this.sid) what = what.replaceAll(this.sid, '<sid>');
    (this.log[who] ??= []).push(what.length > 1000 ? `${what.slice(0, 100)}… ${what.length} characters` : what);
  }

  // Resolves with the answer or when patience ends.
  request(who, method, query, {body, headers = {}} = {}) {
    const request = http.request({hostname: this.server.hostname, port: this.server.port, method, path: `${path}?${query}`, headers, agent: false});
    const answered = new Promise((resolve) => {
      const done = (what) => {
        if (request.noted) return;
        request.noted = true;
        this.note(who, what);
        resolve();
      };
      request.on('error', () => done('aborted'));
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
        response.on('error', () => done('torn'));
        // Ours says of every error that it is not to be kept, which the reference leaves to the cache.
        const caching = response.statusCode < 400 ? response.headers['cache-control'] ?? '-' : 'error';
        response.on('end', () => done(`${response.statusCode} ${response.headers['content-type'] ?? '-'} ${caching} ${text}`));
      });
    });
    request.end(body);
    return {request, answered: Promise.race([answered, pause(patience)])};
  }

  post(body, headers, method = 'POST') { return this.request(`${method.toLowerCase()} ${++this.posts}`, method, this.query, {body, headers}).answered; }

  async open() {
    const answer = await fetch(`${this.server.origin}${path}?EIO=4&transport=polling`);
    this.sid = JSON.parse((await answer.text()).slice(1)).sid;
    this.query = `EIO=4&transport=polling&sid=${this.sid}`;
  }

  async openWebsocket(query) {
    const socket = new WebSocket(`ws://${this.server.host}${path}?${query}`, {perMessageDeflate: false});
    const index = this.sockets.push(socket) - 1;
    const name = `ws ${index + 1}`;
    socket.on('error', () => {});
    socket.on('unexpected-response', (request, response) => {
      this.note(name, `refused ${response.statusCode}`);
      request.destroy();
    });
    socket.on('message', (data, binary) => {
      if (!this.sid && data.toString()[0] === '0') this.sid = JSON.parse(data.toString().slice(1)).sid;
      this.note(name, binary ? data.toString('hex') : JSON.stringify(data.toString()));
    });
    socket.on('close', (code) => this.note(name, `closed ${code}`));
    await Promise.race([once(socket, 'open'), once(socket, 'close'), pause(1000)]).catch(() => {});
  }

  // A handshake by hand, so that a refusal's words are seen.
  async upgrade(query, method = 'GET', headers = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']) {
    const socket = net.connect(this.server.port, this.server.hostname);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => { text += chunk; });
    socket.on('error', () => {});
    socket.write([`${method} ${path}?${query} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...headers, '', ''].join('\r\n'));
    await Promise.race([once(socket, 'close'), (async () => { while (!text.includes('\r\n\r\n')) await pause(5); await pause(this.quiet); })()]);
    socket.destroy();
    const [head, ...rest] = text.split('\r\n\r\n');
    const body = rest.join('').replace(/^.*0{"sid":"[^"]+"/s, '<header>0{"sid":"<sid>"');
    this.note('upgrade', `${head.split(' ')[1]} ${JSON.stringify(body)}`);
  }

  // What a session does: see the scripts.
  async step(step) {
    const [what, ...rest] = step.split(' ');
    const argument = rest.join(' ');
    const socket = this.sockets.at(-1);
    switch (what) {
      case 'poll': {
        const poll = this.request(`poll ${this.polls.length + 1}`, 'GET', this.query);
        this.polls.push(poll.request);
        break;
      }
      case 'post': await this.post(JSON.parse(`"${argument}"`)); break;
      case 'octets': await this.post(Buffer.from(argument, 'hex'), {'Content-Type': 'application/octet-stream'}); break;
      case 'hex': await this.post(Buffer.from(argument, 'hex')); break;
      case 'large': await this.post('4'.padEnd(Number(argument), 'x')); break;
      case 'put': await this.post(argument, {}, 'PUT'); break;
      case 'abort': this.polls.at(-1).destroy(); break;
      case 'ws': await this.openWebsocket(this.sid ? `EIO=4&transport=websocket&sid=${this.sid}` : 'EIO=4&transport=websocket'); break;
      case 'send': socket.send(JSON.parse(`"${argument}"`)); break;
      case 'bytes': socket.send(Buffer.from(argument, 'hex')); break;
      case 'frame': socket._socket.write(frame(parseInt(rest[0], 16), Buffer.from(rest[1] ?? '', 'hex'))); break;
      case 'wsclose': socket.close(...(argument ? [Number(argument)] : [])); break;
      case 'wskill': socket.terminate(); break;
      case 'ping': socket.ping(argument); socket.once('pong', (data) => this.note('pongs', String(data))); break;
      default: throw new Error(`no such step: ${step}`);
    }
    await pause(this.quiet);
  }

  end() {
    for (const poll of this.polls) poll.destroy();
    for (const socket of this.sockets) socket.terminate();
  }
}

// What each server shows.
async function observe(run, quiet) {
  const logs = {};
  await Promise.all(Object.entries(servers).map(async ([which, server]) => {
    const client = new Client(server, quiet);
    try {
      await run(client);
    } finally {
      logs[which] = Object.entries(client.log).map(([who, saw]) => `${who}: ${saw.join(', ')}`).sort().join(' | ');
      client.end();
    }
  }));
  return logs;
}

async function compare(name, run) {
  let logs = await observe(run, quiet);
  if (logs.reference === logs.ours) return undefined;
  const explanation = explained.find(({cases}) => cases.test(name));
  if (explanation) {
    explanation.used = true;
    return undefined;
  }
  logs = await observe(run, 5 * quiet);
  return logs.reference === logs.ours ? undefined : `${name}\n    reference: ${logs.reference}\n    ours:      ${logs.ours}`;
}

// Many at a time, since most of it is waiting.
async function compareAll(cases) {
  const differences = [];
  const left = [...cases];
  await Promise.all(Array.from({length: 8}, async () => {
    while (left.length > 0) {
      const [name, run] = left.shift();
      const difference = await compare(name, run);
      if (difference) differences.push(difference);
    }
  }));
  assert.deepEqual(differences, [], differences.join('\n'));
}

test('requests without a session', async () => {
  const cases = [];
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    for (const eio of ['', 'EIO=3&', 'EIO=4&', 'EIO=abc&']) {
      for (const transport of ['', 'transport=', 'transport=polling', 'transport=websocket', 'transport=abc', 'transport=constructor',
                               'transport=__proto__', 'transport=webtransport', 'transport=polling&transport=abc', 'transport=abc&transport=polling']) {
        for (const sid of ['', '&sid=', '&sid=abc', '&sid=__proto__']) {
          const query = `${eio}${transport}${sid}`;
          if (method === 'GET' && /EIO=4&.*transport=polling(&sid=)?$/.test(query)) continue;  // a session: below
          cases.push([`${method} ${query}`, (client) => client.request('answer', method, query).answered]);
        }
      }
    }
  }
  for (const reason of ['', 'not%20you', '%22quoted%22', '%D8%B3']) {
    cases.push([`GET refused ${reason}`, (client) => client.request('answer', 'GET', `EIO=4&transport=polling&refuse=${reason}`).answered]);
    cases.push([`GET refused ${reason} EIO=3`, (client) => client.request('answer', 'GET', `EIO=3&transport=polling&refuse=${reason}`).answered]);
  }
  await compareAll(cases);
});

test('upgrades without a session', async () => {
  const cases = [];
  for (const eio of ['', 'EIO=3&', 'EIO=4&', 'EIO=abc&']) {
    for (const transport of ['', 'transport=polling', 'transport=websocket', 'transport=abc', 'transport=webtransport']) {
      for (const sid of ['', '&sid=abc', '&refuse=no']) {
        const query = `${eio}${transport}${sid}`;
        cases.push([`upgrade GET ${query}`, (client) => client.upgrade(query)]);
      }
    }
  }
  await compareAll(cases);
});

// Each on a fresh polling session (or none, if it begins with ws!), then a last post tells how it stands.
const scripts = [
  'post 4hello; poll',
  'poll; post 4hello',
  'post 4a\\u001e4b; post 4c; poll; poll',
  'post ; poll', 'post 4; poll', 'post 4\\u001e; poll', 'post \\u001e4; poll', 'post 4a\\u001e\\u001e4b; poll', 'post abc; poll', 'post 4a\\u001eabc\\u001e4b; poll',
  'poll; post abc', 'poll; post 4a\\u001eabc',
  'post 0; poll', 'post 0{}; poll', 'post 5; poll', 'post 6; poll', 'post 6abc; poll', 'post 3; poll', 'post 3probe; poll', 'post 7; poll', 'post 9x; poll',
  'post 2; poll', 'post 2probe; poll', 'poll; post 2', 'poll; post 2\\u001e4a',
  'post 1; poll', 'poll; post 1', 'poll; post 1abc', 'poll; post 4a\\u001e1\\u001e4b', 'post 4a\\u001e1; poll',
  'post bAQIDBA==; poll', 'post bAQIDBA; poll', 'post b; poll', 'post bAQ==\\u001ebAg==; poll', 'post b====; poll', 'post bA; poll', 'post b-_8=; poll', 'post bA Q=; poll',
  'post 4سلام 👋; poll', 'post 4\\ufeffbom; poll', 'post 4\\u0000nul; poll', 'post 4\\r\\n; poll',
  'hex 34ff; poll', 'hex 34c0af; poll', 'hex 34eda080; poll', 'hex 34e2; poll', 'hex 00; poll',
  'octets 0461; poll', 'poll; octets 0461', 'octets ; poll',
  'large 1000000; poll', 'large 1000001; poll', 'poll; large 1000001; post 4alive',
  'put 4a; poll', 'poll; put 4a; post 4b',
  'poll; poll', 'poll; poll; poll', 'post 4a; poll; poll; poll',
  'poll; abort', 'poll; abort; post 4a', 'post 4a; poll; poll; abort',
  'post 4close', 'poll; post 4close', 'post 4a\\u001e4close; poll', 'post 4close\\u001e4b; poll; poll', 'post 4close; post 4late; poll', 'post 4close; post 1; poll',
  'ws; send 2probe; send 5; send 4hello', 'ws; send 2probe; poll; send 5; send 4hello', 'poll; ws; send 2probe; send 5; send 4hello',
  'poll; ws; send 2probe; post 4a; send 5', 'ws; send 2probe; post 4a\\u001e4b; post 4c; send 5; send 4d', 'ws; send 2probe; post 4a; poll; send 5; send 4b',
  'ws; send 2probe; send 2probe; send 5; send 4a', 'ws; send 2probe; send 5; post 4late; poll', 'ws; send 2probe; send 5; send 5; send 4a',
  'ws; send 2; post 4a; poll', 'ws; send 2wrong; post 4a; poll', 'ws; send 3probe; poll; post 4a', 'ws; send 4hello; poll; post 4a', 'ws; send 1; post 4a; poll',
  'ws; send abc; post 4a; poll', 'ws; send ; post 4a; poll', 'ws; bytes 01; post 4a; poll', 'ws; send 2probe; bytes 01; post 4a; poll', 'ws; send 2probe; send 4a; post 4b; poll',
  'ws; send 5; post 4a; poll',
  'ws; wsclose; post 4a; poll', 'ws; wskill; post 4a; poll', 'ws; send 2probe; wsclose; post 4a; poll', 'ws; send 2probe; wskill; poll; post 4a',
  'ws; ws; send 2probe', 'ws; send 2probe; ws; post 4a', 'ws; send 2probe; send 5; ws; post 4a',
  'ws; send 2probe; post 1', 'ws; post 1; poll', 'ws; send 2probe; post 4close; send 5', 'ws; send 2probe; post 4close; poll',
  'ws; send 2probe; send 5; send 1', 'ws; send 2probe; send 5; send 2', 'ws; send 2probe; send 5; wsclose 1000', 'ws; send 2probe; send 5; wskill; poll',
  'ws!; send 4hello', 'ws!; send 4', 'ws!; bytes 01020304', 'ws!; bytes ', 'ws!; send 4سلام', 'ws!; send abc; send 4a', 'ws!; send ; send 4a', 'ws!; send b; send bAQ==; send 4a',
  'ws!; send 0; send 4a', 'ws!; send 5; send 4a', 'ws!; send 6; send 4a', 'ws!; send 3; send 4a', 'ws!; send 2; send 4a', 'ws!; send 2probe; send 4a', 'ws!; send 1; send 4a', 'ws!; send 7; send 4a',
  'ws!; send 4close', 'ws!; send 4close; send 4late', 'ws!; wsclose', 'ws!; wsclose 1000', 'ws!; wsclose 4000', 'ws!; ping hello; send 4a', 'ws!; ws; send 2probe',
  'ws!; frame 83', 'ws!; frame c1 3461', 'ws!; frame a1 3461', 'ws!; frame 80 61', 'ws!; frame 01 3461; frame 81 3462', 'ws!; frame 01 3461; frame 80 62', 'ws!; frame 09 61',
  'ws!; frame 01 34; frame 89 61; frame 80 62', 'ws!; frame 81 34ff', 'ws!; frame 81 34eda080', 'ws!; frame 02 01; frame 00 02; frame 80 03', 'ws!; frame 88', 'ws!; frame 88 03',
  'ws!; frame 88 03e8', 'ws!; frame 88 03ed', 'ws!; frame 88 03e8ff', 'ws!; frame 8a 61; send 4a',
];

test('sessions', async () => {
  await compareAll(scripts.map((script) => [script, async (client) => {
    const steps = script.split(/; ?/);
    if (steps[0] === 'ws!') {
      steps[0] = 'ws';
    } else {
      await client.open();
    }
    for (const step of steps) await client.step(step);
    if (!client.query) return;
    await client.post('4at last');
    await pause(client.quiet);
  }]));
});

test('every explanation explains something', () => {
  assert.deepEqual(explained.filter(({used}) => !used).map(({cases}) => String(cases)), []);
});
