"""What the Python end-to-end tests do over and over. Every wait has a limit."""

import itertools
import json
import os
import queue
import struct
import time
import zlib

import requests
import socketio
import websocket

LIMIT = 15  # seconds; generous, since a busy machine is no failure
TRANSPORTS = {"polling only": ["polling"], "websocket only": ["websocket"], "polling, then upgrade": ["polling", "websocket"]}

_count = itertools.count(1)


def unique(name):
    return f"{name}{os.getpid()}p{next(_count)}"


class Person:
    """Signed up and logged in, unless told otherwise."""

    def __init__(self, url, name="user"):
        self.url = url
        self.username = unique(name)
        self.email = f"{self.username}@example.org"
        self.password = f"correct horse {self.username}"
        self.http = requests.Session()
        answer = self.post("/auth/signup", json={"username": self.username, "email": self.email, "password": self.password})
        assert answer.status_code == 201, answer.text
        answer = self.post("/auth/login", data={"username": self.email, "password": self.password})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def request(self, method, path, **arguments):
        return self.http.request(method, self.url + path, timeout=LIMIT, **arguments)

    def get(self, path, **arguments):
        return self.request("GET", path, **arguments)

    def post(self, path, **arguments):
        return self.request("POST", path, **arguments)

    def create_room(self, name, *members):
        answer = self.post("/chat/chat_rooms/", json={"name": name, "members": [member.email for member in members]})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def connect(self, transports=("websocket",)):
        return Socket(self, transports)


class Socket:
    """A connected python-socketio client that keeps what comes, by event."""

    def __init__(self, person, transports, auth=True):
        self.client = socketio.Client(reconnection=False)
        self._inbox = {}
        self.client.on("*", self._keep)
        self.client.connect(person.url, transports=list(transports), auth={"token": person.token} if auth else None, wait_timeout=LIMIT)

    def _keep(self, event, *data):
        self._inbox.setdefault(event, queue.Queue()).put(data[0] if data else None)

    def wait_for(self, event):
        """The next one of that name."""
        return self._inbox.setdefault(event, queue.Queue()).get(timeout=LIMIT)

    def count(self, event):
        return self._inbox[event].qsize() if event in self._inbox else 0

    def ask(self, event, data):
        return self.client.call(event, data, timeout=LIMIT)

    def emit(self, event, data):
        self.client.emit(event, data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()


def png(width, height):
    """A small red picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + b"\xff\0\0" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class RawSocket:
    """A connection that sends what no client would: JSON text of any kind, over a websocket of its own."""

    def __init__(self, person):
        self._socket = websocket.create_connection(person.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket", timeout=LIMIT)
        self._last_id = 0
        assert self._next().startswith("0{")
        self._socket.send("40" + json.dumps({"token": person.token}))
        assert self._next("40").startswith("40{")

    def _next(self, prefix=""):
        """The next packet that begins so; pings are answered."""
        deadline = time.monotonic() + LIMIT
        while True:
            assert time.monotonic() < deadline, f"no {prefix or 'packet'} came"
            packet = self._socket.recv()
            assert packet, "the connection was closed"
            if packet == "2":
                self._socket.send("3")
            elif packet.startswith(prefix):
                return packet

    def ask(self, event, text):
        """The acknowledgement of an event whose argument is this JSON text."""
        self._last_id += 1
        self._socket.send(f'42{self._last_id}["{event}",{text}]')
        return json.loads(self._next(f"43{self._last_id}[")[2 + len(str(self._last_id)):])[0]

    def close(self):
        self._socket.close()
