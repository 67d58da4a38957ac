/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers requests. Who the viewer is, core decides from the source address; this file decides
 * whether to ask for that viewer at all: only on the gateway's own tunnel address, and only if the
 * request was meant for that very address (a name that a stranger's web site rebinds to it is not).
 * evhttp lets much through that HTTP forbids, so nothing of a request is used but method, path and
 * Host, and each only by comparison.
 */
#include "web/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "web/limit.h"
#include "web/page.h"

#define HEADERS_MAX	4096 /* bytes of a request's head */
#define BODY_MAX	0    /* GET and HEAD have none */
#define READ_SECONDS	5
#define METHODS_ALLOWED "GET, HEAD"

struct http {
	struct evhttp *ev;
	struct limit *limit;
	struct ask *ask;
};

static const char *const headers[][2] = {
	{"Connection", "close"},
	{"Cache-Control", "no-store"},
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'sha256-" PAGE_STYLE_SHA256 "'; base-uri 'none'; "
	 "form-action 'none'; frame-ancestors 'none'"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
};

/* Sends the answer; for HEAD without the text, but with its length. */
static void reply(struct evhttp_request *req, int status, const char *reason, const char *type,
		  const char *text, size_t n)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();
	char length[24];

	if (!body)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		(void)evhttp_add_header(out, headers[i][0], headers[i][1]);
	(void)evhttp_add_header(out, "Content-Type", type);
	(void)snprintf(length, sizeof(length), "%zu", n);
	(void)evhttp_add_header(out, "Content-Length", length);
	if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		(void)evbuffer_add(body, text, n);
	evhttp_send_reply(req, status, reason, body);
	evbuffer_free(body);
}

static void reply_text(struct evhttp_request *req, int status, const char *reason, const char *text)
{
	reply(req, status, reason, "text/plain; charset=utf-8", text, strlen(text));
}

static void reply_page(struct evhttp_request *req, const struct view *v)
{
	auto_free char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		abort();
	page_render(out, v);
	if (fclose(out) != 0)
		abort();
	reply(req, v ? HTTP_OK : HTTP_SERVUNAVAIL, v ? "OK" : "Service Unavailable",
	      "text/html; charset=utf-8", text, n);
}

/* A socket address as an endpoint; IPv4 in IPv6's clothes becomes IPv4 again. */
static struct endpoint endpoint_of(const struct sockaddr_storage *ss)
{
	struct endpoint e = {0};

	if (ss->ss_family == AF_INET) {
		e.family = 4;
		memcpy(e.addr, &((const struct sockaddr_in *)ss)->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)ss)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(a);

		e.family = mapped ? 4 : 6;
		memcpy(e.addr, a->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
	}
	return e;
}

/* Is it the gateway's own address in the tunnel, of either family? */
static bool is_gateway(const struct endpoint *e, const struct control_gateway *g)
{
	const uint32_t gateway = tunnel_gateway(g->tunnel), net = htonl(gateway);
	const struct prefix6 six = tunnel6_host(&g->tunnel6, gateway);

	if (e->family == 6)
		return six.len && memcmp(e->addr, six.addr, sizeof(six.addr)) == 0;
	return e->family == 4 && memcmp(e->addr, &net, sizeof(net)) == 0;
}

/* The Host header, NULL unless there is exactly one. */
static const char *host_of(struct evhttp_request *req)
{
	const char *host = NULL;
	struct evkeyval *h;

	TAILQ_FOREACH(h, evhttp_request_get_input_headers(req), next) {
		if (evutil_ascii_strcasecmp(h->key, "Host") != 0)
			continue;
		if (host)
			return NULL;
		host = h->value;
	}
	return host;
}

/* Is `host` the address itself, with or without a port? */
static bool host_is(const char *host, const struct endpoint *e)
{
	char text[INET6_ADDRSTRLEN + 2] = "[";
	size_t n;

	if (!inet_ntop(e->family == 6 ? AF_INET6 : AF_INET, e->addr, text + (e->family == 6),
		       INET6_ADDRSTRLEN))
		return false;
	n = strlen(text);
	if (e->family == 6)
		text[n++] = ']';
	return strncmp(host, text, n) == 0 && (host[n] == '\0' || host[n] == ':');
}

/* The view for this connection: the viewer's own on the gateway's tunnel address, everybody's else.
 * NULL: core does not answer. */
static const struct view *view_for(struct ask *ask, int fd, const char *host)
{
	struct sockaddr_storage local = {0}, remote = {0};
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);
	struct endpoint nobody = {0}, here, viewer;
	const struct view *v = NULL;

	if (ask_view(ask, &nobody, &v, NULL) < 0)
		return NULL;
	if (getsockname(fd, (struct sockaddr *)&local, &local_len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&remote, &remote_len) < 0)
		return v;
	here = endpoint_of(&local);
	if (!is_gateway(&here, &v->gateway) || !host_is(host, &here))
		return v;
	viewer = endpoint_of(&remote);
	return ask_view(ask, &viewer, &v, NULL) < 0 ? NULL : v;
}

static bool is_page(const char *uri)
{
	return uri[0] == '/' && (uri[1] == '\0' || uri[1] == '?');
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *uri = evhttp_request_get_uri(req);
	const char *host = host_of(req);
	struct http *h = arg;

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(req), "Allow",
					METHODS_ALLOWED);
		reply_text(req, HTTP_BADMETHOD, "Method Not Allowed",
			   "This page can only be read.\n");
	} else if (!host || uri[0] != '/') {
		reply_text(req, HTTP_BADREQUEST, "Bad Request", "This request is malformed.\n");
	} else if (!is_page(uri)) {
		reply_text(req, HTTP_NOTFOUND, "Not Found", "There is one page here: /\n");
	} else {
		int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(c));

		reply_page(req, view_for(h->ask, fd, host));
	}
}

static void configure(struct http *h)
{
	evhttp_set_allowed_methods(h->ev, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						  EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						  EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
						  EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(h->ev, HEADERS_MAX);
	evhttp_set_max_body_size(h->ev, BODY_MAX);
	evhttp_set_timeout(h->ev, READ_SECONDS);
	evhttp_set_gencb(h->ev, on_request, h);
}

int http_new(struct http **out, struct event_base *base, int listener, struct ask *ask,
	     struct diag *d)
{
	socklen_t len = sizeof(int);
	struct evhttp_bound_socket *bound;
	struct http *h;
	int listening = 0;

	if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return diag_set(d, ERR_SYSTEM, "descriptor %d is not a listening socket", listener);
	if (evutil_make_socket_nonblocking(listener) < 0)
		return diag_errno(d, "descriptor %d", listener);
	h = mem_zalloc(1, sizeof(*h));
	h->ask = ask;
	h->ev = evhttp_new(base);
	if (!h->ev)
		abort();
	configure(h);
	bound = evhttp_accept_socket_with_handle(h->ev, listener);
	if (!bound)
		abort();
	h->limit = limit_new(base, h->ev, bound);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	evhttp_free(h->ev);
	limit_free(h->limit);
	free(h);
}
