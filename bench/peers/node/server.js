// The application of the comparison on Node's socket.io. Environment: PORT, PING_INTERVAL, DEFLATE=1.
const { Server } = require("socket.io");

const io = new Server({
  pingInterval: Number(process.env.PING_INTERVAL ?? 25000),
  perMessageDeflate: process.env.DEFLATE === "1" ? { threshold: 256 } : false,
});

io.on("connection", (socket) => {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack?.(true);
  });
  const publish = (data) => io.to(data.room).emit("broadcast_message", data);
  socket.on("publish", publish);
  socket.on("publish_binary", publish);
  socket.on("echo", (data, ack) => ack?.(data));
});

io.listen(Number(process.env.PORT ?? 8000));
