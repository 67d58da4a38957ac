/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renders a phone's config. A pure function of the gateway's facts, the peer and its secret.
 */
#include "daemon/core/config_text.h"

#include <stdio.h>
#include <string.h>

/* The longest config: every line at its longest. */
_Static_assert(CONTROL_CONFIG_BYTES >
		       CONTROL_HOST_BYTES + 3 * WG_KEY_TEXT_BYTES + 2 * PREFIX6_TEXT_BYTES + 256,
	       "a config always fits");

int config_possible(const struct privmsg_hello *gateway, struct diag *d)
{
	if (gateway->endpoint[0])
		return 0;
	return diag_set(d, ERR_CONFIG,
			"phones cannot be told where the gateway is: set `endpoint` (its public "
			"name or address) in the configuration and restart");
}

static void private_key_line(char *out, size_t size, const struct wg_secret *secret)
{
	char text[WG_KEY_TEXT_BYTES];

	out[0] = '\0';
	if (!secret)
		return;
	secret_format(text, secret);
	(void)snprintf(out, size, "PrivateKey = %s\n", text);
	key_wipe(text, sizeof(text));
}

/* ", PREFIX" behind one of IPv4, or "" where there is no IPv6. The length is written always: an app
 * may take an address without one for something else. */
static void second_family(char out[PREFIX6_TEXT_BYTES + 8], const struct prefix6 *p)
{
	char text[PREFIX6_TEXT_BYTES];

	prefix6_format(text, p);
	(void)snprintf(out, PREFIX6_TEXT_BYTES + 8, "%s%s%s", p->len ? ", " : "", text,
		       p->len == 128 ? "/128" : "");
}

int config_text(struct control_config *out, const struct privmsg_hello *gateway,
		const struct store_peer *peer, const struct wg_secret *secret, struct diag *d)
{
	char line[WG_KEY_TEXT_BYTES + 16], preshared[WG_KEY_TEXT_BYTES];
	char key[WG_KEY_TEXT_BYTES], address[IP4_TEXT_BYTES], house[PREFIX4_TEXT_BYTES];
	char address6[PREFIX6_TEXT_BYTES + 8], house6[PREFIX6_TEXT_BYTES + 8];
	const struct prefix6 own6 = tunnel6_host(&gateway->tunnel6, peer->address);
	const struct prefix6 all6 = tunnel6_of(&gateway->tunnel6, tunnel_house(gateway->tunnel));
	const int r = config_possible(gateway, d);

	if (r)
		return r;
	memset(out, 0, sizeof(*out));
	name_tunnel(out->tunnel_name, &peer->name);
	private_key_line(line, sizeof(line), secret);
	secret_format(preshared, &peer->preshared);
	key_format(key, &gateway->public_key);
	ip4_format(address, peer->address);
	prefix4_format(house, tunnel_house(gateway->tunnel));
	second_family(address6, &own6);
	second_family(house6, &all6);
	(void)snprintf(out->text, sizeof(out->text),
		       "[Interface]\n"
		       "%s"
		       "Address = %s/32%s\n"
		       "\n"
		       "[Peer]\n"
		       "PublicKey = %s\n"
		       "PresharedKey = %s\n"
		       "AllowedIPs = %s%s\n"
		       "Endpoint = %s\n",
		       line, address, address6, key, preshared, house, house6, gateway->endpoint);
	key_wipe(line, sizeof(line));
	key_wipe(preshared, sizeof(preshared));
	return 0;
}
