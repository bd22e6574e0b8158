// The reference server on a free port, with the sessions of sio-conformance's /engine.io-commands/. Prints its port. A process of
// its own: its timers outlive its sessions.
import http from 'node:http';
import {Server} from 'engine.io';

const allowRequest = (request, decide) => {
  const reason = new URL(request.url, 'http://x').searchParams.get('refuse');
  reason === null ? decide(null, true) : decide(reason, false);
};
const engine = new Server({cors: {origin: '*'}, allowRequest});
engine.on('connection', (socket) => socket.on('data', (data) => {
  if (data === 'close') {
    socket.send('last words');
    socket.close();
  } else {
    socket.send(data);
  }
}));
const server = http.createServer();
engine.attach(server, {path: '/engine.io-commands/', destroyUpgrade: false});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
