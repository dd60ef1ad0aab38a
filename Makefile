# vkcb - receives the events of VK communities.
#
# `make help` lists the targets. Variables a user may set: CC, CFLAGS, LDFLAGS,
# LDLIBS (what handlers need), PREFIX, DESTDIR, DEV=1 (warnings are errors,
# sanitizers), STATIC=1 (no library but libc is needed where it runs), O=folder
# (where everything is built), HANDLERS=folder (where the handlers are). None is
# remembered: `make HANDLERS=mine`, then `make HANDLERS=mine install`.

O = build
HANDLERS = handlers
PREFIX = /usr/local
CFLAGS = -O2 -g
LDFLAGS =
LDLIBS =

# Where all that depends on the handlers is built: a part of $(O) for the tests'
# programs, which have others.
H = $(O)
BINARY = $(H)/vkcb
# The binary also stands in the project's folder, beside vkcb.conf; that of a
# build into another folder does not.
BESIDE = $(if $(filter build,$(H)),vkcb)

PKGS = json-c inih fcgi
HARDENING = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wpointer-arith -Wundef -Wvla
LINKING = -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed

ifeq ($(DEV),1)
HARDENING = -fPIE -fstack-protector-strong
WARNINGS += -Werror
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all
endif

# Simply expanded: pkg-config is asked once. Without it the usual names do.
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null || \
	echo -ljson-c -linih -lfcgi) -ldl $(LDLIBS)
ifeq ($(STATIC),1)
LIBS := -l:libjson-c.a -l:libinih.a -l:libfcgi.a -ldl $(LDLIBS)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) $(HARDENING) $(SANITIZERS) \
	$(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINKING) $(SANITIZERS) $(LDFLAGS)
INCLUDES = -I. -Isrc -I$(H)
COMPILE = $(CC) $(ALL_CFLAGS) $(INCLUDES) $(CPPFLAGS) -MMD -MP

SRCS = $(wildcard src/*.c src/*/*.c)
OBJS = $(H)/src/event/handler_table.o $(patsubst src/%.c,$(O)/src/%.o,\
	$(filter-out src/event/handler_table.c,$(SRCS)))
