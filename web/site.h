/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each path answers. Who may see what, core decides: by the address in the tunnel, or by the
 * secret of a session or token.
 */
#pragma once

#include "web/http.h"
#include "web/look.h"

struct site;

/* look stays the caller's. */
struct site *site_new(struct look *look) __attribute__((returns_nonnull));
/* After http_free. NULL is allowed. */
void site_free(struct site *s);

extern const char *const site_post_paths[]; /* for http.h */

/* An http_fn; arg is the site. */
void site_request(struct http_conn *c, const struct http_request *r, void *arg);
