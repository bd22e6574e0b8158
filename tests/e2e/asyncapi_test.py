"""The AsyncAPI document: valid, complete, equal to the golden file, and true of what goes over the wire."""

import json
import os
import pathlib

import jsonschema
import pytest
import requests

from support.client import LIMIT, Person
from support.servers import REPOSITORY, running_payam

GOLDEN = pathlib.Path(__file__).with_name("asyncapi.golden.json")
OFFICIAL = REPOSITORY / "tests" / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


@pytest.fixture(scope="module")
def document(url):
    answer = requests.get(f"{url}/asyncapi.json", timeout=LIMIT)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def test_it_is_valid_asyncapi_3_0(document):
    assert document["asyncapi"] == "3.0.0"
    schema = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    faults = list(jsonschema.Draft7Validator(schema).iter_errors(document))
    assert not faults, faults[0]


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_every_reference_leads_somewhere(document):
    for reference in set(references(document)):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_it_equals_the_golden_file(document):
    """A wanted change: UPDATE_GOLDEN=1 tests/run e2e/asyncapi, and read the difference before committing it."""
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    assert document == json.loads(GOLDEN.read_text(encoding="utf-8"))


FROM_CLIENT = {"chat_message", "join_room", "leave_room", "resume", "get_online_users", "typing", "mark_read", "edit_message", "delete_message",
               "react", "authenticate"}
FROM_SERVER = {"broadcast_message", "chat_response", "message_updated", "online_users", "typing", "read", "presence", "room_added", "room_updated",
               "room_removed", "error", "token_expired", "session_ended", "connect_error"}


def names(document, action):
    return {operation["title"] for operation in document["operations"].values() if operation["action"] == action}


def test_the_events_of_the_contract_are_in_it(document):
    assert names(document, "receive") == FROM_CLIENT
    assert names(document, "send") == FROM_SERVER


def test_it_says_how_a_client_names_itself(document):
    server, = document["servers"].values()
    assert server["pathname"] == "/socket.io/" and document["channels"]["namespace"]["address"] == "/"
    schemes = [document["components"]["securitySchemes"][reference["$ref"].split("/")[-1]] for reference in server["security"]]
    assert {scheme["type"] for scheme in schemes} == {"apiKey", "http"}


class Wire:
    """Checks what comes and goes against the document, and remembers what it has seen."""

    def __init__(self, document):
        self.document, self.seen = document, set()

    def check(self, key, value):
        message = self.document["components"]["messages"][key]
        self.seen.add(key)
        if "payload" not in message:
            assert value is None, key
            return
        jsonschema.Draft202012Validator(strict(self.document, message["payload"])).validate(value)

    def ask(self, socket, event, data):
        self.check(f"client.{event}", data)
        reply = socket.ask(event, data)
        self.check(f"client.{event}.ack" if reply["status"] == "ok" else "error.ack", reply)
        return reply

    def watch(self, socket):
        """From now on every event that comes."""
        faults = []

        def look(event, *arguments):
            try:
                assert len(arguments) <= 1, event
                self.check(f"server.{event}", arguments[0] if arguments else None)
            except (AssertionError, KeyError, jsonschema.ValidationError) as fault:
                faults.append((event, fault))
        keep = socket.client.handlers["/"]["*"]
        socket.client.on("*", lambda event, *data: (look(event, *data), keep(event, *data)))
        return faults


