# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the Debian package, built once for all of them. They need root, and what packaging/deps.sh
installs for `make check-deb`, which is how they are run."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "kernel")]

import deblab  # noqa: E402


@pytest.fixture(scope="session")
def deb():
    """The path of this machine's package."""
    return deblab.build()


@pytest.fixture(scope="session")
def newer(deb):
    """The same with a higher version."""
    return deblab.newer(deb)


@pytest.fixture
def root(deb, tmp_path):
    """A fresh Debian system in a folder, with what the package depends on, and nothing running."""
    return deblab.unpack(deblab.base(deb), str(tmp_path / "root"))
