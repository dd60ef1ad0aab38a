# purge.sh - old events are forgotten while new ones come.
. tests/inbox.sh
. tests/rows.sh

n=200000
with_inbox "workers = 2" "log_level = error" "keep = 1m"
give "$(task first-1 1 ok)" >"$work/answer"
until_true 10 no_pool
old="(unixepoch() - 3600) * 1000"
fill 10 $((n + 9)) 2 0 ok 10000 "$old"
fill $((n + 10)) $((n + 59)) 0 "(unixepoch() + 3600) * 1000" ok 50 "$old"
fill $((n + 60)) $((n + 109)) 3 0 ok 50 "$old"
fill $((n + 110)) $((n + 110)) 2 0 ok 1 "unixepoch() * 1000"
works
rows() {
	sqlite3 "$inbox" "SELECT count(*) FROM event WHERE id BETWEEN $1 AND $2"
}
purged() {
	[ "$(rows 10 $((n + 9)))" = 0 ]
}
still_taken() {
	while ! purged; do
		same "10 ok" "$(puts 10 "$(date +%N)")" || return 1
	done
}
claim "no event is refused until all that are old are gone" still_taken
claim "waiting and parked ones stay" same 101 \
    "$(rows $((n + 10)) $((n + 110)))"
claim "the database is intact" same ok \
    "$(sqlite3 "$inbox" 'PRAGMA integrity_check')"

done_testing
