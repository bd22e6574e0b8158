"""Where and when a measurement was taken, in words for its heading."""

import datetime
import os
import pathlib
import platform
import subprocess


def _field(file, key):
    for line in pathlib.Path(file).read_text().splitlines():
        if line.startswith(key):
            return line.split(":" if ":" in line else "=", 1)[1].strip().strip('"')
    return "unknown"


def describe():
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    return (f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory:.0f} GiB, "
            f"{_field('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release()}")


def today():
    return datetime.date.today().isoformat()


def commit():
    """The commit measured, `+` if the work tree differs."""
    result = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"
