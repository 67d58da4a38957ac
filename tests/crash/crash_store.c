/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store promises when things end badly. A writer process does a fixed series of
 * transactions and reports each outcome through a pipe; it is killed, or the disk fails it, at every
 * single call that writes; then the store is opened again:
 *   - it opens, and nothing in it is half done;
 *   - what was acknowledged is there;
 *   - what was refused is not there, though the process was killed right after.
 * The calls are this program's own pwrite64, fdatasync and ftruncate64: SQLite's references to them
 * resolve to the executable first. (What a power cut does is not shown here; db/store.c has the
 * figures for the choice of WAL and FULL.)
 *
 * Usage: crash_store FOLDER. `make crash` runs it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/store.h"

/* ---- the disk ------------------------------------------------------------------------------- */

enum call { CALL_WRITE = 1, CALL_SYNC = 2, CALL_TRUNCATE = 4 };

static struct fault {
	unsigned calls; /* enum call: which ones are counted */
	long at;	/* the how manieth is hit; 0: none */
	int error;	/* errno to fail with; 0: die */
	bool for_good;	/* all later ones as well */
	bool torn;	/* half of a write gets through */
	long seen;
} fault;

static bool hit(enum call call)
{
	if (!(fault.calls & call) || fault.at == 0)
		return false;
	fault.seen++;
	return fault.seen == fault.at || (fault.for_good && fault.seen > fault.at);
}

static int suffer(void)
{
	if (!fault.error)
		(void)kill(getpid(), SIGKILL);
	errno = fault.error;
	return -1;
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off64_t);

	*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	if (!hit(CALL_WRITE))
		return real(fd, buf, n, offset);
	if (fault.torn)
		(void)real(fd, buf, n / 2, offset);
	return suffer();
}

int fdatasync(int fildes)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	return hit(CALL_SYNC) ? suffer() : real(fildes);
}

int ftruncate64(int fd, off64_t length)
{
	int (*real)(int, off64_t);

	*(void **)&real = dlsym(RTLD_NEXT, "ftruncate64");
	return hit(CALL_TRUNCATE) ? suffer() : real(fd, length);
}

/* ---- the writer ----------------------------------------------------------------------------- */

#define OPS_MAX 4096
#define SERIES	4 /* transactions, two of which empty the WAL */

struct outcome {
	int op; /* OP_OPEN, or the number of a transaction */
	int err;
	char text[DIAG_TEXT_BYTES];
};

#define OP_OPEN (-1)

static struct name op_name(const char *what, int op)
{
	struct name n = {{0}};

	(void)snprintf(n.s, sizeof(n.s), "%s %d", what, op);
	return n;
}

/* Even transactions enrol a phone, with a config and a printer of its own, and set the page's
 * password; odd ones revoke the phone of the one before. Each leaves a mark, so that half of it can be told from all of it. */
static int op_enroll(struct store *s, int op, struct diag *d)
{
	struct store_peer p = {.name = op_name("peer", op), .address = 0x0a4d1400u + (unsigned)op};
	struct store_printer r = {.name = op_name("printer", op),
				  .address = {0xc0a80101, 32},
				  .vpn = {0x0a000000u + (unsigned)op, 32},
				  .services = {1, {{6, 80, 80}}}};
	uint8_t sealed[400];

	memset(sealed, op & 0xff, sizeof(sealed));
	memcpy(p.public_key.b, &op, sizeof(op));
	memset(p.preshared.b, 0x77, sizeof(p.preshared.b));
	int err = store_page_password(s, op_name("hash", op).s, d);

	if (!err)
		err = store_peer_insert(s, &p, d);
	if (!err)
		err = store_printer_insert(s, &r, d);
	if (!err)
		err = store_grant_put(s, p.id, r.id, 0, 1, d);
	return err ? err : store_sealed_put(s, p.id, sealed, sizeof(sealed), 1, d);
}

static int op_revoke(struct store *s, int op, struct diag *d)
{
	struct name name = op_name("peer", op - 1);
	struct store_peer p;
	int err = store_peer_by_name(s, &name, &p, d);

	/* Its enrolment was refused: then there is nothing to revoke. */
	return err ? (err == ERR_NOT_FOUND ? 0 : err) : store_peer_revoke(s, p.id, 2, d);
}

