//! The application of the comparison on socketioxide and axum. Environment: PORT, PING_INTERVAL, WORKERS (2).
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::SocketIo;

#[derive(Serialize, Deserialize)]
struct Message {
    room: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct BinaryMessage {
    room: String,
    message: Bytes,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn on_connect(socket: SocketRef, io: SocketIo) {
    socket.on("join", async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
        socket.join(room);
        ack.send(&true).ok();
    });
    let everyone = io.clone();
    socket.on("publish", async move |Data::<Message>(data)| {
        everyone.to(data.room.clone()).emit("broadcast_message", &data).await.ok();
    });
    socket.on("publish_binary", async move |Data::<BinaryMessage>(data)| {
        io.to(data.room.clone()).emit("broadcast_message", &data).await.ok();
    });
    socket.on("echo", async |Data::<Value>(data), ack: AckSender| {
        ack.send(&data).ok();
    });
}

async fn serve() {
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_millis(setting("PING_INTERVAL", 25_000)))
        .max_buffer_size(1024)
        .build_layer();
    io.ns("/", on_connect);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(([127, 0, 0, 1], setting("PORT", 8000) as u16).into()).unwrap();
    let listener = socket.listen(4096).unwrap();
    let app = axum::Router::new().layer(layer);
    use axum::serve::ListenerExt;
    axum::serve(listener.tap_io(|stream| stream.set_nodelay(true).unwrap()), app).await.unwrap();
}

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(setting("WORKERS", 2) as usize)
        .enable_all()
        .build()
        .unwrap()
        .block_on(serve());
}
