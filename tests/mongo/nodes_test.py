"""Two servers on one database: accounts, tokens, keys and uploads are both's."""

import os
import subprocess
import tempfile
import time

import gridfs
import pymongo
import pytest
import requests

from support import servers
from support.client import LIMIT, Person

CONTENT = b"".join(b"%d " % number for number in range(200_000))  # more than five chunks


@pytest.fixture(scope="module")
def cluster():
    with tempfile.TemporaryDirectory(prefix="payam-test-") as folder:
        database = servers.MongoServer(f"{folder}/mongo.h2").start()
        nodes = [servers.payam_on_mongodb(database, f"{folder}/{name}.log", name="nodes") for name in ("one", "two")]
        try:
            yield database, [node.start() for node in nodes]
        finally:
            for node in nodes:
                node.stop()
            database.kill()


def command(database, *arguments, secret=servers.SECRET_KEY):
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": f"{database.url}/nodes", "SECRET_KEY": secret}
    return subprocess.run([servers.binary("payam"), *arguments], env=env, capture_output=True, text=True, timeout=60, cwd=tempfile.gettempdir())


def at(url, person, path, **headers):
    return requests.get(url + path, headers={"Authorization": f"Bearer {person.token}", **headers}, timeout=LIMIT)


def test_a_token_of_one_is_good_at_the_other_and_they_show_the_same_keys(cluster):
    _, (one, two) = cluster
    person = Person(one.url, "roaming")
    assert at(two.url, person, "/auth/users/me").json()["email"] == person.email
    keys = [requests.get(f"{node.url}/.well-known/jwks.json", timeout=LIMIT).json() for node in (one, two)]
    assert keys[0] == keys[1] and len(keys[0]["keys"]) == 1


def test_what_is_written_at_one_is_read_at_the_other(cluster):
    _, (one, two) = cluster
    sara = Person(one.url, "sara")
    room = sara.create_room("both")
    sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": "سلام"})
    assert [message["content"] for message in at(two.url, sara, f"/chat/chat_rooms/{room}/messages").json()] == ["سلام"]
    found = at(two.url, sara, "/chat/search?q=سلام").json()
    assert [message["content"] for message in found] == ["سلام"]


def test_an_upload_at_one_is_served_by_the_other_whole_and_in_parts(cluster):
    database, (one, two) = cluster
    sara = Person(one.url, "sara")
    answer = sara.post("/chat/upload_media/", files={"file": ("numbers.txt", CONTENT)})
    assert answer.status_code == 200, answer.text
    path = answer.json()["file_url"]
    whole = at(two.url, sara, path)
    assert whole.content == CONTENT and whole.headers["Content-Type"] == "text/plain"
    for first, last in [(0, 9), (261_119, 261_121), (522_239, 783_361), (len(CONTENT) - 5, len(CONTENT) - 1)]:
        part = at(two.url, sara, path, Range=f"bytes={first}-{last}")
        assert part.status_code == 206
        assert part.content == CONTENT[first : last + 1]
    assert at(two.url, sara, path, Range="bytes=-7").content == CONTENT[-7:]
    assert at(two.url, sara, path, Range=f"bytes={len(CONTENT)}-").status_code == 416


def test_other_tools_read_the_uploads(cluster):
    database, (one, _) = cluster
    sara = Person(one.url, "sara")
    upload = sara.post("/chat/upload_media/", files={"file": ("numbers.txt", CONTENT)}).json()
    with pymongo.MongoClient(database.url) as client:
        file = gridfs.GridFS(client["nodes"]).get(upload["id"])
        assert file.length == len(CONTENT) and file.chunk_size == 255 * 1024
        assert file.read() == CONTENT


def test_an_upload_that_breaks_off_leaves_nothing(cluster):
    database, (one, _) = cluster
    sara = Person(one.url, "sara")

    with pymongo.MongoClient(database.url) as client:
        def kept():
            return [client["nodes"][collection].count_documents({}) for collection in ("fs.files", "fs.chunks", "fs.incoming")]

        def wait_until(reached):
            deadline = time.monotonic() + LIMIT
            while not reached(kept()) and time.monotonic() < deadline:
                time.sleep(0.1)
            return reached(kept())

        def torn():
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 600_000
            assert wait_until(lambda now: now[1] > before[1] and now[2] == 1), "a part of it is there"
            raise ConnectionAbortedError

        before = kept()
        assert before[2] == 0
        with pytest.raises((requests.RequestException, ConnectionAbortedError)):
            requests.post(f"{one.url}/chat/upload_media/", data=torn(), timeout=LIMIT,
                          headers={"Authorization": f"Bearer {sara.token}", "Content-Type": "multipart/form-data; boundary=b"})
        assert wait_until(lambda now: now == before), f"{kept()} instead of {before}"


def test_a_wrong_secret_is_told_at_start_and_changes_nothing(cluster):
    database, (one, _) = cluster
    keys = requests.get(f"{one.url}/.well-known/jwks.json", timeout=LIMIT).json()
    stranger = command(database, "serve", "--port", "0", secret="another secret, of more than thirty-two bytes")
    assert stranger.returncode != 0
    assert "SECRET_KEY is not the one" in stranger.stderr
    assert requests.get(f"{one.url}/.well-known/jwks.json", timeout=LIMIT).json() == keys
    assert command(database, "rotate-key", secret="another secret, of more than thirty-two bytes").returncode != 0


def test_an_invite_and_a_rotation_come_from_the_command_line(cluster):
    database, (one, _) = cluster
    invite = command(database, "invite")
    assert invite.returncode == 0 and invite.stdout.count(".") == 2
    person = Person(one.url, "before")
    rotated = command(database, "rotate-key")
    assert rotated.returncode == 0, rotated.stderr
    new_key = rotated.stdout.strip()
    deadline = time.monotonic() + 70

    def known():
        return [key["kid"] for key in requests.get(f"{one.url}/.well-known/jwks.json", timeout=LIMIT).json()["keys"]]

    while new_key not in known() and time.monotonic() < deadline:
        time.sleep(1)
    assert known()[0] == new_key and len(known()) == 2, "within a minute, and the old one verifies still"
    assert person.get("/auth/users/me").status_code == 200


def test_the_original_services_database_is_refused(cluster):
    database, _ = cluster
    with pymongo.MongoClient(database.url) as client:
        client["original"]["chat_rooms"].insert_one({"name": "theirs"})
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": f"{database.url}/original", "SECRET_KEY": servers.SECRET_KEY}
    refused = subprocess.run([servers.binary("payam"), "serve", "--port", "0"], env=env, capture_output=True, text=True, timeout=60, cwd=tempfile.gettempdir())
    assert refused.returncode != 0
    assert "migrate --from-chat-service" in refused.stderr


def test_nothing_is_kept_in_a_data_directory(cluster):
    _, (one, _) = cluster
    assert list(one.log.parent.glob("*.data")) == []
