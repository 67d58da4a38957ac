# SPDX-License-Identifier: GPL-2.0-or-later
"""A house with phones, seen by real browsers inside its phone's network."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "netns")]

from browser import browser  # noqa: E402
from scene import Scene  # noqa: E402


@pytest.fixture(scope="module")
def scene():
    with Scene() as it:
        yield it


@pytest.fixture(scope="module")
def phone(scene):
    """The phone's browser, 390 × 844."""
    with browser(scene.phone.node) as it:
        yield it
