/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings, each of which takes something away from OpenSSL's defaults.
 */
#include "tls/context.h"

#include <stdbool.h>
#include <stdlib.h>

#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS_13 "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

/* No resumption: a ticket's key would have to be kept, and a handshake is cheap with P-256. A client
 * that leaves without a farewell is usual with HTTP, whose messages tell their length. */
#define OPTIONS                                                                                    \
	(SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |                      \
	 SSL_OP_IGNORE_UNEXPECTED_EOF)

static const unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* A client that speaks only something else is refused rather than misunderstood. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
		   unsigned in_n, void *arg)
{
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, n, http11, sizeof(http11), in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool restrict_protocol(SSL_CTX *c)
{
	char groups[] = "X25519:P-256:P-384"; /* the macro takes no constant one */

	(void)SSL_CTX_set_options(c, OPTIONS);
	(void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
	return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(c, CIPHERS_12) == 1 &&
	       SSL_CTX_set_ciphersuites(c, CIPHERS_13) == 1 &&
	       SSL_CTX_set1_groups_list(c, groups) == 1 && SSL_CTX_set_num_tickets(c, 0) == 1;
}

static bool use_pair(SSL_CTX *c, const struct pair *p)
{
	if (SSL_CTX_use_certificate(c, p->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(c, p->key) != 1)
		return false;
	for (int i = 0; i < sk_X509_num(p->chain); i++)
		if (SSL_CTX_add1_chain_cert(c, sk_X509_value(p->chain, i)) != 1)
			return false;
	return true;
}

int context_new(SSL_CTX **out, const struct pair *p, struct diag *d)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	int r = 0;

	if (!c)
		abort();
	if (!restrict_protocol(c))
		r = pair_fail(d, ERR_INTERNAL, "TLS");
	else if (!use_pair(c, p))
		r = pair_fail(d, ERR_CONFIG, "the page's certificate cannot be used");
	if (r) {
		SSL_CTX_free(c);
		return r;
	}
	*out = c;
	return 0;
}
