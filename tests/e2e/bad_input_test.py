"""Every field of every request with everything wrong that its description allows to think of. What is refused is refused by name, changes
nothing and never is the server's fault. The calls and fields come from /openapi.json: what is new is tried by itself."""

import pytest
import requests

from support.client import LIMIT, Person, RawSocket, unique
from support.faults import DEEP, LONE_SURROGATE, Schemas, dumps

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BIG = 1 << 20  # a body that large may be refused as such


@pytest.fixture(scope="module")
def api(url):
    return requests.get(f"{url}/openapi.json", timeout=LIMIT).json()


class World:
    """A person with a room and a message of their own."""

    def __init__(self, url):
        self.person = Person(url, "tester")
        self.room = self.person.create_room("As it was")
        self.message = self.person.post(f"/chat/chat_rooms/{self.room}/messages", json={"content": "as it was"}).json()["id"]

    def path(self, pattern):
        names = {"{id}": self.room, "{message_id}": self.message, "{emoji}": "👍", "{email}": self.person.email, "{token}": "none", "{name}": "x.png"}
        for name, value in names.items():
            pattern = pattern.replace(name, value)
        assert "{" not in pattern, f"no value for a parameter of {pattern}"
        return pattern

    def snapshot(self):
        paths = [f"/chat/chat_rooms/{self.room}", "/chat/chat_rooms/", "/chat/private_chats/", "/auth/users/me", "/auth/users/me/blocks"]
        answers = [self.person.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(paths)
        sessions = {session["id"] for session in self.person.get("/auth/sessions").json()}
        return [answer.json() for answer in answers] + [sessions]


@pytest.fixture(scope="module")
def world(url):
    return World(url)


def operations(api):
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def bodies(schemas, schema, known=()):
    """(Field, what is wrong with it, JSON text, whether it must be refused) of a body or an event's argument. `known`: values of fields whose
    schema does not say all."""
    good = schemas.good(schema)
    good.update((name, value) for name, value in dict(known).items() if name in good)
    for field, field_schema in schemas.resolve(schema)["properties"].items():
        for what, value, refused in schemas.bad(field_schema):
            yield field, what, dumps({**good, field: value}), refused
        if field in good:
            yield field, "missing", dumps({name: item for name, item in good.items() if name != field}), True


def blames(faults, field, text):
    """Whether a 422 names this field and no other, or says that the text is no JSON at all."""
    no_json = LONE_SURROGATE in text or DEEP in text or "1e999" in text or "9" * 100 in text
    return all(field in fault["loc"] or no_json and fault["type"] == "json_invalid" for fault in faults)


def test_every_field_of_every_body(api, world):
    schemas, tried, faults = Schemas(api), 0, []
    before = world.snapshot()
    accepted = []
    for method, path, operation in operations(api):
        schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
        if schema is None:
            continue
        for field, what, text, refused in bodies(schemas, schema):
            if not refused:
                accepted.append((method, path, operation, text))  # or perhaps not; never the server's fault
                continue
            answer = world.person.request(method, world.path(path), data=text.encode(), headers={"Content-Type": JSON})
            tried += 1
            good = (answer.status_code == 422 and blames(answer.json()["detail"], field, text)) or (answer.status_code == 413 and len(text) > BIG)
            if not good:
                faults.append(f"{method} {path} {field}: {what}: {answer.status_code} {answer.text[:200]}")
    assert not faults, f"{len(faults)} of {tried}:\n" + "\n".join(faults)
    assert world.snapshot() == before
    for method, path, operation, text in accepted:
        answer = world.person.request(method, world.path(path), data=text.encode(), headers={"Content-Type": JSON})
        assert answer.status_code < 500 and str(answer.status_code) in operation["responses"], f"{method} {path} {text[:100]}: {answer.status_code}"
    print(f"{tried} bodies with one fault each, {len(accepted)} odd ones")
    assert tried > 250


def test_every_field_of_every_form(api, url):
    schemas, tried = Schemas(api), 0
    for method, path, operation in operations(api):
        schema = operation.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema")
        if schema is None:
            continue
        for field, field_schema in schemas.resolve(schema)["properties"].items():
            limit = max(form.get("maxLength", 0) for form in schemas.forms(field_schema))
            for what, value in [("too long", b"x" * (limit + 1)), ("NUL", b"a%00b"), ("bytes that are no UTF-8", b"%ff%fe"), ("half a surrogate pair", b"%ed%a0%80"),
                                ("empty", b""), ("twice", f"x&{field}=y".encode()), ("a torn escape", b"%4")]:
                good = {"username": "nobody@example.org", "password": "x", "refresh_token": "x"}
                pairs = [name.encode() + b"=" + (value if name == field else item.encode()) for name, item in {**good, field: ""}.items()]
                answer = requests.request(method, url + path, data=b"&".join(pairs), headers={"Content-Type": FORM}, timeout=LIMIT)
                tried += 1
                assert answer.status_code in (401, 422), f"{path} {field}: {what}: {answer.status_code} {answer.text}"
                if field == "refresh_token":  # whatever is none of ours is not a good one
                    assert answer.status_code == 401, f"{path} {field}: {what}: {answer.text}"
                elif what in ("too long", "NUL", "bytes that are no UTF-8", "half a surrogate pair"):
                    assert answer.status_code == 422, f"{path} {field}: {what}: {answer.text}"
                    assert [fault["loc"] for fault in answer.json()["detail"]] == [["body", field]]
    assert tried >= 30


def test_every_parameter_of_every_query_and_path(api, world):
    schemas, tried = Schemas(api), 0
    texts = ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 5000, "%E2%80%AE", "..", "%2e%2e%2f", "%", "-1", "99999999999999999999", "1e5", "null", "%F0%9F%98%80"]
    before = world.snapshot()
    for method, path, operation in operations(api):
        if not operation.get("security"):
            continue
        for parameter in operation.get("parameters", []):
            for text in texts:
                if parameter["in"] == "query":
                    required = [f"{other['name']}=x" for other in operation["parameters"] if other.get("required") and other["in"] == "query" and other is not parameter]
                    target = world.path(path) + "?" + "&".join([*required, f"{parameter['name']}={text}"])
                else:
                    target = world.path(path.replace("{" + parameter["name"] + "}", text))
                if text == "%F0%9F%98%80" and parameter["name"] == "emoji":
                    continue  # a good one
                # Without requests' own tidying of the path.
                request = world.person.http.prepare_request(requests.Request(method, world.person.url, json={} if "requestBody" in operation else None))
                request.url = world.person.url + target
                answer = world.person.http.send(request, timeout=LIMIT)
                tried += 1
                assert answer.status_code < 500, f"{method} {target[:200]}: {answer.status_code} {answer.text}"
                if parameter["in"] == "query" and schemas.kinds(parameter["schema"]) & {"integer"} and text in ("a%00b", "%ff", "-1", "1e5", "99999999999999999999"):
                    assert answer.status_code == 422, f"{method} {target}: {answer.status_code}"
                    assert [fault["loc"] for fault in answer.json()["detail"]] == [["query", parameter["name"]]]
    assert world.snapshot() == before
    assert tried > 400


