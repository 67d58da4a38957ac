/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages between printgate-core and printgated on their socketpair: the privilege line. From
 * core to printgated there are fixed-size messages only, without a path and without text;
 * printgated checks each against its own configuration (tunnel prefix, gateway address).
 *
 * A change is BEGIN, items, COMMIT; printgated answers COMMIT with one RESULT. A full change
 * (BEGIN.full) is the whole of what should be: what the kernel has besides it is removed. Otherwise
 * items are additions (PUT, which also edits) and removals (DEL). nftables elements of one change
 * are one transaction; in it removals go first. DUMP is answered with STATS… and RESULT, CHECK with
 * FINDING… and RESULT, NEIGHBOUR at once with NEIGHBOUR_IS: where that says ASKED, core asks again a
 * little later.
 * Addresses inside are told as IPv4: with tunnel6, what concerns one concerns the IPv6 address that
 * belongs to it as well, which printgated derives (inet6.h).
 * On connecting, printgated sends one HELLO before anything else. RESYNC may come at any time,
 * between the messages of an answer too: core then sends a full change as soon as it can.
 * Messages travel together as chan.h says, of which COMMIT, DUMP, CHECK, NEIGHBOUR and READY, and
 * from the other side HELLO, RESULT, NEIGHBOUR_IS and what comes unasked, end a datagram.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/control.h" /* CONTROL_HOST_BYTES, CONTROL_IFNAME_BYTES */
#include "common/hardware.h"
#include "common/inet6.h"
#include "common/key.h"
#include "common/service.h"
#include "common/wire.h"

enum privmsg_type {
	/* core → printgated */
	PRIV_BEGIN = 1,	  /* privmsg_begin */
	PRIV_PRINTER_PUT, /* privmsg_printer */
	PRIV_PRINTER_DEL, /* privmsg_printer; core deletes its services and grants in the same change */
	PRIV_SERVICE_PUT, /* privmsg_service */
	PRIV_SERVICE_DEL, /* privmsg_service */
	PRIV_GRANT_PUT,	  /* privmsg_grant */
	PRIV_GRANT_DEL,	  /* privmsg_grant (seconds ignored) */
	PRIV_PEER_PUT,	  /* privmsg_peer */
	PRIV_PEER_DEL,	  /* privmsg_peer_del */
	PRIV_COMMIT,	  /* empty → RESULT */
	PRIV_DUMP,	  /* empty → STATS…, RESULT */
	PRIV_READY,	  /* empty, no answer: core serves; printgated tells the service manager */
	PRIV_CHECK,	  /* empty → FINDING…, RESULT */
	PRIV_NEIGHBOUR,	  /* privmsg_neighbour → NEIGHBOUR_IS: who answers at that address? */
	/* printgated → core */
	PRIV_HELLO = 64,   /* privmsg_hello */
	PRIV_RESULT,	   /* privmsg_result */
	PRIV_STATS,	   /* privmsg_stats */
	PRIV_RESYNC,	   /* empty */
	PRIV_HANDSHAKE,	   /* empty; at any time, as RESYNC: a peer may have connected */
	PRIV_FINDING,	   /* privmsg_finding */
	PRIV_NEIGHBOUR_IS, /* privmsg_neighbour_is */
};

#define PRIV_ITEMS_MAX 262144 /* items of one change */

/* locked, with full: nobody reaches any printer. There are no grants among the items then, the gate is
 * shut as soon as this comes, and every connection to a printer is ended. */
struct privmsg_begin {
	bool full;
	bool locked;
};

/* vpn and target have the same length; target 0.0.0.0/32 with self = true. With a hardware address,
 * only the machine that has it gets what goes to the target, which is one address then and reached
 * only while it is on-link. */
struct privmsg_printer {
	struct prefix4 vpn;
	struct prefix4 target;
	bool self;
	struct hardware hardware; /* unknown: whoever has the target is it */
};

struct privmsg_service {
	struct prefix4 vpn;
	struct service service;
};

struct privmsg_grant {
	uint32_t peer; /* tunnel address */
	struct prefix4 vpn;
	uint32_t seconds; /* the kernel drops it after so long; 0: stays */
};

struct privmsg_peer {
	struct wg_key public_key;
	struct wg_secret preshared; /* zero: none */
	uint32_t address;	    /* its one allowed IP, /32 */
};

