#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first program in the guest's system (tests/kernel/guest-init runs it): hands over to systemd.
exec /sbin/init
