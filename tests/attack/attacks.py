"""The attacks. Each is a function of a World (a server with default options, and who attacks it) that does its worst and gives a line about what it
got. What the server may spend on it, and how long others may wait meanwhile, is said beside it; a breach is a failure."""

import base64
import concurrent.futures
import contextlib
import itertools
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from attack import collisions, wire

# What holds for every attack that does not say otherwise. Generous: the machine may be busy, and Python shares it.
WORST_WAIT = 2.0   # seconds, of any call of the bystander
MOST_MEMORY = 128  # MiB more than before, at the worst moment


@dataclass
class Attack:
    name: str
    summary: str
    run: object
    watched: list = field(default_factory=lambda: ["profile", "connect", "message", "body"])
    worst_wait: float = WORST_WAIT
    most_memory: float = MOST_MEMORY
    options: dict = field(default_factory=dict)
    refusals: int = 0  # calls of the bystander that may fail


ATTACKS = []


def attack(summary, **how):
    def register(function):
        ATTACKS.append(Attack(function.__name__, summary, function, **how))
        return function
    return register


# --- Crashes ------------------------------------------------------------------------------------------------------------


@attack("Tens of thousands of empty lines behind a sign-in that is being answered")
def empty_lines(world):
    form = urllib.parse.urlencode({"username": "nobody@example.org", "password": "wrong password"}).encode()
    for _ in range(world.scaled(3, 20)):
        with wire.connect(*world.address) as stream, contextlib.suppress(OSError):
            stream.sendall(wire.request("POST", "/auth/login", form, ["Content-Type: application/x-www-form-urlencoded"]))
            stream.sendall(b"\r\n" * 8191)
            stream.sendall(b"\r\n" * 32768)
            while stream.recv(65536):
                pass
    return "the connection is closed or the lines are skipped"


@attack("Requests that are complete with their head, for calls that take a stream")
def empty_uploads(world):
    statuses = set()
    for headers in (["Content-Type: multipart/form-data; boundary=X"], [], ["Content-Type: multipart/form-data; boundary=X", "Transfer-Encoding: chunked"]):
        for path in ("/chat/upload_media/", "/socket.io/?EIO=4&transport=polling&sid=none"):
            data = wire.request("POST", path, b"", headers, world.token)
            if "Transfer-Encoding: chunked" in headers:
                data = data.replace(b"Content-Length: 0\r\n", b"") + b"0\r\n\r\n"
            statuses.add(wire.ask(*world.address, data)[0])
    assert statuses <= {400, 413, 422}, statuses
    return f"answered with {sorted(statuses)}"


@attack("JSON nested a hundred thousand deep, in calls, events and CONNECT")
def nesting(world):
    deep = b"[" * 100_000
    for data in (wire.json_request("POST", "/auth/login", deep), wire.json_request("POST", "/auth/login", b'{"a":' * 100_000)):
        assert wire.ask(*world.address, data)[0] == 422
    with world.websocket() as stream:
        stream.sendall(wire.frame(b"40" + deep[:50_000]))
        world.join(stream)
        stream.sendall(wire.frame(b'42["chat_message",' + deep))
        stream.sendall(wire.frame('421["get_online_users",{}]'))
        wire.read_until(stream, b'431[{"status":"ok"')
    return "422, or the packet is refused"


# --- Memory -------------------------------------------------------------------------------------------------------------


