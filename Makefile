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

MAKEFLAGS += --no-builtin-rules

#
# Flags.
#

PKGS = json-c fcgi
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
	echo -ljson-c -lfcgi) -ldl $(LDLIBS)
ifeq ($(STATIC),1)
LIBS := -l:libjson-c.a -l:libfcgi.a -ldl $(LDLIBS)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

# Where both can be 32 bits wide: files over 2 GiB, and times after 2038.
WIDE = -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WIDE) $(WARNINGS) $(HARDENING) \
	$(SANITIZERS) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINKING) $(SANITIZERS) $(LDFLAGS)
# The same bytes from whatever folder: neither names nor debug information
# have the paths of this build.
SAME_BYTES = -ffile-prefix-map='$(CURDIR)=.' -ffile-prefix-map='$(O)=build' \
	-ffile-prefix-map='$(HANDLERS)=handlers'
COMPILE = $(CC) $(ALL_CFLAGS) $(SAME_BYTES) -I. -Isrc -MMD -MP $(CPPFLAGS)

#
# What is built. FILE.c becomes $(O)/FILE.o; the user's handlers become
# $(O)/handlers/*.o, wherever they are.
#

objects = $(patsubst %.c,$(O)/%.o,$(sort $(wildcard $1)))
programs = $(basename $(call objects,$1))
user_objects = $(patsubst $(HANDLERS)/%.c,$(O)/handlers/%.o,\
	$(sort $(wildcard $(HANDLERS)/$1)))

