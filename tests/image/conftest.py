# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of an image: `make check-image`, which installs what they need, builds the package and says for which
architecture. They need root."""

import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "netns")]

from machine import Disks, Machine, street  # noqa: E402

ARCH = os.environ.get("PRINTGATE_IMAGE", "arm64")


@pytest.fixture(scope="session")
def deb():
    return os.environ["PRINTGATE_DEB"]  # make has built it


@pytest.fixture(scope="module")
def outside():
    """The internet: where phones are, and the router that leads to the gateway."""
    node = street()
    yield node
    node.close()


@pytest.fixture(scope="module")
def device(deb):
    """Makes devices from the image."""
    folders = []

    def make(files=None, kind="rw"):
        folders.append(tempfile.mkdtemp(prefix="printgate-image-"))
        return Disks(folders[-1], deb, ARCH, kind, files)

    yield make
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def start(outside):
    """Starts a device; whatever happens, it is off at the end."""
    machines = []

    def switch_on(disks, **options):
        machines.append(Machine(outside, disks, **options))
        return machines[-1]

    yield switch_on
    for machine in machines:
        machine.pull_the_plug()
