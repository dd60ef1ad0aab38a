# hosts.sh - shared by the tests of vkcb behind real web servers. A test sources
# this file in the project's folder: `. tests/hosts.sh`. lib.sh is included.
# shellcheck shell=sh

. tests/lib.sh

secret=Kf7vQ2mXw9aLcR4t
group=219876543
run=$work/run			# sockets, logs: the servers' user writes here
app=$work/app/vkcb		# vkcb with the handlers of tests/handlers
log=$run/vkcb.log
port=$(free_port)
url=http://127.0.0.1:$port/callback
fcgi=$root/$O/tests/tool/fcgi

# The binary with its configuration beside it, as on shared hosting.
mkdir -p "$work/app" "$run"
cp "$root/$O/tests/handlers/vkcb" "$app"

# configure [LINE ...] - replaces vkcb.conf atomically; lines go into [vkcb].
# A body that is sent again runs the handlers again, unless $repeats says once.
configure() {
	{
		printf '[vkcb]\nlog = %s\n' "$log"
		echo "repeats = ${repeats:-again}"
		[ $# = 0 ] || printf '%s\n' "$@"
		printf '[group %s]\nsecret = %s\nold_secret = old-%s\n' \
		    "$group" "$secret" "$secret"
		echo 'confirmation = 7d1a2b3c'
		printf '[group 5]\nsecret = none\n'
	} >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
}
configure

# from_contrib FILE - a file of contrib/ with its paths replaced by ours.
from_contrib() {
	sed -e "s|/usr/local/bin/vkcb|$app|g" \
	    -e "s|/run/[a-z]*/vkcb.socket|$run/vkcb.socket|g" \
	    "$root/contrib/$1"
}

listening() {
	curl -s -o "$work/listening" "http://127.0.0.1:$port/"
}

# starts PID LOG - waits for the server, or ends the test with the server's log.
starts() {
	ends "$1"
	for _ in $(seq 150); do
		listening && return
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	echo "not ok - the server does not start:"
	sed 's/^/    /' "$2"
	exit 1
}

# apache MODULE ... - Apache with these modules and $run/vkcb.conf.
apache() {
	{
		cat <<END
ServerRoot $run
ServerName localhost
PidFile $run/apache.pid
Listen 127.0.0.1:$port
ErrorLog $run/apache.log
Mutex file:$run default
END
		[ "$(id -u)" != 0 ] || printf 'User www-data\nGroup www-data\n'
		for module in mpm_event authz_core alias "$@"; do
			echo "LoadModule ${module}_module" \
			    "/usr/lib/apache2/modules/mod_$module.so"
		done
		cat <<END
<Directory />
	AllowOverride None
	Require all denied
</Directory>
<IfModule mime_module>
	TypesConfig /dev/null
</IfModule>
<IfModule fcgid_module>
	FcgidIPCDir $run/fcgid
	FcgidProcessTableFile $run/fcgid.shm
</IfModule>
<IfModule cgid_module>
	ScriptSock $run/cgid.socket
</IfModule>
Include $run/vkcb.conf
END
	} >"$run/apache.conf"
	[ "$(id -u)" != 0 ] || chown -R www-data "$run"
	apache2 -f "$run/apache.conf" -DFOREGROUND 2>>"$run/apache.log" &
	server=$!
	starts $server "$run/apache.log"
}

# lighttpd_server - lighttpd with $run/vkcb.conf.
lighttpd_server() {
	cat >"$run/lighttpd.conf" <<END
server.document-root = "$run"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$run/lighttpd.log"
server.upload-dirs = ( "$run" )
include "$run/vkcb.conf"
END
	lighttpd -D -f "$run/lighttpd.conf" 2>>"$run/lighttpd.log" &
	server=$!
	starts $server "$run/lighttpd.log"
}

# nginx_server [TEXT] - nginx with $run/vkcb.conf in its server, TEXT before it.
nginx_server() {
	cat >"$run/nginx.conf" <<END
daemon off;
pid $run/nginx.pid;
error_log $run/nginx.log;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events {}
http {
	access_log off;
	client_body_temp_path $run/body;
	fastcgi_temp_path $run/fastcgi;
	proxy_temp_path $run/proxy;
	uwsgi_temp_path $run/uwsgi;
	scgi_temp_path $run/scgi;
	${1-}
	server {
		listen 127.0.0.1:$port;
		include $run/vkcb.conf;
	}
}
END
	nginx -e "$run/nginx.log" -c "$run/nginx.conf" &
	server=$!
	starts $server "$run/nginx.log"
}

# responders N [BACKLOG] - N processes that share $run/vkcb.socket; $responders.
responders() {
	rm -f "$run/vkcb.socket"
	spawn-fcgi -s "$run/vkcb.socket" -M 0666 -b "${2:-1024}" -F "$1" \
	    -P "$run/vkcb.pids" -- "$app" >"$work/spawned" 2>&1 ||
	    { cat "$work/spawned"; exit 1; }
	responders=$(tr '\n' ' ' <"$run/vkcb.pids")
	# shellcheck disable=SC2086 # a list of words
	ends $responders
}

# responder - a process on $run/vkcb.socket, as a child of the test.
responder() {
	rm -f "$run/vkcb.socket"
	spawn-fcgi -n -s "$run/vkcb.socket" -M 0666 -- "$app" &
	responder=$!
	ends $responder
	until_true 10 test -S "$run/vkcb.socket"
}

# event TYPE OBJECT [SECRET [GROUP]] - a body as VK would send it.
event() {
	printf '{"type":"%s","group_id":%s,"event_id":"e1","v":"5.199",' \
	    "$1" "${4:-$group}"
	printf '"object":%s,"secret":"%s"}' "$2" "${3:-$secret}"
}

# message TEXT - a message_new with this text, as a file; prints its name.
message() {
	bodies_made=$(mktemp "$work/body.XXXXXX")
	event message_new "{\"message\":{\"text\":\"$1\"}}" >"$bodies_made"
	echo "$bodies_made"
}

# ask [CURL-OPTION ...] - asks $url; leaves the answer for `answered`.
ask() {
	curl -s -m 20 -H Expect: -D "$work/head" -o "$work/answer" "$@" \
	    "$url"
}

# post FILE [CURL-OPTION ...] - as VK posts it.
post() {
	posted=$1
	shift
	ask -H 'Content-Type: application/json' --data-binary "@$posted" "$@"
}

# answered STATUS BODY [HEADER-LINE ...] - the last answer, byte for byte.
answered() {
	printf %s "$2" >"$work/wanted"
	same "$1" "$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$work/head")" &&
	    cmp "$work/wanted" "$work/answer" &&
	    same "$(stat -c %s "$work/wanted")" "$(header Content-Length)" ||
	    return 1
	shift 2
	for line in "$@"; do
		same "${line#*: }" "$(header "${line%%: *}")" || return 1
	done
}

