/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cleanup attributes for local resources, with an explicit hand-over (take_fd, take_ptr).
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define must_check   __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

#define auto_close  __attribute__((cleanup(cleanup_close)))
#define auto_free   __attribute__((cleanup(cleanup_free)))
#define auto_fclose __attribute__((cleanup(cleanup_fclose)))

/* Hands a descriptor over: the local variable no longer owns it. */
static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* Hands a pointer over: the local variable no longer owns it. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) take_ptr_v = (p);                                                    \
		(p) = NULL;                                                                        \
		take_ptr_v;                                                                        \
	})
