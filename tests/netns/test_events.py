# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone that connects is noticed when it happens. Nobody asks printgate for anything meanwhile but
the log, which does not look. (What others do to our kernel state: test_disturb.py.)"""

from node import await_that

WITHIN = 3  # seconds; the handshake itself takes some of it


def connects(house):
    return [e["subject"] for e in house.gateway.json("log")["events"] if e["action"] == "connect"]


def test_a_phone_that_connects_is_in_the_log(new_house):
    house = new_house()
    await_that(lambda: connects(house) == ["phone"], WITHIN, "the phone's arrival in the log")
    status, code, sentence = house.gateway.fails("qr", "phone")
    assert (status, code) == (1, "no_config") and "rekey" in sentence
