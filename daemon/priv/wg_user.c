/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The userspace back end: a tun interface and a wireguard-go process that serves it. The interface
 * is persistent, so it outlives both that process and this one, with its addresses and routes; the
 * process outlives this one and is adopted by the next. Called through wg_user_ops by wg.c.
 *
 * One tun descriptor is opened at start-up. It is either in reserve or attached to our
 * interface (then wireguard-go has a copy).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <netlink/socket.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "daemon/priv/iface.h"
#include "daemon/priv/wg_backend.h"
#include "daemon/priv/wg_sock.h"
#include "daemon/priv/wg_spawn.h"

#define TUN_DEVICE	"/dev/net/tun"
#define END_PATIENCE_MS 1000

struct user {
	struct nl_sock *sk;
	const char *program;
	int tun;	 /* in reserve, or attached to our interface */
	short tun_flags; /* with which it is attached */
	int pidfd;	 /* of wireguard-go, -1 if none is known */
};

/* What is found when looking at the interface. */
struct found {
	struct iface iface;
	enum wg_sock_state sock;
	bool held; /* our own descriptor is attached to it */
};

static const char get_text[] = "get=1\n\n";

/* ---- asking ---------------------------------------------------------------------------------- */

static int user_dump(struct wg *w, struct wg_config *config, struct wg_list *peers, struct diag *d)
{
	struct uapi_reader r = {
		.fn = peers ? wg_list_add : NULL,
		.arg = peers,
		.config_only = !peers,
	};
	int rc = wg_sock_ask(w->interface, get_text, sizeof(get_text) - 1, &r, NULL, d);

	if (rc == 0 && config)
		*config = r.config;
	key_wipe(&r, sizeof(r));
	return rc;
}

static int user_set(struct wg *w, char text[UAPI_TEXT_BYTES], size_t n, struct diag *d)
{
	struct uapi_reader r = {0};
	int rc = wg_sock_ask(w->interface, text, n, &r, NULL, d);

	key_wipe(text, n);
	return rc;
}

static int user_config_set(struct wg *w, const struct wg_secret *key, uint16_t port, struct diag *d)
{
	char text[UAPI_TEXT_BYTES];

	return user_set(w, text, uapi_put_config(text, key, port), d);
}

static int user_edit(struct wg *w, const struct wg_edit *list, size_t n, struct diag *d)
{
	char text[UAPI_TEXT_BYTES];
	size_t taken;
	int rc = 0;

	for (; n && rc == 0; list += taken, n -= taken)
		rc = user_set(w, text, uapi_put_edits(text, list, n, &taken), d);
	return rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void user_free(struct wg *w)
{
	struct user *u = w->state;

	nl_socket_free(u->sk);
	if (u->tun >= 0)
		(void)close(u->tun);
	if (u->pidfd >= 0)
		(void)close(u->pidfd);
	free(u);
}

static int tun_open(int *fd, struct diag *d)
{
	*fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return diag_set(d, ERR_KERNEL,
				"wireguard-go needs %s, which is missing: modprobe tun (or let the "
				"container have this device)",
				TUN_DEVICE);
	return diag_errno(d, "cannot open %s", TUN_DEVICE);
}

/* A stale socket may be another user's, from before a change of [users]: now it can be removed. */
static int folder_prepare(struct wg *w, struct diag *d)
{
	enum wg_sock_state sock;
	int rc = wg_sock_folder(w->owner.gid, d);

	rc = rc ? rc : wg_sock_state(w->interface, &sock, d);
	if (rc == 0 && sock == WG_SOCK_STALE)
		rc = wg_sock_remove(w->interface, d);
	return rc;
}

static int user_open(struct wg *w, struct diag *d)
{
	struct user *u;
	int rc;

	if (!wg_spawn_program())
		return diag_set(d, ERR_NOT_FOUND,
				"wireguard-go is not installed: apt install wireguard-go");
	u = mem_zalloc(1, sizeof(*u));
	u->program = wg_spawn_program();
	u->tun = -1;
	u->pidfd = -1;
	w->state = u;
	rc = iface_socket(&u->sk, d);
	rc = rc ? rc : tun_open(&u->tun, d);
	rc = rc ? rc : folder_prepare(w, d);
	if (rc)
		user_free(w);
	return rc;
}

/* ---- the tun descriptor ---------------------------------------------------------------------- */

static bool tun_attached(int fd, const char *interface)
{
	struct ifreq r = {0};

	return ioctl(fd, TUNGETIFF, &r) == 0 && strcmp(r.ifr_name, interface) == 0;
}

/* Creates the interface or, if it is there, attaches to it. */
static int tun_attach(int fd, const char *interface, short flags, struct diag *d)
{
	struct ifreq r = {.ifr_flags = flags};

	memcpy(r.ifr_name, interface, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &r) < 0) {
		if (errno == EPERM)
			return diag_set(d, ERR_NOT_PERMITTED,
					"cannot create the interface %s: the kernel asks for the "
					"capability CAP_NET_ADMIN in this network namespace",
					interface);
		return diag_errno(d, "cannot create the interface %s", interface);
	}
	if (ioctl(fd, TUNSETPERSIST, 1) < 0)
		return diag_errno(d, "cannot make the interface %s persistent", interface);
	return 0;
}

/* The installed wireguard-go may be another release than the one that the interface was made for:
 * then it must be made anew, since an attached descriptor keeps its flags. (The kernel cannot be
 * asked: what TUNGETIFF tells has one bit for IFF_NO_PI and IFF_NOFILTER.) */
