// One open room: its messages, the composer, typing, read markers.
import * as api from './api.js';
import * as realtime from './realtime.js';
import {$, avatar, element, linked, notice} from './dom.js';
import {clock, day, size, text} from './texts.js';

const groupWithin = 5 * 60_000;  // milliseconds between messages of one sender shown as one group
const typingLasts = 4000;

let room = null;  // {id, members, messages: [], hasOlder}
let me = null;
let waiting = [];  // sent, not yet acknowledged: {client_id, content, attachments, failed}
let files = [];    // uploads to go with the next message
const typists = new Map();  // e-mail → timer

export const openRoomId = () => room?.id;

export async function open(roomId, myself) {
  const opened = await api.room(roomId);
  room = {...opened, hasOlder: (opened.messages[0]?.seq ?? 1) > 1};
  me = myself;
  waiting = [];
  files = [];
  for (const timer of typists.values()) clearTimeout(timer);
  typists.clear();
  showTyping();
  showFiles();
  show();
  toEnd();
  markRead();
  return room;
}

export function close() { room = null; }

// A message of this room, new or changed, from whichever way it came.
export function take(message) {
  if (message.room_id !== room?.id) return;
  waiting = waiting.filter((sent) => sent.client_id !== message.client_id || message.sender !== me.email);
  const index = room.messages.findIndex((known) => known.seq === message.seq);
  if (room.messages[index]?.rev > message.rev) return;
  if (index < 0 && message.seq < (room.messages[0]?.seq ?? 0)) return;  // an older one was changed that is not shown
  if (index >= 0) room.messages[index] = message;
  else room.messages.push(message);
  room.messages.sort((a, b) => a.seq - b.seq);
  const last = room.messages.at(-1);
  const gap = room.messages.length > 1 && last.seq !== room.messages.at(-2).seq + 1;
  stopTyping(message.sender);
  show();
  if (message.sender === me.email) toEnd();
  if (gap) catchUp(room.messages.at(-2).seq);
  if (document.hasFocus()) markRead();
}

// Accounts that are gone leave what they said.
export function eraseSenders(id, emails) {
  if (id !== room?.id) return;
  for (const message of room.messages) if (emails.includes(message.sender)) message.sender = null;
  show();
}

// Asks for what was missed while the connection was away.
export async function catchUp(after = room?.messages.at(-1)?.seq ?? 0) {
  const asked = room?.id;
  for (let more = Boolean(asked); more && room?.id === asked;) {
    const reply = await realtime.ask('join_room', {room: asked, after_seq: after}).catch(() => ({}));
    more = Boolean(reply.more) && reply.messages.length > 0;
    for (const message of reply.messages ?? []) take(message);
    after = reply.messages?.at(-1)?.seq ?? after;
  }
  for (const sent of waiting) if (!sent.failed) deliver(sent);  // the same client_id: never twice
}

export async function loadOlder() {
  const page = await api.older(room.id, room.messages[0].seq);
  const scroller = $('scroller');
  const fromEnd = scroller.scrollHeight - scroller.scrollTop;
  room.messages.unshift(...page);
  room.hasOlder = page.length > 0 && page[0].seq > 1;
  show();
  scroller.scrollTop = scroller.scrollHeight - fromEnd;
}

export function markRead() {
  const seq = room?.messages.at(-1)?.seq;
  if (!seq || seq === room.markedSeq) return;
  room.markedSeq = seq;
  realtime.ask('mark_read', {room: room.id, seq}).catch(() => {});
}

// — sending —

export function submit() {
  const content = $('text').value.trim();
  if (!content && files.length === 0) return;
  const sent = {client_id: crypto.randomUUID?.() ?? String(Math.random()).slice(2), content, attachments: files};
  files = [];
  waiting.push(sent);
  $('text').value = '';
  grow();
  showFiles();
  show();
  toEnd();
  deliver(sent);
}

async function deliver(sent) {
  sent.failed = false;
  try {
    const message = await realtime.ask('chat_message', {
      room: room.id, message: sent.content, client_id: sent.client_id,
      ...(sent.attachments.length ? {attachments: sent.attachments.map((upload) => upload.id)} : {}),
    });
    take(message);
  } catch (error) {
    sent.failed = true;
    notice(error.message);
    show();
  }
}

export async function attach(list) {
  for (const file of list) {
    try {
      $('typing').textContent = text('uploading', file.name);
      files.push(await api.upload(file));
      showFiles();
    } catch (error) {
      notice(error.message);
    }
  }
  showTyping();
  $('text').focus();
}

