# rs-tools: make deps demo, make deps check; README.md says the rest.

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
SHAREDIR = $(PREFIX)/share
MANDIR = $(SHAREDIR)/man
BUILD = build
DATA = data

CC = gcc
# -ffp-contract=off: gcc and clang, C and GNU dialects, would otherwise round differently
CFLAGS = -O3 -g
HARDENING = -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security \
  $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wdouble-promotion $(WERROR)
ALL_CPPFLAGS = -D_GNU_SOURCE -Ilib $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -fPIE -ffp-contract=off '-ffile-prefix-map=$(CURDIR)=.' $(WARNINGS) $(HARDENING) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS) $(SANITIZE)

# Asked when a recipe runs, not when this file is read: `make deps all` installs pkgconf and the libraries first.
NETPBM_CFLAGS = $(patsubst -I%,-isystem %,$(or $(shell pkg-config --cflags netpbm),-I/usr/include/netpbm))
NETPBM_LIBS = $(shell pkg-config --libs netpbm)
BLAS_CFLAGS = $(shell pkg-config --cflags openblas)
BLAS_LIBS = $(shell pkg-config --libs openblas)
JSON_LIBS = $(shell pkg-config --libs jansson)

TOOLS = $(patsubst cmd/%.c,$(BUILD)/bin/%,$(wildcard cmd/rs-*.c))
# lib/kernel/set.c is compiled once an instruction set that this machine's kind of processor may have
# (asked of uname where `make deps` has yet to bring the compiler)
MACHINE := $(or $(shell $(CC) -dumpmachine 2>/dev/null),$(shell uname -m)-linux-gnu)
KERNELS = base $(if $(filter x86_64-%,$(MACHINE)),avx2 avx512)
KERNEL_base =
KERNEL_avx2 = -mavx2 -mfma
KERNEL_avx512 = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512
ROOMS = *
LIBRARY = $(patsubst %.c,$(BUILD)/%.o,$(filter-out lib/kernel/set.c,$(wildcard $(ROOMS:%=lib/%/*.c)))) \
  $(KERNELS:%=$(BUILD)/lib/kernel/set-%.o)
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
UNITS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c)) $(FUZZERS)
PAGES = $(wildcard man/man?/*.?)
# What the tools use where no model is named; lib/cli/shipped.h says where they look for it
SHIPPED = $(wildcard lib/model/rs.safetensors)
shipped = $(if $(SHIPPED),install -d $(1)/rs && install -m 644 $(SHIPPED) $(1)/rs)

all: $(TOOLS)

# V=1 shows every command whole
say = @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-5s %s\n' $(1) $@;) $(if $(V),set -x;)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(BUILD)/librs.a
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(NETPBM_LIBS) $(BLAS_LIBS) $(JSON_LIBS) -lm -pthread

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/tap.o $(BUILD)/tests/unit/twins.o $(BUILD)/librs.a
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(NETPBM_LIBS) $(BLAS_LIBS) $(JSON_LIBS) -lm -pthread

# A fuzzer replays its corpus, but in `make fuzz`, where clang brings a main
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o
$(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_MAIN) $(BUILD)/librs.a
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(NETPBM_LIBS) $(BLAS_LIBS) $(JSON_LIBS) -lm -pthread

$(BUILD)/librs.a: $(LIBRARY)
	$(call say,AR) rm -f $@; ar rcsD $@ $^

$(BUILD)/lib/format/pam.o: EXTRA = $(NETPBM_CFLAGS)
$(BUILD)/lib/blas/gemm.o: EXTRA = $(BLAS_CFLAGS)
$(BUILD)/tests/fuzz/%.o: EXTRA = $(FUZZ_UNCOUNTED)
# gcc 12 for aarch64 breaks down where it would vectorise a maximum of doubles
$(BUILD)/tests/unit/%.o: EXTRA = $(if $(filter aarch64-%,$(MACHINE)),-fno-tree-loop-vectorize)

$(KERNELS:%=$(BUILD)/lib/kernel/set-%.o): $(BUILD)/lib/kernel/set-%.o: lib/kernel/set.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -ffp-contract=fast -Wno-psabi $(KERNEL_$*) -DRS_KERNEL_SET=$* \
	  -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c | $(filter deps deps-dev,$(MAKECMDGOALS))
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(ALL_CPPFLAGS) $(EXTRA) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(LIBRARY:.o=.d) $(wildcard $(BUILD)/cmd/*.d $(BUILD)/tests/unit/*.d $(BUILD)/tests/fuzz/*.d)


# What the build, the tools, the tests and the pipelines need; then what only maintainers need
PACKAGES = gcc libc6-dev make pkgconf libnetpbm-dev netpbm libopenblas-dev liblapacke-dev libjansson-dev \
  bsdextrautils libjpeg-turbo-progs parallel gnuplot-nox perl bats bats-assert bats-support mandoc groff-base python3-numpy
PACKAGES_DEV = git clang clang-format libclang-rt-14-dev cppcheck shellcheck valgrind gcovr debootstrap \
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
  libnetpbm11:arm64 libopenblas-dev:arm64 liblapacke-dev:arm64 libjansson-dev:arm64

deps:
	@tests/install-packages $(PACKAGES)
deps-dev: deps
	@tests/install-packages $(PACKAGES_DEV)

# A real photograph, segmented; pipelines/smoke.mk has one that trains on drawn ones
demo: all
	@$(MAKE) --no-print-directory -s -f pipelines/demo.mk BUILD=$(BUILD) OUT=$(BUILD)/demo demo

# Unit tests, commands, whole pipelines; those that need real photographs look in DATA, and say so if it is not there.
TESTS = $(UNITS) $(wildcard tests/cmd/*.bats tests/pipeline/*.bats)
units: $(UNITS)
check: all units
	BUILD=$(BUILD) DATA=$(DATA) prove -j2 $(TESTS)

# The unit tests on processors that are not here, under qemu: aarch64, and an x86-64 that has no AVX. (qemu64 has not what
# OpenBLAS takes it to have.)
AARCH64 = BUILD=$(BUILD)/aarch64 CC=aarch64-linux-gnu-gcc NETPBM_LIBS=-l:libnetpbm.so.11
cross: all units
	PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig $(MAKE) $(AARCH64) units
	prove -j2 -e qemu-aarch64 $(UNITS:$(BUILD)/%=$(BUILD)/aarch64/%)
	env -u OPENBLAS_CORETYPE prove -j2 -e "qemu-x86_64 -cpu Nehalem" $(UNITS)

# Speed beside that of others: tests/bench/run -help
BENCH = clock peak-base $(if $(filter x86_64-%,$(MACHINE)),peak-avx2 peak-avx512)
bench:
	@$(MAKE) --no-print-directory all $(BENCH:%=$(BUILD)/bench/%) >&2
	@BUILD=$(BUILD) tests/bench/run
$(BUILD)/bench/peak-avx2: EXTRA = -mavx2 -mfma
$(BUILD)/bench/peak-avx512: EXTRA = -mavx512f
$(BUILD)/bench/peak-%: tests/bench/peak.c
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -ffp-contract=fast $(EXTRA) $(ALL_LDFLAGS) -o $@ $< -pthread
$(BUILD)/bench/clock: tests/bench/clock.c
	@mkdir -p $(@D)
	$(call say,LINK) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# The killings that `check` does 20 of
torture: all
	PATH=$(abspath $(BUILD))/bin:$$PATH tests/torture 200
# What takes too long for `check`: a pipe without an end, of which `check` sees 1000 steps; a photograph of 169 megapixels
endless large: all
	PATH=$(abspath $(BUILD))/bin:$$PATH tests/$@

lint:
	@tests/lint
format:
	clang-format -i $(wildcard cmd/*.c lib/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/bench/*.c)

# The whole suite again, in builds of their own, watched: tests/checked says what counts as a finding
CHECK_asan = CFLAGS="-O1 -g" SANITIZE="-fsanitize=address -fno-omit-frame-pointer"
CHECK_ubsan = CFLAGS="-O1 -g" SANITIZE="-fsanitize=undefined -fno-sanitize-recover=undefined"
CHECK_tsan = CFLAGS="-O2 -g" SANITIZE=-fsanitize=thread
CHECK_valgrind =
asan ubsan tsan valgrind:
	$(MAKE) BUILD=$(BUILD)/$@ $(CHECK_$@) all units
	$(call shipped,$(BUILD)/$@/share)
	tests/checked $@ $(BUILD)/$@ $(MAKE) BUILD=$(BUILD)/$@ $(CHECK_$@) check
# Each reader for FUZZ_SECONDS; what is found stays in tests/fuzz/found, where `check` replays it. The targets' own
# branches are no news to a fuzzer: it counts those of the readers. FUZZ_READERS=-fno-sanitize-coverage=trace-cmp, which
# leaves out what they compare, gives 1.4 times the executions once there is little left to learn.
FUZZ_SECONDS = 60
FUZZ_READERS =
fuzz:
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang CFLAGS="-O2 -g" FUZZ_MAIN= \
	  FUZZ_UNCOUNTED="-fno-sanitize-coverage=trace-cmp,inline-8bit-counters,pc-table,indirect-calls" \
	  SANITIZE="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(FUZZ_READERS)" \
	  $(FUZZERS:$(BUILD)/%=$(BUILD)/fuzz/%)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS:$(BUILD)/%=$(BUILD)/fuzz/%)
# What a run takes of all lines and branches, outside the sandbox, where counts could not be written; what reads hostile
# input leaves no line out. Threads count without waiting for each other, which would take a hundred times as long; a line
# of theirs whose count comes out below 0 is left out.
GCOVR = gcovr --root . --object-directory $(BUILD)/coverage --print-summary --gcov-ignore-parse-errors
coverage:
	@mkdir -p $(BUILD)/coverage && find $(BUILD)/coverage -name '*.gcda' -delete
	$(call shipped,$(BUILD)/coverage/share)
	RS_SANDBOX=0 $(MAKE) BUILD=$(BUILD)/coverage CFLAGS="-Og -g" SANITIZE=--coverage check
	$(GCOVR) --branches --filter lib/ --filter cmd/ --fail-under-line 92 --fail-under-branch 82
	$(GCOVR) --branches --filter lib/format/ --fail-under-line 100 --fail-under-branch 95

# How three shells complete command lines, from what the tools say of their options
COMPLETIONS = $(foreach tool,$(notdir $(TOOLS)),bash-completion/completions/$(tool) zsh/site-functions/_$(tool) \
  fish/vendor_completions.d/$(tool).fish)
completions: $(COMPLETIONS:%=$(BUILD)/share/%)
complete = @mkdir -p $(@D) && $< -help -verbose | awk -v tool=$* -f $(lastword $^) > $@.new && mv $@.new $@
$(BUILD)/share/bash-completion/completions/%: $(BUILD)/bin/% completions/bash.awk
	$(complete)
$(BUILD)/share/zsh/site-functions/_%: $(BUILD)/bin/% completions/zsh.awk
	$(complete)
$(BUILD)/share/fish/vendor_completions.d/%.fish: $(BUILD)/bin/% completions/fish.awk
	$(complete)

# What the pages name, in the folders that it has here
NAMED = README.md $(wildcard doc/*.png) $(filter-out %/figures.mk,$(wildcard pipelines/*))
install: all completions
	install -d $(DESTDIR)$(BINDIR) $(sort $(dir $(PAGES:man/%=$(DESTDIR)$(MANDIR)/%) \
	  $(COMPLETIONS:%=$(DESTDIR)$(SHAREDIR)/%) $(NAMED:%=$(DESTDIR)$(SHAREDIR)/rs/%)))
	install -m 755 $(TOOLS) $(DESTDIR)$(BINDIR)
	for page in $(PAGES:man/%=%); do install -m 644 man/$$page $(DESTDIR)$(MANDIR)/$$page || exit; done
	for file in $(COMPLETIONS); do install -m 644 $(BUILD)/share/$$file $(DESTDIR)$(SHAREDIR)/$$file || exit; done
	for file in $(NAMED); do \
	  install -m $$([ -x $$file ] && echo 755 || echo 644) $$file $(DESTDIR)$(SHAREDIR)/rs/$$file || exit; done
	$(call shipped,$(DESTDIR)$(SHAREDIR))
uninstall:
	rm -f $(TOOLS:$(BUILD)/bin/%=$(DESTDIR)$(BINDIR)/%) $(PAGES:man/%=$(DESTDIR)$(MANDIR)/%) \
	  $(COMPLETIONS:%=$(DESTDIR)$(SHAREDIR)/%) $(NAMED:%=$(DESTDIR)$(SHAREDIR)/rs/%) \
	  $(DESTDIR)$(SHAREDIR)/rs/rs.safetensors

VERSION = $(shell sed -n 's/^#define RS_VERSION "\(.*\)"/\1/p' lib/cli/version.h)
dist:
	git rev-parse -q --verify HEAD >/dev/null
	git archive --prefix=rs-tools-$(VERSION)/ -o rs-tools-$(VERSION).tar.gz HEAD

clean:
	rm -rf $(BUILD) compile_commands.json

SOURCES = $(wildcard cmd/*.c lib/*/*.c tests/unit/*.c)
compile_commands.json:
	@{ printf '['; separator=; for file in $(SOURCES); do \
	  printf '%s\n {"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$$separator" "$(CURDIR)" "$$file" \
	    "$(CC) $(ALL_CPPFLAGS) $(NETPBM_CFLAGS) $(BLAS_CFLAGS) $(ALL_CFLAGS)" "$$file"; separator=,; \
	  done; printf '\n]\n'; } > $@

# `make deps check` means: first the one, then the other, also under -j.
ifneq ($(filter deps deps-dev,$(MAKECMDGOALS)),)
all demo check cross bench torture endless large lint format install coverage asan ubsan tsan valgrind fuzz: | $(filter deps deps-dev,$(MAKECMDGOALS))
endif

.PHONY: all completions units deps deps-dev demo check cross bench torture endless large lint format asan ubsan tsan valgrind \
  fuzz coverage install uninstall dist clean compile_commands.json
.SECONDARY:
