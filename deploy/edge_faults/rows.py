"""The rows of the table."""

import concurrent.futures
import dataclasses
import datetime
import email.utils
import glob
import http.client
import json
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from processes import Plain, Upstream, crowd, get


HOT = [f"/hot/{n}" for n in range(20)]


class NotHere(RuntimeError):
    """This machine cannot do what a row does."""


class World:
    """What a row runs in: two upstreams, the edge in front of them, and what else it opens."""

    def __init__(self, folder):
        self.folder, self.edge = Path(folder), None
        self.first, self.second = Upstream(folder, "first"), Upstream(folder, "second")
        self.others, self.hits, self.before, self.options = [], Counter(), [], []
        self.catalog, self.cage = Plain(), ()

    def urls(self):
        return [*self.before, self.first.url, self.second.url]

    def close(self):
        for process in [self.first, self.second, *self.others]:
            process.kill()
        if self.edge and self.edge.process.poll() is None:
            self.edge.process.kill()
            self.edge.process.wait()

    def cold_and_hot(self, count=60, clients=16):
        """Clients ask for new objects while others hit."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            hits = pool.submit(crowd, self.edge, [f"/hot/{n % 20}" for n in range(400)], 4, True)
            seen = crowd(self.edge, [f"/cold/{n}" for n in range(count)], clients)
            self.hits += hits.result()
        return seen


@dataclasses.dataclass
class Row:
    """A fault, and what clients may see of new objects meanwhile."""

    name: str
    run: object
    allowed: tuple = (200,)
    options: tuple = ()
    prepare: object = lambda world: None
    after: object = lambda world: None
    environment: object = lambda world: {}
    hits: tuple = ("200",)
    world: type = World

    @property
    def slug(self):
        return "".join(it if it.isalnum() else "-" for it in self.name)


def mode(name, both=False):
    """A row in which the first upstream, or both, fails in a way of upstream.py."""

    def run(world):
        for upstream in [world.first, world.second][: 2 if both else 1]:
            upstream.mode = name
        seen = world.cold_and_hot()
        world.first.mode = world.second.mode = "ok"
        return seen

    return run


def rest(world):
    """Until new objects are served again: failing upstreams are left alone for a while, then tried by one request at a time."""
    for n in range(60):
        if all(get(world.edge, f"/rest/{n}/{m}") == "200" for m in range(5)):
            return
        time.sleep(0.5)


def killed(world):
    """Upstream killed without notice while bodies hang in their middle; the second has the rest."""
    world.first.mode = "hang"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        seen = pool.submit(world.cold_and_hot, 32, 32)
        time.sleep(0.7)
        world.first.kill()
        seen = seen.result()
    world.first.mode = "ok"
    world.first.start()
    return seen


def gone(world):
    """Both are killed: new objects cannot be had, hits can."""
    world.first.kill()
    world.second.kill()
    seen = world.cold_and_hot()
    world.first.start()
    world.second.start()
    return seen


def no_name(world):
    world.before = ["http://no-such-name.invalid:80"]


def fault_of(authority, port):
    """What another client finds wrong with the certificate of a server: a code of OpenSSL, 0 for nothing."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("localhost", port)) as link:
        try:
            context.wrap_socket(link, server_hostname="localhost").close()
        except ssl.SSLCertVerificationError as error:
            return error.verify_code
    return 0