header() {
	tr -d '\r' <"$work/head" | sed -n "s/^$1: //Ip"
}

# says TEXT STATUS BODY [HEADER-LINE ...] - a message's answer.
says() {
	post "$(message "$1")"
	shift
	answered "$@"
}

# gets FILE STATUS BODY [HEADER-LINE ...] - a body's answer.
gets() {
	post "$1"
	shift
	answered "$@"
}

# given TEXT STATUS BODY - the answer to this text as a body.
given() {
	printf %s "$1" >"$work/given"
	shift
	gets "$work/given" "$@"
}

asked() {
	ask -X "$1"
	shift
	answered "$@"
}

# All answers that need no inbox, the same for every host.
every_answer() {
	refused='Bad Request'
	configure
	claim "GET is answered 405, with Allow" asked GET 405 \
	    "This is a vkcb endpoint: VK posts events here.
" "Allow: POST"
	claim "PUT is answered 405, with Allow" asked PUT 405 \
	    "This is a vkcb endpoint: VK posts events here.
" "Allow: POST"
	claim "no length: 411" no_length
	claim "a chunked body is answered ok, or 411 where the host keeps its \
length to itself" chunked
	head -c 1048577 /dev/zero | tr '\0' ' ' >"$work/long"
	claim "a body longer than max_body: 413" \
	    gets "$work/long" 413 "Content Too Large"
	head -c 1048576 /dev/zero | tr '\0' ' ' >"$work/long"
	claim "a body as long as max_body is read" \
	    gets "$work/long" 400 "$refused"
	: >"$work/empty"
	claim "an empty body: 400" gets "$work/empty" 400 "$refused"
	claim "a body that is not JSON: 400" given 'ok' 400 "$refused"
	claim "JSON that is not an object: 400" given '[1]' 400 "$refused"
	claim "bytes after the object: 400" \
	    given '{"type":"t","group_id":1} x' 400 "$refused"
	claim "invalid UTF-8: 400" given \
	    "$(printf '{"type":"\300\200","group_id":1}')" 400 "$refused"
	claim "no type: 400" given '{"group_id":1}' 400 "$refused"
	claim "a group that is not a positive number: 400" \
	    given '{"type":"t","group_id":-1}' 400 "$refused"
	claim "an unknown group: 403" given "$(event message_new '{}' x 77)" \
	    403 "Unknown Group"
	claim "a wrong secret: 403" \
	    given "$(event message_new '{}' wrong)" 403 "Bad Secret"
	claim "no secret: 403" given \
	    "{\"type\":\"message_new\",\"group_id\":$group,\"object\":{}}" \
	    403 "Bad Secret"
	claim "a secret with the right one as prefix: 403" given \
	    "$(event message_new '{}' "${secret}x")" 403 "Bad Secret"
	claim "the old secret: ok" \
	    given "$(event message_new '{}' "old-$secret")" 200 ok
	claim "a confirmation: the string and no other byte" \
	    gets "$bodies/confirmation.json" 200 7d1a2b3c
	claim "no confirmation string: 404" \
	    given '{"type":"confirmation","group_id":5}' 404 \
	    "No Confirmation String"
	claim "an event: ok" gets "$bodies/message_new.json" 200 ok
	claim "an event that no handler takes: ok" \
	    gets "$bodies/photo_new.json" 200 ok
	claim "an event that vkcb does not know: ok" \
	    given "$(event unlisted_event '{"a":1}')" 200 ok
	claim "a handler that fails: 500" says fail 500 "Handler Failed"
	claim "vkcb_retry_after with 410" says "retry 410 1" 410 \
	    "Try Again Later" "Retry-After: 1"
	claim "vkcb_retry_after with 429" says "retry 429 0" 429 \
	    "Try Again Later" "Retry-After: 0"
	claim "vkcb_retry_after with 503" says "retry 503 10799" 503 \
	    "Try Again Later" "Retry-After: 10799"
	claim "vkcb_remove: remove" says remove 200 remove
	claim "vkcb_set_version: version" \
	    says "version 5.199" 200 "version 5.199"
	claim "an object that cannot be decoded: 400" \
	    given "$(event message_new 1)" 400 "$refused"
	claim "a handler's output is not part of the answer" \
	    says talk 200 ok
	claim "the retry counter reaches the log" retry_counter
	claim "a client that disconnects in its request ends no process" \
	    leaves_early
	claim "a client that disconnects before the answer ends no process" \
	    leaves_before_the_answer
	claim "sixteen clients at once are all answered ok" crowd 16 5
	claim "a changed configuration is reloaded" changed_configuration
	claim "no secret is in the log" lacks "$log" "$secret"
}

