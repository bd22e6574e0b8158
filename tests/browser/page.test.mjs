// The web page in headless Chromium: two people sign up, chat in Persian and English and share a picture. Any console error or
// blocked resource fails it. SCREENSHOTS names a folder to leave pictures of the page in.
import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {deflateSync} from 'node:zlib';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {Person, ask, unique} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
let browser;
let profile;
const complaints = [];

before(async () => {
  profile = await mkdtemp(path.join(os.tmpdir(), 'payam-browser-'));
  browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, `--disk-cache-dir=${profile}`], timeout: 60_000});
});
after(async () => {
  await browser?.close();
  await rm(profile, {recursive: true, force: true});
});

async function openPage(options = {}) {
  const context = await browser.newContext({viewport: {width: 1180, height: 760}, locale: 'en-GB', ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('console', (line) => { if (line.type() === 'error' && !/status of 4\d\d/.test(line.text())) complaints.push(line.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => { if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) complaints.push(`asked elsewhere: ${request.url()}`); });
  await page.goto(url);
  return page;
}

async function signUp(page, username) {
  await page.click('#tab-signup');
  await page.fill('#signup [name=username]', username);
  await page.fill('#signup [name=email]', `${username}@example.org`);
  await page.fill('#signup [name=password]', `correct horse ${username}`);
  await page.click('#signup button');
  await page.waitForSelector('#chat:not([hidden])');
  return {username, email: `${username}@example.org`, password: `correct horse ${username}`};
}

const says = (page, text) => page.waitForSelector(`.message:not(.waiting) .words:text-is(${JSON.stringify(text)})`);
async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
  await says(page, text);
}
const shot = async (page, name) => { if (process.env.SCREENSHOTS) await page.screenshot({path: path.join(process.env.SCREENSHOTS, `${name}.png`)}); };

test('two people chat in Persian and English and share a picture', async () => {
  const saras = await openPage({locale: 'fa-IR'});
  const nedas = await openPage();
  assert.equal(await saras.getAttribute('html', 'dir'), 'rtl');
  assert.equal(await nedas.getAttribute('html', 'dir'), 'ltr');
  await signUp(saras, 'sara');
  const neda = await signUp(nedas, 'neda');

  // A friend who writes before Sara opens anything.
  const leo = await Person.arrive(url, 'leo');
  const leos = await leo.connect();
  const direct = (await leo.call('POST', '/chat/private_chats/', {email: 'sara@example.org'})).body.id;
  await ask(leos, 'chat_message', {room: direct, message: 'Are you coming on Friday too?'});
  await ask(leos, 'chat_message', {room: await leo.createRoom('Design reviews 🎨', {email: 'sara@example.org'}), message: 'نسخهٔ تازه آماده است'});
  await saras.waitForSelector(`[data-room="${direct}"] .badge:text-is("۱")`);
  await saras.waitForSelector(`[data-room="${direct}"] .dot`);

  await saras.click('[data-action=new-room]');
  await saras.fill('#ask [name=name]', 'کوه‌نوردی جمعه 🏔️');
  await saras.fill('#ask [name=members]', neda.email);
  await saras.click('#ask-ok');
  await saras.waitForSelector('#room-name:text("کوه‌نوردی")');
  await nedas.click('#rooms button');  // it came by itself
  await nedas.waitForSelector('#room-name:text("کوه‌نوردی")');

  await say(saras, 'سلام ندا! فردا ساعت ۶ می‌آیی؟');
  await says(nedas, 'سلام ندا! فردا ساعت ۶ می‌آیی؟');
  await say(nedas, 'Of course! I bring the tea ☕');
  await says(saras, 'Of course! I bring the tea ☕');
  await say(nedas, 'نقشه را هم بفرست لطفاً 🙏');
  await says(saras, 'نقشه را هم بفرست لطفاً 🙏');

  await saras.setInputFiles('#file', {name: 'مسیر.png', mimeType: 'image/png', buffer: hills(360, 220)});
  await saras.waitForSelector('#pending li');
  await say(saras, 'این مسیر ماست');
  const picture = await nedas.waitForSelector('.message .picture img');
  await nedas.waitForFunction((image) => image.complete && image.naturalWidth === 360, picture);
  await saras.waitForFunction(() => document.querySelector('.picture img')?.naturalWidth === 360);
  await say(nedas, 'Beautiful, see you there!');
  await says(saras, 'Beautiful, see you there!');

  // Direction follows the text, not the page.
  const direction = (page, text) => page.$eval(`.words:text-is(${JSON.stringify(text)})`, (node) => getComputedStyle(node).direction);
  assert.equal(await direction(nedas, 'این مسیر ماست'), 'rtl');
  assert.equal(await direction(saras, 'Beautiful, see you there!'), 'ltr');
  assert.match(await saras.textContent('.message:last-child time'), /[۰-۹]/, 'Persian digits');
  await shot(saras, 'page-fa');
  await shot(nedas, 'page-en');

  // After a reload everything is there again; switching the language keeps it.
  await nedas.reload();
  await nedas.click('#rooms button');
  await says(nedas, 'این مسیر ماست');
  await nedas.click('.side [data-action=language]');
  assert.equal(await nedas.getAttribute('html', 'dir'), 'rtl');
  await says(nedas, 'این مسیر ماست');
  leo.leave();
  assert.deepEqual(complaints, []);
});

test('a private chat, unread counts, and typing', async () => {
  const page = await openPage();
  const sara = await signUp(page, unique('sara'));
  const leo = await Person.arrive(url, 'leo');
  await page.click('[data-action=new-private]');
  await page.fill('#ask [name=email]', 'nobody@example.org');
  await page.click('#ask-ok');
  await page.waitForSelector('#ask .problem:not(:empty)');
  await page.fill('#ask [name=email]', leo.email);
  await page.click('#ask-ok');
  await page.waitForSelector(`#room-name:text("${leo.email}")`);
  await say(page, 'Hi Leo');
  const chat = (await leo.call('GET', '/chat/private_chats/')).body[0];
  assert.equal(chat.other_user_email, sara.email);
  const room = await leo.createRoom('Another', {email: sara.email});
  const socket = await leo.connect();
  await ask(socket, 'chat_message', {room, message: 'one'});
  await ask(socket, 'chat_message', {room, message: 'two'});
  await page.waitForSelector(`[data-room="${room}"] .badge:text-is("2")`);
  socket.emit('typing', {room: chat.id, typing: true});
  await page.waitForSelector('#typing:text("leo")');
  leo.leave();
  assert.deepEqual(complaints, []);
});

test('markup in a message is text, and a link is a link', async () => {
  const page = await openPage();
  await signUp(page, unique('sara'));
  await page.click('[data-action=new-room]');
  await page.fill('#ask [name=name]', '<b>bold</b>');
  await page.click('#ask-ok');
  await page.waitForSelector('#room-name:text("<b>bold</b>")');
  await page.fill('#text', '<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=c.');
  await page.press('#text', 'Enter');
  const link = await page.waitForSelector('.words a');
  assert.equal(await link.getAttribute('href'), 'https://example.org/a?b=c');
  assert.equal(await page.$$eval('.words img', (images) => images.length), 0);
  assert.equal(await page.$$eval('.words a', (links) => links.length), 1);
  assert.deepEqual(complaints, []);
});

test('a wrong password is told; everything can be done from the keyboard', async () => {
  const page = await openPage();
  const sara = await signUp(page, unique('sara'));
  await page.click('[data-action=logout]');
  await page.waitForSelector('#login:not([hidden])');
  await page.keyboard.type(sara.email);  // the first field has the focus
  await page.keyboard.press('Tab');
  await page.keyboard.type('wrong password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#login .problem:text("Incorrect email or password")');
  await page.fill('#login [name=password]', sara.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#chat:not([hidden])');
  assert.deepEqual(complaints, []);
});

test('on a narrow screen the list and the room take turns', async () => {
  const page = await openPage({viewport: {width: 390, height: 760}, locale: 'fa-IR', colorScheme: 'dark'});
  await signUp(page, unique('sara'));
  await page.click('[data-action=new-room]');
  await page.fill('#ask [name=name]', 'کوچک');
  await page.click('#ask-ok');
  await page.waitForSelector('#room:not([hidden])');
  assert.equal(await page.isVisible('.side'), false);
  await say(page, 'از تلفن');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
  await shot(page, 'page-phone');
  await page.click('[data-action=back]');
  assert.equal(await page.isVisible('.side'), true);
  assert.deepEqual(complaints, []);
});

test('the API reference works offline', async () => {
  const page = await openPage();
  await page.goto(`${url}/docs`);
  await page.waitForSelector('.opblock-summary-path');
  assert.ok((await page.$$('.opblock')).length >= 10);
  await shot(page, 'docs');
  assert.deepEqual(complaints, []);
});

test('the event reference works offline and shows every event', async () => {
  const page = await openPage();
  await page.goto(`${url}/docs/events`);
  await page.waitForSelector('article h3');
  const {operations, components} = await (await fetch(`${url}/asyncapi.json`)).json();
  for (const key of Object.keys(operations)) assert.equal((await page.$$(`[id="${key}"] h3`)).length, 1, key);
  for (const name of Object.keys(components.schemas)) assert.equal((await page.$$(`[id="type-${name}"]`)).length, 1, name);
  const send = await page.textContent('[id="client.chat_message"]');
  for (const shown of ['room', 'message', 'client_id', 'may be missing', 'at most 20000', 'status', 'seq', 'reactions']) {
    assert.ok(send.includes(shown), shown);
  }
  const types = await page.$$eval('[id="client.chat_message"] a[href^="#type-"]', (links) => links.map((link) => link.getAttribute('href').slice(1)));
  assert.ok(types.length > 0, 'what a field is made of is a link');
  for (const type of types) assert.equal((await page.$$(`[id="${type}"]`)).length, 1, type);
  await shot(page, 'docs-events');
  assert.deepEqual(complaints, []);
});

// A picture with something to see: hills under an evening sky.
function hills(width, height) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      const far = height * (0.52 + 0.12 * Math.sin(x / 47) + 0.05 * Math.sin(x / 13));
      const near = height * (0.74 + 0.1 * Math.sin(x / 61 + 2));
      const sky = y / height;
      const color = y > near ? [15, 94, 89] : y > far ? [45, 148, 140] : [250 - 40 * sky, 190 + 30 * sky, 140 + 90 * sky];
      const sun = Math.hypot(x - width * 0.72, y - height * 0.3) < height * 0.11 && y < far;
      const at = y * (width * 3 + 1) + 1 + x * 3;
      (sun ? [255, 244, 214] : color).forEach((value, channel) => { rows[at + channel] = value; });
    }
  }
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length);
    frame.writeUInt32BE(checksum(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function checksum(bytes) {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; ++bit) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}
