# SPDX-License-Identifier: GPL-2.0-or-later
"""printgated as a service that was never root, and has its companions started by a manager: it is the same
gateway."""

import fcntl
import os
import ssl
import stat
from concurrent import futures

import pytest

import house
import lab as place
import units
from gateway import USERS
from node import SLOW, await_that, inside
from probes import tcp_probe
from servers import download, fetch

CAP_NET_ADMIN = 1 << 12
TLS_PORT = 8443
AS_NET = units.as_user(USERS["net"], "net_admin")


def serve(home):
    """Ends the gateway that a script started as root, and puts the one of the units in its place."""
    gateway = home.gateway
    gateway.stop()
    gateway.down()
    units.prepare(gateway)
    units.start_manager(gateway)
    gateway.start(prefix=AS_NET)


@pytest.fixture(scope="module")
def home():
    with house.House(enrolled=False, web_lines=f"tls = {place.GATEWAY_LAN}:{TLS_PORT}") as h:
        serve(h)
        h.alpha = h.gateway.add_printer("alpha", place.A, "--port", house.GRANTED)
        h.enter(h.phone, "phone", "--printer", "alpha")
        yield h


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(map(str.strip, line.split(":", 1)) for line in f)


def programs(home):
    """{name: pid}"""
    return {name: pid for pid, (name, _) in home.gate.processes().items() if name.startswith("printgate")}


def runs(home, before=()):
    """All of them, as who they are to be, and none that was there before."""
    found = programs(home)
    return len(found) == 4 and not set(found.values()) & set(before)


def test_the_phone_reaches_its_printer_and_nothing_else(home):
    assert fetch(home.phone.node, home.vpn(home.alpha)) == "printer-a\n"
    for address, port in ((home.vpn(home.alpha), 22), (home.phone.gateway, 22)):
        assert tcp_probe(home.phone.node, address, port).kind == "refused"
    assert not tcp_probe(home.phone.node, place.A, 80).kind == "open"


def test_the_pages_are_shown(home):
    assert "<title>" in fetch(home.phone.node, home.phone.gateway)
    with inside(home.host.netns):
        shown = ssl.get_server_certificate((place.GATEWAY_LAN, TLS_PORT), timeout=20 * SLOW)
    with open(os.path.join(home.gateway.state, "tls", "page.crt")) as f:
        assert f.read().strip() == shown.strip()
    page = home.host.run("curl", "-sSk", "--max-time", 20 * SLOW, f"https://{place.GATEWAY_LAN}:{TLS_PORT}/")
    assert "<title>" in page.stdout


def test_each_program_is_who_it_is_to_be_with_no_more_than_it_needs(home):
    for name, pid in programs(home).items():
        status = status_of(pid)
        account = USERS["net" if name == "printgated" else name.removeprefix("printgate-")]
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(account)}, name
        assert status["Groups"] == "" and status["NoNewPrivs"] == "1", name
        assert int(status["CapEff"], 16) == (CAP_NET_ADMIN if name == "printgated" else 0), name
        assert int(status["CapPrm"], 16) == int(status["CapEff"], 16), name
        if name != "printgated":
            assert int(status["CapAmb"], 16) == int(status["CapInh"], 16) == 0, name
        for fd in os.listdir(f"/proc/{pid}/fd"):
            assert not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/home/"), (name, fd)


def test_the_control_socket_is_for_root_and_the_group(home):
    link = os.path.join(home.gateway.runtime, "control.sock")
    assert os.readlink(link) == "core/control.sock"
    there = os.stat(link)
    assert (stat.S_IMODE(there.st_mode), there.st_uid, there.st_gid) == (0o660, USERS["core"], units.GROUP)


@pytest.mark.parametrize("program", ["printgated", "printgate-core", "printgate-web", "printgate-tls"])
def test_one_dies_all_end_and_are_started_again(home, program):
    """The gate stands meanwhile."""
    before = programs(home)
    stream = download(home.phone.node, home.vpn(home.alpha))
    home.gateway.kill(program)
    home.gateway.await_end()
    assert fetch(home.phone.node, home.vpn(home.alpha)) == "printer-a\n"
    home.gateway.start(prefix=AS_NET)
    await_that(lambda: runs(home, before.values()), 10, "all programs anew")
    assert home.gateway.peer("phone")["state"] == "online"
    stream.flows()
    stream.close()


