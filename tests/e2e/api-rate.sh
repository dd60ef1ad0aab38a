# api-rate.sh - 20 calls per second and token, for any number of processes.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf

# The shared file, see src/vk/rate.h: the number of slots taken, modulo twenty, and
# the time of the last slot in nanoseconds.
turns() {
	od -A n -t u4 -j 4 -N 4 "$work"/state/rate-* | tr -d ' '
}
last_turn() {
	od -A n -v -t d8 -j 8 -N 160 "$work"/state/rate-* | tr -s ' ' '\n' |
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

claim "every process got all its slots" same 8 \
    "$(grep -l '^ok$' "$work"/answer? | wc -l)"
claim "all messages were sent" same 121 "$(sent)"
# On a slow machine a call may come late: VK refuses it, and it is retried.
claim "VK hardly ever refuses a call as too many" \
    test "$(grep -c '^[^ ]* 6 ' "$vk/calls")" -le 12
claim "the calls take more than six seconds" \
    test "$took" -ge 6120000000
claim "all processes share one file" same 1 \
    "$(find "$work/state" -type f | wc -l)"
claim "the file has one slot per call" same "$(turns)" \
    $(($(grep -c '^messages.send ' "$vk/calls") % 20))

# strangers N - so many CGI programs get a confirmation from a stranger.
strangers() {
	sed "s,^secret.*,secret = none,; /^confirmation/d
	    s,^state,keys = $work/no-keys\\n&," "$VKCB_CONF" >"$work/open.conf"
	chmod 600 "$work/open.conf"
	for _ in $(seq "$1"); do
		cgi "$bodies/confirmation.json" VKCB_CONF="$work/open.conf"
	done
}
vk_control reset
strangers 9 >"$work/confirmed"
claim "nine requests of strangers cause one query of VK" \
    same 1 "$(grep -c '^groups.getCallbackConfirmationCode' "$vk/calls")"
claim "the first stranger gets the string of VK" \
    same 1 "$(grep -c '200 OK' "$work/confirmed")"

vk_control reset
printf 'broken' >"$work/file" && cp "$work/file" "$work"/state/rate-*
claim "a damaged file is replaced" same "200 ok" "$(say "many 1" r1)"
sed "s,^state.*,state = $work/not/there," "$VKCB_CONF" >"$work/other.conf"
chmod 600 "$work/other.conf"
VKCB_CONF=$work/other.conf
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
claim "without the shared folder there is a file in TMPDIR" same "200 ok" \
    "$(say "many 1" r2)"
claim "the file in TMPDIR belongs to its user alone" same "-rw-------" \
    "$(stat -c %A "$work/tmp/vkcb-$(id -u)"-rate-*)"
claim "the log names the missing folder, with advice" grep -q \
    "counted for each user alone: .*$work/not/there: .*set .state" "$work/log"
ln "$work/tmp/vkcb-$(id -u)"-rate-* "$work/tmp/second"
claim "a file in TMPDIR with a second name is refused" \
    same "200 ok" "$(say "many 2" r3)"
claim "the log names a refused file, once" \
    same 1 "$(grep -c 'are not counted' "$work/log")"

sed "s,^state.*,state = $work/not/there," "$work/open.conf" >"$work/alone.conf"
chmod 600 "$work/alone.conf"
calls=$(grep -c '^groups.getCallbackConfirmationCode' "$vk/calls")
VKCB_CONF="$work/alone.conf" "$vkcb" trigger --count 5 confirmation \
    >/dev/null 2>&1
claim "without any folder a process still queries VK once for strangers" \
    same $((calls + 1)) \
    "$(grep -c '^groups.getCallbackConfirmationCode' "$vk/calls")"

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
claim "a file in one user's folder belongs to that user" \
    same 600 "$(shared_as 755)"
claim "a file in a group's folder belongs to the group, with any umask" \
    same 660 "$(shared_as 2775)"
claim "a file in everybody's folder is everybody's" same 666 "$(shared_as 1777)"

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
	claim "another user of the folder's group shares the file" \
	    by www-data games
	claim "the group's folder has no second file" \
	    same 1 "$(find "$work/shared" -type f | wc -l)"
	shared_as 1777 >/dev/null
	rm "$work"/shared/*
	claim "everybody has a file in everybody's folder" by daemon
	claim "another user shares the file in everybody's folder" by www-data
	claim "root shares the file in everybody's folder" by root
else
	skip "only root can be two users" 6
fi

done_testing
