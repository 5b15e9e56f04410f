"""A TCP proxy that is slow on demand: `proxy.py MODE_FILE TARGET_PORT` prints its port and serves. The modes: ok; throttled, to
256 KB a second and connection; slow, 10 s before each answer."""

import asyncio
import sys
from pathlib import Path

PIECE = 8192


async def pump(reader, writer, mode=lambda: "ok"):
    last = 0
    clock = asyncio.get_running_loop().time
    try:
        while piece := await reader.read(PIECE):
            if mode() == "slow" and clock() - last > 0.2:
                await asyncio.sleep(10)
            if mode() == "throttled":
                await asyncio.sleep(PIECE / (256 << 10))
            writer.write(piece)
            await writer.drain()
            last = clock()
    except OSError:
        pass
    finally:
        writer.close()


async def main(mode_file, target):
    async def serve(reader, writer):
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", int(target))
        except OSError:
            return writer.close()
        mode = Path(mode_file).read_text
        await asyncio.gather(pump(reader, requests), pump(answers, writer, mode))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
