# handlers.sh - handlers that must compile and handlers that must not, with gcc
# and clang, with and without LTO; and the files that make rebuilds.
. tests/lib.sh
unset MAKEFLAGS MFLAGS MAKELEVEL DEV

# A copy of the tree, so that files can be touched.
tree=$work/tree
mkdir "$tree" "$work/none"
cp -R Makefile vkcb.c vkcb.h src "$tree"
cat >"$work/vkcb.conf" <<'END'
[group 219876543]
secret = Kf7vQ2mXw9aLcR4t
END
export VKCB_CONF="$work/vkcb.conf"

# build [NAME=VALUE ...] - runs make, with its output in $work/make.
build() {
	make -C "$tree" O="$cc" CC="$cc" CFLAGS="$flags" HANDLERS="$handlers" \
	    "$@" "$cc/vkcb" >"$work/make" 2>&1 && return
	cat "$work/make"
	return 1
}

# built FILE ... - exactly these files were compiled, then linked.
built() {
	same "$(printf '%s\n' "$@" | sort -u)" \
	    "$(sed -n 's/^  CC //p' "$work/make" | sort)" &&
	    same 1 "$(grep -c '^  LD ' "$work/make")"
}

# handler FILE [EVENT [PARAMETER]] - a handler that logs its name and runs.
handler() {
	handler_symbol=handler_$(basename "$1" .c | tr - _)
	cat >"$1" <<END
#include "vkcb.h"

static enum vkcb_outcome
run(struct vkcb_event *ev${3:+, $3})
{
	vkcb_log(ev, "here");
	return VKCB_OK;
}

const struct vkcb_handler $handler_symbol = { ${2:-ON(any, run)} };
END
}

good=$work/good
mkdir "$good"
handler "$good/10-any.c"
handler "$good/20_new.c" 'ON(message_new, run)' \
    'const struct vk_message_new *new'
handler "$good/Big.c" 'ON(message_new, run)' 'const struct vk_message_new *new'
handler "$good/a-type.c" 'ON_TYPE("message_new", run)'
handler "$good/alias.c" 'ON(messages_edit, run)' 'const struct vk_message *m'
handler "$good/brand-new.c" 'ON_TYPE("brand_new", run)'
handler "$good/raw.c" 'ON(inapp_order_refund, run)' 'const struct vk_json *raw'
handler "$good/z.c" 'ON(message_new, run), .summary = "the last"' \
    'const struct vk_message_new *new'

# ran TYPE - the handlers that ran for such an event, in order.
ran() {
	printf '{"type":"%s","group_id":219876543,"secret":"%s","object":{}}' \
	    "$1" Kf7vQ2mXw9aLcR4t >"$work/body"
	: >"$work/log"
	cgi "$work/body" >"$work/got" || return 1
	sed -n 's/.* msg=here .* handler=\([^ ]*\).*/\1/p' "$work/log" |
	    tr '\n' ' '
}

vkcb_check() {
	"$vkcb" check >"$work/check" && has "$work/check" "$1"
}

# refused WORD ... - the build fails, and its messages have each WORD.
refused() {
	! build >"$work/out" || return 1
	for words in "$@"; do
		has "$work/make" "$words" || return 1
	done
}

# warned TEXT - the build succeeds, with this warning.
warned() {
	build && has "$work/make" "$1"
}

# bad - an empty folder for handlers that do not compile.
bad() {
	handlers=$work/bad
	rm -rf "$handlers"
	mkdir "$handlers"
}

must_not_compile() {
	bad
	handler "$handlers/x.c" 'ON(mesage_new, run)' \
	    'const struct vk_message_new *new'
	claim "$with: an unknown event: the file and the event" \
	    refused x.c error: mesage_new
	bad
	handler "$handlers/x.c" 'ON(message_new, run)' \
	    'const struct vk_message *new'
	claim "$with: a wrong object type: the file and both types" \
	    refused x.c error: incompatible 'vk_message_new *' 'vk_message *'
	bad
	handler "$handlers/x.c" 'ON(any, run)' 'const struct vk_message *new'
	claim "$with: an object for ON(any): an error" \
	    refused x.c error: incompatible
	bad
	handler "$handlers/x.c" 'ON(message_new, run)'
	claim "$with: no object for an event with one: an error" \
	    refused x.c error: incompatible
	claim "$with: errors in spite of the user's flags" unflagged
	for nothing in 'ON(any, NULL)' 'ON_TYPE("x", NULL)' 'ON(like_add, 0)'; do
		bad
		handler "$handlers/x.c" "$nothing"
		claim "$with: $nothing, without a function: an error" \
		    refused x.c error: "wants a function, not NULL"
	done
	bad
	handler "$handlers/x.c"
	sed -i '/return/d' "$handlers/x.c"
	claim "$with: no return: an error" refused x.c error: return
	bad
	handler "$handlers/x.c"
	sed -i 's/return.*/return vkcb_send(ev, 1, 5);/' "$handlers/x.c"
	claim "$with: a number for a text: an error" \
	    refused x.c error: conversion
	bad
	handler "$handlers/x.c"
	sed -i 's/^const struct vkcb_h/static &/' "$handlers/x.c"
	claim "$with: a static handler: an error" refused x.c error: handler_x
	bad
	printf '#include "vkcb.h"\nconst int handler_x = 1;\n' \
	    >"$handlers/x.c"
	claim "$with: a handler of another type: an error" \
	    refused x.c error: handler_x
}

