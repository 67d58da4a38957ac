/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two sides of a look-up share: core's (resolve.c) and the copy's (resolve_main.c).
 */
#pragma once

#include "daemon/core/resolve.h"

/* One write of the copy, which is one program with its reader: no encoding. */
struct resolve_answer {
	uint32_t count; /* 0..RESOLVE_ADDRESSES_MAX */
	uint32_t address[RESOLVE_ADDRESSES_MAX];
};
