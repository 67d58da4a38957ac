# SPDX-License-Identifier: GPL-2.0-or-later
"""printgate page against the whole: the addresses that are told are those that answer, and a password and
a token come through all programs."""

import os
import re

from node import SLOW, await_that
from probes import tcp_probe

PASSWORD = "correct horse battery"


def events(gateway):
    """What was done to the page, newest first."""
    return [e["action"] for e in gateway.json("log", "--limit", "20")["events"] if e["subject"] == "page"]


def page(gateway, *words):
    return gateway.json("page", *words)["page"]


def test_the_page_answers_where_it_is_told_to_be(home):
    told = page(home.gateway)
    assert told == {"urls": ["http://10.77.16.1/"], "password": False, "token": False, "fingerprint": None}
    with home.phone.node.socket() as s:
        s.settimeout(10 * SLOW)
        s.connect(("10.77.16.1", 80))
        s.sendall(b"GET / HTTP/1.1\r\nHost: 10.77.16.1\r\n\r\n")
        assert s.recv(9) == b"HTTP/1.1 "


def test_a_password_and_a_token_are_kept_as_hashes(home):
    gateway = home.gateway
    done = gateway.run("page", "password", "--stdin", stdin=PASSWORD + "\n")
    assert "is set" in done.stdout and PASSWORD not in done.stdout + done.stderr
    token = page(gateway, "token")["token_value"]
    assert re.fullmatch("[0-9a-f]{32}", token)
    told = page(gateway)
    assert told["password"] and told["token"] and "token_value" not in told
    assert events(gateway) == ["token", "password"]
    await_that(lambda: len(gateway.node.pids("printgate-core")) == 1, what="the end of the copy that hashed")
    folder, kept = os.path.join(gateway.state, "core"), b""
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            kept += f.read()
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in kept
    for secret in (PASSWORD.encode(), token.encode(), bytes.fromhex(token)):
        assert secret not in kept
    assert PASSWORD not in gateway.log_text() and token not in gateway.log_text()


def test_nobody_else_sets_it(home):
    """As a user of this machine without rights: the control socket is closed to it."""
    done = home.gateway.node.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                 os.path.join(home.gateway.bin, "printgate"), "--socket",
                                 os.path.join(home.gateway.runtime, "control.sock"), "page", "password", "--stdin",
                                 stdin=PASSWORD, check=False)
    assert done.returncode in (3, 4), done.stdout + done.stderr


def test_without_the_capability_there_is_no_page_but_a_gate(home):
    """In a container that withholds CAP_SYS_CHROOT: the page cannot shut itself in, so it does not run."""
    gateway = home.gateway
    gateway.stop()
    gateway.start(prefix=["setpriv", "--bounding-set", "-sys_chroot"])
    assert "CAP_SYS_CHROOT is missing, so there is no page" in gateway.log_text()
    assert gateway.node.pids("printgate-web") == []
    await_that(lambda: tcp_probe(home.phone.node, home.vpn(home.alpha), 80, 1).kind == "open", 60,
               "the printer")
