# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: a running gateway with two phones, shared by the tests of a file, and fresh ones."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import house  # noqa: E402


@pytest.fixture(scope="module")
def home():
    """One house for a whole file: tests leave it as they find it."""
    with house.House() as h:
        yield h


@pytest.fixture
def new_house():
    """Makes houses that end with the test."""
    made = []

    def make(**options):
        made.append(house.House(**options))
        return made[-1]

    yield make
    for h in made:
        h.close()
