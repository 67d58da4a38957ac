/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printgate.conf: what is read, and that each mistake is named with file, line and what is allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/priv/conf.h"

static char path[] = "/tmp/printgate-conf-XXXXXX";

static int load_bytes(struct conf *out, const char *bytes, size_t n, struct diag *d)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	memset(d, 0, sizeof(*d));
	return conf_load(out, path, d);
}

static int load(struct conf *out, const char *text, struct diag *d)
{
	return load_bytes(out, text, strlen(text), d);
}

/* The file is refused and the sentence contains each of the words. */
static void refused(const char *text, const char *word1, const char *word2)
{
	struct conf c;
	struct diag d;

	assert_int_equal(load(&c, text, &d), ERR_CONFIG);
	assert_int_equal(d.code, ERR_CONFIG);
	if (!strstr(d.text, word1) || !strstr(d.text, word2))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", d.text, word1, word2);
	assert_non_null(strstr(d.text, path));
}

static void test_tunnel6_is_a_prefix_or_chosen(void **state)
{
	struct conf c;
	struct diag d;
	char text[PREFIX6_TEXT_BYTES];

	(void)state;
	assert_int_equal(
		load(&c, "[gateway]\ntunnel = 10.77.16.0/20\ntunnel6 = fd77:1:2:3::/64\n", &d), 0);
	prefix6_format(text, &c.tunnel6);
	assert_string_equal(text, "fd77:1:2:3::/64");
	assert_false(c.tunnel6_auto);
	assert_int_equal(load(&c, "[gateway]\ntunnel = 10.77.16.0/20\ntunnel6 = auto\n", &d), 0);
	assert_true(c.tunnel6_auto);
	assert_int_equal(c.tunnel6.len, 0);
	assert_int_equal(load(&c, "[gateway]\ntunnel = 10.77.16.0/20\n", &d), 0);
	assert_false(c.tunnel6_auto);
	assert_int_equal(c.tunnel6.len, 0);
}

static void test_whole_file_is_read(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(load(&c,
			      "[gateway]\ninterface = pg7\nlisten_port = 4500\n"
			      "endpoint    = home.example.net:51821      # for phones\n"
			      "tunnel = 10.77.16.0/20\ntunnel6 = off\nbackend = userspace\n"
			      "keep_configs = yes\ncoexist = auto\n[web]\nlisten = tunnel:81, "
			      "127.0.0.1:8081\n"
			      "[paths]\nstate = /tmp/s/\nruntime = /tmp/r ; here\n"
			      "[users]\nnet = 61701\ncore = 61702\nweb = 61703\n",
			      &d),
			 0);
	assert_string_equal(c.interface, "pg7");
	assert_int_equal(c.listen_port, 4500);
	assert_string_equal(c.endpoint, "home.example.net:51821");
	assert_int_equal(c.tunnel.addr, 0x0a4d1000);
	assert_int_equal(c.tunnel.len, 20);
	assert_int_equal(c.tunnel6.len, 0);
	assert_false(c.tunnel6_auto);
	assert_int_equal(c.backend, BACKEND_USERSPACE);
	assert_true(c.keep_configs);
	assert_true(c.coexist);
	assert_int_equal(c.listen_count, 2);
	assert_true(c.listen[0].tunnel);
	assert_int_equal(c.listen[0].at.port, 81);
	assert_memory_equal(c.listen[0].at.addr, "\x0a\x4d\x10\x01", 4);
	assert_false(c.listen[1].tunnel);
	assert_string_equal(c.state, "/tmp/s");
	assert_string_equal(c.runtime, "/tmp/r");
	assert_int_equal(c.net.uid, 61701);
	assert_int_equal(c.web.gid, 61703);
}

/* RUNTIME/printgate-core.start must fit into a socket's address. */
static void test_the_runtime_folder_has_86_bytes_at_most(void **state)
{
	char text[256];
	struct conf c;
	struct diag d;

	(void)state;
	for (int n = 86; n <= 87; n++) {
		(void)snprintf(text, sizeof(text),
			       "[gateway]\ntunnel = 10.77.16.0/20\n[paths]\nruntime = /%0*d\n",
			       n - 1, 7);
		assert_int_equal(load(&c, text, &d), n == 86 ? 0 : ERR_CONFIG);
	}
}

static void test_defaults_are_the_manuals(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(load(&c, "[gateway]\ntunnel=10.1.0.0/16\nendpoint=192.0.2.7\n", &d), 0);
	assert_string_equal(c.interface, "wg0");
	assert_int_equal(c.listen_port, 51820);
	assert_string_equal(c.endpoint, "192.0.2.7:51820");
	assert_int_equal(c.backend, BACKEND_AUTO);
	assert_false(c.keep_configs);
	assert_false(c.coexist);
	assert_int_equal(c.printer_check, 60);
	assert_int_equal(c.listen_count, 2);
	assert_string_equal(c.state, "/var/lib/printgate");
	assert_string_equal(c.runtime, "/run/printgate");
}

