"""The application of the comparison on python-socketio, FastAPI and uvicorn. Environment: PORT, PING_INTERVAL, DEFLATE=1."""
import os

import socketio
import uvicorn
from fastapi import FastAPI

io = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins="*",
    ping_interval=int(os.environ.get("PING_INTERVAL", 25000)) / 1000,
)
app = socketio.ASGIApp(io, FastAPI())


@io.on("join")
async def join(sid, room):
    await io.enter_room(sid, room)
    return True


@io.on("publish")
async def publish(sid, data):
    await io.emit("broadcast_message", data, room=data["room"])


@io.on("publish_binary")
async def publish_binary(sid, data):
    await io.emit("broadcast_message", data, room=data["room"])


@io.on("echo")
async def echo(sid, data):
    return data


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", 8000)),
        backlog=4096,
        log_level="warning",
        ws_per_message_deflate=os.environ.get("DEFLATE") == "1",
    )
