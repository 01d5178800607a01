"""Passes bytes between processes and a server, and stops, delays, refuses or resets them when told
to. What the bytes mean is known to those who derive from it (proxy.py) or not at all.

Every process has a door of its own (a unix socket or a TCP port), named after it, so that a fault
can strike one process alone. The relay runs in a thread; faults are set from any other.
"""

import asyncio
import random
import threading
import traceback


class Door:
    """Where one process connects."""

    def __init__(self, client):
        self.client = client
        self.open = asyncio.Event()
        self.open.set()
        self.refused = False
        self.links = set()
        self.server = None


class Link:
    """One connection of a process and the one to the server that belongs to it."""

    def __init__(self, relay, door, client, server):
        self.relay, self.door = relay, door
        self.reader, self.writer = client
        self.server_reader, self.server_writer = server

    async def run(self):
        self.door.links.add(self)
        pumps = [asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._replies())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for ended in await asyncio.gather(*pumps, return_exceptions=True):
                # A connection breaks when it is told to; anything else is a fault of the campaign.
                if isinstance(ended, Exception) and not isinstance(ended, OSError):
                    traceback.print_exception(ended)
            self.close()
            self.door.links.discard(self)

    def close(self):
        for writer in (self.writer, self.server_writer):
            writer.transport.abort()

    async def _requests(self):
        while data := await self.reader.read(1 << 16):
            await self.relay.delay(self.door)
            await self.door.open.wait()
            if not self.passes_request(data):
                return
            self.server_writer.write(data)
            await self.server_writer.drain()

    async def _replies(self):
        while data := await self.server_reader.read(1 << 16):
            await self.relay.delay(self.door)
            if not self.passes_reply(data):
                return
            await self.door.open.wait()
            self.writer.write(data)
            await self.writer.drain()

    def passes_request(self, data):
        """False: it is lost, and the connection with it."""
        return True

    def passes_reply(self, data):
        return True


class Relay:
    """`connect`: gives a coroutine which connects to the server. `link`: the class of Link."""

    def __init__(self, connect, seed=0, link=Link):
        self._connect, self._link = connect, link
        self._random = random.Random(seed)
        self._doors = {}
        self._rules = []
        self._latency = (0.0, 0.0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    # Doors

    def add_door(self, client, path):
        self._call(self._open(client, lambda handle: asyncio.start_unix_server(handle, path)))

    def add_tcp_door(self, client):
        """A door on a free port of 127.0.0.1, which it returns."""
        door = self._call(self._open(
            client, lambda handle: asyncio.start_server(handle, "127.0.0.1", 0)))
        return door.server.sockets[0].getsockname()[1]

    async def _open(self, client, start):
        door = self._doors[client] = Door(client)
        door.server = await start(lambda reader, writer: self._connected(door, reader, writer))
        return door

    async def _connected(self, door, reader, writer):
        if door.refused:
            writer.transport.abort()
            return
        try:
            await door.open.wait()
            server = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        await self._link(self, door, (reader, writer), server).run()

    # Faults; `client` is the beginning of doors' names, empty: all. For rules: see rule.py.

    def add(self, rule):
        self._rules.append(rule)
        return rule

    def remove(self, rule):
        self._rules.remove(rule)

    def clear(self):
        """No rules, no latency, every door open."""
        self._rules.clear()
        self.set_latency(0, 0)
        self.heal()

    def set_latency(self, seconds, jitter):
        """Of each round trip: half of it in each direction."""
        self._latency = (seconds / 2, jitter / 2)

    def black_hole(self, client=""):
        """Nothing moves any more; what was sent arrives once it is healed, as TCP does it."""
        self._each(client, lambda door: door.open.clear())

    def refuse(self, client=""):
        """Connections are closed at once; those that exist are reset."""
        def close(door):
            door.refused = True
            for link in list(door.links):
                link.close()
        self._each(client, close)

    def reset(self, client=""):
        self._each(client, lambda door: [link.close() for link in list(door.links)])

    def heal(self, client=""):
        def heal(door):
            door.refused = False
            door.open.set()
        self._each(client, heal)

    def _each(self, client, action):
        async def all_doors():
            for name, door in self._doors.items():
                if name.startswith(client):
                    action(door)
        self._call(all_doors())

    # For links

    def verdict(self, action, call):
        return any(rule.strikes(call) for rule in list(self._rules) if rule.action == action)

    async def delay(self, door):
        mean, jitter = self._latency
        if mean > 0:
            await asyncio.sleep(max(0.0, mean + self._random.uniform(-jitter, jitter)))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def stop(self):
        async def close():
            for door in self._doors.values():
                door.server.close()
                for link in list(door.links):
                    link.close()
        self._call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
