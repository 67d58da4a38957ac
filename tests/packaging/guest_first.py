# SPDX-License-Identifier: GPL-2.0-or-later
"""Inside the guest: the service of the first boot, and the clock for those who may not ask the kernel about
it. Steps of guest.py's life of the package."""

import ctypes
import json
import os
import shutil
import struct
import time

from guest import CONFIG, HOME, STATE, await_that, is_shut_down, out, printgate, run

BOOT = "/boot/firmware"
FILE = f"[gateway]\nendpoint = {HOME}\n[enroll guest]\nexpires = 2h\nshow = console, boot\n"
UNITS = "/run/systemd/system"
ISSUE = "/run/printgate-firstboot/printgate.issue"
DAY = 86400
ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS, STA_UNSYNC = 0x0004, 0x0008, 0x0010, 0x0040
_libc = ctypes.CDLL(None, use_errno=True)

# What a unit lets its program do.
PROBE = """
import ctypes, fcntl, json, os, re, socket, termios
libc = ctypes.CDLL(None, use_errno=True)
seen = {"adjtimex": libc.adjtimex((ctypes.c_char * 208)()), "errno": ctypes.get_errno()}
fd = os.open("/dev/tty1", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
seen["screen"] = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)).hex()
seen["devices"] = os.listdir("/dev")
with open("/proc/self/status") as f:
    seen["capabilities"] = re.findall("Cap(?:Prm|Eff|Bnd|Inh|Amb):.0*(.+)", f.read())
for name, family in (("inet", socket.AF_INET), ("inet6", socket.AF_INET6), ("packet", socket.AF_PACKET)):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
        seen[name] = True
    except OSError:
        seen[name] = False
with open("/run/seen.json", "w") as f:
    json.dump(seen, f)
"""


def keep_synchronised(yes):
    """As an NTP client tells the kernel; the clock itself is left alone. struct timex: modes is the first
    int, maximal and estimated error (zero here) are the fourth and fifth long, status follows."""
    timex = bytearray(208)
    struct.pack_into("=i", timex, 0, ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR)
    struct.pack_into("=i", timex, 40, 0 if yes else STA_UNSYNC)
    assert _libc.adjtimex((ctypes.c_char * len(timex)).from_buffer(timex)) != -1


def change_clock(seconds):
    """Nobody keeps it right afterwards."""
    time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)


def show(unit, name):
    return out("systemctl", "show", "-P", name, unit)


def asked():
    return int(show("printgate-clock.socket", "NAccepted"))


def drop_in(unit, text):
    folder = f"{UNITS}/{unit}.d"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/test.conf", "w") as f:
        f.write(text)
    run("systemctl", "daemon-reload")


def drop_out(unit):
    shutil.rmtree(f"{UNITS}/{unit}.d")
    run("systemctl", "daemon-reload")


def the_service_has_no_more_than_it_needs():
    drop_in("printgate-firstboot.service",
            "[Service]\nType=oneshot\nExecStart=\nExecStart=/usr/bin/python3 /test/probe.py\n")
    with open("/test/probe.py", "w") as f:
        f.write(PROBE)
    run("systemctl", "start", "printgate-firstboot")
    drop_out("printgate-firstboot.service")
    with open("/run/seen.json") as f:
        seen = json.load(f)
    os.remove("/run/seen.json")
    assert seen["adjtimex"] == -1 and seen["errno"] == 1, seen
    assert seen["capabilities"] == ["0"] * 5, seen
    assert not seen["inet"] and not seen["inet6"] and not seen["packet"], seen
    assert "tty1" in seen["devices"] and not {"mem", "ttyS0", "kmsg", "vda"} & set(seen["devices"]), seen
    rows, columns = struct.unpack("HH", bytes.fromhex(seen["screen"])[:4])
    assert rows >= 25 and columns >= 80, seen


def a_file_with_an_end_waits_for_the_clock():
    os.makedirs(BOOT, exist_ok=True)
    with open(BOOT + "/printgate.conf", "w") as f:
        f.write(FILE)
    before = asked()
    keep_synchronised(False)
    run("systemctl", "start", "printgate-firstboot")
    await_that(lambda: asked() >= before + 2, "two questions about the clock")
    assert printgate("list")["peers"] == [] and os.path.exists(BOOT + "/printgate.conf")
    keep_synchronised(True)
    await_that(lambda: printgate("list")["peers"], "the file to be applied")
    await_that(lambda: os.path.exists(ISSUE), "the code on the consoles")
    with open(ISSUE, encoding="utf-8") as f:
        assert "█" in f.read()
    assert sorted(os.listdir(BOOT)) == ["printgate-guest.png", "printgate.applied.txt"]
    run("printgate", "revoke", "guest")
    await_that(lambda: show("printgate-firstboot", "ActiveState") == "inactive", "the end of the service")
    assert show("printgate-firstboot", "Result") == "success"
    assert sorted(os.listdir(BOOT)) == ["printgate.applied.txt"] and not os.path.exists(ISSUE)


