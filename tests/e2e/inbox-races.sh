# inbox-races.sh - pools that begin, leave and die while events come.
. tests/inbox.sh

# now_and_then N - waits up to some hundredths of a second, other ones each time.
now_and_then() {
	sleep "0.0$(($1 * 7 % 10))$(($1 * 3 % 10))"
}

# runs PID
runs() {
	grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null
}

# caught ID - an event that is stored while a pool leaves is handled, though
# nothing else comes after it.
caught() {
	"$app" work --once 2>>"$run/stderr" &
	leaving=$!
	now_and_then "$1"
	give "$(task "r-$1" "$1" ok)" >"$work/answer"
	until_true 10 done_are "r-$1" || return 1
	wait $leaving
	is_working && kill "$(owner)"
	until_true 10 no_pool
}

all_caught() {
	for n in $(seq 40); do
		caught "$n" || { echo "event $n waits"; return 1; }
	done
}

with_inbox "workers = 2"
"$app" work --once
claim "no event waits that is stored while a pool leaves" all_caught
claim "each of them is handled once" same 40 "$(grep -c ^begin "$book")"

# Many pools that start at once, with work that waits for them.
inbox=$run/many
with_inbox "workers = 2"
"$app" work --once
"$byte_lock" "$inbox-lock" 1 sleep 60 &
keeper=$!
rm "$book"
for n in 1 2 3 4 5 6; do
	give "$(task "m-$n" "$n" ok '"ms":100')" >"$work/answer"
done
kill $keeper
gone $keeper
pools=
for n in 1 2 3 4 5 6 7 8; do
	"$app" work --until-idle 2>>"$run/stderr" &
	pools="$pools $!"
done
# shellcheck disable=SC2086 # a list of words
ends $pools

# remain N - so many of these pools still run.
remain() {
	remaining=0
	for pool in $pools; do
		runs "$pool" && remaining=$((remaining + 1))
	done
	[ $remaining = "$1" ]
}
claim "of eight pools that start at once, one stays" until_true 10 remain 1
claim "it does all the work" \
    until_true 10 done_are m-1 m-2 m-3 m-4 m-5 m-6
claim "... alone" same 1 "$(cut -d ' ' -f 6 "$book" | sort -u | wc -l)"
claim "... and leaves when it is idle" until_true 10 remain 0

# A parent is killed, at any time; the next pool waits for all its workers.
followed() {
	works
	give "$(task "k-$1" "$1" ok '"ms":30')" >"$work/answer"
	now_and_then "$1"
	old=$(cat "/proc/$service/task/$service/children")
	kill -9 "$service"
	while runs "$service"; do :; done
	"$app" work 2>>"$run/stderr" &
	service=$!
	ends $service
	until_true 10 serves || return 1
	for worker in $old; do
		! runs "$worker" || { echo "worker $worker still runs"; return 1; }
	done
	until_true 10 done_are "k-$1" || return 1
	kill "$service"
	gone "$service"
}

all_followed() {
	for n in $(seq 20); do
		followed "$n" || { echo "round $n"; return 1; }
	done
}
inbox=$run/killed
with_inbox "workers = 3"
claim "a pool begins when all workers of a killed one are gone" all_followed
until_true 10 no_pool

# A worker is killed while nothing runs: it is replaced, and no event waits.
works
has_three() {
	[ "$(wc -w <"/proc/$service/task/$service/children")" = 3 ]
}
until_true 10 has_three
worker=$(cut -d ' ' -f 1 "/proc/$service/task/$service/children")
kill -9 "$worker"
gone "$worker"
give_all "w-1 1 ok" "w-2 2 ok"
claim "the log says that it was killed" \
    until_true 10 has "$log" "a worker ended: killed"
claim "a worker that is killed idle is replaced" until_true 10 has_three
claim "events are handled meanwhile" until_true 10 done_are w-1 w-2
kill "$service"
gone "$service"

done_testing
