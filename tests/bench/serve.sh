# serve.sh - CPU and memory of a responder behind nginx, against a null responder
. tests/lib.sh
rounds=3
seconds=2

cat >"$work/vkcb.conf" <<'END'
[vkcb]
log_level = warning
repeats = again
[group 219876543]
secret = Kf7vQ2mXw9aLcR4t
END

# A configuration of 1,000 groups, ours in the middle.
{
	printf '[vkcb]\nlog_level = warning\nrepeats = again\n'
	for id in $(seq 219876043 219877042); do
		printf '[group %s]\nsecret = Kf7vQ2mXw9aLcR4t\n' "$id"
	done
} >"$work/thousand.conf"

# responders NAME COMMAND - two processes on a socket; their pids to NAME.pids.
responders() {
	spawn-fcgi -s "$work/$1.sock" -F 2 -b 511 -M 0666 -P "$work/$1.pids" \
	    -- "$2" >/dev/null || exit 1
	# shellcheck disable=SC2046 # a list of pids
	ends $(cat "$work/$1.pids")
}

export VKCB_CONF="$work/vkcb.conf"
responders vkcb "$vkcb"
export VKCB_CONF="$work/thousand.conf"
responders thousand "$vkcb"
responders null "$root/$O/tests/bench/null-responder"

port=$(free_port)
mkdir "$work/tmp"
cat >"$work/nginx.conf" <<END
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
worker_processes 1;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path $work/tmp;
	fastcgi_temp_path $work/tmp;
	proxy_temp_path $work/tmp;
	uwsgi_temp_path $work/tmp;
	scgi_temp_path $work/tmp;
	client_body_buffer_size 64k;
	server {
		listen 127.0.0.1:$port;
		include /etc/nginx/fastcgi_params;
		location /vkcb { fastcgi_pass unix:$work/vkcb.sock; }
		location /thousand { fastcgi_pass unix:$work/thousand.sock; }
		location /null { fastcgi_pass unix:$work/null.sock; }
	}
}
END
/usr/sbin/nginx -c "$work/nginx.conf" -p "$work" >/dev/null 2>&1 &
ends $!
for name in vkcb thousand null; do
	until_true 5 curl -sf -o /dev/null --data-binary \
	    @tests/bench/small.json "http://127.0.0.1:$port/$name" ||
	    { echo "$name does not answer" >&2; exit 1; }
done

# ticks NAME - CPU time of the processes so far, in clock ticks.
ticks() {
	for pid in $(cat "$work/$1.pids"); do
		cut -d' ' -f14,15 "/proc/$pid/stat"
	done | awk '{ n += $1 + $2 } END { print n }'
}

# round NAME BODY - the number of requests and their clock ticks.
round() {
	sed "s|BODY|$2|" >"$work/post.lua" <<-'END'
		local file = io.open("BODY")
		wrk.method = "POST"
		wrk.body = file:read("*a")
	END
	before=$(ticks "$1")
	wrk -t 1 -c 4 -d ${seconds}s -s "$work/post.lua" \
	    "http://127.0.0.1:$port/$1" >"$work/wrk.out"
	! grep 'Non-2xx' "$work/wrk.out" >&2 || exit 1
	served=$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$work/wrk.out")
	echo "$1 $served $(($(ticks "$1") - before))"
}

hertz=$(getconf CLK_TCK)
for size in small large; do
	for _ in $(seq $rounds); do
		for name in null vkcb thousand; do
			round $name "$root/tests/bench/$size.json"
		done
	done | awk -v hertz="$hertz" -v size=$size '
		{ served[$1] += $2; ticks[$1] += $3 }
		function us(name) {
			return ticks[name] / hertz * 1e6 / served[name]
		}
		END {
			printf "%s message_new, CPU per event: null responder " \
			    "%.0f us, vkcb %.2f of that, with 1,000 groups " \
			    "%.2f of vkcb\n", size, us("null"),
			    us("vkcb") / us("null"), us("thousand") / us("vkcb")
		}'
done

# pss NAME - proportional memory of a process, in KB.
pss() {
	for pid in $(cat "$work/$1.pids"); do
		sed -n 's/^Pss: *\([0-9]*\).*/\1/p' "/proc/$pid/smaps_rollup"
	done | awk '{ n += $1 } END { printf "%d", n / NR }'
}
echo "memory per process: null responder $(pss null) KB, vkcb $(pss vkcb) KB"
