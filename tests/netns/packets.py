# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv4 packets made by hand, whole or in fragments, the way for them into a phone's tunnel, and raw
witnesses of what arrives."""

import contextlib
import select
import socket
import struct
import time

from node import SLOW
from probes import PACKET_OUTGOING, SO_RCVBUFFORCE, Witness, checksum

TCP, UDP, ICMP = socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP
ECHO_REPLY, UNREACHABLE, REDIRECT, ICMP_ECHO, TIME_EXCEEDED = 0, 3, 5, 8, 11
HOST_UNREACHABLE, PORT_UNREACHABLE, FRAGMENTATION_NEEDED, PROHIBITED = 1, 3, 4, 13
MORE = 0x2000  # fragments follow
SYN, ACK, RST = 0x02, 0x10, 0x04
IPV4 = 0x0800
PACKET_OTHERHOST = 3


def packet(source, destination, protocol, payload, options=b"", ident=4711, fragment=0):
    """`fragment`: the field of IP's header: flags, and the offset in units of eight bytes."""
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), ident, fragment,
                         64, protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    header += options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def fragments(source, destination, protocol, pieces, ident):
    """[(offset in bytes, bytes, more)] as packets."""
    return [packet(source, destination, protocol, data, ident=ident,
                   fragment=offset // 8 | (MORE if more else 0)) for offset, data, more in pieces]


def cut(payload, size):
    """The pieces of a payload, of so many bytes each."""
    return [(at, payload[at:at + size], at + size < len(payload))
            for at in range(0, len(payload), size)]


def icmp(kind, code=0, rest=b"\0\0\0\0", data=b""):
    body = struct.pack("!BBH", kind, code, 0) + rest + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def echo_request(data=b""):
    return icmp(ICMP_ECHO, 0, struct.pack("!HH", 7, 1), data)


def udp(source_port, port, data):
    """Without a checksum, which IPv4 allows."""
    return struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data


def tcp(source, destination, source_port, port, flags=SYN, data=b""):
    head = struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, flags, 1024, 0, 0) + data
    pseudo = (socket.inet_aton(source) + socket.inet_aton(destination) +
              struct.pack("!BBH", 0, TCP, len(head)))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def into_tunnel(phone):
    """A function that puts any packet into the phone's tunnel."""
    return onto(phone.node, phone.interface)


def onto(node, interface, mac=b""):
    """A function that puts any packet onto that interface, with Ethernet to that address."""
    s = node.socket(socket.AF_PACKET, socket.SOCK_DGRAM, IPV4)

    def send(*packets):
        for p in packets:
            with contextlib.suppress(OSError):  # its queue is full
                s.sendto(p, (interface, IPV4, 0, 0, mac) if mac else (interface, IPV4))
    return send


class Raw(Witness):
    """Sees the bytes of IPv4 packets that arrive at an interface, fragments and all."""

    def take(self):
        seen = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, origin = self.socket.recvfrom(65536)
                if origin[1] == IPV4 and origin[2] not in (PACKET_OUTGOING, PACKET_OTHERHOST):
                    seen.append(data)
        return seen

    def await_bytes(self, wanted, seconds=5):
        """All packets up to and with the first for which wanted(bytes) is true."""
        before = []
        deadline = time.monotonic() + seconds * SLOW
        while (left := deadline - time.monotonic()) > 0:
            select.select([self.socket], [], [], left)
            before += self.take()
            if any(map(wanted, before)):
                return before
        raise AssertionError(f"the packet did not come; only {before}")


class Delivered:
    """IPv4 packets that a node's own kernel takes as meant for itself, after its firewall."""

    def __init__(self, node):
        self.sockets = [node.socket(socket.AF_INET, socket.SOCK_RAW, p)
                        for p in (TCP, UDP, ICMP, socket.IPPROTO_IGMP)]
        for s in self.sockets:
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            s.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()

    def take(self):
        seen = []
        for s in self.sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    seen.append(s.recv(65536))
        return seen


def inner(data):
    """(protocol, what follows the IP header)"""
    return data[9], data[(data[0] & 15) * 4:]


def addresses(data):
    return socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])


def offset(data):
    """Where a fragment begins, in units of eight bytes."""
    return struct.unpack("!H", data[6:8])[0] & 0x1FFF
