# inbox-trouble.sh - a store that cannot store: never ok, and it recovers.
. tests/inbox.sh

small=$work/small
mkdir "$small"
inbox=$small/inbox
with_inbox "backoff = 10ms"

# refused TEXT - the last answer is 503 with Retry-After, and the log says this.
refused() {
	grep -q "^Status: 503" "$work/answer" &&
	    grep -q "^Retry-After: 10" "$work/answer" &&
	    ! grep -q "^ok" "$work/answer" &&
	    grep "cannot store the event" "$log" | tail -n 1 >"$work/line" &&
	    has "$work/line" "$1"
}

# tries FILE [NAME=VALUE ...] - the whole answer into $work/answer.
tries() {
	vkcb=$app
	cgi "$@" >"$work/answer"
}

is_done() {
	same "00-audit done task done" "$(state "$1")"
}

# is_stored ARGUMENT ... - gives the event that `task` makes of these.
is_stored() {
	same ok "$(give "$(task "$@")")" >/dev/null
}

sql() {
	sqlite3 "$inbox" "$@"
}

# A disk of 1 MB, if one can be had.
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m,mode=755 none "$small" 2>/dev/null
then
	trap 'umount -l "$small"; clean_up' EXIT
	claim "on an empty disk an event is stored" \
	    same ok "$(give "$(task a-1 1 ok)")"
	until_true 10 is_drained
	until_true 10 no_pool
	dd if=/dev/zero of="$small/fill" bs=4k >"$work/dd" 2>&1
	n=2
	while tries "$(task a-$n 1 ok)"; do
		grep -q "^ok" "$work/answer" || break
		n=$((n + 1))
	done
	claim "on a full disk an event is refused, and the log says why" \
	    refused "the disk is full"
	until_true 10 no_pool
	tries "$(task a-$n 1 ok)"
	claim "a repeat is refused as well" refused "the disk is full"
	rm "$small/fill"
	claim "with some space it is stored" \
	    same ok "$(give "$(task a-$n 1 ok)")"
	claim "what was taken is handled" drain
	i=1
	while [ $i -le $n ]; do
		echo "1 $i 1"
		i=$((i + 1))
	done >"$work/taken"
	: >"$work/killed"
	judge "$work/taken" "$work/killed" >"$work/wrong"
	claim "all of it, once" same "" "$(cat "$work/wrong")"
	claim "the database is sound" same ok \
	    "$(sql 'PRAGMA integrity_check')"
	until_true 10 no_pool
	rm -f "$book"
	works
	give_all "g-1 7 ok \"hold\":\"$run/g\""
	booked_has "begin 7 1"
	dd if=/dev/zero of="$small/fill" bs=4k >"$work/dd" 2>&1
	: >"$run/g"
	claim "an end is recorded on a full disk" until_true 10 is_done g-1
	kill "$service"
	gone "$service"
	umount "$small"

	# The inbox fills its disk by itself, while its workers are busy.
	mount -t tmpfs -o size=3m,mode=755 none "$small"
	with_inbox "backoff = 10ms" "workers = 1"
	rm -f "$book" "$run/h"
	works
	pad=$(head -c 4000 /dev/zero | tr '\0' x)
	give_all "h-0 8 ok \"hold\":\"$run/h\""
	booked_has "begin 8 0"
	n=1
	while tries "$(task h-$n 8 ok "\"pad\":\"$pad\"")"; do
		grep -q "^ok" "$work/answer" && [ $n -lt 2000 ] || break
		n=$((n + 1))
	done
	claim "on a disk that the inbox filled an event is refused" \
	    refused "the disk is full"
	: >"$run/h"
	claim "all $n events of a disk that they filled are handled" drain
	# shellcheck disable=SC2046 # a list of ids
	"$app" inbox drop $(seq 2 $n)
	claim "with some of them dropped events are stored again" until_true 20 is_stored h-$n 8 ok
	kill "$service"
	gone "$service"
	umount "$small"
	with_inbox "backoff = 10ms"
	trap clean_up EXIT
else
	skip "only root can mount a small disk and fill it"
fi

works
give_all "b-1 2 ok"
until_true 10 is_drained
(
	echo ".timeout 10000"
	echo "BEGIN IMMEDIATE; SELECT 'locked';"
	until_true 20 test -e "$work/unlock"
	echo "COMMIT;"
) | sql >"$work/sql" &
locker=$!
ends $locker
until_true 10 grep -q locked "$work/sql"
tries "$(task b-2 2 ok)"
claim "locked by another program, an event is refused within a second" \
    refused "another program keeps it locked"
: >"$work/unlock"
gone $locker
claim "unlocked, it is stored" same ok "$(give "$(task b-2 2 ok)")"
until_true 10 is_drained

mv "$small" "$small.away"
tries "$(task c-1 3 ok)"
claim "without its folder an event is refused" \
    refused "see that its folder exists"
mkdir "$small"
claim "with one it is stored, into a new file" \
    same ok "$(give "$(task c-1 3 ok)")"
