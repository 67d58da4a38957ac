# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway from a file, without a person: what is applied, what is refused, and how phones get their
codes."""

import os
import signal
import time

import pytest

import lab as place
from house import House
from node import SLOW, await_that
from phone import read_qr
from probes import tcp_probe

ISSUE = "/run/printgate-firstboot/printgate.issue"
GOOD = """[printer alpha]
address = {a}
ports = tcp/80
[enroll phone]
printers = alpha
"""


class Boot:
    """A folder that stands for the boot partition, and the gateway beside it."""

    def __init__(self, house, folder):
        self.house, self.gateway, self.folder = house, house.gateway, folder
        self.file = os.path.join(folder, "printgate.conf")
        self.shower = None

    def put(self, text, name="printgate.conf"):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.format(a=place.A, b=place.B).encode())

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", newline="") as f:
            return f.read()

    def provision(self, *options, check=True):
        return self.gateway.run("provision", self.file, "--config", self.gateway.config, *options,
                                check=check)

    def refused(self):
        """(error code, what stands in the error file)"""
        before = self.state()
        status, code, sentence = self.gateway.fails("provision", self.file, "--config",
                                                    self.gateway.config)
        assert status == 1 and os.path.exists(self.file), "the file stays for the one who mends it"
        assert self.state() == before, "nothing is applied"
        assert self.read("printgate.error.txt").startswith(f"printgate.conf: {sentence}")
        return code, sentence

    def state(self):
        return [self.gateway.json("list"), self.gateway.json("printer", "list"),
                self.gateway.json("log")]

    def names(self):
        return [p["name"] for p in self.gateway.json("list")["peers"]]

    def show(self):
        """The service's part: stays until the last code is taken."""
        self.shower = self.house.gate.start(
            [os.path.join(self.gateway.bin, "printgate"), "--socket",
             os.path.join(self.gateway.runtime, "control.sock"), "provision", "--boot", self.folder,
             "--config", self.gateway.config], log=os.path.join(self.folder, "log"))

    def issue(self):
        done = self.house.gate.run("cat", ISSUE, check=False)
        return done.stdout if done.returncode == 0 else None

    def pictures(self):
        return [n for n in os.listdir(self.folder) if n.endswith(".png")]

    def end(self):
        if self.shower and self.shower.poll() is None:
            for pid in self.house.gate.pids("printgate"):
                os.kill(pid, signal.SIGTERM)
            self.shower.wait(10)


@pytest.fixture(name="boot")
def _boot(tmp_path):
    with House(enrolled=False) as house:
        boot = Boot(house, str(tmp_path))
        yield boot
        boot.end()


def test_a_file_as_windows_and_word_processors_write_it(boot):
    boot.put("\ufeff# for the workshop\r\n[gateway]\r\nendpoint = home.example.net\r\n\r\n"
             "[printer “alpha”]\r\naddress =\u00a0{a}\t # beside the window\r\nports = “tcp/80, tcp/8080”\r\n"
             "[printer self made]\r\naddress = self\r\npreset = octoprint\r\n"
             "[enroll Ann’s phone]\r\nprinters = alpha, “self made”\r\n"
             "[enroll tablet]\r\nprinters = all\r\nshow = none\r\n"
             "[enroll laptop]\r\npublic_key = mB3vZc1p9sJ2kQxLw7Yt4uHnRf0dGaE8iVoKyT5XbU4=\r\n")
    done = boot.provision("--json")
    assert '"applied": true' in done.stdout or '"applied":true' in done.stdout
    peers = {p["name"]: p for p in boot.gateway.json("list")["peers"]}
    assert [p["name"] for p in peers["Ann’s phone"]["printers"]] == ["alpha", "self made"]
    assert len(peers["tablet"]["printers"]) == 2 and not peers["laptop"]["printers"]
    assert len(boot.gateway.wireguard_peers()) == 3
    assert os.listdir(boot.folder) == ["printgate.applied.txt"]
    applied = boot.read("printgate.applied.txt")
    assert boot.gateway.json("status")["gateway"]["public_key"] in applied
    assert "peer: Ann’s phone\r\n" in applied and "were not used" in applied


def test_the_same_file_twice_does_nothing(boot):
    boot.put(GOOD)
    boot.provision()
    before = boot.state()
    boot.put(GOOD)
    assert "already" in boot.provision().stdout
    assert boot.state() == before and not os.path.exists(boot.file)


def test_what_a_power_cut_kept_from_being_left_is_left_by_the_next_start(boot):
    """The file is still there, and what was said of it is not."""
    boot.put(GOOD)
    boot.provision()
    said = boot.read("printgate.applied.txt")
    assert "printer: alpha" in said and "peer: phone" in said
    os.remove(os.path.join(boot.folder, "printgate.applied.txt"))
    boot.gateway.add_printer("later", "192.168.50.13", "--port", "tcp/80")
    boot.put(GOOD)
    boot.provision()
    assert boot.read("printgate.applied.txt") == said.replace(
        "There was a configuration already: [gateway], [web], [paths] and [users] of this file were not "
        "used.\r\n", "")


