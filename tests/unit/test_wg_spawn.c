/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tun a wireguard-go is handed, by what it says of itself, and by what it holds where that is not enough.
 */
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/priv/wg_spawn.h"

#define VIRTIO (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)

/* A program that says so, with `inside` somewhere in it. 0: it is refused. */
static short flags_of(const char *says, const char *inside)
{
	char path[] = "/tmp/printgate-test-XXXXXX";
	int fd = mkstemp(path);
	struct diag d = {0};
	short flags = 0;

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "#!/bin/sh\necho '%s'\nexit\n%s\n", says, inside) > 0);
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(close(fd), 0);
	if (wg_spawn_tun_flags(path, &flags, &d))
		flags = 0;
	assert_int_equal(unlink(path), 0);
	return flags;
}

static void test_releases_are_told_apart(void **state)
{
	static const char function[] = "golang.zx2c4.com/wireguard/tun.(*NativeTun).initFromFlags";

	(void)state;
	assert_int_equal(flags_of("wireguard-go v0.0.20220316", ""), IFF_TUN);
	assert_int_equal(flags_of("wireguard-go v0.0.20220316", function), IFF_TUN);
	assert_int_equal(flags_of("wireguard-go v0.0.20230223", ""), IFF_TUN);
	assert_int_equal(flags_of("wireguard-go v0.0.20230223", function), VIRTIO);
	assert_int_equal(flags_of("wireguard-go v0.0.20250522", ""), VIRTIO);
	assert_int_equal(flags_of("boringtun 0.5.2", function), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
