"""Accounts that come from elsewhere: hashes made by passlib and by bcrypt, as the original service stored them, verify."""

import sqlite3
import tempfile

import bcrypt
import passlib.hash
import pytest
import requests

from support import servers
from support.client import LIMIT

PASSWORD = "گذرواژهٔ قدیمی 7"
HASHES = {
    "passlib, $2b$": passlib.hash.bcrypt.using(rounds=4).hash(PASSWORD),
    "passlib, $2a$": passlib.hash.bcrypt.using(rounds=4, ident="2a").hash(PASSWORD),
    "passlib, $2y$": passlib.hash.bcrypt.using(rounds=4, ident="2y").hash(PASSWORD),
    "bcrypt": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
    "bcrypt, a higher cost than ours": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode(),
}


@pytest.fixture(scope="module")
def moved():
    """A server whose users' hashes were put into the database while it was down."""
    with tempfile.TemporaryDirectory(prefix="payam-test-") as folder:
        server = servers.payam(f"{folder}/data").start()
        try:
            for number in range(len(HASHES)):
                answer = requests.post(f"{server.url}/auth/signup", timeout=LIMIT,
                                       json={"username": f"user{number}", "email": f"user{number}@example.org", "password": "another one"})
                assert answer.status_code == 201, answer.text
            assert server.stop() == 0
            with sqlite3.connect(f"{folder}/data/payam.db") as database:
                for number, value in enumerate(HASHES.values()):
                    changed = database.execute("UPDATE users SET password_hash = ? WHERE email = ?", (value, f"user{number}@example.org"))
                    assert changed.rowcount == 1
            database.close()
            yield server.start(), f"{folder}/data/payam.db"
        finally:
            server.stop()


@pytest.mark.parametrize("number", range(len(HASHES)), ids=HASHES)
def test_the_old_password_logs_in_and_no_other(moved, number):
    server, database_file = moved

    def log_in(password):
        return requests.post(f"{server.url}/auth/login", data={"username": f"user{number}@example.org", "password": password}, timeout=LIMIT)
    assert log_in(PASSWORD).status_code == 200
    assert log_in("another one").status_code == 401
    assert log_in(PASSWORD + "!").status_code == 401
    with sqlite3.connect(database_file) as database:
        (renewed,) = database.execute("SELECT password_hash FROM users WHERE email = ?", (f"user{number}@example.org",)).fetchone()
    database.close()
    assert renewed.startswith("$2b$04$"), "made anew with our cost"
