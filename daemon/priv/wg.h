/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The WireGuard device behind either back end. wg.c chooses one and holds what both share (making
 * the device equal to a list of peers by the smallest difference); wg_kernel.c drives the kernel's
 * over generic netlink; wg_user.c starts, adopts and watches wireguard-go and speaks its UAPI text.
 * This process is the only writer of the device.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet6.h"
#include "common/key.h"
#include "daemon/priv/conf.h"

struct wg;

struct wg_peer {
	struct wg_key public_key;
	struct wg_secret preshared; /* zero: none */
	uint32_t address;	    /* its one allowed IP, /32 */
	struct prefix6 address6;    /* with tunnel6 its other one, /128; else none */
};

/* A peer as dumped. `exact` is false when its allowed IPs are anything but one IPv4 /32 and
 * at most one IPv6 /128. */
struct wg_peer_state {
	struct wg_peer peer;
	bool exact;
	int64_t last_handshake;
	uint64_t rx_bytes, tx_bytes;
	struct endpoint endpoint;
	uint16_t keepalive; /* seconds, 0: off, as we leave it */
};

/* Start-up: chooses the back end (auto: the kernel's if it has one, else
 * wireguard-go) and takes what cannot be had later without root: /dev/net/tun and the UAPI socket's
 * folder. Does not create the interface. `owner` is who this process will be. ERR_KERNEL: names the
 * package or module to install. */
int wg_open(struct wg **out, enum conf_backend wanted, const char interface[IFNAMSIZ],
	    const struct conf_user *owner, struct diag *d) __attribute__((warn_unused_result));
void wg_free(struct wg *w);		    /* the device stays */
const char *wg_backend(const struct wg *w); /* "kernel" or "userspace" */

/* Creates the interface, down, marked as ours by its alias (IFLA_IFALIAS "printgate"); or adopts
 * one that bears the mark, peers and sessions untouched. An interface of that name without the mark is
 * refused (ERR_CONFLICT). *created tells which. */
int wg_attach(struct wg *w, bool *created, struct diag *d) __attribute__((warn_unused_result));
/* Sets private key and port where they differ. ERR_KERNEL (a taken port is named). */
int wg_device(struct wg *w, const struct wg_secret *key, uint16_t listen_port, struct diag *d)
	__attribute__((warn_unused_result));

/* Adds the peer or edits it in place: a session is never cut by an edit. */
int wg_peer_put(struct wg *w, const struct wg_peer *p, struct diag *d)
	__attribute__((warn_unused_result));
int wg_peer_del(struct wg *w, const struct wg_key *key, struct diag *d)
	__attribute__((warn_unused_result)); /* absent is no error */
/* Makes the device's peers equal to the list (keys and addresses unique, any order): extra ones are
 * removed, then missing and differing ones are set, in messages of 4 to 16 KiB. */
int wg_peers_sync(struct wg *w, const struct wg_peer *list, size_t n, struct diag *d)
	__attribute__((warn_unused_result));

typedef int (*wg_peer_fn)(void *arg, const struct wg_peer_state *p);
int wg_dump(struct wg *w, wg_peer_fn fn, void *arg, struct diag *d)
	__attribute__((warn_unused_result));

/* When an interface is set down or goes, its sessions go too, and a phone that sends finds out only
 * after 15 s (WireGuard's KEEPALIVE_TIMEOUT and REKEY_TIMEOUT). So the gateway begins. wg_lost notes
 * that the interface was down; that it was made anew wg.c knows by itself. */
void wg_lost(struct wg *w);
/* After either, once the peers are right: a handshake begins, now or when the interface comes up, with
 * every peer that had a session, at the endpoint where it was last seen in a dump. It is a keepalive
 * of a second that does it, until wg_hush. */
int wg_greet(struct wg *w, struct diag *d) __attribute__((warn_unused_result));
/* Switches the keepalive off that a peer may have, whoever set it. */
int wg_hush(struct wg *w, struct diag *d) __attribute__((warn_unused_result));

/* A descriptor that becomes readable when the back end's process has ended (userspace; pidfd), or
 * -1. wg_revive then starts it again with the same interface; the caller makes it equal to the
 * store afterwards. */
int wg_watch_fd(const struct wg *w);
int wg_revive(struct wg *w, struct diag *d) __attribute__((warn_unused_result));

/* Empties and removes the interface if it bears our mark, and ends wireguard-go. Absent is no
 * error. */
int wg_down(struct wg *w, struct diag *d) __attribute__((warn_unused_result));
