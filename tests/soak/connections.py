#!/usr/bin/env python3
"""Clients that connect and go, over every transport and in every way of dying; then the server must be as it was.

Runs against sio-conformance (ping after 300 ms, time-out 200 ms later). After a warm-up of a tenth of the count the process's memory and
descriptors are noted; at the end, when every session is over, descriptors must be no more and memory at most --slack MiB above.
Prints one line a way of dying, then `N passed, N failed`.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import pathlib
import socket
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import servers  # noqa: E402

LIMIT = 20  # seconds for anything one client waits for
AT_ONCE = 100


class Wire:
    """One TCP connection, spoken to by hand."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, text):
        self.writer.write(text if isinstance(text, bytes) else text.encode())

    def request(self, method, target, body="", headers=""):
        self.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\n{headers}\r\n{body}")

    async def response(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        return int(head.split()[1]), (await self.reader.readexactly(length)).decode()

    async def upgrade(self, target):
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n")
        status, _ = await self.response()
        assert status == 101, status

    def frame(self, text, opcode=1):
        body = text.encode()
        mask = b"\0\0\0\0"
        length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
        self.send(bytes([0x80 | opcode]) + length + mask + body)

    async def read_frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack(">H", await self.reader.readexactly(2))
        return first & 0x0f, (await self.reader.readexactly(length)).decode(errors="replace")

    async def until_closed(self):
        """Until the server's close frame, which is answered, or the end of the connection."""
        with contextlib.suppress(ConnectionError, EOFError):
            while (await self.read_frame())[0] != 8:
                pass
            self.frame("", 8)
            while await self.reader.read(65536):
                pass

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        self.writer.close()


POLL = "/socket.io/?EIO=4&transport=polling"
SOCKET = "/socket.io/?EIO=4&transport=websocket"


async def joined_websocket(port):
    wire = await Wire.open(port)
    await wire.upgrade(SOCKET)
    await wire.read_frame()
    wire.frame("40")
    while not (await wire.read_frame())[1].startswith("40{"):
        pass
    wire.frame('42["message","some words to echo"]')
    return wire


async def joined_polling(port):
    """The connection and the session's address, after CONNECT."""
    wire = await Wire.open(port)
    wire.request("GET", POLL)
    _, body = await wire.response()
    session = f"{POLL}&sid={json.loads(body[1:])['sid']}"
    wire.request("POST", session, "40")
    await wire.response()
    wire.request("GET", session)
    await wire.response()
    return wire, session


# — the ways of dying —

async def websocket_close_frame(port):
    wire = await joined_websocket(port)
    wire.frame("\x03\xe8", 8)
    await wire.until_closed()
    wire.close()


async def websocket_disconnect_packet(port):
    wire = await joined_websocket(port)
    wire.frame("41")
    wire.frame("1")
    await wire.until_closed()
    wire.close()


async def websocket_fin(port):
    (await joined_websocket(port)).close()


async def websocket_reset(port):
    (await joined_websocket(port)).reset()


async def websocket_never_pongs(port):
    wire = await joined_websocket(port)
    await wire.until_closed()
    wire.close()


async def websocket_never_joins(port):
    wire = await Wire.open(port)
    await wire.upgrade(SOCKET)
    await wire.read_frame()
    wire.reset()


async def websocket_half_a_frame(port):
    wire = await joined_websocket(port)
    wire.send(b"\x81\xfe\x03\xe8\0\0\0\0only the beginning")
    await wire.writer.drain()
    wire.reset()


async def websocket_protocol_error(port):
    wire = await joined_websocket(port)
    wire.frame("4abc")
    await wire.until_closed()
    wire.close()


async def polling_close_packet(port):
    wire, session = await joined_polling(port)
    wire.request("POST", session, "1")
    await wire.response()
    wire.close()


async def polling_vanishes(port):
    wire, _ = await joined_polling(port)
    wire.close()


async def polling_aborts_its_poll(port):
    wire, session = await joined_polling(port)
    wire.request("GET", session)
    await wire.writer.drain()
    wire.reset()


async def polling_twice(port):
    wire, session = await joined_polling(port)
    second = await Wire.open(port)
    wire.request("GET", session)
    await wire.writer.drain()
    second.request("GET", session)
    await asyncio.gather(wire.response(), second.response(), return_exceptions=True)
    wire.close()
    second.close()


async def upgrade_dies_after_probe(port):
    wire, session = await joined_polling(port)
    socket_ = await Wire.open(port)
    await socket_.upgrade(session.replace("polling", "websocket"))
    socket_.frame("2probe")
    await socket_.read_frame()
    socket_.reset()
    wire.reset()


async def upgrade_completes_then_resets(port):
    wire, session = await joined_polling(port)
    socket_ = await Wire.open(port)
    await socket_.upgrade(session.replace("polling", "websocket"))
    socket_.frame("2probe")
    await socket_.read_frame()
    socket_.frame("5")
    socket_.frame('42["message","after the upgrade"]')
    while "after the upgrade" not in (await socket_.read_frame())[1]:
        pass
    socket_.reset()
    wire.close()


async def half_a_request(port):
    wire = await Wire.open(port)
    wire.send("GET /socket.io/?EIO=4&transport=poll")
    await wire.writer.drain()
    wire.reset()


async def connects_only(port):
    (await Wire.open(port)).reset()


WAYS = [websocket_close_frame, websocket_disconnect_packet, websocket_fin, websocket_reset, websocket_never_pongs, websocket_never_joins, websocket_half_a_frame,
        websocket_protocol_error, polling_close_packet, polling_vanishes, polling_aborts_its_poll, polling_twice, upgrade_dies_after_probe,
        upgrade_completes_then_resets, half_a_request, connects_only]


async def run(port, count, failures):
    """`count` clients, all ways in turn, AT_ONCE at a time."""
    numbers = iter(range(count))

    async def worker():
        for number in numbers:
            way = WAYS[number % len(WAYS)]
            try:
                async with asyncio.timeout(LIMIT):
                    await way(port)
            except (OSError, EOFError, AssertionError, TimeoutError, ValueError, KeyError) as error:
                failures.setdefault(way.__name__, []).append(repr(error))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def state(pid):
    """Anonymous memory in MiB, open descriptors."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    anonymous = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    return anonymous / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def settled(pid, descriptors):
    """The state when every session is over: descriptors back at `descriptors`, or after LIMIT seconds as it is."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and state(pid)[1] > descriptors:
        time.sleep(0.1)
    time.sleep(1)  # ping time-outs of sessions without a connection
    return state(pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--slack", type=float, default=2.0, help="MiB the memory may have grown (2)")
    options = parser.parse_args()
    failures = {}
    with tempfile.TemporaryDirectory(prefix="payam-soak-") as folder:
        server = servers.conformance(pathlib.Path(folder, "log")).start()
        port = int(server.url.rsplit(":", 1)[1])
        try:
            _, idle_descriptors = state(server.process.pid)
            asyncio.run(run(port, options.count // 10, {}))
            before, _ = settled(server.process.pid, idle_descriptors)
            asyncio.run(run(port, options.count, failures))
            after, descriptors = settled(server.process.pid, idle_descriptors)
            died = server.process.poll()
        finally:
            status = server.stop()
    failed = len(failures)
    for way in WAYS:
        errors = failures.get(way.__name__, [])
        print(f"{way.__name__}: {f'{len(errors)} failed, e.g. {errors[0]}' if errors else 'ok'}")
    checks = {
        f"descriptors: {idle_descriptors} at the start, {descriptors} at the end": descriptors <= idle_descriptors,
        f"memory: {before:.1f} MiB after the warm-up, {after:.1f} MiB at the end": after <= before + options.slack,
        f"the server lived ({died}) and ended cleanly ({status})": died is None and status == 0,
    }
    for text, good in checks.items():
        print(f"{'ok' if good else 'FAILED'}: {text}")
        failed += not good
    print(f"{len(WAYS) + len(checks) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