def test_a_successor_waits_until_the_last_companion_has_ended(home):
    """A core that hangs still has the store: the next one is not started beside it."""
    home.gateway.kill("printgate-core", 19)  # SIGSTOP
    core = programs(home)["printgate-core"]
    home.gateway.kill("printgated")
    await_that(lambda: not home.gate.pids("printgated"), 10, "the end of printgated")
    done = home.gate.run(*AS_NET, os.path.join(home.gateway.bin, "printgated"), "--config",
                         home.gateway.config, check=False)
    assert done.returncode == 1 and "another printgated runs" in done.stderr
    os.kill(core, 9)
    home.gateway.await_end()
    home.gateway.start(prefix=AS_NET)
    assert home.gateway.peer("phone")["name"] == "phone"


def refusal(home, *command):
    return home.gate.run(*command, "--config", home.gateway.config, check=False).stderr


def test_what_is_not_as_the_units_have_it_is_said(home):
    printgated = os.path.join(home.gateway.bin, "printgated")
    home.gateway.stop()
    assert "CAP_NET_ADMIN" in refusal(home, *units.as_user(USERS["net"]), printgated)
    for user in (USERS["web"], USERS["net"]):
        assert "this is user" in refusal(home, *units.as_user(user + 100, "net_admin"), printgated)
    assert "--down must be run as root" in refusal(home, *AS_NET, printgated, "--down")
    assert "listening socket" in refusal(home, *units.as_user(USERS["core"]), printgated, "--companion",
                                         "printgate-core")
    assert 'no companion is called "printgate"' in refusal(home, printgated, "--companion", "printgate")
    start = os.path.join(home.gateway.runtime, "printgate-core.start")
    os.rename(start, start + ".away")
    assert "systemctl status printgate-core.socket" in refusal(home, *AS_NET, printgated)
    os.rename(start + ".away", start)
    folder = os.path.join(home.gateway.runtime, "net")
    os.rename(folder, folder + ".away")
    assert "systemd-tmpfiles --create printgate.conf" in refusal(home, *AS_NET, printgated)
    os.rename(folder + ".away", folder)
    home.gateway.start(prefix=AS_NET)


def test_the_command_line_tells_of_the_service(home):
    """And not to start a second one by hand."""
    home.gateway.stop()
    assert "systemctl status printgate" in home.gateway.fails("status")[2]
    os.unlink(os.path.join(home.gateway.runtime, "core", "control.sock"))
    assert "systemctl status printgate" in home.gateway.fails("status")[2]
    home.gateway.start(prefix=AS_NET)


def test_a_folder_of_somebody_elses_is_named(home):
    """By core's own unit, for nobody else may look at it."""
    folder = os.path.join(home.gateway.state, "core")
    home.gateway.stop()
    os.chown(folder, USERS["web"], USERS["web"])
    assert "printgate-core has ended" in refusal(home, *AS_NET, os.path.join(home.gateway.bin, "printgated"))
    await_that(lambda: f"{folder} belongs to user {USERS['web']}" in home.gateway.log_text(), 10, "the reason")
    os.chown(folder, USERS["core"], USERS["core"])
    home.gateway.start(prefix=AS_NET)


def test_the_lock_is_no_other_file_by_a_second_name(home):
    """Its folder is an account's; root, by hand, would give that file to the companions."""
    lock = os.path.join(home.gateway.runtime, "net", "printgated.lock")
    home.gateway.stop()
    os.unlink(lock)
    os.link(home.gateway.config, lock)
    assert "is no lock of printgated's" in refusal(home, os.path.join(home.gateway.bin, "printgated"))
    os.unlink(lock)
    os.mkfifo(lock)
    assert "is no lock of printgated's" in refusal(home, os.path.join(home.gateway.bin, "printgated"))
    os.unlink(lock)
    home.gateway.start(prefix=AS_NET)


def test_who_waits_for_a_lock_that_goes_takes_the_next(home):
    """`printgated --down` removes it while it has it."""
    lock = os.path.join(home.gateway.runtime, "net", "printgated.lock")
    home.gateway.stop()
    with open(lock) as held, futures.ThreadPoolExecutor() as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        start = pool.submit(home.gateway.start, prefix=AS_NET)
        await_that(lambda: any(has_open(pid, lock) for pid in home.gate.pids("printgated")), 10, "who waits")
        os.unlink(lock)
        fcntl.flock(held, fcntl.LOCK_UN)
        start.result()
    assert "another printgated runs" in refusal(home, *AS_NET, os.path.join(home.gateway.bin, "printgated"))


def has_open(pid, path):
    folder = f"/proc/{pid}/fd"
    return path in (os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder))


