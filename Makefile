# rs-tools: make deps demo, make deps check; README.md says the rest.

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
BUILD = build
DATA = data

CC = gcc
# -ffp-contract=off: gcc and clang, C and GNU dialects, would otherwise round differently
CFLAGS = -O3 -g
HARDENING = -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security \
  $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wdouble-promotion $(WERROR)
ALL_CPPFLAGS = -D_GNU_SOURCE -Ilib $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -fPIE -ffp-contract=off $(WARNINGS) $(HARDENING) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS) $(SANITIZE)

# Asked when a recipe runs, not when this file is read: `make deps all` installs pkgconf and the libraries first.
NETPBM_CFLAGS = $(patsubst -I%,-isystem %,$(or $(shell pkg-config --cflags netpbm),-I/usr/include/netpbm))
NETPBM_LIBS = $(shell pkg-config --libs netpbm)
BLAS_CFLAGS = $(shell pkg-config --cflags openblas)
BLAS_LIBS = $(shell pkg-config --libs openblas)
JSON_LIBS = $(shell pkg-config --libs jansson)

TOOLS = $(patsubst cmd/%.c,$(BUILD)/bin/%,$(wildcard cmd/rs-*.c))
LIBRARY = $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*/*.c))
UNITS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
PAGES = $(wildcard man/man?/*.?)

all: $(TOOLS)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(BUILD)/librs.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(NETPBM_LIBS) $(BLAS_LIBS) $(JSON_LIBS) -lm -pthread

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/tap.o $(BUILD)/librs.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(NETPBM_LIBS) $(BLAS_LIBS) $(JSON_LIBS) -lm -pthread

$(BUILD)/librs.a: $(LIBRARY)
	rm -f $@
	ar rcsD $@ $^

$(BUILD)/lib/format/image.o: EXTRA = $(NETPBM_CFLAGS)
$(BUILD)/lib/blas/gemm.o: EXTRA = $(BLAS_CFLAGS)

$(BUILD)/%.o: %.c | $(filter deps deps-dev,$(MAKECMDGOALS))
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(EXTRA) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(LIBRARY:.o=.d) $(wildcard $(BUILD)/cmd/*.d $(BUILD)/tests/unit/*.d)

.PHONY: all
.SECONDARY:
