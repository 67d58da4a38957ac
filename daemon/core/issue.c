/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a phone is given. A private key passes through here on its way to the config and, sealed, to
 * the store; nothing here keeps one.
 */
#include "daemon/core/issue.h"

#include "daemon/core/config_text.h"
#include "daemon/core/core.h"
#include "daemon/core/seal.h"

static int own_key_check(const struct core *c, const struct wg_key *key, struct diag *d)
{
	if (key_is_low_order(key))
		return diag_set(
			d, ERR_BAD_KEY,
			"this public key can never work (it is one of the few points of low "
			"order): make a new one with `wg genkey | wg pubkey`");
	if (key_equal(key, &c->gateway.public_key))
		return diag_set(d, ERR_KEY_TAKEN, "this is the gateway's own public key");
	return 0;
}

int issue_keys(const struct core *c, struct store_peer *p, const struct wg_key *own,
	       struct wg_secret *secret, struct diag *d)
{
	p->own_key = own != NULL;
	secret_random(&p->preshared);
	if (own) {
		p->public_key = *own;
		return own_key_check(c, own, d);
	}
	secret_generate(secret);
	secret_public(&p->public_key, secret);
	return 0;
}

int issue_seal(struct core *c, const struct store_peer *p, const struct wg_secret *secret,
	       struct diag *d)
{
	uint8_t sealed[SEAL_BYTES];

	if (p->own_key)
		return store_sealed_erase(c->store, p->id, d);
	seal_close(c->seal, sealed, secret, &p->public_key);
	return store_sealed_put(c->store, p->id, sealed, sizeof(sealed), clock_now(c).now, d);
}

int issue_unseal(struct core *c, const struct store_peer *p, struct wg_secret *out, struct diag *d)
{
	uint8_t sealed[STORE_SEALED_MAX];
	int64_t created;
	size_t n = 0;
	const int e = store_sealed_get(c->store, p->id, sealed, &n, &created, d);

	if (e && e != ERR_NOT_FOUND)
		return e;
	if (e || seal_reveal(c->seal, out, sealed, n, &p->public_key))
		return diag_set(d, ERR_NO_CONFIG, "the config of \"%s\" is not kept any more",
				p->name.s);
	return 0;
}

int issue_answer(const struct request *r, const struct store_peer *p,
		 const struct wg_secret *secret, struct diag *d)
{
	struct control_config config;
	const int e = config_text(&config, &r->core->gateway, p, p->own_key ? NULL : secret, d);

	if (e == 0)
		request_item(r, CTL_CONFIG, &config);
	key_wipe(&config, sizeof(config));
	return e;
}