static void test_byte_order_mark_crlf_and_indent_are_tolerated(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(load(&c,
			      "\xef\xbb\xbf[gateway]\r\n  tunnel = 10.1.0.0/16\r\n"
			      "\tinterface = a\r\n[web]\r\nlisten = off\r\n",
			      &d),
			 0);
	assert_string_equal(c.interface, "a");
	assert_int_equal(c.listen_count, 0);
}

static void test_endpoint_may_be_bracketed_ipv6(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(load(&c, "[gateway]\ntunnel=10.1.0.0/16\nendpoint=[2001:db8::1]\n", &d),
			 0);
	assert_string_equal(c.endpoint, "[2001:db8::1]:51820");
}

static void test_mistakes_name_line_and_what_is_allowed(void **state)
{
	(void)state;
	refused("[gateway]\ntunel = 10.1.0.0/16\n", ":2: unknown key \"tunel\"", "tunnel");
	refused("[gatway]\ntunnel = 10.1.0.0/16\n", ":2: unknown section [gatway]", "[gateway]");
	refused("tunnel = 10.1.0.0/16\n", ":1: ", "before any [section]");
	refused("[gateway]\n\n\ntunnel = 10.1.0.0/30\n", ":4: tunnel", "/12 to /28");
	refused("[gateway]\ntunnel = 8.8.8.0/24\n", ":2: tunnel", "private");
	refused("[gateway]\nlisten_port = 0\n", ":2: listen_port", "1 to 65535");
	refused("[gateway]\nprinter_check = 0\n", ":2: printer_check", "1 to 3600");
	refused("[gateway]\nprinter_check = 3601\n", ":2: printer_check", "1 to 3600");
	refused("[gateway]\nlisten_port = 65536\n", ":2: listen_port", "1 to 65535");
	refused("[gateway]\nlisten_port = 80x\n", ":2: listen_port", "1 to 65535");
	refused("[gateway]\ninterface = lo\n", ":2: interface", "1 to 15");
	refused("[gateway]\ninterface = ../../etc\n", ":2: interface", "1 to 15");
	refused("[gateway]\ninterface = abcdefghijklmnop\n", ":2: interface", "1 to 15");
	refused("[gateway]\ntunnel6 = on\n", ":2: tunnel6", "off, auto");
	refused("[gateway]\ntunnel6 = 2001:db8::/64\n", ":2: tunnel6", "fd00::/8");
	refused("[gateway]\ntunnel6 = fe80::/64\n", ":2: tunnel6", "fd00::/8");
	refused("[gateway]\ntunnel6 = fd00::/48\n", ":2: tunnel6", "/64 to /96");
	refused("[gateway]\ntunnel6 = fd00::/112\n", ":2: tunnel6", "/64 to /96");
	refused("[gateway]\ntunnel6 = fd00::1/64\n", ":2: tunnel6", "/64 to /96");
	refused("[gateway]\ntunnel6 = 10.77.0.0/16\n", ":2: tunnel6", "fd00::/8");
	refused("[gateway]\nbackend = windows\n", ":2: backend", "auto, kernel or userspace");
	refused("[gateway]\nendpoint = a_b\n", ":2: endpoint", "DNS name");
	refused("[gateway]\nendpoint = -a.example\n", ":2: endpoint", "DNS name");
	refused("[gateway]\nendpoint = a:0\n", ":2: endpoint", "DNS name");
	refused("[gateway]\nendpoint = [::1\n", ":2: endpoint", "brackets");
	refused("[gateway]\nkeep_configs = maybe\n", ":2: keep_configs", "yes or no");
	refused("[gateway]\ncoexist = yes\n", ":2: coexist", "off or auto");
	refused("[gateway]\nbackend =\n", ":2: backend has no value", "auto");
	refused("[gateway]\nbackend = auto\nbackend = auto\n", ":3: ", "twice");
	refused("[gateway]\ngarbage\n", ":2: ", "key = value");
	refused("[web]\nlisten = 0.0.0.0:80\n", ":2: listen", "tls = ADDRESS:PORT");
	refused("[web]\nlisten = 192.168.1.1:80\n", ":2: listen", "tls = ADDRESS:PORT");
	refused("[web]\nlisten = tunnel\n", ":2: listen", "tunnel:PORT");
	refused("[paths]\nstate = relative\n", ":2: state", "absolute");
	refused("[users]\nnet = 0\n", ":2: net = 0", "not root");
	refused("[users]\nnet = root\n", ":2: net = root", "not root");
	refused("[users]\nweb = no-such-user-here\n", ":2: web", "existing user's name");
	refused("[gateway]\ninterface = wg0\n", "tunnel is missing", "printgate init");
}

