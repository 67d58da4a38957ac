# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest can fail: whatever does not say that it has passed has not. Runs on the host, before what
it would be of no use without."""

import os
import subprocess
import sys

import pytest

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
