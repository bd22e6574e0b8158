// The page: signing in, the list of chats, and what happens on each event. The open room is conversation.js.
import * as api from './api.js';
import * as conversation from './conversation.js';
import * as realtime from './realtime.js';
import {$, ask, avatar, element, notice, paintAvatar} from './dom.js';
import {applyLanguage, number, switchLanguage, text, when} from './texts.js';

let me = null;
let chats = [];  // rooms and private chats in one list, latest first
let online = true;

// — entrance —

function choose(tab) {
  for (const name of ['login', 'signup']) {
    const chosen = name === tab;
    $(name).hidden = !chosen;
    $(`tab-${name}`).setAttribute('aria-selected', String(chosen));
    $(`tab-${name}`).tabIndex = chosen ? 0 : -1;
  }
}

function entranceForm(name, act) {
  const form = $(name);
  const problem = form.querySelector('.problem');
  const button = form.querySelector('button');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.textContent = '';
    button.disabled = true;
    try {
      const fields = Object.fromEntries(new FormData(form));
      await act(fields);
      await api.logIn(fields.email, fields.password);
      form.reset();
      await enter();
    } catch (error) {
      problem.textContent = error instanceof api.ApiError ? error.message : text('trouble');
    } finally {
      button.disabled = false;
    }
  });
}

function showEntrance(reason = '') {
  realtime.disconnect();
  conversation.close();
  me = null;
  $('chat').hidden = true;
  $('entrance').hidden = false;
  choose('login');
  $('login').querySelector('.problem').textContent = reason;
  $('login').elements.email.focus();
}

async function enter() {
  me = await api.me();
  $('entrance').hidden = true;
  $('chat').hidden = false;
  $('my-name').textContent = me.full_name || me.username;
  $('my-email').textContent = me.email;
  paintAvatar($('my-avatar'), me.username);
  leaveRoom();
  realtime.connect({
    online: (is) => {
      online = is;
      showConnection();
      if (is) loadChats().then(() => conversation.catchUp());
    },
    broadcast_message: (message) => { touch(message); conversation.take(message); },
    message_updated: (message) => conversation.take(message),
    typing: conversation.someoneTypes,
    presence: ({email, is_online, last_seen}) => {
      for (const chat of chats) if (chat.other_user_email === email) Object.assign(chat, {is_online, last_seen});
      showChats();
      showHead();
    },
    read: ({room, email}) => {  // on another device of mine
      const chat = chats.find((known) => known.id === room);
      if (chat && email === me.email) { chat.unread_count = 0; showChats(); }
    },
    room_added: loadChats,
    room_updated: ({id, change}) => {
      if (change.type === 'account_erased') conversation.eraseSenders(id, change.members);
      loadChats();
    },
    room_removed: loadChats,
    error: (error) => notice(error.message),
  });
}

function showConnection() {
  $('connection').textContent = text(online ? 'connected' : 'connecting');
}

// — the list —

async function loadChats() {
  const [rooms, privates] = await Promise.all([api.rooms(), api.privateChats()]);
  const latest = (chat) => chat.last_message?.timestamp ?? '';
  chats = [...rooms, ...privates].sort((a, b) => (latest(a) < latest(b) ? 1 : latest(a) > latest(b) ? -1 : a.id < b.id ? 1 : -1));
  showChats();
  const openId = conversation.openRoomId();
  if (openId && !chats.some((chat) => chat.id === openId)) leaveRoom();
  showHead();
}

// A new message moves its room to the top.
function touch(message) {
  const chat = chats.find((known) => known.id === message.room_id);
  if (!chat) return loadChats();
  chat.last_message = message;
  const reading = conversation.openRoomId() === chat.id && document.hasFocus();
  if (message.sender === me.email || reading) chat.unread_count = 0;
  else chat.unread_count = (chat.unread_count ?? 0) + 1;
  chats = [chat, ...chats.filter((other) => other !== chat)];
  showChats();
}

const titleOf = (chat) => chat.name || chat.other_user_email || text('deletedUser');
const lineOf = (message) => (!message ? '' : message.deleted ? text('deleted') : message.content || text('attachment'));

function showChats() {
  const focused = document.activeElement?.dataset.room;
  $('rooms').replaceChildren(...chats.map((chat) => element('li', {},
    element('button', {type: 'button', 'data-room': chat.id, 'aria-current': chat.id === conversation.openRoomId() ? 'true' : null,
      click: () => openRoom(chat.id)},
      avatar(titleOf(chat)),
      chat.is_online ? element('span', {class: 'dot', role: 'img', 'aria-label': text('online')}) : null,
      element('b', {dir: 'auto'}, titleOf(chat)),
      element('time', {}, chat.last_message ? when(chat.last_message.timestamp) : ''),
      element('span', {class: 'line', dir: 'auto'}, lineOf(chat.last_message)),
      chat.unread_count ? element('span', {class: 'badge', 'aria-label': text('unread', number(chat.unread_count))}, number(chat.unread_count)) : null))));
  $('no-rooms').hidden = chats.length > 0;
  if (focused) document.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
}

