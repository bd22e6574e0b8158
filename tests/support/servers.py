"""Starts the programs under test on a free port of 127.0.0.1 and always stops them, each by its own process id."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
START_LIMIT = 30  # seconds; a sanitizer build on a busy machine needs a few
STOP_LIMIT = 20


def binary(name):
    """The program of the build under test; PAYAM_BUILD names another build folder than build/release."""
    return str(pathlib.Path(os.environ.get("PAYAM_BUILD") or REPOSITORY / "build" / "release") / name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One program under test. `ready_path` is polled until it answers with any status below 500."""

    def __init__(self, command, log, ready_path, env=None, cwd=None):
        self.log = pathlib.Path(log)
        self._command, self._ready_path, self._env, self._cwd = command, ready_path, env, cwd
        self.process = None
        self.url = None

    def start(self):
        # Another process may take the port between the probe and our bind: then the program ends, and we choose anew.
        for _ in range(3):
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            with self.log.open("ab") as log:
                self.process = subprocess.Popen([*self._command, "--port", str(port)], stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, env=self._env, cwd=self._cwd)
            if self._wait_until_ready():
                return self
        raise RuntimeError(f"{self._command[0]} did not start:\n{self.tail()}")

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                with urllib.request.urlopen(self.url + self._ready_path, timeout=2):
                    return True
            except urllib.error.HTTPError as answer:
                if answer.code < 500:
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        self.kill()
        return False

    def stop(self):
        """SIGTERM, as a service manager would. Returns the exit status; killed after STOP_LIMIT seconds (then -9)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self):
        """SIGKILL: nothing gets the chance to be saved."""
        self.process.kill()
        self.process.wait()

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def payam(data_dir, log=None, **options):
    """Not started yet. `options` are the server's own, in the form of the environment (BCRYPT_COST="12")."""
    env = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(data_dir),
        "HOST": "127.0.0.1",
        "BCRYPT_COST": "4",  # the least there is: tests sign up hundreds of users
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "info",
        **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")},
        **options,
    }
    return Server([binary("payam"), "serve"], log or f"{data_dir}.log", "/healthz", env=env, cwd=tempfile.gettempdir())


SECRET_KEY = "the tests' secret, of more than thirty-two bytes"


def payam_on_mongodb(database, log, name="payam", **options):
    """Not started yet; its data is in `database` (a MongoServer)."""
    return payam(f"{log}.data", log, DATABASE_URL=f"{database.url}/{name}", SECRET_KEY=SECRET_KEY, **options)


class MongoServer:
    """The MongoDB test server (tests/mongo/MongoTestServer.java), its data in `file`. It can be killed and started again."""

    def __init__(self, file):
        self.file, self.port, self.process = file, 0, None

    @property
    def url(self):
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self):
        jars, source = REPOSITORY / "build" / "mongo-test-server" / "*", REPOSITORY / "tests" / "mongo" / "MongoTestServer.java"
        command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(jars), str(source), str(self.file), str(self.port)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()  # "port N" when it listens, "" when it has ended
        if not line.startswith("port "):
            raise RuntimeError("the MongoDB test server did not start: `tools/install test` brings it")
        self.port = int(line.split()[1])
        return self

    def kill(self):
        """SIGKILL: only what it has answered is kept."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def conformance(log, *arguments):
    return Server([binary("sio-conformance"), *arguments], log, "/socket.io/", env=dict(os.environ))


@contextlib.contextmanager
def running_payam(**options):
    """A started server on an empty data directory, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="payam-test-") as folder:
        server = payam(f"{folder}/data", **options).start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def small_disk(megabytes):
    """A folder on a disk of its own of this size (a tmpfs), which needs root; where there is no mounting the test fails."""
    with tempfile.TemporaryDirectory(prefix="payam-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "payam-test", folder], check=True)
        try:
            yield pathlib.Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)
