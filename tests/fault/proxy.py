"""A relay in front of Redis which understands enough of its protocol to name the script of each
call, and which loses the calls that rules choose.
"""

import asyncio

from record import Call, Record
from relay import Link, Relay
from resp import Parser
from rule import LOSE_REPLY, LOSE_REQUEST


class RedisLink(Link):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.waiting = []  # calls passed on whose reply has not come

    async def _requests(self):
        parser = Parser()
        while data := await self.reader.read(1 << 16):
            await self.relay.delay(self.door)
            for raw, command in parser.feed(data):
                await self.door.open.wait()
                call = Call(self.door.client, self.relay.record.names.name_of(command), command)
                if self.relay.verdict(LOSE_REQUEST, call):
                    return
                self.relay.record.passed(call)
                self.waiting.append(call)
                self.server_writer.write(raw)
            await self.server_writer.drain()

    async def _replies(self):
        parser = Parser()
        while data := await self.server_reader.read(1 << 16):
            await self.relay.delay(self.door)
            for raw, reply in parser.feed(data):
                if self.waiting:
                    call = self.waiting.pop(0)
                    self.relay.record.answered(call, reply)
                    if self.relay.verdict(LOSE_REPLY, call):
                        return
                await self.door.open.wait()
                self.writer.write(raw)
            await self.writer.drain()


class Proxy(Relay):
    def __init__(self, redis_socket, seed=0):
        self.record = Record()
        self._socket = redis_socket
        super().__init__(lambda: asyncio.open_unix_connection(self._socket, limit=1 << 20), seed,
                         RedisLink)

    def point_to(self, redis_socket):
        """Connections lead there from now on; those that stand stay where they are, as they do when
        a name changes its meaning."""
        self._socket = redis_socket
