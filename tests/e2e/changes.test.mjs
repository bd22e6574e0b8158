// What becomes of messages and rooms, by event and over HTTP, as the official client sees it on every device at once.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Person, ask, broadcasts, event, hasShape, message, settled} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const everyone = [];
const arrive = async (name) => {
  const person = await Person.arrive(url, name);
  everyone.push(person);
  return person;
};
after(() => everyone.forEach((person) => person.leave()));

const of = (socket, name) => socket.events.filter(([known]) => known === name).map(([, argument]) => argument);
const notFound = {status: 'error', code: 'not_found', message: 'Chat room not found or access denied'};

// Two people in a room with a message of Sara's, each connected; Leo twice.
async function conversation(text = 'first') {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const room = await sara.createRoom('Changes', leo);
  const [saras, leos, tablet] = [await sara.connect(), await leo.connect(), await leo.connect({transports: ['polling']})];
  const {status, ...sent} = await ask(saras, 'chat_message', {room, message: text});
  assert.equal(status, 'ok');
  return {sara, leo, room, saras, leos, tablet, sent};
}

test('an edit, a reaction and a deletion reach every device as message_updated, with rev without a gap', async () => {
  const {leo, room, saras, leos, tablet, sent} = await conversation('frist');
  const edited = await ask(saras, 'edit_message', {id: sent.id, message: `first, @${leo.username}`});
  const liked = await ask(leos, 'react', {id: sent.id, emoji: '👍🏽', on: true});
  const disliked = await ask(leos, 'react', {id: sent.id, emoji: '👍🏽', on: false});
  const deleted = await ask(saras, 'delete_message', {id: sent.id});
  const acks = [edited, liked, disliked, deleted].map(({status, ...rest}) => (assert.equal(status, 'ok', JSON.stringify(rest)), rest));
  for (const socket of [saras, leos, tablet]) {
    await event(socket, 'message_updated', (got) => got.deleted);
    assert.deepEqual(of(socket, 'message_updated'), acks);
  }
  acks.forEach((ack) => hasShape(ack, message));
  assert.deepEqual(acks.map(({rev}) => rev), [3, 4, 5, 6]);
  assert.deepEqual(acks[0].mentions, [leo.email]);
  assert.ok(acks[0].edited_at);
  assert.deepEqual(acks[1].reactions, [{emoji: '👍🏽', users: [leo.email]}]);
  assert.deepEqual(acks[2].reactions, []);
  assert.deepEqual([acks[3].content, acks[3].deleted], ['', true]);
  assert.deepEqual(broadcasts(tablet, room).length, 1);
});

test('changes over HTTP are events too', async () => {
  const {sara, leo, room, leos, sent} = await conversation();
  const path = `/chat/chat_rooms/${room}/messages/${sent.id}`;
  const answers = [
    await sara.call('PATCH', path, {content: 'second'}),
    await leo.call('PUT', `${path}/reactions/${encodeURIComponent('🇮🇷')}`),
    await sara.call('PUT', `${path}/pin`),
    await sara.call('DELETE', path),
  ];
  for (const {status, body} of answers) assert.equal(status, 200, JSON.stringify(body));
  await event(leos, 'message_updated', (got) => got.deleted);
  assert.deepEqual(of(leos, 'message_updated'), answers.map(({body}) => body));
});

test('a repeated change is answered and not broadcast again', async () => {
  const {saras, leos, sent} = await conversation('same');
  for (let count = 0; count < 3; ++count) assert.equal((await ask(leos, 'react', {id: sent.id, emoji: '❤️', on: true})).rev, 3);
  assert.equal((await ask(saras, 'edit_message', {id: sent.id, message: 'same'})).edited_at, null);
  await settled(leos);
  assert.equal(of(leos, 'message_updated').length, 1);
});

test('who may not is told so, and nothing happens', async () => {
  const {leos, sent, room} = await conversation();
  const stranger = await (await arrive('stranger')).connect();
  const forbidden = await ask(leos, 'edit_message', {id: sent.id, message: 'mine'});
  assert.deepEqual([forbidden.status, forbidden.code], ['error', 'forbidden']);
  assert.equal((await ask(leos, 'delete_message', {id: sent.id})).code, 'forbidden');
  for (const [name, data] of [['edit_message', {id: sent.id, message: 'x'}], ['delete_message', {id: sent.id}],
                              ['react', {id: sent.id, emoji: '👍', on: true}]]) {
    assert.equal((await ask(stranger, name, data)).code, 'not_found', name);
    assert.equal((await ask(leos, name, {...data, id: 'nothing'})).code, 'not_found', name);
  }
  for (const [name, data] of [['typing', {room, typing: true}], ['mark_read', {room, seq: 1}], ['join_room', {room}], ['leave_room', {room}]]) {
    assert.deepEqual(await ask(stranger, name, data), notFound, name);
  }
  assert.equal((await ask(leos, 'join_room', {room})).rev, 2);
});

