# backlog.sh - an inbox with a million waiting events.
. tests/inbox.sh
. tests/rows.sh

n=1000000
with_inbox "workers = 2" "log_level = error"
give "$(task first-1 1 ok)" >"$work/answer"
until_true 10 no_pool
fill 10 $((n + 9)) 0 0 ok 10000 "unixepoch() * 1000"
works
claim "no event is refused while workers begin" same "200 ok" \
    "$(puts 200 begin)"
killed_workers() {
	for round in 1 2 3; do
		# shellcheck disable=SC2046 # a list of pids
		kill -9 $(pgrep -P "$service")
		same "20 ok" "$(puts 20 "killed-$round")" || return 1
	done
}
claim "none is refused when workers were killed" killed_workers
claim "each of those who came last is handled when its turn comes" \
    same "" "$(noted | tr ';' '\n' | awk '$1 == "begin" && $3 < last[$2] {
	print } $1 == "begin" { last[$2] = $3 }')"
kill $service
gone $service

listed() {
	# 200 MB, with the libraries, for a list of some hundred.
	# shellcheck disable=SC3045 # sh has it
	(ulimit -v 200000 && "$app" inbox list --all --json) >"$work/list" &&
	    [ "$(wc -l <"$work/list")" -gt $n ]
}
claim "all are listed without memory for all" listed
claim "the status tells of them" [ "$(status waiting)" -gt $((n / 2)) ]
claim "the database is intact" same ok \
    "$(sqlite3 "$inbox" 'PRAGMA quick_check')"

done_testing
