/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which TLS is spoken: the settings of every connection.
 */
#pragma once

#include <openssl/ssl.h>

#include "tls/pair.h"

/* TLS 1.2 and 1.3 with forward secrecy and authenticated encryption; HTTP/1.1 where the client asks
 * (ALPN). ERR_CONFIG if OpenSSL refuses the certificate (a key that is too short, say). Free with
 * SSL_CTX_free. */
int context_new(SSL_CTX **out, const struct pair *p, struct diag *d)
	__attribute__((warn_unused_result));
