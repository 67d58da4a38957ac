/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives every file of the folders named on the command line to a fuzz driver. A crash or a sanitizer
 * ends it; a folder without files is a failure, for then nothing was tried.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_BYTES (1 << 20)

static int replay_file(const char *path)
{
	static uint8_t room[INPUT_BYTES];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (!f) {
		perror(path);
		return -1;
	}
	n = fread(room, 1, sizeof(room), f);
	(void)fclose(f);
	exact = mem_zalloc(n, 1); /* of exactly that size: a sanitizer sees a read behind it */
	memcpy(exact, room, n);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	char path[4096];
	int files = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (replay_file(path))
			break;
		files++;
	}
	(void)closedir(dir);
	printf("%s: %d inputs\n", folder, files);
	return e || files == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++)
		failed |= replay_folder(argv[i]) != 0;
	return failed ? 1 : 0;
}
