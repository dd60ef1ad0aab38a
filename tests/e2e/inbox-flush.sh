# inbox-flush.sh - what workers leave on disk.
. tests/inbox.sh

# works_watched - a service, whose flushes are in the book.
works_watched() {
	env SYNC_BOOK="$book" \
	    LD_PRELOAD="$root/$O/tests/preload/sync.so" \
	    "$app" work >"$run/work.log" 2>&1 &
	service=$!
	ends $service
	until_true 10 is_working
}

is_claimed() {
	[ "$(state b-1)" = "00-audit running task waiting" ]
}

with_inbox "workers = 1"
works_watched
give_all "a-1 1 ok \"hold\":\"$run/a\""
booked_has "begin 1 1"
kill "$service"
until_true 10 no_one_listens
: >"$run/a"
gone "$service"
claim "a service that is told to stop flushes what it did last" \
    same "flushed" "$(tail -n 1 "$book")"

# A disk that fails, which is noticed when what is to be done is claimed.
with_inbox "workers = 1" "attempts = 1"
works_watched
give_all "b-0 2 ok \"hold\":\"$run/b\"" "b-1 3 ok"
booked_has "begin 2 0"
: >"$book.fails"
: >"$run/b"
until_true 10 is_claimed
kill "$service"
gone "$service"
rm "$book.fails"
"$app" work --once
claim "what a worker could not begin, for its disk, is no attempt" \
    same "00-audit done task done" "$(state b-1)"

done_testing
