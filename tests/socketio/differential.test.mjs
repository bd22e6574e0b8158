// The same packets to the reference server and to ours, good, odd, hostile and made by chance; every difference is explained in
// tests/differential/README.md or a failure. An explanation that explains nothing any more is a failure too.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import msgpack from 'socket.io-msgpack-parser';
import WebSocket from 'ws';
import {startFeatures} from './support.mjs';

// The rows of the table "Socket.IO" in tests/differential/README.md; the first column is a pattern for names of cases.
const table = readFileSync(new URL('../differential/README.md', import.meta.url), 'utf8').split('\n## ').find((part) => part.startsWith('Socket.IO\n'));
const explained = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, pattern]) => ({cases: new RegExp(pattern), used: false}));

const quiet = 60;       // milliseconds a step has to show its effect; five times as much when that was not enough

let reference, features;
const servers = {};

before(async () => {
  reference = spawn(process.execPath, [fileURLToPath(new URL('reference.mjs', import.meta.url))], {stdio: ['ignore', 'pipe', 'inherit']});
  features = await startFeatures();
  const [port] = await once(reference.stdout, 'data');
  servers.reference = new URL(`http://127.0.0.1:${String(port).trim()}`);
  servers.ours = new URL(features.url);
});

after(async () => {
  reference?.kill();
  await features?.stop();
});

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
// Without what differs by nature.
const plain = (text) => text.replaceAll(/"sid":"[^"]+"/g, '"sid":"<sid>"').replaceAll(/^42\d+\["question"/g, '42<id>["question"');

// One client of one server: sends what it is told and notes what it sees.
class WebsocketClient {
  path = '/socket.io/';
  constructor(server) { this.server = server; this.log = []; }
  async open() {
    this.socket = new WebSocket(`ws://${this.server.host}${this.path}?EIO=4&transport=websocket`, {perMessageDeflate: false});
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => this.log.push(`closed ${code}`));
    await once(this.socket, 'message');  // the open packet
    this.socket.on('message', (data, binary) => this.log.push(this.read(data, binary)));
  }
  read(data, binary) {
    this.question = /^42(\d+)\["question"/.exec(data.toString())?.[1] ?? this.question;
    return binary ? `#${data.toString('hex')}` : plain(data.toString());
  }
  async send(packets) {
    for (const packet of packets) this.socket.send(packet.startsWith('#') ? Buffer.from(packet.slice(1), 'hex') : packet);
  }
  end() { this.socket.terminate(); }
}

// "$" before a packet that is to be sent as text, "#" before bytes; anything else is packed.
class MsgpackClient extends WebsocketClient {
  path = '/msgpack/';
  read(bytes, binary) {
    if (!binary) return `text ${bytes}`;
    let packet;
    const decoder = new msgpack.Decoder();
    decoder.on('decoded', (decoded) => { packet = decoded; });
    decoder.add(bytes);
    const {type, nsp, id, data, ...more} = packet;  // the order of the keys is nobody's business
    return plain(JSON.stringify({type, nsp, id, data, ...more}));
  }
  async send(packets) {
    for (const packet of packets) {
      if (packet.startsWith('$')) this.socket.send(packet.slice(1));
      else this.socket.send(packet.startsWith('#') ? Buffer.from(packet.slice(1), 'hex') : new msgpack.Encoder().encode(JSON.parse(packet))[0]);
    }
  }
}

