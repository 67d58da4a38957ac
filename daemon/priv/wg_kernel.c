/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's WireGuard: the interface by route netlink, the device by generic netlink. Answers are
 * read into one buffer of our own, which is wiped after each exchange (a dump carries every key),
 * and which keeps the kernel's own words for a refusal. Called through wg_kernel_ops by wg.c.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/mem.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/link.h"
#include "daemon/priv/wg_backend.h"
#include "daemon/priv/wg_genl.h"

#define KIND	       "wireguard"
#define ANSWER_BYTES   32768 /* the kernel makes a dump's messages as large as the reader's buffer */
#define DUMP_TRIES     8     /* when another writer changes the device meanwhile */
#define EDIT_TRIES     4     /* when the acknowledgement is lost */
#define ANSWER_SECONDS 30

struct kernel {
	struct nl_sock *route, *genl;
	int family;
	bool stale; /* the generic socket may still hold, or be in the middle of, an old answer */
	char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* ---- exchange -------------------------------------------------------------------------------- */

/* One question and its answer. */
struct exchange {
	struct kernel *k;
	struct wg_genl_reader *reader; /* NULL: only an acknowledgement is expected */
	uint32_t seq;
	bool done;
	bool lost;	  /* the kernel had no room for (a part of) the answer */
	bool interrupted; /* the dump is not consistent */
	int error;	  /* errno, 0 or positive */
	char words[128];  /* the kernel's own */
};

static void take_words(struct exchange *x, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = nlmsg_data(h);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	struct nlattr *attrs;
	int skip = (int)sizeof(*e);

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += (int)NLMSG_ALIGN(e->msg.nlmsg_len) - (int)sizeof(e->msg);
	if (skip < 0 || skip > nlmsg_datalen(h))
		return;
	attrs = (struct nlattr *)((char *)nlmsg_data(h) + skip);
	if (nla_parse(tb, NLMSGERR_ATTR_MAX, attrs, nlmsg_datalen(h) - skip, NULL) == 0 &&
	    tb[NLMSGERR_ATTR_MSG])
		(void)nla_strlcpy(x->words, tb[NLMSGERR_ATTR_MSG], sizeof(x->words));
}

static int take_message(struct exchange *x, struct nlmsghdr *h, struct diag *d)
{
	struct nlmsgerr *e = nlmsg_data(h);

	if (h->nlmsg_seq != x->seq)
		return 0; /* not to us */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE) {
		x->done = true;
		if (nlmsg_datalen(h) >= (int)sizeof(int))
			x->error = -*(int *)nlmsg_data(h);
	} else if (h->nlmsg_type == NLMSG_ERROR) {
		if (nlmsg_datalen(h) < (int)sizeof(*e))
			return diag_set(d, ERR_PROTOCOL, "the kernel's answer is too short");
		x->done = true;
		x->error = -e->error;
		take_words(x, h);
	} else if (h->nlmsg_type == x->k->family && x->reader && genlmsg_valid_hdr(h, 0)) {
		struct genlmsghdr *g = genlmsg_hdr(h);

		return wg_genl_read(x->reader, genlmsg_attrdata(g, 0), genlmsg_attrlen(g, 0), d);
	}
	return 0;
}

static int take_answer(struct exchange *x, struct diag *d)
{
	struct kernel *k = x->k;
	int rc = 0;

	while (rc == 0 && !x->done && !x->lost) {
		ssize_t n =
			recv(nl_socket_get_fd(k->genl), k->answer, sizeof(k->answer), MSG_TRUNC);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)k->answer;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		x->lost = n < 0 && errno == ENOBUFS;
		if (n < 0 && !x->lost)
			return diag_errno(d, "no answer from the kernel's WireGuard");
		if (n > (ssize_t)sizeof(k->answer))
			return diag_set(d, ERR_PROTOCOL, "the kernel's answer is too long");
		for (; rc == 0 && nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			rc = take_message(x, h, d);
	}
	return rc;
}