kill "$service"
gone "$service"
drain
claim "and handled" booked_has "end 3 1 1"

until_true 10 no_pool
rm -f "$inbox-wal" "$inbox-shm"
head -c 20000 /dev/urandom >"$inbox"
claim "vkcb check finds a damaged file" sh -c "
	! '$app' check >/dev/null 2>'$work/errors' &&
	    grep -q 'move it away' '$work/errors'"
tries "$(task d-1 4 ok)"
claim "a damaged file is refused, and the log says what to do" \
    refused "move it away"
timeout 10 "$app" work --once 2>"$work/said"
claim "vkcb work --once leaves it with status 1" same 1 $?
claim "... and one line, which says what to do" \
    same "1 1" "$(grep -c "move it away" "$work/said") $(wc -l <"$work/said")"
rm -f "$inbox" "$inbox-wal" "$inbox-shm"
claim "without it a new one is made" same ok "$(give "$(task d-1 4 ok)")"
drain

# A row that is not what was stored, without a sum and with one. 64 MiB are enough
# for what reads it, and no handler does.
until_true 10 no_pool
with_inbox "attempts = 1" "workers = 1"
give_all "r-1 9 giveup"
until_true 10 no_pool
id=$(sql "PRAGMA wal_checkpoint(TRUNCATE); SELECT max(id) FROM event" |
    tail -n 1)
sound=$(sql "SELECT sum FROM event WHERE id = $id")
pad=$(head -c 4000 /dev/zero | tr '\0' '[')
for object in '{"a":"b' '{"a"' '[[[[' '{"a":{"b":"c\' '{"message":{"text":"x\u12"}}' \
    '{"do":"ok"}}}' "$pad"; do
	for sum in "$sound" NULL; do
		sql "UPDATE event SET object = CAST('$object' AS BLOB),
			sum = $sum WHERE id = $id;
			UPDATE task SET state = 0, attempts = 0, sum = NULL,
			reason = '' WHERE event = $id;
			INSERT INTO queue VALUES ($id, NULL, 0, 0, 1, 0)"
		(
			# shellcheck disable=SC3045 # sh has it
			sanitized "$app" || ulimit -v 65536
			"$app" work --once && "$app" status --json &&
			    "$app" inbox show "$id"
		) >"$work/shown" 2>"$work/errors" && grep -q '"damaged": *true' "$work/shown" &&
		    grep -q "stored event is damaged" "$work/shown" ||
		    echo "$sum $object"
	done
done >"$work/wrong"
claim "damaged objects are parked, and shown" same "" "$(cat "$work/wrong")"

sqlite3 "$work/other" 'CREATE TABLE t (x)'
cp "$work/other" "$inbox.other"
inbox=$inbox.other
with_inbox
tries "$(task e-1 5 ok)"
claim "another program's database is left alone" \
    refused "another program's database"

if [ "$(id -u)" = 0 ]; then
	inbox=$small/inbox
	with_inbox
	chmod 644 "$work/app/vkcb.conf"
	chmod 755 "$small" "$work/app"
	chown nobody "$log"
	vkcb=$work/as-nobody
	printf '#!/bin/sh\nexec setpriv --reuid=nobody --clear-groups %s "$@"\n' \
	    "$app" >"$vkcb"
	chmod 755 "$vkcb"
	cgi "$(task f-1 6 ok)" >"$work/answer"
	claim "one of another user is refused, and the log says whose it is" \
	    refused "it belongs to root, not to nobody: chown nobody"
	chmod 1777 "$small"
	"$vkcb" check >"$work/check" 2>"$work/errors"
	claim "vkcb check finds that, with status 1" same 1 $?
	claim "and says what to do" \
	    has "$work/errors" "chown nobody all files of the inbox"
	chown nobody "$inbox"
	"$vkcb" check >"$work/check" 2>"$work/errors"
	claim "also of a file beside it" \
	    has "$work/errors" "inbox $inbox-wal: it belongs to root"
	chown nobody "$inbox"*
	claim "and that it can be opened" "$vkcb" check
	rm -f "$inbox"*
	claim "check makes none" sh -c "'$vkcb' check && [ ! -e '$inbox' ]"
	chmod 755 "$small"
	cgi "$(task f-1 6 ok)" >"$work/answer"
	claim "one that cannot be made is refused" refused "writable"
	chown nobody "$small"
	works
	give_all "f-2 6 ok"
	claim "what root makes of an inbox is its folder's owner's" same \
	    "nobody nobody nobody nobody nobody " \
	    "$(stat -c %U "$inbox" "$inbox"-* | tr '\n' ' ')"
	kill "$service"
	gone "$service"
	rm -f "$inbox"*
	: >"$work/roots"
	ln -s "$work/roots" "$inbox"
	"$app" work --once
	claim "but not what a link there leads to" \
	    same root "$(stat -c %U "$work/roots")"
fi

done_testing
