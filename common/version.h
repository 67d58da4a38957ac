/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version that every program prints for --version.
 */
#pragma once

#define PRINTGATE_VERSION "0.1.0"
