// The MongoDB test server (tests/mongo/MongoTestServer.java) for tests that kill it; payam's options for a database on it.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {within} from './client.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const startLimit = 60_000;  // milliseconds: a JVM that compiles its source, on a busy machine

export class MongoServer {
  static async start() {
    const server = new MongoServer();
    server.folder = await mkdtemp(path.join(os.tmpdir(), 'payam-mongo-'));
    server.port = 0;
    return server.again();
  }

  // With the data of before, on the port of before.
  async again() {
    this.process = spawn('java', ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', path.join(root, 'build/mongo-test-server/*'),
      path.join(root, 'tests/mongo/MongoTestServer.java'), path.join(this.folder, 'data.h2'), String(this.port)], {stdio: ['ignore', 'pipe', 'inherit']});
    const [line] = await within(once(createInterface(this.process.stdout), 'line'), 'the MongoDB test server', startLimit);
    this.port = Number(line.split(' ')[1]);
    return this;
  }

  get url() { return `mongodb://127.0.0.1:${this.port}`; }

  options(name = 'payam') {
    return {DATABASE_URL: `${this.url}/${name}`, SECRET_KEY: 'the secret of a test, of more than thirty-two bytes'};
  }

  // SIGKILL.
  async kill() {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }

  async remove() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    await rm(this.folder, {recursive: true, force: true});
  }
}
