# SPDX-License-Identifier: GPL-2.0-or-later
"""The page in the local network: by TLS, and for the local network only."""

import hashlib
import os
import re
import ssl
import stat
import subprocess

import pytest

import lab as place
from gateway import USERS
from house import House
from node import SLOW, await_that, inside
from probes import tcp_probe

PORT = 8443
NAME = "printgate.local"


@pytest.fixture(scope="module")
def home():
    with House(web_lines=f"tls = 0.0.0.0:{PORT}, [::]:{PORT}\nnames = {NAME}") as h:
        yield h


def own(house, name):
    return os.path.join(house.gateway.state, "tls", name)


def curl(house, url, *options, check=True):
    return house.host.run("curl", "-sS", "--max-time", 20 * SLOW, "--noproxy", "*", *options, url,
                          check=check)


def fingerprint(certificate):
    said = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                           "-sha256"], check=True, capture_output=True, text=True).stdout
    return said.strip().split("=")[1]


def shown(node, address=place.GATEWAY_LAN):
    """The certificate that is shown there."""
    with inside(node.netns):
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address, PORT)))


def processes(house):
    """{program: (pid, status)} of our programs."""
    found = {}
    for pid, (program, _) in house.gate.processes().items():
        with open(f"/proc/{pid}/status") as f:
            found[program] = pid, dict(map(str.strip, line.split(":", 1)) for line in f)
    return found


def test_a_lan_host_gets_the_page_by_name_and_by_each_address(home):
    trust = ("--cacert", own(home, "page.crt"))
    by_name = curl(home, f"https://{NAME}:{PORT}/", "--resolve",
                   f"{NAME}:{PORT}:{place.GATEWAY_LAN}", *trust).stdout
    assert "<title>" in by_name
    for address in (place.GATEWAY_LAN, f"[{place.LAN6}2]"):
        assert "<title>" in curl(home, f"https://{address}:{PORT}/", "-k").stdout, address
    rebound = curl(home, f"https://evil.example:{PORT}/", "-k", "--resolve",
                   f"evil.example:{PORT}:{place.GATEWAY_LAN}", "-w", "%{http_code}").stdout
    assert rebound.endswith("421")
    assert "alpha" not in by_name  # nobody has logged in


def test_the_fingerprint_is_told_as_browsers_show_it(home):
    certificate = own(home, "page.crt")
    told = home.gateway.json("page")["page"]["fingerprint"]
    assert told == fingerprint(certificate)
    assert hashlib.sha256(shown(home.host)).hexdigest().upper() == told.replace(":", "")
    said = home.gateway.run("page").stdout
    assert told in re.sub(r"\s", "", said)  # on two lines
    assert f"https://ADDRESS:{PORT}/" in said and "0.0.0.0" not in said


def test_plain_http_and_old_tls_get_nothing(home):
    plain = curl(home, f"http://{place.GATEWAY_LAN}:{PORT}/", check=False)
    assert plain.returncode and "HTTP" not in plain.stdout
    old = home.host.run("openssl", "s_client", "-connect", f"{place.GATEWAY_LAN}:{PORT}",
                        "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", stdin="", check=False)
    assert "Cipher is (NONE)" in old.stdout


def handshake(node, address):
    """Does anybody speak TLS there?"""
    done = node.run("openssl", "s_client", "-connect", f"{address}:{PORT}", stdin="", check=False)
    return "BEGIN CERTIFICATE" in done.stdout


def test_a_phone_does_not_reach_it_by_any_address(home):
    home.phone.grow_greedy(f"{place.GATEWAY_LAN}/32")
    phone, itself = home.phone.node, home.phone.gateway
    for address in (itself, place.GATEWAY_LAN):
        assert tcp_probe(phone, address, PORT, device=home.phone.interface).kind != "open", address
    assert handshake(home.host, place.GATEWAY_LAN)


