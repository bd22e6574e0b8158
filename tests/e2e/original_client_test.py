"""A client as one would have written it for the original service (FastAPI and python-socketio): plain requests and a plain
socketio.Client, nothing that only Payam offers. It has to work unchanged."""

import threading

import requests
import socketio

from support.client import png


class OriginalClient:
    def __init__(self, base_url, username, email, password):
        self.base = base_url
        self.email = email
        self.sio = socketio.Client()
        self.received, self.responses, self.errors, self.online = [], [], [], []
        self.news = threading.Condition()
        self.sio.on("broadcast_message", lambda data: self._note(self.received, data))
        self.sio.on("chat_response", lambda data: self._note(self.responses, data))
        self.sio.on("error", lambda data: self._note(self.errors, data))
        self.sio.on("online_users", lambda data: self._note(self.online, data))

        r = requests.post(f"{self.base}/auth/signup", json={"username": username, "email": email, "password": password, "full_name": "Test User"})
        r.raise_for_status()
        self.user = r.json()
        r = requests.post(f"{self.base}/auth/login", data={"username": email, "password": password})
        r.raise_for_status()
        body = r.json()
        assert body["token_type"] == "bearer"
        self.headers = {"Authorization": f"Bearer {body['access_token']}"}
        self.token = body["access_token"]

    def _note(self, inbox, data):
        with self.news:
            inbox.append(data)
            self.news.notify_all()

    def wait(self, inbox, count=1):
        with self.news:
            assert self.news.wait_for(lambda: len(inbox) >= count, timeout=15), f"only {inbox}"

    def connect(self):
        self.sio.connect(self.base, auth={"token": self.token})

    def close(self):
        self.sio.disconnect()


def test_a_client_of_the_original_service_works_unchanged(url):
    assert requests.get(f"{url}/").json() == {"message": "Welcome to the Chat Service API"}
    alice = OriginalClient(url, "alice_original", "Alice.Original@example.com", "alice-secret-1")
    bob = OriginalClient(url, "bob_original", "bob.original@example.com", "bob-secret-22")
    try:
        assert set(alice.user) == {"id", "username", "email", "full_name"}
        me = requests.get(f"{url}/auth/users/me", headers=alice.headers).json()
        assert me["email"] == "alice.original@example.com"
        assert me["full_name"] == "Test User"

        r = requests.post(f"{url}/chat/chat_rooms/", json={"name": "Original", "members": [alice.email, bob.email]}, headers=alice.headers)
        assert r.status_code == 201
        room = r.json()
        assert sorted(room["members"]) == ["alice.original@example.com", "bob.original@example.com"]
        assert room["messages"] == []

        alice.connect()
        bob.connect()
        alice.sio.emit("join_room", {"room": room["id"]})
        alice.sio.emit("chat_message", {"room": room["id"], "message": "hello bob"})
        alice.wait(alice.responses)
        assert alice.responses == [{"status": "received", "message": "hello bob"}]
        bob.wait(bob.received)
        assert bob.received[0]["content"] == "hello bob"
        assert bob.received[0]["sender"] == "alice.original@example.com"
        bob.sio.emit("get_online_users")
        bob.wait(bob.online)
        assert "alice.original@example.com" in bob.online[-1]
        bob.sio.emit("chat_message", "not what it expects")
        bob.wait(bob.errors)
        assert bob.errors[0]["message"] == "Invalid data"

        r = requests.post(f"{url}/chat/chat_rooms/{room['id']}/messages", json={"content": "by http"}, headers=bob.headers)
        assert r.status_code == 201
        alice.wait(alice.received, 2)
        r = requests.get(f"{url}/chat/chat_rooms/{room['id']}/messages", headers=alice.headers, params={"limit": 10})
        assert [(message["sender"], message["content"]) for message in r.json()] == [
            ("alice.original@example.com", "hello bob"), ("bob.original@example.com", "by http")]
        r = requests.get(f"{url}/chat/chat_rooms/{room['id']}", headers=bob.headers)
        assert r.json()["name"] == "Original"
        assert len(r.json()["messages"]) == 2

        r = requests.get(f"{url}/chat/private_chats/", headers=alice.headers)
        assert r.json() == []

        photo = png(4, 3)
        r = requests.post(f"{url}/chat/upload_media/", files={"file": ("photo.png", photo, "image/png")}, headers=alice.headers)
        assert r.status_code == 200
        file_url = r.json()["file_url"]
        assert file_url.endswith("photo.png")
        alice.sio.emit("chat_message", {"room": room["id"], "message": file_url})
        bob.wait(bob.received, 3)
        assert bob.received[2]["content"] == file_url
        r = requests.get(url + file_url, headers=bob.headers)
        assert (r.status_code, r.content) == (200, photo)
    finally:
        alice.close()
        bob.close()