def a_boot_partition_of_somebody_else_s_is_told():
    """The service has no right to override that, unless somebody gives it one."""
    code = printgate("status")["gateway"]["provision_code"]
    with open(BOOT + "/printgate.conf", "w") as f:
        f.write(f"[enroll other]\nshow = none\n[provision]\ncode = {code}\n")
    shutil.chown(BOOT, "nobody")
    os.chmod(BOOT, 0o700)
    run("systemctl", "start", "printgate-firstboot")
    await_that(lambda: show("printgate-firstboot", "ActiveState") == "failed", "the end of the service")
    assert show("printgate-firstboot", "ExecMainStatus") == "3"
    assert "/boot/firmware: Permission denied" in out("journalctl", "-b", "-u", "printgate-firstboot", "-o", "cat")
    drop_in("printgate-firstboot.service", "[Service]\nSystemCallFilter=@setuid\n"
            "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_SETUID CAP_SETGID\n")
    run("systemctl", "start", "printgate-firstboot")
    await_that(lambda: printgate("list")["peers"], "the file to be applied")
    await_that(lambda: show("printgate-firstboot", "ActiveState") == "inactive", "the end of the service")
    drop_out("printgate-firstboot.service")


def core_asks_too():
    """A clock that was set back counts as right if, and only if, somebody keeps it right."""
    drop_in("printgate.service", "[Service]\nProtectClock=yes\n")
    run("systemctl", "restart", "printgate")
    change_clock(DAY)
    run("printgate", "enroll", "first", "--no-qr")  # the time of this is kept
    change_clock(-DAY)
    done = run("printgate", "enroll", "second", "--expires", "2h", "--no-qr", check=False)
    assert done.returncode == 1 and "synchronised" in done.stdout, done.stdout
    keep_synchronised(True)
    run("systemctl", "stop", "printgate-clock.socket")
    done = run("printgate", "enroll", "second", "--expires", "2h", "--no-qr", check=False)
    assert done.returncode == 1 and "synchronised" in done.stdout, "nobody there to say so"
    run("systemctl", "start", "printgate-clock.socket")
    # An answer is believed for a while, so that core does not wait for one at each turn.
    await_that(lambda: run("printgate", "enroll", "second", "--expires", "2h", "--no-qr",
                           check=False).returncode == 0, "the next question")
    before = asked()
    for _ in range(10):
        printgate("list")
    assert asked() - before < 8, "not at each turn"
    drop_out("printgate.service")


def strangers_are_not_told():
    at = os.stat("/run/printgate-clock.sock")
    assert at.st_mode & 0o777 == 0o660
    program = "import socket; socket.socket(1, 5).connect('/run/printgate-clock.sock')"
    for account, group, may in (("nobody", "nogroup", False), ("_printgate-web", "_printgate-web", False),
                                ("_printgate", "_printgate", True), ("nobody", "printgate", True)):
        done = run("setpriv", "--reuid", account, "--regid", group, "--clear-groups", "python3", "-c",
                   program, check=False)
        assert (done.returncode == 0) == may, (account, group, done.stdout)


def it_answers_without_a_word():
    """Neither a failed unit, nor one that stays, nor anything in the journal."""
    await_that(lambda: not out("systemctl", "list-units", "printgate-clock@*", "--all", "--plain",
                               "--no-legend"), "the end of the last answer")
    units = out("journalctl", "-b", "-F", "_SYSTEMD_UNIT").splitlines()
    units += out("journalctl", "-b", "-F", "UNIT").splitlines()
    assert not [u for u in units if u.startswith("printgate-clock@")], units


def clear():
    keep_synchronised(False)
    run("systemctl", "stop", "printgate")
    run("printgated", "--down")
    os.remove(CONFIG)
    run("find", STATE, "-mindepth", "1", "-delete")
    shutil.rmtree(BOOT)
    is_shut_down()


STEPS = (the_service_has_no_more_than_it_needs, a_file_with_an_end_waits_for_the_clock,
         a_boot_partition_of_somebody_else_s_is_told, core_asks_too, strangers_are_not_told, it_answers_without_a_word,
         clear)
