#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: the figures that this machine's own kernel can tell. Run as root.

    native.py [PART…]       forward tunnel nft memory start enroll status page idle size
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gateways  # noqa: E402
import rates  # noqa: E402
from figures import Figures  # noqa: E402

PARTS = {
    "size": gateways.size,
    "nft": rates.nft,
    "forward": rates.forward,
    "tunnel": rates.tunnel,
    "start": gateways.start,
    "gateways": gateways.run,
}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    figures = Figures()
    for part in wanted:
        PARTS[part](figures)
    figures.end()


if __name__ == "__main__":
    main()
