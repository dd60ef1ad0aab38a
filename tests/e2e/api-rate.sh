# api-rate.sh - 20 calls a second per token, whatever number of processes.
. tests/lib.sh
. tests/vk.sh
start_vk
vk_conf
build_talk

# What the shared file holds, see src/rate.h: how many turns were taken, of the
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
chmod 777 "$work/tmp/vkcb-$(id -u)"
claim "a folder that others could write to is not trusted" \
    same "200 ok" "$(say "many 2" r3)"
claim "... which the log says, once" \
    same 1 "$(grep -c 'counted in each process alone' "$work/log")"

done_testing
