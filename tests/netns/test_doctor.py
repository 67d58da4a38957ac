# SPDX-License-Identifier: GPL-2.0-or-later
"""Living with other firewalls: each is recognised, the command that doctor names opens exactly what
phones need, and doctor is content afterwards. (ufw and firewalld: test_doctor_tools.py.)"""

import os
import signal
import subprocess

import pytest

import firewalls
from firewalls import doctor, helped, reaches, reaches_nothing_else
from house import House
from node import ENV, await_that
from probes import ping, tcp_probe


@pytest.fixture(scope="module", autouse=True)
def old_tables():
    """The kernel's old iptables tables, where it has them as a module: before any gateway starts."""
    subprocess.run(["unshare", "--net", "iptables-legacy", "-S"], env=ENV, capture_output=True)


@pytest.fixture
def alone(home):
    """The house without other firewalls, before and after."""
    yield home
    firewalls.clear(home.gate)


def test_alone_doctor_is_content(alone):
    status, checks = doctor(alone)
    checks.pop("state", None)  # in the emulated guest it lies in memory, and doctor says so
    assert status == 0
    assert {name: c["result"] for name, c in checks.items()} == {
        "endpoint": "ok", "lock": "ok", "printers": "ok", "clock": "ok", "firewalls": "ok"}


@pytest.mark.parametrize("version", firewalls.DOCKER)
def test_docker_is_named_and_its_place_for_rules_used(alone, version):
    firewalls.docker(alone.gate, version)
    assert not reaches(alone)
    checks = helped(alone, "docker")
    assert reaches(alone) and reaches_nothing_else(alone)
    assert "firewalls" not in checks


def test_docker_admits_us_only_both_ways(alone):
    firewalls.docker(alone.gate)
    alone.gate.net("iptables", "-I", "DOCKER-USER", "-i", "wg0", "-j", "ACCEPT")
    status, checks = doctor(alone)
    assert status == 1 and checks["docker"]["fix"] == "iptables -I DOCKER-USER -o wg0 -j ACCEPT"
    assert not reaches(alone)


def test_the_text_fits_and_names_the_command(alone):
    firewalls.docker(alone.gate)
    done = alone.gateway.run("doctor", check=False)
    assert done.returncode == 1
    assert "    iptables -I DOCKER-USER -i wg0 -j ACCEPT &&\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


IPTABLES = {
    "policies": "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n-A INPUT -i lo -j ACCEPT\n"
                "-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n",
    "last rules": "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"
                  "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n"
                  "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
                  "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"
                  "-A FORWARD -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n",
}


@pytest.mark.parametrize("rules", IPTABLES)
@pytest.mark.parametrize("program", ("iptables", "iptables-legacy"))
def test_iptables_is_named_and_opened_for_us_alone(alone, program, rules):
    gate = alone.gate
    done = gate.net(f"{program}-restore", stdin=IPTABLES[rules], check=False)
    if done.returncode and program == "iptables-legacy":
        pytest.skip("this machine lacks the kernel's old iptables tables")
    assert done.returncode == 0, done.stderr
    try:
        assert not reaches(alone)
        helped(alone, program)
        assert reaches(alone) and reaches_nothing_else(alone)
        assert ping(alone.phone.node, alone.phone.gateway).kind == "open"
        assert tcp_probe(alone.host, "192.168.50.2", 51880).kind != "open"
    finally:
        firewalls.clear(gate, program)


TABLE = """table inet mine { chain through { type filter hook forward priority 10; policy drop;
    ct state { established, related } accept
    iifname vmap { "docker0" : accept, "lan" : drop }
}
}"""


def test_any_other_table_that_drops_is_named(alone):
    alone.gate.nft(TABLE)
    try:
        assert not reaches(alone)
        _, checks = doctor(alone)
        assert checks["nftables"]["fix"] == "nft insert rule inet mine through iifname wg0 accept"
        firewalls.shell(alone.gate, checks["nftables"]["fix"])
        status, checks = doctor(alone)
        assert status == 0 and "nftables" not in checks and reaches(alone)
    finally:
        alone.gate.nft("delete table inet mine")


