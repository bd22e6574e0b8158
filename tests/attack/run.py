#!/usr/bin/env python3
"""tools/attack [short|long] [name…]: attacks a server that runs with its default options, and measures somebody at another address meanwhile.

Each attack gets a server of its own on an empty directory; the attacker comes from 127.0.0.1, the bystander from 127.0.0.9. Fails if the server dies, if the
bystander waits longer or is refused more often than the attack's entry allows, or if the server's memory grows beyond it. `long` is the whole
of each attack (minutes) and writes the table of SECURITY.md to bench/results/attack.md; `short` (default) shortens those that repeat. Prints `N passed, N failed`.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from attack import attacks, wire  # noqa: E402
from support import servers  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TABLE = servers.REPOSITORY / "bench" / "results" / "attack.md"
PASSWORD = "a long enough password"
LIMIT = 60


class World:
    """A server under attack, and the attacker's account."""

    def __init__(self, server, long):
        self.server, self.long = server, long
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        self.address = host, int(port)
        self.password = PASSWORD
        self.email, self.bystander = (self._sign_up(name) for name in ("attacker", "bystander"))
        answer = requests.post(server.url + "/auth/login", data={"username": self.email, "password": PASSWORD}, timeout=LIMIT)
        self.token = answer.json()["access_token"]
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def _sign_up(self, name):
        email = f"{name}@example.org"
        answer = requests.post(self.server.url + "/auth/signup", json={"username": name, "email": email, "password": PASSWORD}, timeout=LIMIT)
        assert answer.status_code == 201, answer.text
        return email

    def scaled(self, short, long):
        return long if self.long else short

    def room(self, name):
        return self._http.post(self.server.url + "/chat/chat_rooms/", json={"name": name}, timeout=LIMIT).json()["id"]

    def send(self, room, content):
        """As fast as the limits let one."""
        while True:
            answer = self._http.post(f"{self.server.url}/chat/chat_rooms/{room}/messages", json={"content": content}, timeout=LIMIT)
            if answer.status_code != 429:
                assert answer.status_code == 201, answer.text[:300]
                return
            time.sleep(int(answer.headers["Retry-After"]))

    def websocket(self):
        return wire.open_websocket(*self.address)

    def join(self, stream):
        wire.join(stream, self.token)

    def hold(self, streams, data, seconds):
        """Sends `data` on each and leaves it so for a while."""
        threads = [threading.Thread(target=self._try_to_send, args=(stream, data)) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.watch(seconds)

    @staticmethod
    def _try_to_send(stream, data):
        with contextlib.suppress(OSError):
            stream.settimeout(5)
            stream.sendall(data)

    @staticmethod
    def watch(seconds):
        """Lets the attack last, while the bystander measures."""
        time.sleep(seconds)

    def _stat(self, name):
        for line in pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise KeyError(name)

    def memory(self):
        return self._stat("VmRSS")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")

    def peak(self):
        return self._stat("VmHWM")

    def processor_time(self):
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def bystander_at_work(self, kinds, results):
        command = [sys.executable, str(HERE / "bystander.py"), self.server.url, self.bystander, PASSWORD, *kinds]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "ready\n", "the bystander could not begin"
            yield
            output, _ = process.communicate("", timeout=2 * LIMIT)
            results.update(json.loads(output))
        finally:
            process.kill()
            process.wait()


def try_attack(attack, long):
    """(row of the table, what is wrong)."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="payam-attack-") as folder:
        # Its own defaults, but for the log.
        server = servers.payam(f"{folder}/data", RATE_LIMITS="on", BCRYPT_COST="12", LOG_LEVEL="warn", **attack.options).start()
        try:
            world = World(server, long)
            results, got, grown = {}, "", None
            with world.bystander_at_work(attack.watched, results):
                time.sleep(0.5)
                before = world.memory()
                world.forget_peak()
                try:
                    got = attack.run(world)
                except (AssertionError, OSError, ValueError, KeyError) as error:
                    wrong.append(f"{type(error).__name__}: {error}")
                    traceback.print_exc()
                with contextlib.suppress(KeyError, OSError):  # the process has died
                    grown = world.peak() - before
            if grown is None:
                server.process.wait(LIMIT)
                return None, [f"the server died ({server.process.returncode}):\n{server.tail(30)}"]
            worst = max(each["worst_ms"] for each in results.values())
            failed = sum(each["failed"] for each in results.values())
            if worst > 1000 * attack.worst_wait:
                wrong.append(f"the bystander waited {worst:.0f} ms: {results}")
            if failed > attack.refusals:
                wrong.append(f"the bystander was refused {failed} times: {results}")
            if grown > attack.most_memory and "PAYAM_BUILD" not in os.environ:  # sanitizers take several times as much
                wrong.append(f"memory grew by {grown:.0f} MiB")
            median = max(each["median_ms"] for each in results.values())
            return (attack.summary, got, grown, median, worst), wrong
        finally:
            if (status := server.stop()) != 0:
                wrong.append(f"the server ended with {status}:\n{server.tail(30)}")


def write_table(rows):
    lines = ["# What an attacker gets", "", "Made by `tools/attack long`: a server with default options, the attacker at one address, somebody else at another who chats",
             "meanwhile. The waits are the bystander's (the worst single call; the median of its slowest kind of call), the memory what the server's resident set grew by at most.", "",
             "| attack | what came of it | memory, MiB | median wait, ms | worst wait, ms |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [f"| {summary} | {got} | {grown:.0f} | {median:.1f} | {worst:.0f} |" for summary, got, grown, median, worst in rows]
    TABLE.write_text("\n".join(lines) + "\n")


def main():
    arguments = sys.argv[1:]
    long = bool(arguments) and arguments[0] == "long"
    names = arguments[1:] if arguments and arguments[0] in ("short", "long") else arguments
    chosen = [attack for attack in attacks.ATTACKS if not names or attack.name in names]
    if unknown := set(names) - {attack.name for attack in chosen}:
        sys.exit(f"tools/attack: no attack {', '.join(sorted(unknown))}; there are {', '.join(attack.name for attack in attacks.ATTACKS)}")
    passed, rows, breaches = 0, [], []
    for attack in chosen:
        began = time.monotonic()
        row, wrong = try_attack(attack, long)
        passed += not wrong
        took = f"{time.monotonic() - began:.1f} s"
        if row:
            rows.append(row)
            print(f"{'ok  ' if not wrong else 'FAIL'} {attack.name}: {row[1]}; memory +{row[2]:.0f} MiB; bystander median {row[3]:.1f}, worst {row[4]:.0f} ms ({took})", flush=True)
        for each in wrong:
            breaches.append(f"{attack.name}: {each}")
            print(f"     {attack.name}: {each}", flush=True)
    if long and not names and not breaches:
        write_table(rows)
    for breach in breaches:
        print(f"FAILED {breach[:2000]}")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    sys.exit(passed != len(chosen))


if __name__ == "__main__":
    main()
