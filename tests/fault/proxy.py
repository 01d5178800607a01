"""A proxy in front of Redis which understands enough of its protocol to name the script of each
call, and which loses, delays, holds, refuses or resets what it is told to.

Every process has a door of its own (a unix socket or a TCP port), named after it, so that a fault
can strike one process alone. The proxy runs in a thread; faults are set from any other.
"""

import asyncio
import random
import threading

import redis_layout
from record import Call, Record
from resp import Parser

LOSE_REQUEST = "lose request"  # Redis never sees it
LOSE_REPLY = "lose reply"      # Redis has done it, the caller never hears
PASS = "pass"


class Rule:
    """Strikes calls of the scripts in `scripts` (all if empty), with those that share the command,
    from clients whose name begins with `client`, `count` times at most, each with `probability`.
    `once_each`: a call with the same first arguments (the job, its owner's token) is struck only
    once, so that its repetition gets through. `when` looks at the call, for a reply also at that.
    `on_hit` is called on the proxy's thread before the call is lost."""

    def __init__(self, action, scripts=(), client="", count=None, probability=1.0,
                 once_each=False, when=None, on_hit=None, seed=0):
        self.action, self.scripts, self.client = action, set(scripts), client
        self.left, self.probability = count, probability
        self.when, self.on_hit = when, on_hit
        self.struck = set() if once_each else None
        self.hits = {}  # script -> calls struck
        self._random = random.Random(seed)

    def strikes(self, call):
        if self.left == 0 or not call.client.startswith(self.client):
            return False
        names = {part.name for part in call.parts}
        if self.scripts and not self.scripts & names or not call.is_script():
            return False
        if self.when and not self.when(call):
            return False
        if self.struck is not None:
            key = (call.name, *redis_layout.identity(call.parts[0].command))
            if key in self.struck:
                return False
            self.struck.add(key)
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        for name in names:
            self.hits[name] = self.hits.get(name, 0) + 1
        if self.on_hit:
            self.on_hit(call)
        return True


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
    """One connection of a process and the one to Redis that belongs to it."""

    def __init__(self, proxy, door, client, redis):
        self.proxy, self.door = proxy, door
        self.reader, self.writer = client
        self.redis_reader, self.redis_writer = redis
        self.waiting = []  # calls passed on whose reply has not come
        self.is_stream = False  # after SUBSCRIBE replies come unasked

    async def run(self):
        self.door.links.add(self)
        pumps = [asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._replies())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.close()
            self.door.links.discard(self)

    def close(self):
        for writer in (self.writer, self.redis_writer):
            writer.transport.abort()

    async def _requests(self):
        parser = Parser()
        while data := await self.reader.read(1 << 16):
            await self.proxy.delay(self.door)
            for raw, command in parser.feed(data):
                await self.door.open.wait()
                call = Call(self.door.client, self.proxy.record.names.name_of(command), command)
                if self.proxy.verdict(LOSE_REQUEST, call):
                    return
                if call.name in ("SUBSCRIBE", "PSUBSCRIBE"):
                    self.is_stream = True
                self.proxy.record.passed(call)
                self.waiting.append(call)
                self.redis_writer.write(raw)
            await self.redis_writer.drain()

    async def _replies(self):
        parser = Parser()
        while data := await self.redis_reader.read(1 << 16):
            await self.proxy.delay(self.door)
            for raw, reply in parser.feed(data):
                if self.waiting:
                    call = self.waiting.pop(0)
                    self.proxy.record.answered(call, reply)
                    if self.proxy.verdict(LOSE_REPLY, call):
                        return
                await self.door.open.wait()
                self.writer.write(raw)
            await self.writer.drain()


class Proxy:
    def __init__(self, redis_socket, seed=0):
        self.record = Record()
        self._redis = redis_socket
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
            redis = await asyncio.open_unix_connection(self._redis, limit=1 << 20)
        except OSError:
            writer.transport.abort()
            return
        await Link(self, door, (reader, writer), redis).run()

    # Faults; `client` is the beginning of doors' names, empty: all

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