def test_nor_where_the_port_itself_is_granted_as_a_service_of_this_machine(home):
    box = home.gateway.add_printer("box", "self", "--port", f"tcp/{PORT}")
    home.gateway.run("allow", "phone", "box")
    try:
        assert tcp_probe(home.phone.node, home.vpn(box), PORT).kind == "open"  # the socket is there …
        assert not handshake(home.phone.node, home.vpn(box))  # … and says nothing
    finally:
        home.gateway.run("printer", "remove", "box")


def test_a_lan_host_does_not_reach_it_by_the_tunnel_address(home):
    home.host.batch(f"route replace {home.phone.gateway}/32 via {place.GATEWAY_LAN}")
    try:
        assert tcp_probe(home.host, home.phone.gateway, PORT, seconds=0.5).kind == "timeout"
    finally:
        home.host.batch(f"route del {home.phone.gateway}/32")


def test_the_key_is_roots_and_no_program_can_open_it(home):
    folder = os.open(own(home, ""), os.O_RDONLY)
    try:
        assert stat.S_IMODE(os.fstat(folder).st_mode) == 0o700
        for name in ("page.key", "page.crt"):
            found = os.stat(own(home, name))
            assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, 0)
        for user in USERS.values():
            done = subprocess.run(["cat", f"/proc/self/fd/{folder}/page.key"], user=user,
                                  group=user, extra_groups=[], pass_fds=[folder],
                                  capture_output=True, text=True)
            assert done.returncode and "Permission denied" in done.stderr, user
    finally:
        os.close(folder)


def test_the_program_has_no_right_and_no_file(home):
    pid, status = processes(home)["printgate-tls"]
    assert set(status["Uid"].split()) == {str(USERS["tls"])}
    assert status["Groups"].split() == []
    for key in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[key], 16) == 0, key
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert os.listdir(f"/proc/{pid}/root") == []
    held = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]
    assert not [f for f in held if home.gateway.state in f], held
    with open(f"/proc/{processes(home)['printgate-web'][0]}/maps") as f:
        assert not re.search(r"libssl|libcrypto", f.read())


def test_the_certificate_is_kept_over_a_restart(home):
    before = shown(home.host)
    home.gateway.stop()
    home.gateway.start()
    assert shown(home.host) == before
    home.gateway.kill("printgate-tls")  # one dies, all end
    home.gateway.await_end()
    home.gateway.start()
    assert shown(home.host) == before


@pytest.fixture
def with_lines(home):
    """Starts it anew with other lines in [web]; afterwards as before."""
    with open(home.gateway.config) as f:
        before = f.read()

    def restart(lines):
        home.gateway.stop()
        home.gateway.configure(re.sub(r"tls = .*\nnames = .*\n", lines + "\n", before))
        home.gateway.start()

    yield restart
    home.gateway.stop()
    home.gateway.configure(before)
    home.gateway.start()


def test_a_given_certificate_is_used(home, with_lines):
    certificate, key = (os.path.join(home.folder, f"owner.{e}") for e in ("crt", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    lines = f"tls = {place.GATEWAY_LAN}:{PORT}\ncertificate = {certificate}\nkey = {key}"
    with_lines(lines)
    assert hashlib.sha256(shown(home.host)).hexdigest().upper() == \
        fingerprint(certificate).replace(":", "")
    assert "<title>" in curl(home, f"https://{place.GATEWAY_LAN}:{PORT}/", "-k").stdout
    # one that cannot be used is said, and phones reach the page and their printers all the same
    os.chmod(key, 0o644)
    with_lines(lines)
    assert "can be read by everybody" in home.gateway.log_text()
    os.chmod(key, 0o600)
    with open(certificate, "w"):
        pass
    with_lines(lines)
    assert "certificate is empty" in home.gateway.log_text()
    assert tcp_probe(home.host, place.GATEWAY_LAN, PORT).kind == "refused"
    assert not home.gate.pids("printgate-tls")
    await_that(lambda: tcp_probe(home.phone.node, home.phone.gateway, 80).kind == "open", 20,
               "the page in the tunnel")
    assert home.gateway.json("page")["page"]["fingerprint"] is None
