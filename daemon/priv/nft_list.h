/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing list of elements, as nft.c collects them for one change.
 */
#pragma once

#include "daemon/priv/nft_set.h"

struct nft_list {
	struct nft_elem *item;
	size_t count, cap;
};

/* A zeroed element at the end; valid until the next push. */
struct nft_elem *nft_list_push(struct nft_list *list);
void nft_list_free(struct nft_list *list); /* empty afterwards */
/* Groups by set, each key once: what was said last counts. */
void nft_list_tidy(struct nft_list *list);
