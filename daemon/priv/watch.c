/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two multicast sockets: route netlink and nftables. Messages are looked at one by one and forgotten.
 */
#include "daemon/priv/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/priv/coexist.h"
#include "daemon/priv/link.h"
#include "daemon/priv/nft.h"
#include "daemon/priv/nft_batch.h"

/* Notifications are small; dumps do not come here. (libmnl's own advice is 8 KiB at most.) */
#define WATCH_BUFFER  16384
#define LOG_ANSWER_MS 1000

static int open_groups(int bus, const unsigned *groups, size_t count, struct diag *d)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return diag_errno(d, "cannot watch the kernel's notifications");
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			return diag_errno(d, "cannot join a notification group");
	return take_fd(&fd);
}

/* The kernel does not queue what bears that port id. A full change of ours alone tells of more elements
 * than the socket holds: taken for a loss, it would be answered with another full change, for ever.
 * (Classic BPF loads in network order; a datagram is of one doer.) */
static int leave_out_own(int fd, uint32_t own, struct diag *d)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog filter = {.len = ARRAY_LEN(code), .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)))
		return diag_errno(d, "cannot leave our own changes out of what is watched");
	return 0;
}

int watch_open(struct watch *w, const char *interface, uint32_t own_route, uint32_t own_nft,
	       struct diag *d)
{
	static const unsigned route_groups[] = {
		RTNLGRP_LINK,	     RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF};
	static const unsigned nft_groups[] = {NFNLGRP_NFTABLES};
	int rc;

	*w = (struct watch){.route = -1, .nft = -1, .log = w->log};
	memcpy(w->interface, interface, strnlen(interface, sizeof(w->interface) - 1));
	w->index = (int)if_nametoindex(w->interface);
	w->route = open_groups(NETLINK_ROUTE, route_groups, ARRAY_LEN(route_groups), d);
	if (w->route < 0)
		return w->route;
	w->nft = open_groups(NETLINK_NETFILTER, nft_groups, ARRAY_LEN(nft_groups), d);
	if (w->nft < 0)
		return w->nft;
	rc = leave_out_own(w->route, own_route, d);
	return rc ? rc : leave_out_own(w->nft, own_nft, d);
}

/* One configuration message for the group (linux/netfilter/nfnetlink_log.h), acknowledged. */
static int configure_log(int fd, uint16_t type, const void *value, size_t len)
{
	char buffer[256] __attribute__((aligned(8)));
	struct pollfd answer = {.fd = fd, .events = POLLIN};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *nfg;
	ssize_t n;

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(NFT_LOG_GROUP);
	mnl_attr_put(nlh, type, len, value);
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0 || poll(&answer, 1, LOG_ANSWER_MS) < 1)
		return -1;
	n = recv(fd, buffer, sizeof(buffer), 0);
	return n < 0 ? -1 : mnl_cb_run(buffer, (size_t)n, 0, 0, NULL, NULL);
}

int watch_open_log(struct watch *w, struct diag *d)
{
	static const struct nfulnl_msg_config_cmd bind_group = {.command = NFULNL_CFG_CMD_BIND};
	static const struct nfulnl_msg_config_mode no_packet = {.copy_mode = NFULNL_COPY_NONE};
	const uint32_t at_once = htonl(1);
	auto_close int fd = open_groups(NETLINK_NETFILTER, NULL, 0, d);

	w->log = -1;
	if (fd < 0)
		return fd;
	if (configure_log(fd, NFULA_CFG_CMD, &bind_group, sizeof(bind_group)) < 0 ||
	    configure_log(fd, NFULA_CFG_MODE, &no_packet, sizeof(no_packet)) < 0 ||
	    configure_log(fd, NFULA_CFG_QTHRESH, &at_once, sizeof(at_once)) < 0)
		return diag_errno(d, "NFLOG group %d", NFT_LOG_GROUP);
	w->log = take_fd(&fd);
	return 0;
}

void watch_close(struct watch *w)
{
	cleanup_close(&w->log);
	cleanup_close(&w->route);
	cleanup_close(&w->nft);
}

/* The text of a string attribute in the message, or "". */
static const char *string_attr(const struct nlmsghdr *nlh, unsigned header, uint16_t type)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header)
		if (mnl_attr_get_type(attr) == type &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			return mnl_attr_get_str(attr);
	return "";
}

/* The attribute's number; `otherwise` where it has none. */
static uint32_t u32_attr_or(const struct nlmsghdr *nlh, unsigned header, uint16_t type,
			    uint32_t otherwise)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header)
		if (mnl_attr_get_type(attr) == type && !mnl_attr_validate(attr, MNL_TYPE_U32))
			return mnl_attr_get_u32(attr);
	return otherwise;
}

static uint32_t u32_attr(const struct nlmsghdr *nlh, unsigned header, uint16_t type)
{
	return u32_attr_or(nlh, header, type, 0);
}

static unsigned on_link(struct watch *w, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	unsigned down;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return 0;
	down = ifi->ifi_flags & IFF_UP ? 0 : WATCH_DOWN;
	if (strcmp(string_attr(nlh, sizeof(*ifi), IFLA_IFNAME), w->interface))
		return ifi->ifi_index == w->index ? WATCH_OURS | down
						  : WATCH_LAN; /* renamed, or another */
	w->index = ifi->ifi_index;
	if (nlh->nlmsg_type == RTM_DELLINK || down ||
	    u32_attr(nlh, sizeof(*ifi), IFLA_GROUP) != LINK_GROUP)
		return WATCH_OURS | down;
	return 0;
}