# An outcome that asks VK for something must be returned.
must_be_returned() {
	for asks in 'vkcb_retry_after(ev, 429, 1)' 'vkcb_remove(ev)' \
	    'vkcb_set_version(ev, "5.199")'; do
		bad
		handler "$handlers/x.c"
		sed -i "s/vkcb_log(.*/$asks;/" "$handlers/x.c"
		claim "$with: an unreturned $asks is a warning" \
		    warned unused-result
	done
}

must_define_it() {
	bad
	printf '#include "vkcb.h"\nint x;\n' >"$handlers/x.c"
	claim "$with: no handler_x: the file and the name" \
	    refused x.c 'no handler_x in it' 'ON(event, function)'
	bad
	handler "$handlers/y.c"
	mv "$handlers/y.c" "$handlers/x.c"
	claim "$with: a handler named for another file: an error" \
	    refused x.c 'no handler_x in it'
	bad
	: >"$handlers/x.c"
	claim "$with: an empty file: an error" refused x.c handler_x
}

unflagged() {
	! $cc -Wno-incompatible-pointer-types -std=c11 -fsyntax-only -I"$tree" \
	    "$(pkg-config --cflags json-c)" "$handlers/x.c"
}

flags=-O0
for cc in gcc clang; do
	for flags in '-O0' '-O0 -flto'; do
		with="$cc $flags"
		vkcb=$tree/$cc/vkcb
		handlers=$good
		claim "$with: good handlers compile" build
		[ "$flags" = -O0 ] ||
		    claim "$with: a changed flag rebuilds everything" \
		    same "$(find "$tree"/src/*.c "$tree"/src/*/*.c "$good"/*.c | wc -l)" \
		    "$(grep -c '^  CC [^v]' "$work/make")"
		claim "$with: several handlers for an event run in the order of file names" \
		    same "10-any 20_new Big a-type z " "$(ran message_new)"
		claim "$with: ON(any) and ON_TYPE take unknown events" \
		    same "10-any brand-new " "$(ran brand_new)"
		claim "$with: two names of an event are one event" \
		    same "10-any alias ; 10-any alias " \
		    "$(ran messages_edit); $(ran message_edit)"
		claim "$with: an event of raw JSON is handled" \
		    same "10-any raw " "$(ran inapp_order_refund)"
		claim "$with: check shows file name, event and summary" \
		    vkcb_check "  z                    message_new              the last"
		[ "$flags" = -O0 ] && must_not_compile && must_be_returned
		must_define_it
		handlers=$work/none
		claim "$with: a program without handlers builds" build
		claim "$with: a program without handlers answers ok" same ok \
		    "$(ran message_new >/dev/null; tail -n 1 "$work/got")"
		claim "$with: check says that there are no handlers" \
		    vkcb_check "handlers: none"
	done
done

### file names

cc=gcc flags=-O0
bad
handler "$handlers/a-b.c"
handler "$handlers/a_b.c"
claim "two files with one name: both files and the cause" \
    refused a-b.c a_b.c handler_a_b 'rename one'
bad
handler "$handlers/a.b.c"
claim "a name that is not a C name: the file, and the allowed characters" \
    refused a.b.c 'letters, digits, - and _'
bad
handler "$handlers/привет.c"
claim "letters of another language: the allowed characters" \
    refused привет.c 'letters, digits'
bad
longest=$(printf 'x%.0s' $(seq 63))
handler "$handlers/$longest.c"
claim "a name of 63 letters builds" build
mv "$handlers/$longest.c" "$handlers/${longest}x.c"
claim "a name of 64 letters: the file and the limit" \
    refused "${longest}x.c" 'up to 63 letters'
claim "vkcb new refuses a name of 64 letters" sh -c "cd '$work' &&
    ! '$vkcb' new ${longest}x any 2>'$work/new' &&
    grep -q 'up to 63 letters' '$work/new'"

### C++

bad
handler "$handlers/x.c"
mv "$handlers/x.c" "$handlers/x.cpp"
claim "a handler in C++: the file, and another way" refused x.cpp 'no C++'
# Both kinds of payload, and events with a struct and without.
cat >"$work/x.cpp" <<'END'
#include "vkcb_test.h"

static enum vkcb_outcome
run(struct vkcb_event *ev, const struct vk_message_new *new_)
{
	return vkcb_send(ev, new_->message->peer_id,
	    vk_get_str(vkcb_payload(ev, new_->message), "cmd"));
}

