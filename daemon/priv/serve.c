/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged loop. Core is trusted with nothing but the messages of privmsg.h; one that breaks
 * the protocol ends everything, since the state of both sides would be unknown.
 */
#include "daemon/priv/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/privmsg.h"
#include "daemon/priv/check.h"

/* Changes by others come in bursts (a network manager's, `nft -f`): act once, this much later. Where
 * another program undoes our work again and again, the delay grows. */
#define MEND_PATIENCE	   20
#define MEND_DELAY_MS	   100
#define MEND_DELAY_MAX_MS  10000
#define HANDSHAKE_DELAY_MS 100
#define HANDSHAKE_EVERY_MS 1000
#define HUSH_DELAY_MS	   1000	 /* wireguard-go learns a moment late that its interface is up */
#define MEND_QUIET_MS	   30000 /* after so long without, the delay is the short one again */

#define POLL_COMPANIONS 6 /* the first of them in serve_run's list */

#define CORE_BURST	 64    /* messages, before signals and the watch have their turn */
#define CORE_PATIENCE_MS 30000 /* for core to read: it may be waiting for a slow disk */

int serve_signals(int *out, struct diag *d)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	/* A reader of our log that goes away must not take the gateway with it. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return diag_errno(d, "cannot block signals");
	*out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *out < 0 ? diag_errno(d, "cannot watch signals") : 0;
}

static void end_with(struct serve *s, int status)
{
	s->ending = true;
	if (status > s->status)
		s->status = status;
}

/* The line to core is broken: nothing can be decided any more. */
static void lost_core(struct serve *s, const struct diag *d)
{
	if (d->code == ERR_UNREACHABLE)
		log_error("serve", "printgate-core has ended; the gate stays as it is");
	else
		log_error("serve", "printgate-core: %s", d->text);
	end_with(s, EXIT_FAILURE);
}

static void on_signal(struct serve *s);

/* Waits until core's socket takes a message. A core that does not read, broken into perhaps, must
 * not keep us from ending: signals are served meanwhile. */
static void await_core(struct serve *s)
{
	struct pollfd fds[] = {{.fd = s->core.fd, .events = POLLOUT},
			       {.fd = s->signals, .events = POLLIN}};
	struct diag d;

	while (!s->ending) {
		int n = poll(fds, ARRAY_LEN(fds), CORE_PATIENCE_MS);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			(void)diag_set(&d, ERR_PROTOCOL, "it does not read what it is sent");
			lost_core(s, &d);
		}
		if (n > 0 && fds[0].revents)
			return;
		if (n > 0 && fds[1].revents)
			on_signal(s);
	}
}

/* One of many messages: it goes out with others. */
static void put_core(struct serve *s, uint16_t type, const void *msg)
{
	struct diag d;
	int rc = 1;

	while (!s->ending && (rc = chan_try_put(&s->core, type, msg, &d)) == 1)
		await_core(s);
	if (rc < 0)
		lost_core(s, &d);
}

/* The last of what is said now. */
static void send_core(struct serve *s, uint16_t type, const void *msg)
{
	struct diag d;
	int rc = 1;

	put_core(s, type, msg);
	while (!s->ending && (rc = chan_try_flush(&s->core, &d)) == 1)
		await_core(s);
	if (rc < 0)
		lost_core(s, &d);
}

static void send_result(struct serve *s, uint32_t item, const struct diag *d)
{
	struct privmsg_result r = {.code = d->code, .item = item};

	if (d->code)
		(void)snprintf(r.text, sizeof(r.text), "%s", d->text);
	send_core(s, PRIV_RESULT, &r);
}

/* From the first full change on, what others do to our part of the kernel is noticed. */
static void start_watch(struct serve *s)
{
	struct diag d;

	if (s->watching)
		return;
	if (watch_open(&s->watch, s->gate->conf->interface, link_port(s->gate->link),
		       nft_port(s->gate->nft), &d)) {
		log_error("serve", "%s", d.text);
		end_with(s, EXIT_FAILURE);
		return;
	}
	s->watching = true;
}

/* Docker is not needed for anything: what does not work there is only said. Returns whether there was
 * something to do. */
static bool coexist(struct serve *s)
{
	struct diag d;
	bool changed;

	if (!gate_coexist(s->gate, &changed, &d))
		return changed;
	log_warn("gate", "%s", d.text);
	return true;
}

static void commit(struct serve *s)
{
	struct diag d = {ERR_NONE, ""};
	uint32_t item;
	bool half;

	if (gate_apply(s->gate, &s->change, &item, &half, &d)) {
		log_error("gate", "%s", d.text);
	} else {
		d.code = ERR_NONE;
		if (s->change.full) {
			start_watch(s);
			(void)coexist(s);
			s->hush_due = mono_ms() + HUSH_DELAY_MS;
		}
	}
	change_reset(&s->change);
	send_result(s, item, &d);
	if (half)
		send_core(s, PRIV_RESYNC, NULL);
}