static int tun_prepare(struct wg *w, struct diag *d)
{
	struct user *u = w->state;
	struct iface now;
	short wanted;
	int rc = wg_spawn_tun_flags(u->program, &wanted, d);

	if (rc)
		return rc;
	if (tun_attached(u->tun, w->interface)) {
		if (u->tun_flags == wanted)
			return 0;
		rc = iface_get(u->sk, w->interface, &now, d);
		rc = rc ? rc : iface_delete(u->sk, now.index, d);
	}
	u->tun_flags = wanted;
	return rc ? rc : tun_attach(u->tun, w->interface, wanted, d);
}

/* ---- attaching ------------------------------------------------------------------------------- */

static int look(struct wg *w, struct found *f, struct diag *d)
{
	struct user *u = w->state;
	int rc = iface_get(u->sk, w->interface, &f->iface, d);

	f->held = tun_attached(u->tun, w->interface);
	return rc ? rc : wg_sock_state(w->interface, &f->sock, d);
}

static int foreign_socket(const struct wg *w, struct diag *d)
{
	return diag_set(d, ERR_CONFLICT,
			"/run/wireguard/%s.sock belongs to a WireGuard of another network "
			"namespace or program: choose another interface name",
			w->interface);
}

/* Forgets the process that ended; ends it if the interface went away under it. */
static int settle(struct user *u, bool gone, struct diag *d)
{
	int rc = 0;

	if (u->pidfd < 0)
		return 0;
	if (!wg_spawn_ended(u->pidfd, gone ? END_PATIENCE_MS : 0)) {
		if (!gone)
			return 0;
		rc = wg_spawn_end(u->pidfd, d);
	}
	(void)close(u->pidfd);
	u->pidfd = -1;
	return rc;
}

/* Starts wireguard-go on the attached tun; done when it has answered. */
static int serve(struct wg *w, struct diag *d)
{
	struct user *u = w->state;
	auto_close int listener = -1;
	int rc = wg_sock_remove(w->interface, d);

	rc = rc ? rc : wg_sock_bind(w->interface, &listener, d);
	rc = rc ? rc : wg_spawn(u->program, w->interface, u->tun, listener, &u->pidfd, d);
	if (listener >= 0)
		(void)close(take_fd(&listener)); /* so that a question ends when the process does */
	if (rc)
		return rc;
	rc = user_dump(w, NULL, NULL, d);
	/* Its socket stays behind, stale: the next attempt removes it. */
	if (rc && wg_spawn_end(u->pidfd, NULL) == 0)
		(void)settle(u, false, NULL);
	return rc;
}

static int create(struct wg *w, bool *created, struct diag *d)
{
	struct user *u = w->state;
	struct iface now;
	int rc = tun_prepare(w, d);

	rc = rc ? rc : iface_get(u->sk, w->interface, &now, d);
	if (rc == 0 && !now.ours)
		rc = iface_mark(u->sk, now.index, d);
	*created = true;
	return rc ? rc : serve(w, d);
}

/* The process that answers is ours if our interface has one attached and it is not us. */
static int adopt(struct wg *w, const struct found *f, bool *created, struct diag *d)
{
	struct user *u = w->state;
	struct uapi_reader r = {.config_only = true};
	int rc;

	*created = false;
	if (u->pidfd >= 0)
		return 0;
	if (f->held || !f->iface.carrier)
		return foreign_socket(w, d);
	rc = wg_sock_ask(w->interface, get_text, sizeof(get_text) - 1, &r, &u->pidfd, d);
	key_wipe(&r, sizeof(r));
	return rc;
}

static int user_attach(struct wg *w, bool *created, struct diag *d)
{
	struct user *u = w->state;
	struct found f = {0};
	bool other;
	int rc = settle(u, false, d);

	rc = rc ? rc : look(w, &f, d);
	if (rc)
		return rc;
	if (f.iface.index && !f.iface.ours)
		return iface_foreign(w->interface, d);
	/* Ours, but of the kernel's back end; or some process holds it that has no socket. */
	other = f.iface.index && (strcmp(f.iface.kind, "tun") != 0 ||
				  (f.sock != WG_SOCK_LIVE && f.iface.carrier && !f.held));
	if (f.iface.index && !other && f.sock == WG_SOCK_LIVE)
		return adopt(w, &f, created, d);
	if (other)
		rc = iface_delete(u->sk, f.iface.index, d);
	if (rc == 0 && (other || !f.iface.index))
		rc = settle(u, true, d);
	rc = rc ? rc : wg_sock_state(w->interface, &f.sock, d);
	if (rc)
		return rc;
	return f.sock == WG_SOCK_LIVE ? foreign_socket(w, d) : create(w, created, d);
}

static int user_watch_fd(const struct wg *w)
{
	const struct user *u = w->state;

	return u->pidfd;
}

/* ---- down ------------------------------------------------------------------------------------ */

static int user_down(struct wg *w, struct diag *d)
{
	struct user *u = w->state;
	struct found f = {0};
	bool created;
	int rc = look(w, &f, d);

	if (rc || !f.iface.index || !f.iface.ours)
		return rc;
	if (f.sock == WG_SOCK_LIVE && u->pidfd < 0 && !f.held && f.iface.carrier)
		rc = adopt(w, &f, &created, d);
	rc = rc ? rc : iface_delete(u->sk, f.iface.index, d);
	rc = rc ? rc : settle(u, true, d);
	rc = rc ? rc : wg_sock_state(w->interface, &f.sock, d);
	return rc == 0 && f.sock == WG_SOCK_STALE ? wg_sock_remove(w->interface, d) : rc;
}

const struct wg_ops wg_user_ops = {
	.name = "userspace",
	.open = user_open,
	.free = user_free,
	.attach = user_attach,
	.config_set = user_config_set,
	.edit = user_edit,
	.dump = user_dump,
	.watch_fd = user_watch_fd,
	.down = user_down,
};
