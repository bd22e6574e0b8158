"""`payam migrate`: from the original service's database, and between our two stores."""

import datetime
import os
import pathlib
import subprocess
import tempfile
import time

import bson
import passlib.hash
import pymongo
import pytest
import requests

from support import servers
from support.client import LIMIT, Person

PASSWORD = "گذرواژهٔ قدیمی 7"


@pytest.fixture(scope="module")
def database():
    with tempfile.TemporaryDirectory(prefix="payam-test-") as folder:
        server = servers.MongoServer(f"{folder}/mongo.h2").start()
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="payam-test-") as path:
        yield pathlib.Path(path)


def migrate(*arguments):
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": servers.SECRET_KEY}
    return subprocess.run([servers.binary("payam"), "migrate", *arguments], env=env, capture_output=True, text=True, timeout=120,
                          cwd=tempfile.gettempdir())


def log_in(url, name, password=PASSWORD):
    answer = requests.post(f"{url}/auth/login", data={"username": name, "password": password}, timeout=LIMIT)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def get(url, path, headers):
    answer = requests.get(url + path, headers=headers, timeout=LIMIT)
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- From the original service -------------------------------------------------------------------------------------------


def write_as_the_original_service(database, name):
    """As FastAPI with Motor and passlib left it: dates and ISO texts, ObjectIds, members by e-mail, embedded messages."""
    made = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    people = ["sara", "omid", "nima"]
    room = bson.ObjectId.from_datetime(made)
    with pymongo.MongoClient(database.url) as client:
        old = client[name]
        old["users"].insert_many([{"username": person, "email": f"{person.title()}@example.org", "full_name": f"{person} of old",
                                   "hashed_password": passlib.hash.bcrypt.using(rounds=4).hash(PASSWORD)} for person in people])
        old["users"].insert_one({"username": "broken"})
        old["users"].insert_one({"username": "off", "email": "off@example.org", "disabled": True,
                                 "hashed_password": passlib.hash.bcrypt.using(rounds=4).hash(PASSWORD)})
        messages = [{"sender": f"{people[number % 2]}@example.org", "content": f"پیام {number} 🙂", "timestamp": made + datetime.timedelta(minutes=number)}
                    for number in range(1, 301)]
        messages += [{"sender": "nima@example.org", "content": "as a text", "timestamp": "2024-05-07T10:00:00.250000"},
                     {"sender": "gone@example.org", "content": "by somebody of before", "timestamp": "2024-05-07T10:00:01"}]
        old["chat_rooms"].insert_one({"_id": room, "name": "دوستان", "members": [f"{person}@example.org" for person in people], "messages": messages})
        old["chat_rooms"].insert_one({"name": "nobody's", "members": ["stranger@example.org"], "messages": []})
        old["private_chats"].insert_one({"participants": ["sara@example.org", "omid@example.org"],
                                         "messages": [{"sender": "omid@example.org", "content": "psst", "timestamp": made}]})


def check_served(url):
    headers = log_in(url, "sara@example.org")
    assert get(url, "/auth/users/me", headers)["full_name"] == "sara of old"
    rooms = get(url, "/chat/chat_rooms/", headers)
    assert [room["name"] for room in rooms] == ["دوستان"]
    assert rooms[0]["unread_count"] == 0
    messages = get(url, f"/chat/chat_rooms/{rooms[0]['id']}/messages?limit=500", headers)
    assert [message["seq"] for message in messages] == list(range(1, 303))
    assert [message["content"] for message in messages[:300]] == [f"پیام {number} 🙂" for number in range(1, 301)]
    assert messages[0]["timestamp"] == "2024-05-06T07:09:09.000Z"
    assert messages[300]["timestamp"] == "2024-05-07T10:00:00.250Z"
    assert (messages[300]["sender"], messages[301]["sender"]) == ("nima@example.org", None)
    assert get(url, "/chat/search?q=somebody", headers)[0]["content"] == "by somebody of before"
    assert get(url, "/chat/private_chats/", headers)[0]["last_message"]["content"] == "psst"
    sent = requests.post(f"{url}/chat/chat_rooms/{rooms[0]['id']}/messages", json={"content": "it goes on"}, headers=headers, timeout=LIMIT)
    assert sent.status_code == 201 and sent.json()["seq"] == 303
    off = requests.post(f"{url}/auth/login", data={"username": "off@example.org", "password": PASSWORD}, timeout=LIMIT)
    assert off.status_code == 401


def test_the_original_services_data_comes_into_sqlite(database, folder):
    write_as_the_original_service(database, "old_one")
    arguments = ["--from-chat-service", f"{database.url}/old_one", "--to", f"sqlite://{folder}/data"]
    first = migrate(*arguments)
    assert first.returncode == 0, first.stderr
    assert [line.split() for line in first.stdout.splitlines()[1:5]] == [
        ["users", "5", "found", "4", "taken", "0", "there", "already"],
        ["rooms", "2", "found", "1", "taken", "0", "there", "already"],
        ["private", "chats", "1", "found", "1", "taken", "0", "there", "already"],
        ["messages", "303", "found", "303", "taken", "0", "there", "already"],
    ]
    assert "no e-mail address" in first.stdout and "nobody is in it" in first.stdout and "disabled" in first.stdout
    assert "its sender gone@example.org is no user" in first.stdout
    again = migrate(*arguments)
    assert again.returncode == 0, again.stderr
    assert [line.split()[-5] for line in again.stdout.splitlines()[1:5]] == ["0", "0", "0", "0"], "a second run adds nothing"
    server = servers.payam(folder / "data").start()
    try:
        check_served(server.url)
    finally:
        server.stop()
    assert migrate(*arguments).returncode == 0, "and a later one does not mind that it has gone on"


