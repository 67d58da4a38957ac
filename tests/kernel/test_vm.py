# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest can fail: whatever does not say that it has passed has not. Runs on the host, before what
it would be of no use without."""

import os
import subprocess
import sys

import pytest

import suite
import vm

HERE = os.path.dirname(os.path.abspath(__file__))

FAILING = {
    "a broken assertion": ("/usr/bin/python3 -c 'assert 1 == 2'", 300),
    "a panic": ("echo c >/proc/sysrq-trigger", 300),
    "a forged word": ("echo printgate-guest passed 00 >/dev/ttyS1; echo o >/proc/sysrq-trigger; "
                      "sleep 300", 300),
    "a hang": ("echo hangs; sleep 3000", 15),
}


@pytest.mark.parametrize("how", FAILING)
def test_what_fails_in_the_guest_fails(how):
    command, seconds = FAILING[how]
    done = subprocess.run([sys.executable, os.path.join(HERE, "vm.py"), "--memory", "1024",
                           "--seconds", str(seconds), command], capture_output=True, text=True,
                          timeout=900, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "vm: FAILED" in done.stdout
    assert ("did not end within" in done.stderr) == (how == "a hang"), done.stderr


def test_what_passes_passes(capfd):
    assert vm.boot("uname -r; echo $((6 * 7))", 1024, 300)
    lines = capfd.readouterr().out.split()
    assert lines[0].startswith("6.") and "42" in lines


def test_a_guest_that_fails_fails_the_suite(tmp_path, capfd):
    """tmp_path is not there inside the guest (it has a /tmp of its own), so its share is not found."""
    lost = tmp_path / "test_lost.py"
    lost.write_text("def test_pass():\n    pass\n")
    done = subprocess.run([sys.executable, os.path.join(HERE, "suite.py"), "--guests", "2",
                           os.path.join(os.path.dirname(HERE), "netns", "test_lab.py"), str(lost)],
                          capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 1
    assert "4 passed, 1 errors in" in done.stdout.splitlines()[-1], done.stdout


@pytest.mark.parametrize("line, found", [
    ("==== 3 failed, 263 passed, 1 skipped, 2 warnings in 811.30s (0:13:31) ====",
     {"failed": 3, "passed": 263, "skipped": 1, "warnings": 2}),
    ("1 passed, 1 error in 0.02s", {"passed": 1, "errors": 1}),
    ("no tests ran in 0.02s", {}),
    ("2| 87 passed", {}),
])
def test_summaries_are_added_up(line, found):
    assert dict(suite.counts(line)) == found


def test_each_file_is_run_once():
    files = [f"test_{n}.py" for n in range(17)]
    for guests in (1, 3, 40):
        given = suite.shares(files, guests)
        assert sorted(sum(given, [])) == sorted(files) and all(given)