function showFiles() {
  $('pending').replaceChildren(...files.map((upload) => element('li', {}, element('bdi', {}, upload.name), ` ${size(upload.size)} `,
    element('button', {type: 'button', class: 'quiet', 'aria-label': `${text('remove')} ${upload.name}`,
      click: () => { files = files.filter((other) => other !== upload); showFiles(); }}, '✕'))));
}

export function grow() {
  const field = $('text');
  field.style.height = 'auto';
  field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
}

// — typing —

let toldTypingAt = 0;
export function iType() {
  if (Date.now() - toldTypingAt < typingLasts / 2) return;
  toldTypingAt = Date.now();
  realtime.tell('typing', {room: room.id, typing: true});
}

export function someoneTypes({room: where, email, typing}) {
  if (where !== room?.id) return;
  stopTyping(email);
  if (typing) typists.set(email, setTimeout(() => stopTyping(email), typingLasts));
  showTyping();
}

function stopTyping(email) {
  clearTimeout(typists.get(email));
  if (typists.delete(email)) showTyping();
}

function showTyping() {
  $('typing').textContent = typists.size ? text('typing', [...typists.keys()].map(nameOf).join('، ')) : '';
}

// — showing —

const nameOf = (email) => (email ? email.split('@')[0] : text('deletedUser'));

// Who reads the newest stays there, whatever grows (a message, a picture that has arrived, the keyboard); who scrolled up is left alone.
let atEnd = true;
function toEnd() {
  atEnd = true;
  $('scroller').scrollTop = $('scroller').scrollHeight;
}
$('scroller').addEventListener('scroll', ({target}) => { atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 80; });
const follow = new ResizeObserver(() => { if (atEnd) toEnd(); });
follow.observe($('scroller'));
follow.observe($('messages'));

export function show() {
  if (!room) return;
  const rows = [];
  let previous = null;
  for (const message of room.messages) {
    const newDay = !previous || day(previous.timestamp) !== day(message.timestamp);
    if (newDay) rows.push(element('li', {class: 'day'}, element('span', {}, day(message.timestamp))));
    const grouped = !newDay && previous.sender === message.sender && new Date(message.timestamp) - new Date(previous.timestamp) < groupWithin;
    rows.push(row(message, grouped));
    previous = message;
  }
  for (const sent of waiting) rows.push(waitingRow(sent));
  $('messages').replaceChildren(...rows);
  $('older').hidden = !room.hasOlder;
  $('no-messages').hidden = rows.length > 0;
}

function row(message, grouped) {
  const mine = message.sender === me.email;
  const time = element('time', {datetime: message.timestamp}, clock(message.timestamp));
  const body = message.deleted
    ? element('p', {class: 'gone'}, text('deleted'))
    : element('p', {class: 'words', dir: 'auto'}, ...linked(message.content));
  return element('li', {class: `message${mine ? ' mine' : ''}${grouped ? ' grouped' : ''}`, 'data-seq': message.seq},
    mine || grouped ? null : avatar(nameOf(message.sender)),
    element('article', {class: 'bubble'},
      grouped ? null : element('b', {class: mine ? 'unseen' : 'sender', dir: 'auto'}, mine ? text('you') : nameOf(message.sender)),
      ...(message.attachments ?? []).map(attachment),
      message.content || message.deleted ? body : null,
      element('small', {class: 'about'}, message.edited_at ? `${text('edited')} · ` : null, time)));
}

function waitingRow(sent) {
  return element('li', {class: `message mine waiting${sent.failed ? ' failed' : ''}`},
    element('article', {class: 'bubble'},
      ...sent.attachments.map(attachment),
      sent.content ? element('p', {class: 'words', dir: 'auto'}, sent.content) : null,
      sent.failed
        ? element('button', {type: 'button', class: 'quiet', click: () => { deliver(sent); show(); }}, text('failed'))
        : element('small', {class: 'about'}, text('sending'))));
}

function attachment(upload) {
  const {file_url: url, name, content_type: type = '', width, height} = upload;
  if (type.startsWith('image/')) {
    return element('a', {href: url, target: '_blank', rel: 'noopener', class: 'picture'},
      element('img', {src: upload.thumbnail_url ?? url, alt: name, width, height, loading: 'lazy'}));
  }
  if (type.startsWith('video/')) return element('video', {src: url, controls: true, preload: 'metadata', title: name});
  if (type.startsWith('audio/')) return element('audio', {src: url, controls: true, preload: 'metadata', title: name});
  return element('a', {href: url, class: 'file', download: name}, element('bdi', {}, name), element('small', {}, size(upload.size)));
}