def test_the_original_services_data_comes_into_mongodb(database, folder):
    write_as_the_original_service(database, "old_two")
    arguments = ["--from-chat-service", f"{database.url}/old_two", "--to", f"{database.url}/new_two"]
    assert migrate(*arguments).returncode == 0
    assert [line.split()[-5] for line in migrate(*arguments).stdout.splitlines()[1:5]] == ["0", "0", "0", "0"]
    server = servers.payam_on_mongodb(database, folder / "log", name="new_two").start()
    try:
        check_served(server.url)
    finally:
        server.stop()


def test_a_takeover_that_is_killed_goes_on(database, folder):
    write_as_the_original_service(database, "old_three")
    command = [servers.binary("payam"), "migrate", "--from-chat-service", f"{database.url}/old_three", "--to", f"{database.url}/new_three"]
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": servers.SECRET_KEY}
    for delay in (0.05, 0.1, 0.2, 0.3, 0.5):
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir())
        time.sleep(delay)
        process.kill()
        process.wait()
    last = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, cwd=tempfile.gettempdir())
    assert last.returncode == 0, last.stderr
    server = servers.payam_on_mongodb(database, folder / "log", name="new_three").start()
    try:
        check_served(server.url)
    finally:
        server.stop()


def test_its_own_database_is_no_target(database):
    write_as_the_original_service(database, "old_four")
    refused = migrate("--from-chat-service", f"{database.url}/old_four", "--to", f"{database.url}/old_four")
    assert refused.returncode != 0 and "another database" in refused.stderr


# --- Between our stores --------------------------------------------------------------------------------------------------


def fill(url):
    """Something of everything; what a client can see of it, and who looks."""
    sara, omid, nima, gone = (Person(url, name) for name in ("sara", "omid", "nima", "gone"))
    room = sara.create_room("رفقا", omid, nima, gone)
    sent = []
    for number in range(40):
        answer = sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": f"{number} @{omid.username} 👋", "client_id": str(number)})
        sent.append(answer.json()["id"])
    upload = omid.post("/chat/upload_media/", files={"file": ("big.txt", b"0123456789" * 70_000)}).json()
    omid.post(f"/chat/chat_rooms/{room}/messages", json={"content": "look", "attachments": [upload["id"]], "reply_to": sent[3]})
    sara.post("/chat/upload_media/", files={"file": ("unsent.txt", b"nobody's")})
    gone.post(f"/chat/chat_rooms/{room}/messages", json={"content": "I shall leave"})
    messages = f"/chat/chat_rooms/{room}/messages"
    assert omid.request("PUT", f"{messages}/{sent[0]}/reactions/👍").ok
    assert nima.request("PUT", f"{messages}/{sent[0]}/reactions/👍").ok
    assert nima.request("PUT", f"{messages}/{sent[0]}/reactions/🎉").ok
    assert sara.request("PATCH", f"{messages}/{sent[1]}", json={"content": "edited"}).ok
    assert sara.request("DELETE", f"{messages}/{sent[2]}").ok
    assert sara.request("PUT", f"{messages}/{sent[4]}/pin").ok
    assert sara.request("PATCH", f"/chat/chat_rooms/{room}/members/{omid.email}", json={"role": "admin"}).ok
    assert sara.request("PATCH", f"/chat/chat_rooms/{room}", json={"topic": "anything"}).ok
    assert sara.post(f"/chat/chat_rooms/{room}/invites", json={"uses": 3}).ok
    assert sara.request("DELETE", f"/chat/chat_rooms/{room}/members/{nima.email}").ok
    assert sara.request("PUT", f"/auth/users/me/blocks/{nima.email}").ok
    assert omid.post(f"/chat/chat_rooms/{room}/read", json={"seq": 17}).ok
    chat = sara.post("/chat/private_chats/", json={"email": omid.email}).json()["id"]
    omid.post(f"/chat/chat_rooms/{chat}/messages", json={"content": "سلام"})
    other = nima.create_room("to be deleted", omid)
    nima.request("DELETE", f"/chat/chat_rooms/{other}")
    assert gone.request("DELETE", "/auth/users/me", json={"password": gone.password}).ok
    return sara, omid, room, upload


