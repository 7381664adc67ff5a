# rtcc: real-time collaboration center. `make run` serves a demonstration, `make test` tests everything.
# Out of tree: O=dir. Compiler: CC=clang. A second instance: make run PORT=8081 RUN=dir.

O       ?= build
PORT    ?= 8080
RUN     ?= run
WEB     ?= nginx
PREFIX  ?= /usr

# Everything that is installed from Debian 12, in one place. Node.js (18 or newer) and npm are added where they are missing.
DEB_BUILD = gcc libc6-dev make pkg-config libfcgi-dev libxml2-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev libcrypt-dev
DEB_RUN   = nginx spawn-fcgi multiwatch curl openssl tzdata
DEB_APACHE = apache2-bin libapache2-mod-fcgid media-types # binary and modules: nothing is started on port 80
DEB_BENCH = ejabberd fossil prosody # beside which ours is measured, and what make test does not need: tests/bench/README.md
DEB_TEST  = mandoc systemd systemd-container clang clang-format-14 libclang-rt-14-dev lld llvm-14 libcmocka-dev valgrind strace \
            sqlite3 chromium chromium-headless-shell w3m lynx slowhttptest wrk libnginx-mod-nchan iproute2 perl
DEB_STOCK = apache2 apache2-bin apache2-data apache2-utils # kept as packages, installed only on a test's own machine

PACKAGES = libxml-2.0 sqlite3 libcurl libcrypto

Q        = $(if $(V),,@) # make V=1 shows the commands
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Werror
HARDEN   = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE \
           -ftrivial-auto-var-init=zero -fno-strict-overflow -fno-delete-null-pointer-checks
ifneq (,$(findstring clang,$(CC)))
HARDEN += -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang # clang 14 has it only together with this
endif
HARDENLD = -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ifdef SANITIZE
HARDEN   = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDENLD = -fsanitize=$(SANITIZE) -fuse-ld=lld -Wl,--as-needed # lld: a hundred links, each in half the time
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(HARDEN) $(CFLAGS) $(WARN) -Ilib -I$(O) $(shell pkg-config --cflags $(PACKAGES)) $(EXTRA)
LIBS     = -lfcgi $(shell pkg-config --libs $(PACKAGES)) -lcrypt

