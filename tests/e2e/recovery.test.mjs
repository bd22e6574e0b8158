// Connection state recovery with the official client: for who asks for it, as the same user, in the rooms that are still theirs.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {Person, ask, broadcasts, connected, event, settled, within} from '../support/client.mjs';

const url = process.env.PAYAM_URL;
const everyone = [];
after(() => everyone.forEach((person) => person.leave()));
async function arrive(name) {
  const person = await Person.arrive(url, name);
  everyone.push(person);
  return person;
}

const asking = (person) => ({transports: ['websocket'], auth: {token: person.token, recovery: true}});
const send = (person, room, content) => person.call('POST', `/chat/chat_rooms/${room}/messages`, {content});

// Ends the connection as a network does, runs `meanwhile`, and waits for the client to be back.
async function lose(socket, meanwhile) {
  socket.io.reconnection(false);
  const gone = within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect');
  socket.io.engine.transport.ws.terminate();
  await gone;
  await meanwhile();
  socket.io.reconnection(true);
  socket.connect();
  await connected(socket);
}

test('who asked for it is back with the same id and hears what was missed, once and in order', async () => {
  const [sara, omid] = [await arrive('sara'), await arrive('omid')];
  const room = await omid.createRoom('Tunnel', sara);
  const socket = await sara.connect(asking(sara));
  await send(omid, room, 'before');
  await event(socket, 'broadcast_message');
  const {id} = socket;
  await lose(socket, async () => { for (const text of ['one', 'two', 'three']) await send(omid, room, text); });
  assert.ok(socket.recovered);
  assert.equal(socket.id, id);
  await send(omid, room, 'after');
  await event(socket, 'broadcast_message', ({content}) => content === 'after');
  assert.deepEqual(broadcasts(socket, room).map(({content}) => content), ['before', 'one', 'two', 'three', 'after']);
  assert.equal((await ask(socket, 'chat_message', {room, message: 'and it works on'})).status, 'ok');
});

test('who did not ask gets events with one argument, and starts anew', async () => {
  const [sara, omid] = [await arrive('sara'), await arrive('omid')];
  const room = await omid.createRoom('Plain', sara);
  const socket = await sara.connect();
  await send(omid, room, 'before');
  await event(socket, 'broadcast_message');
  assert.equal(socket.events.find(([name]) => name === 'broadcast_message').length, 2, 'a name and a message');
  await lose(socket, () => send(omid, room, 'missed'));
  assert.ok(!socket.recovered);
  await settled(socket);
  assert.deepEqual(broadcasts(socket, room).map(({content}) => content), ['before']);
});

test('another user’s place is not to be had', async () => {
  const [sara, omid, thief] = [await arrive('sara'), await arrive('omid'), await arrive('thief')];
  const room = await omid.createRoom('Private', sara);
  const socket = await sara.connect(asking(sara));
  await send(omid, room, 'before');
  await event(socket, 'broadcast_message');
  socket.auth = asking(thief).auth;  // the client adds the place and the offset by itself
  await lose(socket, () => send(omid, room, 'not for thieves'));
  assert.ok(!socket.recovered);
  await settled(socket);
  await send(omid, room, 'nor is this');
  await settled(socket);
  assert.deepEqual(broadcasts(socket, room).map(({content}) => content), ['before']);
});

test('who was removed while away is out of the room; what came before is heard', async () => {
  const [sara, omid] = [await arrive('sara'), await arrive('omid')];
  const room = await omid.createRoom('Out', sara);
  const socket = await sara.connect(asking(sara));
  await send(omid, room, 'before');
  await event(socket, 'broadcast_message');
  await lose(socket, async () => {
    await send(omid, room, 'still a member');
    assert.equal((await omid.call('DELETE', `/chat/chat_rooms/${room}/members/${sara.email}`)).status, 204);
    await send(omid, room, 'alone');
  });
  await send(omid, room, 'alone still');
  await settled(socket);
  const heard = broadcasts(socket, room).map(({content}) => content);
  assert.ok(heard.every((content) => ['before', 'still a member'].includes(content)), heard);
  assert.equal((await ask(socket, 'chat_message', {room, message: 'x'})).code, 'not_found');
});

test('a session that ended while away comes back to nothing', async () => {
  const sara = await arrive('sara');
  const socket = await sara.connect({...asking(sara), reconnection: false});
  const gone = within(new Promise((resolve) => socket.once('disconnect', resolve)), 'disconnect');
  socket.io.engine.transport.ws.terminate();
  await gone;
  assert.equal((await sara.call('POST', '/auth/logout')).status, 204);
  socket.connect();
  await assert.rejects(connected(socket), /Could not validate credentials/);
});
