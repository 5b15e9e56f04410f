"""The processes under test, and a client that checks what it gets."""

import collections
import concurrent.futures
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from upstream import body

SECRET = "purge-secret"


class Upstream:
    """An upstream whose `mode` can be set at any time; see upstream.py."""

    def __init__(self, folder, name, certificate=()):
        self.mode_file = Path(folder) / f"{name}.mode"
        self.certificate, self.port = certificate, 0
        self.mode = "ok"
        self.start()

    def start(self):
        program = Path(__file__).with_name("upstream.py")
        command = [sys.executable, "-B", program, self.mode_file, str(self.port), *self.certificate]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    @property
    def mode(self):
        return self.mode_file.read_text()

    @mode.setter
    def mode(self, mode):
        fresh = self.mode_file.with_suffix(".new")
        fresh.write_text(mode)
        fresh.replace(self.mode_file)

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()


class Plain:
    """How clients ask in open mode: for the path itself."""

    options = ("--open",)

    def target(self, path):
        return path

    def body(self, path):
        return body(path)


class Edge:
    """`segue edge` in front of upstreams, with short deadlines. The `catalog` says what clients ask for, and what it must be;
    `cage` is a command that runs the edge."""

    def __init__(self, folder, upstreams, options=(), environment=None, catalog=Plain(), cage=(), name="edge"):
        self.log, self.catalog = Path(folder) / f"{name}.log", catalog
        self.log.write_text("")
        command = [
            *cage, os.environ["SEGUE_BIN"], "edge", *catalog.options, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
            "--admin-secret", SECRET, "--cache-bytes", str(16 << 20), "--upstreams", ",".join(upstreams), "--name", name,
            "--first-byte-timeout-ms", "1500", "--upstream-idle-timeout-ms", "1500", "--log-filter", "info", *options,
        ]  # fmt: skip
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | (environment or {}), cwd=folder
            )
        self.port, self.admin_port = self.addresses()

    def addresses(self):
        plain = re.compile(r"\x1b\[[0-9;]*m")
        for _ in range(200):
            text = plain.sub("", self.log.read_text())
            found = re.search(r'edge\.addr"?[=:]"?\S*?:(\d+).*?edge\.admin_addr"?[=:]"?\S*?:(\d+)', text)
            if found:
                return int(found[1]), int(found[2])
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the edge did not start: {self.log.read_text()}")

    def rss(self):
        """Resident memory, KiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def admin(self, method, path, payload=None):
        link = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        link.request(method, path, payload and json.dumps(payload), {"Authorization": f"Bearer {SECRET}"})
        answer = link.getresponse()
        return answer.status, answer.read().decode()

    def stop(self):
        """Ends the edge; the count of panics in its log."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.log.read_text().count("panicked")


def get(edge, path, timeout=30, hit=False, target=None):
    """What a client sees of a path: a status, "broken", "timeout", or "WRONG" for a whole body of other bytes. Where a `hit` is due,
    a 200 that was fetched is told apart. `target` is asked for instead, where one is given."""
    link = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=timeout)
    try:
        link.request("GET", target or edge.catalog.target(path))
        answer = link.getresponse()
        got = answer.read()
    except TimeoutError:
        return "timeout"
    except (OSError, http.client.HTTPException):
        return "broken"
    finally:
        link.close()
    if answer.status == 200:
        # The last member is that of the edge (RFC 9211 2).
        own = ",".join(answer.headers.get_all("Cache-Status", [])).rpartition(",")[2]
        missed = hit and "; hit" not in own
        return "WRONG" if got != edge.catalog.body(path) else "200 fetched" if missed else "200"
    fits = answer.headers.get("Content-Type") == "application/problem+json"
    return str(answer.status) if fits else f"{answer.status} without a problem"


def crowd(edge, paths, clients=16, hit=False):
    """What many clients see."""
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return collections.Counter(pool.map(lambda path: get(edge, path, hit=hit), paths))
