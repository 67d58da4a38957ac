/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row a kind of field. Pure functions over bounded bytes: nothing here allocates, logs or knows
 * a message; any bytes may come in. Called by wire.c.
 */
#include "common/wire_kind.h"

#include <string.h>

#include "common/inet.h"
#include "common/inet6.h"
#include "common/key.h"
#include "common/service.h"
#include "common/when.h"

_Static_assert(sizeof(bool) == 1, "a bool is read and written as one byte");

/* ---- bytes, integers, strings ------------------------------------------------------------------ */

static bool put_bytes(struct wire_writer *w, const void *p, size_t n)
{
	if (n > w->left)
		return false;
	memcpy(w->at, p, n);
	w->at += n;
	w->left -= n;
	return true;
}

static bool get_bytes(struct wire_reader *r, void *p, size_t n)
{
	if (n > r->left)
		return false;
	memcpy(p, r->at, n);
	r->at += n;
	r->left -= n;
	return true;
}

bool wire_put_int(struct wire_writer *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	return put_bytes(w, b, n);
}

bool wire_get_int(struct wire_reader *r, uint64_t *v, size_t n)
{
	uint8_t b[8];

	if (!get_bytes(r, b, n))
		return false;
	*v = 0;
	for (size_t i = n; i-- > 0;)
		*v = *v << 8 | b[i];
	return true;
}

static bool put_string(struct wire_writer *w, const char *s)
{
	size_t n = strlen(s);

	return wire_put_int(w, n, 2) && put_bytes(w, s, n);
}

/* Into an array of `size` zeroed bytes. A NUL inside would hide what follows it. */
static bool get_string(struct wire_reader *r, char *s, size_t size)
{
	uint64_t n;

	return wire_get_int(r, &n, 2) && n < size && get_bytes(r, s, n) && strlen(s) == n;
}

/* ---- integers ---------------------------------------------------------------------------------- */

static bool in_range(const struct wire_field *f, uint32_t v)
{
	return v >= f->min && v <= f->max;
}

static bool u8_valid(const struct wire_field *f, const void *m)
{
	return in_range(f, *(const uint8_t *)m);
}

static bool u8_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	(void)f;
	return put_bytes(w, m, 1);
}

static bool u8_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	(void)f;
	return get_bytes(r, m, 1);
}

static bool u16_valid(const struct wire_field *f, const void *m)
{
	return in_range(f, *(const uint16_t *)m);
}

static bool u16_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	(void)f;
	return wire_put_int(w, *(const uint16_t *)m, 2);
}

static bool u16_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	uint64_t v;

	(void)f;
	if (!wire_get_int(r, &v, 2))
		return false;
	*(uint16_t *)m = (uint16_t)v;
	return true;
}

static bool u32_valid(const struct wire_field *f, const void *m)
{
	return in_range(f, *(const uint32_t *)m);
}

static bool u32_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	(void)f;
	return wire_put_int(w, *(const uint32_t *)m, 4);
}

static bool u32_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	uint64_t v;

	(void)f;
	if (!wire_get_int(r, &v, 4))
		return false;
	*(uint32_t *)m = (uint32_t)v;
	return true;
}

static bool any_valid(const struct wire_field *f, const void *m)
{
	(void)f;
	(void)m;
	return true;
}

static bool u64_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	(void)f;
	return wire_put_int(w, *(const uint64_t *)m, 8);
}

static bool u64_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	(void)f;
	return wire_get_int(r, m, 8);
}

static bool time_valid(const struct wire_field *f, const void *m)
{
	int64_t t = *(const int64_t *)m;

	(void)f;
	return t >= 0 && t <= WHEN_MAX;
}

static bool err_valid(const struct wire_field *f, const void *m)
{
	int32_t code = *(const int32_t *)m;

	(void)f;
	return code <= 0 && code >= ERR_LAST;
}

/* Looked at as a byte: a bool that holds something else must not be read as one. */
static bool bool_valid(const struct wire_field *f, const void *m)
{
	(void)f;
	return *(const uint8_t *)m <= 1;
}

/* ---- keys, addresses, services ----------------------------------------------------------------- */

/* Bytes as they are, so many. */
static const uint8_t raw_bytes[] = {
	[WIRE_KEY] = WG_KEY_BYTES,
	[WIRE_SECRET] = WG_KEY_BYTES,
	[WIRE_HARDWARE] = HARDWARE_BYTES,
	[WIRE_WEB_SECRET] = WEB_SECRET_BYTES,
};

static bool raw_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	return put_bytes(w, m, raw_bytes[f->kind]);
}

static bool raw_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	return get_bytes(r, m, raw_bytes[f->kind]);
}

