"""Run worker programs in network namespaces, which imitate separate machines.

Each has its own address and its own path to the home, as if the home were a mounted share.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NETWORK, SERVER = "10.77.33.0/24", "10.77.33.1"
BRIDGE = "cgbridge"
ROOT = Path(__file__).parents[2]


class HostsImpossible(Exception):
    """This machine or account cannot create network namespaces."""


@dataclass(frozen=True)
class Host:
    """One network namespace."""

    name: str

    def start(self, home: Path, seconds: float) -> subprocess.Popen[bytes]:
        """Start a stand-in worker that uses the home at a path of this host."""
        own = Path(tempfile.mkdtemp(prefix=f"{self.name}-")) / "share"
        own.mkdir()
        work = [sys.executable, "-m", "benchmarks.scale.stand_in", str(own), "1", str(seconds)]
        script = f"mount --bind {shlex.quote(str(home))} {own} && exec {shlex.join(work)}"
        inside = ["ip", "netns", "exec", self.name, "unshare", "-m", "sh", "-c", script]
        return subprocess.Popen(inside, cwd=ROOT)


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Network namespaces on one bridge, removed afterwards. Raises HostsImpossible."""
    names = [f"cghost{number}" for number in range(count)]
    try:
        _ip(f"link add {BRIDGE} type bridge")
        _ip(f"addr add {SERVER}/24 dev {BRIDGE}")
        _ip(f"link set {BRIDGE} up")
        for number, name in enumerate(names):
            _ip(f"netns add {name}")
            _ip(f"link add {name}v type veth peer name eth0 netns {name}")
            _ip(f"link set {name}v master {BRIDGE} up")
            _ip(f"-n {name} addr add 10.77.33.{number + 10}/24 dev eth0")
            _ip(f"-n {name} link set eth0 up")
        yield [Host(name) for name in names]
    finally:
        for name in names:
            _ip(f"netns del {name}", needed=False)
            _ip(f"link del {name}v", needed=False)
        _ip(f"link del {BRIDGE}", needed=False)


def _ip(words: str, *, needed: bool = True) -> None:
    try:
        done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise HostsImpossible("the program 'ip' is missing") from error
    if needed and done.returncode:
        raise HostsImpossible(done.stderr.strip())
