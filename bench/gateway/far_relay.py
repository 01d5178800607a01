#!/usr/bin/env python3
"""far_relay.py LISTEN SERVER MS: a unix socket behind which another one is that many milliseconds of
round trip away. It delays bytes without slowing down what follows them."""
import asyncio
import sys


async def pump(reader, writer, delay):
    loop = asyncio.get_running_loop()
    on_the_way = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await on_the_way.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    delivery = asyncio.ensure_future(deliver())
    while data := await reader.read(1 << 20):
        on_the_way.put_nowait((loop.time() + delay, data))
    on_the_way.put_nowait((loop.time(), b""))
    await delivery


async def main(listen, server, milliseconds):
    delay = float(milliseconds) / 2000

    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(server)
        await asyncio.gather(pump(reader, far_writer, delay), pump(far_reader, writer, delay),
                             return_exceptions=True)

    async with await asyncio.start_unix_server(connected, listen) as relay:
        await relay.serve_forever()


asyncio.run(main(*sys.argv[1:]))
