#!/bin/bash -e
# SPDX-License-Identifier: GPL-2.0-or-later
# In the image. pi-gen gives it no identity and no SSH keys, but only after the last stage.

apt-get install -y --no-install-recommends /var/cache/printgate/printgate*.deb
rm -r /var/cache/printgate
install -D -m 644 /usr/share/printgate/boot.conf /boot/firmware/printgate.conf.example
printgate image-check --skip machine-id --skip ssh /