static int send_stats(void *arg, const struct wg_peer_state *p)
{
	struct serve *s = arg;
	struct privmsg_stats m = {.public_key = p->peer.public_key,
				  .last_handshake = p->last_handshake,
				  .rx_bytes = p->rx_bytes,
				  .tx_bytes = p->tx_bytes,
				  .endpoint = p->endpoint};

	put_core(s, PRIV_STATS, &m);
	return s->ending ? ERR_UNREACHABLE : 0;
}

static void dump(struct serve *s)
{
	struct diag d = {ERR_NONE, ""};

	if (wg_dump(s->gate->wg, send_stats, s, &d) && !s->ending)
		log_error("gate", "%s", d.text);
	send_result(s, UINT32_MAX, &d);
}

/* The panic switch does not wait for the items. If the gate cannot be shut now, COMMIT tells. */
static void begin(struct serve *s, const struct privmsg_begin *how)
{
	struct diag d;

	change_begin(&s->change, how);
	if (s->change.locked && gate_shut(s->gate, &d))
		log_error("gate", "%s", d.text);
}

static void send_finding(void *arg, const struct privmsg_finding *f)
{
	put_core(arg, PRIV_FINDING, f);
}

static void check(struct serve *s)
{
	struct diag d = {ERR_NONE, ""};

	if (check_run(s->gate, s->legacy, send_finding, s, &d))
		log_error("check", "%s", d.text);
	send_result(s, UINT32_MAX, &d);
}

static void neighbour(struct serve *s, uint32_t address)
{
	struct privmsg_neighbour_is m = {.state = NEIGHBOUR_NONE};
	struct diag d;

	if (gate_neighbour(s->gate, address, &m, &d))
		log_warn("gate", "%s", d.text);
	send_core(s, PRIV_NEIGHBOUR_IS, &m);
}

static void on_message(struct serve *s, uint16_t type, const union privmsg_any *msg)
{
	struct diag d;

	switch (type) {
	case PRIV_BEGIN:
		begin(s, &msg->begin);
		break;
	case PRIV_COMMIT:
		if (s->change.open) {
			commit(s);
			break;
		}
		(void)diag_set(&d, ERR_PROTOCOL, "an end without a beginning");
		lost_core(s, &d);
		break;
	case PRIV_DUMP:
		dump(s);
		break;
	case PRIV_CHECK:
		check(s);
		break;
	case PRIV_NEIGHBOUR:
		neighbour(s, msg->neighbour.address);
		break;
	case PRIV_READY:
		notify_ready(s->notify);
		break;
	default:
		if (change_add(&s->change, s->gate->conf->tunnel, type, msg, &d))
			lost_core(s, &d);
		break;
	}
}

/* A full change is tens of thousands of messages: a whole datagram is taken at a time, because of what
 * is left of one poll(2) would not tell. */
static void on_core(struct serve *s)
{
	union privmsg_any msg;
	struct diag d;
	uint16_t type;
	int rc = 0;

	for (unsigned i = 0; (i < CORE_BURST || chan_pending(&s->core)) && !rc && !s->ending; i++) {
		rc = chan_try_recv(&s->core, &type, &msg, sizeof(msg), &d);
		if (rc < 0)
			lost_core(s, &d);
		else if (rc == 0)
			on_message(s, type, &msg);
	}
	key_wipe(&msg, sizeof(msg));
}

static void on_signal(struct serve *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			continue;
		log_info("serve", "ending; the gate stays as it is");
		end_with(s, EXIT_SUCCESS);
		return;
	}
	for (unsigned i = 0; i < SERVE_COMPANIONS; i++)
		if (companion_child_ended(&s->companions[i]))
			end_with(s, EXIT_FAILURE);
}

/* wireguard-go is gone: a new one on the same interface, then everything made equal to the store. */
static void on_backend(struct serve *s)
{
	struct diag d;

	log_warn("serve", "wireguard-go has ended; starting it again");
	if (wg_revive(s->gate->wg, &d)) {
		log_error("serve", "%s", d.text);
		end_with(s, EXIT_FAILURE);
		return;
	}
	send_core(s, PRIV_RESYNC, NULL);
}

/* The answer to a handshake message takes a moment; and core is to look once a second at most,
 * whatever strangers send. */
static void note_handshake(struct serve *s)
{
	if (s->handshake_due)
		return;
	s->handshake_due = mono_ms() + HANDSHAKE_DELAY_MS;
	if (s->handshake_due < s->handshake_told + HANDSHAKE_EVERY_MS)
		s->handshake_due = s->handshake_told + HANDSHAKE_EVERY_MS;
}

static int tell_handshake(struct serve *s)
{
	int64_t left = s->handshake_due - mono_ms();

	if (!s->handshake_due)
		return -1;
	if (left > 0)
		return (int)left;
	s->handshake_due = 0;
	s->handshake_told = mono_ms();
	send_core(s, PRIV_HANDSHAKE, NULL);
	return -1;
}

