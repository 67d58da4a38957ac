/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets and maps of other tables: is this key in one, and what does it map to? Asked of the kernel,
 * which alone knows how large a foreign set is.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "daemon/priv/flow.h"

#define FOREIGN_REG_WORDS  20 /* NFT_REG32_COUNT and the verdict's four */
#define FOREIGN_DATA_BYTES 64 /* NFT_DATA_VALUE_MAXLEN */

struct foreign_regs {
	uint8_t bytes[FOREIGN_REG_WORDS * 4];
	bool known[FOREIGN_REG_WORDS];
};

/* The first word of a register, by its old (sixteen bytes) or new (four bytes) number. */
unsigned foreign_reg(uint32_t reg);
/* Its first len bytes; NULL if they are not all known. */
const uint8_t *foreign_reg_bytes(const struct foreign_regs *regs, uint32_t reg, uint32_t len);

struct foreign_set_name {
	uint32_t family;
	const char *table, *name;
};

/* What a map has for the key: a verdict, or data. */
struct foreign_elem {
	uint32_t verdict;
	char chain[128];
	uint8_t data[FOREIGN_DATA_BYTES];
	uint32_t len;
};

/* Looks up what stands in the registers from reg on. MAYBE: not known, or the kernel does not tell. */
enum holds foreign_set_ask(struct mnl_socket *socket, const struct foreign_set_name *set,
			   const struct foreign_regs *regs, uint32_t reg, struct foreign_elem *out);
