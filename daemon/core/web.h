/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core remembers for the page; all of it ends with the process.
 */
#pragma once

#include "daemon/core/web_limit.h"
#include "daemon/core/web_session.h"

struct web {
	struct web_sessions sessions;
	struct web_limit limit;
};
