"""The log: one line an event with its id, and never what people write, who they are or what they know."""

import json
import re

import pytest
import requests

from support.client import LIMIT, Person
from support.servers import running_payam

FIELD = r'[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]+)'
LINE = re.compile(rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z (?:debug|info|warning|error) [a-z_]+(?: {FIELD})*$")


def fields_of(line, log_format):
    if log_format == "json":
        return json.loads(line)
    assert LINE.match(line), line
    head, *rest = re.findall(rf"{FIELD}|\S+", line)
    level, what, *fields = rest
    return {"time": head, "level": level, "what": what, **dict(field.split("=", 1) for field in fields)}


def converse(url):
    """Everything that holds a secret, once. Gives what must not be in the log."""
    sara, neda = Person(url, "sara"), Person(url, "neda")
    secrets = [person.email for person in (sara, neda)] + [person.password for person in (sara, neda)] + [sara.token, neda.token]
    secrets += [sara.username, neda.username]

    def secret(text):
        secrets.append(text)
        return text

    room = sara.create_room(secret("The surprise for Leo"), neda)
    with sara.connect() as saras, neda.connect(["polling"]) as nedas:
        sent = saras.ask("chat_message", {"room": room, "message": secret("the cake is hidden in the attic"), "client_id": secret("client-chosen-1")})
        assert sent["status"] == "ok"
        saras.emit("chat_message", {"room": room, "message": secret("without an acknowledgement")})
        assert nedas.wait_for("broadcast_message") and nedas.wait_for("broadcast_message")
        assert saras.ask("edit_message", {"id": sent["id"], "message": secret("the cake is in the cellar")})["status"] == "ok"
        assert saras.ask("react", {"id": sent["id"], "emoji": "🎂", "on": True})["status"] == "ok"
        secret("🎂")
        assert saras.ask("chat_message", {"room": secret("not-a-room-of-mine"), "message": "x"})["code"] == "not_found"
        assert saras.ask("chat_message", {"room": room, "message": [secret("of the wrong type")]})["code"] == "invalid"
        assert saras.ask("authenticate", {"token": secret("not.a.token")})["code"] == "unauthorized"
        saras.emit(secret("invented_event"), {"x": 1})
        assert sara.get(f"/chat/search?q={secret('attic')}").status_code == 200
        assert sara.get(f"/auth/users?q={neda.email}").status_code == 200
        assert sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": secret("over HTTP this time")}).status_code == 201
        upload = sara.post("/chat/upload_media/", files={"file": (secret("invitation-list.txt"), secret("inside the file").encode())}).json()
        assert sara.get(upload["file_url"]).status_code == 200
        assert sara.request("PATCH", f"/chat/chat_rooms/{room}/members/{neda.email}", json={"role": "admin"}).status_code == 200
        invite = sara.post(f"/chat/chat_rooms/{room}/invites", json={}).json()
        secret(invite["token"])
        assert sara.post("/chat/join", json={"token": secret("no-such-invite-token")}).status_code in (400, 404, 409, 422)
        login = requests.post(f"{url}/auth/login", data={"username": sara.email, "password": sara.password}, timeout=LIMIT).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": secret(login["refresh_token"])}
        fresh = requests.post(f"{url}/auth/token", data=refresh, timeout=LIMIT).json()
        secrets.extend([fresh["access_token"], fresh["refresh_token"], login["access_token"]])
        for _ in range(8):  # the first token is forgotten, and then a reuse
            following = {"grant_type": "refresh_token", "refresh_token": fresh["refresh_token"]}
            fresh = requests.post(f"{url}/auth/token", data=following, timeout=LIMIT).json()
            secrets.extend([fresh["access_token"], fresh["refresh_token"]])
        assert requests.post(f"{url}/auth/token", data=refresh, timeout=LIMIT).status_code == 401
        assert requests.post(f"{url}/auth/login", data={"username": sara.email, "password": secret("a wrong guess")}, timeout=LIMIT).status_code == 401
        requests.get(f"{url}/{secret('no-such-page')}?access_token={secret('query-secret')}", timeout=LIMIT)
        requests.get(f"{url}/socket.io/?EIO=4&transport=polling&token={secret('handshake-secret')}", timeout=LIMIT)
        requests.post(f"{url}/auth/signup", data=secret("{broken json"), headers={"Content-Type": "application/json"}, timeout=LIMIT)
    return sara, secrets


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_conversation_leaves_no_trace_of_its_content(log_format):
    with running_payam(LOG_LEVEL="debug", LOG_FORMAT=log_format) as server:
        sara, secrets = converse(server.url)
        assert server.stop() == 0
        text = server.log.read_text(encoding="utf-8")
    for secret in secrets:
        assert secret not in text, f"{secret!r} is in the log"
    assert "?" not in text, "a query string"
    lines = [fields_of(line, log_format) for line in text.splitlines()]
    of = lambda what: [line for line in lines if line["what"] == what]
    assert len(of("ready")) == 1 and lines[-1]["what"] == "stopped"

    requests_, events = of("request"), of("event")
    assert {"method", "route", "status", "bytes", "ms", "peer", "id"} <= set(requests_[0])
    assert {(line["route"], str(line["status"])) for line in requests_} >= {
        ("/auth/signup", "201"), ("/auth/login", "401"), ("/chat/search", "200"), ("/media/{id}/{name}", "200"), ("(none)", "404")}
    assert len({line["id"] for line in requests_}) == len(requests_), "each its own id"

    assert {(line["name"], line["result"]) for line in events} >= {
        ("chat_message", "ok"), ("chat_message", "not_found"), ("chat_message", "invalid"), ("edit_message", "ok"), ("react", "ok"), ("authenticate", "unauthorized")}
    assert len({line["id"] for line in events}) == len(events), "each its own id"
    sockets = {line["socket"]: line["user"] for line in of("socket_connected")}
    assert len(sockets) == 2 and all(sockets[line["socket"]] == line["user"] for line in events)
    assert all(line["id"].startswith(line["socket"]) for line in events)
    assert {line["socket"] for line in of("socket_disconnected")} == set(sockets)
    assert [line["reason"] for line in of("session_ended")] == ["token_reused"]
    assert len(of("signed_up")) == 2 and len(of("signed_in")) == 3
    assert [(line["role"], line["by"]) for line in of("role_changed")] == [("admin", of("signed_up")[0]["user"])]
    assert [str(line["count"]) for line in of("sign_in_failed")] == ["1"]


def test_messages_and_polls_are_no_lines_at_the_usual_level():
    with running_payam() as server:
        sara = Person(server.url, "sara")
        room = sara.create_room("Quiet")
        with sara.connect(["polling"]) as socket:
            socket.ask("chat_message", {"room": room, "message": "hello"})
        assert server.stop() == 0
        lines = [fields_of(line, "text") for line in server.log.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if line["what"] == "event" or line.get("route", "").startswith("/socket.io")]
    assert {"socket_connected", "socket_disconnected"} <= {line["what"] for line in lines}


def id_of(url, given):
    answer = requests.get(f"{url}/healthz", headers={"X-Request-ID": given}, timeout=LIMIT)
    return answer.headers["X-Request-ID"]


def test_a_proxy_that_is_not_trusted_is_told_of_once():
    with running_payam(PUBLIC_URL="https://chat.example.org") as server:
        for peer in ("203.0.113.7", "203.0.113.8"):
            answer = requests.get(f"{server.url}/healthz", headers={"X-Forwarded-For": peer, "X-Forwarded-Proto": "https"}, timeout=LIMIT)
            assert "Strict-Transport-Security" not in answer.headers, "who is not trusted does not say what is secure"
        assert server.stop() == 0
        told = [line for line in server.log.read_text(encoding="utf-8").splitlines() if "forwarded_not_trusted" in line]
        assert len(told) == 1 and " peer=127.0.0.1 " in told[0] and "TRUSTED_PROXIES" in told[0]
    with running_payam(PUBLIC_URL="https://chat.example.org", TRUSTED_PROXIES="127.0.0.1") as server:
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        answer = requests.get(f"{server.url}/healthz", headers=forwarded | {"X-Forwarded-Proto": "https"}, timeout=LIMIT)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        answer = requests.get(f"{server.url}/healthz", headers=forwarded | {"X-Forwarded-Proto": "http"}, timeout=LIMIT)
        assert "Strict-Transport-Security" not in answer.headers
        assert server.stop() == 0
        assert "forwarded_not_trusted" not in server.log.read_text(encoding="utf-8")


def test_a_request_id_is_taken_from_trusted_proxies_only():
    with running_payam() as server:
        made = [id_of(server.url, "from-a-stranger") for _ in range(2)]
        assert "from-a-stranger" not in made and made[0] != made[1]
    with running_payam(TRUSTED_PROXIES="127.0.0.1", LOG_LEVEL="debug") as server:
        assert id_of(server.url, "from-the-proxy.1") == "from-the-proxy.1"
        for bad in ["two words", "x" * 65, "line=1", '"']:
            assert id_of(server.url, bad) != bad
        assert server.stop() == 0
        assert " id=from-the-proxy.1\n" in server.log.read_text(encoding="utf-8")
