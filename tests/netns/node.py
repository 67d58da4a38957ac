# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine of the lab: network, mount, pid and host-name namespaces of its own.

A node has no name outside itself: it is known by its first process alone, which ends (and the
kernel with it everything inside: processes, interfaces, mounts) when the test process does. Its
/run is a private tmpfs, so wireguard-go's sockets of many labs never meet.
"""

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
# On a slow machine (an emulated one) every deadline of these tests is so many times as long, and so
# is every silence that must be believed.
SLOW = float(os.environ.get("PRINTGATE_SLOW", "1"))
_libc = ctypes.CDLL(None, use_errno=True)

# SIGCHLD ignored: orphans of a killed daemon are reaped by the kernel. `cat` ends with our pipe.
_FIRST_PROCESS = """
trap '' CHLD
mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs sysfs /sys
hostname "$1"
ip link set lo up
echo ready
exec cat >/dev/null
"""

ENV = dict(os.environ, PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
           LC_ALL="C.UTF-8")


class Timeout(AssertionError):
    """An awaited event did not come."""


def await_that(condition, seconds=10, what="the condition", pause=0.02):
    """Polls until condition() is true; returns its value. The deadline is for failures only, and
    longer on a SLOW machine."""
    seconds *= SLOW
    deadline = time.monotonic() + seconds
    waiter = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"{what}: not within {seconds} s")
        waiter.wait(pause)


def socket_in(netns, family, kind, proto=0):
    """A socket of that network namespace (a descriptor) in the test's own process: a socket stays
    where it was made."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(netns, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(family, kind, proto)
        finally:
            if _libc.setns(home, CLONE_NEWNET):
                os.abort()  # the thread would go on in the wrong namespace
    finally:
        os.close(home)


class Node:
    def __init__(self, name):
        self.name = name
        self.started = []
        self.ended = False
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child",
             "--mount-proc", "--propagation", "private", "sh", "-ec", _FIRST_PROCESS, "sh", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV,
            text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"node {name}: no namespaces (root is needed): "
                               f"{self.holder.stderr.read()}")
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children") as f:
            self.init = int(f.read().split()[0])
        self.netns = os.open(f"/proc/{self.init}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.pid_ns = os.readlink(f"/proc/{self.init}/ns/pid")

    def end(self):
        """Ends everything in the node; the kernel clears up while others are ended."""
        if self.ended:
            return
        self.ended = True
        if self.holder.poll() is None:
            os.kill(self.init, signal.SIGKILL)
        for process in self.started:
            process.kill()  # its nsenter: as a parent in the outer pid namespace it has to reap

    def close(self):
        self.end()
        for process in self.started:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()
        os.close(self.netns)

    # ---- programs --------------------------------------------------------------------------

    def argv(self, command):
        return ["nsenter", "-t", str(self.init), "-n", "-m", "-u", "-p", "--", *map(str, command)]

    def start(self, command, log=None, **popen):
        """Starts a program in the node, its output appended to the file `log`. It ends with the
        node at the latest."""
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("env", ENV)
        with open(log or os.devnull, "a") as out:
            process = subprocess.Popen(self.argv(command), **{"stdout": out, "stderr": out, **popen})
        self.started.append(process)
        return process

    def run(self, *command, check=True, stdin=None, env=None, timeout=60):
        """Runs a program to its end; text streams. stderr is part of the error if it fails."""
        done = subprocess.run(self.argv(command), input=stdin, capture_output=True, text=True,
                              env={**ENV, **(env or {})}, timeout=timeout * SLOW,
                              **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {' '.join(map(str, command))}: status "
                                 f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def out(self, *command, **options):
        return self.run(*command, **options).stdout

    def ip(self, text):
        return self.out("ip", *text.split())

    def sysctl(self, key, value):
        self.run("sysctl", "-qw", f"{key}={value}")

    def nft(self, text):
        self.run("nft", "-f", "-", stdin=text)

    def processes(self):
        """{pid as seen from outside: (program, pid inside)} of all but the first process."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == self.init:
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") != self.pid_ns:
                    continue
                program = os.path.basename(os.readlink(f"/proc/{entry}/exe"))
                with open(f"/proc/{entry}/status") as f:
                    inner = [line.split()[-1] for line in f if line.startswith("NSpid:")][0]
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            found[int(entry)] = (program.removesuffix(" (deleted)"), int(inner))
        return found

    def pids(self, program):
        return [pid for pid, (name, _) in self.processes().items() if name == program]

    # ---- sockets and interfaces ------------------------------------------------------------

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0):
        return socket_in(self.netns, family, kind, proto)

    def address(self, interface, *addresses):
        for address in addresses:
            extra = ("nodad",) if ":" in address else ()
            self.run("ip", "address", "add", address, "dev", interface, *extra)
        self.run("ip", "link", "set", interface, "up")

    def interfaces(self):
        return sorted(line.split(":")[1].split("@")[0].strip()
                      for line in self.out("ip", "-o", "link").splitlines())


def cable(a, a_interface, b, b_interface):
    """A veth pair between two nodes, both ends made inside: nothing appears outside."""
    a.run("ip", "link", "add", a_interface, "type", "veth", "peer", "name", "lab-cable")
    # ip's netns argument is a pid in the caller's pid namespace: hand over from outside.
    subprocess.run(["nsenter", "-t", str(a.init), "-n", "ip", "link", "set", "lab-cable",
                    "netns", str(b.init), "name", b_interface], check=True, env=ENV)
