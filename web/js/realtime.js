// The Socket.IO connection: connects with the access token, refreshes it when it expires, comes back by itself.
import {io} from '/web/vendor/socket.io.js';
import * as api from './api.js';

let socket = null;

// `handlers`: events by name, and `online(bool)`.
export function connect(handlers) {
  socket = io({auth: (give) => give({token: api.token()}), transports: ['websocket', 'polling']});
  socket.on('connect', () => handlers.online(true));
  socket.on('disconnect', () => handlers.online(false));
  socket.on('connect_error', async (error) => {
    handlers.online(false);
    // A refused CONNECT is not tried again by the library: once more with a fresh token.
    if (error.data?.code === 'unauthorized' && (await api.refresh().catch(() => false))) socket?.connect();
  });
  socket.on('token_expired', async () => {
    if (await api.refresh().catch(() => false)) socket?.emit('authenticate', {token: api.token()});
  });
  for (const [name, handler] of Object.entries(handlers)) if (name !== 'online') socket.on(name, handler);
}

export function disconnect() {
  socket?.disconnect();
  socket = null;
}

// The acknowledgement's fields; rejects when the server refuses or does not answer in time.
export async function ask(event, data) {
  const reply = await socket.timeout(10_000).emitWithAck(event, data);
  if (reply?.status === 'error') throw new Error(reply.message);
  return reply;
}

// May get lost; nobody waits for it.
export const tell = (event, data) => socket?.volatile.emit(event, data);