static void test_the_page_in_the_lan_is_read(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(load(&c,
			      "[gateway]\ntunnel = 10.77.16.0/20\n[web]\n"
			      "tls = 192.168.1.5:8443, 0.0.0.0:443,[::]:443 [fd00::5]:8443\n"
			      "certificate = /etc/x.crt\nkey = /etc/x.key\n"
			      "names = PrintGate.local, box\n[users]\nnet = 61701\ncore = 61702\n"
			      "web = 61703\ntls = 61704\n",
			      &d),
			 0);
	assert_int_equal(c.tls_count, 4);
	assert_memory_equal(c.tls[0].at.addr, "\xc0\xa8\x01\x05", 4);
	assert_int_equal(c.tls[0].at.port, 8443);
	assert_int_equal(c.tls[2].at.family, 6);
	assert_string_equal(c.certificate, "/etc/x.crt");
	assert_string_equal(c.key, "/etc/x.key");
	assert_int_equal(c.name_count, 2);
	assert_string_equal(c.names[0], "printgate.local");
	assert_int_equal(c.tls_user.uid, 61704);
	assert_int_equal(c.listen_count, 2);
	assert_int_equal(load(&c, "[gateway]\ntunnel = 10.1.0.0/16\n[web]\ntls = off\n", &d), 0);
	assert_int_equal(c.tls_count, 0);
	assert_int_equal(c.name_count, 0);
}

static void test_mistakes_about_the_page_in_the_lan(void **state)
{
	(void)state;
	refused("[web]\ntls = tunnel:443\n", ":2: tls", "addresses of this machine");
	refused("[web]\ntls = 192.168.1.5\n", ":2: tls", "with a port");
	refused("[web]\ntls = 192.168.1.5:0\n", ":2: tls", "with a port");
	refused("[web]\ntls = fd00::5:443\n", ":2: tls", "with a port");
	refused("[web]\ntls = printgate.local:443\n", ":2: tls", "addresses of this machine");
	refused("[web]\ntls = 1.1.1.1:1, 1.1.1.1:2, 1.1.1.1:3, 1.1.1.1:4, 1.1.1.1:5\n", ":2: tls",
		"up to 4");
	refused("[web]\nnames = a_b\n", ":2: names", "host names");
	refused("[web]\nnames = a b c d e f g h i\n", ":2: names", "up to 8");
	refused("[web]\ncertificate = page.crt\n", ":2: certificate", "absolute");
	refused("[gateway]\ntunnel = 10.1.0.0/16\n[web]\nkey = /k\n", "certificate and key",
		"both, or none");
	refused("[gateway]\ntunnel = 10.1.0.0/16\n[web]\ntls = 10.1.0.1:443\n", "local network",
		"tunnel:PORT");
	refused("[users]\ntls = 0\n", ":2: tls = 0", "not root");
}

static void test_long_line_and_nul_are_refused(void **state)
{
	static const char nul[] = "[gateway]\ninterface = wg0\0evil\n";
	char text[600] = "[gateway]\nendpoint = ";
	struct conf c;
	struct diag d;

	(void)state;
	memset(text + strlen(text), 'a', 500);
	refused(text, ":2: ", "longer than");
	assert_int_equal(load_bytes(&c, nul, sizeof(nul) - 1, &d), ERR_CONFIG);
	assert_non_null(strstr(d.text, ":2: a NUL byte"));
}

static void test_unreadable_and_open_files_are_refused(void **state)
{
	struct conf c;
	struct diag d;

	(void)state;
	assert_int_equal(conf_load(&c, "/nonexistent/printgate.conf", &d), ERR_CONFIG);
	assert_non_null(strstr(d.text, "printgate init"));
	assert_int_equal(conf_load(&c, "/tmp", &d), ERR_CONFIG);
	assert_int_equal(load(&c, "[gateway]\ntunnel=10.1.0.0/16\n", &d), 0);
	assert_int_equal(chmod(path, 0646), 0);
	assert_int_equal(conf_load(&c, path, &d), ERR_CONFIG);
	assert_non_null(strstr(d.text, "chmod o-w"));
	assert_int_equal(chmod(path, 0644), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_file_is_read),
		cmocka_unit_test(test_tunnel6_is_a_prefix_or_chosen),
		cmocka_unit_test(test_the_runtime_folder_has_86_bytes_at_most),
		cmocka_unit_test(test_defaults_are_the_manuals),
		cmocka_unit_test(test_byte_order_mark_crlf_and_indent_are_tolerated),
		cmocka_unit_test(test_endpoint_may_be_bracketed_ipv6),
		cmocka_unit_test(test_mistakes_name_line_and_what_is_allowed),
		cmocka_unit_test(test_the_page_in_the_lan_is_read),
		cmocka_unit_test(test_mistakes_about_the_page_in_the_lan),
		cmocka_unit_test(test_long_line_and_nul_are_refused),
		cmocka_unit_test(test_unreadable_and_open_files_are_refused),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	(void)close(fd);
	rc = cmocka_run_group_tests_name("conf", tests, NULL, NULL);
	(void)unlink(path);
	return rc;
}
