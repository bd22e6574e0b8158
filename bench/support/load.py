"""Runs the load generator against a server and reads its result."""

import json
import subprocess

from support import peers


def build():
    peers.build_ours("payam-load")


def run(process, port, arguments):
    """One run; a result with "error" if it did not come to its end."""
    command = [peers.RELEASE / "payam-load", *arguments, "--port", port, "--server", process.pid]
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=1200)
        result = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        return {"error": str(error)}
    if "error" not in result and result.get("done") == 0 and arguments[0] != "idle":
        result["error"] = "nothing was delivered"
    return result


def measure(peer, arguments, **environment):
    """Starts the peer afresh for one run."""
    try:
        with peers.running(peer, **environment) as (process, port):
            return run(process, port, arguments)
    except RuntimeError as error:
        return {"error": str(error)}


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