def seen(url, sara, omid, room, upload):
    """By the tokens of before: keys and sessions moved too."""
    shown = {}
    for person in (sara, omid):
        headers = {"Authorization": f"Bearer {person.token}"}
        for path in ("/auth/users/me", "/chat/chat_rooms/", "/chat/private_chats/", f"/chat/chat_rooms/{room}", f"/chat/chat_rooms/{room}/messages?limit=500",
                     f"/chat/chat_rooms/{room}/pins", "/chat/search?q=look", "/chat/search?q=edited"):
            shown[person.username, path] = get(url, path, headers)
        answer = requests.get(url + upload["file_url"], headers=headers, timeout=LIMIT)
        shown[person.username, "media"] = (answer.status_code, answer.headers.get("Content-Type"), answer.content)
    return shown


def without_presence(shown):
    """Who is online, and since when not, is no data of the store's."""
    for rows in shown.values():
        for row in rows if isinstance(rows, list) else []:
            row.pop("is_online", None)
            row.pop("last_seen", None)
    return shown


def test_everything_goes_to_mongodb_and_back_and_is_the_same(database, folder):
    server = servers.payam(folder / "data").start()
    try:
        what = fill(server.url)
        before = without_presence(seen(server.url, *what))
    finally:
        server.stop()
    assert before[what[0].username, "media"][0] == 200

    there = migrate("--from", f"sqlite://{folder}/data", "--to", f"{database.url}/moved")
    assert there.returncode == 0, there.stderr + there.stdout
    assert there.stdout.splitlines()[-1] == "done"
    for kind in ("users", "blocks", "sessions", "uploads", "rooms", "members", "removals", "invites", "log entries", "messages"):
        assert any(line.startswith(kind) and "the same on both sides" in line for line in there.stdout.splitlines()), there.stdout
    again = migrate("--from", f"sqlite://{folder}/data", "--to", f"{database.url}/moved")
    assert again.returncode == 0, again.stderr
    assert [line for line in again.stdout.splitlines() if not line.startswith("keys")] == \
        [line for line in there.stdout.splitlines() if not line.startswith("keys")], "who was killed at the very end is told so"
    server = servers.payam_on_mongodb(database, folder / "log", name="moved").start()
    try:
        assert without_presence(seen(server.url, *what)) == before
    finally:
        server.stop()

    back = migrate("--from", f"{database.url}/moved", "--to", f"sqlite://{folder}/back")
    assert back.returncode == 0, back.stderr + back.stdout
    server = servers.payam(folder / "back").start()
    try:
        assert without_presence(seen(server.url, *what)) == before
        sara = what[0]
        sent = requests.post(f"{server.url}/chat/chat_rooms/{what[2]}/messages", json={"content": "on and on"}, timeout=LIMIT,
                             headers={"Authorization": f"Bearer {sara.token}"})
        assert sent.status_code == 201
        assert sent.json()["seq"] == len(before[sara.username, f"/chat/chat_rooms/{what[2]}/messages?limit=500"]) + 1
    finally:
        server.stop()


def test_a_copy_that_is_killed_goes_on_and_is_not_served_before(database, folder):
    server = servers.payam(folder / "data").start()
    try:
        what = fill(server.url)
        before = without_presence(seen(server.url, *what))
    finally:
        server.stop()
    command = [servers.binary("payam"), "migrate", "--from", f"sqlite://{folder}/data", "--to", f"{database.url}/killed"]
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": servers.SECRET_KEY}
    refused = 0
    for delay in (0.015 * count for count in range(1, 200)):  # seconds; until it has the time to end
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tempfile.gettempdir(), text=True)
        try:
            _, complaint = process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        else:
            assert process.returncode == 0, complaint
            break
        with pymongo.MongoClient(database.url) as client:
            unfinished = client["killed"]["migration"].count_documents({}) > 0
        if unfinished and refused == 0:
            early = subprocess.run([servers.binary("payam"), "serve", "--port", "0"], env={**env, "DATABASE_URL": f"{database.url}/killed"},
                                   capture_output=True, text=True, timeout=60, cwd=tempfile.gettempdir())
            assert early.returncode != 0 and "not finished" in early.stderr
            refused += 1
    else:
        raise AssertionError("it never ended")
    assert refused, "it was never killed in the middle"
    server = servers.payam_on_mongodb(database, folder / "log", name="killed").start()
    try:
        assert without_presence(seen(server.url, *what)) == before
    finally:
        server.stop()


def test_a_target_that_holds_something_else_is_refused(database, folder):
    for name in ("one", "two"):
        server = servers.payam(folder / name).start()
        try:
            Person(server.url, name)
        finally:
            server.stop()
    refused = migrate("--from", f"sqlite://{folder}/one", "--to", f"sqlite://{folder}/two")
    assert refused.returncode != 0 and "it is not empty" in refused.stderr
    nothing = migrate("--from", f"sqlite://{folder}/nowhere", "--to", f"{database.url}/nothing")
    assert nothing.returncode != 0 and "there is no data in it" in nothing.stderr


def test_a_data_directory_that_is_served_is_left_alone(database, folder):
    server = servers.payam(folder / "data").start()
    try:
        refused = migrate("--from", f"sqlite://{folder}/data", "--to", f"{database.url}/never")
        assert refused.returncode != 0 and "in use by another server" in refused.stderr
    finally:
        server.stop()
