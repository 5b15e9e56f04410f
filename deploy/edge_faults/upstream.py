"""An upstream that fails on demand: `upstream.py MODE_FILE [CERTIFICATE KEY]` prints its port and serves.

The mode is read at each request from MODE_FILE, so that a fault begins and ends at once. The body of a path is always the
same bytes; `body` makes them for clients to compare. Where there is a file of signing keys beside MODE_FILE, it is shown in its place.
"""

import base64
import hashlib
import re
import socketserver
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

SIZE = 96 * 1024
KEYS = "/.well-known/segue-keys.json"


def body(path):
    """The bytes of a path."""
    return hashlib.shake_128(path.encode()).digest(SIZE)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        keys = Path(self.server.mode_file).with_suffix(".keys")
        if self.path == KEYS and keys.exists():
            return self.show(keys.read_bytes())
        mode = Path(self.server.mode_file).read_text().strip()
        whole = body(self.path)
        etag = f'"{hashlib.sha256(whole).hexdigest()[:16]}"'
        if mode == "503":
            return self.refuse()
        if mode == "slow head":
            time.sleep(10)
        if mode == "etag":  # another entity tag each time, and half a body: nobody may put the halves together
            etag = f'"{time.monotonic_ns()}"'
        digest = hashlib.sha256(whole).digest()
        if mode == "damaged":  # of the right length, not what the digest says
            whole = whole[:-1] + bytes([whole[-1] ^ 1])
        first = self.first(etag, len(whole))
        part = whole[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(whole) - 1}/{len(whole)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("ETag", etag)
        self.send_header("Repr-Digest", f"sha-256=:{base64.b64encode(digest).decode()}:")
        self.end_headers()
        self.send(part, mode)

    def first(self, etag, length):
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fits = self.headers.get("If-Range", etag) == etag
        return int(asked[1]) if asked and fits and int(asked[1]) < length else 0

    def show(self, keys):
        self.send_response(200)
        self.send_header("Content-Length", str(len(keys)))
        self.end_headers()
        self.wfile.write(keys)

    def refuse(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, part, mode):
        if mode in ("short", "etag"):
            self.wfile.write(part[: len(part) // 2])
            self.close_connection = True
        elif mode == "hang":  # until it is killed
            self.wfile.write(part[: len(part) // 2])
            time.sleep(60)
        elif mode == "throttled":
            for at in range(0, len(part), 8192):
                self.wfile.write(part[at : at + 8192])
                time.sleep(0.25)
        else:
            self.wfile.write(part)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        pass


def main(mode_file, port, certificate=None, key=None):
    server = Server(("127.0.0.1", int(port)), Handler)
    server.mode_file = mode_file
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
