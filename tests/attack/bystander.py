#!/usr/bin/env python3
"""Somebody who only wants to chat, at an address of their own, while others attack: does one thing of each kind again and again and notes how long it took.

    bystander.py URL EMAIL PASSWORD KIND…      from 127.0.0.9; prints "ready", measures until standard input ends, then prints JSON:
                                               {kind: {count, median_ms, worst_ms, failures: [text]}}

Kinds: profile (a call on a kept connection), connect (a new connection for each call), message (a message acknowledged over Socket.IO), body (a call
with a body), search, login.
"""

import http.client
import json
import statistics
import sys
import threading
import time
import urllib.parse

import websocket

from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from attack import wire  # noqa: E402

ADDRESS = "127.0.0.9"
LIMIT = 60  # seconds for any one answer
PAUSE = {"login": 0.5}  # seconds between two of a kind
OTHERS_PAUSE = 0.12       # below what one person may do: 20 calls a second
FAILURES_SHOWN = 5


class Calls:
    """Calls of the API, on a kept connection or each on one of its own."""

    def __init__(self, host, port, token):
        self._host, self._port, self._token = host, port, token
        self._connection = None

    def call(self, method, path, body=None, keep=True, form=False):
        if self._connection is None or not keep:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=LIMIT, source_address=(ADDRESS, 0))
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
            body = urllib.parse.urlencode(body) if form else json.dumps(body)
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection = None
            raise
        if not keep:
            self._connection.close()
            self._connection = None
        if answer.status >= 400:
            raise ValueError(f"{answer.status} {content[:200]!r}")
        return json.loads(content)


class Socket:
    """A raw Socket.IO client in one room."""

    def __init__(self, host, port, token):
        stream = wire.connect(host, port, ADDRESS, LIMIT)
        self._socket = websocket.create_connection(f"ws://{host}:{port}/socket.io/?EIO=4&transport=websocket", timeout=LIMIT, socket=stream)
        self._wait("0")
        self._socket.send("40" + json.dumps({"token": token}))
        self._wait("40")

    def _wait(self, prefix):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            packet = self._socket.recv()
            if packet == "2":
                self._socket.send("3")
            elif packet.startswith(prefix):
                return packet
            elif not packet or packet.startswith("44"):
                raise ValueError(f"closed or refused: {packet!r}")
        raise TimeoutError(prefix)

    def ask(self, number, event, data):
        self._socket.send(f"42{number}" + json.dumps([event, data]))
        answer = json.loads(self._wait(f"43{number}[")[2 + len(str(number)):])[0]
        if answer.get("status") != "ok":
            raise ValueError(json.dumps(answer))


def things_to_do(host, port, email, password, kinds):
    """Kind → what is done; prepared, so that only the act itself is measured."""
    sign_in = Calls(host, port, None)
    token = sign_in.call("POST", "/auth/login", {"username": email, "password": password}, form=True)["access_token"]
    calls = {kind: Calls(host, port, token) for kind in kinds}
    room = Calls(host, port, token).call("POST", "/chat/chat_rooms/", {"name": "quiet"})["id"]
    acts = {
        "profile": lambda n: calls["profile"].call("GET", "/auth/users/me"),
        "connect": lambda n: calls["connect"].call("GET", "/auth/users/me", keep=False),
        "body": lambda n: calls["body"].call("POST", f"/chat/chat_rooms/{room}/read", {"seq": 0}),
        "search": lambda n: calls["search"].call("GET", f"/chat/search?q=quiet+words&room_id={room}"),
        "login": lambda n: Calls(host, port, None).call("POST", "/auth/login", {"username": email, "password": password}, form=True),
    }
    if "message" in kinds:
        socket = Socket(host, port, token)
        acts["message"] = lambda n: socket.ask(n, "chat_message", {"room": room, "message": f"quiet words {n}"})
    return {kind: acts[kind] for kind in kinds}


def measure(act, pause, ended, times, failures):
    number = 0
    while not ended.is_set():
        number += 1
        began = time.monotonic()
        try:
            act(number)
        except Exception as error:  # whatever it is, it is what the bystander suffered
            failures.append(f"{type(error).__name__}: {error}")
        times.append(time.monotonic() - began)
        ended.wait(pause)


def main():
    url, email, password, *kinds = sys.argv[1:]
    parts = urllib.parse.urlsplit(url)
    acts = things_to_do(parts.hostname, parts.port, email, password, kinds)
    ended = threading.Event()
    results, threads = {}, []
    for kind, act in acts.items():
        times, failures = results.setdefault(kind, ([], []))
        threads.append(threading.Thread(target=measure, args=(act, PAUSE.get(kind, OTHERS_PAUSE), ended, times, failures)))
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps({kind: {"count": len(times), "median_ms": 1000 * statistics.median(times), "worst_ms": 1000 * max(times),
                             "failures": failures[:FAILURES_SHOWN], "failed": len(failures)} for kind, (times, failures) in results.items()}))


if __name__ == "__main__":
    main()
