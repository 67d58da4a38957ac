/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nftables transaction: messages appended to one buffer, sent by one sendmsg, applied whole or
 * not at all. No message is acknowledged on success (ten thousand acknowledgements overrun any
 * receive buffer); the kernel works in the sender's context, so silence after sending is success.
 * Each message bears a mark, by which the caller learns which one was refused.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define NFT_TABLE	 "printgate"
#define NFT_MESSAGE_ROOM 8192 /* what one message may be long at most */
#define NFT_NO_MARK	 UINT32_MAX

struct nft_batch {
	char *bytes;
	size_t len, cap;
	uint32_t *marks; // by sequence number
	size_t count, marks_cap;
};

void nft_batch_begin(struct nft_batch *b);
void nft_batch_free(struct nft_batch *b);

/* A message of NFT_MSG_type for family inet, with room for NFT_MESSAGE_ROOM bytes; the caller fills
 * it and hands it back to nft_batch_end_message before it begins another. */
struct nlmsghdr *nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags,
				   uint32_t mark);
/* The same for another family. */
struct nlmsghdr *nft_batch_message_of(struct nft_batch *b, uint16_t family, uint16_t type,
				      uint16_t flags, uint32_t mark);
void nft_batch_end_message(struct nft_batch *b, const struct nlmsghdr *nlh);

/* Reads away what is left of an answer that was not read to its end: a dump that another writer has
 * disturbed goes on, and what it says would be taken for the next answer. */
void nft_drain(struct mnl_socket *socket);

/* Sends it. 0, or the kernel's errno (negative): nothing was changed then, and *mark is that of the
 * first refused message, NFT_NO_MARK if it is not known. */
int nft_batch_send(struct nft_batch *b, struct mnl_socket *socket, uint32_t *mark)
	__attribute__((warn_unused_result));
