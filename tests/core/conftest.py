# SPDX-License-Identifier: GPL-2.0-or-later
"""One core, on a folder of its own."""

import pytest

from core_lab import Core


@pytest.fixture
def core(tmp_path):
    c = Core(str(tmp_path)).wait_ready()
    yield c
    if c.process.poll() is None:
        assert c.stop() == 0, c.stderr
