# SPDX-License-Identifier: GPL-2.0-or-later
"""printgate doctor: what it prints, and that bad news is exit status 1 without being an error."""

import json

import pytest

from cli_lab import END, check, error

GOOD = check("endpoint", 0, "Phones look for this gateway at home.example:51820.")
POOR = check("clock", 1, "This machine's clock is not set.", "timedatectl set-ntp true")
BAD = check("docker", 2, "Docker stops what goes " + "from phones to printers, " * 6 + "and back.",
            "iptables -I DOCKER-USER -i wg0 -j ACCEPT && iptables -I DOCKER-USER -o wg0 -j ACCEPT")


@pytest.mark.parametrize("items,status", [([GOOD], 0), ([GOOD, POOR], 0), ([GOOD, BAD, POOR], 1)])
def test_the_worst_decides(core, items, status):
    core.script["CTL_DOCTOR"] = [*items, END]
    done = core.cli("--json", "doctor")
    assert (done.returncode, done.stderr) == (status, b"")
    assert len(json.loads(done.stdout)["checks"]) == len(items)
    done = core.cli("doctor")
    assert (done.returncode, done.stderr) == (status, b"")


def test_json(core):
    core.script["CTL_DOCTOR"] = [GOOD, POOR, END]
    assert json.loads(core.cli("--json", "doctor").stdout) == {"checks": [
        {"name": "endpoint", "result": "ok", "fix": None,
         "message": "Phones look for this gateway at home.example:51820."},
        {"name": "clock", "result": "warn", "message": "This machine's clock is not set.",
         "fix": "timedatectl set-ntp true"}]}


def test_text_fits_and_commands_can_be_copied(core):
    core.script["CTL_DOCTOR"] = [GOOD, BAD, END]
    lines = core.cli("doctor").stdout.decode().splitlines()
    assert lines[0] == "ok: endpoint: Phones look for this gateway at home.example:51820."
    assert lines[1].startswith("fail: docker: Docker stops what goes")
    assert lines[-2:] == ["    iptables -I DOCKER-USER -i wg0 -j ACCEPT &&",
                          "    iptables -I DOCKER-USER -o wg0 -j ACCEPT"]
    assert max(map(len, lines)) <= 80


def test_an_error_is_an_error(core):
    core.script["CTL_DOCTOR"] = [GOOD, error("ERR_INTERNAL", "no")]
    done = core.cli("--json", "doctor")
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["message"] == "no"
