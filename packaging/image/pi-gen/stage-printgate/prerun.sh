#!/bin/bash -e
# SPDX-License-Identifier: GPL-2.0-or-later
# What every stage of pi-gen begins with.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
