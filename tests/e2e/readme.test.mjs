// What the README shows is so: its client runs as it stands, its table names every option, its links lead somewhere.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {createInterface} from 'node:readline';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {call, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const readme = await readFile(at('README.md'), 'utf8');
const block = (language) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)[1];

// Node 18 has no such global.
const asOnNode18 = `delete globalThis.crypto;\n`;

test('the client of the README sends a message and gets it back', async () => {
  const sara = {username: 'sara', email: 'sara@example.org', password: 'a long password'};
  assert.equal((await call(url, 'POST', '/auth/signup', sara)).status, 201);
  const file = at(`tests/e2e/.readme-${process.pid}.mjs`);  // here, so that it finds socket.io-client
  await writeFile(file, asOnNode18 + block('js').replace('http://127.0.0.1:8000', url));
  const program = spawn(process.execPath, [file], {stdio: ['ignore', 'pipe', 'inherit']});
  try {
    const printed = [];
    await within((async () => {
      for await (const line of createInterface(program.stdout)) {
        printed.push(line);
        if (printed.length === 2) return;
      }
    })(), 'two lines');
    assert.deepEqual(printed.sort(), ['ok 1', 'sara@example.org: سلام! 👋']);
  } finally {
    program.kill('SIGKILL');
    await rm(file);
  }
});

test('the README names every option', async () => {
  const names = [...(await readFile(at('.env.example'), 'utf8')).matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
  assert.ok(names.length > 10);
  for (const name of names) assert.ok(readme.includes(`\`${name}\``), name);
});

test('every file the README links to is there', async () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path);
  assert.ok(links.length > 5);
  for (const path of links) await readFile(at(path));
});