def expired(world):
    """An upstream in front whose certificate, of a trusted authority, is of 2020."""
    if not shutil.which("faketime"):
        raise NotHere("faketime is missing; install the package of that name")
    key, certificate = world.folder / "key.pem", world.folder / "certificate.pem"
    subprocess.run(
        ["faketime", "2020-01-01", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    upstream = Upstream(world.folder, "expired", (str(certificate), str(key)))
    world.others.append(upstream)
    world.before = [upstream.url]
    assert fault_of(certificate, upstream.port) == 10, "X509_V_ERR_CERT_HAS_EXPIRED, and nothing else"
    world.options = ["--upstream-ca", str(certificate)]


def clock(world):
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not library:
        raise NotHere("libfaketime is missing; install the package faketime")
    world.clock = world.folder / "clock"
    world.clock.write_text("+0")
    return {
        "LD_PRELOAD": library[0],
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_TIMESTAMP_FILE": str(world.clock),
    }


def date(world):
    """What the edge takes the time to be: the Date of its own refusal of a long target."""
    link = http.client.HTTPConnection("127.0.0.1", world.edge.port, timeout=10)
    link.request("GET", "/" + "a" * 9000)
    answer = link.getresponse()
    answer.read()
    link.close()
    return email.utils.parsedate_to_datetime(answer.headers["Date"])


def jump(by):
    def run(world):
        before = date(world)
        world.clock.write_text(by)
        time.sleep(2)
        seen = world.cold_and_hot()
        moved = abs(date(world) - before)
        assert moved > datetime.timedelta(hours=23), f"the clock of the edge moved by {moved} only"
        return seen

    return run


# Each connection takes the edge a descriptor, of which it needs some for itself.
IDLE = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
HOLDERS = 4


def idle(world):
    """Connections that ask for one object each and then say nothing, from many loopback addresses and several processes."""
    program = Path(__file__).with_name("idle.py")
    command = [sys.executable, "-B", program, str(world.edge.port), str(IDLE // HOLDERS)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    holders = [subprocess.Popen([*command, str(n)], **pipes) for n in range(HOLDERS)]
    seen = Counter()
    for holder in holders:
        seen.update(json.loads(holder.stdout.readline()))
    world.hits += world.cold_and_hot()
    for holder in holders:
        holder.communicate()
    return seen


def slow_heads(world):
    """Heads that come byte by byte and never end."""
    links = [socket.create_connection(("127.0.0.1", world.edge.port)) for _ in range(300)]
    for byte in b"GET /hot/1 HTTP/1.1\r\nHost: x\r\n"[:8]:
        for link in links:
            try:
                link.sendall(bytes([byte]))
            except OSError:
                pass
        time.sleep(0.3)
    seen = world.cold_and_hot()
    ends = Counter(end_of(link) for link in links)
    return seen + ends


def end_of(link):
    link.settimeout(20)
    try:
        got = link.recv(4096)
        return "closed" if not got else got[9:12].decode()
    except TimeoutError:
        return "left open"
    except OSError:
        return "closed"
    finally:
        link.close()


def slow_readers(world):
    """Clients that ask for many bodies and read none."""
    links = []
    for n in range(300):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", world.edge.port))
        link.sendall(f"GET /slow/{n % 40} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
        links.append(link)
    seen = world.cold_and_hot()
    time.sleep(4)
    for link in links:
        link.close()
    return seen


def huge_heads(world):
    seen = Counter()
    for size in (20_000, 200_000, 2_000_000):
        link = socket.create_connection(("127.0.0.1", world.edge.port))
        try:
            link.sendall(b"GET /hot/1 HTTP/1.1\r\nHost: x\r\nX: " + b"a" * size + b"\r\n\r\n")
        except OSError:
            pass
        seen[end_of(link)] += 1
    return seen + world.cold_and_hot()


def resets(world):
    """10,000 streams that are opened and reset at once, on 20 connections of HTTP/2."""
    frame = lambda kind, flags, stream, payload: len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    head = b"\x82\x86\x04\x06/hot/1\x01\x09localhost"
    seen = Counter()
    for _ in range(20):
        link = socket.create_connection(("127.0.0.1", world.edge.port))
        storm = b"".join(
            frame(1, 5, stream, head) + frame(3, 0, stream, (8).to_bytes(4, "big")) for stream in range(1, 1001, 2)
        )
        try:
            link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + storm)
        except OSError:
            pass
        link.close()
    return seen + world.cold_and_hot()


def purges(world):
    """20,000 purges of what is being read, and of what is not there."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        seen = pool.submit(world.cold_and_hot)
        names = [f"/hot/{n}" for n in range(20)] + [f"/none/{n}" for n in range(980)]
        for _ in range(20):
            assert world.edge.admin("POST", "/purge", {"paths": names, "soft": False})[0] == 200
        return seen.result()


def expired_alone(world):
    """Also asks while the expired one is the only upstream that lives: it must be refused, not used."""
    seen = world.cold_and_hot()
    world.first.kill()
    world.second.kill()
    got = get(world.edge, "/only/this")
    world.first.start()
    world.second.start()
    rest(world)
    assert got in ("502", "503"), got
    return seen


CLOCK = {"environment": clock}
ROWS = [
    Row("upstream killed in mid-body, another has the rest", killed, after=rest),
    Row("every upstream killed", gone, (502, 503, 504), after=rest),
    Row("first byte after 10 s, another upstream is well", mode("slow head"), after=rest),
    Row("first byte after 10 s, everywhere", mode("slow head", both=True), (502, 503, 504), after=rest),
    Row("throttled to 32 KB/s, everywhere", mode("throttled", both=True)),
    Row("half a body, another upstream has the rest", mode("short"), after=rest),
    Row("half a body, everywhere", mode("short", both=True), (502, 503, 504, "broken"), after=rest),
    Row("half a body under ever new entity tags, everywhere", mode("etag", both=True), (502, 503, 504, "broken"), after=rest),
    Row("bytes that are not what the digest says", mode("damaged", both=True), (502, 503, 504, "broken"), after=rest),
    Row("503, another upstream is well", mode("503"), after=rest),
    Row("503 everywhere", mode("503", both=True), (503, "503 without a problem"), after=rest),
    Row("name of an upstream cannot be resolved", World.cold_and_hot, prepare=no_name),
    Row("certificate of an upstream expired", expired_alone, prepare=expired),
    Row("clock a day forward", jump("+1d"), **CLOCK),
    Row("clock a day back", jump("-1d"), **CLOCK),
    Row(f"{IDLE:,} idle connections", idle, options=("--connections", "30000")),
    Row("heads that never end", slow_heads, (200, 408, "closed"), ("--header-timeout-ms", "3000")),
    Row("readers that do not read", slow_readers, (200,), ("--stall-timeout-ms", "3000")),
    Row("heads of up to 2 MB", huge_heads, (200, 431, "closed")),
    Row("10,000 rapid resets", resets, (200,), ("--h2c",)),
    Row("20,000 purges", purges, hits=("200", "200 fetched")),
]
