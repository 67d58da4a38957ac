# SPDX-License-Identifier: GPL-2.0-or-later
"""Every test gets its own scripted core."""

import pytest

from cli_lab import Core


@pytest.fixture
def core(tmp_path):
    server = Core(tmp_path)
    yield server
    server.close()
