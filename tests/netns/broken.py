# SPDX-License-Identifier: GPL-2.0-or-later
"""A core that is broken into: a test sits at its end of the privilege line, and says what it likes
or nothing."""

import os
import shutil
import socket
import struct

from node import BUILD, await_that

BEGIN, PRINTER_PUT, COMMIT, DUMP = 1, 2, 10, 11
RESULT = 65
VERSION = 1


def message(kind, body=b""):
    return struct.pack("<HHH", 4 + len(body), VERSION, kind) + body


def prefix(text):
    address, _, length = text.partition("/")
    return struct.pack("<IB", int.from_bytes(socket.inet_aton(address), "big"), int(length or 32))


class BrokenCore:
    """Sits at core's end of the privilege line."""

    def __init__(self, lab):
        gateway = lab.gateway
        programs = os.path.join(gateway.folder, "broken")
        os.makedirs(programs, exist_ok=True)
        shutil.copy(os.path.join(gateway.bin, "printgated"), programs)
        shutil.copy(os.path.join(gateway.bin, "printgate-web"), programs)
        shutil.copy(os.path.join(BUILD, "netns", "core_bridge"),
                    os.path.join(programs, "printgate-core"))
        self.lab = lab
        gateway.process = lab.gate.start([os.path.join(programs, "printgated"), "--config",
                                          gateway.config], log=gateway.log)
        path = os.path.join(gateway.runtime, "control.sock")
        await_that(lambda: os.path.exists(path), what="the control socket")
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.settimeout(10)
        await_that(self._connect, what="the line")
        self.line.recv(65536)  # HELLO

    def _connect(self):
        try:
            self.line.connect(os.path.join(self.lab.gateway.runtime, "control.sock"))
        except ConnectionRefusedError:
            return False
        return True

    def change(self, *items, full=False):
        """The result's code: 0 is success."""
        for m in (message(BEGIN, bytes([full, False])), *items, message(COMMIT)):
            self.line.send(m)
        while True:
            answer = self.line.recv(65536)
            assert answer, "printgated has ended"
            if struct.unpack("<H", answer[4:6])[0] == RESULT:
                return struct.unpack("<i", answer[6:10])[0]

    def printer(self, vpn, target):
        return self.change(message(PRINTER_PUT, prefix(vpn) + prefix(target) + b"\0" + bytes(6)))
