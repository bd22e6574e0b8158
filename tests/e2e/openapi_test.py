"""The OpenAPI document: valid, complete, equal to the golden file, and true."""

import json
import os
import pathlib

import openapi_spec_validator
import requests

from support.client import LIMIT

GOLDEN = pathlib.Path(__file__).with_name("openapi.golden.json")


def document(url):
    answer = requests.get(f"{url}/openapi.json", timeout=LIMIT)
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def test_it_is_valid_openapi_3_1(url):
    api = document(url)
    assert api["openapi"].startswith("3.1.")
    openapi_spec_validator.validate(api)


def test_it_equals_the_golden_file(url):
    """A wanted change: UPDATE_GOLDEN=1 tests/run e2e/openapi, and read the difference before committing it."""
    api = document(url)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(api, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    assert api == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_call_of_the_original_design_is_in_it(url):
    paths = document(url)["paths"]
    for method, path in [("post", "/auth/signup"), ("post", "/auth/login"), ("post", "/auth/token"), ("get", "/auth/users/me"), ("get", "/chat/private_chats/"),
                         ("post", "/chat/chat_rooms/"), ("get", "/chat/chat_rooms/{id}"), ("post", "/chat/chat_rooms/{id}/messages"),
                         ("get", "/chat/chat_rooms/{id}/messages"), ("post", "/chat/upload_media/")]:
        assert method in paths[path], f"{method} {path}"


def test_calls_that_need_a_token_say_so(url):
    api = document(url)
    schemes = api["components"]["securitySchemes"]
    flow, = (scheme["flows"]["password"] for scheme in schemes.values() if scheme["type"] == "oauth2")
    assert flow["tokenUrl"].endswith("auth/login") or flow["tokenUrl"].endswith("auth/token")
    assert {"HTTPValidationError", "ValidationError"} <= set(api["components"]["schemas"])
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/chat/") or path == "/auth/users/me":
                assert operation.get("security") or api.get("security"), f"{method} {path}"
                assert "401" in operation["responses"], f"{method} {path}"
            assert all(status.isdigit() for status in operation["responses"])


def test_paths_without_a_token_answer_401_as_it_says(url):
    for path, methods in document(url)["paths"].items():
        for method, operation in methods.items():
            if "{" not in path and operation.get("security"):
                assert requests.request(method, url + path, timeout=LIMIT).status_code == 401, f"{method} {path}"