// Notes the pid and the offset it is given, which stand for <pid> and <offset> in what it sends. "!lose" ends its connection without
// a word; it comes back with its next packet. Whether a socket is the same again shows.
class RecoveringClient extends WebsocketClient {
  path = '/recovery/';
  sids = [];
  read(data, binary) {
    let text = super.read(data, binary);
    const answer = /^40.*"sid":"([^"]+)","pid":"([^"]+)"/.exec(data);
    if (answer !== null) {
      const [, sid, pid] = answer;
      if (!this.sids.includes(sid)) this.sids.push(sid);
      this.pid = pid;
      return `40 socket ${this.sids.indexOf(sid) + 1}`;
    }
    text = text.replace(/"auth":{[^}]*}/, '"auth":{}');
    const event = /^(4[25].*,)"([^",]+)"\]$/.exec(text);
    if (event === null || event[1].startsWith('42["echo"')) return text;
    this.offset = event[2];
    return `${event[1]}"<offset>"]`;
  }
  async send(packets) {
    if (packets[0] === '!lose') return this.socket.terminate();
    if (this.socket.readyState !== WebSocket.OPEN) {
      this.log.push('back');
      await this.open();
    }
    await super.send(packets.map((packet) => packet.replace('<pid>', this.pid).replace('<offset>', this.offset)));
  }
}

