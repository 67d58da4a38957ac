# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running programs cost: memory, start, enrolling, status, the page, and doing nothing."""

import glob
import os
import re
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time

from figures import by_turns
from tools import (BUILD, ROOT, VPN, Bench, Node, Spawner, address, core_lab, nft_driver,
                   random_key, scratch, wg_driver)

FEW, MANY = 10, 10000
ENROLL_ROUNDS = 41
STATUS_ROUNDS = 9
START_ROUNDS = 11
IDLE_SECONDS = 30


def millis(values):
    return [v / 1e6 for v in values]


def size(figures):
    figures.head("Installed size, without debugging symbols")
    with tempfile.TemporaryDirectory() as there:
        subprocess.run(["make", "-s", "-C", ROOT, "install", f"B={BUILD}", f"DESTDIR={there}"],
                       check=True, stdout=subprocess.DEVNULL)
        files = [f for f in glob.glob(f"{there}/**", recursive=True) if os.path.isfile(f)]
        programs = [f for f in files if os.access(f, os.X_OK)]
        subprocess.run(["strip", *programs], check=True)
        for name, which in (("programs", programs), ("everything", files)):
            figures.put(f"size.{name}", [sum(map(os.path.getsize, which)) / 1024], 1024,
                        unit=" KiB")


def ready(bench):
    """Nanoseconds from the process's start until it says that it is ready."""
    began = time.monotonic_ns()
    bench.gateway.start(120)
    return time.monotonic_ns() - began


def start_again(bench):
    """The tunnel stays up all the while."""
    bench.gateway.stop()
    return ready(bench)


def start_anew(bench):
    """As after a boot: neither the interface nor the rules are there."""
    bench.gateway.stop()
    bench.gateway.down()
    return ready(bench)


def start(figures):
    figures.head("From start to ready, with 10 peers")
    bench = Bench(FEW)
    rounds = by_turns(START_ROUNDS, anew=lambda: start_anew(bench),
                      again=lambda: start_again(bench))
    figures.put("start.after_boot", millis(rounds["anew"]), 50, unit=" ms",
                note="wireguard-go's start is part of it where the kernel lacks WireGuard")
    figures.put("start.restart", millis(rounds["again"]), 50, unit=" ms")
    bench.close()


# ---- what a running gateway costs ----------------------------------------------------------------------


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:")) / 1024


def memory(figures, benches):
    figures.head("Memory of all our processes (PSS); freshly started, and after a `status`")
    for n, goal in ((FEW, 6), (MANY, 24)):
        bench = benches[n]
        bench.gateway.stop()
        bench.gateway.start(60)
        for when in ("started", "after status"):
            if when != "started":
                bench.gateway.run("--json", "status")
            parts = {p: sum(map(pss, bench.node.pids(p)))
                     for p in ("printgated", "printgate-core", "printgate-web")}
            note = ", ".join(f"{name.removeprefix('printgate')} {v:.1f}".strip("-")
                             for name, v in parts.items())
            figures.put(f"memory.{n}_peers, {when}", [sum(parts.values())], goal, unit=" MiB",
                        note=note)
        go = bench.node.pids("wireguard-go")
        if go:
            figures.note(f"wireguard-go, which is not ours, has {sum(map(pss, go)):.0f} MiB")


def durable_commit(folder):
    """A function: nanoseconds of one commit of two rows that survives a power cut."""
    db = sqlite3.connect(os.path.join(folder, "reference.db"), isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB)")

    def commit():
        data = os.urandom(200)
        began = time.monotonic_ns()
        db.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            db.execute("INSERT INTO a (name, data) VALUES (hex(randomblob(8)), ?)", (data,))
        db.execute("COMMIT")
        return time.monotonic_ns() - began
    return commit


def over_line(bench):
    """A function: nanoseconds of an enrolment by one client that stays connected."""
    client = core_lab.Client(bench.socket)

    def enroll():
        request = client.enroll(bench.name(), ["printer"])
        began = time.monotonic_ns()
        client.ok(*request)
        return time.monotonic_ns() - began
    return enroll