static bool prefix4_valid(const struct wire_field *f, const void *m)
{
	const struct prefix4 *p = m;

	(void)f;
	return p->len <= 32 && !(p->addr & ~prefix4_mask(p->len));
}

static bool prefix4_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	const struct prefix4 *p = m;

	(void)f;
	return wire_put_int(w, p->addr, 4) && wire_put_int(w, p->len, 1);
}

static bool prefix4_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct prefix4 *p = m;

	return u32_get(r, f, &p->addr) && get_bytes(r, &p->len, 1);
}

static bool prefix6_kind_valid(const struct wire_field *f, const void *m)
{
	(void)f;
	return prefix6_valid(m);
}

static bool prefix6_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	const struct prefix6 *p = m;

	(void)f;
	return put_bytes(w, p->addr, sizeof(p->addr)) && wire_put_int(w, p->len, 1);
}

static bool prefix6_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct prefix6 *p = m;

	(void)f;
	return get_bytes(r, p->addr, sizeof(p->addr)) && get_bytes(r, &p->len, 1);
}

static bool hardware_valid(const struct wire_field *f, const void *m)
{
	(void)f;
	return !hardware_known(m) || hardware_usable(m);
}

static bool endpoint_valid(const struct wire_field *f, const void *m)
{
	const struct endpoint *e = m;

	(void)f;
	return e->family == 0 || e->family == 4 || e->family == 6;
}

static size_t endpoint_bytes(const struct endpoint *e)
{
	return e->family == 6 ? 16 : e->family;
}

/* Family 0 is that byte alone. */
static bool endpoint_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	const struct endpoint *e = m;

	(void)f;
	if (!wire_put_int(w, e->family, 1) || e->family == 0)
		return e->family == 0;
	return put_bytes(w, e->addr, endpoint_bytes(e)) && wire_put_int(w, e->port, 2);
}

static bool endpoint_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct endpoint *e = m;

	if (!get_bytes(r, &e->family, 1) || !endpoint_valid(f, e))
		return false;
	if (e->family == 0)
		return true;
	return get_bytes(r, e->addr, endpoint_bytes(e)) && u16_get(r, f, &e->port);
}

static bool service_valid(const struct wire_field *f, const void *m)
{
	struct services one = {.count = 1, .item = {*(const struct service *)m}};

	(void)f;
	return services_valid(&one);
}

static bool service_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	const struct service *s = m;

	(void)f;
	return wire_put_int(w, s->protocol, 1) && wire_put_int(w, s->first, 2) &&
	       wire_put_int(w, s->last, 2);
}

static bool service_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct service *s = m;

	return get_bytes(r, &s->protocol, 1) && u16_get(r, f, &s->first) && u16_get(r, f, &s->last);
}

/* ---- text -------------------------------------------------------------------------------------- */

/* Of a struct too that begins with its text. */
static bool chars_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	(void)f;
	return put_string(w, m);
}

static bool name_opt_valid(const struct wire_field *f, const void *m)
{
	const struct name *name = m;
	size_t n = strnlen(name->s, sizeof(name->s));

	(void)f;
	return n == 0 || name_valid(name->s, n);
}

static bool name_kind_valid(const struct wire_field *f, const void *m)
{
	return ((const struct name *)m)->s[0] != '\0' && name_opt_valid(f, m);
}

static bool name_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct name *name = m;

	(void)f;
	return get_string(r, name->s, sizeof(name->s));
}

static bool host_opt_valid(const struct wire_field *f, const void *m)
{
	const struct host *host = m;
	size_t n = strnlen(host->s, sizeof(host->s));

	(void)f;
	return n == 0 || host_valid(host->s, n);
}

static bool host_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	struct host *host = m;

	(void)f;
	return get_string(r, host->s, sizeof(host->s));
}

static bool token_valid(const struct wire_field *f, const void *m)
{
	const char *s = m;
	size_t n = strnlen(s, f->max);

	return n < f->max && n == strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789._:-");
}

static bool text_valid(const struct wire_field *f, const void *m)
{
	const char *s = m;
	size_t n = strnlen(s, f->max);
	unsigned cp;

	for (size_t i = 0; i < n;) {
		int len = utf8_decode(s + i, n - i, &cp);

		if (len == 0 || (utf8_is_control(cp) && cp != '\n'))
			return false;
		i += (size_t)len;
	}
	return n < f->max;
}

static bool chars_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	return get_string(r, m, f->max);
}

/* ---- lists: a byte that counts, and so many items --------------------------------------------- */

struct list {
	enum wire_kind of; /* each item's */
	size_t first, size;
	unsigned max;
};

#define LIST(st, k)                                                                                \
	{                                                                                          \
		.of = (k), .first = offsetof(struct st, item),                                     \
		.size = sizeof(((struct st *)0)->item[0]),                                         \
		.max = sizeof(((struct st *)0)->item) / sizeof(((struct st *)0)->item[0])          \
	}

