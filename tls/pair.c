/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificate and key. Nothing is opened here: both files are descriptors of the caller's.
 */
#include "tls/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/cleanup.h"
#include "common/mem.h"

#define FILE_BYTES_MAX (64 << 10) /* a chain of several certificates is some 8 KiB */
#define CHAIN_MAX      8	  /* certificates besides the first */
#define NAMES_BYTES    4096	  /* 8 names of 253, 4 addresses, and their prefixes */
#define SERIAL_BITS    159	  /* RFC 5280, 4.1.2.2: positive, at most 20 octets */
#define DAYS_VALID     3652
#define VALID_FROM     "20200101000000Z" /* a Pi has no clock: at its first start it may be any time */
#define CLOCK_FLOOR    1793491200LL	 /* 2026-11-01: a clock that says less is wrong, and … */
#define CLOCK_CEILING  4102444800LL	 /* 2100: … one that says more as well */

int pair_fail(struct diag *d, enum err code, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());
	const int r = diag_set(d, code, "%s: %s", what, why ? why : "not understood");

	ERR_clear_error();
	return r;
}

void pair_free(struct pair *p)
{
	X509_free(p->certificate);
	sk_X509_pop_free(p->chain, X509_free);
	EVP_PKEY_free(p->key);
	*p = (struct pair){NULL, NULL, NULL};
}

int pair_digest(const struct pair *p, uint8_t out[PAIR_DIGEST_BYTES], struct diag *d)
{
	unsigned n = 0;

	if (X509_digest(p->certificate, EVP_sha256(), out, &n) != 1 || n != PAIR_DIGEST_BYTES)
		return pair_fail(d, ERR_INTERNAL, "the certificate's fingerprint");
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static void wipe_buffer(char **bytes)
{
	if (*bytes)
		explicit_bzero(*bytes, FILE_BYTES_MAX);
	free(*bytes);
}

/* The whole file; its bytes are the caller's to wipe. Returns how many. */
static int read_file(char *bytes, int fd, const char *what, struct diag *d)
{
	size_t got = 0;

	while (got < FILE_BYTES_MAX) {
		const ssize_t n = pread(fd, bytes + got, FILE_BYTES_MAX - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_errno(d, "cannot read the page's %s", what);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got == FILE_BYTES_MAX)
		return diag_set(d, ERR_CONFIG, "the page's %s is longer than %d bytes", what,
				FILE_BYTES_MAX - 1);
	if (got == 0)
		return diag_set(d, ERR_CONFIG, "the page's %s is empty", what);
	return (int)got;
}

/* OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int read_certificates(struct pair *out, int fd, struct diag *d)
{
	__attribute__((cleanup(wipe_buffer))) char *bytes = mem_zalloc(FILE_BYTES_MAX, 1);
	const int n = read_file(bytes, fd, "certificate", d);
	BIO *in = n < 0 ? NULL : BIO_new_mem_buf(bytes, n);
	X509 *next;

	if (n < 0)
		return n;
	out->chain = sk_X509_new_null();
	if (!in || !out->chain)
		abort();
	out->certificate = PEM_read_bio_X509(in, NULL, no_password, NULL);
	if (!out->certificate) {
		BIO_free(in);
		return pair_fail(d, ERR_CONFIG, "the page's certificate");
	}
	while (sk_X509_num(out->chain) < CHAIN_MAX &&
	       (next = PEM_read_bio_X509(in, NULL, no_password, NULL)))
		if (!sk_X509_push(out->chain, next))
			abort();
	BIO_free(in);
	ERR_clear_error(); /* of the end of the file */
	return 0;
}

static int read_key(struct pair *out, int fd, struct diag *d)
{
	__attribute__((cleanup(wipe_buffer))) char *bytes = mem_zalloc(FILE_BYTES_MAX, 1);
	const int n = read_file(bytes, fd, "key", d);
	BIO *in = n < 0 ? NULL : BIO_new_mem_buf(bytes, n);

	if (n < 0)
		return n;
	if (!in)
		abort();
	out->key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	BIO_free(in);
	return out->key ? 0 : pair_fail(d, ERR_CONFIG, "the page's key (one without a password?)");
}

int pair_read(struct pair *out, int certificate, int key, struct diag *d)
{
	int r;

	*out = (struct pair){NULL, NULL, NULL};
	r = read_certificates(out, certificate, d);
	if (r == 0)
		r = read_key(out, key, d);
	if (r == 0 && X509_check_private_key(out->certificate, out->key) != 1) {
		ERR_clear_error();
		r = diag_set(d, ERR_CONFIG,
			     "the page's certificate and key do not belong together");
	}
	return r;
}

/* ---- making ------------------------------------------------------------------------------------ */

static int write_file(int fd, BIO *bytes, const char *what, struct diag *d)
{
	char *data;
	const long n = BIO_get_mem_data(bytes, &data);
	long done = 0;

	while (done < n) {
		const ssize_t w = pwrite(fd, data + done, (size_t)(n - done), done);

		if (w < 0 && errno != EINTR)
			return diag_errno(d, "cannot write the page's %s", what);
		done += w < 0 ? 0 : w;
	}
	return fsync(fd) ? diag_errno(d, "cannot write the page's %s", what) : 0;
}

/* "DNS:printgate.local,IP:192.168.1.5": printgated has checked that these are names and addresses. */
static void alternative_names(char out[NAMES_BYTES], const char *const *names)
{
	size_t used = 0;

	out[0] = '\0';
	for (; *names && used < NAMES_BYTES; names++) {
		uint8_t addr[sizeof(struct in6_addr)];
		const bool ip = inet_pton(AF_INET, *names, addr) == 1 ||
				inet_pton(AF_INET6, *names, addr) == 1;

		used += (size_t)snprintf(out + used, NAMES_BYTES - used, "%s%s:%s", used ? "," : "",
					 ip ? "IP" : "DNS", *names);
	}
	if (!used)
		(void)snprintf(out, NAMES_BYTES, "DNS:printgate");
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	const bool done = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return done;
}

/* For this server and nothing else: whoever imports it into a browser trusts no further certificate
 * that its key might sign. */
static bool add_extensions(X509 *x, const char *const *names)
{
	char san[NAMES_BYTES];

	alternative_names(san, names);
	return add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_alt_name, san);
}

