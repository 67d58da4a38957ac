/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text into everything that reads what a person typed: names, times, services, prefixes, keys.
 * What is accepted must hold what its header promises, and survive its own text form.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/inet.h"
#include "common/key.h"
#include "common/name.h"
#include "common/preset.h"
#include "common/service.h"
#include "common/when.h"
#include "tests/fuzz/fuzz.h"

static void try_name(const char *text, struct diag *d)
{
	char tunnel[TUNNEL_NAME_BYTES + 1];
	struct name name;
	size_t n;

	fuzz_assert((name_parse(&name, text, "peer", d) == 0) ==
		    (name_valid(text, strlen(text)) != 0));
	if (!name_valid(text, strlen(text)))
		return;
	fuzz_assert(strcmp(name.s, text) == 0);
	name_tunnel(tunnel, &name);
	n = strlen(tunnel);
	fuzz_assert(n >= 1 && n <= TUNNEL_NAME_BYTES && tunnel[0] != '-');
	fuzz_assert(strspn(tunnel, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_-") == n);
}

static void try_when(const char *text, struct diag *d)
{
	char out[WHEN_TEXT_BYTES];
	struct when w, again;

	if (when_parse(&w, text, d))
		return;
	fuzz_assert((w.at == 0) != (w.after == 0));
	fuzz_assert(w.after <= WHEN_DURATION_MAX && w.at >= 0 && w.at <= WHEN_MAX);
	if (w.at == 0)
		return;
	when_format(out, w.at);
	fuzz_assert(when_parse(&again, out, d) == 0 && again.at == w.at);
}

static void try_services(const char *text, struct diag *d)
{
	struct services list = {0}, again = {0};
	char one[SERVICE_TEXT_BYTES];

	if (services_parse(&list, text, d)) {
		fuzz_assert(list.count == 0);
		return;
	}
	fuzz_assert(list.count > 0 && services_valid(&list));
	for (unsigned i = 0; i < list.count; i++) {
		service_format(one, list.item[i]);
		fuzz_assert(services_parse(&again, one, d) == 0);
	}
	fuzz_assert(again.count == list.count);
	for (unsigned i = 0; i < presets_count; i++)
		if (preset_services(&list, &presets[i], text, d) == 0)
			fuzz_assert(services_valid(&list));
}

static void try_prefix(const char *text, struct diag *d)
{
	const struct prefix4 tunnel = {0x0a4d1000, 20};
	char out[PREFIX4_TEXT_BYTES];
	struct prefix4 p, again;

	if (prefix4_parse(&p, text, d))
		return;
	fuzz_assert(p.len <= 32 && (p.addr & ~prefix4_mask(p.len)) == 0);
	prefix4_format(out, p);
	fuzz_assert(prefix4_parse(&again, out, d) == 0);
	fuzz_assert(again.addr == p.addr && again.len == p.len);
	if (tunnel_check(p, d) == 0)
		fuzz_assert(prefix4_is_private(p) && tunnel_is_peer(p, tunnel_first_peer(p)));
	if (target_check(tunnel, p, d) == 0)
		fuzz_assert(p.addr >> 24 != 127 && !prefix4_overlaps(p, tunnel));
}

static void try_key(const char *text)
{
	char out[WG_KEY_TEXT_BYTES];
	struct wg_key key;

	if (key_parse(&key, text))
		return;
	key_format(out, &key);
	fuzz_assert(strcmp(out, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = {0};
	char *text;

	if (size > 4096)
		return 0;
	text = malloc(size + 1);
	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_name(text, &d);
	try_when(text, &d);
	try_services(text, &d);
	try_prefix(text, &d);
	try_key(text);
	utf8_clean(text, 0);
	fuzz_assert(strlen(text) <= size);
	free(text);
	return 0;
}
