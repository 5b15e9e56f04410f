"""Holds connections to an edge open: `idle.py PORT COUNT NUMBER` asks once on each, prints what it saw, and waits for the end of
its input."""

import collections
import json
import resource
import socket
import sys

# Of one address, the edge takes 1,000.
EACH = 900


def main(port, count, number):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    links, seen = [], collections.Counter()
    for n in range(count):
        link = socket.socket()
        link.settimeout(10)
        link.bind((f"127.0.{number + 1}.{n // EACH + 1}", 0))
        link.connect(("127.0.0.1", port))
        link.sendall(b"HEAD /hot/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seen[link.recv(4096)[9:12].decode() or "closed"] += 1
        links.append(link)
    print(json.dumps(seen), flush=True)
    sys.stdin.read()


main(*map(int, sys.argv[1:]))
