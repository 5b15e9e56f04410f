"""Rows about what stands around an edge: its shield, its signing keys, the object storage behind it, the memory it may use."""

import concurrent.futures
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from catalogs import ACCESS, S3, Keys, Published, Signed, published, store
from processes import Edge, crowd, get
from rows import HOT, NotHere, Row, World, rest, slow_readers

# For the process, its cache and what is under way.
MEMORY = 128 << 20


class Shielded(World):
    """An edge behind a shield, which is an edge itself."""

    def __init__(self, folder):
        super().__init__(folder)
        self.shield = Edge(folder, self.urls(), name="shield")
        self.options = ["--shields", f"http://127.0.0.1:{self.shield.port}"]

    def close(self):
        self.shield.process.kill()
        self.shield.process.wait()
        super().close()


def shield_killed(world):
    """Killed without notice while it hands out what its own upstream sends slowly."""
    world.first.mode = "throttled"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        seen = pool.submit(world.cold_and_hot)
        time.sleep(0.7)
        world.shield.process.kill()
        world.shield.process.wait()
        seen = seen.result()
    world.first.mode = "ok"
    return seen


class Closed(World):
    """An edge that checks tokens."""

    def __init__(self, folder):
        super().__init__(folder)
        self.keys = Keys(self.folder)
        self.catalog = Signed(self.keys)
        self.options = ["--key-poll-seconds", "1"]
        self.publish()

    def publish(self):
        fresh = self.folder / "fresh.keys"
        fresh.write_text(self.keys.public())
        fresh.replace(self.first.mode_file.with_suffix(".keys"))


def rotated(world):
    """The key retires: its tokens go on. It is revoked: they are refused after the next poll. Those of the next key never fail."""
    done, first, hits = threading.Event(), world.keys.active(), Counter()

    def listen():
        while not done.is_set():
            hits.update(crowd(world.edge, HOT, 4, hit=True))

    listeners = threading.Thread(target=listen)
    listeners.start()
    try:
        world.keys.rotate()
        old = world.catalog.renew()
        world.publish()
        seen = world.cold_and_hot()
        time.sleep(3)
        ask = lambda path: get(world.edge, path, target=world.catalog.target(path, old))
        assert Counter(map(ask, HOT)) == {"200": len(HOT)}, "a retiring key's tokens are good"
        world.keys.revoke(first)
        world.publish()
        revoked = time.monotonic()
        while ask("/hot/1") != "403":
            assert time.monotonic() - revoked < 10, "the revoked key is still accepted"
            time.sleep(0.1)
        seen += Counter(map(ask, HOT + [f"/never/{n}" for n in range(40)]))
        assert seen["403"] == 60, "all of a revoked key's tokens are refused, in memory or not"
        return seen + world.cold_and_hot(count=120)
    finally:
        done.set()
        listeners.join()
        world.hits += hits


class Stored(World):
    """An edge whose only upstream that lives is object storage, behind a proxy that can be slow."""

    def __init__(self, folder):
        if "S3_BIN" not in os.environ:
            raise NotHere("S3_BIN names no S3 server; build that of the benchmarks: cargo build -p segue-benches --bin s3")
        music = published()
        super().__init__(folder)
        keys = Keys(self.folder)
        self.catalog = Published(keys, music / "music")
        self.s3, self.mode_file = S3(music), self.folder / "proxy.mode"
        self.mode("ok")
        command = [sys.executable, "-B", Path(__file__).with_name("proxy.py"), self.mode_file, str(self.s3.port)]
        self.proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        kept = self.folder / "kept.json"
        kept.touch(0o600)
        kept.write_text(keys.public())
        port = int(self.proxy.stdout.readline())
        self.options = ["--store", store(port), "--store-cache-bytes", str(1 << 20), "--key-set-file", str(kept)]
        self.others += [self.s3, self.proxy]
        self.first.kill()
        self.second.kill()

    def mode(self, name):
        fresh = self.mode_file.with_suffix(".new")
        fresh.write_text(name)
        fresh.replace(self.mode_file)


def store_mode(name):
    def run(world):
        world.mode(name)
        seen = world.cold_and_hot()
        world.mode("ok")
        return seen

    return run


def store_killed(world):
    world.s3.kill()
    seen = world.cold_and_hot()
    world.s3.start()
    return seen


def cage():
    """A folder for a control group below this process's own, of version 2 or 1, whose memory can be limited."""
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    for root, group, limit in (
        ("/sys/fs/cgroup", own.get(""), "memory.max"),
        ("/sys/fs/cgroup/memory", own.get("memory"), "memory.limit_in_bytes"),
    ):
        folder = Path(f"{root}{group}/segue-faults-{os.getpid()}")
        try:
            folder.mkdir()
        except OSError:
            continue
        # A file that is not there already would be made where this is no control group.
        if (folder / limit).exists() and limited(folder / limit):
            return folder
        folder.rmdir()
    return None


def limited(file):
    try:
        file.write_text(str(MEMORY))
    except OSError:
        return False
    return True


class Caged(World):
    """An edge that may use little memory, by a control group."""

    def __init__(self, folder):
        self.group = cage()
        if not self.group:
            raise NotHere("control groups with a memory limit cannot be made")
        super().__init__(folder)
        self.cage = ("sh", "-c", f'echo $$ >{self.group}/cgroup.procs && exec "$@"', "sh")

    def close(self):
        super().close()
        self.group.rmdir()


def full(world):
    """Readers that take nothing of much, then far more objects than fit, in little more memory than the edge needs in quiet."""
    seen = slow_readers(world) + world.cold_and_hot(600)
    assert world.edge.process.poll() is None, "the edge was killed"
    return seen


RESTS = (502, 503, 504)
STORED = {"world": Stored, "environment": lambda world: ACCESS}
ROWS = [
    Row("shield killed", shield_killed, after=rest, world=Shielded),
    Row("signing key rotated, then revoked, under load", rotated, (200, 403), world=Closed),
    Row("S3 killed, and nothing else left", store_killed, (200, *RESTS), after=rest, **STORED),
    Row("S3 throttled to 256 KB/s a connection, and nothing else left", store_mode("throttled"), (200, *RESTS), after=rest, **STORED),
    Row("S3 answers after 10 s, and nothing else left", store_mode("slow"), (200, *RESTS), after=rest, **STORED),
    Row(f"memory of the edge limited to {MEMORY >> 20} MiB", full, (200, 503), ("--stall-timeout-ms", "3000"), world=Caged),
]
