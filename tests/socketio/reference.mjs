// The reference server on a free port, with those features of sio-features that the differential test uses. Prints its port.
import http from 'node:http';
import {Server} from 'socket.io';
import msgpack from 'socket.io-msgpack-parser';

const server = http.createServer();

const echo = (socket) => (...args) => {
  if (typeof args.at(-1) === 'function') args.pop();
  socket.emit('echo', ...args);
};

const addFeatures = (io, nsp, main) => nsp.on('connection', (socket) => {
  socket.emit('welcome', main ? {auth: socket.handshake.auth, recovered: socket.recovered, transport: socket.conn.transport.name, query: ''} : nsp.name);
  socket.on('echo', echo(socket));
  if (!main) return;
  socket.on('echo-ack', (...args) => {
    const ack = args.pop();
    if (typeof ack === 'function') ack(...args);
  });
  socket.on('join', (rooms, ack) => {
    socket.join(rooms);
    if (ack) ack(rooms.filter((room) => socket.rooms.has(room)).length);
  });
  socket.on('leave', (rooms, ack) => {
    rooms.forEach((room) => socket.leave(room));
    if (ack) ack(rooms.filter((room) => socket.rooms.has(room)).length);
  });
  socket.on('shout', ({event, args, to, except, from_server}) => (from_server ? io : socket).to(to).except(except).emit(event, ...args));
  socket.on('ask me', async (timeout, ack) => {
    try {
      ack('reply', await socket.timeout(timeout).emitWithAck('question', 'why'));
    } catch {
      ack('timed out');
    }
  });
  socket.on('end me', (close) => socket.disconnect(close));
});

function serve(path, options) {
  const io = new Server(server, {path, cors: {origin: '*'}, ...options});
  addFeatures(io, io.of('/'), true);
  io.of('/guarded').use((socket, next) => {
    if (socket.handshake.auth.token !== undefined) return next();
    const error = new Error('Not authorized');
    error.data = {code: 'unauthorized'};
    next(error);
  });
  io.of(/^\/dynamic-\d+$/).on('connection', (socket) => {
    socket.emit('welcome', socket.nsp.name);
    socket.on('echo', echo(socket));
  });
}

serve('/socket.io/', {cleanupEmptyChildNamespaces: true});
serve('/recovery/', {connectionStateRecovery: {}});
serve('/msgpack/', {parser: msgpack});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
