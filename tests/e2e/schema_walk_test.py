"""Every call of the OpenAPI document, by schemathesis: values that fit and values that do not, the edges of each constraint, and chains of calls. What it checks of every answer: no server
error, a documented status with the documented type, headers and body, a token asked for.

About a minute; SCHEMA_WALK_SECONDS makes it longer.
"""

import json
import os
import subprocess

import pytest

from support.client import LIMIT, Person, png
from support.servers import REPOSITORY, running_payam

SECONDS = int(os.environ.get("SCHEMA_WALK_SECONDS", 0))

# Two checks take a schema for the whole of the rules. Ours has more of them than JSON Schema can say: a name that is taken, control characters, bytes of a
# password. And like the original service we read as Pydantic does: `false` is an integer there. bad_input_test.py holds every field to what it refuses.
BEYOND_SCHEMAS = "positive_data_acceptance,negative_data_rejection"

# Calls that end the walker's own session or account: walked apart, each by somebody of its own, so that the others stay signed in.
ENDINGS = ["post_auth_logout", "delete_auth_users_me", "delete_auth_sessions__id_"]


class World:
    """People, rooms and messages for the walker to find."""

    def __init__(self, url):
        self.walker, self.friend = Person(url, "walker"), Person(url, "friend")
        self.rooms = [self.walker.create_room(f"Room {count}", self.friend) for count in range(12)]
        self.chat = self.rooms.pop()  # nobody leaves it and it stays: where the messages are
        self.messages = []
        for count in range(20):
            answer = self.walker.post(f"/chat/chat_rooms/{self.chat}/messages", json={"content": f"hello {count}"})
            assert answer.status_code == 201, answer.text
            self.messages.append(answer.json()["id"])
        upload = self.walker.post("/chat/upload_media/", files={"file": ("red.png", png(4, 4))}).json()
        self.uploads, self.files = [upload["id"]], [upload["name"]]
        self.invites = [self.walker.post(f"/chat/chat_rooms/{self.chat}/invites", json={}).json()["token"] for _ in range(3)]
        self.sessions = [session["id"] for session in self.walker.get("/auth/sessions").json()]


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def configuration(world, token, operations, document):
    """schemathesis.toml: a known id nine times out of ten, so that a call gets past `not found`."""
    words = {"room": world.rooms, "chat": [world.chat], "message": world.messages, "email": [world.walker.email, world.friend.email], "upload": world.uploads,
             "file": world.files, "emoji": ["👍", "❤️"], "invite": world.invites, "session": world.sessions}

    def word_for(path, name):
        if name == "message_id":
            return "message"
        if name == "id":
            ends = path in ("/chat/chat_rooms/{id}", "/chat/private_chats/{id}") or "/members" in path
            return "upload" if path.startswith("/media/") else "session" if path.startswith("/auth/") else "room" if ends else "chat"
        return {"email": "email", "emoji": "emoji", "token": "invite", "name": "file"}[name]

    lines = [f"headers = {toml({'Authorization': f'Bearer {token}'})}"]
    lines += [f"dictionaries.{name} = {toml({'values': values})}" for name, values in words.items()]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
            bound = {f"path.{name}": {"dictionary": word_for(path, name), "probability": 0.9} for name in named}
            wanted = operation["operationId"] in operations
            if bound or not wanted:
                lines += ["[[operations]]", f"include-operation-id = {toml(operation['operationId'])}"]
                lines.append(f"parameters = {toml(bound)}" if wanted else "enabled = false")
    return "\n".join(lines) + "\n"


def walk(folder, url, config, *arguments):
    file = folder / "schemathesis.toml"
    file.write_text(config, encoding="utf-8")
    program = REPOSITORY / "build" / ".venv" / "bin" / "schemathesis"
    run = subprocess.run([program, "--no-color", "--config-file", file, "run", f"{url}/openapi.json", "--checks", "all", "--exclude-checks", BEYOND_SCHEMAS,
                          "--seed", "1",
                          "--request-timeout", str(LIMIT), "--warnings", "off", "--suppress-health-check", "all", *arguments],
                         cwd=folder, capture_output=True, text=True, timeout=500 + SECONDS, check=False)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    return run.stdout


@pytest.fixture(scope="module")
def server():
    with running_payam() as running:
        yield running


def document_and_ids(url):
    document = Person(url, "reader").get("/openapi.json").json()
    return document, [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]


def test_every_call_answers_as_documented(server, tmp_path):
    document, ids = document_and_ids(server.url)
    world = World(server.url)
    config = configuration(world, world.walker.token, [each for each in ids if each not in ENDINGS], document)
    length = ["--max-time", str(SECONDS)] if SECONDS else ["--max-examples", "12"]
    walk(tmp_path, server.url, config, *length)
    assert server.process.poll() is None, "the server lives"


@pytest.mark.parametrize("ending", ENDINGS)
def test_calls_that_end_a_session_answer_as_documented(server, tmp_path, ending):
    document, ids = document_and_ids(server.url)
    assert ending in ids
    world = World(server.url)
    walk(tmp_path, server.url, configuration(world, world.walker.token, [ending], document), "--max-examples", "20")


def test_nothing_of_the_walk_was_a_fault_of_the_server(server):
    """Runs last: the log of all of it."""
    assert " error " not in server.log.read_text(encoding="utf-8")
