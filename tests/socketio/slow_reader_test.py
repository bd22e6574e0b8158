"""Readers with a receive buffer of next to nothing who take a byte at a time: what the kernel holds for them is no help, so the
server's own queue is at work. They get everything, in order, and slow nobody."""

import base64
import contextlib
import json
import os
import re
import socket
import tempfile
import threading
import time

import pytest
from support import servers

LIMIT = 60  # seconds for one reader to get through
PATH = "/tight/"  # queues 256 KiB a connection
COUNT = 24  # events of 8 kB: less than that
TEXT = "x" * 8_000


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="payam-slow-") as folder:
        started = servers.Server([servers.binary("sio-features")], f"{folder}/log", "/socket.io/?EIO=4&transport=polling", env=dict(os.environ))
        try:
            yield started.start()
        finally:
            assert started.stop() == 0, started.tail()


class Slow:
    """A connection of its own, read `piece` bytes at a time."""

    def __init__(self, server, piece):
        self.piece = piece
        self.socket = socket.socket()
        if piece == 1:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # before connecting: it limits the window
        self.socket.settimeout(LIMIT)
        host, port = server.url.removeprefix("http://").split(":")
        self.host = f"{host}:{port}"
        self.socket.connect((host, int(port)))
        self.bytes = bytearray()

    def more(self):
        chunk = self.socket.recv(self.piece)
        assert chunk, "the server has closed"
        self.bytes += chunk

    def take(self, count):
        while len(self.bytes) < count:
            self.more()
        taken = bytes(self.bytes[:count])
        del self.bytes[:count]
        return taken

    def take_head(self):
        while b"\r\n\r\n" not in self.bytes:
            self.more()
        return self.take(self.bytes.index(b"\r\n\r\n") + 4)

    def close(self):
        self.socket.close()


class SlowWebsocket(Slow):
    def __init__(self, server, piece=65_536):
        super().__init__(server, piece)
        key = base64.b64encode(bytes(16)).decode()
        self.socket.sendall(f"GET {PATH}?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        assert self.take_head().startswith(b"HTTP/1.1 101 ")
        self.next("0")
        self.send("40")
        self.next('42["welcome"')

    def send(self, text):
        payload = text.encode()
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        self.socket.sendall(b"\x81" + length + bytes(4) + payload)

    def next(self, prefix):
        """The next message that begins so."""
        while True:
            header = self.take(2)
            length = header[1]
            if length == 126:
                length = int.from_bytes(self.take(2), "big")
            message = self.take(length).decode()
            if message == "2":
                self.send("3")
            if message.startswith(prefix):
                return message


class SlowPolling(Slow):
    def __init__(self, server, piece):
        super().__init__(server, piece)
        self.target = f"{PATH}?EIO=4&transport=polling"
        self.waiting = []
        self.target += "&sid=" + json.loads(self.next("0")[1:])["sid"]
        self.send("40")
        self.next('42["welcome"')

    def request(self, method, body=""):
        self.socket.sendall(f"{method} {self.target} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        head = self.take_head().decode()
        assert head.startswith("HTTP/1.1 200 "), head
        return self.take(int(re.search(r"content-length: (\d+)", head, re.I)[1])).decode()

    def send(self, text):
        assert self.request("POST", text) == "ok"

    def next(self, prefix):
        while True:
            if not self.waiting:
                self.waiting = self.request("GET").split("\x1e")
            message = self.waiting.pop(0)
            if message == "2":
                self.send("3")
            if message.startswith(prefix):
                return message


@pytest.mark.parametrize("kind", [SlowWebsocket, SlowPolling])
def test_who_reads_a_byte_at_a_time_gets_everything_in_order_and_slows_nobody(server, kind):
    room = f"bytewise {kind.__name__}"
    with contextlib.closing(SlowWebsocket(server)) as sender, contextlib.closing(kind(server, 1)) as slow:
        join = f'["join",["{room}"]]'
        for client in (sender, slow):
            client.send(f"420{join}")
            client.next("430")
        got, faults = [], []

        def read():
            try:
                got.extend(json.loads(slow.next('42["n"')[2:])[1] for _ in range(COUNT))
            except Exception as fault:  # told to the test
                faults.append(fault)

        reading = threading.Thread(target=read)
        reading.start()
        worst = 0
        for n in range(COUNT):
            began = time.monotonic()
            shout = json.dumps({"event": "n", "args": [n, TEXT], "to": [room], "except": [], "from_server": True})
            sender.send(f'421["shout",{shout}]')
            assert json.loads(sender.next('42["n"')[2:])[1] == n
            sender.next("431")
            worst = max(worst, time.monotonic() - began)
        reading.join(LIMIT)
        assert not reading.is_alive() and not faults, faults
        assert got == list(range(COUNT))
        assert worst < 2, f"the other one waited {worst} s"
