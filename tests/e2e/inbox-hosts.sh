# inbox-hosts.sh - workers that an event starts leave their web server for good;
# two services at once; a clock that is set back.
. tests/inbox.sh

with_inbox "backoff = 2s"

# leaves_host - the answer comes before the handler ends, and the end of the
# web server is not that of the handler.
leaves_host() {
	rm -f "$book"
	post "$(task "$1" 1 ok '"ms":3000')"
	claim "$2: an event is answered before it is handled" \
	    same "ok " "$(cat "$work/answer") $(grep -s ^end "$book")"
	claim "$2: it is being handled" booked_has begin
	claim "$2: a signal for the web server's group is none for the pool" \
	    same "$(owner)" "$(ps -o sid= -p "$(owner)" | tr -d ' ')"
	claim "$2: no descriptor of the web server is open, but for errors" \
	    same 0 "$(find "/proc/$(owner)/fd" ! -name 2 -printf '%l\n' |
	    grep -c -e socket: -e pipe:)"
	kill $server
	gone $server
	claim "$2: it is handled to its end without the web server" \
	    booked_has end
	until_true 20 no_pool
}

if [ "$(id -u)" = 0 ]; then
	chown www-data "$run"
fi
from_contrib apache-cgi.conf >"$run/vkcb.conf"
apache cgid
leaves_host a-1 "Apache, CGI"
rm -f "$inbox"*
from_contrib apache-fcgid.conf >"$run/vkcb.conf"
apache fcgid
leaves_host a-2 "Apache, FastCGI"
rm -f "$inbox"* "$log"
[ "$(id -u)" != 0 ] || chown root "$run"
from_contrib lighttpd-cgi.conf >"$run/vkcb.conf"
lighttpd_server
leaves_host a-3 "lighttpd, CGI"
from_contrib lighttpd-fastcgi.conf >"$run/vkcb.conf"
lighttpd_server
leaves_host a-4 "lighttpd, FastCGI"

# Of two that start together one stays.
one_stays() {
	"$app" work 2>"$work/first" &
	one=$!
	"$app" work 2>"$work/second" &
	two=$!
	ends "$one" "$two"
	until_true 10 one_is_gone || return 1
	until_true 10 is_working || return 1
	kill "$one" "$two" 2>/dev/null
	gone "$one" && gone "$two" &&
	    same 1 "$(cat "$work/first" "$work/second" |
	    grep -c "work: already running")"
}

one_is_gone() {
	[ "$(kill -0 "$one" 2>/dev/null; echo $?)" != \
	    "$(kill -0 "$two" 2>/dev/null; echo $?)" ]
}
for _ in 1 2 3; do
	claim "of two services that start at once, one stays" one_stays
done
# Both find workers that an event started, at work for another moment.
until_true 20 no_pool
rm -f "$book"
give "$(task d-1 9 ok '"ms":700')" >/dev/null
booked_has "begin 9 1 1"
claim "also when both take over from workers of an event" one_stays
claim "... which finish what they do" booked_has "end 9 1 1"

cat >"$work/clock.c" <<'END_C'
/* The clock on the wall, moved by what the file $CLOCK says. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t id, struct timespec *now)
{
	long moved = 0, result = syscall(SYS_clock_gettime, id, now);
	FILE *file = id == CLOCK_REALTIME ? fopen(getenv("CLOCK"), "r") : NULL;

	if (file != NULL && fscanf(file, "%ld", &moved) == 1)
		now->tv_sec += moved;
	if (file != NULL)
		fclose(file);
	return (int)result;
}
END_C
cc -shared -fPIC -o "$work/clock.so" "$work/clock.c"
CLOCK=$work/clock
export CLOCK
echo 0 >"$CLOCK"
rm -f "$book"
LD_PRELOAD=$work/clock.so works
give_all "b-1 2 fail \"until\":2" "b-2 2 ok"
booked_has "begin 2 1 1"
echo -7200 >"$CLOCK"
give "$(task b-3 3 ok)" LD_PRELOAD="$work/clock.so" >/dev/null
claim "with the clock set back an event is handled" booked_has "end 3 3 1"
claim "and one that waits is tried again in its time, in order" \
    booked_has "end 2 2 1"
claim "once" same "begin 2 1 1;begin 2 1 2;end 2 1 2;begin 2 2 1;end 2 2 1;" \
    "$(grep '^[a-z]* 2 ' "$book" | cut -d ' ' -f 1-4 | tr '\n' ';')"
# By -7199 or -7200: it is cut to seconds.
claim "the log has it" has "$log" "the clock was set by -7"

done_testing
