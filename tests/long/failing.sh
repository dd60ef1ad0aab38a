# failing.sh - 10,000 events that fail whenever they are tried.
. tests/inbox.sh
. tests/rows.sh

n=10000
with_inbox "workers = 2" "log_level = error" "attempts = 1000" "backoff = 1s"
give "$(task first-1 1 ok)" >"$work/answer"
until_true 10 no_pool
fill 10 $((n + 9)) 0 0 fail 10000 "unixepoch() * 1000"
works
all_tried() {
	[ "$(sqlite3 "$inbox" 'SELECT count(*) FROM task WHERE attempts > 0')" \
	    -gt $n ]
}
claim "all are tried" until_true 120 all_tried
claim "new events are taken meanwhile" same "100 ok" "$(puts 100 new)"
others_done() {
	[ "$(grep -c '^end 90000' "$book")" = 100 ]
}
claim "their handlers are not held up" until_true 20 others_done

# Now each of them fails for good.
kill $service
gone $service
with_inbox "workers = 2" "log_level = error" "attempts = 1"
works
all_parked() {
	[ "$("$app" inbox list --failed --all --json | wc -l)" = $n ]
}
claim "all are parked" until_true 120 all_parked
kill $service
gone $service
"$app" inbox retry --failed >"$work/out"
claim "all are to be tried again" same $n "$(status waiting)"

done_testing
