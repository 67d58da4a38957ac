/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small UDP datagrams through a gateway and back, for the benchmarks: what one costs.
 *
 *	blast PHONE_NETNS PRINTER_NETNS FIRST_SOURCE DESTINATION PORT
 *
 * Then a line `COUNT FLOWS` on standard input, answered by `UP_NS DOWN_NS WALL_NS LOST`. Datagrams go
 * out in small batches, from FLOWS source addresses in turn, and each is answered to where it seemed to
 * come from, so every one is counted. Over veth the kernel does all the work of the way, up to the
 * receiving socket, in the sender's own system call: UP_NS and DOWN_NS are this thread's processor time
 * in those calls.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define BATCH	    32
#define BYTES	    18 /* a frame of 60 bytes, the shortest there is */
#define SLOTS	    64
#define BUFFER	    (4 << 20)
#define PATIENCE    200 /* ms, until a datagram is lost */
#define SOURCE_PORT 40000

struct blast {
	int phone, printer;
	uint32_t first;
	struct sockaddr_in to;
	struct sockaddr_in from[BATCH]; /* as the printer sees the senders of one batch */
	unsigned from_n;
	uint64_t up_ns, down_ns, lost;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int udp_in(const char *netns, uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int room = BUFFER;
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		die("socket");
	(void)close(ns);
	return fd;
}

/* From a source address of our choice: the phone has all of them. */
static void send_up(struct blast *b, uint32_t source)
{
	static char data[BYTES];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {.room = {0}};
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(source)};
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &b->to,
			   .msg_namelen = sizeof(b->to),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};

	control.header.cmsg_level = IPPROTO_IP;
	control.header.cmsg_type = IP_PKTINFO;
	control.header.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	if (sendmsg(b->phone, &m, 0) < 0)
		die("sendmsg");
}

static void send_down(const struct blast *b, const struct sockaddr_in *to)
{
	static const char data[BYTES];

	if (sendto(b->printer, data, sizeof(data), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("sendto");
}

/* Takes up to n datagrams; what does not come is lost. */
static unsigned receive(int fd, unsigned n, struct sockaddr_in *from)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char data[BYTES + 1];
	socklen_t len = sizeof(*from);
	unsigned got = 0;

	while (got < n) {
		if (recvfrom(fd, data, sizeof(data), 0,
			     (struct sockaddr *)(from ? from + got : NULL),
			     from ? &len : NULL) >= 0)
			got++;
		else if (errno != EAGAIN)
			die("recvfrom");
		else if (poll(&ready, 1, PATIENCE) < 1)
			break;
	}
	return got;
}

static void batch(struct blast *b, uint64_t number, unsigned flows)
{
	uint64_t t = now(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned i = 0; i < BATCH; i++)
		send_up(b, b->first + (uint32_t)((number * BATCH + i) % flows));
	b->up_ns += now(CLOCK_THREAD_CPUTIME_ID) - t;
	b->from_n = receive(b->printer, BATCH, b->from);
	b->lost += BATCH - b->from_n;
	t = now(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < b->from_n; i++)
		send_down(b, &b->from[i]);
	b->down_ns += now(CLOCK_THREAD_CPUTIME_ID) - t;
	b->lost += b->from_n - receive(b->phone, b->from_n, NULL);
}

static void run(struct blast *b, uint64_t count, unsigned flows)
{
	uint64_t t = now(CLOCK_MONOTONIC);

	b->up_ns = b->down_ns = b->lost = 0;
	for (uint64_t i = 0; i < count / BATCH; i++)
		batch(b, i, flows);
	(void)printf("%llu %llu %llu %llu\n", (unsigned long long)b->up_ns,
		     (unsigned long long)b->down_ns, (unsigned long long)(now(CLOCK_MONOTONIC) - t),
		     (unsigned long long)b->lost);
	(void)fflush(stdout);
}

/* On one processor, the last: migration costs caches. */
static void stay(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

int main(int argc, char **argv)
{
	static struct blast b;
	struct in_addr source;
	char line[SLOTS];
	unsigned flows;
	uint64_t count;
	char *end;

	if (argc != 6 || !inet_aton(argv[3], &source) || !inet_aton(argv[4], &b.to.sin_addr))
		die("usage: blast PHONE_NETNS PRINTER_NETNS FIRST_SOURCE DESTINATION PORT");
	b.to.sin_family = AF_INET;
	b.to.sin_port = htons((uint16_t)strtoul(argv[5], NULL, 10));
	b.first = ntohl(source.s_addr);
	b.phone = udp_in(argv[1], SOURCE_PORT);
	b.printer = udp_in(argv[2], ntohs(b.to.sin_port));
	stay();
	while (fgets(line, sizeof(line), stdin)) {
		count = strtoull(line, &end, 10);
		flows = (unsigned)strtoul(end, NULL, 10);
		run(&b, count, flows ? flows : 1);
	}
	return 0;
}