def waiting_packet(size):
    return wire.frame('451-["x",' + ",".join(["[0]"] * (size // 4)) + ',{"_placeholder":true,"num":0}]')


@attack("Packets of 990 kB that wait for an attachment, on connections that never joined")
def attachments_before_joining(world):
    streams = [world.websocket() for _ in range(60)]
    world.hold(streams, waiting_packet(990_000), 2)
    return f"{wire.still_open(streams)} of {len(streams)} connections are left"


@attack("Packets of 990 kB that wait for an attachment, on joined connections")
def attachments_after_joining(world):
    streams = [world.websocket() for _ in range(60)]
    for stream in streams:
        world.join(stream)
    world.hold(streams, waiting_packet(990_000), 2)
    return f"{wire.still_open(streams)} of {len(streams)} connections are left"


@attack("Websocket messages of a megabyte of which the last byte is missing")
def half_messages(world):
    streams = [world.websocket() for _ in range(100)]
    for stream in streams:
        world.join(stream)
    world.hold(streams, wire.frame("4" + "x" * 990_000)[:-1], 2)
    return f"{wire.still_open(streams)} of {len(streams)} connections are left"


@attack("Bodies of sign-ins that stay one byte short")
def short_bodies(world):
    body = json.dumps({"email": "nobody@example.org", "password": "x" * 1000}).encode()
    data = wire.request("POST", "/auth/login", body, ["Content-Type: application/json"])[:-1]
    streams = wire.connect_many(*world.address, 256)
    world.hold(streams, data, 2)
    big = wire.request("POST", "/auth/login", b" " * 1_000_000, ["Content-Type: application/json"])[:-1]
    more = wire.connect_many(*world.address, 256)
    world.hold(more, big, 3)
    left = wire.still_open(streams), wire.still_open(more)
    wire.close_all(streams + more)
    return f"{left[0]} of 256 short and {left[1]} of 256 megabyte bodies are left"


@attack("Readers of the longest history there is, who do not read", most_memory=256)
def readers_that_do_not_read(world):
    room = world.room("long")
    for _ in range(world.scaled(120, 500)):
        world.send(room, "\u0001" * 19_999 + "x")
    data = wire.request("GET", f"/chat/chat_rooms/{room}/messages?limit=500", token=world.token)
    streams = wire.connect_many(*world.address, 60)
    for stream in streams:
        stream.sendall(data)
    world.watch(3)
    left = wire.still_open(streams)
    wire.close_all(streams)
    return f"{left} of 60 replies wait"


@attack("Pipelined calls whose replies are never read")
def pipelined(world):
    data = wire.request("GET", "/openapi.json") * 100
    streams = wire.connect_many(*world.address, 100)
    sent, closed = wire.pour(streams, data, world.scaled(2, 8))
    wire.close_all(streams)
    return f"{sent >> 10} KiB of requests were taken, {closed} of 100 connections closed"


@attack("Sockets that ask and ask and never read", most_memory=256)
def sockets_that_do_not_read(world):
    room = world.room("noise")
    for _ in range(5):
        world.send(room, "x" * 19_000)
    streams = [world.websocket() for _ in range(50)]
    for stream in streams:
        world.join(stream)
    packets = b"".join(wire.frame(f'42{n}["join_room",{{"room":"{room}","after_seq":0}}]') for n in range(10))
    _, closed = wire.pour(streams, packets, world.scaled(2, 8))
    closed = max(closed, wire.told_to_go(streams))
    wire.close_all(streams)
    return f"{closed} of 50 connections closed"


@attack("As many idle connections as one address can open", most_memory=192)
def idle_connections(world):
    streams = wire.connect_many(*world.address, world.scaled(2_500, 16_005))
    world.watch(1)
    left = wire.still_open(streams)
    wire.close_all(streams)
    assert left <= 1_000, left
    return f"{left} of {len(streams)} connections are left"


@attack("As many polling sessions as one address can open")
def polling_sessions(world):
    opened = 0
    with wire.connect(*world.address) as stream:
        for _ in range(world.scaled(2_500, 10_000)):
            try:
                stream.sendall(wire.request("GET", "/socket.io/?EIO=4&transport=polling"))
                opened += wire.read_answer(stream)[0] == 200
            except OSError:
                stream = wire.connect(*world.address)
    assert opened <= 1_100, opened
    return f"{opened} sessions opened"


# --- Processor ----------------------------------------------------------------------------------------------------------


@attack("JSON objects whose keys all meet in one bucket, by a call and by CONNECT")
def colliding_keys(world):
    bodies = [collisions.one_object(990_000), collisions.many_objects(990_000, 256), collisions.many_objects(990_000, 18)]
    longest = 0
    for _ in range(world.scaled(2, 10)):
        for body in bodies:
            began = time.monotonic()
            wire.ask(*world.address, wire.json_request("POST", "/auth/login", body))
            longest = max(longest, time.monotonic() - began)
            with contextlib.suppress(OSError), world.websocket() as stream:
                stream.sendall(wire.frame(b"40" + body))
                stream.settimeout(5)
                stream.recv(1000)
    return f"the longest such call took {1000 * longest:.0f} ms"


@attack("A storm of packets before any namespace is joined")
def packets_before_joining(world):
    streams = [world.websocket() for _ in range(8)]
    sent, _ = wire.pour(streams, wire.frame('40/nowhere,{"token":"x"}') * 500, world.scaled(2, 6))
    closed = wire.told_to_go(streams)
    wire.close_all(streams)
    assert closed == len(streams), f"{closed} of 8 connections closed"
    return f"{sent >> 10} KiB were taken, {closed} of 8 connections closed"


@attack("A storm of empty frames, pings and unknown events on joined sockets")
def small_frames(world):
    streams = [world.websocket() for _ in range(8)]
    for stream in streams:
        world.join(stream)
    storm = (wire.frame('42["nothing"]') + wire.frame(b"", 9) + wire.frame(b"", 2)) * 500
    sent, _ = wire.pour(streams, storm, world.scaled(2, 6))
    closed = wire.told_to_go(streams)
    wire.close_all(streams)
    assert closed == len(streams), f"{closed} of 8 connections closed"
    return f"{sent >> 10} KiB were taken, {closed} of 8 connections closed"


@attack("Searches for 66 short words in messages of thousands, by callers who do not wait", watched=["profile", "message", "search"], worst_wait=5.0)
def searches(world):
    room = world.room("words")
    words = [a + b for a, b in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=2)]
    content = " ".join(itertools.islice(itertools.cycle(words), 6_600))
    for _ in range(world.scaled(60, 200)):
        world.send(room, content)
    query = urllib.parse.quote(" ".join(words[:66]))
    began = world.processor_time()
    for _ in range(world.scaled(40, 200)):
        with wire.connect(*world.address) as stream:
            stream.sendall(wire.request("GET", f"/chat/search?q={query}", token=world.token))
    world.watch(2)
    return f"{world.processor_time() - began:.1f} s of processor time for {world.scaled(40, 200)} searches"


@attack("Sign-ins with the right password, many at once", watched=["profile", "message", "login"], worst_wait=5.0)
def right_passwords(world):
    form = urllib.parse.urlencode({"username": world.email, "password": world.password}).encode()
    data = wire.request("POST", "/auth/login", form, ["Content-Type: application/x-www-form-urlencoded"])
    with concurrent.futures.ThreadPoolExecutor(66) as pool:
        statuses = list(pool.map(lambda _: wire.ask(*world.address, data)[0], range(world.scaled(66, 200))))
    assert set(statuses) <= {200, 429, 503}, set(statuses)
    return ", ".join(f"{statuses.count(status)} × {status}" for status in sorted(set(statuses)))


@attack("The directory read out by its prefixes")
def directory(world):
    answered, refused = 0, 0
    with wire.connect(*world.address) as stream:
        for a, b in itertools.islice(itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=2), 600):
            stream.sendall(wire.request("GET", f"/auth/users?q={a}{b}", token=world.token))
            status, _, _ = wire.read_answer(stream)
            answered += status == 200
            refused += status == 429
    assert refused > answered, f"{answered} answered, {refused} refused"
    return f"{answered} of 600 calls answered, {refused} refused"


@attack("Profile changes, blocks and lists as fast as they go")
def cheap_calls(world):
    calls = [wire.json_request("PATCH", "/auth/users/me", {"full_name": "x"}, world.token),
             wire.request("PUT", f"/auth/users/me/blocks/{world.bystander}", token=world.token),
             wire.request("GET", "/chat/chat_rooms/", token=world.token),
             wire.request("GET", "/auth/sessions", token=world.token)]
    refused = [0] * len(calls)
    for index, data in enumerate(calls):
        with wire.connect(*world.address) as stream:
            for _ in range(world.scaled(800, 3_000)):
                stream.sendall(data)
                refused[index] += wire.read_answer(stream)[0] == 429
    assert all(refused), refused
    return f"refused {refused} of {world.scaled(800, 3_000)} each"


# --- Connections and the disk -------------------------------------------------------------------------------------------


@attack("Heads that come a byte a second")
def slow_heads(world):
    streams = wire.connect_many(*world.address, world.scaled(500, 900))
    data = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaa"
    for index in range(world.scaled(3, 14)):
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.send(data[index:index + 1])
        time.sleep(1)
    left = wire.still_open(streams)
    wire.close_all(streams)
    return f"{left} of {len(streams)} connections are left"


@attack("Connections opened and dropped in the middle of the handshake")
def handshakes(world):
    count, deadline = 0, time.monotonic() + world.scaled(2, 8)
    data = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), wire.connect(*world.address) as stream:
            stream.sendall(data)
            count += 1
    return f"{count} handshakes"