def enroll(figures, benches):
    figures.head("Enrolling one phone: the whole process, its QR code drawn")
    spawner = Spawner()
    few, many = benches[FEW], benches[MANY]
    commit = durable_commit(scratch())

    def cli(bench):
        return spawner.run(*bench.cli("enroll", bench.name(), "--printer", "printer"))

    rounds = by_turns(
        ENROLL_ROUNDS, few=lambda: cli(few), many=lambda: cli(many),
        start=lambda: spawner.run("/bin/true"), commit=commit,
        help=lambda: spawner.run(os.path.join(BUILD, "printgate"), "presets"),
        few_line=over_line(few), many_line=over_line(many))
    figures.ratio("enroll: with 10,000 ÷ with 10", rounds["many"], rounds["few"], 1.2)
    least = [a + b for a, b in zip(rounds["start"], rounds["commit"])]
    figures.ratio("enroll: with 10 ÷ (process + commit)", rounds["few"], least, 2)
    figures.ratio("enroll: with 10,000 ÷ (process + commit)", rounds["many"], least, 2)
    syncs = whole_file(many)
    figures.ratio("wg syncconf of 10,000 ÷ enroll", syncs, rounds["many"][:len(syncs)], 50,
                  least=True)
    parts(figures, rounds, few)


def whole_file(bench):
    """Nanoseconds of `wg syncconf` with a file of all peers, as an enrolment by wg(8) would need."""
    path = os.path.join(scratch(), "whole.conf")
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(bench.node.out("wg", "showconf", "wg0"))
    inside = Spawner(bench.node)
    took = [inside.run("/usr/bin/wg", "syncconf", "wg0", path) for _ in range(6)][1:]
    inside.close()
    os.unlink(path)
    return took


def parts(figures, rounds, few):
    """Where the time goes; each part by itself, so their sum is less than the whole."""
    figures.head("Enrolling, in parts")
    figures.put("part.whole process", millis(rounds["few"]), unit=" ms")
    figures.put("part.bare process (/bin/true)", millis(rounds["start"]), unit=" ms")
    figures.put("part.our process, nothing asked", millis(rounds["help"]), unit=" ms")
    figures.put("part.request to answer, 10 peers", millis(rounds["few_line"]), unit=" ms")
    figures.put("part.request to answer, 10,000 peers", millis(rounds["many_line"]), unit=" ms")
    figures.put("part.one durable commit, any", millis(rounds["commit"]), unit=" ms")
    for peers in (FEW, MANY):
        store = helper("store", os.path.join(scratch(), f"parts{peers}.db"), peers, 221)
        figures.put(f"part.store, {peers} peers", millis(store[20:]), unit=" ms")
    config = os.path.join(scratch(), "config")
    few.gateway.run("qr", f"phone-{few.count}", "--output", config + ".conf")
    figures.put("part.QR code", millis(helper("qr", config + ".conf", 41)[1:]), unit=" ms")
    node = Node("parts")
    wg, rules = wg_driver(node, "pgparts", "auto"), nft_driver(node, "pgparts", FEW)
    put, grant = [], []
    for i in range(41):
        wg.do(f"put {random_key()},{random_key()},{address(i)}")
        put.append(wg.took())
        for line in ("begin delta", f"grant put {address(2000 + i)} {VPN} 0"):
            rules.tell(line)
        rules.do("commit")
        grant.append(rules.took())
    figures.put("part.WireGuard", millis(put[1:]), unit=" ms")
    figures.put("part.nftables", millis(grant[1:]), unit=" ms")
    wg.do("down")
    for driver in (wg, rules):
        driver.close()
    node.close()


