"""Runs the rows and prints the table."""

import resource
import shutil
import sys
import tempfile
import time
from collections import Counter

import around
import rows
from processes import Edge, crowd
from rows import HOT


def try_row(row):
    """One row: a fresh edge, warmed until its memory is that of a full cache; the fault; the time after it."""
    folder, world = tempfile.mkdtemp(), None
    try:
        world = row.world(folder)
        row.prepare(world)
        environment = row.environment(world)
    except rows.NotHere as why:
        print(f"| {row.name} | | | | | | left out: {why} |", flush=True)
        if world:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
        return True
    try:
        options = [*row.options, *world.options]
        edge = Edge(folder, world.urls(), options, environment, world.catalog, world.cage)
        world.edge = edge
        # Three times what the cache holds, then what the clients of the row will hit.
        warm = crowd(edge, [f"/warm/{n}" for n in range(500)] + HOT * 6)
        before = edge.rss()
        world.hits = Counter()
        seen = row.run(world)
        world.hits += crowd(edge, HOT, hit=True)
        row.after(world)
        recovered = crowd(edge, [f"/after/{row.slug}/{n}" for n in range(60)] + HOT * 2)
        rss = settled(edge, before)
        panics = edge.stop()
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    wrong = sum(it["WRONG"] for it in (warm, seen, world.hits, recovered))
    allowed = {str(it) for it in row.allowed}
    faults = [
        name
        for name, holds in {
            "wrong bytes": wrong == 0,
            "panics": panics == 0,
            "warm": set(warm) == {"200"},
            "clients saw what is not documented": set(seen) <= allowed,
            "hits failed": set(world.hits) <= set(row.hits),
            "not well afterwards": set(recovered) == {"200"},
            "memory": rss <= before * 1.1,
        }.items()
        if not holds
    ]
    memory = f"{before >> 10} to {rss >> 10} MiB"
    print(f"| {row.name} | {told(seen)} | {told(world.hits)} | {wrong} | {panics} | {memory} | {', '.join(faults) or 'ok'} |", flush=True)
    if "not well afterwards" in faults:
        print(f"    afterwards: {told(recovered)}", file=sys.stderr)
    return not faults


def settled(edge, before):
    """Memory once it is back, or after 15 s."""
    for _ in range(30):
        if edge.rss() <= before * 1.1:
            break
        time.sleep(0.5)
    return edge.rss()


def told(counts):
    return ", ".join(f"{seen} x {count}" for seen, count in sorted(counts.items())) or "none"


def main(words):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (65536, max(hard, 65536)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("| what was done | what clients saw of new objects | hits meanwhile | wrong bytes | panics | memory | |")
    print("|---|---|---|---|---|---|---|", flush=True)
    wanted = [row for row in [*rows.ROWS, *around.ROWS] if not words or any(word in row.name for word in words)]
    failed = [row.name for row in wanted if not try_row(row)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


main(sys.argv[1:])