test('a message may answer another, and mentions are found', async () => {
  const {sara, leo, room, leos, saras, sent} = await conversation('question');
  const answer = await ask(leos, 'chat_message', {room, message: `@${sara.username}: yes, x@${leo.username}.example`, reply_to: sent.id});
  assert.equal(answer.reply_to, sent.id);
  assert.deepEqual(answer.mentions, [sara.email]);
  assert.deepEqual((await event(saras, 'broadcast_message', (got) => got.id === answer.id)).reply_to, sent.id);
  assert.equal((await ask(leos, 'chat_message', {room, message: 'x', reply_to: 'nothing'})).code, 'bad_request');
});

test('name, topic, roles and members: the others hear of each, with the log entry', async () => {
  const [sara, leo, nima] = [await arrive('sara'), await arrive('leo'), await arrive('nima')];
  const room = await sara.createRoom('Before', leo);
  const path = `/chat/chat_rooms/${room}`;
  const [leos, nimas] = [await leo.connect(), await nima.connect()];
  assert.equal((await sara.call('PATCH', path, {name: 'After', topic: 'why'})).status, 200);
  assert.equal((await sara.call('PATCH', `${path}/members/${leo.email}`, {role: 'admin'})).status, 200);
  assert.equal((await leo.call('POST', `${path}/members`, {emails: [nima.email]})).status, 200);
  const added = await event(nimas, 'room_added');
  assert.deepEqual([added.id, added.name, added.topic, added.rev, added.roles],
                   [room, 'After', 'why', 4, {[sara.email]: 'owner', [leo.email]: 'admin', [nima.email]: 'member'}]);
  assert.equal((await nima.call('DELETE', `${path}/members/${nima.email}`)).status, 204);
  assert.deepEqual(await event(nimas, 'room_removed'), {id: room, rev: 5});
  await event(leos, 'room_updated', (got) => got.rev === 5);
  const changes = of(leos, 'room_updated').map(({change: {at, ...change}}) => change);
  assert.deepEqual(changes, [
    {rev: 2, type: 'room_updated', actor: sara.email, members: [], name: 'After', topic: 'why'},
    {rev: 3, type: 'role_changed', actor: sara.email, members: [leo.email], role: 'admin'},
    {rev: 4, type: 'members_added', actor: leo.email, members: [nima.email]},
    {rev: 5, type: 'member_removed', actor: nima.email, members: [nima.email]},
  ]);
  const caught = await ask(leos, 'join_room', {room, after_rev: 1});
  assert.deepEqual(caught.changes.map(({at, ...change}) => change), changes, 'the same when it was missed');
});

test('a deleted room is removed from every device of every member', async () => {
  const {sara, room, saras, leos, tablet} = await conversation();
  assert.equal((await sara.call('DELETE', `/chat/chat_rooms/${room}`)).status, 204);
  for (const socket of [saras, leos, tablet]) assert.deepEqual(await event(socket, 'room_removed'), {id: room, rev: 3});
  assert.deepEqual(await ask(leos, 'chat_message', {room, message: 'anyone?'}), notFound);
});

test('who joins by an invite is in the room on every device', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const room = await sara.createRoom('Open door');
  const devices = [await leo.connect(), await leo.connect()];
  const saras = await sara.connect();
  const {body: {token}} = await sara.call('POST', `/chat/chat_rooms/${room}/invites`, {uses: 1, expires_in: 3600});
  const joined = await leo.call('POST', '/chat/join', {token});
  assert.equal(joined.status, 200, JSON.stringify(joined.body));
  for (const device of devices) assert.equal((await event(device, 'room_added')).id, room);
  assert.deepEqual((await event(saras, 'room_updated')).change.members, [leo.email]);
  await ask(saras, 'chat_message', {room, message: 'welcome'});
  for (const device of devices) await event(device, 'broadcast_message');
});