static const struct list lists[] = {
	[WIRE_SERVICES] = LIST(services, WIRE_SERVICE),
	[WIRE_NAMES] = LIST(wire_names, WIRE_NAME),
	[WIRE_VIEWERS] = LIST(wire_viewers, WIRE_ENDPOINT),
	[WIRE_WEB_SECRETS] = LIST(wire_web_secrets, WIRE_WEB_SECRET),
};

_Static_assert(offsetof(struct services, count) == 0 && offsetof(struct wire_names, count) == 0 &&
		       offsetof(struct wire_viewers, count) == 0 &&
		       offsetof(struct wire_web_secrets, count) == 0,
	       "a list begins with its count");

static bool list_valid(const struct wire_field *f, const void *m)
{
	const struct list *l = &lists[f->kind];
	const struct wire_field each = {.kind = l->of};
	const unsigned n = *(const uint8_t *)m;
	bool ok = n <= l->max && in_range(f, n);

	for (unsigned i = 0; ok && i < n; i++)
		ok = wire_kinds[l->of].valid(&each, (const char *)m + l->first + i * l->size);
	return ok;
}

static bool list_put(struct wire_writer *w, const struct wire_field *f, const void *m)
{
	const struct list *l = &lists[f->kind];
	const struct wire_field each = {.kind = l->of};
	const unsigned n = *(const uint8_t *)m;
	bool ok = wire_put_int(w, n, 1);

	for (unsigned i = 0; ok && i < n; i++)
		ok = wire_kinds[l->of].put(w, &each, (const char *)m + l->first + i * l->size);
	return ok;
}

static bool list_get(struct wire_reader *r, const struct wire_field *f, void *m)
{
	const struct list *l = &lists[f->kind];
	const struct wire_field each = {.kind = l->of};
	bool ok = get_bytes(r, m, 1) && *(const uint8_t *)m <= l->max;

	for (unsigned i = 0; ok && i < *(const uint8_t *)m; i++)
		ok = wire_kinds[l->of].get(r, &each, (char *)m + l->first + i * l->size);
	return ok;
}

/* Sorted and without overlap, too. */
static bool services_kind_valid(const struct wire_field *f, const void *m)
{
	return list_valid(f, m) && services_valid(m);
}

/* Each of them known, too. */
static bool viewers_valid(const struct wire_field *f, const void *m)
{
	const struct wire_viewers *v = m;
	bool ok = list_valid(f, m);

	for (unsigned i = 0; ok && i < v->count; i++)
		ok = v->item[i].family != 0;
	return ok;
}

const struct wire_kind_ops wire_kinds[] = {
	[WIRE_U8] = {u8_valid, u8_put, u8_get},
	[WIRE_U16] = {u16_valid, u16_put, u16_get},
	[WIRE_U32] = {u32_valid, u32_put, u32_get},
	[WIRE_U64] = {any_valid, u64_put, u64_get},
	[WIRE_TIME] = {time_valid, u64_put, u64_get},
	[WIRE_ERR] = {err_valid, u32_put, u32_get},
	[WIRE_BOOL] = {bool_valid, u8_put, u8_get},
	[WIRE_KEY] = {any_valid, raw_put, raw_get},
	[WIRE_SECRET] = {any_valid, raw_put, raw_get},
	[WIRE_IP4] = {any_valid, u32_put, u32_get},
	[WIRE_PREFIX4] = {prefix4_valid, prefix4_put, prefix4_get},
	[WIRE_PREFIX6] = {prefix6_kind_valid, prefix6_put, prefix6_get},
	[WIRE_ENDPOINT] = {endpoint_valid, endpoint_put, endpoint_get},
	[WIRE_SERVICE] = {service_valid, service_put, service_get},
	[WIRE_SERVICES] = {services_kind_valid, list_put, list_get},
	[WIRE_NAME] = {name_kind_valid, chars_put, name_get},
	[WIRE_NAME_OPT] = {name_opt_valid, chars_put, name_get},
	[WIRE_NAMES] = {list_valid, list_put, list_get},
	[WIRE_HOST_OPT] = {host_opt_valid, chars_put, host_get},
	[WIRE_VIEWERS] = {viewers_valid, list_put, list_get},
	[WIRE_WEB_SECRET] = {any_valid, raw_put, raw_get},
	[WIRE_WEB_SECRETS] = {list_valid, list_put, list_get},
	[WIRE_HARDWARE] = {hardware_valid, raw_put, raw_get},
	[WIRE_TOKEN] = {token_valid, chars_put, chars_get},
	[WIRE_TEXT] = {text_valid, chars_put, chars_get},
};