def test_beside_a_busy_writer_every_answer_is_whole(alone):
    """Dumps that are disturbed are begun anew; what is left of them is taken for no answer."""
    firewalls.docker(alone.gate)
    alone.gate.net("iptables-restore", "--noflush", stdin="*filter\n:many -\n" + "".join(
        f"-A many -s 10.9.{i // 250}.{i % 250} -j ACCEPT\n" for i in range(3000)) + "COMMIT\n")
    busy = alone.gate.start(["sh", "-c", "while :; do nft 'table ip busy { chain c { accept; }; }; "
                             "delete table ip busy'; done"])
    try:
        for _ in range(5):
            status, checks = doctor(alone)
            assert status == 1 and checks["docker"]["result"] == "fail", checks
            assert alone.gateway.enroll("busy", "--printer", "beta")["peer"]["name"] == "busy"
            alone.gateway.run("revoke", "busy")
    finally:
        for pid in alone.gate.pids("dash"):
            os.kill(pid, signal.SIGKILL)
        busy.wait()


@pytest.fixture(scope="module")
def together():
    """A house whose gateway puts its rules into DOCKER-USER itself, where Docker was first."""
    with House(gateway_lines="coexist = auto") as h:
        yield h


def ours(house, program="iptables"):
    """Our rules in DOCKER-USER, as the tool lists them."""
    done = house.gate.net(program, "-S", "DOCKER-USER", check=False)
    return [line for line in done.stdout.splitlines() if "printgate" in line]


def listed(interface="wg0"):
    return [f'-A DOCKER-USER -{side} {interface} -m comment --comment "printgate: {word} '
            f'{interface}" -j ACCEPT' for side, word in (("i", "from"), ("o", "to"))]


def test_coexist_lets_us_pass_docker_and_keeps_it_so(together):
    gate = together.gate
    firewalls.docker(gate)
    firewalls.docker(gate, program="ip6tables")
    await_that(lambda: ours(together) == ours(together, "ip6tables") == listed(), 1,
               "our rules in a chain that has just come")
    assert reaches(together) and reaches_nothing_else(together)
    status, checks = doctor(together)
    assert status == 0 and checks["docker"]["result"] == "ok"
    for undo in (lambda: gate.net("iptables", "-F", "DOCKER-USER"),
                 lambda: gate.net("iptables", "-D", "DOCKER-USER", "1"),
                 lambda: firewalls.docker(gate)):
        undo()
        await_that(lambda: ours(together) == listed(), 1, "our rules again")
    gate.net("iptables", "-I", "DOCKER-USER", "-s", "192.0.2.1", "-j", "DROP")
    gate.net("iptables", "-A", "DOCKER-USER", "-s", "192.0.2.2", "-j", "DROP")
    gate.net("iptables", "-D", "DOCKER-USER", "-s", "192.0.2.2", "-j", "DROP")
    rules = gate.net("iptables", "-S", "DOCKER-USER").stdout.splitlines()
    assert rules[1:4] == ["-A DOCKER-USER -s 192.0.2.1/32 -j DROP", *listed()], \
        "an owner's own rules are left alone"


def test_coexist_touches_nothing_else_and_down_removes_it(together):
    gate = together.gate
    firewalls.docker(gate)
    gate.nft("table ip other { chain DOCKER-USER { }\n}\n")
    await_that(lambda: ours(together) == listed(), 1, "our rules")
    before = [line for line in gate.net("iptables-save").stdout.splitlines()
              if not line.startswith(("#", ":")) and "printgate" not in line]
    together.gateway.stop()
    assert ours(together) == listed()  # as everything else, until --down
    together.gateway.down()
    assert not ours(together) and not ours(together, "ip6tables")
    assert before == [line for line in gate.net("iptables-save").stdout.splitlines()
                      if not line.startswith(("#", ":"))]
    assert "printgate" not in gate.net("nft", "list", "ruleset").stdout
    together.gateway.start()
    await_that(lambda: ours(together) == listed(), 1, "our rules after a start")


def test_without_coexist_rules_of_a_former_start_are_gone(together):
    """And nothing is put anywhere."""
    firewalls.docker(together.gate)
    await_that(lambda: ours(together) == listed(), 1, "our rules")
    together.gateway.stop()
    with open(together.gateway.config) as f:
        text = f.read()
    together.gateway.configure(text.replace("coexist = auto", "coexist = off"))
    together.gateway.start()
    assert not ours(together)
    together.gate.net("iptables", "-F", "DOCKER-USER")
    status, checks = doctor(together)
    assert status == 1 and checks["docker"]["result"] == "fail" and not ours(together)
    together.gateway.stop()
    together.gateway.configure(text)
    together.gateway.start()


