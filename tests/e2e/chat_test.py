"""The main job with python-socketio, over each transport, and with its asyncio client."""

import asyncio

import pytest
import socketio

from support.client import LIMIT, TRANSPORTS

SENTENCES = ["سلام، خوبی؟", "می‌خواهم کتاب‌ها را ببینم", "Hello from Python 🐍", "👩‍👩‍👧‍👦 🇮🇷 ❤️", "cafe\u0301 ≠ café", "line one\nline two"]


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_two_people_chat_both_ways_with_acks(arrive, transports):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("گروه پایتون", leo)
    with sara.connect(transports) as saras, leo.connect(transports) as leos:
        for index, text in enumerate(SENTENCES):
            sender, socket = (leo, leos) if index % 2 else (sara, saras)
            reply = socket.ask("chat_message", {"room": room, "message": text})
            assert reply.pop("status") == "ok"
            assert (reply["content"], reply["sender"], reply["seq"]) == (text, sender.email, index + 1)
            assert saras.wait_for("broadcast_message") == reply
            assert leos.wait_for("broadcast_message") == reply
        assert saras.client.transport() == transports[-1]
    assert [message["content"] for message in leo.get(f"/chat/chat_rooms/{room}/messages").json()] == SENTENCES


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_without_an_ack_there_is_chat_response_and_error(arrive, transports):
    sara = arrive("sara")
    room = sara.create_room("Quiet")
    with sara.connect(transports) as socket:
        socket.emit("chat_message", {"room": room, "message": "سلام 👋"})
        assert socket.wait_for("chat_response") == {"status": "received", "message": "سلام 👋"}
        socket.emit("chat_message", {"room": "nowhere", "message": "x"})
        assert socket.wait_for("error") == {"message": "Chat room not found or access denied", "code": "not_found"}
        socket.emit("chat_message", {"message": "no room"})
        assert socket.wait_for("error")["message"] == "Invalid data"
        assert socket.ask("chat_message", {"room": room, "message": "still here"})["status"] == "ok"


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_join_room_brings_what_was_missed(arrive, transports):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("Catching up", leo)
    for number in range(1, 6):
        assert sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": f"number {number}"}).status_code == 201
    with leo.connect(transports) as socket:
        reply = socket.ask("join_room", {"room": room, "after_seq": 3})
        assert (reply["status"], reply["seq"]) == ("ok", 5)
        assert [(message["seq"], message["content"]) for message in reply["messages"]] == [(4, "number 4"), (5, "number 5")]


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_a_wrong_token_is_refused(url, transports):
    client = socketio.Client(reconnection=False)
    refused = []
    client.on("connect_error", refused.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(url, transports=transports, auth={"token": "nonsense"}, wait_timeout=LIMIT)
    assert refused[0] == {"message": "Could not validate credentials", "data": {"code": "unauthorized"}}


def test_the_header_works_too(arrive):
    sara = arrive("sara")
    client = socketio.Client(reconnection=False)
    client.connect(sara.url, headers={"Authorization": f"Bearer {sara.token}"}, wait_timeout=LIMIT)
    try:
        room = sara.create_room("Header")
        assert client.call("chat_message", {"room": room, "message": "x"}, timeout=LIMIT)["status"] == "ok"
    finally:
        client.disconnect()


def test_fifty_asyncio_clients_hear_each_other(arrive):
    sara = arrive("sara")
    room = sara.create_room("Crowd")

    async def everyone():
        inboxes = [[] for _ in range(50)]
        clients = []
        for number, inbox in enumerate(inboxes):
            client = socketio.AsyncClient(reconnection=False)
            client.on("broadcast_message", lambda message, inbox=inbox: inbox.append(message["seq"]))
            await client.connect(sara.url, auth={"token": sara.token}, transports=["websocket"] if number % 2 else ["polling"], wait_timeout=LIMIT)
            clients.append(client)
        try:
            replies = await asyncio.gather(*(client.call("chat_message", {"room": room, "message": f"from {number}"}, timeout=LIMIT)
                                             for number, client in enumerate(clients)))
            assert sorted(reply["seq"] for reply in replies) == list(range(1, 51))
            async with asyncio.timeout(LIMIT):
                while any(len(inbox) < 50 for inbox in inboxes):
                    await asyncio.sleep(0.01)
            assert all(inbox == list(range(1, 51)) for inbox in inboxes)
        finally:
            await asyncio.gather(*(client.disconnect() for client in clients))

    asyncio.run(everyone())
