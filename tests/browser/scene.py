# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with two printers, of which one is switched off, and phones with all kinds of names."""

import lab as place
from lab import Lab
from servers import WebServer

PASSWORD = "correct horse & battery"
HOSTILE = ("<script>hit=1</script>", "\"><img src=x onerror=hit=1>", "' onmouseover='hit=1",
           "&lt;b&gt;", "</title></style></script>", "javascript:hit=1", "{{7*7}} ${7*7} \\")


class Scene(Lab):
    """phones: those besides Anna's; None for a gateway without any."""

    def __init__(self, phones=("Ben's phone",) + HOSTILE):
        super().__init__(web="tunnel:80, 127.0.0.1:8080")
        self.others = phones

    def __enter__(self):
        super().__enter__()
        self.gateway.start()
        self.gateway.run("page", "password", "--stdin", stdin=PASSWORD + "\n")
        if self.others is None:
            return self
        self.gateway.run("printer", "add", "Voron 2.4", place.A, "--port", "tcp/80,tcp/7125")
        self.serve(WebServer(self.printer_a))
        self.gateway.run("printer", "add", "Bambu", place.LAN.replace("0/24", "99"), "--port", "tcp/8883")
        config = self.gateway.json("enroll", "Anna's phone", "--printer", "Voron 2.4", "--printer",
                                   "Bambu")["config"]
        self.gateway.run("allow", "Anna's phone", "Bambu", "--for", "2h")
        self.configs = {name: self.gateway.json("enroll", name, "--printer", "Voron 2.4")["config"]
                        for name in self.others}
        self.phone.join(config)
        self.phone.connect()
        self.url = f"http://{self.phone.gateway}/"
        return self
