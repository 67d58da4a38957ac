/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What printgated found of other firewalls, in words, and the command that lets our traffic pass.
 */
#pragma once

#include "common/control.h"
#include "common/privmsg.h"

struct core;

typedef void (*firewall_fn)(void *arg, const struct control_check *c);

/* Asks printgated; calls fn once for each firewall, or once to say that there is none, or that it is
 * not known. */
void firewall_checks(struct core *c, firewall_fn fn, void *arg);

/* The check of one tool. shut: the ways that it does not let pass, a bit for each (1 << enum
 * privmsg_way). f: one of its findings; zone: firewalld's for WireGuard's port. */
void firewall_check(struct control_check *out, const struct privmsg_finding *f, unsigned shut,
		    const char *interface, uint16_t port, const char *zone);
