/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The constant rules. tests/golden/ruleset.nft is what nft(8) shows of them.
 */
#pragma once

#include "daemon/priv/nft.h"
#include "daemon/priv/nft_batch.h"

/* Appends all chains and rules; the table and its sets stand before them. */
void nft_rules_add(struct nft_batch *b, const struct nft_shape *shape);