def test_a_file_does_not_add_to_a_gateway_with_peers_unless_it_has_the_code(boot):
    boot.gateway.run("enroll", "mine", "--no-qr")
    boot.put(GOOD)
    code, sentence = boot.refused()
    assert code == "conflict" and "printgate status" in sentence
    boot.put(GOOD + "[provision]\ncode = AAAA-AAAA\n")
    code, sentence = boot.refused()
    assert code == "conflict" and "not this gateway's" in sentence
    told = boot.gateway.json("status")["gateway"]["provision_code"]
    boot.put(GOOD + f"[provision]\ncode = {told.replace('-', ' ').lower()}\n")
    boot.provision()
    assert boot.names() == ["mine", "phone"] and not os.path.exists(
        os.path.join(boot.folder, "printgate.error.txt"))
    boot.put(GOOD.replace("phone", "another").replace("alpha", "omega") + f"[provision]\ncode = {told}\n")
    assert boot.refused()[0] == "conflict", "it is good once"


BAD = {
    "[printer x]\naddress = 10.9.0.1\n": ("line 1", "which ports"),
    "[printer x]\nports = tcp/80\n": ("line 1", "no address"),
    "[printer x]\naddress = 10.9.0.1\naddress = 10.9.0.2\n": ("line 3", "given twice"),
    "[printer x]\naddress = 10.9.0.1\npreset = toaster\n": ("line 1", "toaster"),
    "[printer x]\naddress = 10.9.0.300\nports = tcp/80\n": ("line 2", "10.9.0.300"),
    "[printer x]\naddress = octopi.local\nports = tcp/80\n": ("line 1", "by its address"),
    "[printer x]\naddress = 10.77.16.9\nports = tcp/80\n": ("line 1", "tunnel"),
    "# a comment\n\n[enroll x]\nprinters = nowhere\n": ("line 3", "nowhere"),
    "[enroll x]\n[enroll X]\n": ("line 2", "X"),
    "[enroll x]\nexpires = soon\n": ("line 2", "soon"),
    "[enroll x]\nexpires = 2001-01-01\n": ("line 1", "2001"),
    "[enroll x]\npublic_key = secret\n": ("line 2", "secret"),
    "[enroll x]\nshow = everywhere\n": ("line 2", "console"),
    "[enroll " + "x" * 65 + "]\n": ("line 1", "64"),
    "[enroll " + "x" * 120 + "]\n": ("line 1", "too long"),
    "[enroll x]\nmagic = on\n": ("line 2", "unknown key"),
    "[wifi]\nssid = home\n": ("line 1", "unknown section"),
    "[gateway]\nendpoint = home.example.net\nlisten_prot = 1\n[enroll x]\n": ("line 3", "listen_prot"),
    "[gateway]\n\n\nlisten_port = 99999\n[enroll x]\n": ("line 4", "listen_port"),
    "address = 1\n": ("line 1", "before any"),
    "[enroll x]\nwhat is this\n": ("line 2", "neither"),
    "[enroll x\n": ("line 1", "]"),
    "[provision]\nminutes = 0\n": ("line 2", "minutes"),
    "[provision]\n[provision]\n": ("line 2", "twice"),
    "[provision]\ncode = AAAA\n": ("line 2", "ABCD-2345"),
    "[enroll x]\nprinters = " + "y" * 300 + "\n": ("line 2", "longer than"),
}


def test_a_mistake_anywhere_applies_nothing_and_is_told_by_its_line(boot):
    for text, (line, word) in BAD.items():
        boot.put(text)
        _, sentence = boot.refused()
        assert sentence.startswith(f"{line}: ") and word in sentence, (text, sentence)
    boot.put(b"[enroll x]\n[enroll y]\0\n")
    assert "NUL" in boot.refused()[1]
    boot.put(b"#" * 16385)
    assert "longer than" in boot.refused()[1]
    boot.put("".join(f"[enroll {n}]\n" for n in range(65)))
    assert "at most 64" in boot.refused()[1]
    boot.put(GOOD)
    boot.provision()  # and the gateway is as good as before
    assert boot.names() == ["phone"]


