# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that need the kernel's WireGuard: only inside the guest."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "netns")]