# What a chain at `forward` says, and whether doctor finds that phones get through it.
VERDICTS = {
    "drop": False,
    "accept": True,
    "iifname wg0 accept; ct state established accept; drop": True,
    "iifname wg0 accept; drop": False,
    "iif lo accept; drop": False,
    "iifname { docker0, wg0 } accept; oifname wg0 accept; drop": True,
    "iifname != { docker0, wg0 } oifname != wg0 drop": True,
    "ct state { new, established } accept; drop": True,
    "ct state vmap { established : accept, new : jump sub }; drop": True,
    "ct state vmap { established : accept, new : goto back }; drop": True,
    "jump sub; drop": True,
    "jump back; drop": False,
    "goto back; accept": False,
    "ct status dnat accept; drop": True,
    "ct direction reply accept; ip daddr 192.168.50.0/24 accept; drop": True,
    "ct direction reply accept; ip daddr 192.168.51.0/24 accept; drop": False,
    "ct direction reply accept; ip daddr 192.168.50.1-192.168.50.99 accept; drop": True,
    "ct direction reply accept; ip daddr . iifname @known accept; drop": True,
    "ip saddr 203.0.113.0/24 drop": True,
    "meta l4proto udp drop": True,
    "tcp dport 22 drop": True,
    "tcp dport 80 accept; drop": False,  # not for every service that may be granted
    "limit rate 5/second accept; drop": False,
    "limit rate over 5/second drop": True,
    "meta mark 7 drop": True,
    "fib daddr type local drop": True,
    "fib daddr type unicast accept; drop": True,
    "counter log prefix \"x\" reject": False,
}


def test_rules_are_followed_as_the_kernel_does(alone):
    gate = alone.gate
    wrong = []
    for rules, through in VERDICTS.items():
        gate.nft("table ip mine\ndelete table ip mine\ntable ip mine {\n"
                 "set known { typeof ip daddr . iifname; elements = { "
                 "192.168.50.11 . wg0, 192.168.50.12 . wg0 } }\n"
                 "chain sub { meta mark 9 return; accept\n}\nchain back { return; accept\n}\n"
                 "chain base { type filter hook forward priority 0; policy "
                 f"{'drop' if rules.startswith('goto') else 'accept'}; {rules}\n}}\n}}\n")
        _, checks = doctor(alone)
        if ("nftables" not in checks) != through:
            wrong.append(rules)
    gate.nft("delete table ip mine")
    assert not wrong


# The same of iptables' matches, at FORWARD with policy drop.
MATCHES = {
    "-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT": True,
    "-m conntrack ! --ctstate INVALID -j ACCEPT": True,
    "-m conntrack --ctstate RELATED -j ACCEPT": False,
    "-m state --state NEW,ESTABLISHED -j ACCEPT": True,
    "-m conntrack --ctstate DNAT -j ACCEPT": True,
    "-m comment --comment ours -j ACCEPT": True,
    "-m addrtype --dst-type UNICAST -j ACCEPT": True,
    "-m addrtype --dst-type LOCAL -j ACCEPT": False,
    "-m addrtype ! --dst-type LOCAL -j ACCEPT": True,
    "-p tcp -j ACCEPT": True,
    "-p udp -j ACCEPT": False,
    "! -p udp -j ACCEPT": True,
    "-p tcp -m tcp --dport 80 -j ACCEPT": False,
    "-m limit --limit 5/sec -j ACCEPT": False,
    "-i wg+ -j ACCEPT\n-A FORWARD ! -i wg0 -o wg0 -j ACCEPT": True,
    "-s 192.168.50.0/24 -j ACCEPT\n-A FORWARD -d 192.168.50.0/24 -j ACCEPT": True,
    "! -s 192.168.50.0/24 -j ACCEPT\n-A FORWARD -s 192.168.50.8/29 -j ACCEPT": True,
    "-d 192.168.50.0/24 -j ACCEPT": False,
    "-s 192.168.50.0/24 -j ACCEPT\n-A FORWARD -d 192.168.50.11 -j ACCEPT": False,  # beta is not
    "-j sub": True,
    "-g sub": True,
    "-j LOG": False,
}


@pytest.mark.parametrize("program", ("iptables", "iptables-legacy"))
def test_matches_of_iptables_are_followed(alone, program):
    wrong = []
    try:
        for rule, through in MATCHES.items():
            done = alone.gate.net(f"{program}-restore", check=False,
                                  stdin="*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
                                  ":sub -\n-A sub -i docker0 -j RETURN\n-A sub -j ACCEPT\n"
                                  f"-A FORWARD {rule}\nCOMMIT\n")
            if done.returncode and program == "iptables-legacy":
                pytest.skip("this machine lacks the kernel's old iptables tables")
            assert done.returncode == 0, f"{rule}\n{done.stderr}"
            _, checks = doctor(alone)
            if (checks[program]["result"] == "ok") != through:
                wrong.append(rule)
    finally:
        firewalls.clear(alone.gate, program)
    assert not wrong
