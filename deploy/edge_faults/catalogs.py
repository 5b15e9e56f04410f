"""What clients ask for where a token is needed: made-up segments that an upstream serves, and real ones that lie in an S3 server."""

import atexit
import functools
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

from upstream import body

ASSET, REV = "00112233445566778899aabbccddeeff", "0a1b2c3d4e5f"
ACCESS = {"AWS_ACCESS_KEY_ID": "faults", "AWS_SECRET_ACCESS_KEY": "secret-of-this-run"}


def segue(*words, environment=None):
    command = [os.environ["SEGUE_BIN"], *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | (environment or {}))
    if done.returncode:
        raise RuntimeError(f"segue {words[0]} failed: {done.stderr}")
    return done.stdout.strip()


class Keys:
    """A file of signing keys."""

    def __init__(self, folder):
        self.file = folder / "signing.json"
        segue("token", "keys", "new", "--keys", self.file)

    def public(self):
        return segue("token", "keys", "public", "--keys", self.file)

    def active(self):
        lines = segue("token", "keys", "list", "--keys", self.file).splitlines()
        return next(line.split()[0] for line in lines if "active" in line)

    def rotate(self):
        segue("token", "keys", "rotate", "--keys", self.file, "--min-published", 0)

    def revoke(self, kid):
        segue("token", "keys", "revoke", "--keys", self.file, kid)

    def mint(self, asset, rev):
        return segue("token", "mint", "--keys", self.file, "--path", f"/v1/a/{asset}/{rev}/")


class Signed:
    """Segments of one asset, one for each path; upstreams make the bytes up."""

    options = ()

    def __init__(self, keys):
        self.keys = keys
        self.renew()

    def renew(self):
        """Takes a token of the key that is active now; answers the one before."""
        before, self.token = getattr(self, "token", None), self.keys.mint(ASSET, REV)
        return before

    def target(self, path, token=None):
        return f"/v1/~{token or self.token}/{self.tail(path)}"

    def body(self, path):
        return body(f"/v1/{self.tail(path)}")

    def tail(self, path):
        return f"a/{ASSET}/{REV}/aac-128/{zlib.crc32(path.encode())}.m4s"


class Published:
    """Segments of tracks that lie in a bucket: each path means another one, as long as there are more."""

    options = ()

    def __init__(self, keys, bucket):
        self.segments, self.places = [], {}
        for file in sorted(bucket.glob("a/*/*/asset.json")):
            self.read(file, keys)

    def read(self, file, keys):
        descriptor = json.loads(file.read_text())
        token = keys.mint(descriptor["asset"], descriptor["rev"])
        base = f"/v1/~{token}/a/{descriptor['asset']}/{descriptor['rev']}"
        for packed in descriptor["renditions"]:
            offset, objects = packed["init"]["size"], file.with_name(f"{packed['name']}.mp4")
            for index, size in enumerate(packed["segment_sizes"]):
                self.segments.append((f"{base}/{packed['name']}/{index}.m4s", objects, offset, size))
                offset += size

    def place(self, path):
        return self.segments[self.places.setdefault(path, len(self.places)) % len(self.segments)]

    def target(self, path):
        return self.place(path)[0]

    def body(self, path):
        _, objects, offset, size = self.place(path)
        with objects.open("rb") as file:
            file.seek(offset)
            return file.read(size)


class S3:
    """The S3 server of the benchmarks, as a process."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "music").mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        command = [os.environ["S3_BIN"], f"127.0.0.1:{self.port}", str(self.folder)]
        self.process = subprocess.Popen(command, env=os.environ | ACCESS)
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the S3 server did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()


def store(port):
    return f"s3://music?endpoint=http://127.0.0.1:{port}&region=us-east-1"


@functools.cache
def published(tracks=4, seconds=240):
    """The folder of an S3 server in which music lies, made once for all rows."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / "songs").mkdir()
    for number in range(tracks):
        # Noise, of which the encoder cannot save a bit.
        samples = random.Random(number).randbytes(seconds * 44_100 * 2)
        head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVEfmt ", 16, 1, 1, 44_100, 88_200, 2, 16, b"data", len(samples))  # fmt: skip
        (root / "songs" / f"{number}.wav").write_bytes(head + samples)
    server = S3(root / "s3")
    try:
        segue("transcode", root / "songs", "--to", store(server.port), "--strict", environment=ACCESS)
    finally:
        server.kill()
    return root / "s3"
