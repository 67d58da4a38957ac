# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab in use: a running gateway, printers that serve, and phones enrolled by QR code."""

import os

import lab as place
from lab import Lab
from phone import read_qr
from servers import Echoes, UdpStreamer, WebServer

# What printer a, b and the other LAN host listen at; granted is a part of it.
TCP_PORTS = (22, 631, 8080)
UDP_PORTS = (53, 5000)
CAMERA = 7000
GRANTED = "tcp/80,tcp/8080,udp/5000,udp/7000"


class House(Lab):
    """Printers `alpha` (A) and `beta` (B); `phone` may use alpha only. Phones join on demand."""

    def __init__(self, enrolled=True, **options):
        super().__init__(**options)
        try:
            for node in (self.printer_a, self.printer_b, self.host):
                self.serve(Echoes(node, tcp=TCP_PORTS, udp=UDP_PORTS))
                self.serve(WebServer(node))
            self.cameras = [self.serve(UdpStreamer(n, CAMERA))
                            for n in (self.printer_a, self.printer_b)]
            self.gateway.start()
            if enrolled:
                self.alpha = self.gateway.add_printer("alpha", place.A, "--port", GRANTED)
                self.beta = self.gateway.add_printer("beta", place.B, "--port", GRANTED)
                self.enter(self.phone, "phone", "--printer", "alpha")
        except BaseException:
            self.close()
            raise

    def enter(self, phone, name, *options):
        """Enrolls by QR code and connects."""
        png = os.path.join(self.folder, f"{phone.node.name}.png")
        self.gateway.run("enroll", name, "--output", png, *options)
        phone.join(read_qr(png))
        os.unlink(png)
        phone.connect()

    def vpn(self, printer):
        return printer["vpn_address"]