struct privmsg_peer_del {
	struct wg_key public_key;
	uint32_t address; /* its connections are ended, whatever was granted */
};

struct privmsg_hello {
	char interface[CONTROL_IFNAME_BYTES];
	char backend[CONTROL_IFNAME_BYTES];
	struct wg_key public_key; /* the gateway's */
	uint16_t listen_port;
	char endpoint[CONTROL_HOST_BYTES]; /* host:port for phones; "" if not configured */
	struct prefix4 tunnel;
	struct prefix6 tunnel6; /* none: no IPv6 in the tunnel */
	bool keep_configs;
	bool events;		/* HANDSHAKE will come; without, core has to look for itself */
	uint16_t check_seconds; /* between two looks whether a printer given by name answers */
	/* Where the page listens, as people are told; the certificate of what is in page_tls. */
	struct wire_viewers page, page_tls;
	char page_fingerprint[CONTROL_FINGERPRINT_BYTES]; /* "" if there is none */
};

struct privmsg_result {
	int32_t code;		    /* 0 or enum err */
	uint32_t item;		    /* which failed, counted from BEGIN; UINT32_MAX: the whole */
	char text[DIAG_TEXT_BYTES]; /* "" on success */
};

struct privmsg_stats {
	struct wg_key public_key;
	int64_t last_handshake; /* 0: never */
	uint64_t rx_bytes, tx_bytes;
	struct endpoint endpoint;
};

/* Another firewall on this machine. */
enum foreign_tool {
	FOREIGN_DOCKER,
	FOREIGN_UFW,
	FOREIGN_FIREWALLD,
	FOREIGN_IPTABLES, /* iptables-nft by somebody else */
	FOREIGN_LEGACY,	  /* the kernel's old iptables tables */
	FOREIGN_NFTABLES, /* any other table; told only where it shuts us out */
	FOREIGN_UNSEEN,	  /* old iptables tables that came after the start: not readable */
};

/* The traffic that printgate needs. */
enum privmsg_way {
	WAY_TO_PRINTER,	   /* forwarded, from the tunnel */
	WAY_FROM_PRINTER,  /* forwarded, into the tunnel */
	WAY_TO_GATEWAY,	   /* from the tunnel to this machine: page, ping, `self` */
	WAY_FROM_GATEWAY,  /* its answers */
	WAY_WIREGUARD_IN,  /* WireGuard's own datagrams from outside */
	WAY_WIREGUARD_OUT, /* and back */
};

#define PRIV_NFT_NAME_BYTES 64

struct privmsg_finding {
	uint8_t tool;	/* enum foreign_tool */
	uint8_t way;	/* enum privmsg_way */
	uint8_t family; /* NFPROTO_ of the table: 1 inet, 2 ip */
	bool admitted;	/* that way is open already */
	/* Where; "" if the name is no token. With firewalld the second is the zone. */
	char table[PRIV_NFT_NAME_BYTES], chain[PRIV_NFT_NAME_BYTES];
};

struct privmsg_neighbour {
	uint32_t address;
};

enum neighbour_state {
	NEIGHBOUR_NONE = 0,  /* it is not on-link, or no printer's address, or has no such thing */
	NEIGHBOUR_LOCAL = 1, /* this machine itself */
	NEIGHBOUR_ASKED = 2, /* nobody has answered yet: the kernel asks */
	NEIGHBOUR_KNOWN = 3,
};

struct privmsg_neighbour_is {
	uint8_t state;		  /* enum neighbour_state */
	struct hardware hardware; /* with KNOWN */
};

union privmsg_any {
	struct privmsg_neighbour neighbour;
	struct privmsg_neighbour_is neighbour_is;
	struct privmsg_begin begin;
	struct privmsg_printer printer;
	struct privmsg_service service;
	struct privmsg_grant grant;
	struct privmsg_peer peer;
	struct privmsg_peer_del peer_del;
	struct privmsg_hello hello;
	struct privmsg_result result;
	struct privmsg_stats stats;
	struct privmsg_finding finding;
};

extern const struct wire_table privmsg_to_priv;	  /* what printgated decodes, core encodes */
extern const struct wire_table privmsg_from_priv; /* what core decodes, printgated encodes */
