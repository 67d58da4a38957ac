#!/bin/bash -e
# SPDX-License-Identifier: GPL-2.0-or-later
# On the host: pi-gen mounts memory over the image's /tmp, so the package waits elsewhere.

install -d "${ROOTFS_DIR}/var/cache/printgate"
install -m 644 files/printgate*.deb "${ROOTFS_DIR}/var/cache/printgate/"