static int op_run(struct store *s, int op, struct diag *d)
{
	int err = store_begin(s, d);

	if (err)
		return err;
	err = store_meta_set(s, op_name("op", op).s, "done", d);
	if (!err)
		err = op % 2 ? op_revoke(s, op, d) : op_enroll(s, op, d);
	if (!err)
		return store_commit(s, d);
	store_rollback(s);
	return err;
}

static void report(int fd, int op, int err, const struct diag *d)
{
	struct outcome o = {.op = op, .err = err};

	(void)snprintf(o.text, sizeof(o.text), "%s", err ? d->text : "");
	if (write(fd, &o, sizeof(o)) != sizeof(o))
		_exit(2);
}

/* Never closes the store: it ends as if killed. */
static void writer(const char *path, int fd, int first, int count)
{
	struct diag d = {0};
	struct store *s = NULL;
	int err = store_open(&s, path, &d);

	report(fd, OP_OPEN, err, &d);
	for (int op = first; op < first + count && !err; op++)
		report(fd, op, op_run(s, op, &d), &d);
	/* Tells the runner that the fault was never reached. */
	if (fault.at == 0 || fault.seen >= fault.at)
		(void)kill(getpid(), SIGKILL);
	_exit(0);
}

/* ---- the runner ----------------------------------------------------------------------------- */

enum fate { UNKNOWN, DONE, REFUSED };

static struct run {
	enum fate fate[OPS_MAX];
	int known; /* transactions begun so far */
	long acknowledged, refused;
} now;

static void die(const char *what, const char *detail)
{
	(void)fprintf(stderr, "crash_store: %s: %s\n", what, detail);
	exit(1);
}

static bool marked(struct store *s, int op)
{
	char value[8];
	struct diag d;
	int err = store_meta_get(s, op_name("op", op).s, value, sizeof(value), &d);

	if (err && err != ERR_NOT_FOUND)
		die("reading", d.text);
	return !err;
}

static int count_grant(void *arg, const struct store_grant *g)
{
	(void)g;
	++*(int *)arg;
	return 0;
}

/* An enrolment is there with all its parts or with none, a revocation too. */
static void check_whole(struct store *s, int op)
{
	struct name peer = op_name("peer", op), printer = op_name("printer", op);
	bool enrolled = marked(s, op), revoked = marked(s, op + 1);
	struct store_printer r;
	struct store_peer p;
	struct diag d;
	uint8_t sealed[STORE_SEALED_MAX];
	int64_t created;
	size_t n;
	int grants = 0;
	bool has_peer = store_peer_by_name(s, &peer, &p, &d) == 0;
	bool has_printer = store_printer_by_name(s, &printer, &r, &d) == 0;

	if (has_peer != (enrolled && !revoked) || has_printer != enrolled)
		die("half done", peer.s);
	if (has_printer && store_grant_each_of_printer(s, r.id, count_grant, &grants, &d))
		die("reading", d.text);
	if (grants != has_peer)
		die("a grant too many or too few", peer.s);
	if (has_peer && store_sealed_get(s, p.id, sealed, &n, &created, &d))
		die("config lost", d.text);
}

/* The password is the last enrolment's. */
static void check_page(struct store *s)
{
	struct name last = {{0}};
	struct store_page page;
	struct diag d;

	for (int op = 0; op < now.known; op += 2)
		if (now.fate[op] == DONE)
			last = op_name("hash", op);
	if (store_page_get(s, &page, &d))
		die("reading", d.text);
	if (strcmp(page.password, last.s) != 0)
		die("another password than the last", page.password);
}

static void check(const char *path)
{
	struct store *s = NULL;
	struct diag d;

	if (store_open(&s, path, &d))
		die("the store does not open again", d.text);
	for (int op = 0; op < now.known; op++) {
		bool there = marked(s, op);

		if (now.fate[op] == DONE && !there)
			die("an acknowledged commit is lost", op_name("op", op).s);
		if (now.fate[op] == REFUSED && there)
			die("a refused commit came back", op_name("op", op).s);
		/* Settled: from now on it has to stay as it is. */
		now.fate[op] = there ? DONE : REFUSED;
	}
	for (int op = 0; op < now.known; op += 2)
		check_whole(s, op);
	check_page(s);
	store_free(s);
}

