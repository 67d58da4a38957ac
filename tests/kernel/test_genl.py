# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel back end's netlink, beside the reference's: what is sent, what is read, and what
happens when a dump is interrupted or an answer lost. Only inside the guest (`make check-kernel`)."""

import os
import subprocess
import tempfile
import threading
import time

import pytest

import genl
import reference
from reference import PORT, PRIVATE, Reference, address, key, word
from wg_lab import DRIVER, UID, Namespace

MANY = 1000


@pytest.fixture(name="wg")
def _wg():
    with Reference() as r:
        yield r


class Program:
    """Our driver under strace. A trace is whole when its program has ended."""

    def __init__(self, ns, *strace):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", ns.name, *strace, DRIVER, "wg0", "kernel", str(UID)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ok kernel\n"

    def say(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


class Ours:
    """Our driver, in a namespace of its own, and a tap."""

    def __init__(self):
        self.ns = Namespace()
        self.driver = self.ns.driver("wg0", backend="kernel")
        assert self.driver.opened == "ok kernel"
        assert self.driver.do("attach") == "created"
        talker = genl.Talker(self.ns)
        self.tap = genl.Tap(self.ns, talker.family)
        talker.close()

    def sends(self, *words):
        """The SET_DEVICE messages of one command."""
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            program = Program(self.ns, *genl.TRACE, trace)
            assert program.say(*words) == "ok"
            program.close()
            return genl.traced(trace, self.tap.family)

    def close(self):
        self.driver.end()
        self.tap.close()
        self.ns.close()


@pytest.fixture(name="ours")
def _ours():
    o = Ours()
    yield o
    o.close()


def golden(name):
    with open(os.path.join(reference.GOLDEN, name), encoding="ascii") as f:
        return f.read().splitlines()


# ---- what is sent -------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["set_config", "set_peers", "remove_peer"])
def test_golden_requests_are_what_the_reference_sends(wg, name):
    assert [genl.golden_line(m) for m in getattr(wg, name)()] == golden(f"{name}.hex")


def test_key_and_port(wg, ours):
    sent = ours.sends("device", PRIVATE, PORT)
    assert genl.device_tree(sent) == genl.device_tree(wg.set_config())
    assert ours.sends("device", PRIVATE, PORT) == []  # as it is already


def test_one_peer(wg, ours):
    sent = ours.sends("put", word(0))
    assert genl.device_tree(sent) == genl.device_tree(wg.set_peers(1))


def test_a_thousand_peers(wg, ours):
    sent = ours.sends("sync", *map(word, range(MANY)))
    theirs = wg.set_peers(MANY)
    assert len(sent) > 10 and len(theirs) > 10
    assert max(len(m[3]) for m in sent) < 16384, "holds rtnl_lock for too long"
    assert genl.device_tree(sent) == genl.device_tree(theirs)
    assert ours.driver.dump().keys() == {key(n) for n in range(MANY)}
    listing = [wg.ns.run("wg", "show", "wg0", "dump"), ours.ns.run("wg", "show", "wg0", "dump")]
    assert listing[0].splitlines()[1:] == listing[1].splitlines()[1:]


def test_removal(wg, ours):
    ours.driver.do("sync", word(0), word(1))
    wanted = genl.device_tree(wg.remove_peer())
    assert genl.device_tree(ours.sends("del", key(1))) == wanted
    ours.driver.do("put", word(1))
    assert genl.device_tree(ours.sends("sync", word(0))) == wanted


def test_what_is_equal_is_not_sent(ours):
    words = [word(n) for n in range(5)]
    ours.driver.do("sync", *words)
    assert ours.sends("sync", *words) == []
    _, peers = genl.device_tree(ours.sends("sync", *words[:4], f"{key(4)},-,10.77.20.99"))
    assert [p[genl.PEER_KEY] for p in peers] == [bytes([0, 4]) + b"\xaa" * 30]


# ---- what is read -------------------------------------------------------------------------------

def test_a_peer_with_more_addresses_than_a_message_holds(ours):
    """Its allowed IPs go on in the next message; it is one peer, and not as it should be."""
    ours.driver.do("sync", *map(word, range(3)))
    ips = ",".join(f"10.{64 + n // 256}.{n % 256}.0/24" for n in range(4000))
    ours.ns.run("wg", "set", "wg0", "peer", key(1), "allowed-ips", ips)
    ours.tap.take()
    dumped = ours.driver.dump()
    answers = [m for m in ours.tap.take() if not m[1] & genl.NLM_F_REQUEST]
    assert len(answers) > 3, "no peer had to go on in another message"
    assert {k: v[1] for k, v in dumped.items()} == {key(0): "1", key(1): "0", key(2): "1"}
    ours.driver.do("sync", *map(word, range(3)))
    assert ours.driver.dump()[key(1)][:2] == [address(1), "1"]


class Writer:
    """Another program that changes one peer of the device again and again."""

    def __init__(self, ns, pause):
        self.ns, self.pause = ns, pause
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._write)

    def _write(self):
        n = 0
        while not self.ending.wait(self.pause):
            n += 1
            self.ns.run("wg", "set", "wg0", "peer", key(0xFFFF), "remove", "peer", key(0xFFFE),
                        "allowed-ips", f"10.78.0.{n % 250}/32", "peer", key(0xFFFF), "allowed-ips",
                        f"10.78.1.{n % 250}/32")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()


def test_interrupted_dumps_are_repeated(ours):
    keys = {key(n) for n in range(MANY)}
    ours.driver.do("sync", *map(word, range(MANY)))
    ours.tap.take()
    repeated = interrupted = good = 0
    end = time.monotonic() + 240
    with Writer(ours.ns, 0):
        while (not repeated or not good) and time.monotonic() < end:
            answer = ours.driver.say("dump")
            seen = ours.tap.take()
            asked = sum(m[1] & genl.NLM_F_REQUEST and m[3][0] == genl.GET_DEVICE for m in seen)
            interrupted += any(m[1] & genl.NLM_F_DUMP_INTR for m in seen)
            if not answer.startswith("ok "):
                assert answer.startswith("error conflict: another program keeps changing"), answer
                assert asked > 4
                continue
            words = [w.split(",")[0] for w in answer.split()[1:]]
            assert len(words) == len(set(words)), "a peer twice"
            assert keys <= set(words), "a peer is lacking"
            good += 1
            repeated += asked > 1
    assert interrupted, "no dump was ever interrupted"
    assert repeated and good
    ours.driver.do("sync", *map(word, range(MANY)))
    assert ours.driver.dump().keys() == keys


def failing(ns, error, first, step=""):
    """Our driver, some of whose receives fail: the first-th, or all from it on."""
    return Program(ns, "strace", "-qq", "-o", "/dev/null", "-e", "trace=recvfrom", "-e",
                   f"inject=recvfrom:error={error}:when={first}{step}")


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_lost_answer_is_asked_for_again(ours, nth):
    """ENOBUFS: the kernel could not leave its answer, whatever it was. nth: of a dump of three
    messages, or of the acknowledgements of edits."""
    words = [word(n) for n in range(150)]
    ours.driver.do("sync", *words)
    faulty = failing(ours.ns, "ENOBUFS", nth)
    dumped = faulty.say("dump")
    assert dumped.startswith("ok ") and len(dumped.split()) == 1 + len(words)
    faulty.close()

    faulty = failing(ours.ns, "ENOBUFS", nth)
    for n in range(3):
        assert faulty.say("del", key(n)) == "ok"
    assert faulty.say("put", word(1)) == "ok"
    faulty.close()
    assert ours.driver.dump().keys() == {key(n) for n in range(150) if n not in (0, 2)}


def test_answers_that_are_always_lost_are_an_error(ours):
    faulty = failing(ours.ns, "ENOBUFS", 1, "+")
    for command in (("dump",), ("put", word(0))):
        assert faulty.say(*command).startswith("error kernel: "), command
    faulty.close()


def test_a_broken_exchange_does_not_spoil_the_next(ours):
    """What is left of a dump that was given up must not be taken for another's answer."""
    ours.driver.do("sync", *map(word, range(300)))
    faulty = failing(ours.ns, "EIO", 2)
    assert faulty.say("dump").startswith("error ")
    assert len(faulty.say("dump").split()) == 301
    assert faulty.say("put", word(300)) == "ok"
    faulty.close()
    assert set(map(key, range(301))) == ours.driver.dump().keys()
