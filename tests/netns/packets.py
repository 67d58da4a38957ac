# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv4 packets made by hand, and the way for them into a phone's tunnel."""

import socket
import struct

ICMP_ECHO = 8


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(source, destination, protocol, payload, options=b""):
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), 4711, 0, 64,
                         protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    header += options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def echo_request():
    body = struct.pack("!BBHHH", ICMP_ECHO, 0, 0, 7, 1)
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def into_tunnel(phone):
    """A function that puts any packet into the phone's tunnel."""
    s = phone.node.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0x0800)

    def send(*packets):
        for p in packets:
            try:
                s.sendto(p, ("wg0", 0x0800))
            except OSError:
                pass  # its queue is full
    return send