static enum vkcb_outcome
press(struct vkcb_event *ev, const struct vk_message_event *pressed)
{
	return vkcb_answer_event(ev, pressed,
	    vk_get_str(vkcb_payload(ev, pressed), "cmd"));
}

static enum vkcb_outcome
look(struct vkcb_event *ev, const struct vk_json *object)
{
	return vkcb_json(ev, object) == NULL ? VKCB_FAIL : VKCB_OK;
}

extern const struct vkcb_handler handler_y, handler_z;
const struct vkcb_handler handler_x = { ON(message_new, run) };
const struct vkcb_handler handler_y = { ON(message_event, press) };
const struct vkcb_handler handler_z = { ON(inapp_order_refund, look) };
END
for cxx in g++ clang++; do
	if ! command -v $cxx >"$work/which"; then
		skip "no $cxx"
		continue
	fi
	claim "the headers are C++ for $cxx" $cxx -std=c++20 -Wall -Werror \
	    -DVKCB_HANDLER=handler_x -I. "$(pkg-config --cflags json-c)" \
	    -fsyntax-only "$work/x.cpp"
done

### handlers that compile and are not called

bad
handler "$handlers/own.c" 'ON_TYPE("confirmation", run)'
handler "$handlers/typo.c" 'ON_TYPE("message_nwe", run)'
handler "$handlers/unheard.c" 'ON_TYPE("something_unheard_of", run)'
not_called() {
	build && ! "$tree/gcc/vkcb" check >"$work/check" 2>&1 &&
	    has "$work/check" "vkcb: own: is never called"
}
claim "check has status 1 for a handler of confirmations" not_called
claim "check warns of a name that is near to an event's" has "$work/check" \
    "warning: typo: message_nwe is an unknown event: did you mean message_new"
claim "check does not warn of another unknown name" \
    lacks "$work/check" "warning: unheard"

### rebuilding

handlers=$good
build >"$work/out"
nothing() {
	build && ! grep -E '^  (CC|LD) ' "$work/make"
}
claim "a second make does nothing" nothing
touched() {
	touch "$1"
	shift
	build && built "$@"
}
claim "a changed handler: only this handler is rebuilt" \
    touched "$good/z.c" "$good/z.c"
claim "a changed source: only this source is rebuilt" \
    touched "$tree/src/json/check.c" src/json/check.c
(cd "$tree" && for file in vkcb.c src/*.c src/*/*.c "$good"/*.c; do
	# shellcheck disable=SC2046 # a list of words
	echo "$file" $($cc -std=c11 -D_GNU_SOURCE -I. -Isrc -I$cc \
	    $(pkg-config --cflags json-c) -MM "$file" | tr -d '\\\n')
done) >"$work/includes"
# includers HEADER - the files that include the header, directly or not.
includers() {
	grep -F " $1" "$work/includes" | cut -d' ' -f1
}
# shellcheck disable=SC2046 # lists of words
{
claim "a changed header: the including files are rebuilt" \
    touched "$tree/src/owner.h" $(includers src/owner.h)
claim "a changed vkcb.h: every handler and the including files are rebuilt" \
    touched "$tree/vkcb.h" $(includers vkcb.h)
}
handler "$good/new.c"
claim "a new handler: the handler and the table are built" \
    touched "$good/new.c" "$good/new.c" src/event/handler_table.c
claim "a new handler runs" same "10-any brand-new new " "$(vkcb=$tree/gcc/vkcb
    ran brand_new)"
rm "$good/new.c"
claim "a removed handler: the table is rebuilt" \
    touched "$good" src/event/handler_table.c
claim "a removed handler does not run" \
    same "10-any brand-new " "$(vkcb=$tree/gcc/vkcb
    ran brand_new)"
mkdir "$work/other"
cp -p "$good"/*.c "$work/other"
sed -i 's/the last/the least/' "$work/other/z.c"
touch -r "$good/z.c" "$work/other/z.c"
other_folder() {
	handlers=$work/other
	build && "$tree/gcc/vkcb" check | grep -q 'the least'
}
claim "another folder with the same file names is rebuilt" other_folder
handlers=$good
build >"$work/out"
relinked() {
	build LDFLAGS=-Wl,-O1 && same 1 "$(grep -c '^  LD ' "$work/make")" &&
	    ! grep '^  CC ' "$work/make"
}
claim "a changed linker flag: only linking" relinked
echo theirs >"$tree/vkcb"
into() {
	make -C "$tree" O="$1" CC="$cc" CFLAGS="$flags" HANDLERS="$handlers" \
	    >"$work/make" 2>&1 || cat "$work/make"
}
elsewhere() {
	into gcc && same theirs "$(cat "$tree/vkcb")"
}
claim "a build into another folder leaves ./vkcb alone" elsewhere
cp -a "$tree/gcc" "$tree/build"
here() {
	into build && cmp "$tree/build/vkcb" "$tree/vkcb"
}
claim "a build into build/ replaces ./vkcb" here
handlers=$work/nowhere
claim "a missing folder of handlers: an error" \
    refused 'HANDLERS=' nowhere 'no such folder'

done_testing
