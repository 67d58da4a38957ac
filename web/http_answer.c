/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers as bytes. What forbids a browser to do more with them than to show them is the same for
 * all, refusals included.
 */
#include "web/http_own.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const struct http_field always[] = {
	{"Connection", "close"},
	{"Cache-Control", "no-store"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
};

static const struct {
	int status;
	const char *reason, *sentence;
} words[] = {
	{200, "OK", ""},
	{303, "See Other", ""},
	{400, "Bad Request", "This request is malformed.\n"},
	{401, "Unauthorized", "This needs the owner's token.\n"},
	{403, "Forbidden", "This is not allowed.\n"},
	{404, "Not Found", "There is nothing here. The page is at /\n"},
	{405, "Method Not Allowed", "This page can only be read.\n"},
	{408, "Request Timeout", "This request took too long.\n"},
	{413, "Content Too Large", "This request is too long.\n"},
	{414, "URI Too Long", "This address is too long.\n"},
	{417, "Expectation Failed", "This page promises nothing in advance.\n"},
	{421, "Misdirected Request",
	 "This is not a name of this gateway: open the page by its address.\n"},
	{429, "Too Many Requests", "That was too often: wait a minute.\n"},
	{431, "Request Header Fields Too Large", "This request's head is too long.\n"},
	{501, "Not Implemented", "This gateway does not know such a request.\n"},
	{503, "Service Unavailable", "There is no answer right now: try again in a moment.\n"},
	{505, "HTTP Version Not Supported", "This page speaks HTTP/1.1.\n"},
};

static size_t word_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].status == status)
			return i;
	abort(); /* a status that nobody has written down is a bug of ours */
}

static void put_head(struct http_conn *c, int status, const char *type)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	(void)evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n", status, words[word_of(status)].reason);
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		(void)evbuffer_add_printf(out, "%s: %s\r\n", always[i].name, always[i].value);
	(void)evbuffer_add_printf(out, "Content-Security-Policy: %s\r\nContent-Type: %s\r\n",
				  c->door->http->shape->policy, type);
}

void http_reply(struct http_conn *c, const struct http_answer *a)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	put_head(c, a->status, a->type);
	for (size_t i = 0; i < a->n_fields; i++)
		(void)evbuffer_add_printf(out, "%s: %s\r\n", a->fields[i].name, a->fields[i].value);
	(void)evbuffer_add_printf(out, "Content-Length: %zu\r\n\r\n", a->bytes);
	if (c->request.head.method != HTTP_HEAD)
		(void)evbuffer_add(out, a->body, a->bytes);
	conn_finish(c);
}

void http_refuse(struct http_conn *c, int status)
{
	static const struct http_field allow[] = {{"Allow", "GET, HEAD"}};
	const char *sentence = words[word_of(status)].sentence;
	const struct http_answer a = {.status = status,
				      .type = "text/plain; charset=utf-8",
				      .fields = allow,
				      .n_fields = status == 405,
				      .body = sentence,
				      .bytes = strlen(sentence)};
	const http_gone_fn gone = c->gone;
	void *arg = c->gone_arg;

	http_reply(c, &a);
	if (gone)
		gone(arg);
}

/* ---- streams ----------------------------------------------------------------------------------- */

void http_stream(struct http_conn *c, const char *type)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	const struct timeval stalled = {.tv_sec = LIMIT_STALL_SECONDS};

	put_head(c, 200, type);
	(void)evbuffer_add(out, "\r\n", 2);
	if (c->request.head.method == HTTP_HEAD) {
		conn_finish(c);
		return;
	}
	c->state = CONN_STREAMS;
	(void)event_del(c->deadline);
	(void)bufferevent_set_timeouts(c->bev, NULL, &stalled);
}

bool http_stream_send(struct http_conn *c, const char *data, size_t n)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (evbuffer_get_length(out) >= LIMIT_STREAM_BYTES)
		return false;
	return evbuffer_add(out, data, n) == 0;
}

void http_stream_end(struct http_conn *c)
{
	conn_finish(c);
}