# GNU make sorts as the C locale does, whatever the user's.
HANDLER_FILES = $(sort $(notdir $(wildcard $(HANDLERS)/*.c)))
HANDLER_OBJS = $(HANDLER_FILES:%.c=$(H)/handlers/%.o)

# Each step in a word; V=1 shows the commands.
ifeq ($(V),1)
say = @:
quiet =
else
say = @echo ' '
quiet = @
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all tests run check lint check-handlers bench fuzz fuzzers install uninstall \
	clean help FORCE

all: $(BINARY) $(BESIDE)

vkcb: $(BINARY)
	@cp $(BINARY) $@.new && mv -f $@.new $@

# Written only when it changes: what depends on it is then rebuilt, no more.
define write_if_changed
	@mkdir -p $(@D); cmp -s $@.new $@ 2>/dev/null && rm -f $@.new || \
	    mv -f $@.new $@
endef

$(O)/flags: FORCE
	@mkdir -p $(@D); echo '$(subst ','\'',$(CC) $(ALL_CFLAGS) \
	    $(CPPFLAGS))' >$@.new
	$(write_if_changed)

# Asked once: a missing library is told by the name of its package.
$(O)/libraries:
	@mkdir -p $(@D)
	@for found in json-c/json.h:libjson-c-dev ini.h:libinih-dev \
	    fcgiapp.h:libfcgi-dev; do \
	    echo "#include <$${found%:*}>" | $(CC) $(ALL_CFLAGS) $(CPPFLAGS) \
		-E - >/dev/null 2>&1 || missing="$$missing $${found#*:}"; \
	done; \
	[ -z "$$missing" ] || { echo "missing:$$missing (Debian's names):" \
	    "install them, or let \`make run' do it" >&2; exit 1; }
	@touch $@

$(H)/link-flags: FORCE
	@mkdir -p $(@D); echo '$(subst ','\'',$(CC) $(ALL_LDFLAGS) $(LIBS) \
	    $(HANDLER_OBJS))' >$@.new
	$(write_if_changed)

$(H)/handlers.def: FORCE
	@mkdir -p $(@D); src/event/list-handlers $(HANDLERS) >$@.new
	$(write_if_changed)

# Another folder may have another file of the same name.
$(H)/handlers-from: FORCE
	@mkdir -p $(@D); echo '$(subst ','\'',$(HANDLERS))' >$@.new
	$(write_if_changed)

$(BINARY): $(O)/vkcb.o $(OBJS) $(HANDLER_OBJS) $(H)/link-flags
	$(say) LD $@
	$(quiet)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(O)/vkcb.o $(OBJS) \
	    $(HANDLER_OBJS) $(LIBS)

$(O)/vkcb.o: vkcb.c $(O)/flags | $(O)/libraries
	$(say) CC $<
	$(quiet)$(COMPILE) -c -o $@ $<

$(O)/src/%.o: src/%.c $(O)/flags | $(O)/libraries
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) -c -o $@ $<

$(H)/src/event/handler_table.o: src/event/handler_table.c $(H)/handlers.def $(O)/flags \
		| $(O)/libraries
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) -c -o $@ $<

# The file's name says which handler it must define.
$(H)/handlers/%.o: $(HANDLERS)/%.c $(O)/flags $(H)/handlers-from \
		src/event/check-handler | $(O)/libraries
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) -DVKCB_HANDLER=handler_$(subst -,_,$*) -c -o $@ $<
	@src/event/check-handler '$(CC)' $< handler_$(subst -,_,$*) $@

# Tests: a unit test is linked with everything but main, a tool stands alone.
# Some have handlers of their own, in a table of their own.
TEST_OBJS = $(OBJS) $(HANDLER_OBJS)
$(O)/tests/unit/event $(O)/tests/unit/receive $(O)/tests/unit/subscriptions: \
    TEST_OBJS = $(filter-out $(H)/src/event/handler_table.o,$(OBJS))

TESTS = $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/*.c)) \
	$(patsubst tests/tool/%.c,$(O)/tests/tool/%,$(wildcard tests/tool/*.c)) \
	$(patsubst tests/preload/%.c,$(O)/tests/preload/%.so,$(wildcard tests/preload/*.c))

$(O)/tests/unit/%: tests/unit/%.c $(OBJS) $(HANDLER_OBJS) $(H)/link-flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) -Itests $(ALL_LDFLAGS) -o $@ $< $(TEST_OBJS) \
	    $(filter $(O)/tests/%.o,$^) $(LIBS) -lcmocka

$(O)/tests/tool/%: tests/tool/%.c $(H)/link-flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< -ljson-c -pthread

# For LD_PRELOAD: no sanitizers, nothing of ours.
$(O)/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(CC) -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $<

# Tests of handlers: each file of handlers/tests, with vkcb_test.h.
HANDLER_TESTS = $(patsubst $(HANDLERS)/tests/%.c,$(O)/handlers/tests/%,\
	$(wildcard $(HANDLERS)/tests/*.c))

$(O)/tests/kit.o: tests/kit.c $(O)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) -c -o $@ $<

$(O)/handlers/tests/%: $(HANDLERS)/tests/%.c $(O)/tests/kit.o $(OBJS) \
		$(HANDLER_OBJS) $(H)/link-flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< $(O)/tests/kit.o $(OBJS) \
	    $(HANDLER_OBJS) $(LIBS)

check-handlers: $(HANDLER_TESTS)
	@failed=0; for test in $(HANDLER_TESTS); do \
	    if $$test; then echo "ok $$test"; \
	    else echo "FAILED $$test"; failed=1; fi; done; exit $$failed

BENCHES = $(patsubst tests/bench/%.c,$(O)/tests/bench/%,$(wildcard tests/bench/*.c))

$(O)/tests/bench/%: tests/bench/%.c $(OBJS) $(HANDLER_OBJS) $(H)/link-flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) $(ALL_LDFLAGS) -o $@ $< $(OBJS) $(HANDLER_OBJS) $(LIBS)

# Linked with libFuzzer, with tables of handlers of their own.
FUZZERS = $(O)/tests/fuzz/body $(O)/tests/fuzz/conf

fuzzers: $(FUZZERS)

$(O)/tests/fuzz/%: tests/fuzz/%.c $(OBJS) $(H)/link-flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< \
	    $(filter-out $(H)/src/event/handler_table.o,$(OBJS)) $(LIBS)

fuzz:
	@tests/packages fuzz
	@tests/fuzz/fuzz.sh

bench:
	@tests/packages bench
	@$(MAKE) --no-print-directory all tests $(BENCHES)
	@tests/bench/run

# vkcb with the handlers of tests/handlers, and of tests/talk: all else is
# compiled by then. One after the other, since both look whether it is.
ifeq ($(H),$(O))
TESTED = $(O)/tests/handlers/vkcb $(O)/tests/talk/vkcb
$(TESTED): $(O)/tests/%/vkcb: $(BINARY) FORCE
	@$(MAKE) --no-print-directory H=$(@D) HANDLERS=tests/$* $@
$(O)/tests/talk/vkcb: $(O)/tests/handlers/vkcb
endif

run:
	@tests/packages run
	@$(MAKE) --no-print-directory all $(O)/tests/tool/free-port \
	    $(O)/tests/tool/vk-api
	@O=$(O) contrib/demo

check:
	@tests/packages check
	@$(MAKE) --no-print-directory all tests
	@tests/run

lint:
	@tests/lint/counts

# The headers keep their places among each other: vkcb.h includes
# "src/objects.def". The examples name the binary where it is.
TO = $(DESTDIR)$(PREFIX)
EXAMPLES = $(filter-out contrib/completion contrib/demo,$(wildcard contrib/*))
BASH_COMPLETION = $(TO)/share/bash-completion/completions/vkcb
ZSH_COMPLETION = $(TO)/share/zsh/vendor-completions/_vkcb

# For tests of handlers where the sources are not: vkcb_test.h says how.
$(O)/libvkcb.a: $(OBJS) $(HANDLER_OBJS) $(O)/tests/kit.o
	$(say) AR $@
	@rm -f $@
	$(quiet)$(AR) rcs $@ $^

install: $(BINARY) $(O)/libvkcb.a
	install -d $(TO)/bin $(TO)/lib $(TO)/include/vkcb/src \
	    $(TO)/share/doc/vkcb/contrib \
	    $(dir $(BASH_COMPLETION)) $(dir $(ZSH_COMPLETION)) \
	    $(TO)/share/man/man1 $(TO)/share/man/man5 $(TO)/share/man/man7
	install -m 755 $(BINARY) $(TO)/bin/vkcb
	install -m 644 vkcb.h vkcb_test.h $(TO)/include/vkcb
	install -m 644 $(O)/libvkcb.a $(TO)/lib
	install -m 644 src/objects.def src/events.def $(TO)/include/vkcb/src
	for section in 1 5 7; do \
	    install -m 644 docs/*.$$section $(TO)/share/man/man$$section || \
	    exit 1; done
	install -m 644 README.md LICENSE CHANGES vkcb.conf docs/events.md \
	    $(TO)/share/doc/vkcb
	for file in $(EXAMPLES); do \
	    sed 's|/usr/local/bin/vkcb|$(PREFIX)/bin/vkcb|g' $$file \
	    | install -m 644 /dev/stdin $(TO)/share/doc/vkcb/$$file || \
	    exit 1; done
	install -m 644 contrib/completion/vkcb.bash $(BASH_COMPLETION)
	install -m 644 contrib/completion/_vkcb $(ZSH_COMPLETION)

uninstall:
	rm -f $(TO)/bin/vkcb $(TO)/lib/libvkcb.a $(BASH_COMPLETION) $(ZSH_COMPLETION) \
	    $(foreach n,1 5 7,$(patsubst docs/%,$(TO)/share/man/man$(n)/%, \
	    $(wildcard docs/*.$(n))))
	rm -rf $(TO)/include/vkcb $(TO)/share/doc/vkcb

tests: $(TESTS) $(HANDLER_TESTS) $(TESTED)

help:
	@echo 'make            build vkcb (installs nothing)'
	@echo 'make run        install what is missing, build, show it at work'
	@echo 'make check      install what the tests need, build, test'
	@echo 'make check-handlers  run the tests of your handlers, handlers/tests'
	@echo 'make lint       look for faults and bad habits in the sources'
	@echo 'make bench      measure speed and memory, side by side'
	@echo 'make fuzz       feed it broken input for FUZZ_TIME=60 seconds'
	@echo 'make install    install to PREFIX=/usr/local (DESTDIR=)'
	@echo 'make uninstall  remove what install put there'
	@echo 'make clean      remove what was built'
	@echo 'HANDLERS=folder  your handlers are there; for make install too'
	@echo 'DEV=1           warnings are errors, sanitizers are on'
	@echo 'STATIC=1        for hosts that lack the libraries: libc is enough'
	@echo 'V=1             show the commands'

clean:
	rm -rf $(O) $(BESIDE)

-include $(patsubst %.o,%.d,$(OBJS) $(HANDLER_OBJS) $(O)/vkcb.o $(O)/tests/kit.o)
-include $(patsubst %,%.d,$(TESTS) $(FUZZERS) $(BENCHES) $(HANDLER_TESTS))
