# SPDX-License-Identifier: GPL-2.0-or-later
"""The real printgate in a node: configuration, start and end of printgated, the command line."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import tempfile

from node import BACKEND, BUILD, SLOW, await_that

PROGRAMS = ("printgated", "printgate-core", "printgate-web", "printgate-tls", "printgate")
USERS = {"net": 61601, "core": 61602, "web": 61603, "tls": 61604}
TABLE = "20551"  # daemon/priv/link.h: LINK_TABLE

START_SECONDS = 20


class CommandFailed(AssertionError):
    pass


class Gateway:
    """`node` is where it runs. Everything it keeps lies in one folder of its own."""

    def __init__(self, node, endpoint, tunnel="10.77.16.0/20", gateway_lines="", web="tunnel:80",
                 web_lines=""):
        self.node = node
        self.tunnel = tunnel
        self.interface = "wg0"
        self.folder = tempfile.mkdtemp(prefix="printgate-lab-")
        self.bin = BUILD
        self.state = os.path.join(self.folder, "state")
        self.runtime = os.path.join(self.folder, "run")
        self.config = os.path.join(self.folder, "printgate.conf")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.configure(f"""[gateway]
interface = {self.interface}
listen_port = 51820
endpoint = {endpoint}
tunnel = {tunnel}
backend = {BACKEND}
{gateway_lines}
[web]
listen = {web}
{web_lines}
[paths]
state = {self.state}
runtime = {self.runtime}
[users]
net = {USERS["net"]}
core = {USERS["core"]}
web = {USERS["web"]}
tls = {USERS["tls"]}
""")

    def configure(self, text):
        with open(self.config, "w") as f:
            f.write(text)

    def close(self):
        """After the node has ended."""
        def vanished(_function, _path, info):
            if not isinstance(info[1], FileNotFoundError):  # SQLite tidies up as its process ends
                raise info[1]
        shutil.rmtree(self.folder, onerror=vanished)

    def log_text(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    # ---- the daemon ------------------------------------------------------------------------

    def start(self, seconds=START_SECONDS, prefix=()):
        """Starts printgated and awaits that it is ready. `prefix`: a program that runs it."""
        ready, theirs = os.pipe()
        try:
            self.process = self.node.start(
                [*prefix, os.path.join(self.bin, "printgated"), "--config", self.config,
                 "--ready-fd", theirs], log=self.log, pass_fds=[theirs])
            os.close(theirs)
            theirs = -1
            if not select.select([ready], [], [], seconds * SLOW)[0] or os.read(ready, 1) != b"\n":
                raise AssertionError(f"printgated did not get ready\n{self.log_text()}")
        finally:
            os.close(ready)
            if theirs >= 0:
                os.close(theirs)

    def stop(self, number=signal.SIGTERM):
        self.kill("printgated", number)
        self.await_end()

    def await_end(self, seconds=10):
        """Awaits that all processes of ours have ended (the data plane stays)."""
        await_that(lambda: not any(self.node.pids(p) for p in PROGRAMS), seconds,
                   "the end of all our programs")
        self.process.wait(seconds)

    def kill(self, program, number=signal.SIGKILL):
        pids = self.node.pids(program)
        assert pids, f"{program} does not run\n{self.log_text()}"
        for pid in pids:
            os.kill(pid, number)

    def kill_all(self):
        """All programs of ours at once, so that none has time for a last act. Returns when they
        have ended."""
        running = [pid for pid, (name, _) in self.node.processes().items() if name in PROGRAMS]
        assert running, f"printgated does not run\n{self.log_text()}"
        for pid in running:
            with contextlib.suppress(ProcessLookupError):  # one dies, all end
                os.kill(pid, signal.SIGKILL)
        self.await_end()

    def hold(self):
        """printgated does nothing until it is let go."""
        self.kill("printgated", signal.SIGSTOP)

    def let_go(self):
        self.kill("printgated", signal.SIGCONT)
        self.process.send_signal(signal.SIGCONT)  # its nsenter stops with it

    def run_printgated(self, *arguments, check=True, config=None):
        return self.node.run(os.path.join(self.bin, "printgated"), "--config",
                             config or self.config, *arguments, check=check)

    def down(self):
        return self.run_printgated("--down")

    # ---- the command line ------------------------------------------------------------------

    def run(self, *arguments, check=True, **options):
        """Runs `printgate`; returns the finished process."""
        done = self.node.run(os.path.join(self.bin, "printgate"), *arguments, check=False,
                             env={"PRINTGATE_SOCKET": os.path.join(self.runtime, "control.sock")},
                             **options)
        if check and done.returncode:
            raise CommandFailed(f"printgate {' '.join(arguments)}: status {done.returncode}\n"
                                f"{done.stdout}{done.stderr}\n{self.log_text()[-4000:]}")
        return done

    def json(self, *arguments):
        return json.loads(self.run("--json", *arguments).stdout)

    def fails(self, *arguments):
        """Runs a verb that must fail: (exit status, error code, sentence)."""
        done = self.run("--json", *arguments, check=False)
        assert done.returncode, f"printgate {' '.join(arguments)} succeeded:\n{done.stdout}"
        error = json.loads(done.stdout)["error"]
        return done.returncode, error["code"], error["message"]

    def add_printer(self, name, address, *options):
        return self.json("printer", "add", name, address, *options)["printer"]

    def enroll(self, name, *options):
        return self.json("enroll", name, *options)

    def peer(self, name):
        return self.json("show", name)["peers"][0]

    # ---- what the kernel has ---------------------------------------------------------------

    def wireguard_peers(self):
        """{public key: allowed IPs}"""
        lines = self.node.out("wg", "show", self.interface, "allowed-ips").splitlines()
        return dict(line.split("\t", 1) for line in lines)

    def ruleset(self):
        return self.node.net("nft", "list", "table", "inet", "printgate").stdout

    def table(self):
        """The ruleset for comparison, elements in the order of the alphabet (the kernel's own is
        a hash's); None where there is no table."""
        done = self.node.net("nft", "list", "table", "inet", "printgate", check=False)
        return None if done.returncode else re.sub(
            r"elements = {(.*?)}", lambda m: ", ".join(sorted(map(str.strip, m[1].split(",")))),
            done.stdout, flags=re.DOTALL)

    def elements(self, name, kind="set"):
        """The elements of a set or map, as nft's JSON gives them, without what runs down."""
        text = self.node.net("nft", "-j", "list", kind, "inet", "printgate", name).stdout
        for item in json.loads(text)["nftables"]:
            if kind in item:
                return sorted(json.dumps(_lasting(e)) for e in item[kind].get("elem", []))
        raise AssertionError(f"no {kind} {name}")


def _lasting(element):
    if isinstance(element, dict) and "elem" in element:
        return {k: v for k, v in element["elem"].items() if k != "expires"}
    return element