def closed(schema):
    """The same with no field allowed that is not described, at every depth."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {**opened(schema), **({"additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else {})}


def opened(schema):
    """Only what is inside is closed: for a part of an allOf, which knows its own fields alone."""
    return {key: {name: closed(field) for name, field in value.items()} if key == "properties" else closed(value) for key, value in schema.items()}


def strict(document, payload):
    """What is sent must be documented, to the last field."""
    schemas = document["components"]["schemas"]
    parts = {"components": {"schemas": {name: closed(schema) for name, schema in schemas.items()}},
             "parts": {name: opened(schema) for name, schema in schemas.items()}}
    if "allOf" not in payload:
        return {**closed(payload), **parts}
    references = json.dumps([opened(part) for part in payload["allOf"]]).replace("#/components/schemas/", "#/parts/")
    return {"allOf": json.loads(references), "unevaluatedProperties": False, **parts}


def test_what_goes_over_the_wire_is_as_it_says(document, url):
    wire = Wire(document)
    sara, neda, leo = (Person(url, name) for name in ("sara", "neda", "leo"))
    with sara.connect() as saras, neda.connect(["polling"]) as nedas:
        lists = [wire.watch(saras), wire.watch(nedas)]
        room = sara.create_room("Described", neda)
        nedas.wait_for("room_added")
        sent = wire.ask(saras, "chat_message", {"room": room, "message": "hello", "client_id": "1"})
        wire.ask(saras, "chat_message", {"room": room, "message": "again", "reply_to": sent["id"], "attachments": []})
        saras.emit("chat_message", {"room": room, "message": "no acknowledgement"})
        saras.wait_for("chat_response")
        wire.ask(saras, "edit_message", {"id": sent["id"], "message": "hello!"})
        wire.ask(nedas, "react", {"id": sent["id"], "emoji": "👍", "on": True})
        wire.ask(saras, "delete_message", {"id": sent["id"]})
        wire.ask(nedas, "join_room", {"room": room, "after_rev": 0})
        wire.ask(nedas, "join_room", {"room": room, "after_seq": 1})
        wire.ask(nedas, "resume", {"rooms": {room: {"rev": 1}}})
        wire.ask(nedas, "resume", {"rooms": {room: 0}})
        wire.ask(nedas, "mark_read", {"room": room, "seq": 2})
        saras.wait_for("read")
        wire.ask(nedas, "typing", {"room": room, "typing": True})
        saras.wait_for("typing")
        wire.ask(saras, "get_online_users", {"room": room})
        wire.ask(saras, "get_online_users", {})
        wire.ask(saras, "authenticate", {"token": sara.token})
        with leo.connect() as leos:
            lists.append(wire.watch(leos))
            assert sara.post(f"/chat/chat_rooms/{room}/members", json={"emails": [leo.email]}).status_code == 200
            leos.wait_for("room_added")
            saras.wait_for("room_updated")
            assert sara.request("DELETE", f"/chat/chat_rooms/{room}/members/{leo.email}").status_code in (200, 204)
            leos.wait_for("room_removed")
            wire.ask(leos, "leave_room", {"room": room})
            assert leo.post("/auth/logout").status_code == 204
            leos.wait_for("session_ended")
        wire.ask(nedas, "leave_room", {"room": room})
        for wrong in [{"room": 1}, {"room": "nowhere", "message": "x"}]:  # every fault with its place; in words
            wire.check("error.ack", saras.ask("chat_message", wrong))
        saras.emit("chat_message", {"room": room})
        assert saras.wait_for("error")["code"] == "invalid"
        saras.emit("chat_message", {"room": "nowhere", "message": "x"})
        assert saras.wait_for("error")["code"] == "not_found"
    faults = [fault for each in lists for fault in each]
    assert not faults, faults
    exercised = {f"client.{name}" for name in FROM_CLIENT} | {f"client.{name}.ack" for name in FROM_CLIENT}
    # The others are below; of a token that expires there is nothing to check but that nothing comes with it.
    exercised |= {f"server.{name}" for name in FROM_SERVER - {"presence", "token_expired", "connect_error"}}
    assert not exercised - wire.seen


def test_presence_and_a_refused_connection_are_as_it_says(document):
    wire = Wire(document)
    with running_payam() as server:
        answer = requests.get(f"{server.url}/socket.io/?EIO=4&transport=polling", timeout=LIMIT)
        sid = json.loads(answer.text[1:])["sid"]
        session = f"{server.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
        assert requests.post(session, data='40{"token":"none"}', timeout=LIMIT).text == "ok"
        packet = requests.get(session, timeout=LIMIT).text
        assert packet.startswith("44")
        wire.check("server.connect_error", json.loads(packet[2:]))
        sara, neda = Person(server.url, "sara"), Person(server.url, "neda")
        sara.create_room("Together", neda)
        with sara.connect() as saras:
            faults = wire.watch(saras)
            with neda.connect() as nedas:
                assert saras.wait_for("presence")["is_online"]
                nedas.ask("get_online_users", {})
        assert not faults
    assert wire.seen == {"server.connect_error", "server.presence"}