class PollingClient {
  constructor(server) { this.server = server; this.log = []; }
  async open() {
    const answer = await fetch(new URL('/socket.io/?EIO=4&transport=polling', this.server));
    const {sid} = JSON.parse((await answer.text()).slice(1));
    this.url = new URL(`/socket.io/?EIO=4&transport=polling&sid=${sid}`, this.server);
    this.ending = new AbortController();
    this.polls = this.poll().catch(() => {});
  }
  async poll() {
    for (;;) {
      const answer = await fetch(this.url, {signal: this.ending.signal});
      const text = await answer.text();
      if (answer.status !== 200) return this.log.push('closed');
      for (const packet of text.split('\x1e')) {
        if (packet === '1') return this.log.push('closed');
        this.question = /^42(\d+)\["question"/.exec(packet)?.[1] ?? this.question;
        if (packet !== '6') this.log.push(packet.startsWith('b') ? `#${Buffer.from(packet.slice(1), 'base64').toString('hex')}` : plain(packet));
      }
    }
  }
  async send(packets) {
    const body = packets.map((packet) => (packet.startsWith('#') ? `b${Buffer.from(packet.slice(1), 'hex').toString('base64')}` : packet)).join('\x1e');
    await (await fetch(this.url, {method: 'POST', body})).text();
  }
  async end() {
    this.ending.abort();
    await this.polls;
  }
}

let runs = 0;

// A script is a row of steps "a packet" or "b packet": which client sends; packets joined by "&&" go together, "#0102" is binary. <id> is that
// of the last question; rooms are the script's own.
async function observe(Client, script, wait) {
  const logs = {};
  const run = ++runs;
  await Promise.all(Object.entries(servers).map(async ([which, server]) => {
    const clients = {};
    try {
      for (const step of script) {
        const name = step[0];
        if (clients[name] === undefined) {
          clients[name] = new Client(server);
          await clients[name].open();
        }
        const packets = step.slice(2).replaceAll('"red"', `"red${run}"`).replaceAll('"blue"', `"blue${run}"`).replaceAll('<id>', clients[name].question);
        await clients[name].send(packets.split('&&'));
        await pause(wait);
      }
      await pause(wait);
    } finally {
      logs[which] = Object.entries(clients).map(([name, {log}]) => `${name}: ${log.map(shorten).join(' , ')}`).join(' | ');
      for (const client of Object.values(clients)) await client.end();
    }
  }));
  return logs;
}
const shorten = (text) => (text.length > 300 ? `${text.slice(0, 80)}… ${text.length} characters` : text);

async function compareAll(kind, Client, scripts) {
  const differences = [];
  const left = [...scripts];
  await Promise.all(Array.from({length: 12}, async () => {
    while (left.length > 0) {
      const script = left.shift();
      const name = `${kind} ${script.join(' ; ')}`;
      let logs = await observe(Client, script, quiet);
      if (logs.reference === logs.ours) continue;
      logs = await observe(Client, script, 5 * quiet);
      if (logs.reference === logs.ours) continue;
      const explanation = explained.find(({cases}) => cases.test(name));
      if (explanation) explanation.used = true;
      else differences.push(`${shorten(name)}\n    reference: ${logs.reference}\n    ours:      ${logs.ours}`);
    }
  }));
  assert.deepEqual(differences, [], `${differences.length} differences\n${differences.join('\n')}`);
}

// What a client may have behind it when the packet comes.
const situations = {
  fresh: [],
  joined: ['a 40'],
  'in two': ['a 40', 'a 40/dynamic-1,'],
  'elsewhere only': ['a 40/dynamic-1,'],
  left: ['a 40', 'a 41'],
  'amid attachments': ['a 40', 'a 452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', 'a #01'],
};

const packets = [
  // connect
  '40', '40{}', '40{"token":"x"}', '40[]', '40"x"', '40null', '40{', '40/', '40/,', '40/custom', '40/dynamic-7', '40/dynamic-7,', '40/dynamic-7,{"a":1}',
  '40/dynamic-x,', '40/guarded,', '40/guarded,{"token":1}', '40/guarded,{"token":null}', '4012', '40/dynamic-1,',
  // disconnect
  '41', '41/', '41/dynamic-1,', '41/dynamic-1', '41{}', '41[]', '41/other',
  // events
  '42["echo"]', '42["echo",1,"2",{"3":[true]},null,1.5,-0.25,1e100]', '42["echo","سلام 👋"]', '42["echo","\\u0633\\n\\u0000"]', '42["nobody",1]', '42["echo",[[[[]]]]]',
  '42/dynamic-1,["echo",1]', '42/dynamic-1["echo",1]', '42/other,["echo",1]', '42/,["echo",1]', '427["echo"]', '420["echo-ack",1]', '4212345["echo-ack",1,{"a":2}]',
  '42007["echo-ack",1]', '42["echo-ack",1]', '429007199254740991["echo-ack"]',
  '42[1,2]', '42[1.5]', '42[""]', '42["echo",]', '42', '42[]', '42{}', '42"echo"', '42null', '42true', '42[null]', '42[true]', '42[["echo"]]', '42[{"a":1}]',
  '42["connect"]', '42["connect_error"]', '42["disconnect"]', '42["disconnecting"]', '42["newListener"]', '42["removeListener"]', '42["connection"]', '42["error",1]', '42["__proto__"]',
  '42abc["echo"]', '42-1["echo"]', '42["echo"', '42["echo"]]', '42["echo"]x', '42["echo"] ', '42\\n["echo"]', '42["echo",01]', "42['echo']", '42["echo",undefined]', '42["echo",NaN]',
  '42["echo",{"_placeholder":true,"num":0}]', '42["echo",{"a":1,"a":2}]', '42["echo",{"__proto__":{"x":1}}]', `42["echo",${'['.repeat(100)}${']'.repeat(100)}]`,
  // acknowledgements
  '43', '430[]', '430[1]', '4399[]', '43[]', '43{}', '430{}', '430', '43/dynamic-1,0[]',
  // errors, which only servers send
  '44', '44{"message":"x"}', '44"x"', '44/dynamic-1,{"message":"x"}',
  // binary
  '451-["echo",{"_placeholder":true,"num":0}]&&#010203', '452-["echo",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]&&#01&&#02', '451-7["echo-ack",{"_placeholder":true,"num":0}]&&#',
  '451-["echo",{"a":[{"_placeholder":true,"num":0}]}]&&#ff', '451-/dynamic-1,["echo",{"_placeholder":true,"num":0}]&&#ff', '451-["echo"]&&#01', '451-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]&&#01',
  '451-["echo",{"_placeholder":false,"num":0}]&&#01', '451-["echo",{"_placeholder":true,"num":0.5}]&&#01',
  '451-["echo",{"_placeholder":true,"num":1}]&&#01', '451-["echo",{"_placeholder":true,"num":-1}]&&#01', '451-["echo",{"_placeholder":true,"num":"0"}]&&#01', '451-["echo",{"_placeholder":true}]&&#01',
  '451-["echo",{"_placeholder":true,"num":0}]&&42["echo",1]', '451-["echo",{"_placeholder":true,"num":0}]&&#01&&#02', '#01', '4510-["echo"]&&#01', '4511-["echo"]', '450-["echo"]', '450-["echo"]&&42["echo"]',
  '45-["echo"]', '45["echo"]', '451["echo"]', '45a-["echo"]', '451.0-["echo"]', '45-1-["echo"]', '451-{}', '451-[]&&#01', '451-["disconnect"]&&#01', '461-0[{"_placeholder":true,"num":0}]&&#01', '46-0[]',
  // no packets
  '4', '4a', '4abc', '47', '48["echo"]', '49', '4 2["echo"]', '4\\u0000',
].map((packet) => packet.replaceAll('\\u0000', '\u0000').replaceAll('\\n["echo"]', '\n["echo"]'));

// And last, is it alive?
const bySituation = Object.values(situations).flatMap((before) => packets.map((packet) => [...before, `a ${packet}`, 'a 42["echo","at last"]']));

const stories = [
  ['a 40', 'b 40', 'a 42["join",["red"]]', 'b 42["shout",{"event":"hi","args":[1],"to":["red"],"except":[]}]'],
  ['a 40', 'b 40', 'a 42["join",["red"]]', 'b 42["join",["red","blue"]]', 'b 42["shout",{"event":"hi","args":[],"to":["red","blue"],"except":[]}]', 'b 42["shout",{"event":"all","args":[],"to":["red","blue"],"except":[],"from_server":true}]'],
  ['a 40', 'b 40', 'a 42["join",["red"]]', 'b 42["join",["red","blue"]]', 'a 42["shout",{"event":"hi","args":[],"to":["red"],"except":["blue"],"from_server":true}]'],
  ['a 40', 'a 42["join",["red"]]', 'a 42["leave",["red"]]', 'a 42["shout",{"event":"hi","args":[],"to":["red"],"except":[],"from_server":true}]'],
  ['a 40', 'a 421["ask me",5000]', 'a 43<id>["because"]', 'a 422["ask me",5000]', 'a 43<id>[{"b":1}]'],
  ['a 40', 'a 421["ask me",20]', 'a 43<id>["too late"]'],
  ['a 40', 'a 421["ask me",5000]', 'a 461-<id>[{"_placeholder":true,"num":0}]&&#0102'],
  ['a 40', 'a 421["ask me",5000]', 'a 43999[1]&&43<id>[2]&&43<id>[3]'],
  ['a 40', 'a 42["end me",false]', 'a 42["echo"]'],
  ['a 40', 'a 42["end me",false]', 'a 40', 'a 42["echo"]'],
  ['a 40', 'a 42["end me",true]', 'a 40'],
  ['a 40', 'a 40/dynamic-1,', 'a 42["end me",true]'],
  ['a 40', 'a 40/dynamic-1,', 'a 42["end me",false]', 'a 42/dynamic-1,["echo",1]'],
  ['a 40', 'a 40'],
  ['a 40', 'a 41', 'a 40', 'a 42["echo",1]'],
  ['a 40', 'a 41', 'a 41'],
  ['a 40/dynamic-3,', 'a 41/dynamic-3,', 'a 40/dynamic-3,', 'a 42/dynamic-3,["echo",1]'],
  ['a 40/guarded,', 'a 40/guarded,{"token":1}', 'a 41/guarded,', 'a 40'],
  ['a 40/dynamic-x,', 'a 40/dynamic-x,', 'a 40'],
  ['a 40&&42["echo",1]'],
  ['a 40&&40/dynamic-1,&&40/guarded,'],
  ['a 40', 'a 41&&42["echo",1]'],
  ['a 40', 'a 42["echo",1]&&42["echo",2]&&41&&42["echo",3]'],
  ['a 40', 'a 42["echo",1]&&4abc&&42["echo",2]'],
];

// Rows of packets by chance, the same in every run: well formed ones, their parts in other places, and a character more or less.
function* generated(count) {
  let seed = 20261123;
  const random = (n) => {  // xorshift, 32 bits
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % n;
  };
  const pick = (list) => list[random(list.length)];
  const placeholder = '{"_placeholder":true,"num":0}';
  const values = ['1', '-0.5', '1e3', 'true', 'null', '"x"', '"سلام 👋"', '""', '[]', '{}', '{"a":[1,{"b":null}]}', '[[2]]', placeholder, `{"deep":[${placeholder}]}`];
  const events = ['"echo"', '"echo-ack"', '"echo"', '"nobody"', '1', '""'];
  const packet = () => {
    const type = pick('01222222222222222333355555556667'.split(''));
    const binary = type === '5' || type === '6' || random(20) === 0;
    const nsp = random(30) === 0 ? pick(['/other,', '/dynamic-1', '/dynamic-2,', '/']) : pick(['', '', '', '/,', '/dynamic-1,', '/guarded,']);
    const id = type === '3' || type === '6' ? pick(['0', '1', '12', '']) : pick(['', '', '', '7', '12']);
    let args = Array.from({length: random(4)}, () => pick(values));
    if (binary) args = [...args.filter((value) => !value.includes(placeholder)), placeholder];  // named once: twice is a difference we know
    const payload = {0: pick(['', '{}', '{"token":1}']), 1: '', 4: '{"message":"x"}'}[type] ?? `[${[...(type === '2' || type === '5' ? [pick(events)] : []), ...args]}]`;
    let text = `4${type}${binary ? '1-' : ''}${nsp}${id}${payload}`;
    if (random(10) === 0) {
      const at = 2 + random(Math.max(1, text.length - 2));
      text = text.slice(0, at) + pick(['', '[', ']', '{', '"', ',', '0', '-', '/', 'x', '\\', ' ']) + text.slice(at + random(2));
    }
    return binary && random(16) !== 0 ? [text, `#${pick(['', '00', 'ff0102'])}`] : [text];
  };
  for (let i = 0; i < count; ++i) {
    const row = random(20) === 0 ? [] : ['40', '40/dynamic-1,', '40/guarded,{"token":1}'];
    for (let length = 1 + random(4); length > 0; --length) row.push(...packet());
    yield [...row, '42["echo","at last"]'].map((text) => `a ${text}`);
  }
}

test('packets in every situation, over a websocket', () => compareAll('ws', WebsocketClient, bySituation));
test('packets after joining, over polling', () => compareAll('polling', PollingClient, packets.map((packet) => ['a 40', `a ${packet}`, 'a 42["echo","at last"]'])));
test('stories, over a websocket', () => compareAll('ws', WebsocketClient, stories));
test('stories, over polling', () => compareAll('polling', PollingClient, stories));

test('rows of packets by chance, over a websocket', () => compareAll('ws', WebsocketClient, [...generated(250)]));
test('rows of packets by chance, over polling', () => compareAll('polling', PollingClient, [...generated(50)]));

// With npm's MessagePack parser.
const packed = [
  {type: 0, nsp: '/dynamic-1'}, {type: 0, nsp: '/dynamic-1', data: {a: 1}}, {type: 0, nsp: '/dynamic-1', data: []}, {type: 0, nsp: '/dynamic-1', data: 'x'}, {type: 0, nsp: '/nobody'},
  {type: 0, nsp: '/guarded'}, {type: 0, nsp: '/guarded', data: {token: 1}}, {type: 0, nsp: '/'}, {type: 1, nsp: '/'}, {type: 1, nsp: '/other'}, {type: 1, nsp: '/', data: {}},
  {type: 2, nsp: '/', data: ['echo', 1, -1.5, 'سلام 👋', true, null, {a: [{}]}]}, {type: 2, nsp: '/', data: ['echo-ack', 7], id: 0}, {type: 2, nsp: '/', data: ['echo-ack', 7], id: 12345},
  {type: 2, nsp: '/', data: ['echo', 4294967296, -2147483649, 255, 65536]}, {type: 2, nsp: '/', data: ['echo', 'x'.repeat(300)], options: {compress: true}, more: [1]},
  {type: 2, nsp: '/', data: [1, 2]}, {type: 2, nsp: '/', data: ['nobody']}, {type: 2, nsp: '/', data: {}}, {type: 2, nsp: '/', data: 'echo'}, {type: 2, nsp: '/'}, {type: 2, nsp: '/', data: null},
  {type: 2, nsp: '/other', data: ['echo']}, {type: 2, nsp: 5, data: ['echo']}, {type: 2, data: ['echo']}, {type: 2, nsp: '/', data: ['echo-ack'], id: 'x'}, {type: 2, nsp: '/', data: ['echo-ack'], id: 0.5},
  {type: 2, nsp: '/', data: ['echo', {_placeholder: true, num: 0}]}, {type: 3, nsp: '/', data: [1], id: 7}, {type: 3, nsp: '/', data: [1]}, {type: 3, nsp: '/', id: 7},
  {type: 4, nsp: '/', data: 'x'}, {type: 4, nsp: '/', data: {message: 'x'}}, {type: 5, nsp: '/', data: ['echo']}, {type: 6, nsp: '/', data: [1], id: 1}, {type: 7, nsp: '/'}, {type: -1, nsp: '/'}, {type: 2.5, nsp: '/'},
  {type: '2', nsp: '/', data: ['echo']}, {nsp: '/', data: ['echo']}, [2, '/', ['echo']], 'echo', 2, null, {},
].map((packet) => JSON.stringify(packet));
const bytes = [
  '$2["echo"]', '#', '#c1', '#93', '#83a4747970650',  // text; nothing; a byte without meaning; torn
  // {type: 2, nsp: "/", data: ["echo", <bytes 1 2>]}, then with a byte after it, then torn
  '#83a47479706502a36e7370a12fa46461746192a46563686fc4020102', '#83a47479706502a36e7370a12fa46461746192a46563686fc40201',
];

test('packets of the MessagePack parser', () => compareAll('msgpack', MsgpackClient, [
  ...[...packed, ...bytes].map((packet) => ['a {"type":0,"nsp":"/"}', `a ${packet}`, 'a {"type":2,"nsp":"/","data":["echo","at last"]}']),
  ...[...packed, ...bytes].map((packet) => [`a ${packet}`, 'a {"type":2,"nsp":"/","data":["echo","at last"]}']),
]));

const back = 'a 40{"pid":"<pid>","offset":"<offset>"}';
const missed = 'b 42["shout",{"event":"missed","args":[1],"to":["red"],"except":[]}]';
const recoveries = [
  ['a 40', 'a 42["join",["red"]]', 'b 40', missed, 'a !lose', missed, missed, back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, back, 'a !lose', missed, back, 'a !lose', back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"pid":"<pid>"}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"pid":"nobody\'s","offset":"<offset>"}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"pid":"<pid>","offset":"unknown"}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"pid":"<pid>","offset":7}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"pid":["<pid>"],"offset":"<offset>"}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a !lose', missed, 'a 40{"offset":"<offset>"}', missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a 41', missed, back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a 42["end me",false]', missed, back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a 42["end me",true]', missed, back, missed],
  ['a 40', 'a 42["join",["red"]]', 'b 40', 'a 4abc', missed, back, missed],
  ['a 40', 'a 421["ask me",20]'],
  ['a 40/guarded,{"token":1}', 'a !lose', 'a 40/guarded,{"token":1,"pid":"<pid>"}'],
  ['a 40/guarded,{"token":1}', 'a !lose', 'a 40/guarded,{"pid":"<pid>"}'],
];
test('connection state recovery', () => compareAll('recovery', RecoveringClient, recoveries));

test('every explanation explains something', () => {
  assert.deepEqual(explained.filter(({used}) => !used).map(({cases}) => String(cases)), []);
  assert.ok(explained.length > 5);
});