# Hosts differ: $no_length_is lighttpd's own page, or mod_fcgid's length of 0.
no_length() {
	ask -X POST -H 'Content-Length:'
	case ${no_length_is-} in
	page) grep -q '^HTTP/1.1 411' "$work/head" ;;
	empty) answered 400 'Bad Request' ;;
	*) answered 411 'Length Required' ;;
	esac
}

chunked() {
	post "$bodies/message_new.json" -H 'Transfer-Encoding: chunked'
	answered 200 ok || answered 411 'Length Required'
}

retry_counter() {
	post "$bodies/message_new.json" -H 'X-Retry-Counter: 3'
	answered 200 ok && has "$log" 'retry=3'
}

# The client announces 100 bytes, sends 4 and disconnects.
leaves_early() {
	printf '{"a"' >"$work/early"
	post "$work/early" -H 'Content-Length: 100' -m 0.3
	gets "$bodies/message_new.json" 200 ok
}

# hold NAME - a client, $!, whose handler runs until $run/NAME.go exists.
hold() {
	rm -f "$run/$1.held" "$run/$1.go"
	held=$(message "hold $run/$1")
	curl -s -m 20 -H Expect: -o "$run/$1.answer" --data-binary "@$held" \
	    "$url" &
}

leaves_before_the_answer() {
	hold left
	client=$!
	until_true 10 test -e "$run/left.held" || return 1
	kill $client
	wait $client
	: >"$run/left.go"
	until_true 10 grep -q 'let go' "$log" &&
	    gets "$bodies/message_new.json" 200 ok
}

# crowd CLIENTS EACH - CLIENTS clients send EACH events each.
crowd() {
	crowded=$(mktemp -d "$work/crowd.XXXXXX")
	clients=
	for client in $(seq "$1"); do
		# shellcheck disable=SC2046 # a list of words
		curl -s -m 20 -H Expect: --data-binary \
		    "@$bodies/message_new.json" -w ' %{http_code}\n' \
		    $(yes "$url" | head -n "$2") >"$crowded/$client" &
		clients="$clients $!"
	done
	# shellcheck disable=SC2086 # a list of words
	wait $clients
	same "$(($1 * $2)) ok 200" \
	    "$(cat "$crowded"/* | sort | uniq -c | sed 's/^ *//')"
}

# Processes reload a change with their next request; an invalid one is logged.
changed_configuration() {
	sed 's/7d1a2b3c/new-code/' "$work/app/vkcb.conf" >"$work/app/new.conf"
	mv "$work/app/new.conf" "$work/app/vkcb.conf"
	for _ in $(seq 8); do
		gets "$bodies/confirmation.json" 200 new-code || return 1
	done
}
