"""/metrics: Prometheus' own parser reads it, and what it counts is what was done."""

import requests
from prometheus_client.parser import text_string_to_metric_families

from support.client import LIMIT, Person, png
from support.servers import running_payam


def scrape(url, **arguments):
    """{(sample's name, its labels as a frozenset of pairs): value}"""
    answer = requests.get(f"{url}/metrics", timeout=LIMIT, **arguments)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families), "a family comes once"
    for family in families:
        assert family.documentation and family.type in {"counter", "gauge", "histogram"}, family.name
        assert family.name.startswith(("payam_", "process_")), family.name
        assert (family.type == "counter") == all(sample.name.endswith("_total") for sample in family.samples) or not family.samples, family.name
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())), 0)


def test_what_two_clients_do_is_counted_exactly():
    with running_payam(RATE_LIMITS="typing=2/h") as server:
        sara, neda = Person(server.url, "sara"), Person(server.url, "neda")
        room = sara.create_room("Measured", neda)
        before = scrape(server.url)
        with sara.connect(["websocket"]) as saras, neda.connect(["polling"]) as nedas:
            for count in range(5):
                assert saras.ask("chat_message", {"room": room, "message": str(count), "client_id": f"id{count}"})["status"] == "ok"
            assert saras.ask("chat_message", {"room": room, "message": "", "client_id": "empty"})["code"] == "invalid"
            assert saras.ask("chat_message", {"room": room})["code"] == "invalid"
            assert saras.ask("chat_message", {"room": "nowhere", "message": "x"})["code"] == "not_found"
            assert sara.post(f"/chat/chat_rooms/{room}/messages", json={"content": "by HTTP"}).status_code == 201
            for _ in range(6):
                assert nedas.wait_for("broadcast_message")["room_id"] == room
            for _ in range(3):
                refused = nedas.ask("typing", {"room": room, "typing": True})
            assert refused["code"] == "rate_limited"
            assert sara.post("/chat/upload_media/", files={"file": ("red.png", png(8, 8))}).status_code == 200
            during = scrape(server.url)

        def moved(name, **labels):
            return value(during, name, **labels) - value(before, name, **labels)

        assert moved("payam_connections", transport="websocket") == 1
        assert moved("payam_connections", transport="polling") == 1
        assert moved("payam_handshakes_total") == 2
        assert moved("payam_sockets") == 2
        assert moved("payam_sockets_connected_total") == 2
        assert moved("payam_rooms") >= 5, "the chat's room, and two of each person"
        assert moved("payam_events_total", event="chat_message", result="ok") == 5
        assert moved("payam_events_total", event="chat_message", result="invalid") == 2
        assert moved("payam_events_total", event="chat_message", result="not_found") == 1
        assert moved("payam_events_total", event="typing", result="ok") == 2
        assert moved("payam_events_total", event="typing", result="rate_limited") == 1
        assert moved("payam_events_received_total") == 11
        assert moved("payam_sends_total", result="ok") == 6
        assert moved("payam_sends_total", result="invalid") == 1
        assert moved("payam_sends_total", result="not_found") == 1
        assert moved("payam_rate_limited_total", kind="typing") == 1
        assert moved("payam_rate_limited_total", kind="sends") == 0
        assert moved("payam_deliveries_total") >= 2 * 6 + 11, "each message to both, and an acknowledgement of each event"
        assert moved("payam_uploads_total") == 1
        assert moved("payam_upload_bytes_total") == len(png(8, 8))
        sent = {"route": "/chat/chat_rooms/{id}/messages", "method": "POST"}
        assert moved("payam_http_requests_total", status="2xx", **sent) == 1
        assert moved("payam_http_request_seconds_count", **sent) == 1
        assert 0 < moved("payam_http_request_seconds_sum", **sent) < LIMIT
        assert moved("payam_commit_batch_changes_sum") >= 7, "six messages and an upload"
        assert moved("payam_commit_batch_seconds_count") == moved("payam_commit_batch_changes_count") >= 1
        assert moved("payam_store_read_seconds_count") > 0
        assert value(during, "process_resident_memory_bytes") > 1e6 and value(during, "process_open_fds") > 3
        assert 0 < value(during, "process_cpu_seconds_total") < 3600
        assert {labels for name, labels in during if name == "payam_build_info"}


def test_connections_that_end_are_no_longer_open():
    with running_payam() as server:
        sara = Person(server.url, "sara")
        with sara.connect(["polling", "websocket"]) as socket:
            socket.ask("get_online_users", {})
            samples = scrape(server.url)
            assert value(samples, "payam_connections", transport="websocket") == 1 and value(samples, "payam_connections", transport="polling") == 0
            assert value(samples, "payam_upgrades_total") == 1
        for _ in range(500):
            samples = scrape(server.url)
            if value(samples, "payam_sockets") == 0 and value(samples, "payam_connections", transport="websocket") == 0:
                break
        assert value(samples, "payam_sockets") == 0
        assert value(samples, "payam_connections", transport="websocket") == value(samples, "payam_connections", transport="polling") == 0
        assert value(samples, "payam_rooms") == 0


def status(url, headers=None, method="GET"):
    return requests.request(method, f"{url}/metrics", headers=headers or {}, timeout=LIMIT).status_code


def test_by_default_only_this_machine_may_read_them():
    with running_payam() as server:
        assert status(server.url) == 200
        # A proxy on this machine that is not in TRUSTED_PROXIES: whom it serves is not known.
        assert status(server.url, {"X-Forwarded-For": "198.51.100.7"}) == 403
        assert status(server.url, {"X-Forwarded-For": "127.0.0.1"}) == 403
        # A page elsewhere whose name leads to this machine (DNS rebinding).
        for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.9.9.9", "[::1]:8000"):
            assert status(server.url, {"Host": host}) == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.0.2.1", "[::2]", "[::1", "0.0.0.0", "127.1", ""):
            assert status(server.url, {"Host": host}) == 403, host
    with running_payam(TRUSTED_PROXIES="127.0.0.1") as server:
        assert status(server.url, {"X-Forwarded-For": "198.51.100.7"}) == 403
        assert status(server.url, {"X-Forwarded-For": "127.0.0.1"}) == 200
        assert status(server.url) == 200


def test_an_operator_opens_or_closes_them():
    with running_payam(METRICS="on", TRUSTED_PROXIES="127.0.0.1") as server:
        assert status(server.url, {"X-Forwarded-For": "198.51.100.7"}) == 200
    with running_payam(METRICS="off") as server:
        assert status(server.url) == 404
    with running_payam(METRICS_TOKEN="a long token", TRUSTED_PROXIES="127.0.0.1") as server:
        assert status(server.url) == 401
        assert status(server.url, {"Authorization": "Bearer another"}) == 401
        assert status(server.url, {"Authorization": "Bearer a long token", "X-Forwarded-For": "198.51.100.7"}) == 200


def test_a_scrape_holds_nobodys_name():
    with running_payam() as server:
        sara = Person(server.url, "sara")
        room = sara.create_room("A private matter")
        with sara.connect() as socket:
            socket.ask("chat_message", {"room": room, "message": "between us"})
            socket.emit("invented", {"by": "a client"})
            text = requests.get(f"{server.url}/metrics", timeout=LIMIT).text
        requests.get(f"{server.url}/secret/path?token=secret", timeout=LIMIT)
        text += requests.get(f"{server.url}/metrics", timeout=LIMIT).text
        for private in [sara.username, sara.token, room, "private", "between us", "invented", "secret"]:
            assert private not in text, private
