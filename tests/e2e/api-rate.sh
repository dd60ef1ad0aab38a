# api-rate.sh - 20 calls a second per token, whatever number of processes.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf

# What the shared file holds, see src/vk/rate.h: how many turns were taken, of the
# last twenty; and when the last one was, in nanoseconds.
turns() {
	od -A n -t u4 -j 4 -N 4 "$work"/state/rate-* | tr -d ' '
}
last_turn() {
	od -A n -v -t d8 -j 8 "$work"/state/rate-* | tr -s ' ' '\n' |
	    sort -n | tail -n 1
}

say "many 1" rate0 >/dev/null
first=$(last_turn)

# Eight CGI programs at once, 15 messages each.
running=
for i in 1 2 3 4 5 6 7 8; do
	message "many 15" "rate$i" >"$work/body$i"
	cgi "$work/body$i" >"$work/answer$i" &
	running="$running $!"
done
for pid in $running; do
	wait "$pid"
done
took=$(($(last_turn) - first))
echo "# 120 calls took $((took / 1000000)) ms"

claim "every process got all its turns" same 8 \
    "$(grep -l '^ok$' "$work"/answer? | wc -l)"
claim "... all was sent" same 121 "$(sent)"
# A call may come late where the machine is slow: VK then says so, and it is
# made again.
claim "VK hardly ever had to say that it was too much" \
    test "$(grep -c '^[^ ]* 6 ' "$vk/calls")" -le 12
claim "... since it took six times a second and a bit" \
    test "$took" -ge 6120000000
claim "the file is shared by all" same 1 \
    "$(find "$work/state" -type f | wc -l)"
claim "... with one turn for each call" same "$(turns)" \
    $(($(grep -c '^messages.send ' "$vk/calls") % 20))

vk_control reset
printf 'broken' >"$work/file" && cp "$work/file" "$work"/state/rate-*
claim "a broken file is begun anew" same "200 ok" "$(say "many 1" r1)"
sed "s,^state.*,state = $work/not/there," "$VKCB_CONF" >"$work/other.conf"
chmod 600 "$work/other.conf"
VKCB_CONF=$work/other.conf
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
claim "without its folder there is one in TMPDIR" same "200 ok" \
    "$(say "many 1" r2)"
claim "... that is nobody else's" same "drwx------" \
    "$(stat -c %A "$work/tmp/vkcb-$(id -u)")"
claim "... which the log says, with what to do" grep -q \
    "counted for each user alone: .*$work/not/there: .*set .state" "$work/log"
chmod 777 "$work/tmp/vkcb-$(id -u)"
claim "a folder that others could write to is not trusted" \
    same "200 ok" "$(say "many 2" r3)"
claim "... which the log says, once" \
    same 1 "$(grep -c 'counted in each process alone' "$work/log")"

# shared_as MODE - the mode of a file made in a folder of this mode.
shared_as() {
	rm -rf "$work/shared"
	mkdir "$work/shared"
	chmod "$1" "$work/shared"
	sed "s,^state.*,state = $work/shared," "$work/vkcb.conf" \
	    >"$work/shared.conf"
	(
		umask 077
		export VKCB_CONF="$work/shared.conf"
		say "many 1" "mode$1" >/dev/null
	)
	stat -c %a "$work"/shared/rate-*
}
claim "a file in a folder of one user is that user's" \
    same 600 "$(shared_as 755)"
claim "... in a group's it is the group's, whatever the umask" \
    same 660 "$(shared_as 2775)"
claim "... and in everybody's everybody's" same 666 "$(shared_as 1777)"

# by USER - this user's call leaves no word in the log of counting alone.
by() {
	: >"$work/log"
	(
		unset TMPDIR
		vkcb=$work/as-$1
		printf '#!/bin/sh\nexec setpriv --reuid=%s --clear-groups \
		    --regid=%s "%s"\n' "$1" "${2:-$1}" "$work/app/vkcb" >"$vkcb"
		chmod 755 "$vkcb"
		export VKCB_CONF="$work/shared.conf"
		say "many 1" "by$1" >"$work/said"
	)
	same "200 ok" "$(cat "$work/said")" && lacks "$work/log" alone
}
mkdir "$work/app"
cp "$vkcb" "$work/app/vkcb"
if [ "$(id -u)" = 0 ]; then
	shared_as 2775 >/dev/null
	rm "$work"/shared/*
	chgrp games "$work/shared"
	claim "a user of the folder's group has a file in it" by daemon games
	claim "... that another one shares" by www-data games
	claim "... and there is no second" \
	    same 1 "$(find "$work/shared" -type f | wc -l)"
	shared_as 1777 >/dev/null
	rm "$work"/shared/*
	claim "everybody has a file in everybody's folder" by daemon
	claim "... that everybody shares" by www-data
	claim "... root too" by root
else
	skip "only root can be two users" 6
fi

done_testing