def test_other_accounts_than_the_units_are_refused(home):
    """By each program for itself."""
    with open(home.gateway.config) as f:
        text = f.read()
    home.gateway.stop()
    for key, reason in (("net", "leave that out"), ("core", "printgate-core has ended")):
        home.gateway.configure(text.replace(f"{key} = {USERS[key]}", f"{key} = {USERS[key] + 100}"))
        assert reason in refusal(home, *AS_NET, os.path.join(home.gateway.bin, "printgated"))
    await_that(lambda: f"printgate-core is started as user {USERS['core']}, but" in home.gateway.log_text(), 10,
               "the reason")
    home.gateway.configure(text)
    home.gateway.start(prefix=AS_NET)


def test_a_companion_that_cannot_begin_keeps_nobody_waiting(home):
    """It takes printgated's connection before all else, or the manager would start it again and again."""
    home.gateway.stop()
    os.chown(home.gateway.config, USERS["net"], 0)
    os.chmod(home.gateway.config, 0o600)
    done = home.gate.run("timeout", 30 * SLOW, *AS_NET, os.path.join(home.gateway.bin, "printgated"), "--config",
                         home.gateway.config, check=False)
    assert done.returncode == 1 and "printgate-core has ended" in done.stderr
    assert f"cannot be read: Permission denied; a service's programs are not root" in home.gateway.log_text()
    os.chmod(home.gateway.config, 0o644)
    home.gateway.start(prefix=AS_NET)


def test_a_page_that_cannot_be_is_said_and_left_out(home):
    """The port is root's, the certificate is not there: the gate opens all the same."""
    with open(home.gateway.config) as f:
        text = f.read()
    home.gateway.stop()
    missing = os.path.join(home.folder, "missing")
    home.gateway.configure(text.replace(f":{TLS_PORT}", f":{TLS_PORT}\ncertificate = {missing}\nkey = {missing}")
                           .replace("listen = tunnel:80", f"listen = tunnel:80, 127.0.0.1:81"))
    home.gateway.start(prefix=AS_NET)
    log = home.gateway.log_text()
    assert f"127.0.0.1:81: ports below 1024 take one right more" in log
    assert f"cannot open {missing}" in log and "going on without the page in the local network" in log
    assert "<title>" in fetch(home.phone.node, home.phone.gateway)
    assert sorted(programs(home)) == ["printgate-core", "printgate-web", "printgated"]
    home.gateway.stop()
    home.gateway.configure(text)
    home.gateway.start(prefix=AS_NET)


def test_without_the_socket_of_the_page_there_is_none(home):
    start = os.path.join(home.gateway.runtime, "printgate-web.start")
    home.gateway.stop()
    os.rename(start, start + ".away")
    home.gateway.start(prefix=AS_NET)
    assert "printgate-web.socket`); going on without the page" in home.gateway.log_text()
    page = home.gateway.json("page")["page"]
    assert page["fingerprint"] is None and not page["urls"], page
    await_that(lambda: sorted(programs(home)) == ["printgate-core", "printgated"], 10, "printgate-tls's end")
    assert fetch(home.phone.node, home.vpn(home.alpha)) == "printer-a\n"
    assert tcp_probe(home.phone.node, home.phone.gateway, 80).kind == "refused"
    home.gateway.stop()
    os.rename(start + ".away", start)
    home.gateway.start(prefix=AS_NET)


def test_the_right_to_a_low_port_is_not_passed_on(home):
    with open(home.gateway.config) as f:
        text = f.read()
    home.gateway.stop()
    home.gateway.down()
    home.gateway.configure(text.replace("listen = tunnel:80", "listen = tunnel:80, 127.0.0.1:82"))
    home.gateway.start(prefix=units.as_user(USERS["net"], "net_admin,+net_bind_service"))
    assert "127.0.0.1:82: ports below" not in home.gateway.log_text()
    for pid in home.gate.pids("wireguard-go"):
        assert int(status_of(pid)["CapEff"], 16) == int(status_of(pid)["CapAmb"], 16) == CAP_NET_ADMIN
    home.gateway.stop()
    home.gateway.configure(text)
    home.gateway.start(prefix=AS_NET)
    home.phone.renew()


def test_root_may_take_it_down_and_start_it_by_hand_in_between(home):
    """The package's folders and link stay, and everything in them is the account's."""
    home.gateway.stop()
    home.gateway.down()
    assert home.gateway.table() is None
    home.gateway.start()
    assert home.gateway.peer("phone")["name"] == "phone"
    home.gateway.stop()
    home.gateway.start(prefix=AS_NET)
    home.phone.renew()
    assert fetch(home.phone.node, home.vpn(home.alpha)) == "printer-a\n"
