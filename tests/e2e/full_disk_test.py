"""A disk that fills up: uploads stop first, then messages, both with 507; whatever makes room goes on, and all by itself when there is space."""

import concurrent.futures
import contextlib
import os
import re
import time

import requests

from support.client import LIMIT, Person
from support.servers import payam, running_payam, small_disk

MB = 1 << 20
LONG = "x" * 20_000  # one word, so that the index has little to do


@contextlib.contextmanager
def payam_on(disk, **options):
    server = payam(disk / "data", f"{disk}.log", **options).start()
    try:
        yield server
    finally:
        assert server.stop() == 0, server.tail()
        os.remove(server.log)


def free(disk):
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize


def fill(file, leave=0):
    """Takes all the disk has but `leave` bytes."""
    with file.open("wb", buffering=0) as out:
        try:
            while (take := min(MB, free(file.parent) - leave)) > 0:
                out.write(bytes(take))
            while leave == 0:
                out.write(bytes(4096))
        except OSError:
            return


@contextlib.contextmanager
def filled(disk, leave):
    """Before the server looks at the disk, which it does once a second."""
    ballast = disk / "ballast"
    fill(ballast, leave)
    yield ballast


def until_seen(server, most):
    """Until the server knows that no more is free: it looks once a second."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        seen = re.search(r"^payam_disk_free_bytes (\S+)$", requests.get(f"{server.url}/metrics", timeout=LIMIT).text, re.M)
        if float(seen[1]) <= most:
            return
        time.sleep(0.05)
    raise AssertionError("the server does not see that the disk has filled up")


def until(what, *wanted):
    """Asks again and again, at most LIMIT seconds, until the status is a wanted one."""
    deadline = time.monotonic() + LIMIT
    while True:
        answer = what()
        if answer.status_code in wanted or time.monotonic() > deadline:
            assert answer.status_code in wanted, answer.text
            return answer


def upload(person, size=MB, name="a.bin"):
    return person.post("/chat/upload_media/", files={"file": (name, b"x" * size)})


def send(person, room, text=LONG):
    return person.post(f"/chat/chat_rooms/{room}/messages", json={"content": text})


def erase(person):
    return person.request("DELETE", "/auth/users/me", json={"password": person.password})


def ready(server):
    return requests.get(f"{server.url}/readyz", timeout=LIMIT)


def sent_until_507(person, room):
    count = 0
    while True:
        answer = send(person, room)
        assert answer.status_code in (201, 507), answer.text
        if answer.status_code == 507:
            return count
        count += 1
        assert count < 2000, "the disk does not get full"


def test_uploads_stop_at_the_reserve_and_messages_at_a_quarter_of_it():
    with small_disk(96) as disk, filled(disk, leave=40 * MB) as ballast, payam_on(disk, MIN_FREE_BYTES="24M") as server:
        sara, omid, nima = (Person(server.url, name) for name in ("sara", "omid", "nima"))
        room = sara.create_room("A room", omid, nima)
        first = send(sara, room, "the first word").json()
        picture = upload(sara, 1000, "kept.txt").json()

        kept = 0
        while (answer := upload(sara)).status_code == 200:
            kept += 1
        assert answer.status_code == 507
        assert answer.json() == {"detail": "No space left on the server"}
        assert 8 <= kept <= 15
        assert free(disk) >= 22 * MB
        assert ready(server).status_code == 200
        assert send(sara, room, "there is room for messages").status_code == 201

        fill(disk / "more", leave=7 * MB)
        until_seen(server, 8 * MB)
        count = sent_until_507(sara, room)
        assert free(disk) >= 3 * MB, "the rest is for what makes room"
        with sara.connect() as socket:
            refused = socket.ask("chat_message", {"room": room, "message": "one more"})
            assert (refused["status"], refused["code"]) == ("error", "storage")
            assert socket.ask("join_room", {"room": room})["status"] == "ok"
        assert ready(server).status_code == 503
        assert requests.get(f"{server.url}/healthz", timeout=LIMIT).status_code == 200
        for answer in (
            upload(omid, 10),
            sara.post("/chat/chat_rooms/", json={"name": "Another"}),
            sara.request("PATCH", f"/chat/chat_rooms/{room}/messages/{first['id']}", json={"content": "changed"}),
            requests.post(f"{server.url}/auth/signup", json={"username": "late", "email": "late@example.org", "password": "password 1"}, timeout=LIMIT),
        ):
            assert answer.status_code == 507, (answer.request.path_url, answer.text)

        # Reading and searching.
        assert len(sara.get(f"/chat/chat_rooms/{room}/messages?limit=5").json()) == 5
        assert [hit["id"] for hit in sara.get("/chat/search?q=first").json()] == [first["id"]]
        assert len(sara.get(picture["file_url"]).content) == 1000
        # Signing in and out, deleting, leaving, erasing.
        login = requests.post(f"{server.url}/auth/login", data={"username": omid.email, "password": omid.password}, timeout=LIMIT)
        assert login.status_code == 200
        refresh = {"grant_type": "refresh_token", "refresh_token": login.json()["refresh_token"]}
        fresh = requests.post(f"{server.url}/auth/token", data=refresh, timeout=LIMIT)
        assert fresh.status_code == 200
        out = requests.post(f"{server.url}/auth/logout", headers={"Authorization": f"Bearer {fresh.json()['access_token']}"}, timeout=LIMIT)
        assert out.status_code == 204
        assert sara.request("DELETE", f"/chat/chat_rooms/{room}/messages/{first['id']}").status_code == 200
        assert omid.request("DELETE", f"/chat/chat_rooms/{room}/members/{omid.email}").status_code == 204
        assert erase(nima).status_code == 204

        # There is space again.
        (disk / "more").unlink()
        ballast.unlink()
        until(lambda: ready(server), 200)
        last = send(sara, room, "the last word").json()
        assert last["seq"] == count + 3
        until(lambda: upload(sara), 200)
        assert [hit["id"] for hit in sara.get("/chat/search?q=last").json()] == [last["id"]]


def test_a_disk_without_a_byte_left_is_507_everywhere_and_everything_goes_on_afterwards():
    with small_disk(64) as disk:
        with payam_on(disk, MIN_FREE_BYTES="0") as server:
            sara, omid = Person(server.url, "sara"), Person(server.url, "omid")
            room = sara.create_room("A room", omid)
            assert send(sara, room, "the first word").status_code == 201
            picture = upload(sara, 1000, "kept.txt").json()
            assert len(sara.get("/chat/search?q=first").json()) == 1  # so it is in the index, which takes in nothing from here on
            ballast = disk / "ballast"
            fill(ballast)
            count = sent_until_507(sara, room)
            assert ready(server).status_code == 503
            assert requests.get(f"{server.url}/healthz", timeout=LIMIT).status_code == 200
            assert upload(sara).status_code == 507
            with sara.connect() as socket:
                refused = socket.ask("chat_message", {"room": room, "message": LONG})
                assert (refused["status"], refused["code"]) == ("error", "storage")
            # Whether the log has a page left for it or not: never anything else.
            for answer in (
                sara.request("PATCH", f"/chat/chat_rooms/{room}", json={"name": "Other"}),
                omid.request("DELETE", f"/chat/chat_rooms/{room}/members/{omid.email}"),
                requests.post(f"{server.url}/auth/login", data={"username": omid.email, "password": omid.password}, timeout=LIMIT),
            ):
                assert answer.status_code in (200, 204, 507), (answer.request.path_url, answer.text)
            messages = sara.get(f"/chat/chat_rooms/{room}/messages?limit=500").json()
            assert [message["seq"] for message in messages] == list(range(1, count + 2))
            assert [hit["seq"] for hit in sara.get("/chat/search?q=first").json()] == [1]
            assert len(sara.get(picture["file_url"]).content) == 1000

            ballast.unlink()
            until(lambda: ready(server), 200)
            assert send(sara, room, "the last word").json()["seq"] == count + 2
            until(lambda: upload(sara), 200)
            until(lambda: erase(omid), 204)
        with payam_on(disk, MIN_FREE_BYTES="0") as server:
            sara.url = server.url
            messages = sara.get(f"/chat/chat_rooms/{room}/messages?limit=500").json()
            assert [message["seq"] for message in messages] == list(range(1, count + 3))
            assert [hit["seq"] for hit in sara.get("/chat/search?q=last").json()] == [count + 2]


def test_uploads_at_once_do_not_go_over_the_quota_together():
    with running_payam(USER_QUOTA_BYTES="10M") as server:
        sara, omid = Person(server.url, "sara"), Person(server.url, "omid")
        with concurrent.futures.ThreadPoolExecutor(60) as threads:
            answers = list(threads.map(lambda _: requests.post(f"{server.url}/chat/upload_media/", files={"file": ("a.bin", b"x" * MB)},
                                                               headers={"Authorization": f"Bearer {sara.token}"}, timeout=60), range(60)))
        assert {answer.status_code for answer in answers} <= {200, 413}
        kept = [answer for answer in answers if answer.status_code == 200]
        assert len(kept) <= 10
        assert {answer.json().get("reason") for answer in answers if answer.status_code == 413} == {"quota"}
        assert upload(omid).status_code == 200
        # What was broken off takes nothing away.
        while len(kept) < 10:
            kept.append(upload(sara))
            assert kept[-1].status_code == 200, kept[-1].text
        assert upload(sara, 1).status_code == 413


def test_files_are_their_owners_alone_also_in_a_directory_that_others_may_enter():
    with small_disk(64) as disk:
        data = disk / "data"
        data.mkdir()
        data.chmod(0o755)
        before = os.umask(0)
        try:
            with payam_on(disk) as server:
                sara = Person(server.url, "sara")
                room = sara.create_room("A room")
                assert send(sara, room, "text").status_code == 201
                assert upload(sara, 10).status_code == 200
                assert sara.get("/chat/search?q=text").status_code == 200
                modes = {str(path.relative_to(data)): path.stat().st_mode & 0o777 for path in data.rglob("*")}
        finally:
            os.umask(before)
        files = {name: mode for name, mode in modes.items() if (data / name).is_file() or "db" in name}
        assert {"payam.db", "payam.db-wal", "payam.db-shm", "payam.db-search", "payam.lock"} <= files.keys()
        assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
