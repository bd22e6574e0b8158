"""The calls about what is there already, with requests and python-socketio."""

import urllib.parse

import pytest


@pytest.fixture
def conversation(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("Changes", leo)
    message = sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": "first"}).json()
    return sara, leo, room, message


def test_edit_react_pin_delete_over_http_and_as_events(conversation):
    sara, leo, room, message = conversation
    path = f"/chat/chat_rooms/{room}/messages/{message['id']}"
    with leo.connect() as socket:
        answers = [
            sara.request("PATCH", path, json={"content": "دوم"}),
            leo.request("PUT", f"{path}/reactions/{urllib.parse.quote('👩‍🚀')}"),
            sara.request("PUT", f"{path}/pin"),
        ]
        pins = leo.get(f"/chat/chat_rooms/{room}/pins").json()
        answers.append(sara.request("DELETE", path))
        for answer in answers:
            assert answer.status_code == 200, answer.text
            assert socket.wait_for("message_updated") == answer.json()
    assert pins == [answers[2].json()]
    assert [answer.json()["rev"] for answer in answers] == [3, 4, 5, 6]
    assert answers[1].json()["reactions"] == [{"emoji": "👩‍🚀", "users": [leo.email]}]
    assert (answers[3].json()["content"], answers[3].json()["deleted"], answers[3].json()["pinned"]) == ("", True, False)
    assert sara.request("PATCH", path, json={"content": "x"}).status_code == 409


def test_the_same_by_events(conversation):
    sara, leo, room, message = conversation
    with sara.connect() as saras, leo.connect() as leos:
        edited = saras.ask("edit_message", {"id": message["id"], "message": "second"})
        reacted = leos.ask("react", {"id": message["id"], "emoji": "🇮🇷", "on": True})
        deleted = saras.ask("delete_message", {"id": message["id"]})
        for answer in (edited, reacted, deleted):
            assert answer.pop("status") == "ok"
            assert leos.wait_for("message_updated") == answer
        assert leos.ask("mark_read", {"room": room, "seq": 1}) == {"status": "ok", "room": room, "seq": 1}
        assert saras.wait_for("read") == {"room": room, "email": leo.email, "seq": 1}
        saras.emit("typing", {"room": room, "typing": True})
        assert leos.wait_for("typing") == {"room": room, "email": sara.email, "typing": True}
        caught = leos.ask("join_room", {"room": room, "after_rev": 2})
        assert [(change["rev"], change["type"]) for change in caught["changes"]] == [(5, "message_updated")]


def test_roles_and_leaving(arrive):
    sara, leo, nima = arrive("sara"), arrive("leo"), arrive("nima")
    room = sara.create_room("Roles", leo)
    path = f"/chat/chat_rooms/{room}"
    assert leo.request("PATCH", path, json={"name": "Mine"}).status_code == 403
    assert nima.request("PATCH", path, json={"name": "Mine"}).status_code == 404
    assert sara.request("DELETE", f"{path}/members/{sara.email}").status_code == 409
    assert sara.request("PATCH", f"{path}/members/{leo.email}", json={"role": "owner"}).status_code == 200
    assert sara.request("DELETE", f"{path}/members/{sara.email}").status_code == 204
    assert leo.get(path).json()["roles"] == {leo.email: "owner"}
    assert leo.request("DELETE", path).status_code == 204
    assert leo.get(path).status_code == 404


def test_an_invite_is_a_post_away(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("Invited")
    invite = sara.post(f"/chat/chat_rooms/{room}/invites", json={"uses": 1})
    assert invite.status_code == 201
    assert set(invite.json()) == {"token", "room_id", "created_at", "expires_at", "uses_left"}
    assert leo.get("/chat/join", params={"token": invite.json()["token"]}).status_code == 405
    joined = leo.post("/chat/join", json={"token": invite.json()["token"]})
    assert (joined.status_code, joined.json()["id"]) == (200, room)
    assert arrive("late").post("/chat/join", json={"token": invite.json()["token"]}).status_code == 409
    assert sara.request("DELETE", f"/chat/chat_rooms/{room}/invites/{invite.json()['token']}").status_code == 204


@pytest.mark.parametrize("emoji", ["x", "1", "👍👍", "👍 ", "<b>", "\u202e", "🇮", "a" * 1000])
def test_a_reaction_is_one_emoji(conversation, emoji):
    sara, _, room, message = conversation
    answer = sara.request("PUT", f"/chat/chat_rooms/{room}/messages/{message['id']}/reactions/{urllib.parse.quote(emoji)}")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["path", "emoji"])


@pytest.mark.parametrize("name", ["a\u202eb", "a\u2066b", "\u200b", "a\nb", "a\u2028b", " a", "", "x" * 101])
def test_names_do_not_disturb_the_text_around_them(arrive, name):
    sara = arrive("sara")
    assert sara.post("/chat/chat_rooms/", json={"name": name}).status_code == 422
    room = sara.create_room("Good")
    assert sara.request("PATCH", f"/chat/chat_rooms/{room}", json={"name": name}).status_code == 422
    assert sara.get(f"/chat/chat_rooms/{room}").json()["name"] == "Good"


def test_lone_surrogates_and_nul_change_nothing(conversation):
    sara, _, room, message = conversation
    path = f"/chat/chat_rooms/{room}"
    headers = {"Content-Type": "application/json"}
    for method, where, field in [("PATCH", path, "name"), ("PATCH", path, "topic"), ("PATCH", f"{path}/messages/{message['id']}", "content"),
                                 ("POST", "/chat/join", "token")]:
        for text in (r"\ud800", r"a\udc00b", r"a\u0000b"):
            answer = sara.request(method, where, data=f'{{"{field}":"{text}"}}', headers=headers)
            assert answer.status_code == 422, (method, where, text)
    assert sara.get(path).json()["rev"] == 2
