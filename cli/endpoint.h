/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address under which phones find the gateway, as typed after --endpoint.
 */
#pragma once

#include "common/control.h"
#include "common/err.h"

#define ENDPOINT_PORT_DEFAULT 51820

/* "HOST", "HOST:PORT" with a DNS name (RFC 1123) or an IPv4 address, "[IPv6]", "[IPv6]:PORT". The
 * result always has a port. ERR_BAD_ADDRESS with a sentence. */
int endpoint_parse(char out[CONTROL_HOST_BYTES], const char *text, struct diag *d)
	__attribute__((warn_unused_result));