def test_every_field_of_every_event(world, url):
    document = requests.get(f"{url}/asyncapi.json", timeout=LIMIT).json()
    schemas, tried, faults = Schemas(document), 0, []
    before = world.snapshot()
    socket = RawSocket(world.person)
    for key, message in document["components"]["messages"].items():
        if not key.startswith("client.") or key.endswith(".ack"):
            continue
        event, schema = message["name"], message["payload"]
        cases = [("", argument, argument, True) for argument in ("7", '"x"', "[]", "true", str(DEEP))]
        for field, what, text, refused in [*cases, *bodies(schemas, schema, {"emoji": "👍"})]:
            if len(text) > 900_000:
                continue  # over maxPayload: a fault of the packet, not of the field
            answer = socket.ask(event, text)
            tried += 1
            detail = answer.get("detail", [])
            if not refused:
                good = answer["status"] == "ok" or answer["code"] in ("invalid", "not_found", "unauthorized")
            else:
                good = (answer["status"], answer.get("code")) == ("error", "invalid") and (not field or isinstance(detail, str) or blames(detail, field, text))
            if not good:
                faults.append(f"{event} {field}: {what[:20]}: {answer}")
    assert not faults, f"{len(faults)} of {tried}:\n" + "\n".join(faults)
    assert socket.ask("get_online_users", "{}")["status"] == "ok", "the connection lives on"
    socket.close()
    assert world.snapshot() == before
    print(f"{tried} events with one fault each, on one connection")
    assert tried > 150


