/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same for Prometheus: text format 0.0.4.
 */
#pragma once

#include "web/snapshot.h"

#include <stdio.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_write(FILE *out, const struct snapshot *s);
