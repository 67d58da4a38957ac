/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests from what people write, on the command line or in a file: the parts of a printer and of an
 * enrolment.
 */
#pragma once

#include "common/control.h"

/* "self", an address, a prefix or a host name. ERR_BAD_ADDRESS, ERR_BAD_PREFIX, … */
int typed_address(struct control_printer_add *msg, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
/* The preset's services and those of `ports`; either may be NULL. ERR_BAD_PRESET with a list of those
 * there are, ERR_BAD_SERVICE; `neither` is the sentence for ERR_USAGE when both are NULL, and is
 * followed by that list. */
int typed_services(struct control_printer_add *msg, const char *preset, const char *ports,
		   const char *neither, struct diag *d) __attribute__((warn_unused_result));
/* One more printer that the peer may reach. ERR_LIMIT, ERR_BAD_NAME. */
int typed_grant(struct control_enroll *msg, const char *name, struct diag *d)
	__attribute__((warn_unused_result));
/* A span or a date. ERR_BAD_TIME. */
int typed_end(struct control_enroll *msg, const char *text, struct diag *d)
	__attribute__((warn_unused_result));
