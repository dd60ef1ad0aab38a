# inbox-storm-cgi.sh - kill -9 of anything, under load, behind lighttpd as CGI;
# a service works, which something like systemd starts again when it dies.
. tests/inbox.sh

with_inbox "backoff = 20ms" "attempts = 40" "log_level = warning"
from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
lighttpd_server
(
	trap 'kill $worker; exit 0' TERM
	while :; do
		"$app" work 2>>"$run/stderr" &
		worker=$!
		wait $worker
	done
) &
keeper=$!
ends $keeper
claim "all events are taken in the end, while 300 processes are killed" \
    storm 300 10
kill $keeper
gone $keeper
all_is_well

done_testing
