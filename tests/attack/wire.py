"""Bytes on the wire, as an attacker sends them: sockets from an address of one's choice, raw requests, masked websocket frames."""

import contextlib
import json
import os
import selectors
import socket
import struct
import time

ATTACKER = "127.0.0.1"


def connect(host, port, source=ATTACKER, timeout=30):
    stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.settimeout(timeout)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.bind((source, 0))
    stream.connect((host, port))
    return stream


def connect_many(host, port, count, source=ATTACKER):
    """As many of `count` connections as can be had."""
    streams = []
    for _ in range(count):
        try:
            streams.append(connect(host, port, source))
        except OSError:
            break
    return streams


def request(method, path, body=b"", headers=(), token=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: chat.example.org", *headers]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def json_request(method, path, value, token=None):
    return request(method, path, json.dumps(value).encode() if not isinstance(value, bytes) else value, ["Content-Type: application/json"], token)


def read_answer(stream):
    """(status, headers, body) of one response with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {data[:100]!r}")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        piece = stream.recv(1 << 20)
        if not piece:
            raise ConnectionError("closed in the middle of a body")
        body += piece
    return int(status.split()[1]), headers, body


def ask(host, port, data, source=ATTACKER):
    """One request on a connection of its own."""
    with connect(host, port, source) as stream:
        stream.sendall(data)
        return read_answer(stream)


def frame(payload, opcode=1, final=True):
    """A client's websocket frame (RFC 6455 section 5.2)."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size)
    mask = b"\0\0\0\0"  # allowed, and the quickest: an attacker saves its own processor
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + payload


def open_websocket(host, port, source=ATTACKER, path="/socket.io/?EIO=4&transport=websocket"):
    """A websocket with its open packet read; ConnectionError where it is refused."""
    stream = connect(host, port, source)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n".encode())
    data = b""
    while b"}" not in data.partition(b"\r\n\r\n")[2]:
        piece = stream.recv(4096)
        if not piece or (data + piece).startswith(b"HTTP/1.1 ") and not (data + piece).startswith(b"HTTP/1.1 101"):
            stream.close()
            raise ConnectionError((data + piece)[:60].decode("latin-1"))
        data += piece
    return stream


def read_until(stream, part, limit=30):
    """Reads frames' bytes until `part` is among them."""
    data, deadline = b"", time.monotonic() + limit
    while part not in data:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {part!r} in {data[-200:]!r}")
        piece = stream.recv(65536)
        if not piece:
            raise ConnectionError(f"closed before {part!r}: {data[-200:]!r}")
        data += piece
    return data


def join(stream, token):
    """Joins the main namespace."""
    stream.sendall(frame("40" + json.dumps({"token": token})))
    read_until(stream, b'40{"sid"')


def pour(streams, data, seconds):
    """Sends `data` again and again on all of them, never reading, for so long; gives the bytes that went out and how many were closed."""
    sent, closed, deadline = 0, 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            stream.setblocking(False)
            selector.register(stream, selectors.EVENT_WRITE, [0])
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(0.1):
                try:
                    count = key.fileobj.send(memoryview(data)[key.data[0]:key.data[0] + (1 << 18)])
                    sent += count
                    key.data[0] = (key.data[0] + count) % len(data)
                except BlockingIOError:
                    pass
                except OSError:
                    closed += 1
                    selector.unregister(key.fileobj)
    return sent, closed


def told_to_go(streams):
    """How many websockets the server has closed, or has begun to: a close frame (RFC 6455 section 5.5.1) ends what it has sent."""
    count = 0
    for stream in streams:
        stream.setblocking(False)
        last = b""
        try:
            while piece := stream.recv(1 << 20):
                last = (last + piece)[-127:]
            count += 1
        except BlockingIOError:
            count += b"\x88" in last
        except OSError:
            count += 1
    return count


def still_open(streams):
    """How many the server has not closed; what it has sent is thrown away."""
    count = 0
    for stream in streams:
        stream.setblocking(False)
        try:
            while stream.recv(1 << 16):
                pass
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def close_all(streams):
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.close()


def multipart(name, content):
    boundary = "xXx" + os.urandom(8).hex()
    body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n').encode()
    return body + content + f"\r\n--{boundary}--\r\n".encode(), f"Content-Type: multipart/form-data; boundary={boundary}"
