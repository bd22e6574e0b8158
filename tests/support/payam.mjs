// Starts a Payam of a test's own, on a free port and a fresh data directory; the test stops it. Most tests use the one that
// tests/run started (PAYAM_URL); this is for those that kill it or need other options.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm, open} from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

const startLimit = 30_000;  // milliseconds
const stopLimit = 20_000;

const build = process.env.PAYAM_BUILD || fileURLToPath(new URL('../../build/release', import.meta.url));
export const binary = path.join(build, 'payam');

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const {port} = probe.address();
  probe.close();
  return port;
}

export class Payam {
  // `options` are the server's own, as in the environment: {BCRYPT_COST: '12'}.
  static async onEmptyDirectory(options = {}) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'payam-test-'));
    return new Payam(folder, options);
  }

  constructor(folder, options) {
    this.folder = folder;
    this.dataDir = path.join(folder, 'data');
    this.logFile = path.join(folder, 'log');
    this.options = options;
    this.flags = [];
  }

  // Resolves when /healthz answers; rejects with the log when the server ends first.
  async start({port} = {}) {
    this.port = port ?? await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const log = await open(this.logFile, 'a');
    this.process = spawn(binary, ['serve', '--port', String(this.port), ...this.flags], {
      cwd: this.folder,
      stdio: ['ignore', log.fd, log.fd],
      env: {PATH: process.env.PATH, HOST: '127.0.0.1', DATA_DIR: this.dataDir, BCRYPT_COST: '4', RATE_LIMITS: 'off',
            LOG_LEVEL: 'info', ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', ...this.options},
    });
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({code, signal}));
    await log.close();
    let ended = false;
    this.exited.then(() => { ended = true; });
    for (const deadline = Date.now() + startLimit; !ended && Date.now() < deadline; await delay(20)) {
      const answer = await fetch(`${this.url}/healthz`).catch(() => null);
      if (answer?.ok) return this;
    }
    const status = ended ? await this.exited : await this.kill();
    throw new Error(`payam did not start (${JSON.stringify(status)}):\n${await this.log()}`);
  }

  // SIGTERM, as a service manager would; resolves with {code, signal}.
  async stop() {
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), stopLimit);
    const status = await this.exited;
    clearTimeout(late);
    return status;
  }

  async kill() {
    this.process.kill('SIGKILL');
    return this.exited;
  }

  log() { return readFile(this.logFile, 'utf8'); }

  // Ends the server if it still runs, and its data.
  async remove() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    await rm(this.folder, {recursive: true, force: true});
  }
}