test('typing reaches the others only, at once', async () => {
  const {sara, leo, room, saras, leos} = await conversation();
  const [phone, laptop] = [await sara.connect(), await leo.connect()];  // by websocket: between two polls it may be dropped
  assert.deepEqual(await ask(saras, 'typing', {room, typing: true}), {status: 'ok'});
  for (const socket of [leos, laptop]) assert.deepEqual(await event(socket, 'typing'), {room, email: sara.email, typing: true});
  await ask(saras, 'typing', {room, typing: false});
  await event(leos, 'typing', (got) => got.typing === false);
  for (const socket of [saras, phone]) {
    await settled(socket);
    assert.deepEqual(of(socket, 'typing'), []);
  }
  // A socket that left the room to hear less may still say that its user types; one that was removed may not.
  await ask(saras, 'leave_room', {room});
  assert.deepEqual(await ask(saras, 'typing', {room, typing: true}), {status: 'ok'});
  for (const other of [`user:${sara.id}`, saras.id]) assert.deepEqual(await ask(saras, 'typing', {room: other, typing: true}), notFound);
});

test('read markers go forward, are told at most once a second and take the unread count down', async () => {
  const {leo, room, saras, leos} = await conversation();
  for (let number = 2; number <= 30; ++number) await ask(saras, 'chat_message', {room, message: `number ${number}`});
  const unread = async () => (await leo.call('GET', '/chat/chat_rooms/')).body.find(({id}) => id === room).unread_count;
  assert.equal(await unread(), 30);
  const began = Date.now();
  for (let seq = 1; seq <= 30; ++seq) assert.deepEqual(await ask(leos, 'mark_read', {room, seq}), {status: 'ok', room, seq});
  assert.deepEqual(await ask(leos, 'mark_read', {room, seq: 3}), {status: 'ok', room, seq: 30}, 'not back');
  assert.deepEqual(await ask(leos, 'mark_read', {room, seq: 1e9}), {status: 'ok', room, seq: 30}, 'not past the end');
  assert.equal(await unread(), 0);
  await event(saras, 'read', (got) => got.seq === 30);
  const told = of(saras, 'read');
  assert.ok(told.length <= 2 + (Date.now() - began) / 1000, `${told.length} events`);
  for (const {email} of told) assert.equal(email, leo.email, 'her own sends move her marker in silence');
  assert.deepEqual(Object.keys(told[0]).sort(), ['email', 'room', 'seq']);
});

test('a hidden private chat comes back with its next message', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const {body: {id}} = await sara.call('POST', '/chat/private_chats/', {email: leo.email});
  const [saras, leos] = [await sara.connect(), await leo.connect()];
  assert.equal((await sara.call('DELETE', `/chat/private_chats/${id}`)).status, 204);
  assert.deepEqual((await sara.call('GET', '/chat/private_chats/')).body, []);
  await ask(leos, 'chat_message', {room: id, message: 'still there?'});
  assert.equal((await event(saras, 'broadcast_message')).room_id, id);
  assert.deepEqual((await sara.call('GET', '/chat/private_chats/')).body.map((chat) => chat.id), [id]);
});

