/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transaction's buffer, its sending, and reading what the kernel refused.
 */
#include "daemon/priv/nft_batch.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/mem.h"

#define ANSWER_BYTES 32768

static char *batch_room(struct nft_batch *b, uint32_t mark)
{
	b->bytes = mem_grow(b->bytes, &b->cap, b->len + NFT_MESSAGE_ROOM, 1);
	b->marks = mem_grow(b->marks, &b->marks_cap, b->count + 1, sizeof(*b->marks));
	b->marks[b->count] = mark;
	return b->bytes + b->len;
}

static void batch_take(struct nft_batch *b, const struct nlmsghdr *nlh)
{
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
	b->count++;
}

void nft_batch_begin(struct nft_batch *b)
{
	b->len = 0;
	b->count = 0;
	batch_take(b, nftnl_batch_begin(batch_room(b, NFT_NO_MARK), 0));
}

void nft_batch_free(struct nft_batch *b)
{
	free(b->bytes);
	free(b->marks);
	memset(b, 0, sizeof(*b));
}

struct nlmsghdr *nft_batch_message_of(struct nft_batch *b, uint16_t family, uint16_t type,
				      uint16_t flags, uint32_t mark)
{
	char *room = batch_room(b, mark);

	return nftnl_nlmsg_build_hdr(room, type, family, flags, (uint32_t)b->count);
}

struct nlmsghdr *nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags,
				   uint32_t mark)
{
	return nft_batch_message_of(b, NFPROTO_INET, type, flags, mark);
}

void nft_batch_end_message(struct nft_batch *b, const struct nlmsghdr *nlh)
{
	batch_take(b, nlh);
}

/* The whole must go in one datagram; needs CAP_NET_ADMIN to exceed net.core.wmem_max. */
static int batch_make_room(const struct nft_batch *b, int fd)
{
	int have = 0, want = (int)b->len + 4096;
	socklen_t len = sizeof(have);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &len) == 0 && have >= want)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) ? -errno : 0;
}

/* The first refusal in one datagram of answers; 0: none in it. */
static int batch_refusal(const struct nft_batch *b, const char *in, size_t n, uint32_t *mark)
{
	const struct nlmsghdr *nlh = (const void *)in;
	const struct nlmsgerr *e;
	int left = (int)n;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		e = mnl_nlmsg_get_payload(nlh);
		if (nlh->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*e) ||
		    e->error == 0)
			continue;
		*mark = nlh->nlmsg_seq < b->count ? b->marks[nlh->nlmsg_seq] : NFT_NO_MARK;
		return e->error;
	}
	return 0;
}

/* Reads until nothing is there: what was refused first counts. An overrun of the receive buffer can
 * only come from many refusals, so it is one itself. */
static int batch_answers(const struct nft_batch *b, int fd, uint32_t *mark)
{
	_Alignas(struct nlmsghdr) char in[ANSWER_BYTES];
	int result = 0;
	ssize_t n;

	for (;;) {
		int refusal = 0;

		n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS && result == 0)
			result = -ENOBUFS;
		else if (n < 0 && errno != ENOBUFS)
			return errno == EAGAIN || result ? result : -errno;
		else if (n >= 0 && (result == 0 || *mark == NFT_NO_MARK))
			refusal = batch_refusal(b, in, (size_t)n, mark);
		if (refusal)
			result = refusal;
	}
}

void nft_drain(struct mnl_socket *socket)
{
	char in[ANSWER_BYTES];
	int fd = mnl_socket_get_fd(socket);

	while (recv(fd, in, sizeof(in), MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS)
		;
}

int nft_batch_send(struct nft_batch *b, struct mnl_socket *socket, uint32_t *mark)
{
	int fd = mnl_socket_get_fd(socket), result;

	batch_take(b, nftnl_batch_end(batch_room(b, NFT_NO_MARK), (uint32_t)b->count));
	*mark = NFT_NO_MARK;
	result = batch_make_room(b, fd);
	if (result == 0 && mnl_socket_sendto(socket, b->bytes, b->len) < 0)
		result = -errno;
	return result ? result : batch_answers(b, fd, mark);
}