/* Of IPv6 only that ours has gone, if there was one: that it comes is told by the kernel itself too,
 * when the interface goes up; and no way to a printer depends on the others. */
static unsigned on_addr(const struct watch *w, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	bool ours;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return 0;
	ours = ifa->ifa_index == if_nametoindex(w->interface);
	if (ifa->ifa_family == AF_INET6)
		return ours && nlh->nlmsg_type == RTM_DELADDR ? WATCH_OURS : 0;
	return ours ? WATCH_OURS : WATCH_LAN;
}

static unsigned on_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return 0;
	if (u32_attr(nlh, sizeof(*rtm), RTA_TABLE) == LINK_TABLE)
		return nlh->nlmsg_type == RTM_DELROUTE ? WATCH_OURS : 0;
	return rtm->rtm_family == AF_INET ? WATCH_LAN : 0;
}

/* Ours have the kernel's highest priorities, 0 and 1, around the one for local addresses; without the
 * one for the main table nothing has a way. */
static unsigned on_rule(const struct nlmsghdr *nlh)
{
	const unsigned head = sizeof(struct fib_rule_hdr);
	uint32_t priority, table;

	if (nlh->nlmsg_type != RTM_DELRULE || mnl_nlmsg_get_payload_len(nlh) < head)
		return 0;
	priority = u32_attr(nlh, head, FRA_PRIORITY);
	table = u32_attr(nlh, head, FRA_TABLE);
	return priority <= 1 || table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT ? WATCH_OURS
										    : 0;
}

/* Forwarding was switched off: of one interface, or of all, as net.ipv4.ip_forward does. What the kernel
 * has for all and as a default has negative numbers. */
static unsigned on_netconf(const struct watch *w, const struct nlmsghdr *nlh)
{
	const unsigned head = sizeof(struct netconfmsg);
	int index;

	if (mnl_nlmsg_get_payload_len(nlh) < head ||
	    u32_attr_or(nlh, head, NETCONFA_FORWARDING, 1) != 0)
		return 0;
	index = (int)u32_attr(nlh, head, NETCONFA_IFINDEX);
	if (index <= 0)
		return 0;
	return index == w->index ? WATCH_OURS : WATCH_LAN;
}

static unsigned on_route_message(struct watch *w, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return on_link(w, nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return on_addr(w, nlh);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return on_route(nlh);
	case RTM_DELRULE:
		return on_rule(nlh);
	case RTM_NEWNETCONF:
		return on_netconf(w, nlh);
	default:
		return 0;
	}
}

/* Something went from DOCKER-USER, or it is new. (Attributes 1 to 3 name table and chain, see below.) */
static unsigned on_docker(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	uint16_t name;

	if (nfg->nfgen_family != NFPROTO_IPV4 && nfg->nfgen_family != NFPROTO_IPV6)
		return 0;
	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_DELRULE)
		name = NFTA_RULE_CHAIN;
	else if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWCHAIN)
		name = NFTA_CHAIN_NAME;
	else
		return 0;
	return strcmp(string_attr(nlh, sizeof(*nfg), name), COEXIST_CHAIN) ? 0 : WATCH_DOCKER;
}

/* Whatever somebody else does inside our table is undone. The kernel itself (port id 0) only ends
 * elements whose time is over. Every message but NEWGEN names its table in attribute 1 (nf_tables.h:
 * NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, NFTA_SET_ELEM_LIST_TABLE). */
static unsigned on_nft_message(const struct nlmsghdr *nlh)
{
	const char *table;

	if (nlh->nlmsg_pid == 0 || NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return 0;
	table = string_attr(nlh, sizeof(struct nfgenmsg), NFTA_TABLE_NAME);
	if (!strcmp(table, COEXIST_TABLE))
		return on_docker(nlh);
	if (strcmp(table, NFT_TABLE) != 0)
		return 0;
	switch (NFNL_MSG_TYPE(nlh->nlmsg_type)) {
	case NFT_MSG_NEWSETELEM: /* the rules stand, and so does what they judge */
	case NFT_MSG_DELSETELEM:
	case NFT_MSG_NEWSET:
		return WATCH_OURS;
	default:
		return WATCH_OURS | WATCH_BARE;
	}
}

/* Nobody knows what it was. */
static unsigned lost(bool nft)
{
	return WATCH_OURS | WATCH_LAN | (nft ? WATCH_BARE | WATCH_DOCKER : WATCH_DOWN);
}

static unsigned drain(struct watch *w, int fd, bool nft)
{
	static char buffer[WATCH_BUFFER] __attribute__((aligned(8)));
	unsigned seen = 0;

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)buffer;
		int left = (int)n;

		if (n < 0 && errno == ENOBUFS) {
			seen |= lost(nft);
			continue;
		}
		if (n <= 0)
			return seen;
		if ((size_t)n > sizeof(buffer)) {
			seen |= lost(nft);
			continue;
		}
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			seen |= nft ? on_nft_message(nlh) : on_route_message(w, nlh);
	}
}

/* What NFLOG says is of no interest, only that it says something. */
static unsigned drain_log(const struct watch *w)
{
	char buffer[4096];
	unsigned seen = 0;

	while (w->log >= 0 && (recv(w->log, buffer, sizeof(buffer), 0) > 0 || errno == ENOBUFS))
		seen = WATCH_HANDSHAKE;
	return seen;
}

unsigned watch_read(struct watch *w)
{
	return drain_log(w) | drain(w, w->route, false) | drain(w, w->nft, true);
}