test('resume brings every kind of change of many rooms, within its limit, and leaves out what is not mine', async () => {
  const [sara, leo] = [await arrive('sara'), await arrive('leo')];
  const rooms = [await sara.createRoom('One', leo), await sara.createRoom('Two', leo)];
  const strange = await sara.createRoom('Three');
  const saras = await sara.connect();
  const ids = [];
  for (const room of rooms) ids.push((await ask(saras, 'chat_message', {room, message: 'old'})).id);
  await ask(saras, 'edit_message', {id: ids[0], message: 'edited'});
  await ask(saras, 'react', {id: ids[0], emoji: '🙂', on: true});
  await sara.call('PATCH', `/chat/chat_rooms/${rooms[1]}`, {topic: 'topic'});
  await ask(saras, 'delete_message', {id: ids[1]});
  await ask(saras, 'chat_message', {room: rooms[1], message: 'new'});
  const leos = await leo.connect();
  const {status, rooms: got} = await ask(leos, 'resume', {rooms: {[rooms[0]]: {rev: 2}, [rooms[1]]: {rev: 2}, [strange]: {rev: 0}, nowhere: 3}});
  assert.equal(status, 'ok');
  assert.deepEqual(Object.keys(got).sort(), [...rooms].sort());
  const [one, two] = rooms.map((room) => got[room]);
  assert.deepEqual([one.rev, one.more, one.messages], [4, false, []]);
  assert.deepEqual(one.changes.map(({rev, type, message: {content, reactions}}) => [rev, type, content, reactions.length]), [[4, 'message_updated', 'edited', 1]]);
  assert.deepEqual([two.rev, two.seq, two.more, two.messages.map(({content}) => content)], [5, 2, false, ['new']]);
  assert.deepEqual(two.changes.map(({rev, type}) => [rev, type]), [[3, 'room_updated'], [4, 'message_updated']]);

  // Longer than one page: the client goes on from where each ended.
  const long = 'x'.repeat(19_000);
  for (let number = 0; number < 70; ++number) await ask(saras, 'chat_message', {room: rooms[0], message: long});
  let [rev, pages, seqs] = [4, 0, []];
  for (let more = true; more; ++pages) {
    const page = (await ask(leos, 'resume', {rooms: {[rooms[0]]: {rev}}})).rooms[rooms[0]];
    assert.ok(JSON.stringify(page).length < 1.3 * 2 ** 20);
    seqs.push(...page.messages.map(({seq}) => seq));
    ({rev, more} = page);
  }
  assert.ok(pages > 1);
  assert.deepEqual(seqs, Array.from({length: 70}, (_, index) => index + 2));
  assert.equal(rev, 74);
});

test('wrong data is refused by every call, and the connection lives on', async () => {
  const {room, saras, sent} = await conversation();
  const [id] = [sent.id];
  const wrong = {
    edit_message: [{}, {id}, {id, message: 7}, {id, message: 'x'.repeat(20_001)}, {id, message: 'a\0b'}, {id: 7, message: 'x'}, {id: 'x'.repeat(65), message: 'x'}, [], 'x'],
    delete_message: [{}, {id: null}, {id: {}}, {id: ''}],
    react: [{id, on: true}, {id, emoji: 'x', on: true}, {id, emoji: '', on: true}, {id, emoji: '👍👍', on: true}, {id, emoji: '👍', on: 'perhaps'},
            {id, emoji: '👍'.repeat(100_000), on: true}, {id, emoji: '👍'}],
    mark_read: [{room}, {room, seq: -1}, {room, seq: 1.5}, {room, seq: '1'}, {room, seq: null}, {seq: 1}],
    typing: [{}, {room: ['x'], typing: true}, {room, typing: 'perhaps'}],
    resume: [{}, {rooms: []}, {rooms: {[room]: 'x'}}, {rooms: {[room]: {rev: -1}}}, {rooms: {[room]: {}}},
             {rooms: Object.fromEntries(Array.from({length: 1001}, (_, index) => [`r${index}`, 0]))}],
    join_room: [{room, after_seq: 1, after_rev: 1}, {room, after_rev: 'x'}, {room, after_seq: -1}],
  };
  for (const [name, list] of Object.entries(wrong)) {
    for (const data of list) {
      const reply = await ask(saras, name, data);
      assert.deepEqual([reply.status, reply.code], ['error', 'invalid'], `${name} ${JSON.stringify(data).slice(0, 100)}`);
    }
  }
  // Unknown fields are passed over; text in content is kept as it is, direction marks too.
  const kept = await ask(saras, 'edit_message', {id, message: '\u202eright\u202c\u2066to\u2069left', sender: 'someone', deleted: true});
  assert.deepEqual([kept.status, kept.content, kept.deleted], ['ok', '\u202eright\u202c\u2066to\u2069left', false]);
  assert.equal((await ask(saras, 'join_room', {room})).rev, 3, 'nothing else was changed');
});

test('a list of 100,000 members is refused whole', async () => {
  const sara = await arrive('sara');
  const emails = Array.from({length: 100_000}, (_, index) => `a${index}@b.c`);
  for (const [path, body] of [['/chat/chat_rooms/', {name: 'Crowd', members: emails}],
                              [`/chat/chat_rooms/${await sara.createRoom('Small')}/members`, {emails}]]) {
    const answer = await sara.call('POST', path, body);
    assert.ok([413, 422].includes(answer.status), `${answer.status}`);
  }
  assert.deepEqual((await sara.call('GET', '/chat/chat_rooms/')).body.map(({name}) => name), ['Small']);
});
