/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of elements: growing, and bringing them into the order in which they are sent.
 */
#include "daemon/priv/nft_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct nft_elem *nft_list_push(struct nft_list *list)
{
	list->item = mem_grow(list->item, &list->cap, list->count + 1, sizeof(*list->item));
	memset(&list->item[list->count], 0, sizeof(*list->item));
	return &list->item[list->count++];
}

void nft_list_free(struct nft_list *list)
{
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static int elems_order(const struct nft_elem *x, const struct nft_elem *y)
{
	int order;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	order = memcmp(x->key, y->key, sizeof(x->key));
	return order ? order : memcmp(x->end, y->end, sizeof(x->end));
}

/* Equal ones stay in the order of their places: qsort(3) alone does not promise it. */
static int places_order(const void *a, const void *b)
{
	const struct nft_elem *x = *(struct nft_elem *const *)a, *y = *(struct nft_elem *const *)b;
	int order = elems_order(x, y);

	return order ? order : x < y ? -1 : 1;
}

void nft_list_tidy(struct nft_list *list)
{
	struct nft_elem **place = mem_zalloc(list->count, sizeof(struct nft_elem *));
	struct nft_list tidy = {NULL, 0, 0};

	for (size_t i = 0; i < list->count; i++)
		place[i] = &list->item[i];
	qsort(place, list->count, sizeof(struct nft_elem *), places_order);
	for (size_t i = 0; i < list->count; i++)
		if (i + 1 == list->count || elems_order(place[i], place[i + 1]) != 0)
			*nft_list_push(&tidy) = *place[i];
	free(place);
	nft_list_free(list);
	*list = tidy;
}