def test_names_may_not_turn_the_text_around_them(world, url):
    for name in ("abc\u202edef", "\u2066abc", "abc\u200e\u202c", "a\u2028b", "\u200b", "a\nb"):
        for method, path, body in [("POST", "/chat/chat_rooms/", {"name": name}), ("PATCH", f"/chat/chat_rooms/{world.room}", {"name": name}),
                                   ("PATCH", "/auth/users/me", {"username": name}), ("PATCH", "/auth/users/me", {"full_name": name}),
                                   ("POST", "/auth/signup", {"username": name, "email": f"{unique('x')}@example.org", "password": "long enough"})]:
            answer = world.person.request(method, path, json=body)
            assert answer.status_code == 422, f"{method} {path} {name!r}: {answer.status_code}"


def test_a_message_keeps_what_was_written(world):
    text = "abc\u202edef\u200f\u2067\u0301\n\t😀‌ ﷺ"
    sent = world.person.post(f"/chat/chat_rooms/{world.room}/messages", json={"content": text}).json()
    assert sent["content"] == text
    assert world.person.get(f"/chat/chat_rooms/{world.room}/messages?limit=1").json()[0]["content"] == text


def test_unknown_fields_are_ignored_as_fastapi_does(url):
    name = unique("extra")
    body = {"username": name, "email": f"{name}@example.org", "password": "long enough", "is_admin": True, "id": "mine", "deep": [[[[]]]]}
    answer = requests.post(f"{url}/auth/signup", timeout=LIMIT, json=body)
    assert answer.status_code == 201
    assert answer.json().keys() == {"id", "username", "email", "full_name"}
    assert answer.json()["id"] != "mine"


def test_a_body_that_is_no_object(world):
    for body in ("[]", '"text"', "7", "null", "", str(DEEP)):
        answer = world.person.post("/chat/chat_rooms/", data=body, headers={"Content-Type": JSON})
        assert answer.status_code == 422, body
        assert answer.json()["detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token x", ""])
def test_another_scheme_is_no_token(url, header):
    answer = requests.get(f"{url}/auth/users/me", headers={"Authorization": header}, timeout=LIMIT)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize(("header", "detail"), [(None, "Not authenticated"), ("Bearer nonsense", "Could not validate credentials"), ("Bearer a.b.c", "Could not validate credentials"),
                                                ("Bearer " + "x" * 5000, "Could not validate credentials")])
def test_every_call_asks_for_a_good_token_before_all_else(api, world, url, header, detail):
    """The answers to everyone else: src/chat/api/authorisation_test.cpp."""
    calls = 0
    for method, path, operation in operations(api):
        if operation.get("security"):
            calls += 1
            answer = requests.request(method, url + world.path(path), data=b"{", headers={"Authorization": header} if header else {}, timeout=LIMIT)
            assert (answer.status_code, answer.json()) == (401, {"detail": detail}), f"{method} {path}"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert calls > 30
