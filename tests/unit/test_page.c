/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status page: what it shows to whom, escaping, and the stylesheet's hash. The whole page for a
 * peer is compared with tests/golden/page.html (GOLDEN_UPDATE=1 writes it anew).
 */
#include "web/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sodium.h>

#include "common/cleanup.h"

#define GOLDEN "tests/golden/page.html"

static char *render(const struct view *v)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	page_render(out, v);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void set_name(struct name *n, const char *s)
{
	assert_int_equal(name_parse(n, s, "peer", NULL), 0);
}

static struct view_printer *add_printer(struct view *v, const char *name, const char *vpn,
					const char *services)
{
	struct view_printer *p = &v->printer[v->count++];

	set_name(&p->printer.name, name);
	assert_int_equal(prefix4_parse(&p->printer.vpn, vpn, NULL), 0);
	assert_int_equal(services_parse(&p->printer.services, services, NULL), 0);
	p->granted = true;
	return p;
}

static struct view *view_new(void)
{
	struct view *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	v->counts.peers = 3;
	v->counts.online = 1;
	return v;
}

static struct view *view_of_peer(void)
{
	struct view *v = view_new();

	v->known = true;
	set_name(&v->peer.name, "Ann's <phone> & \"tab\" 📱");
	add_printer(v, "voron <b>", "10.77.16.2", "tcp/80,tcp/443,tcp/7125,tcp/7130");
	add_printer(v, "office", "10.77.16.3", "tcp/631,tcp/9100,udp/5353")->expires = 1798761600;
	add_printer(v, "farm", "10.77.19.0/28", "tcp/80,tcp/50000-50100");
	return v;
}

static void test_golden(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = render(v);
	auto_fclose FILE *f = NULL;
	static char wanted[65536];
	size_t n;

	(void)state;
	if (getenv("GOLDEN_UPDATE")) {
		auto_fclose FILE *out = fopen(GOLDEN, "w");

		assert_non_null(out);
		assert_true(fputs(text, out) >= 0);
	}
	f = fopen(GOLDEN, "r");
	assert_non_null(f);
	n = fread(wanted, 1, sizeof(wanted) - 1, f);
	wanted[n] = '\0';
	assert_string_equal(text, wanted);
}

static void test_escapes_names(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = render(v);

	(void)state;
	assert_non_null(strstr(text, "Ann&#39;s &lt;phone&gt; &amp; &quot;tab&quot; 📱"));
	assert_non_null(strstr(text, "voron &lt;b&gt;"));
	assert_null(strstr(text, "<phone>"));
	assert_null(strstr(text, "<b>"));
}

static void test_nobody_sees_counts_only(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = NULL;

	(void)state;
	v->known = false;
	text = render(v);
	assert_non_null(strstr(text, "3 phones enrolled, 1 online"));
	assert_null(strstr(text, "phone&gt;"));
	assert_null(strstr(text, "voron"));
	assert_null(strstr(text, "10.77."));
}

static void test_links_follow_ports(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = render(v);

	(void)state;
	assert_non_null(strstr(text, "<a href=\"http://10.77.16.2/\">"));
	assert_non_null(strstr(text, "<a href=\"https://10.77.16.2/\">"));
	assert_non_null(strstr(text, "<a href=\"http://10.77.16.2:7125/\">"));
	assert_non_null(strstr(text, "<a href=\"https://10.77.16.2:7130/\">"));
	assert_non_null(strstr(text, "ipp://10.77.16.3/ipp/print"));
	assert_null(strstr(text, "href=\"ipp:"));
	assert_null(strstr(text, "href=\"http://10.77.19"));
}

static void test_ungranted_printer_is_not_shown(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = NULL;

	(void)state;
	v->printer[1].granted = false;
	text = render(v);
	assert_null(strstr(text, "office"));
	assert_null(strstr(text, "10.77.16.3"));
}

static void test_locked_says_so(void **state)
{
	auto_free struct view *v = view_of_peer();
	auto_free char *text = NULL;

	(void)state;
	v->gateway.locked = true;
	text = render(v);
	assert_non_null(strstr(text, "class=\"shut\">locked"));
	assert_null(strstr(text, "class=\"up\""));
	assert_non_null(strstr(text, "cannot be reached while the gateway is locked"));
}

static void test_no_printer_and_too_many(void **state)
{
	auto_free struct view *v = view_new();
	auto_free char *none = NULL;
	auto_free char *many = NULL;

	(void)state;
	v->known = true;
	set_name(&v->peer.name, "tablet");
	none = render(v);
	assert_non_null(strstr(none, "No printer is open to you yet"));
	for (unsigned i = 0; i < VIEW_PRINTERS_MAX; i++)
		add_printer(v, "p", "10.77.16.9", "tcp/80");
	v->omitted = 7;
	many = render(v);
	assert_non_null(strstr(many, "and 7 more"));
	assert_true(strlen(many) < 20000);
}

static void test_without_core(void **state)
{
	auto_free char *text = render(NULL);

	(void)state;
	assert_non_null(strstr(text, "no answer"));
	assert_null(strstr(text, "enrolled"));
}

static void test_style_hash(void **state)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[64];

	(void)state;
	crypto_hash_sha256(hash, (const unsigned char *)page_style, strlen(page_style));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	assert_string_equal(text, PAGE_STYLE_SHA256);
	assert_null(strchr(page_style, '<'));
	assert_null(strchr(page_style, '&'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_escapes_names),
		cmocka_unit_test(test_nobody_sees_counts_only),
		cmocka_unit_test(test_links_follow_ports),
		cmocka_unit_test(test_ungranted_printer_is_not_shown),
		cmocka_unit_test(test_locked_says_so),
		cmocka_unit_test(test_no_printer_and_too_many),
		cmocka_unit_test(test_without_core),
		cmocka_unit_test(test_style_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