def helper(*words):
    done = subprocess.run([os.path.join(BUILD, "bench", "parts"), *map(str, words)], check=True,
                          capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


def status(figures, benches):
    figures.head("printgate --json status ÷ wg show all dump")
    for n, bench in benches.items():
        inside = Spawner(bench.node)
        rounds = by_turns(STATUS_ROUNDS, ours=lambda b=bench, s=inside: s.run(*b.cli("--json", "status")),
                          wg=lambda s=inside: s.run("/usr/bin/wg", "show", "all", "dump"))
        figures.ratio(f"status.{n}_peers", rounds["ours"], rounds["wg"],
                      1.5 if n == MANY else None)
        inside.close()


# ---- the page, and nothing ---------------------------------------------------------------------------


def fetch(bench):
    with bench.node.socket() as s:
        s.connect(("127.0.0.1", 8080))
        s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: s.recv(65536), b""))


def page(figures, bench):
    figures.head("The page")
    answer = fetch(bench)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the page: {answer[:80]}")
    more = re.findall(rb'<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*\shref="?(?!data:)|url\((?!["\']?data:)',
                      answer)
    icon = not re.search(rb'rel="?icon"?', answer)  # a browser asks for /favicon.ico by itself
    figures.put("page.bytes", [len(answer)], 20480, note="with headers")
    figures.put("page.requests", [1 + len(more) + icon], 2,
                note="with the browser's own for an icon" if icon else "")


def connect(bench, source):
    s = bench.node.socket()
    s.bind((source, 0))
    s.connect(("127.0.0.1", 8080))
    return s


def page_loaded(figures, bench):
    """One viewer's page, while others hold 200 idle connections and 50 that send a byte every 1.5 s, from
    many addresses: as a ratio to the same page without them."""
    figures.head("The page, while others hold 200 idle and 50 slow connections")
    dribble = threading.Event()
    held = []

    def slow(connections):
        while not dribble.wait(1.5):
            for s in connections:
                try:
                    s.send(b"A")
                except OSError:  # let go: what is measured is what it costs before
                    pass

    def once():
        began = time.monotonic_ns()
        if not fetch(bench).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("the page has no answer")
        return time.monotonic_ns() - began

    def load():
        for i in range(250):
            held.append(connect(bench, f"127.0.1.{i // 10 + 1}"))
        threading.Thread(target=slow, args=(held[200:],), daemon=True).start()

    quiet = [once() for _ in range(41)]
    load()
    loaded = [once() for _ in range(41)]
    dribble.set()
    for s in held:
        s.close()
    figures.ratio("page.loaded ÷ alone", loaded, quiet, 100e6 / statistics.median(quiet))


def activity(pids):
    """Bytes that went to storage, bytes written at all, and how often the processes ran."""
    stored = written = ran = 0
    for pid in pids:
        with open(f"/proc/{pid}/io") as f:
            io = dict(line.split(": ") for line in f)
        stored += int(io["write_bytes"])
        written += int(io["wchar"])
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as f:
                ran += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return stored, written, ran


def idle(figures, benches):
    figures.head(f"Doing nothing for {IDLE_SECONDS} s, without a viewer")
    time.sleep(2)
    before = {n: activity(b.pids()) for n, b in benches.items()}
    time.sleep(IDLE_SECONDS)
    for n, bench in benches.items():
        stored, written, ran = (b - a for a, b in zip(before[n], activity(bench.pids())))
        figures.put(f"idle.{n}_peers: bytes to storage", [stored], 0)
        figures.put(f"idle.{n}_peers: bytes written", [written], 0)
        figures.put(f"idle.{n}_peers: wake-ups in 10 s", [ran * 10 / IDLE_SECONDS], 1)


def run(figures, fetch_page=True):
    began = time.monotonic()
    benches = {n: Bench(n, web="127.0.0.1:8080") for n in (FEW, MANY)}
    figures.note(f"{MANY + FEW} peers enrolled one by one in {time.monotonic() - began:.0f} s")
    idle(figures, benches)
    enroll(figures, benches)
    status(figures, benches)
    if fetch_page:
        page(figures, benches[FEW])
        page_loaded(figures, benches[FEW])
    memory(figures, benches)
    for bench in benches.values():
        bench.close()
