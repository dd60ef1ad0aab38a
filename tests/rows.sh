# rows.sh - shared by the tests with many stored events: writes them as the
# store does, but at once. Older rows have no sum either.
# shellcheck shell=sh disable=SC2154 # the caller's variables

# fill FIRST LAST STATE DUE DO PEERS RECEIVED - events of ids FIRST to LAST.
# State 0 waits; RECEIVED and DUE are SQL.
fill() {
	sqlite3 "$inbox" >"$work/fill" <<-END
		PRAGMA synchronous = OFF;
		BEGIN;
		CREATE TEMP TABLE n AS WITH RECURSIVE n (x) AS (SELECT $1
		    UNION ALL SELECT x + 1 FROM n WHERE x < $2)
		    SELECT x, x % $6 AS peer FROM n;
		INSERT INTO event SELECT x, random(), $group, 'stored-' || x,
		    'test_task', '5.199', 0, $7, '$group/' || peer,
		    '{"book":"$book","peer_id":' || peer || ',"seq":"' || x ||
		    '","do":"$5"}', NULL FROM n;
		INSERT INTO task SELECT x, 0, 'task', $3, 0, $4, 0, 0, '', NULL
		    FROM n;
		INSERT INTO queue SELECT x, '$group/' || peer, 0, $4,
		    x < $1 + $6, 0 FROM n WHERE $3 = 0;
		COMMIT;
		PRAGMA wal_checkpoint (TRUNCATE);
	END
}

# puts N ID-PREFIX - gives N events of new conversations; the answers, counted.
puts() {
	for i in $(seq "$1"); do
		give "$(task "$2-$i" "90000$i" ok)"
		echo
	done | sort | uniq -c | sed 's/^ *//'
}