static int genl_connected(struct kernel *k, struct diag *d)
{
	int rc;

	nl_socket_free(k->genl);
	k->genl = nl_socket_alloc();
	rc = k->genl ? genl_connect(k->genl) : -NLE_NOMEM;
	return rc < 0 ? iface_fail(d, rc, "cannot open a generic netlink socket") : 0;
}

static int genl_ready(struct kernel *k, struct diag *d)
{
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	int fd = nl_socket_get_fd(k->genl);
	int one = 1;

	nl_socket_disable_auto_ack(k->genl); /* each message says itself what it wants */
	/* The words of a refusal are a help, not a need. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return diag_errno(d, "cannot set up the generic netlink socket");
	return 0;
}

/* After an answer that was not heard to its end, another socket: on the old one the kernel would
 * refuse the next dump until the last one has been read. */
static int renew(struct kernel *k, struct diag *d)
{
	int rc = k->stale ? genl_connected(k, d) : 0;

	rc = rc || !k->stale ? rc : genl_ready(k, d);
	if (rc == 0)
		k->stale = false;
	return rc;
}

/* One question and its answer. The message may be asked again. */
static int ask(struct exchange *x, struct nl_msg *m, struct diag *d)
{
	int rc = renew(x->k, d);

	if (rc)
		return rc;
	nlmsg_hdr(m)->nlmsg_seq = NL_AUTO_SEQ;
	nlmsg_hdr(m)->nlmsg_pid = NL_AUTO_PORT;
	rc = nl_send_auto(x->k->genl, m);
	x->seq = nlmsg_hdr(m)->nlmsg_seq;
	if (rc < 0)
		return iface_fail(d, rc, "cannot send to the kernel's WireGuard");
	rc = take_answer(x, d);
	key_wipe(x->k->answer, sizeof(x->k->answer));
	x->k->stale = !x->done;
	return rc;
}

static int lost(struct diag *d)
{
	return diag_set(d, ERR_KERNEL, "the kernel's WireGuard has no room for its answers");
}

static int refused(const struct wg *w, const struct exchange *x, struct diag *d)
{
	if (x->error == EPERM)
		return diag_set(d, ERR_NOT_PERMITTED,
				"the kernel's WireGuard asks for the capability CAP_NET_ADMIN in "
				"this network namespace");
	if (x->error == EADDRINUSE)
		return diag_set(d, ERR_KERNEL, "%s: the UDP port is taken by another program",
				w->interface);
	return diag_set(d, ERR_KERNEL, "the kernel's WireGuard refuses (%s): %s%s%s", w->interface,
			strerror(x->error), x->words[0] ? ": " : "", x->words);
}

/* Frees the message. To make an edit twice is to make it once, so a lost acknowledgement is no
 * harm. */
static int tell(struct wg *w, struct nl_msg *m, struct diag *d)
{
	struct exchange x = {.lost = true};
	int rc = 0;

	for (int i = 0; rc == 0 && x.lost && i < EDIT_TRIES; i++) {
		x = (struct exchange){.k = w->state};
		rc = ask(&x, m, d);
	}
	wg_genl_free(m);
	if (rc)
		return rc;
	if (x.lost)
		return lost(d);
	return x.error ? refused(w, &x, d) : 0;
}

/* ---- peers and device ------------------------------------------------------------------------ */

static int kernel_config_set(struct wg *w, const struct wg_secret *key, uint16_t port,
			     struct diag *d)
{
	struct kernel *k = w->state;

	return tell(w, wg_genl_config(k->family, w->interface, key, port), d);
}

static int kernel_edit(struct wg *w, const struct wg_edit *list, size_t n, struct diag *d)
{
	struct kernel *k = w->state;
	size_t taken;
	int rc = 0;

	for (; n && rc == 0; list += taken, n -= taken)
		rc = tell(w, wg_genl_edits(k->family, w->interface, list, n, &taken), d);
	return rc;
}

static int dump_once(struct wg *w, struct exchange *x, struct diag *d)
{
	struct kernel *k = x->k;
	struct nl_msg *m = wg_genl_get(k->family, w->interface);
	int rc = ask(x, m, d);

	wg_genl_free(m);
	rc = rc ? rc : wg_genl_read_end(x->reader);
	x->interrupted |= x->error == EINTR;
	if (rc == 0 && !x->lost && !x->interrupted && x->error)
		rc = refused(w, x, d);
	return rc;
}

/* An interrupted dump may lack peers, or tell one twice: it is done with, and asked for again. */
static int kernel_dump(struct wg *w, struct wg_config *config, struct wg_list *peers,
		       struct diag *d)
{
	struct exchange x = {.interrupted = true};
	int rc = 0;

	for (int i = 0; rc == 0 && (x.interrupted || x.lost) && i < DUMP_TRIES; i++) {
		struct wg_genl_reader r = {.fn = peers ? wg_list_add : NULL, .arg = peers};

		x = (struct exchange){.k = w->state, .reader = &r};
		if (peers)
			wg_list_free(peers);
		rc = dump_once(w, &x, d);
		if (rc == 0 && config)
			*config = r.config;
		key_wipe(&r, sizeof(r));
	}
	if (rc == 0 && x.lost)
		return lost(d);
	if (rc == 0 && x.interrupted)
		return diag_set(d, ERR_CONFLICT, "another program keeps changing the device %s",
				w->interface);
	return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void kernel_free(struct wg *w)
{
	struct kernel *k = w->state;

	nl_socket_free(k->route);
	nl_socket_free(k->genl);
	free(k);
}

static int genl_socket(struct kernel *k, struct diag *d)
{
	int rc = genl_connected(k, d);

	if (rc)
		return rc;
	k->family = genl_ctrl_resolve(k->genl, WG_GENL_NAME); /* loads the module if there is one */
	if (k->family < 0)
		return diag_set(d, ERR_NOT_FOUND,
				"this kernel has no WireGuard: use a kernel with the wireguard "
				"module, or backend = userspace");
	return genl_ready(k, d);
}

static int kernel_open(struct wg *w, struct diag *d)
{
	struct kernel *k = mem_zalloc(1, sizeof(*k));
	int rc;

	w->state = k;
	rc = genl_socket(k, d);
	rc = rc ? rc : iface_socket(&k->route, d);
	if (rc)
		kernel_free(w);
	return rc;
}

/* ---- the interface --------------------------------------------------------------------------- */

static int create(struct wg *w, struct diag *d)
{
	struct kernel *k = w->state;
	struct iface i;
	int rc = iface_create(k->route, w->interface, KIND, LINK_MTU, d);

	rc = rc ? rc : iface_get(k->route, w->interface, &i, d);
	return rc ? rc : iface_mark(k->route, i.index, d);
}

static int kernel_attach(struct wg *w, bool *created, struct diag *d)
{
	struct kernel *k = w->state;
	struct iface i;
	int rc = iface_get(k->route, w->interface, &i, d);

	*created = false;
	if (rc)
		return rc;
	if (i.index && !i.ours)
		return iface_foreign(w->interface, d);
	if (i.index && strcmp(i.kind, KIND) == 0)
		return 0;
	if (i.index) /* the userspace back end's: wireguard-go ends when its interface goes */
		rc = iface_delete(k->route, i.index, d);
	*created = true;
	return rc ? rc : create(w, d);
}

static int kernel_watch_fd(const struct wg *w)
{
	(void)w;
	return -1;
}

/* Emptied first: removing an interface waits one RCU grace period for each of its peers. */
static int kernel_down(struct wg *w, struct diag *d)
{
	struct kernel *k = w->state;
	struct iface i;
	int rc = iface_get(k->route, w->interface, &i, d);

	if (rc || !i.index || !i.ours)
		return rc;
	if (strcmp(i.kind, KIND) == 0)
		rc = tell(w, wg_genl_empty(k->family, w->interface), d);
	return rc ? rc : iface_delete(k->route, i.index, d);
}

const struct wg_ops wg_kernel_ops = {
	.name = "kernel",
	.open = kernel_open,
	.free = kernel_free,
	.attach = kernel_attach,
	.config_set = kernel_config_set,
	.edit = kernel_edit,
	.dump = kernel_dump,
	.watch_fd = kernel_watch_fd,
	.down = kernel_down,
};