static void take(const struct outcome *o)
{
	if (o->err && o->err != ERR_STORE)
		die("an error of the disk has another code", o->text);
	if (o->err && !strstr(o->text, "printgate.db"))
		die("a sentence does not name the file", o->text);
	if (o->op == OP_OPEN)
		return;
	now.fate[o->op] = o->err ? REFUSED : DONE;
	now.acknowledged += !o->err;
	now.refused += o->err != 0;
}

/* Runs the writer for `count` transactions; kills it after `usec` (0: it ends by itself). Returns
 * whether it met its end on the way. */
static bool run_writer(const char *path, int count, unsigned usec)
{
	struct outcome o;
	int pipes[2], status;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		die("pipe", strerror(errno));
	pid_t pid = fork();

	if (pid < 0)
		die("fork", strerror(errno));
	if (pid == 0)
		writer(path, pipes[1], now.known, count);
	(void)close(pipes[1]);
	if (usec) {
		(void)usleep(usec);
		(void)kill(pid, SIGKILL);
	}
	while (read(pipes[0], &o, sizeof(o)) == sizeof(o))
		take(&o);
	(void)close(pipes[0]);
	now.known += count;
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid", strerror(errno));
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
		die("writer", "ended badly");
	return WIFSIGNALED(status) != 0;
}

static void empty_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	if (!dir)
		die(folder, strerror(errno));
	while ((e = readdir(dir)))
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	(void)closedir(dir);
	memset(&now, 0, sizeof(now));
}

/* The fault at the first call that counts, at the second, and so on through the whole series. */
static void at_every_call(const char *folder, const char *path, const char *title, struct fault f)
{
	long acknowledged = 0, refused = 0;

	for (f.at = 1;; f.at++) {
		empty_folder(folder);
		fault = f;
		bool met = run_writer(path, SERIES, 0);

		fault = (struct fault){0};
		check(path);
		acknowledged += now.acknowledged;
		refused += now.refused;
		if (!met)
			break;
	}
	if (f.at < 2L * SERIES || (f.error && refused == 0))
		die(title, "the fault was never met");
	(void)printf("crash: %s: %ld points, %ld commits acknowledged and kept, "
		     "%ld refused and gone\n",
		     title, f.at - 1, acknowledged, refused);
}

/* One store, killed again and again at moments that nobody chose. */
static void at_random(const char *folder, const char *path, int rounds)
{
	unsigned seed = (unsigned)time(NULL);

	empty_folder(folder);
	for (int i = 0; i < rounds; i++) {
		(void)run_writer(path, OPS_MAX / rounds & ~1,
				 1000 + (unsigned)rand_r(&seed) % 40000);
		check(path);
	}
	if (now.acknowledged < rounds)
		die("at random", "hardly a commit was acknowledged");
	(void)printf("crash: killed at random: %d times, %ld commits acknowledged and kept\n",
		     rounds, now.acknowledged);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *title;
		struct fault fault;
	} rows[] = {
		{"killed at every call", {.calls = CALL_WRITE | CALL_SYNC | CALL_TRUNCATE}},
		{"killed within a write", {.calls = CALL_WRITE, .torn = true}},
		{"a sync fails", {.calls = CALL_SYNC, .error = EIO}},
		{"syncs fail for good", {.calls = CALL_SYNC, .error = EIO, .for_good = true}},
		{"a write fails", {.calls = CALL_WRITE, .error = EIO, .torn = true}},
		{"the disk is full", {.calls = CALL_WRITE, .error = ENOSPC, .for_good = true}},
	};
	char path[256];

	if (argc != 2)
		die("usage", "crash_store FOLDER");
	(void)snprintf(path, sizeof(path), "%s/printgate.db", argv[1]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		at_every_call(argv[1], path, rows[i].title, rows[i].fault);
	at_random(argv[1], path, 25);
	empty_folder(argv[1]);
	return 0;
}
