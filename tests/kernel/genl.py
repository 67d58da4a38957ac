# SPDX-License-Identifier: GPL-2.0-or-later
"""WireGuard's generic netlink as it passes by, and attribute trees of it that can be compared. Knows
nothing of our own encoder.

What a program sends is taken from strace: a tap of the kernel's (nlmon) would show secrets wiped, for
the kernel wipes them in the very message. The tap is for what the kernel answers.

A message in tests/golden/genl/ is one line of hex: sequence number and port id are zero, WireGuard's
family number is FAMILY (each boot may give it another)."""

import re
import select
import socket
import struct

FAMILY = 29
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 1, 4, 0x10, 0x300
GET_DEVICE, SET_DEVICE = 0, 1
DEVICE_IFNAME, DEVICE_FLAGS, DEVICE_PEERS = 2, 5, 8
PEER_KEY, PEER_FLAGS, PEER_ALLOWED_IPS = 1, 3, 9
ETH_P_ALL, NETLINK_GENERIC, SO_RCVBUFFORCE = 3, 16, 33
HEADER = struct.Struct("=IHHII")


def attribute(kind, value):
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def attributes(data):
    """[(type without flags, value)]"""
    found = []
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        assert 4 <= length <= len(data)
        found.append((kind & 0x3FFF, data[4:length]))
        data = data[(length + 3) & ~3:]
    assert not data
    return found


def messages(data):
    """[(type, flags, sequence, payload)] of one datagram."""
    found = []
    while len(data) >= HEADER.size:
        length, kind, flags, sequence, _ = HEADER.unpack_from(data)
        assert HEADER.size <= length <= len(data)
        found.append((kind, flags, sequence, data[HEADER.size:length]))
        data = data[(length + 3) & ~3:]
    return found


def golden_line(message):
    kind, flags, _, payload = message
    kind = FAMILY if kind > GENL_ID_CTRL else kind
    return (HEADER.pack(HEADER.size + len(payload), kind, flags, 0, 0) + payload).hex()


class Talker:
    """A plain generic netlink socket of a namespace. Its reads are small, so that the kernel has to
    spread a dump, and even one peer, over messages."""

    READ = 4096

    def __init__(self, ns):
        self.socket = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.sequence = 0
        answer = self.ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST,
                          attribute(CTRL_ATTR_FAMILY_NAME, b"wireguard\0"))
        found = dict(attributes(answer[0][3][4:]))
        self.family = struct.unpack("=H", found[CTRL_ATTR_FAMILY_ID])[0]

    def close(self):
        self.socket.close()

    def ask(self, kind, command, flags, payload):
        self.sequence += 1
        body = struct.pack("=BBH", command, 1, 0) + payload
        self.socket.send(HEADER.pack(HEADER.size + len(body), kind, flags, self.sequence, 0) + body)
        found = []
        while True:
            found += messages(self.socket.recv(self.READ))
            if found[-1][0] == NLMSG_DONE or not flags & NLM_F_DUMP:
                return found

    def dump(self, interface):
        """The messages with which the kernel tells a device."""
        return self.ask(self.family, GET_DEVICE, NLM_F_REQUEST | NLM_F_DUMP,
                        attribute(DEVICE_IFNAME, interface.encode() + b"\0"))


class Tap:
    """Sees all generic netlink of a namespace."""

    def __init__(self, ns, family):
        self.family = family
        ns.ip("link", "add", "tap", "type", "nlmon")
        ns.ip("link", "set", "tap", "up")
        self.socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.bind(("tap", ETH_P_ALL))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    def take(self):
        """Messages of WireGuard's family, both ways, since the last call. The kernel hands them to the
        tap before it goes on, so nothing is waited for: beside a busy writer there would be no end."""
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            found += [m for m in messages(self.socket.recv(1 << 17)) if m[0] == self.family]
        return found


TRACE = ("strace", "-qq", "-s", "0", "-e", "trace=sendto,sendmsg", "-e", "write=all", "-o")
_DUMP = re.compile(r" \| ([0-9a-f]{5,})  ((?:[0-9a-f]{2} {1,2}){1,16})")


def traced(path, family):
    """The SET_DEVICE messages that the program sent that ran under TRACE with this file."""
    sent = []
    with open(path, encoding="ascii", errors="replace") as f:
        for line in f:
            dump = _DUMP.match(line)
            if dump and int(dump[1], 16) == 0:
                sent.append(b"")
            if dump:
                sent[-1] += bytes.fromhex(dump[2])
    found = [m for data in sent for m in messages(data)]
    return [m for m in found if m[0] == family and m[3][0] == SET_DEVICE]


# ---- trees --------------------------------------------------------------------------------------

def peer_tree(data):
    tree = {}
    for kind, value in attributes(data):
        assert kind not in tree, "an attribute twice"
        tree[kind] = value
    if PEER_ALLOWED_IPS in tree:
        tree[PEER_ALLOWED_IPS] = [dict(attributes(v)) for _, v in attributes(tree[PEER_ALLOWED_IPS])]
    return tree


def device_tree(requests):
    """What SET_DEVICE messages say together. Order within a nest of named attributes means nothing;
    order of peers and of allowed IPs does. A peer that goes on in the next message is one peer."""
    device, peers = {}, []
    for kind, flags, _, payload in requests:
        assert flags == NLM_F_REQUEST | NLM_F_ACK, flags
        for kind, value in attributes(payload[4:]):
            if kind != DEVICE_PEERS:
                assert device.get(kind, value) == value
                device[kind] = value
                continue
            for _, data in attributes(value):
                peer = peer_tree(data)
                if peers and peers[-1][PEER_KEY] == peer[PEER_KEY]:
                    peers[-1][PEER_ALLOWED_IPS] += peer.pop(PEER_ALLOWED_IPS, [])
                    peer.update(peers[-1])
                    peers[-1] = peer
                else:
                    peers.append(peer)
    return device, peers
