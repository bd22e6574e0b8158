"""The negative matrix: every call without a token, with a bad one, as a stranger, and with each field wrong."""

import pytest
import requests

from support.client import LIMIT, unique

# Method, path, a good body or query. {room} is a room of someone else's, {email} that person.
CALLS = [
    ("GET", "/auth/users/me", None),
    ("GET", "/chat/private_chats/", None),
    ("POST", "/chat/private_chats/", {"email": "{email}"}),
    ("GET", "/chat/chat_rooms/", None),
    ("POST", "/chat/chat_rooms/", {"name": "x"}),
    ("GET", "/chat/chat_rooms/{room}", None),
    ("POST", "/chat/chat_rooms/{room}/members", {"emails": ["{email}"]}),
    ("DELETE", "/chat/chat_rooms/{room}/members/{email}", None),
    ("GET", "/chat/chat_rooms/{room}/messages", None),
    ("POST", "/chat/chat_rooms/{room}/messages", {"content": "x"}),
    ("PATCH", "/chat/chat_rooms/{room}", {"name": "x"}),
    ("DELETE", "/chat/chat_rooms/{room}", None),
    ("PATCH", "/chat/chat_rooms/{room}/members/{email}", {"role": "admin"}),
    ("POST", "/chat/chat_rooms/{room}/read", {"seq": 1}),
    ("POST", "/chat/chat_rooms/{room}/invites", {}),
    ("DELETE", "/chat/chat_rooms/{room}/invites/none", None),
    ("GET", "/chat/chat_rooms/{room}/pins", None),
    ("PATCH", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV", {"content": "x"}),
    ("DELETE", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV", None),
    ("PUT", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV/pin", None),
    ("DELETE", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV/pin", None),
    ("PUT", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV/reactions/👍", None),
    ("DELETE", "/chat/chat_rooms/{room}/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV/reactions/👍", None),
    ("DELETE", "/chat/private_chats/{room}", None),
    ("POST", "/chat/join", {"token": "none"}),
    ("POST", "/chat/upload_media/", None),
    ("GET", "/media/01ARZ3NDEKTSV4RRFFQ69G5FAV/x.png", None),
]
IDS = [f"{method} {path}" for method, path, _ in CALLS]
OF_A_ROOM = [call for call in CALLS if "{room}" in call[1]]


@pytest.fixture(scope="module")
def somebody(url):
    from support.client import Person
    return Person(url, "somebody")


@pytest.fixture(scope="module")
def room(somebody):
    return somebody.create_room("Not yours")


def filled(value, room, email):
    if isinstance(value, str):
        return value.replace("{room}", room).replace("{email}", email)
    if isinstance(value, list):
        return [filled(item, room, email) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: filled(item, room, email) for key, item in value.items()}


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=IDS)
def test_without_a_token(url, somebody, room, method, path, body):
    answer = requests.request(method, url + filled(path, room, somebody.email), json=body, timeout=LIMIT)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer a.b.c", "Bearer " + "x" * 5000])
@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=IDS)
def test_with_a_bad_token(url, somebody, room, method, path, body, header):
    answer = requests.request(method, url + filled(path, room, somebody.email), json=body, headers={"Authorization": header}, timeout=LIMIT)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Could not validate credentials"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token x", ""])
def test_with_another_scheme(url, header):
    answer = requests.get(f"{url}/auth/users/me", headers={"Authorization": header}, timeout=LIMIT)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize(("method", "path", "body"), OF_A_ROOM, ids=[f"{method} {path}" for method, path, _ in OF_A_ROOM])
def test_as_a_stranger(arrive, somebody, room, method, path, body):
    answer = arrive("stranger").request(method, filled(path, room, somebody.email), json=body and filled(body, room, somebody.email))
    assert (answer.status_code, answer.json()) == (404, {"detail": "Chat room not found or access denied"})


GOOD = {  # call → a good body; each field is then left out or replaced by what stands beside it in WRONG
    ("POST", "/auth/signup"): {"username": "u", "email": "e@example.org", "password": "long enough"},
    ("POST", "/auth/login"): {"email": "e@example.org", "password": "long enough"},
    ("POST", "/chat/private_chats/"): {"email": "e@example.org"},
    ("POST", "/chat/chat_rooms/"): {"name": "x"},
    ("POST", "/chat/chat_rooms/{room}/members"): {"emails": ["e@example.org"]},
    ("POST", "/chat/chat_rooms/{room}/messages"): {"content": "x"},
    ("PATCH", "/chat/chat_rooms/{room}/members/{email}"): {"role": "admin"},
    ("POST", "/chat/chat_rooms/{room}/read"): {"seq": 1},
    ("PATCH", "/chat/chat_rooms/{room}/messages/none"): {"content": "x"},
    ("POST", "/chat/join"): {"token": "x"},
}
WRONG = [  # field, value, the fault's type
    ("username", 7, "string_type"), ("username", None, "string_type"), ("username", "", "string_too_short"), ("username", "x" * 300, "string_too_long"),
    ("email", 7, "string_type"), ("email", "no-at-sign", "value_error"), ("email", "", "value_error"), ("email", "a@b@c", "value_error"),
    ("password", 7, "string_type"), ("password", ["x"], "string_type"),
    ("name", 7, "string_type"), ("name", "", "string_too_short"), ("name", "x" * 2000, "string_too_long"), ("name", {}, "string_type"),
    ("emails", "e@example.org", "list_type"), ("emails", [7], "string_type"), ("emails", None, "list_type"),
    ("content", 7, "string_type"), ("content", None, "string_type"), ("content", ["x"], "string_type"), ("content", "x" * 20_001, "string_too_long"),
    ("members", "e@example.org", "list_type"), ("members", [None], "string_type"), ("members", {"a": 1}, "list_type"),
    ("client_id", 7, "string_type"), ("client_id", "x" * 65, "string_too_long"), ("reply_to", 7, "string_type"),
    ("attachments", "x", "list_type"), ("attachments", [7], "string_type"),
    ("role", 7, "enum"), ("role", "king", "enum"), ("role", None, "enum"),
    ("seq", "x", "int_parsing"), ("seq", -1, "greater_than_equal"), ("seq", None, "int_type"), ("seq", 2**64, "int_parsing_size"),
    ("token", 7, "string_type"), ("token", "", "string_too_short"), ("token", "x" * 65, "string_too_long"),
]
OPTIONAL = {"members": "/chat/chat_rooms/", "client_id": "/messages", "reply_to": "/messages", "attachments": "/messages"}
CASES = [(method, path, field, value, kind) for (method, path), body in GOOD.items() for field, value, kind in WRONG
         if field in body or (field in OPTIONAL and path.endswith(OPTIONAL[field]))]
CASES = [case for case in CASES if not (case[1] == "/auth/login" and case[4] == "value_error")]  # any text may be tried there


@pytest.mark.parametrize(("method", "path", "field", "value", "kind"), CASES, ids=[f"{c[1]} {c[2]}={str(c[3])[:12]!r}" for c in CASES])
def test_each_field_wrong(somebody, room, method, path, field, value, kind):
    answer = somebody.request(method, filled(path, room, somebody.email), json={**GOOD[method, path], field: value})
    assert answer.status_code == 422, answer.text
    faults = [(fault["type"], fault["loc"][:2]) for fault in answer.json()["detail"]]
    assert faults == [(kind, ["body", field])]
    for fault in answer.json()["detail"]:
        assert fault["msg"]
        assert "input" in fault


@pytest.mark.parametrize(("method", "path", "field"), [(m, p, field) for (m, p), body in GOOD.items() for field in body])
def test_each_field_missing(somebody, room, method, path, field):
    body = {key: value for key, value in GOOD[method, path].items() if key != field}
    answer = somebody.request(method, filled(path, room, somebody.email), json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"] == [{"type": "missing", "loc": ["body", field], "msg": "Field required", "input": body}]


def test_a_form_field_missing(url):
    answer = requests.post(f"{url}/auth/token", data={"grant_type": "password"}, timeout=LIMIT)
    assert answer.status_code == 422
    assert [(fault["type"], fault["loc"]) for fault in answer.json()["detail"]] == [("missing", ["body", "username"]), ("missing", ["body", "password"])]


def test_a_body_that_is_no_object(somebody):
    for body in ("[]", '"text"', "7", "null", ""):
        answer = somebody.post("/chat/chat_rooms/", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body
        assert answer.json()["detail"][0]["loc"][0] == "body"


def test_unknown_fields_are_ignored_as_fastapi_does(url):
    name = unique("extra")
    answer = requests.post(f"{url}/auth/signup", timeout=LIMIT,
                           json={"username": name, "email": f"{name}@example.org", "password": "long enough", "is_admin": True})
    assert answer.status_code == 201
    assert "is_admin" not in answer.json()
