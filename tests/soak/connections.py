#!/usr/bin/env python3
"""Clients that connect and die, over every transport and in every way of dying; then the server must be as it was.

Runs against sio-conformance (/soak/, a server with everything on and short time-outs), which tells what it has allocated. After a first
round, which fills caches and grows tables to their size, come --rounds rounds; after each, when every session is over, memory and
descriptors are noted. The descriptors must be those of the start, the memory's slope over all rounds within --slack.
Prints one line a way of dying, the figures, then `N passed, N failed`.
"""

import argparse
import asyncio
import itertools
import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from soak import clients  # noqa: E402
from support import servers  # noqa: E402

LIMIT = 60  # seconds for anything one client waits for
FAULTS = (OSError, EOFError, AssertionError, TimeoutError, ValueError, KeyError)


async def run(port, count, at_once, failures):
    """`count` clients, all ways in turn, `at_once` at a time."""
    ways = itertools.islice(itertools.cycle(clients.ways().items()), count)

    async def worker():
        for name, way in ways:
            try:
                async with asyncio.timeout(LIMIT):
                    await way(port)
            except FAULTS as error:
                failures.setdefault(name, []).append(repr(error))

    await asyncio.gather(*(worker() for _ in range(at_once)))


class Watch:
    """Looks at the server from outside and, over HTTP, from inside."""

    def __init__(self, server):
        self._url, self._pid = server.url + "/soak-state", server.process.pid

    def descriptors(self):
        return len(os.listdir(f"/proc/{self._pid}/fd"))

    def resident(self):
        status = pathlib.Path(f"/proc/{self._pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) * 1024

    def inside(self):
        with urllib.request.urlopen(self._url, timeout=LIMIT) as answer:
            return json.load(answer)

    def settled(self, descriptors):
        """(memory in use, descriptors) when every session is over, or after LIMIT seconds as it is."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            state = self.inside()
            if not any(state[key] for key in ("connections", "sockets", "kept", "queued")) and self.descriptors() <= descriptors:
                break
            time.sleep(0.1)
        time.sleep(0.5)  # coroutines that wait for an answer of the dead
        descriptors = self.descriptors()  # without the one of the question
        return self.inside()["memory"], descriptors


def slope(values):
    """By least squares, a step."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    return sum((i - middle) * (value - mean) for i, value in enumerate(values)) / sum((i - middle) ** 2 for i in range(len(values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3, help="that count, at least 2 (3)")
    parser.add_argument("--at-once", type=int, default=400)
    parser.add_argument("--slack", type=int, default=64, help="KiB the memory may grow over all rounds (64)")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("a slope needs two rounds")
    failures, points = {}, []
    each = options.count // options.rounds
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="payam-soak-") as folder:
        server = servers.conformance(pathlib.Path(folder, "log"), "--threads", "2").start()
        port = int(server.url.rsplit(":", 1)[1])
        watch = Watch(server)
        try:
            watch.inside()
            time.sleep(0.5)
            idle_descriptors = watch.descriptors()
            for number in range(options.rounds + 1):
                asyncio.run(run(port, each, options.at_once, failures))
                points.append(watch.settled(idle_descriptors))
                print(f"after round {number} of {each}: {points[-1][0]:,} bytes in use, {points[-1][1]} descriptors, "
                      f"{watch.resident():,} bytes resident, {time.monotonic() - began:.0f} s", flush=True)
            left = watch.inside()
            died = server.process.poll()
        finally:
            status = server.stop()
            log = server.tail()
    failed = len(failures)
    names = clients.ways()
    for name in names:
        errors = failures.get(name, [])
        print(f"{name}: {f'{len(errors)} failed, e.g. {errors[0]}' if errors else 'ok'}")
    memory, descriptors = [point[0] for point in points], [point[1] for point in points]
    growth = slope(memory[1:]) * options.rounds / 1024
    checks = {
        f"descriptors: {idle_descriptors} at the start, {descriptors[-1]} at the end": max(descriptors) <= idle_descriptors,
        f"memory in use: {memory[1] / 1024:,.0f} KiB after the first round that counts, {memory[-1] / 1024:,.0f} at the end, by its slope"
        f" {growth:+.1f} KiB over {each * options.rounds} clients": memory[1] > 0 and growth <= options.slack,
        f"no session is left: {left}": not any(left[key] for key in ("connections", "sockets", "kept", "queued")),
        f"the server lived ({died}) and ended cleanly ({status})": died is None and status == 0,
    }
    for text, good in checks.items():
        print(f"{'ok' if good else 'FAILED'}: {text}")
        failed += not good
    if failed:
        print(f"-- the end of the server's log\n{log}")
    print(f"{len(names) + len(checks) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
