# host-nginx.sh - vkcb behind nginx, started by spawn-fcgi: each request on a
# connection of its own, then on kept ones, then with a short queue.
. tests/hosts.sh

from_contrib nginx.conf >"$run/vkcb.conf"
responders 2
nginx_server
every_answer

# Requests are queued while the only process is busy; none is refused.
queue() {
	hold queue
	holder=$!
	until_true 10 test -e "$run/queue.held" || return 1
	crowd 20 1 &
	crowding=$!
	until_true 10 connected 21
	: >"$run/queue.go"
	wait $crowding && wait $holder && same ok "$(cat "$run/queue.answer")"
}

# connected N - so many clients are connected to nginx.
connected() {
	same "$1" "$(grep -c "^ *[0-9]*: 0100007F:$(printf %04X "$port") \
[^ ]* 01 " /proc/net/tcp)"
}

restart() {
	# shellcheck disable=SC2086 # a list of words
	kill "$server" $responders
	for pid in $server $responders; do
		gone "$pid"
	done
	responders "$1" "$2"
	nginx_server "${3-}"
}

restart 1 1
claim "a queue of one, the process busy: 20 clients are answered ok" queue

from_contrib nginx.conf |
    sed 's|fastcgi_pass .*|fastcgi_pass vkcb; fastcgi_keep_conn on;|' \
    >"$run/vkcb.conf"
restart 1 1024 "upstream vkcb {
	server unix:$run/vkcb.socket;
	keepalive 16;
}"
claim "nginx keeps connections to one process: 16 clients are answered ok" \
    crowd 16 10
every_answer

done_testing