def test_what_is_not_a_plain_file_is_not_read(boot, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("[enroll x]\n")
    os.symlink(secret, boot.file)
    assert "symbolic link" in boot.refused()[1]
    os.unlink(boot.file)
    os.mkfifo(boot.file)
    assert "not a file" in boot.refused()[1]


def test_only_root_and_only_when_asked(boot):
    boot.put(GOOD)
    assert boot.provision("--check").stdout == "printgate.conf: good\n"
    assert boot.names() == [] and os.path.exists(boot.file)
    os.chmod(boot.folder, 0o755)
    done = boot.house.gate.run("setpriv", "--reuid", "61601", "--clear-groups",
                               os.path.join(boot.gateway.bin, "printgate"), "provision", boot.file, check=False)
    assert done.returncode == 3 and "root" in done.stderr


def test_the_file_is_read_by_nobody_or_by_root_without_any_capability(boot):
    """The second is how the service of the first boot runs. In between there is nothing."""
    boot.put(GOOD)
    command = (os.path.join(boot.gateway.bin, "printgate"), "provision", "--check", boot.file)
    bare = boot.house.gate.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", *command)
    assert bare.stdout == "printgate.conf: good\n"
    half = boot.house.gate.run("setpriv", "--bounding-set=-all,+dac_override", "--inh-caps=-all", *command,
                               check=False)
    assert half.returncode == 1 and "ended before it was done" in half.stderr


def test_codes_are_shown_until_the_phones_have_come(boot):
    """On the consoles one after the other, as pictures all at once; and the phones get in."""
    boot.put(GOOD.replace("printers = alpha\n", "printers = alpha\nshow = console, boot\n")
             + "[enroll tablet]\nprinters = alpha\n[provision]\nminutes = 60\n")
    boot.show()
    await_that(lambda: boot.issue() and boot.pictures(), 30, "the codes")
    assert "name it phone" in boot.issue() and boot.pictures() == ["printgate-phone.png"]
    assert "█" in boot.issue()
    assert boot.gateway.peer("phone")["state"] == "waiting"
    first, second = boot.house.phone, boot.house.phone2
    first.join(read_qr(os.path.join(boot.folder, "printgate-phone.png")))
    first.connect()
    await_that(lambda: "name it tablet" in (boot.issue() or ""), 30, "the next code")
    assert not boot.pictures(), "a code that was taken is gone"
    vpn, = [p["vpn_address"] for p in boot.gateway.json("printer", "list")["printers"]]
    assert tcp_probe(first.node, vpn, 80, 1).kind == "open"
    png = os.path.join(boot.folder, "x.png")
    boot.gateway.run("qr", "tablet", "--output", png)
    second.join(read_qr(png))
    second.connect()
    await_that(lambda: boot.shower.poll() == 0, 30, "the end of showing")
    assert boot.issue() is None
    log = boot.read("log")
    assert "PrivateKey" not in log and "█" not in log


def test_a_code_that_nobody_takes_in_time_is_worth_nothing(boot):
    boot.put(GOOD.replace("printers = alpha\n", "show = boot\n") + "[provision]\nminutes = 1\n")
    began = time.monotonic()
    boot.show()
    await_that(boot.pictures, 30, "the picture")
    picture = read_qr(os.path.join(boot.folder, "printgate-phone.png"))
    before = boot.gateway.peer("phone")["public_key"]
    boot.end()  # a restart in the middle keeps what is on the card
    boot.show()
    time.sleep(2)
    assert read_qr(os.path.join(boot.folder, "printgate-phone.png")) == picture
    assert boot.gateway.peer("phone")["public_key"] == before
    await_that(lambda: boot.shower.poll() == 0, 90, "the end of showing")
    assert time.monotonic() - began > 50 and not boot.pictures()
    peer = boot.gateway.peer("phone")
    assert peer["state"] == "waiting" and peer["public_key"] != before


def test_a_start_without_a_file_and_without_codes_ends_at_once(boot):
    boot.show()
    assert boot.shower.wait(10) == 0 and boot.read("log") == ""


def test_killed_at_any_point_the_next_start_completes_it(boot):
    """Ended by force at twelve moments; each time the store is as before or whole."""
    for number in range(12):
        name = f"phone {number}"
        told = boot.gateway.json("status")["gateway"]["provision_code"]
        boot.put(f"[enroll {name}]\nshow = none\n[enroll {name} too]\nshow = none\n"
                 f"[provision]\ncode = {told}\n")
        boot.show()
        time.sleep(0.004 * number * SLOW)
        boot.gateway.kill_all()
        for pid in boot.house.gate.pids("printgate"):
            os.kill(pid, signal.SIGKILL)
        boot.shower.wait(10)
        boot.gateway.start()
        assert len([n for n in boot.names() if n.startswith(name)]) in (0, 2)
        boot.show()
        assert boot.shower.wait(20) == 0, boot.read("log")
        assert {name, f"{name} too"} <= set(boot.names())
        assert not os.path.exists(boot.file)


def test_a_power_cut_in_the_middle_of_removing_the_file_leaves_none(boot):
    """Renamed, half overwritten: that is no file to be applied, and the next start removes it."""
    boot.put(GOOD + "show = none\n")
    boot.provision()
    before = boot.state()
    boot.put(b"\0" * 512 + b"address = 10.9.0.1\n", "printgate.old")
    boot.show()
    assert boot.shower.wait(20) is not None
    assert not os.path.exists(os.path.join(boot.folder, "printgate.old")) and boot.state() == before
