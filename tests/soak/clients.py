"""Socket.IO clients that live shortly: every transport, every way of dying. They speak the protocol by hand, to die in its middle."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import zlib

PATH = "/soak/"
WORDS = "some words to echo " * 100  # long enough to be compressed


class Wire:
    """One TCP connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data):
        self.writer.write(data if isinstance(data, bytes) else data.encode())

    def request(self, method, target, body="", length=None):
        self.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n"
                  f"Content-Type: text/plain\r\n\r\n{body}")

    async def response(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        return int(head.split()[1]), (await self.reader.readexactly(int(lines.get("content-length", 0)))).decode()

    async def upgrade(self, target, extensions=""):
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: {key}\r\n{extensions}\r\n")
        status, _ = await self.response()
        assert status == 101, status

    def frame(self, data, first=0x81):
        body = data if isinstance(data, bytes) else data.encode()
        length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
        self.send(bytes([first]) + length + b"\0\0\0\0" + body)

    async def read_frame(self):
        """(opcode, text); a binary frame's bytes are of no interest."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack(">H", await self.reader.readexactly(2))
        body = await self.reader.readexactly(length)
        if first & 0x40:
            body = zlib.decompressobj(wbits=-15).decompress(body + b"\0\0\xff\xff")
        return first & 0x0f, body.decode(errors="replace")

    async def frame_with(self, text):
        while True:
            opcode, body = await self.read_frame()
            assert opcode != 8, body
            if text in body:
                return body

    async def until_end(self):
        """Until the server has ended the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.close()

    async def say_goodbye(self):
        """Until the server's close frame, which is answered, and the end."""
        with contextlib.suppress(ConnectionError, EOFError):
            while (await self.read_frame())[0] != 8:
                pass
            self.frame("", 0x88)
        await self.until_end()

    def close(self):
        self.writer.close()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def end_sending(self):
        with contextlib.suppress(OSError):
            self.writer.write_eof()


class Client:
    """A client with a session: its connections, and the polling address if it has one. `polls`: a poll is pending on the first."""

    def __init__(self, port, version):
        self.port, self.version, self.wires, self.session, self.polls = port, version, [], "", False

    def target(self, transport):
        return f"{PATH}?EIO={self.version}&transport={transport}"

    async def wire(self):
        self.wires.append(await Wire.open(self.port))
        return self.wires[-1]

    async def post(self, *packets):
        """On a connection of its own: a poll may be pending. The status."""
        wire = await Wire.open(self.port)
        body = "\x1e".join(packets) if self.version == 4 else "".join(f"{len(packet)}:{packet}" for packet in packets)
        wire.request("POST", self.session, body)
        status, _ = await wire.response()
        wire.close()
        return status

    async def poll_for(self, text):
        body = ""
        while text not in body:
            self.wires[0].request("GET", self.session)
            status, body = await self.wires[0].response()
            assert status == 200, (status, body)

    def begin_poll(self):
        self.wires[0].request("GET", self.session)
        self.polls = True


EVENT = f'42["message","{WORDS}"]'
ECHO = '["message","some'


# — the transports: a client with a socket, which has had its say —

async def polling(port, version=4):
    client = Client(port, version)
    wire = await client.wire()
    wire.request("GET", client.target("polling"))
    _, body = await wire.response()
    client.session = f"{client.target('polling')}&sid={json.loads(body[body.index('{'):])['sid']}"
    assert await client.post(*(["40", EVENT] if version == 4 else [EVENT])) == 200
    await client.poll_for(ECHO)
    client.begin_poll()
    return client


async def polling_of_version_3(port):
    return await polling(port, 3)


async def websocket(port, version=4, extensions="", handshake=""):
    client = Client(port, version)
    wire = await client.wire()
    await wire.upgrade(client.target("websocket"), extensions)
    await wire.read_frame()
    if version == 4:
        wire.frame(f"40{handshake}")
        client.connected = json.loads((await wire.frame_with("40{"))[2:])
    if extensions:
        packed = zlib.compressobj(wbits=-15)
        wire.frame((packed.compress(EVENT.encode()) + packed.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xc1)
    else:
        wire.frame(EVENT)
    await wire.frame_with(ECHO)
    return client


async def websocket_of_version_3(port):
    return await websocket(port, 3)


async def compressed_websocket(port):
    return await websocket(port, extensions="Sec-WebSocket-Extensions: permessage-deflate\r\n")


async def offered_upgrade(port):
    client = await polling(port)
    candidate = await client.wire()
    await candidate.upgrade(client.session.replace("polling", "websocket"))
    return client


async def probed_upgrade(port):
    client = await offered_upgrade(port)
    candidate = client.wires[1]
    candidate.frame("2probe")
    await candidate.frame_with("3probe")
    await client.wires[0].response()  # the pending poll ends
    client.polls = False
    return client


async def upgraded(port):
    client = await probed_upgrade(port)
    polling_wire, client.wires = client.wires[0], client.wires[1:]
    client.wires[0].frame("5")
    client.wires[0].frame(EVENT)
    await client.wires[0].frame_with(ECHO)
    client.session = ""
    polling_wire.close()
    return client


async def recovered(port):
    first = await websocket(port)
    first.wires[0].reset()
    return await websocket(port, handshake=json.dumps({"pid": first.connected["pid"], "offset": "0"}))


# — the deaths —

async def says_close(client):
    """The session's close packet; the server ends what is left."""
    if client.session:
        assert await client.post("1") == 200
        for wire in client.wires[1:]:
            await wire.say_goodbye()
        client.wires[0].close()
    else:
        client.wires[0].frame("1")
        await client.wires[0].say_goodbye()


async def closes(client):
    for wire in client.wires:
        wire.close()


async def resets(client):
    for wire in client.wires:
        wire.reset()


async def half_closes(client):
    """Sends no more but would read on; the server does not leave it at that."""
    for wire in client.wires:
        wire.end_sending()
    for wire in client.wires:
        await wire.until_end()


async def falls_silent(client):
    """As if its machine had gone: answers nothing, neither pings nor a close frame, and keeps its connections."""
    if client.session:
        if client.polls:
            await client.wires[0].response()
        status = 200
        while status == 200:  # the poll itself is no sign of life
            client.wires[0].request("GET", client.session)
            status, _ = await client.wires[0].response()
        client.wires[0].close()
        for wire in client.wires[1:]:
            await wire.until_end()
    else:
        await client.wires[0].until_end()


async def talks_nonsense(client):
    if client.session:
        for wire in client.wires[1:]:
            wire.frame("what?")
            await wire.say_goodbye()
        await client.post("4abc")
        client.wires[0].close()
    else:
        client.wires[0].frame("4abc")
        await client.wires[0].say_goodbye()


TRANSPORTS = [polling, websocket, compressed_websocket, offered_upgrade, probed_upgrade, upgraded, recovered, polling_of_version_3,
              websocket_of_version_3]
DEATHS = [says_close, closes, resets, half_closes, falls_silent, talks_nonsense]


# — what fits into no table —

async def connects_only(port):
    (await Wire.open(port)).reset()


async def half_a_request(port):
    wire = await Wire.open(port)
    wire.send(f"GET {PATH}?EIO=4&transport=poll")
    await wire.writer.drain()
    wire.reset()


async def half_a_post(port):
    client = await polling(port)
    wire = await client.wire()
    wire.request("POST", client.session, "42[", length=100)
    await wire.writer.drain()
    wire.close()
    await client.wires[0].response()
    client.wires[0].close()


async def polls_twice(port):
    client = await polling(port)
    second = await client.wire()
    second.request("GET", client.session)
    statuses = [(await wire.response())[0] for wire in (second, client.wires[0])]
    assert 400 in statuses, statuses  # of the one that the server reads last
    await closes(client)


async def websocket_with_a_close_frame(port):
    wire = (await websocket(port)).wires[0]
    wire.frame(b"\x03\xe8", 0x88)
    await wire.say_goodbye()


async def websocket_with_half_a_frame(port):
    wire = (await websocket(port)).wires[0]
    wire.send(b"\x81\xfe\x03\xe8\0\0\0\0only the beginning")
    await wire.writer.drain()
    wire.reset()


async def websocket_that_breaks_the_framing(port):
    wire = (await websocket(port)).wires[0]
    wire.send(b"\xb1\x80\0\0\0\0")
    await wire.say_goodbye()


async def websocket_that_reads_no_more(port):
    wire = (await websocket(port)).wires[0]
    wire.writer.transport.pause_reading()
    for _ in range(30):
        wire.frame(f'42["message","{"x" * 60000}"]')
    await wire.writer.drain()
    wire.reset()


async def websocket_that_never_joins(port):
    wire = await Wire.open(port)
    await wire.upgrade(f"{PATH}?EIO=4&transport=websocket")
    await wire.until_end()


async def polling_that_never_joins(port):
    wire = await Wire.open(port)
    wire.request("GET", f"{PATH}?EIO=4&transport=polling")
    await wire.response()
    wire.close()


async def upgrade_given_up_for_polling(port):
    client = await probed_upgrade(port)
    client.wires.pop().reset()
    assert await client.post(EVENT) == 200
    await client.poll_for(ECHO)
    assert await client.post("1") == 200
    client.wires[0].close()


async def second_websocket_for_a_session(port):
    client = await offered_upgrade(port)
    second = await Wire.open(port)
    await second.upgrade(client.session.replace("polling", "websocket"))
    await second.say_goodbye()
    await resets(client)


async def disconnects_and_joins_again(port):
    wire = (await websocket(port)).wires[0]
    for _ in range(3):
        wire.frame("41")
        wire.frame("40")
        await wire.frame_with("40{")
    wire.close()


OTHERS = [connects_only, half_a_request, half_a_post, polls_twice, websocket_with_a_close_frame, websocket_with_half_a_frame,
          websocket_that_breaks_the_framing, websocket_that_reads_no_more, websocket_that_never_joins, polling_that_never_joins,
          upgrade_given_up_for_polling, second_websocket_for_a_session, disconnects_and_joins_again]


def ways():
    """What it is → a coroutine function of the port."""

    def pair(transport, death):
        async def way(port):
            await death(await transport(port))
        return way

    table = {f"{transport.__name__} {death.__name__}": pair(transport, death) for transport in TRANSPORTS for death in DEATHS}
    return {name.replace("_", " "): way for name, way in {**table, **{way.__name__: way for way in OTHERS}}.items()}