static bool set_times(X509 *x)
{
	int64_t now = time(NULL);

	if (now < CLOCK_FLOOR || now > CLOCK_CEILING)
		now = CLOCK_FLOOR;
	return ASN1_TIME_set_string(X509_getm_notBefore(x), VALID_FROM) == 1 &&
	       /* Added by OpenSSL: a time_t of 32 bits cannot hold it from 2028 on. */
	       ASN1_TIME_adj(X509_getm_notAfter(x), (time_t)now, DAYS_VALID, 0);
}

static bool set_serial(X509 *x)
{
	BIGNUM *serial = BN_new();
	const bool done = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, 0) == 1 &&
			  BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));

	BN_free(serial);
	return done;
}

static bool set_name(X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)"printgate", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static int generate(struct pair *out, const char *const *names, struct diag *d)
{
	X509 *x = X509_new();

	out->certificate = x;
	out->chain = sk_X509_new_null();
	out->key = EVP_EC_gen("P-256");
	if (x && out->chain && out->key && X509_set_version(x, X509_VERSION_3) == 1 &&
	    set_serial(x) && set_name(x) && set_times(x) && X509_set_pubkey(x, out->key) == 1 &&
	    add_extensions(x, names) && X509_sign(x, out->key, EVP_sha256()) > 0)
		return 0;
	return pair_fail(d, ERR_SYSTEM, "cannot make a certificate for the page");
}

int pair_make(struct pair *out, int certificate, int key, const char *const *names, struct diag *d)
{
	BIO *bytes = BIO_new(BIO_s_secmem());
	int r;

	*out = (struct pair){NULL, NULL, NULL};
	if (!bytes)
		abort();
	r = generate(out, names, d);
	if (r == 0 && (ftruncate(certificate, 0) || ftruncate(key, 0)))
		r = diag_errno(d, "cannot write the page's certificate");
	if (r == 0 &&
	    PEM_write_bio_PKCS8PrivateKey(bytes, out->key, NULL, NULL, 0, NULL, NULL) != 1)
		r = pair_fail(d, ERR_SYSTEM, "the page's key");
	if (r == 0)
		r = write_file(key, bytes, "key", d);
	(void)BIO_reset(bytes); /* wipes it */
	if (r == 0 && PEM_write_bio_X509(bytes, out->certificate) != 1)
		r = pair_fail(d, ERR_SYSTEM, "the page's certificate");
	if (r == 0)
		r = write_file(certificate, bytes, "certificate", d);
	BIO_free(bytes);
	return r;
}
