# storm.sh - 10,000 events each by FastCGI and by CGI, while processes are
# killed.
. tests/inbox.sh

# storm_of EVENTS - as `storm`, until so many were taken.
storm_of() {
	rm -f "$work/stop"
	"$root/$O/tests/tool/vk-sender" "$port" "$group" "$secret" "$book" \
	    12 2 900 "$work/stop" >"$work/taken" &
	sender=$!
	ends $sender
	: >"$work/killed"
	until [ "$(wc -l <"$work/taken")" -ge "$1" ]; do
		"$root/$O/tests/tool/killer" "$app" 20 25 40 "$work/killed" ||
		    return 1
	done
	: >"$work/stop"
	wait $sender
}

for host in fastcgi cgi; do
	with_inbox "backoff = 20ms" "attempts = 40" "log_level = error"
	rm -f "$inbox"* "$book"
	from_contrib lighttpd-$host.conf |
	    sed 's/"max-procs" => 2/"max-procs" => 4/' >"$run/vkcb.conf"
	lighttpd_server
	claim "$host: 10,000 events are taken" storm_of 10000
	all_is_well
	kill "$server"
	gone "$server"
done

done_testing
