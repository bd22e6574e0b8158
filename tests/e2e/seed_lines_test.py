"""One test for each line of the original design's contract over HTTP; its real-time lines are in chat_test.py and chat.test.mjs."""

import re

import requests

from support.client import LIMIT, png, unique

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
MESSAGE_FIELDS = {"id", "room_id", "seq", "rev", "sender", "content", "timestamp", "client_id", "reply_to", "attachments", "mentions",
                  "edited_at", "deleted", "pinned", "reactions"}


def detail_of(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"}
    return answer.json()["detail"]


# — auth —

def test_signup_gives_the_user(url):
    name = unique("new")
    answer = requests.post(f"{url}/auth/signup", timeout=LIMIT,
                           json={"username": name, "email": f"{name.upper()}@Example.ORG", "password": "long enough", "full_name": "نام کامل"})
    assert answer.status_code == 201
    user = answer.json()
    assert set(user) == {"id", "username", "email", "full_name"}
    assert (user["username"], user["email"], user["full_name"]) == (name, f"{name}@example.org", "نام کامل")


def test_signup_without_a_full_name_has_null(url):
    name = unique("new")
    answer = requests.post(f"{url}/auth/signup", json={"username": name, "email": f"{name}@example.org", "password": "long enough"}, timeout=LIMIT)
    assert answer.json()["full_name"] is None


def test_signup_twice_is_refused(url, arrive):
    person = arrive()
    same_email = {"username": unique("other"), "email": person.email.upper(), "password": "long enough"}
    assert detail_of(requests.post(f"{url}/auth/signup", json=same_email, timeout=LIMIT), 400) == "Email already registered"
    same_name = {"username": person.username.upper(), "email": f"{unique('other')}@example.org", "password": "long enough"}
    assert detail_of(requests.post(f"{url}/auth/signup", json=same_name, timeout=LIMIT), 400) == "Username already registered"


def test_passwords_are_8_characters_to_72_bytes(url):
    def sign_up(password):
        name = unique("pass")
        return requests.post(f"{url}/auth/signup", json={"username": name, "email": f"{name}@example.org", "password": password}, timeout=LIMIT)
    assert sign_up("گذرواژه").status_code == 422  # 7 characters, 14 bytes
    assert sign_up("گذرواژه۱").status_code == 201
    assert sign_up("x" * 72).status_code == 201
    assert sign_up("x" * 73).status_code == 422
    assert sign_up("گ" * 37).status_code == 422  # 74 bytes


def test_login_and_token_take_the_oauth2_form_with_e_mail_or_username(url, arrive):
    person = arrive()
    for path in ("/auth/login", "/auth/token"):
        for username in (person.email, person.email.upper(), person.username):
            answer = requests.post(url + path, data={"grant_type": "password", "username": username, "password": person.password}, timeout=LIMIT)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token"}
            assert body["token_type"] == "bearer"
            assert body["expires_in"] > 0
            me = requests.get(f"{url}/auth/users/me", headers={"Authorization": f"Bearer {body['access_token']}"}, timeout=LIMIT)
            assert me.json()["email"] == person.email


def test_login_takes_json(url, arrive):
    person = arrive()
    answer = requests.post(f"{url}/auth/login", json={"email": person.email, "password": person.password}, timeout=LIMIT)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"


def test_a_wrong_password_and_an_unknown_e_mail_get_the_same_answer(url, arrive):
    person = arrive()
    for email, password in ((person.email, "wrong"), ("nobody@example.org", "wrong"), (person.email, person.password + " ")):
        answer = requests.post(f"{url}/auth/login", json={"email": email, "password": password}, timeout=LIMIT)
        assert detail_of(answer, 401) == "Incorrect email or password"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_me_is_the_profile(arrive):
    person = arrive()
    body = person.get("/auth/users/me").json()
    assert {"id", "username", "email", "full_name"} <= set(body)
    assert (body["username"], body["email"]) == (person.username, person.email)
    assert "password" not in str(body)


def test_me_without_a_token(url):
    answer = requests.get(f"{url}/auth/users/me", timeout=LIMIT)
    assert detail_of(answer, 401) == "Not authenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


# — the service —

def test_the_root_greets_programs_and_shows_people_a_page(url):
    answer = requests.get(f"{url}/", timeout=LIMIT)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"message": "Welcome to the Chat Service API"}
    page = requests.get(f"{url}/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, timeout=LIMIT)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<!doctype html>" in page.text.lower()
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    again = requests.get(f"{url}/", headers={"Accept": "text/html", "If-None-Match": page.headers["ETag"]}, timeout=LIMIT)
    assert (again.status_code, again.content) == (304, b"")


def test_docs_need_nothing_from_elsewhere(url):
    page = requests.get(f"{url}/docs", timeout=LIMIT)
    assert page.status_code == 200
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert references
    for reference in references:
        assert reference.startswith("/"), reference
        assert requests.get(url + reference, timeout=LIMIT).status_code == 200, reference


# — rooms —

def test_a_room_is_created_with_its_creator_in_it(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    answer = sara.post("/chat/chat_rooms/", json={"name": "دوستان", "members": [leo.email.upper(), leo.email]})
    assert answer.status_code == 201
    room = answer.json()
    assert {"id", "name", "members", "messages"} <= set(room)
    assert (room["name"], sorted(room["members"]), room["messages"]) == ("دوستان", sorted([sara.email, leo.email]), [])


def test_members_may_be_left_out(arrive):
    sara = arrive("sara")
    room = sara.post("/chat/chat_rooms/", json={"name": "Alone"}).json()
    assert room["members"] == [sara.email]


def test_a_room_with_its_last_fifty_messages(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("Fifty", leo)
    for number in range(1, 53):
        assert sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": f"number {number}"}).status_code == 201
    body = leo.get(f"/chat/chat_rooms/{room}").json()
    assert {"id", "name", "members", "messages", "roles", "rev", "last_seq"} <= set(body)
    assert (body["id"], body["name"], body["last_seq"]) == (room, "Fifty", 52)
    assert [message["seq"] for message in body["messages"]] == list(range(3, 53))
    assert body["roles"] == {sara.email: "owner", leo.email: "member"}


def test_a_room_that_is_not_mine(arrive):
    room = arrive("sara").create_room("Hers")
    assert detail_of(arrive("leo").get(f"/chat/chat_rooms/{room}"), 404) == "Chat room not found or access denied"


def test_a_message_is_posted(arrive):
    sara = arrive("sara")
    room = sara.create_room("Posts")
    answer = sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": "سلام", "sender": "another@example.org", "timestamp": "2001-01-01T00:00:00Z"})
    assert answer.status_code == 201
    message = answer.json()
    assert set(message) == MESSAGE_FIELDS
    assert (message["content"], message["sender"], message["room_id"], message["seq"]) == ("سلام", sara.email, room, 1)
    assert ISO.match(message["timestamp"])
    assert not message["timestamp"].startswith("2001")


def test_messages_page_both_ways(arrive):
    sara = arrive("sara")
    room = sara.create_room("Pages")
    path = f"/chat/chat_rooms/{room}/messages"
    for number in range(1, 131):
        assert sara.post(path, json={"content": str(number)}).status_code == 201

    def page(**query):
        answer = sara.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return [message["seq"] for message in answer.json()], answer.links

    newest, links = page()
    assert newest == list(range(31, 131))
    assert set(links) == {"prev"}
    older = requests.get(requests.compat.urljoin(sara.url, links["prev"]["url"]), headers=sara.http.headers, timeout=LIMIT)
    assert [message["seq"] for message in older.json()] == list(range(1, 31))
    assert set(older.links) == {"next"}
    assert page(limit=3)[0] == [128, 129, 130]
    assert page(limit=3, before=10)[0] == [7, 8, 9]
    assert page(limit=3, after=10)[0] == [11, 12, 13]
    around = page(limit=5, around=10)[0]
    assert around == sorted(around) and 10 in around and len(around) == 5
    assert page(after=130)[0] == []
    assert page(limit=500)[0] == list(range(1, 131))


def test_a_wrong_limit_is_422(arrive):
    sara = arrive("sara")
    room = sara.create_room("Limits")
    for value, kind in (("0", "greater_than_equal"), ("501", "less_than_equal"), ("many", "int_parsing"), ("1.5", "int_parsing"), ("", "int_parsing")):
        fault, = detail_of(sara.get(f"/chat/chat_rooms/{room}/messages", params={"limit": value}), 422)
        assert (fault["type"], fault["loc"], fault["input"]) == (kind, ["query", "limit"], value)


def test_two_cursors_at_once_are_refused(arrive):
    sara = arrive("sara")
    room = sara.create_room("Cursors")
    assert sara.get(f"/chat/chat_rooms/{room}/messages?before=3&after=1").status_code == 422


# — private chats —

def test_private_chats_with_online_status_unread_count_and_last_message(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    assert sara.get("/chat/private_chats/").json() == []
    opened = sara.post("/chat/private_chats/", json={"email": leo.email.upper()})
    assert opened.status_code == 201
    again = leo.post("/chat/private_chats/", json={"email": sara.email})
    assert (again.status_code, again.json()["id"]) == (200, opened.json()["id"])
    room = opened.json()["id"]
    assert leo.post(f"/chat/chat_rooms/{room}/messages", json={"content": "سلام"}).status_code == 201
    chat, = sara.get("/chat/private_chats/").json()
    assert {"id", "other_user_email", "is_online", "last_seen", "unread_count", "last_message"} <= set(chat)
    assert (chat["id"], chat["other_user_email"], chat["is_online"], chat["unread_count"]) == (room, leo.email, False, 1)
    assert chat["last_message"]["content"] == "سلام"
    with leo.connect():
        assert sara.get("/chat/private_chats/").json()[0]["is_online"] is True
    mine, = leo.get("/chat/private_chats/").json()
    assert (mine["other_user_email"], mine["unread_count"]) == (sara.email, 0)


def test_the_latest_private_chat_comes_first(arrive):
    sara, leo, neda = arrive("sara"), arrive("leo"), arrive("neda")
    first = sara.post("/chat/private_chats/", json={"email": leo.email}).json()["id"]
    second = sara.post("/chat/private_chats/", json={"email": neda.email}).json()["id"]
    sara.post(f"/chat/chat_rooms/{second}/messages", json={"content": "a"})
    sara.post(f"/chat/chat_rooms/{first}/messages", json={"content": "b"})
    assert [chat["id"] for chat in sara.get("/chat/private_chats/").json()] == [first, second]


def test_a_private_chat_with_nobody_is_refused(arrive):
    sara = arrive("sara")
    answer = sara.post("/chat/private_chats/", json={"email": "nobody@example.org"})
    assert answer.status_code in (400, 404)
    assert isinstance(answer.json()["detail"], str)
    assert sara.post("/chat/private_chats/", json={"email": sara.email}).status_code == 400


# — media —

def test_an_upload_is_served_to_its_room_only(url, arrive):
    sara, leo, stranger = arrive("sara"), arrive("leo"), arrive("stranger")
    room = sara.create_room("Pictures", leo)
    picture = png(20, 10)
    answer = sara.post("/chat/upload_media/", files={"file": ("عکس ۱.png", picture, "image/png")})
    assert answer.status_code == 200, answer.text
    upload = answer.json()
    assert {"file_url", "id", "name", "size", "content_type"} <= set(upload)
    assert (upload["name"], upload["size"], upload["content_type"]) == ("عکس ۱.png", len(picture), "image/png")
    assert upload["file_url"] == f"/media/{upload['id']}/{requests.utils.quote('عکس ۱.png')}"
    path = upload["file_url"]
    assert sara.get(path).content == picture
    assert leo.get(path).status_code == 404, "not sent to anyone yet"
    sent = sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": "", "attachments": [upload["id"]]})
    assert sent.status_code == 201, sent.text
    assert sent.json()["attachments"][0]["file_url"] == path
    served = leo.get(path)
    assert served.content == picture
    assert served.headers["Content-Type"] == "image/png"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Cache-Control"] == "private, immutable" or "private" in served.headers["Cache-Control"]
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert stranger.get(path).status_code == 404
    assert requests.get(url + path, timeout=LIMIT).status_code == 401
    part = leo.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, picture[2:6], f"bytes 2-5/{len(picture)}")
    assert leo.get(path, headers={"Range": f"bytes={len(picture)}-"}).status_code == 416
    assert leo.get(path, headers={"If-None-Match": served.headers["ETag"]}).status_code == 304
    head = leo.request("HEAD", path)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(picture)))


def test_a_bare_link_shares_an_upload_too(arrive):
    sara, leo = arrive("sara"), arrive("leo")
    room = sara.create_room("Links", leo)
    path = sara.post("/chat/upload_media/", files={"file": ("notes.txt", b"some notes", "text/plain")}).json()["file_url"]
    assert leo.get(path).status_code == 404
    sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": f"look: {path} !"})
    assert leo.get(path).content == b"some notes"


def test_a_strangers_upload_cannot_be_taken_over_by_linking_it(arrive):
    sara, thief = arrive("sara"), arrive("thief")
    path = sara.post("/chat/upload_media/", files={"file": ("secret.txt", b"secret", "text/plain")}).json()["file_url"]
    room = thief.create_room("Cave")
    thief.post(f"/chat/chat_rooms/{room}/messages", json={"content": path})
    assert thief.get(path).status_code == 404
    stolen = thief.post(f"/chat/chat_rooms/{room}/messages", json={"content": "mine", "attachments": [path.split("/")[2]]})
    assert stolen.status_code in (400, 404, 422)
    assert thief.get(path).status_code == 404


def test_the_type_comes_from_the_content_and_pages_are_never_shown(arrive):
    sara = arrive("sara")
    upload = sara.post("/chat/upload_media/", files={"file": ("photo.png", b"<html><script>alert(1)</script></html>", "image/png")}).json()
    assert upload["content_type"] != "image/png"
    assert sara.get(upload["file_url"]).headers["Content-Disposition"].startswith("attachment")


def test_upload_names_are_never_paths(arrive):
    sara = arrive("sara")
    for name in ("../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "..", ".", "a\u0000b"):
        answer = sara.post("/chat/upload_media/", files={"file": (name, b"x", "text/plain")})
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            assert "/" not in answer.json()["name"] and "\\" not in answer.json()["name"]
            assert sara.get(answer.json()["file_url"]).content == b"x"


def test_an_upload_without_a_file_is_422(arrive):
    sara = arrive("sara")
    fault, = detail_of(sara.post("/chat/upload_media/", files={"other": ("a.txt", b"x")}), 422)
    assert (fault["type"], fault["loc"]) == ("missing", ["body", "file"])


def test_online_users_are_those_who_share_a_room(arrive):
    sara, leo, stranger = arrive("sara"), arrive("leo"), arrive("stranger")
    sara.create_room("Here", leo)
    with sara.connect() as saras, leo.connect(), stranger.connect():
        reply = saras.ask("get_online_users", {})
        assert leo.email in reply["users"]
        assert stranger.email not in reply["users"]
        saras.emit("get_online_users", {})
        assert leo.email in saras.wait_for("online_users")