programs = $(patsubst cgi-bin/%.c,%,$(wildcard cgi-bin/*.c))
LAYERS   = base io model page
objects  = $(patsubst lib/%.c,$(O)/lib/%.o,$(wildcard $(LAYERS:%=lib/%/*.c))) $(O)/sql.o
units    = $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/test_*.c))

all: $(programs:%=$(O)/cgi-bin/%) $(O)/sbin/rtcc

# libfcgi before 2.4.5 writes past its memory (CVE-2025-23016): nothing is built with it. Of the older ones only Debian 12's own
# is mended, since +deb12u1; a later revision of the same version, there or elsewhere, is not.
# FCGI_VERSION: what to look at where there is no dpkg (pkg-config's version; a distribution may have mended an older one).
FCGI_VERSION ?= $(shell dpkg-query -W -f '$${Version}' libfcgi-dev 2>/dev/null || pkg-config --modversion fcgi)
$(O)/libfcgi-is-mended: Makefile
	@mkdir -p $(@D)
	@version='$(FCGI_VERSION)'; version=$${version#*:}; \
	is_least() { if command -v dpkg >/dev/null; then dpkg --compare-versions "$$version" ge "$$1"; \
	    else [ "$$(printf '%s\n' "$$1" "$$version" | sort -V | head -n 1)" = "$$1" ]; fi; }; \
	case $$version in \
	2.4.2-2+deb12u[1-9]*) ;; \
	[0-9]*) is_least 2.4.5 ;; \
	*) false ;; \
	esac || { echo "libfcgi '$$version' has a hole (CVE-2025-23016); 2.4.5 is needed, or 2.4.2-2+deb12u1 of Debian 12" >&2; \
	    exit 1; }
	@touch $@

# ── the library ──
$(O)/librtcc.a: $(objects)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/lib/%.o: lib/%.c $(O)/sql.h $(O)/libfcgi-is-mended
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# ── sql/ becomes typed calls; a wrong statement stops the build ──
$(O)/sql-gen: $(wildcard sql/gen/*.c) sql/gen/gen.h
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(filter %.c,$^) -o $@ -lsqlite3

$(O)/sql.c: $(O)/sql-gen $(wildcard sql/*.sql sql/*/*.sql)
	$(O)/sql-gen sql $(O)

$(O)/sql.h: $(O)/sql.c ;

$(O)/sql.o: $(O)/sql.c $(O)/libfcgi-is-mended
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -MMD -MP -c $< -o $@

# ── programs ──
$(O)/cgi-bin/%: cgi-bin/%.c $(O)/librtcc.a
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $< $(O)/librtcc.a -o $@ $(HARDENLD) $(LIBS)

$(O)/sbin/rtcc: sbin/rtcc.c $(wildcard sbin/rtcc/*.[ch]) $(O)/librtcc.a
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c,$^) $(O)/librtcc.a -o $@ $(HARDENLD) $(LIBS)

$(O)/unit/%: tests/unit/%.c $(O)/librtcc.a
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit -MMD -MP -MF $@.d $< $(O)/librtcc.a -o $@ $(HARDENLD) $(LIBS) -lcmocka

# The fuzz targets, under sanitizers (their own folder, with clang), and all that measures how much of the parsers is reached:
# without the model, which no parser knows.
$(O)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(O)/librtcc.a
	@echo '  $@'
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/fuzz $< $(O)/librtcc.a -o $@ -fsanitize=fuzzer $(HARDENLD) $(LIBS)

fuzzers: $(patsubst tests/fuzz/%.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))

fuzzers-built:
	@$(MAKE) --no-print-directory O='$(O)/fuzz' CC=clang SANITIZE=fuzzer-no-link,address,undefined LAYERS='base io page' fuzzers

# Without asserts, which nothing that is right can reach the other side of; a child of a test ends so that its counts are written.
parsers = form head multipart value text xml fcgi settings template
coverage-built:
	@$(MAKE) --no-print-directory O='$(O)/coverage' CC=clang CFLAGS='-O1 -g' LAYERS='base io page' \
	    EXTRA='-fprofile-instr-generate -fcoverage-mapping -DNDEBUG -D_exit=exit -Wno-error' \
	    $(parsers:%='$(O)/coverage/unit/test_%') fuzzers

units-built: $(units)

units: $(units)
	@for t in $(units); do $$t || exit 1; done

# ── one command each ──
# A whole instance on 127.0.0.1:PORT with its state in RUN, until Ctrl-C. WEB is nginx, or apache,
# fcgid, cgid, the three ways of Apache; TLS=8443 is https on that port, too. RTCC_DEMO_PASSWORD sets the agents' password.
run: deps-run
	@$(MAKE) --no-print-directory all
	@exec sbin/serve -b '$(O)' -p '$(PORT)' -r '$(RUN)' -w '$(WEB)' $(if $(TLS),-t '$(TLS)')

# Everything; parts: tests/run gcc web …
test: deps-test
	@O='$(O)' tests/run

# The long form of tests/fault: 1,000 kills among 10,000 customers for each of three seeds, and more of all else (its README has a
# table). Takes an hour and a half or so. And half an hour under load, in which no program may grow.
soak: deps-test all
	@SOAK_S=$${SOAK_S:-2400} RTCC_BUILD='$(O)' node --test-reporter=spec tests/people/soak.test.js
	@for file in tests/fault/*.test.js; do FAULT_SOAK=1 RTCC_BUILD='$(O)' node --test-reporter=spec $$file || exit 1; done

# The README's pictures, anew.
pictures: deps-test all
	@RTCC_BUILD='$(O)' node tests/browser/pictures.js

# The rules of the house: who includes whom, sizes, banned calls, pages of the manual; each with a test that it is held.
lint: deps-test
	@tests/lint/lint

# What it costs, beside what others would have: one table (tests/bench/README.md).
bench: deps-test all $(O)/bench/null $(O)/bench/load
	$(call install,$(DEB_BENCH))
	@RTCC_BUILD='$(O)' node tests/bench/bench.js

$(O)/bench/null: tests/bench/null.c $(O)/librtcc.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $< $(O)/librtcc.a -o $@ $(HARDENLD) $(LIBS)

$(O)/bench/load: $(wildcard tests/bench/load/*.c) tests/bench/load/load.h tests/bench/load/http.h
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(filter %.c,$^) -o $@

asan:
	@$(MAKE) --no-print-directory O='$(O)/asan' CC=clang SANITIZE=address,undefined all units

# Each parser for T seconds, before a release; what is found is in $(O)/fuzz/found.
fuzz: deps-test
	@$(MAKE) --no-print-directory fuzzers-built
	@tests/fuzz/run -f -t '$(or $(T),3600)' -b '$(O)'

format:
	clang-format-14 -i $(wildcard cgi-bin/*.c sbin/*.c sbin/*/*.[ch] sql/*/*.[ch] lib/*/*.[ch] tests/*/*.[ch])

# ── what has to be installed ──
# Asks dpkg first, so that nothing is fetched and nobody is asked for a password when all is there.
define install
@missing=$$(for p in $(1); do dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || \
    printf '%s ' $$p; done); \
[ -z "$$missing" ] || { echo "installing: $$missing"; root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
$$root apt-get update -qq && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; }
endef

deps-run:
	$(call install,$(DEB_BUILD) $(DEB_RUN) $(if $(filter-out nginx,$(WEB)),$(DEB_APACHE)))

deps-test: deps-run
	$(call install,$(DEB_TEST) $(DEB_APACHE) \
	    $$(node -e 'process.exit(parseInt(process.versions.node) < 18)' 2>/dev/null || echo nodejs) \
	    $$(npm --version >/dev/null 2>&1 || echo npm))
	@$(MAKE) -s --no-print-directory tests/node_modules/.package-lock.json tests/web/stock/debs/all

tests/node_modules/.package-lock.json: tests/package-lock.json
	cd tests && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

fetch = apt-get download -qq -o APT::Sandbox::User=root $(DEB_STOCK)
tests/web/stock/debs/all:
	@mkdir -p $(@D)
	cd $(@D) && { $(fetch) || { $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get update -qq && $(fetch); }; }
	@touch $@

# ── where Debian's administrators expect it ──
# DESTDIR for packagers. Settings that are there already are kept; uninstall leaves them and the database to the administrator.
cgidir  = $(DESTDIR)$(PREFIX)/lib/cgi-bin/rtcc
share   = $(DESTDIR)$(PREFIX)/share/rtcc
mandir  = $(DESTDIR)$(PREFIX)/share/man
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
manuals = $(wildcard cgi-bin/*.[1-8] sbin/*.[1-8] conf/*.[1-8])
pools   = form_submit file_put file_get agent_sign

# The files name Debian's places; the programs look for their pages in /usr/share unless rtcc.conf says otherwise.
moved   = -e 's,/usr/\(lib/cgi-bin\|share\|sbin\)/rtcc,$(PREFIX)/\1/rtcc,g' \
    $(if $(filter /usr,$(PREFIX)),,-e 's,^\#pages_dir,pages_dir,')

install: all
	install -d $(cgidir) $(share) $(unitdir) $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)/etc/rtcc
	install -m 755 $(programs:%=$(O)/cgi-bin/%) $(cgidir)
	install -m 755 $(O)/sbin/rtcc $(DESTDIR)$(PREFIX)/sbin/rtcc
	cp -RL htdocs conf $(share)/
	rm -f $(share)/conf/*.[1-8]
	sed -i $(moved) $(share)/conf/rtcc.conf $(share)/conf/*/*
	chmod -R u=rwX,go=rX $(share)
	[ -e $(DESTDIR)/etc/rtcc/rtcc.conf ] || install -m 644 $(share)/conf/rtcc.conf $(DESTDIR)/etc/rtcc/rtcc.conf
	for page in $(manuals); do install -D -m 644 $$page $(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	install -m 644 $(share)/conf/systemd/rtcc* $(unitdir)
	for name in $(pools); do install -d $(unitdir)/rtcc@$$name.service.d; \
	    sed "$$([ $$name != form_submit ] || echo 's|-f 4|-f 8|')" $(share)/conf/systemd/pool.conf \
	        >$(unitdir)/rtcc@$$name.service.d/pool.conf || exit 1; done

uninstall:
	rm -rf $(cgidir) $(share) $(pools:%=$(unitdir)/rtcc@%.service.d)
	rm -f $(DESTDIR)$(PREFIX)/sbin/rtcc $(patsubst conf/systemd/%,$(unitdir)/%,$(wildcard conf/systemd/rtcc*))
	for page in $(manuals); do rm -f $(mandir)/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf $(O)

-include $(wildcard $(O)/*.d $(O)/*/*.d $(O)/*/*/*.d)

.PHONY: install uninstall pictures all units units-built fuzz fuzzers fuzzers-built coverage-built run test soak bench asan \
        format deps-run deps-test clean
.SECONDARY:
