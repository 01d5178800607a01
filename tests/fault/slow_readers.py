"""Clients which open a stream to a gateway and never read from it: just enough of HTTP/2 and gRPC
to ask. As processes of the command line, as many would need more memory than the test is about."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


class SlowReader:
    """A Watch of one job over a connection of its own."""

    def __init__(self, address, job):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the least there is
        self._socket.connect(address.removeprefix("unix:"))
        name = job.encode()
        request = b"\x0a" + bytes([len(name)]) + name  # field 1 of WatchRequest
        self._socket.sendall(
            PREFACE + frame(SETTINGS, 0, 0, b"") +
            frame(HEADERS, END_HEADERS, 1, watch_headers()) +
            frame(DATA, END_STREAM, 1, struct.pack(">BI", 0, len(request)) + request))

    def is_served(self):
        """Whether the first bytes of an answer are there."""
        return len(self._socket.recv(9, socket.MSG_PEEK)) == 9

    def close(self):
        self._socket.close()


def frame(kind, flags, stream, body):
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def watch_headers():
    """Without compression: an indexed :method and :scheme, the rest as literals."""
    def literal(name, value):
        return bytes([0, len(name)]) + name + bytes([len(value)]) + value
    return (b"\x83\x86" + literal(b":path", b"/phasor.v1.Images/Watch") +
            literal(b":authority", b"localhost") + literal(b"te", b"trailers") +
            literal(b"content-type", b"application/grpc"))