static void on_watch(struct serve *s)
{
	unsigned seen = watch_read(&s->watch);
	struct diag d;

	if (seen & WATCH_HANDSHAKE)
		note_handshake(s);
	if (seen & WATCH_DOWN)
		wg_lost(s->gate->wg);
	seen &= ~(unsigned)(WATCH_HANDSHAKE | WATCH_DOWN);
	if (!s->gate->conf->coexist)
		seen &= ~(unsigned)WATCH_DOCKER;
	if (!seen)
		return;
	/* What somebody set down and up again has lost its pins: no time for another machine to be
	 * taken for a printer. */
	if (gate_pins(s->gate, &d))
		log_error("gate", "%s", d.text);
	/* Without its rules the gate is open: it is shut first. Then phones are shut out, so the
	 * mending does not wait for more either, unless the last one was just now. */
	if ((seen & WATCH_BARE) && gate_shut(s->gate, &d))
		log_error("gate", "%s", d.text);
	if (seen & WATCH_BARE)
		s->seen_due = mono_ms();
	else if (!s->seen)
		s->seen_due = mono_ms() + MEND_DELAY_MS;
	s->seen |= seen;
	if (seen & (WATCH_OURS | WATCH_DOCKER) && s->mended + s->mend_delay > s->seen_due)
		s->seen_due = s->mended + s->mend_delay;
}

/* Where others undo what we do again and again, we wait longer each time. */
static void grow_patient(struct serve *s)
{
	if (mono_ms() - s->mended > MEND_QUIET_MS)
		s->mends = 0;
	if (++s->mends < MEND_PATIENCE)
		s->mend_delay = MEND_DELAY_MS;
	else if (s->mend_delay < MEND_DELAY_MAX_MS)
		s->mend_delay *= 2;
	s->mended = mono_ms();
}

/* Acts on what the watch has seen. Returns the milliseconds until there is something to do, -1: none. */
static int mend(struct serve *s)
{
	int64_t left = s->seen_due - mono_ms();
	unsigned seen = s->seen;
	struct diag d;

	if (!seen)
		return -1;
	if (left > 0)
		return (int)left;
	s->seen = 0;
	if (seen & WATCH_DOCKER && coexist(s))
		grow_patient(s);
	if (seen & WATCH_OURS) {
		grow_patient(s);
		log_warn("serve", "somebody else changed our interface, routes or firewall table; "
				  "making it as it should be");
		send_core(s, PRIV_RESYNC, NULL);
	} else if (seen & WATCH_LAN && gate_lan(s->gate, &d)) {
		log_error("gate", "%s", d.text);
	}
	return -1;
}

/* After every full change, since one before this process may have been cut short. */
static int hush(struct serve *s)
{
	int64_t left = s->hush_due - mono_ms();
	struct diag d;

	if (!s->hush_due)
		return -1;
	if (left > 0)
		return (int)left;
	s->hush_due = 0;
	if (wg_hush(s->gate->wg, &d))
		log_error("gate", "%s", d.text);
	return -1;
}

/* Of two times until something is due, negative for never. */
static int sooner(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

/* Milliseconds until something is to be done without being asked; -1: nothing. */
static int due(struct serve *s)
{
	return sooner(sooner(sooner(mend(s), tell_handshake(s)), hush(s)),
		      notify_feed(s->notify, mono_ms()));
}

int serve_run(struct serve *s, const struct privmsg_hello *hello)
{
	s->mend_delay = MEND_DELAY_MS;
	s->mended = INT64_MIN / 2;
	send_core(s, PRIV_HELLO, hello);
	while (!s->ending) {
		struct pollfd fds[] = {
			{.fd = s->core.fd, .events = POLLIN},
			{.fd = s->signals, .events = POLLIN},
			{.fd = wg_watch_fd(s->gate->wg), .events = POLLIN},
			{.fd = s->watching ? s->watch.route : -1, .events = POLLIN},
			{.fd = s->watching ? s->watch.nft : -1, .events = POLLIN},
			{.fd = s->watching ? s->watch.log : -1, .events = POLLIN},
			{.fd = s->companions[SERVE_CORE].life, .events = POLLIN},
			{.fd = s->companions[SERVE_WEB].life, .events = POLLIN},
			{.fd = s->companions[SERVE_TLS].life, .events = POLLIN},
		};

		if (poll(fds, ARRAY_LEN(fds), due(s)) < 0) {
			if (errno == EINTR)
				continue;
			log_error("serve", "poll: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		if (fds[1].revents)
			on_signal(s);
		if (fds[0].revents && !s->ending)
			on_core(s);
		if (fds[2].revents && !s->ending)
			on_backend(s);
		if (fds[3].revents || fds[4].revents || fds[5].revents)
			on_watch(s);
		for (unsigned i = 0; i < SERVE_COMPANIONS && !s->ending; i++) {
			if (!fds[POLL_COMPANIONS + i].revents)
				continue;
			companion_unit_ended(&s->companions[i]);
			end_with(s, EXIT_FAILURE);
		}
	}
	if (s->watching)
		watch_close(&s->watch);
	change_reset(&s->change);
	return s->status;
}
