/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of everybody else's chains and rules, as the kernel has them in one moment.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct foreign_chain {
	struct nftnl_chain *chain;
	uint32_t family;
	const char *table, *name; /* the chain's own */
	size_t first, count;	  /* its rules */
};

struct foreign_dump {
	struct foreign_chain *chains;
	size_t chain_count, chain_room;
	struct nftnl_rule **rules;
	size_t rule_count, rule_room;
};

/* Reads chains and rules of all tables but ours. ERR_KERNEL, ERR_LIMIT. */
int foreign_dump_read(struct foreign_dump *out, struct mnl_socket *socket, struct diag *d)
	__attribute__((warn_unused_result));
void foreign_dump_free(struct foreign_dump *f);

/* NULL: there is none. */
const struct foreign_chain *foreign_dump_find(const struct foreign_dump *f, uint32_t family,
					      const char *table, const char *name);
