# printgate: one non-recursive Makefile. `make`, `make check`, `make install`; see CONTRIBUTING.md.
# CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX, DESTDIR and B (the build folder) are the builder's.

CC	?= cc
B	?= build
PREFIX	?= /usr
DESTDIR	?=
LIBDIR	= $(PREFIX)/lib/printgate
CFLAGS	?= -O2 -g
PKG_CONFIG ?= pkg-config
Q	= @

# What we insist on, apart from the builder's CFLAGS.
WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	  -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough
HARDEN	?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
SAN	?=
STD	= -std=gnu11 -D_GNU_SOURCE -I.

# ---- the programs: sources and libraries -------------------------------------------------------
# A source of common/ is linked only where a program uses it (static archive). Sorted: the order in which
# files are found depends on language and file system, and with it the bits of the programs.

COMMON_SRC	= $(sort $(wildcard common/*.c))
DB_SRC		= $(sort $(wildcard db/*.c))
PRIV_SRC	= $(sort $(wildcard daemon/priv/*.c))
CORE_SRC	= $(sort $(wildcard daemon/core/*.c))
WEB_SRC		= $(sort $(wildcard web/*.c))
TLS_SRC		= $(sort $(wildcard tls/*.c))
CLI_SRC		= $(sort $(wildcard cli/*.c))

PRIV_PKG	= libnl-3.0 libnl-genl-3.0 libnl-route-3.0 libmnl libnftnl inih libcap libsodium
CORE_PKG	= sqlite3 libsodium libevent_core
WEB_PKG		= libevent_core libseccomp
TLS_PKG		= libevent_core libevent_openssl libssl libcrypto libseccomp
CLI_PKG		= libqrencode libpng jansson libsodium inih libseccomp
CORE_LIBS	= -lunistring
UNIT_PKG	= $(PRIV_PKG) $(CORE_PKG) $(WEB_PKG) $(CLI_PKG) cmocka

cflags_of	= $(shell $(PKG_CONFIG) --cflags $(1))
libs_of		= $(shell $(PKG_CONFIG) --libs $(1))

PROGRAMS	= $(B)/printgated $(B)/printgate-core $(B)/printgate-web $(B)/printgate-tls \
		  $(B)/printgate

all: $(PROGRAMS)

obj	= $(patsubst %.c,$(B)/%.o,$(1))
ALL_SRC	= $(COMMON_SRC) $(DB_SRC) $(PRIV_SRC) $(CORE_SRC) $(WEB_SRC) $(TLS_SRC) $(CLI_SRC) \
	  $(UNIT_SRC) \
	  $(NETNS_SRC) $(FUZZ_SRC) $(CRASH_SRC) $(BENCH_SRC)

ALL_PKG	= $(sort $(PRIV_PKG) $(CORE_PKG) $(WEB_PKG) $(TLS_PKG) $(CLI_PKG))
NEEDS	= The compiler $(CC), pkg-config or a library is missing: sudo packaging/deps.sh build \
	  installs them from Debian.

# Flags stamp: a change of compiler or flags rebuilds everything.
FLAGS	= $(CC) $(STD) $(WARN) $(HARDEN) $(SAN) $(CPPFLAGS) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS) \
	  $(LIBDIR)
$(B)/flags: FORCE
	@command -v $(firstword $(CC)) >/dev/null && $(PKG_CONFIG) --exists $(ALL_PKG) 2>/dev/null || \
		{ echo '$(NEEDS)' >&2; exit 1; }
	@mkdir -p $(B)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
FORCE:

# By folder; `make lint` needs the same as the compiler.
$(B)/daemon/priv/%:	PKGCFLAGS = $(call cflags_of,$(PRIV_PKG)) -DPRINTGATE_LIBDIR='"$(LIBDIR)"'
$(B)/daemon/core/% $(B)/db/%: PKGCFLAGS = $(call cflags_of,$(CORE_PKG))
$(B)/web/%:		PKGCFLAGS = $(call cflags_of,$(WEB_PKG)) -I$(B)/web
$(B)/tls/%:		PKGCFLAGS = $(call cflags_of,$(TLS_PKG))
$(B)/cli/%:		PKGCFLAGS = $(call cflags_of,$(CLI_PKG)) -DPRINTGATE_SBINDIR='"$(PREFIX)/sbin"'
$(B)/common/%:		PKGCFLAGS = $(call cflags_of,libsodium libseccomp)
$(B)/tests/netns/%:	PKGCFLAGS = $(call cflags_of,$(PRIV_PKG))
$(B)/tests/bench/%:	PKGCFLAGS = $(call cflags_of,$(CORE_PKG) $(CLI_PKG))
$(B)/tests/unit/%:	PKGCFLAGS = $(call cflags_of,$(UNIT_PKG))

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(STD) $(WARN) $(HARDEN) $(SAN) $(PKGCFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The page's stylesheet and script, as C, with their hashes.
WEB_ASSETS = $(B)/web/web_assets.h
$(WEB_ASSETS): web/assets.sh web/page.css web/page.js
	@mkdir -p $(@D)
	$(Q)sh web/assets.sh web/page.css web/page.js >$@.new && mv $@.new $@
$(B)/web/page.o: $(WEB_ASSETS)

$(B)/common.a: $(call obj,$(COMMON_SRC))
$(B)/db.a: $(call obj,$(DB_SRC))
# Programs without their main, for unit tests.
$(B)/priv.a: $(filter-out %/main.o,$(call obj,$(PRIV_SRC)))
$(B)/core.a: $(filter-out %/main.o,$(call obj,$(CORE_SRC)))
$(B)/cli.a: $(filter-out %/main.o,$(call obj,$(CLI_SRC)))
$(B)/web.a: $(filter-out %/main.o,$(call obj,$(WEB_SRC)))
$(B)/%.a:
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

LINK	= @echo "  LINK    $@"; $(CC) $(HARDEN_LD) $(SAN) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -o $@

$(B)/printgated: $(B)/daemon/priv/main.o $(B)/priv.a $(B)/common.a
	$(LINK) $^ $(call libs_of,$(PRIV_PKG))
$(B)/printgate-core: $(B)/daemon/core/main.o $(B)/core.a $(B)/db.a $(B)/common.a
	$(LINK) $^ $(call libs_of,$(CORE_PKG)) $(CORE_LIBS)
$(B)/printgate-web: $(B)/web/main.o $(B)/web.a $(B)/common.a
	$(LINK) $^ $(call libs_of,$(WEB_PKG))
$(B)/printgate-tls: $(call obj,$(TLS_SRC)) $(B)/common.a
	$(LINK) $^ $(call libs_of,$(TLS_PKG))
$(B)/printgate: $(B)/cli/main.o $(B)/cli.a $(B)/common.a
	$(LINK) $^ $(call libs_of,$(CLI_PKG))

# ---- unit tests: tests/unit/test_X.c is one program --------------------------------------------

UNIT_SRC	= $(wildcard tests/unit/test_*.c)
UNIT_BIN	= $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/priv.a $(B)/core.a $(B)/cli.a $(B)/web.a $(B)/db.a $(B)/common.a
	@mkdir -p $(@D)
	$(LINK) $^ $(call libs_of,$(UNIT_PKG)) $(CORE_LIBS)

unit: $(UNIT_BIN)
	$(Q)set -e; for t in $(UNIT_BIN); do echo "  UNIT    $$t"; $$t; done

# Programs that tests in network namespaces drive: tests/netns/X.c is one program.
NETNS_SRC	= $(wildcard tests/netns/*.c)
NETNS_BIN	= $(patsubst tests/netns/%.c,$(B)/netns/%,$(NETNS_SRC))

$(B)/netns/%: $(B)/tests/netns/%.o $(B)/priv.a $(B)/common.a
	@mkdir -p $(@D)
	$(LINK) $^ $(call libs_of,$(PRIV_PKG))

netns-programs: $(NETNS_BIN)

# What the benchmarks measure with: tests/bench/X.c is one program. They print figures and judge
# nothing: docs/performance.md tells how to read them.
BENCH_SRC	= $(wildcard tests/bench/*.c)
BENCH_BIN	= $(patsubst tests/bench/%.c,$(B)/bench/%,$(BENCH_SRC))

$(B)/bench/%: $(B)/tests/bench/%.o $(B)/cli.a $(B)/db.a $(B)/common.a
	@mkdir -p $(@D)
	$(LINK) $^ $(call libs_of,$(CORE_PKG) $(CLI_PKG)) $(CORE_LIBS)

bench-programs: all netns-programs $(BENCH_BIN)

# The store's writer killed, and failed by its disk, at every call that writes. In memory where there
# is a place: what counts is the order of the calls, not the disk.
CRASH_SRC	= tests/crash/crash_store.c
$(B)/tests/crash/%.o: PKGCFLAGS = $(call cflags_of,$(CORE_PKG))
$(B)/crash_store: $(B)/tests/crash/crash_store.o $(B)/db.a $(B)/common.a
	$(LINK) $^ $(call libs_of,$(CORE_PKG)) $(CORE_LIBS)

crash: $(B)/crash_store
	$(Q)set -e; d=$$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d); \
		trap 'rm -rf "$$d"' EXIT; $(B)/crash_store "$$d"

# All unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, in a build folder of their
# own. (_FORTIFY_SOURCE would hide overflows from ASan behind its own checks.)
ASAN	= -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
check-asan:
	$(Q)ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 \
		UBSAN_OPTIONS=print_stacktrace=1 \
		$(MAKE) --no-print-directory unit B=$(B)-asan SAN='$(ASAN)' HARDEN=-fPIE CFLAGS='-O1 -g'

# ---- fuzzing: tests/fuzz/fuzz_X.c is a driver, tests/fuzz/corpus/X its corpus ------------------------

FUZZ_SRC	= $(wildcard tests/fuzz/*.c)
FUZZ		= $(patsubst tests/fuzz/fuzz_%.c,%,$(filter tests/fuzz/fuzz_%,$(FUZZ_SRC)))
FUZZ_SECONDS	?= 60

$(B)/replay/%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/priv.a $(B)/cli.a $(B)/web.a $(B)/common.a
	@mkdir -p $(@D)
	$(LINK) $^ $(call libs_of,$(PRIV_PKG) $(CLI_PKG))
$(B)/libfuzzer/%: $(B)/tests/fuzz/fuzz_%.o $(B)/priv.a $(B)/cli.a $(B)/web.a $(B)/common.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer $^ $(call libs_of,$(PRIV_PKG) $(CLI_PKG))

# The corpora as ordinary tests, with the sanitizers (and the build folder) of check-asan.
fuzz-replay:
	$(Q)$(MAKE) --no-print-directory fuzz-replay-run B=$(B)-asan SAN='$(ASAN)' HARDEN=-fPIE \
		CFLAGS='-O1 -g'
fuzz-replay-run: $(FUZZ:%=$(B)/replay/%)
	$(Q)set -e; for f in $(FUZZ); do $(B)/replay/$$f tests/fuzz/corpus/$$f; done

# A seed of each message between the programs; after a message has changed.
fuzz-seeds: $(B)/unit/test_wire
	$(Q)$< --write-seeds

# Searching for new inputs; what is found lies in build-fuzz/found. Needs clang.
fuzz:
	$(Q)$(MAKE) --no-print-directory fuzz-run B=$(B)-fuzz CC=clang HARDEN=-fPIE CFLAGS='-O1 -g' \
		SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
fuzz-run: $(FUZZ:%=$(B)/libfuzzer/%)
	$(Q)set -e; for f in $(FUZZ); do mkdir -p $(B)/found/$$f; $(B)/libfuzzer/$$f -verbosity=0 \
		-print_final_stats=1 -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/found/$$f. \
		$(B)/found/$$f tests/fuzz/corpus/$$f; done

# ---- checks that read instead of run; each fails on the first finding ---------------------------

CLANG_FORMAT	?= clang-format
CLANG_TIDY	?= clang-tidy
ALL_HDR	= $(wildcard common/*.h db/*.h daemon/*/*.h web/*.h tls/*.h cli/*.h tests/unit/*.h tests/fuzz/*.h)
MAN	= $(sort $(wildcard cli/*.[158] daemon/*/*.[158] web/*.[158]))

check-static: check-layers check-compilers format-check lint

# No warning from either compiler.
check-compilers:
	$(Q)$(MAKE) --no-print-directory all B=$(B)-gcc CC=gcc CFLAGS='-O2 -Werror'
	$(Q)$(MAKE) --no-print-directory all B=$(B)-clang CC=clang CFLAGS='-O2 -Werror'

# Who may include whom, what each program links, and that the hardening is in the binaries.
check-layers: all
	$(Q)python3 tests/layers.py
	$(Q)python3 tests/elf.py $(B)

format-check:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(ALL_SRC) $(ALL_HDR)

format:
	$(CLANG_FORMAT) -i $(ALL_SRC) $(ALL_HDR)

lint: lint-tidy lint-cppcheck lint-sh lint-man

# A stamp per source, newer than its object: only what changed is analysed again.
lint-tidy: $(patsubst %.c,$(B)/%.tidy,$(ALL_SRC))
$(B)/%.tidy: %.c $(B)/%.o .clang-tidy
	@echo "  TIDY    $<"
	$(Q)$(CLANG_TIDY) --quiet $< -- $(STD) $(PKGCFLAGS) $(CPPFLAGS) 2>$@.log >$@.out || \
		{ cat $@.out $@.log; exit 1; }
	$(Q)touch $@

lint-cppcheck:
	@echo "  CPPCHECK"
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem \
		--suppress=invalidPrintfArgType_uint -D_GNU_SOURCE -I. \
		$(filter-out tests/%,$(ALL_SRC))

lint-sh:
	@echo "  SHELLCHECK"
	$(Q)sh tests/shellfiles.sh | xargs -r shellcheck

lint-man:
	@echo "  MANDOC"
	$(Q)test -n "$(MAN)"
	$(Q)mandoc -Tlint -Wwarning $(MAN)

# ---- the three targets for people: each installs from Debian what it needs first -----------------

PYTEST	= PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -p no:cacheprovider
PYTEST_FLAGS ?=
# Every processor at work, unless make was told how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
# What root has built in somebody's checkout is that person's. Not the chroots, where another make may
# just have /sys mounted.
HAND_OVER = for folder in $(B) $(B)-*; do [ ! -e $$folder ] || find $$folder -xdev \
		-path $(B)/chroot -prune -o -exec chown -h --reference=Makefile {} +; done

# The whole test suite, as root. The last line is pytest's own summary.
# (tests/kernel is for make check-kernel, tests/packaging for make check-deb, tests/image for make check-image.)
CHECKS	= unit crash check-asan fuzz-replay check-compilers check-static

check:
	$(Q)packaging/deps.sh build run test
	$(Q)trap '$(HAND_OVER)' EXIT; set -e; for step in all netns-programs $(CHECKS); do \
		$(MAKE) --no-print-directory $(JOBS) $$step; done
	$(Q)$(PYTEST) $(PYTEST_FLAGS) -n 2 --dist loadfile --ignore tests/kernel --ignore tests/packaging --ignore tests/image tests

# The tests in network namespaces once more, inside Debian's own kernel, with its WireGuard as gateway
# and as phone, in several guests at once (suite.py). Emulated, so no KVM is needed, and deadlines are
# PRINTGATE_SLOW times as long there. Never: test_make.py, which is about make itself and the terminal,
# and test_doctor_tools.py, long Python programs. Only with LONG=yes, a quarter of an hour more: what
# asks hundreds of questions a state, and what is not about WireGuard.
GUEST	= PRINTGATE_BACKEND=kernel PRINTGATE_SLOW=4 PRINTGATE_BUILD=$(abspath $(B)) B=$(abspath $(B)) \
	  PYTHONDONTWRITEBYTECODE=1
LONG	?=
GUEST_LONG = matrix matrix6 barriers doctor moving nft6_packets provision
GUEST_NOT = make doctor_tools $(if $(LONG),,$(GUEST_LONG))
GUEST_TESTS = $(filter-out $(GUEST_NOT:%=tests/netns/test_%.py),$(wildcard tests/netns/test_*.py)) \
	  tests/kernel/test_genl.py tests/kernel/test_clock.py
check-kernel:
	$(Q)packaging/deps.sh build run test kernel
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) all netns-programs
	$(Q)$(PYTEST) $(PYTEST_FLAGS) -n 2 tests/kernel/test_vm.py
	$(Q)trap '$(HAND_OVER)' EXIT; tests/kernel/suite.py --seconds $(if $(LONG),4500,2400) \
		--environment '$(GUEST)' $(GUEST_TESTS)

try:
	$(Q)packaging/deps.sh build run
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) all
	$(Q)exec packaging/try.sh $(B)

demo:
	$(Q)packaging/deps.sh build run test
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) all
	$(Q)/usr/bin/python3 tests/netns/demo.py

# build/screenshots/*.png: the page in both schemes, on a phone's and a desktop's screen.
screenshots:
	$(Q)packaging/deps.sh build run test
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) all netns-programs
	$(Q)$(PYTHON) tests/browser/screenshots.py

# Figures, not verdicts: docs/performance.md tells how to read them. BENCH names parts of the run.
BENCH	?=
PYTHON	= PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -u
bench bench-kernel:
	$(Q)packaging/deps.sh build run test $(BENCH_DEPS)
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) bench-programs
	$(Q)$(BENCH_RUN)
bench:		BENCH_RUN = $(PYTHON) tests/bench/native.py $(BENCH)
bench-kernel:	BENCH_DEPS = kernel
bench-kernel:	BENCH_RUN = $(PYTHON) tests/kernel/vm.py --seconds 3000 \
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -u tests/bench/kernel.py $(BENCH)

# ---- Debian packages: packaging/deb.sh says how they are built ------------------------------------

ARCH	= $(shell dpkg --print-architecture)
SUITE	= $(shell . /etc/os-release && echo $$VERSION_CODENAME)

deb:
	$(Q)packaging/deps.sh build deb
	$(Q)trap '$(HAND_OVER)' EXIT; packaging/deb.sh build $(B) $(SUITE) $(ARCH)

# The same bits with another folder, time, zone, language, umask, host name, kernel, order of files …
REPROTEST_VARY = aslr build_path domain_host environment exec_path fileordering home kernel locales \
	  num_cpus time timezone umask
deb-reproducible:
	$(Q)packaging/deps.sh build deb reprotest
	$(Q)trap '$(HAND_OVER)' EXIT; packaging/reproducible.sh $(B) $(SUITE) $(ARCH) '$(REPROTEST_VARY)'

# The packages installed, upgraded, removed and purged: in a chroot, and under systemd in a guest. Another suite's
# (SUITE=trixie) there only: what apt would bring is asked of this machine's.
DEB_TESTS = $(if $(filter $(SUITE),$(shell . /etc/os-release && echo $$VERSION_CODENAME)),tests/packaging,\
	  tests/packaging/test_chroot.py tests/packaging/test_guest.py)
check-deb:
	$(Q)packaging/deps.sh build run test kernel deb debtest release
	$(Q)trap '$(HAND_OVER)' EXIT; $(MAKE) --no-print-directory $(JOBS) all
	$(Q)trap '$(HAND_OVER)' EXIT; PRINTGATE_BUILD=$(abspath $(B)) PRINTGATE_SUITE=$(SUITE) \
		$(PYTEST) $(PYTEST_FLAGS) $(DEB_TESTS)

# All that is published, in build/release: docs/release.md.
RELEASE_SUITES	= bookworm trixie
RELEASE_ARCHS	= amd64 arm64 armhf
release:
	$(Q)packaging/deps.sh build deb release
	$(Q)trap '$(HAND_OVER)' EXIT; packaging/release.sh $(B) '$(RELEASE_SUITES)' '$(RELEASE_ARCHS)'

# An image of another architecture with the package, booted in QEMU: tests/image. ARCH="arm64 armhf" for both;
# the first time it downloads Debian, and all that is made is kept in build/image.
IMAGE_TESTS ?= tests/image
check-image: ARCH = arm64
check-image:
	$(Q)packaging/deps.sh build run test deb image
	$(Q)trap '$(HAND_OVER)' EXIT; set -e; $(MAKE) --no-print-directory $(JOBS) all netns-programs; \
		for arch in $(ARCH); do \
			deb=$$(packaging/deb.sh build $(B) bookworm $$arch); \
			PRINTGATE_BUILD=$(abspath $(B)) PRINTGATE_IMAGE=$$arch PRINTGATE_DEB=$$deb PRINTGATE_SLOW=3 \
				$(PYTEST) $(PYTEST_FLAGS) -n 2 --dist loadfile $(IMAGE_TESTS); done

# ---- installation --------------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(LIBDIR)
	install -m 755 $(B)/printgate $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(B)/printgated $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/printgate-core $(B)/printgate-web $(B)/printgate-tls \
		$(DESTDIR)$(LIBDIR)/
	set -e; for page in $(MAN); do \
		install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/printgate $(DESTDIR)$(PREFIX)/sbin/printgated
	rm -f $(DESTDIR)$(LIBDIR)/printgate-core $(DESTDIR)$(LIBDIR)/printgate-web \
		$(DESTDIR)$(LIBDIR)/printgate-tls
	set -e; for page in $(MAN); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	-rmdir $(DESTDIR)$(LIBDIR)

clean:
	rm -rf $(B) $(B)-asan $(B)-fuzz $(B)-gcc $(B)-clang

.PHONY: fuzz fuzz-run fuzz-seeds fuzz-replay fuzz-replay-run
.PHONY: deb deb-reproducible check-deb check-image release
.PHONY: check check-kernel try demo screenshots bench bench-kernel bench-programs
.PHONY: all unit crash netns-programs check-asan check-static check-layers check-compilers \
	format-check format lint lint-tidy \
	lint-cppcheck lint-sh lint-man install uninstall clean FORCE
.SECONDARY:
-include $(patsubst %.c,$(B)/%.d,$(ALL_SRC))
