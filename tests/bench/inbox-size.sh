# inbox-size.sh - storing and working with many events in the inbox, against few
. tests/lib.sh

# 10 million take some GB and minutes: EVENTS=10000000 tests/bench/run FILE
events=${EVENTS:-1000000}
bench=$root/$O/tests/bench/inbox
store=$work/store
mkdir "$store"
cat >"$work/vkcb.conf" <<END
[vkcb]
inbox = $store/inbox
log = $work/log
log_level = error
workers = 1
[default]
secret = none
END
export VKCB_CONF="$work/vkcb.conf"

# fill N - N done events, as the store writes them.
fill() {
	sqlite3 "$store/inbox" >"$work/fill" <<-END
		PRAGMA synchronous = OFF;
		BEGIN;
		DROP INDEX event_hash;
		WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL
		    SELECT x + 1 FROM n WHERE x < $1)
		INSERT INTO event SELECT NULL, random(), 7,
		    hex(randomblob(20)), 'message_new', '5.199', 0,
		    unixepoch() * 1000, '7/' || (x % 100000),
		    zeroblob(100), NULL FROM n;
		CREATE INDEX event_hash ON event (hash);
		INSERT INTO task SELECT id, 0, 'greet', 2, 1, 0, received,
		    received, '', NULL FROM event WHERE group_id = 7;
		COMMIT;
		PRAGMA wal_checkpoint (TRUNCATE);
	END
}

# rates - events stored and handled per second, the median of three runs.
rates() {
	for _ in 1 2 3; do
		stored=$("$bench" inbox 1 500 "$store")
		begun=$(date +%s%N)
		"$vkcb" work --once
		ended=$(date +%s%N)
		echo "$stored $((stored * 500000000 / (ended - begun)))"
	done | sort -n | sed -n 2p
}

rates >"$work/small"
fill "$events"
rates >"$work/large"
cat "$work/small" "$work/large" | awk -v events="$events" '
	NR == 1 { stored = $1; worked = $2 }
	NR == 2 {
		printf "with %d events: storing %.2f, working %.2f of what " \
		    "it is with few\n", events, $1 / stored, $2 / worked
	}'
