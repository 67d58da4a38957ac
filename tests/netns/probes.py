# SPDX-License-Identifier: GPL-2.0-or-later
"""Real probes: TCP, UDP and ICMP from a node, and witnesses of what arrived at another."""

import collections
import errno
import os
import select
import socket
import struct
import time

from node import SLOW

PROBE_SECONDS = 3  # how long a silence must be to be called one

# kind: "open", "refused" (reset, or port unreachable), "prohibited" (ICMP says that it is
# administratively prohibited, or another unreachable), "timeout". seconds: until the answer came.
Answer = collections.namedtuple("Answer", "kind seconds data", defaults=[b""])

AT_ONCE = 1.0 * SLOW  # a refusal later than this is a spinner on the phone

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "prohibited",
    errno.ENETUNREACH: "prohibited",
    errno.EACCES: "prohibited",
}


def _kind(number):
    if number not in _KINDS:
        raise OSError(number, os.strerror(number))
    return _KINDS[number]


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _bind_to(s, device):
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")


def tcp_probe(node, address, port, seconds=PROBE_SECONDS, device=None):
    seconds *= SLOW
    with node.socket(_family(address)) as s:
        _bind_to(s, device)
        s.setblocking(False)
        began = time.monotonic()
        try:
            number = s.connect_ex((address, port))
            if number == errno.EINPROGRESS:
                if not select.select([], [s], [], seconds)[1]:
                    return Answer("timeout", seconds)
                number = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as error:
            number = error.errno
        taken = time.monotonic() - began
        return Answer(_kind(number) if number else "open", taken)


def udp_probe(node, address, port, payload=b"probe", seconds=PROBE_SECONDS, device=None):
    """Open means that an answer came."""
    seconds *= SLOW
    with node.socket(_family(address), socket.SOCK_DGRAM) as s:
        _bind_to(s, device)
        s.settimeout(seconds)
        began = time.monotonic()
        try:
            s.connect((address, port))
            s.send(payload)
            return Answer("open", time.monotonic() - began, s.recv(65536))
        except socket.timeout:
            return Answer("timeout", seconds)
        except OSError as error:
            return Answer(_kind(error.errno), time.monotonic() - began)


def checksum(data):
    """The internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(node, address, seconds=PROBE_SECONDS, device=None):
    """One echo request; also tells a refusal by ICMP from silence."""
    ident = int.from_bytes(os.urandom(2), "big")
    body = struct.pack("!HH", ident, 1) + os.urandom(16)
    request = struct.pack("!BBH", 8, 0, 0) + body
    request = struct.pack("!BBH", 8, 0, checksum(request)) + body
    seconds *= SLOW
    with node.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        _bind_to(s, device)
        began = time.monotonic()
        try:
            s.sendto(request, (address, 0))
        except OSError as error:
            return Answer(_kind(error.errno), time.monotonic() - began)
        while (left := began + seconds - time.monotonic()) > 0:
            if not select.select([s], [], [], left)[0]:
                break
            packet = s.recv(65536)
            icmp = packet[(packet[0] & 15) * 4:]
            taken = time.monotonic() - began
            if icmp[0] == 0 and icmp[4:] == body:
                return Answer("open", taken)
            # an unreachable quotes our IP header and the first eight bytes of the request
            if icmp[0] == 3 and icmp[8 + 20 + 4:8 + 20 + 6] == body[:2]:
                return Answer("prohibited", taken, bytes([icmp[1]]))
        return Answer("timeout", seconds)


def ping6(node, address, seconds=PROBE_SECONDS, device=None):
    """The same by ICMPv6, whose checksum is the kernel's business. 1: a destination is unreachable;
    it quotes the IPv6 header and the request."""
    ident = os.urandom(2)
    request = b"\x80\0\0\0" + ident + b"\0\1" + os.urandom(16)
    seconds *= SLOW
    with node.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
        _bind_to(s, device)
        began = time.monotonic()
        try:
            s.sendto(request, (address, 0))
        except OSError as error:
            return Answer(_kind(error.errno), time.monotonic() - began)
        while (left := began + seconds - time.monotonic()) > 0:
            if not select.select([s], [], [], left)[0]:
                break
            icmp = s.recv(65536)
            taken = time.monotonic() - began
            if icmp[0] == 129 and icmp[4:] == request[4:]:
                return Answer("open", taken)
            if icmp[0] == 1 and icmp[8 + 40 + 4:8 + 40 + 6] == ident:
                return Answer("prohibited", taken, icmp[1:2])
        return Answer("timeout", seconds)


def ping6_sent(node, address, interface):
    """Sends an ICMPv6 echo request by one interface; nobody waits for an answer."""
    with node.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
        _bind_to(s, interface)
        s.sendto(struct.pack("!BBHHH", 128, 0, 0, 7, 1) + b"x" * 16, (address, 0))


ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33  # asm-generic/socket.h: whatever the machine's limit is

Seen = collections.namedtuple("Seen", "source destination protocol source_port port time")


class Witness:
    """Sees every IP packet that arrives at one interface of a node, before its firewall."""

    def __init__(self, node, interface):
        # cooked: the same with and without Ethernet, a tunnel's interface has none
        self.socket = node.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.socket.bind((interface, ETH_P_ALL))
        self.socket.setblocking(False)
        self.take()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def take(self):
        """What has come since the last call: unicast IP packets, oldest first. IPv6's own
        neighbour chatter and packets that the node sent itself are left out."""
        seen = []
        while True:
            try:
                data, origin = self.socket.recvfrom(65536)
            except BlockingIOError:
                return seen
            if origin[2] != PACKET_OUTGOING and (packet := _decode(origin[1], data)):
                seen.append(packet)

    def await_one(self, wanted, seconds=5):
        """All packets up to and with the first that is wanted."""
        before = []
        deadline = time.monotonic() + seconds * SLOW
        while (left := deadline - time.monotonic()) > 0:
            select.select([self.socket], [], [], left)
            before += self.take()
            if any(wanted(p) for p in before):
                return before
        raise AssertionError(f"the witness did not see the packet; only {before}")


def _decode(kind, data):
    if len(data) < 20:
        return None
    if kind == 0x0800:
        header = (data[0] & 15) * 4
        protocol, rest = data[9], data[header:]
        source = socket.inet_ntop(socket.AF_INET, data[12:16])
        destination = socket.inet_ntop(socket.AF_INET, data[16:20])
        # a membership report of a bridge without an address (RFC 3376, 4.2.13), not anybody's traffic
        if protocol == 2 and source == "0.0.0.0":
            return None
    elif kind == 0x86DD and len(data) >= 40:
        protocol, rest = data[6], data[40:]
        source = socket.inet_ntop(socket.AF_INET6, data[8:24])
        destination = socket.inet_ntop(socket.AF_INET6, data[24:40])
        # multicast listener and neighbour discovery, not anybody's traffic
        if protocol == 0 or (protocol == 58 and rest and rest[0] in range(130, 144)):
            return None
    else:
        return None
    ports = struct.unpack("!HH", rest[:4]) if protocol in (6, 17) and len(rest) >= 4 else (0, 0)
    return Seen(source, destination, protocol, ports[0], ports[1], time.monotonic())