@attack("Sixty uploads at once by somebody whose quota has room for one", options={"USER_QUOTA_BYTES": "4M", "MAX_UPLOAD_BYTES": "3M"})
def quota(world):
    kept, reasons = [], set()

    def upload(index):
        body, content_type = wire.multipart(f"{index}.bin", bytes(2 << 20))
        try:
            status, _, answer = wire.ask(*world.address, wire.request("POST", "/chat/upload_media/", body, [content_type], world.token))
        except OSError:
            return reasons.add("closed")
        if status == 200:
            kept.append(json.loads(answer)["size"])
        reasons.add(status)

    threads = [threading.Thread(target=upload, args=(index,)) for index in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(kept) <= 4 << 20, f"{sum(kept)} bytes are kept"
    assert kept, reasons
    return f"{len(kept)} of 60 kept, {sum(kept) >> 20} MiB of 4"


@attack("Polling bodies of a megabyte to sessions that never joined")
def polling_bodies(world):
    host, port = world.address
    payload = base64.b64encode(bytes(3000)).decode()
    refused = 0
    for _ in range(world.scaled(20, 60)):
        with wire.connect(host, port) as stream:
            stream.sendall(wire.request("GET", "/socket.io/?EIO=4&transport=polling"))
            sid = json.loads(wire.read_answer(stream)[2][1:])["sid"]
            stream.sendall(wire.request("POST", f"/socket.io/?EIO=4&transport=polling&sid={sid}",
                                        ("\x1e".join(["b" + payload] * 200)).encode(), ["Content-Type: text/plain;charset=UTF-8"]))
            refused += wire.read_answer(stream)[0] != 200
    assert refused == world.scaled(20, 60), f"{refused} refused"
    return "all refused"