# The table of handlers is compiled for each list of them, as handlers.def.o.
OBJS = $(filter-out %/handler_table.o,$(call objects,src/*.c src/*/*.c))
HANDLER_OBJS = $(call user_objects,*.c)
TALK_OBJS = $(call objects,tests/talk/*.c)
APP_OBJS = $(call objects,tests/handlers/*.c)
TABLES = $(O)/handlers.def.o $(O)/tests/talk/handlers.def.o \
	$(O)/tests/handlers/handlers.def.o

BINARY = $(O)/vkcb
# The binary also stands in the project's folder, beside vkcb.conf; that of a
# build into another folder does not.
BESIDE = $(if $(filter build,$(O)),vkcb)
# vkcb with the handlers of two folders of tests.
TESTED = $(O)/tests/talk/vkcb $(O)/tests/handlers/vkcb

# Linked with everything but main. A tool stands alone.
UNITS = $(call programs,tests/unit/*.c)
BENCHES = $(call programs,tests/bench/*.c)
FUZZERS = $(call programs,tests/fuzz/*.c)
HANDLER_TESTS = $(basename $(call user_objects,tests/*.c))
WHOLE = $(UNITS) $(BENCHES) $(FUZZERS) $(HANDLER_TESTS)
TOOLS = $(call programs,tests/tool/*.c)
PRELOADS = $(addsuffix .so,$(call programs,tests/preload/*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.PHONY: all tests run check check-handlers check-long check-ports lint bench fuzz \
	fuzzers torture deps install uninstall clean help FORCE

all: $(BINARY) $(BESIDE)

tests: $(UNITS) $(TOOLS) $(PRELOADS) $(HANDLER_TESTS) $(TESTED)

fuzzers: $(FUZZERS)

vkcb: $(BINARY)
	@cp $(BINARY) $@.new && mv -f $@.new $@

# Each step in a word; V=1 shows the commands.
ifeq ($(V),1)
say = @:
quiet =
else
say = @echo ' '
quiet = @
endif

#
# Compiling.
#

# The source of $(O)/STEM.o.
source = $(patsubst %handlers.def,src/event/handler_table,\
	$(patsubst handlers/%,$(HANDLERS)/%,$1)).c

# The file's name says which handler it must define.
$(HANDLER_OBJS) $(TALK_OBJS) $(APP_OBJS): \
    SYMBOL = handler_$(subst -,_,$(basename $(@F)))
$(HANDLER_OBJS) $(TALK_OBJS) $(APP_OBJS): src/event/check-handler
# Another folder may have another file of the same name.
$(HANDLER_OBJS): $(O)/handlers-from
$(TABLES): %.o: %
$(TABLES): FLAGS = -I$(@D)
$(O)/tests/unit/%.o: private FLAGS = -iquote tests
# For LD_PRELOAD: no sanitizers, nothing of ours.
$(O)/tests/preload/%: private ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -O1 -fPIC

$(O)/%.o: $$(call source,$$*) $(O)/flags | $(O)/libraries
	@mkdir -p $(@D)
	$(say) CC $<
	$(quiet)$(COMPILE) $(FLAGS) $(SYMBOL:%=-DVKCB_HANDLER=%) -c -o $@ $<
	$(if $(SYMBOL),@src/event/check-handler '$(CC)' $< $(SYMBOL) $@)

-include $(wildcard $(patsubst %.o,%.d,$(O)/vkcb.o $(OBJS) $(HANDLER_OBJS) \
	$(TALK_OBJS) $(APP_OBJS) $(TABLES) $(call objects,tests/*.c)) \
	$(addsuffix .d,$(WHOLE) $(TOOLS)))

#
# Linking.
#

PROGRAMS = $(BINARY) $(TESTED) $(WHOLE) $(TOOLS) $(PRELOADS)

$(BINARY): $(O)/vkcb.o $(OBJS) $(O)/handlers.def.o $(HANDLER_OBJS)
$(TESTED): %/vkcb: $(O)/vkcb.o $(OBJS) %/handlers.def.o
$(O)/tests/talk/vkcb: $(TALK_OBJS)
$(O)/tests/handlers/vkcb: $(APP_OBJS)
$(WHOLE): %: %.o $(O)/libvkcb.a
$(TOOLS): %: %.o
$(PRELOADS): %.so: %.o
$(PRELOADS): private ALL_LDFLAGS = -shared
$(UNITS): private FLAGS = -lcmocka
$(FUZZERS): private FLAGS = -fsanitize=fuzzer
$(TOOLS): private FLAGS = -pthread

$(PROGRAMS): $(O)/link-flags
	$(say) LD $@
	$(quiet)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(FLAGS)

# All but main: for tests, those of handlers too where the sources are not
# (vkcb_test.h says how). A test with a table of its own has that one.
$(O)/libvkcb.a: $(OBJS) $(O)/handlers.def.o $(HANDLER_OBJS) \
    $(call objects,tests/*.c) $(O)/link-flags
	$(say) AR $@
	@rm -f $@
	$(quiet)$(AR) rcs $@ $(filter %.o,$^)

#
# What is written only when it changes: what depends on it is then built again.
#

define write_if_changed
	@cmp -s $@.new $@ 2>/dev/null && rm -f $@.new || mv -f $@.new $@
endef

$(O)/flags: TEXT = $(CC) $(ALL_CFLAGS) $(CPPFLAGS)
$(O)/link-flags: TEXT = $(CC) $(ALL_LDFLAGS) $(LIBS) $(OBJS)
$(O)/handlers-from: TEXT = $(HANDLERS)
$(O)/flags $(O)/link-flags $(O)/handlers-from: FORCE
	@mkdir -p $(@D); echo '$(subst ','\'',$(TEXT))' >$@.new
	$(write_if_changed)

FOLDER = $(HANDLERS)
$(O)/tests/%/handlers.def: FOLDER = $(@D:$(O)/%=%)
$(TABLES:.o=): FORCE
	@mkdir -p $(@D); src/event/list-handlers $(FOLDER) >$@.new
	$(write_if_changed)

# How each file is compiled, from make itself: for clang-tidy, and editors.
compile_commands.json: FORCE
	@$(MAKE) --no-print-directory -Bn V=1 all tests $(BENCHES) fuzzers | \
	    sed -n 's/["\\]/\\&/g; s|.* -c -o [^ ]* \([^ ]*\)$$|{"directory": \
	    "$(CURDIR)",\n "file": "\1",\n "command": "&"},|p' | \
	    sed '1s/^/[/; $$s/,$$/]/' >$@.new
	$(write_if_changed)

# Asked again with other flags: what is missing is told by its package's name.
$(O)/libraries: $(O)/flags
	@$(CC) --version >/dev/null 2>&1 || { \
	    echo "missing: a C compiler, $(CC): install gcc, or name another:" \
	    "make CC=clang" >&2; exit 1; }
	@for found in json-c/json.h:libjson-c-dev \
	    fcgiapp.h:libfcgi-dev; do \
	    echo "#include <$${found%:*}>" | $(CC) $(ALL_CFLAGS) $(CPPFLAGS) \
		-E - >/dev/null 2>&1 || missing="$$missing $${found#*:}"; \
	done; \
	[ -z "$$missing" ] || { echo "missing:$$missing (Debian's names):" \
	    "install them, or let \`make run' do it" >&2; exit 1; }
	@touch $@

#
# Tests.
#

deps:
	@tests/packages run check lint bench fuzz

run:
	@tests/packages run
	@$(MAKE) --no-print-directory all $(O)/tests/tool/free-port \
	    $(O)/tests/tool/vk-api
	@O=$(O) contrib/demo

check:
	@tests/packages check
	@$(MAKE) --no-print-directory all tests
	@O=$(O) tests/run

check-handlers: $(HANDLER_TESTS)
	@failed=0; for test in $(HANDLER_TESTS); do \
	    if $$test; then echo "ok $$test"; \
	    else echo "FAILED $$test"; failed=1; fi; done; exit $$failed

check-long:
	@tests/packages check
	@$(MAKE) --no-print-directory all tests
	@O=$(O) tests/run tests/long/*.sh

check-ports:
	@tests/packages check
	@tests/ports/run $(PORTS)

lint:
	@tests/packages lint
	@$(MAKE) -s --no-print-directory compile_commands.json \
	    $(addsuffix /handlers.def,$(O) $(O)/tests/talk $(O)/tests/handlers)
	@O=$(O) tests/lint/run

fuzz:
	@tests/packages fuzz
	@tests/fuzz/fuzz.sh

torture:
	@tests/packages torture
	@$(MAKE) --no-print-directory all tests
	@$(MAKE) --no-print-directory DEV=1 O=$(O)/sanitized \
	    $(O)/sanitized/tests/handlers/vkcb
	@python3 tests/torture/torture.py $(O)

bench:
	@tests/packages bench
	@$(MAKE) --no-print-directory all $(TESTED) $(TOOLS) $(BENCHES)
	@tests/bench/run

#
# Installing.
#

# The headers keep their places among each other: vkcb.h includes
# "src/objects.def". The examples name the binary where it is.
TO = $(DESTDIR)$(PREFIX)
EXAMPLES = $(filter-out contrib/completion contrib/demo,$(wildcard contrib/*))
BASH = share/bash-completion/completions
ZSH = share/zsh/vendor-completions
DOC = share/doc/vkcb

install: $(BINARY) $(O)/libvkcb.a
	for folder in bin lib include/vkcb/src $(DOC)/contrib $(BASH) $(ZSH) \
	    share/man/man1 share/man/man5 share/man/man7; do \
	    install -d "$(TO)/$$folder" || exit 1; done
	install -m 755 $(BINARY) "$(TO)/bin/vkcb"
	install -m 644 vkcb.h vkcb_test.h "$(TO)/include/vkcb"
	install -m 644 $(O)/libvkcb.a "$(TO)/lib"
	install -m 644 src/objects.def src/events.def "$(TO)/include/vkcb/src"
	for section in 1 5 7; do \
	    install -m 644 docs/*.$$section "$(TO)/share/man/man$$section" || \
	    exit 1; done
	install -m 644 README.md LICENSE CHANGES vkcb.conf docs/events.md \
	    "$(TO)/$(DOC)"
	for file in $(EXAMPLES); do \
	    sed 's|/usr/local/bin/vkcb|$(PREFIX)/bin/vkcb|g' $$file \
	    | install -m 644 /dev/stdin "$(TO)/$(DOC)/$$file" || \
	    exit 1; done
	install -m 644 contrib/completion/vkcb.bash "$(TO)/$(BASH)/vkcb"
	install -m 644 contrib/completion/_vkcb "$(TO)/$(ZSH)/_vkcb"

uninstall:
	rm -f "$(TO)/bin/vkcb" "$(TO)/lib/libvkcb.a" "$(TO)/$(BASH)/vkcb" \
	    "$(TO)/$(ZSH)/_vkcb"
	for page in docs/*.[157]; do \
	    rm -f "$(TO)/share/man/man$${page##*.}/$${page#docs/}"; done
	rm -rf "$(TO)/include/vkcb" "$(TO)/$(DOC)"

help:
	@echo 'make            build vkcb (installs nothing)'
	@echo 'make run        install what is missing, build, show it at work'
	@echo 'make check      install what the tests need, build, test'
	@echo 'make check-handlers  run the tests of your handlers, handlers/tests'
	@echo 'make check-long  storms of 10,000 events, inboxes of 10^6'
	@echo 'make check-ports  test on i386, Debian 13, musl, clang: PORTS="i386 musl"'
	@echo 'make lint       look for faults and bad habits in the sources'
	@echo 'make bench      measure speed and memory, side by side'
	@echo 'make torture    kill it, cut its power, fill its disk, for TORTURE_TIME=1200'
	@echo 'make fuzz       feed it broken input for FUZZ_TIME=60 seconds'
	@echo 'make deps       install what run, check, lint, bench and fuzz need'
	@echo 'make install    install to PREFIX=/usr/local (DESTDIR=)'
	@echo 'make uninstall  remove what install put there'
	@echo 'make clean      remove what was built'
	@echo 'HANDLERS=folder  your handlers are there; for make install too'
	@echo 'DEV=1           warnings are errors, sanitizers are on'
	@echo 'STATIC=1        for hosts that lack the libraries: libc is enough'
	@echo 'V=1             show the commands'

clean:
	rm -rf $(O) $(BESIDE) compile_commands.json