// — the open room —

let openedRoom = null;

async function openRoom(roomId) {
  try {
    openedRoom = await conversation.open(roomId, me);
  } catch (error) {
    return notice(error instanceof api.ApiError ? error.message : text('trouble'));
  }
  const chat = chats.find((known) => known.id === roomId);
  if (chat) chat.unread_count = 0;
  $('room').hidden = false;
  $('no-room').hidden = true;
  $('chat').classList.add('reading');
  showChats();
  showHead();
  conversation.grow();
  $('text').focus();
}

function leaveRoom() {
  conversation.close();
  openedRoom = null;
  $('room').hidden = true;
  $('no-room').hidden = false;
  $('chat').classList.remove('reading');
  showChats();
}

function showHead() {
  const chat = chats.find((known) => known.id === conversation.openRoomId());
  if (!chat) return;
  $('room-name').textContent = titleOf(chat);
  paintAvatar($('room-avatar'), titleOf(chat));
  const direct = 'other_user_email' in chat;
  $('add-member').hidden = direct;
  $('room-about').textContent = direct
    ? (chat.is_online ? text('online') : chat.last_seen ? text('lastSeen', when(chat.last_seen)) : text('offline'))
    : text('members', number((chat.members ?? openedRoom.members).length));
}

const emails = (list) => list.split(/[\s,،;]+/u).filter(Boolean);

const actions = {
  language() {
    switchLanguage();
    showConnection();
    if (!me) return;
    showChats();
    showHead();
    conversation.show();
  },
  async logout() {
    showEntrance();
    await api.logOut();
  },
  back: leaveRoom,
  older: () => conversation.loadOlder().catch((error) => notice(error.message)),
  'new-room': () => ask(text('newRoom'), text('create'),
    [{name: 'name', label: text('roomName'), maxlength: 100}, {name: 'members', label: text('memberEmails'), required: false, dir: 'ltr'}],
    async ({name, members}) => {
      const room = await api.createRoom(name, emails(members));
      await loadChats();
      await openRoom(room.id);
    }),
  'new-private': () => ask(text('newPrivate'), text('open'), [{name: 'email', label: text('theirEmail'), type: 'email', dir: 'ltr'}],
    async ({email}) => {
      const chat = await api.openPrivate(email);
      await loadChats();
      await openRoom(chat.id);
    }),
  'add-member': () => ask(text('addMember'), text('add'), [{name: 'members', label: text('memberEmails'), dir: 'ltr'}],
    async ({members}) => {
      await api.addMembers(conversation.openRoomId(), emails(members));
      await openRoom(conversation.openRoomId());
      await loadChats();
    }),
};

document.addEventListener('click', (event) => {
  const action = event.target.closest('[data-action]')?.dataset.action;
  if (action) actions[action]();
});
for (const [tab, other] of [['login', 'signup'], ['signup', 'login']]) {
  $(`tab-${tab}`).addEventListener('click', () => choose(tab));
  $(`tab-${tab}`).addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    choose(other);
    $(`tab-${other}`).focus();
  });
}
entranceForm('login', () => {});
entranceForm('signup', ({username, email, password}) => api.signUp({username, email, password}));

$('composer').addEventListener('submit', (event) => { event.preventDefault(); conversation.submit(); });
$('text').addEventListener('input', () => { conversation.grow(); conversation.iType(); });
$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  conversation.submit();
});
$('text').addEventListener('paste', (event) => {
  if (event.clipboardData.files.length) { event.preventDefault(); conversation.attach(event.clipboardData.files); }
});
$('file').addEventListener('change', async ({target}) => { await conversation.attach([...target.files]); target.value = ''; });
$('room').addEventListener('dragover', (event) => event.preventDefault());
$('room').addEventListener('drop', (event) => { event.preventDefault(); conversation.attach([...event.dataTransfer.files]); });
window.addEventListener('focus', () => {
  conversation.markRead();
  const chat = chats.find((known) => known.id === conversation.openRoomId());
  if (chat?.unread_count) { chat.unread_count = 0; showChats(); }
});

applyLanguage();
api.whenSessionEnds(() => showEntrance(text('expired')));
if (api.token()) enter().catch(() => showEntrance());
else showEntrance();
