# inbox-versions.sh - two versions of vkcb on one inbox: an event is handled once,
# and none is lost.
. tests/inbox.sh

older=$app
libs=$(sed -e 's/ [^ ]*\.o\>//g' -e 's/--as-needed/--no-as-needed/' "$O/link-flags")
objects=$(grep -o '[^ ]*\.o\>' "$O/link-flags" | grep -v /inbox/store.o)
handlers=$(find "$O/tests/handlers" -name '*.o' ! -name task.o ! -name '*.def.o')

# compile SOURCE OBJECT [FLAG ...]
compile() {
	source=$1
	object=$2
	shift 2
	eval "$(cat "$O/flags") -I. -Isrc \"\$@\" -c -o '$object' '$source'"
}

# build PROGRAM SCHEMA TASK - the task's handler has this name.
build() {
	mkdir "$work/$3-$2" &&
	    sed "s/^#define SCHEMA .*/#define SCHEMA $2/" src/inbox/store.c \
	    >"$work/store.c" &&
	    sed "s/\"task\", handler_task/\"$3\", handler_$3/" \
	    "$O/tests/handlers/handlers.def" >"$work/$3-$2/handlers.def" &&
	    compile "$work/store.c" "$work/store.o" &&
	    sed "s/handler_task/handler_$3/" tests/handlers/task.c \
	    >"$work/task.c" &&
	    compile "$work/task.c" "$work/task.o" &&
	    compile src/event/handler_table.c "$work/table.o" \
	    "-I$work/$3-$2" || return
	# shellcheck disable=SC2086 # lists of words
	$libs $objects $handlers "$O/vkcb.o" "$work/store.o" "$work/task.o" \
	    "$work/table.o" -o "$1"
}

schema=$(sed -n 's/^#define SCHEMA //p' src/inbox/store.c)
claim "another version is built" build "$work/app/renamed" "$schema" job
claim "and a newer one" build "$work/app/newer" 99 task

# states_are ID STATE ... - the states of these events' tasks.
states_are() {
	while [ $# -gt 0 ]; do
		same "$2" "$(state "$1")" || return 1
		shift 2
	done
}

# A handler has another name.
with_inbox
works
give_all "a-1 1 ok"
app=$work/app/renamed
give_all "a-2 2 ok"
claim "a program parks what only the other one handles, and does the rest" \
    until_true 20 states_are a-1 "00-audit done task done" \
    a-2 "00-audit done job failed"
claim "the reason is given" same "this program has no such handler" \
    "$(reason a-2)"
kill "$service"
gone "$service"
"$app" inbox retry --failed >"$work/out" 2>&1
drain
claim "the other one handles it when it is tried again" \
    states_are a-1 "00-audit done task done" a-2 "00-audit done job done"
claim "each was handled once" same "begin 1 1 1;end 1 1 1;begin 2 2 1;\
end 2 2 1;" "$(noted)"

# The newer one upgrades the inbox, which the older one has open.
inbox=$run/upgraded
rm -f "$book"
app=$older
with_inbox "workers = 1" "backoff = 1s" "handler_timeout = 4s"
works
give_all "b-1 1 ok \"hold\":\"$run/b\"" "b-2 2 ok"
booked_has "begin 1 1 1"
sqlite3 "$inbox" "PRAGMA user_version = 99" >"$work/out" 2>&1
app=$work/app/newer
claim "the newer one stores events while the older one's workers run" \
    same ok "$(give "$(task b-3 3 ok)")"
app=$older
claim "the older one refuses events" \
    same "Inbox Unavailable" "$(give "$(task b-4 4 ok)")"
claim "the older one says why" has "$log" "made by a newer vkcb: install that"
: >"$run/b"
claim "its workers say why" until_true 20 grep -q \
    "cannot record.*made by a newer vkcb" "$log"
kill "$service"
claim "the older one can be stopped" gone "$service"
app=$work/app/newer
give_all "b-4 4 ok"
works
claim "the newer one handles all that was taken" \
    until_true 20 done_are b-1 b-2 b-3 b-4
claim "what the older one could not record is done again, nothing else" \
    same "1 2 3 4 " "$(sed -n 's/^end \([0-9]*\) .*/\1/p' "$book" | sort |
    uniq | tr '\n' ' ')"

done_testing
