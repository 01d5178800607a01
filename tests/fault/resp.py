"""Redis's wire format (RESP2): commands and replies as bytes, and a small blocking client."""

import socket


class ErrorReply(bytes):
    """What Redis says after '-'."""


class Incomplete(Exception):
    """More bytes are needed."""


class Parser:
    """Cuts a stream of bytes into messages: commands and replies have the same form."""

    def __init__(self):
        self._data = bytearray()

    def feed(self, data):
        """Yields (bytes as they came, value) for each message that is complete now."""
        self._data += data
        while self._data:
            try:
                value, end = self._value(0)
            except Incomplete:
                return
            raw = bytes(self._data[:end])
            del self._data[:end]
            yield raw, value

    def _value(self, at):
        end = self._data.find(b"\r\n", at)
        if end < 0:
            raise Incomplete
        kind, line, at = self._data[at:at + 1], bytes(self._data[at + 1:end]), end + 2
        if kind == b"+":
            return line, at
        if kind == b"-":
            return ErrorReply(line), at
        if kind == b":":
            return int(line), at
        if kind == b"$":
            return self._bulk(int(line), at)
        if kind != b"*":
            raise ValueError(f"not Redis's format: {bytes(self._data[:64])!r}")
        if int(line) < 0:
            return None, at
        items = []
        for _ in range(int(line)):
            item, at = self._value(at)
            items.append(item)
        return items, at

    def _bulk(self, size, at):
        if size < 0:
            return None, at
        if len(self._data) < at + size + 2:
            raise Incomplete
        return bytes(self._data[at:at + size]), at + size + 2


def encode(*arguments):
    """A command as bytes."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if not isinstance(argument, bytes):
            argument = str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Client:
    """One blocking connection to a unix socket. Error replies are raised as RuntimeError."""

    def __init__(self, path, timeout=10):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(path)
        self._parser = Parser()

    def __call__(self, *arguments):
        self._socket.sendall(encode(*arguments))
        while True:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("Redis closed the connection")
            for _, value in self._parser.feed(data):
                if isinstance(value, ErrorReply):
                    raise RuntimeError(value.decode())
                return value

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
