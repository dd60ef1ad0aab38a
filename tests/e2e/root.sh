# root.sh - root runs commands on the files of a user who has put links there:
# no file of root's or of another user's changes, and what is made is the user's.
. tests/inbox.sh

if [ "$(id -u)" != 0 ]; then
	echo "ok - not root: there is no other user's folder to test"
	done_testing
fi

lib=$work/lib
inbox=$lib/inbox
here=$work/target		# root's, or another user's
words="not the user's: do not touch"

as_user() {
	setpriv --reuid=daemon --regid=daemon --clear-groups "$@"
}

# root_conf LINE ... - vkcb.conf, which the user may read.
root_conf() {
	configure "$@"
	chmod 644 "$VKCB_CONF"
}

# stores - the user's web server stores an event; its pool is gone afterwards.
stores() {
	vkcb=$work/as-user
	printf '#!/bin/sh\nexec setpriv --reuid=daemon --regid=daemon \
	    --clear-groups %s "$@"\n' "$app" >"$vkcb"
	chmod 755 "$vkcb"
	cgi "$(task a-1 1 ok)" >"$work/answer" && same ok "$(tail -n 1 \
	    "$work/answer")" && until_true 30 no_pool
}

# target OWNER - a file that nobody else may write to.
target() {
	rm -f "$here"
	printf '%s' "$words" >"$here"
	chmod 600 "$here"
	chown "$1" "$here"
}

untouched() {
	same "$words $1 600" "$(cat "$here") $(stat -c '%U %a' "$here")"
}

commands='check
status
inbox list --all
inbox show 1
inbox retry --failed
inbox drop 1
work --once
trigger group_join'

# run_as_root COMMAND - "request" is a responder's, which logs.
run_as_root() {
	if [ "$1" = request ]; then
		vkcb=$app cgi "$work/request"
		return
	fi
	# shellcheck disable=SC2086 # words
	timeout 1 "$app" $1 </dev/null
}

# each_command OWNER LINK ... - all commands, with each of these as a link.
each_command() {
	each_owner=$1
	shift
	for link; do
		echo "$commands" >"$work/commands"
		while read -r command; do
			target "$each_owner"
			mv "$link" "$link.away" 2>"$work/none"
			as_user ln -s "$here" "$link"
			run_as_root "$command" >"$work/out" 2>&1
			untouched "$each_owner" ||
				{ echo "vkcb $command, $link"; return 1; }
			rm -f "$link"
			mv "$link.away" "$link" 2>"$work/none"
		done <"$work/commands"
	done
	return 0
}

all_links() {
	each_command "$1" "$inbox" "$inbox-wal" "$inbox-shm" "$inbox-lock" \
	    "$inbox-turn"
}

# folder MODE OWNER - a new folder with an inbox of the user's in it.
folder() {
	rm -rf "$lib"
	mkdir "$lib"
	chmod "$1" "$lib"
	chown "$2" "$lib"
	stores
}

chmod 711 "$run" "$work/app"
root_conf "inbox = $inbox"
sed -i '/^log/d' "$VKCB_CONF"
book=/dev/null
for kind in "700 daemon root" "1777 root nobody"; do
	# shellcheck disable=SC2086 # words
	set -- $kind
	claim "in a folder of $2's, mode $1, is an inbox of the user's" \
	    folder "$1" "$2"
	claim "... no link leads root to a file of $3's" all_links "$3"
	claim "... root makes nothing there that is not the user's" \
	    same daemon "$(find "$lib" -type f -printf '%u\n' | sort -u)"
done

# A second name is worse than a link: nothing tells it from the file itself.
second_names() {
	for name in -lock -turn -wal -shm -reserve; do
		target root
		rm -f "$inbox$name"
		ln "$here" "$inbox$name"
		timeout 1 "$app" work --once >"$work/out" 2>&1
		untouched root || { echo "$name"; return 1; }
		rm -f "$inbox$name"
	done
}
folder 700 daemon
claim "a second name of root's file is not opened" second_names

# state - names, owners and bytes.
state() {
	find "$lib" -printf '%P %u %m\n' | sort
	find "$lib" -type f -exec sha256sum {} + | sort
}

looks() {
	before=$(state)
	for command in check status "inbox list --all" "inbox show 1"; do
		# shellcheck disable=SC2086 # words
		"$app" $command >"$work/out" 2>&1
		same "$before" "$(state)" || { echo "$command"; return 1; }
	done
}
folder 700 daemon
claim "commands that only look change nothing" looks
rm -f "$lib"/*
claim "... and make nothing" looks

# The write-ahead log of a pool that was killed is still there.
killed_pool() {
	vkcb=$work/as-user
	cgi "$(task c-1 1 ok)" >"$work/answer" &&
	    until_true 10 grep -q '^[1-9]' "$inbox-lock" &&
	    kill -9 "$(cat "$inbox-lock")" && until_true 10 no_pool &&
	    [ -s "$inbox-wal" ]
}
claim "a pool is killed" killed_pool
claim "... commands that only look change nothing" looks

working_as() {
	"$app" work >"$work/out" 2>&1 &
	service=$!
	ends "$service"
	until_true 10 is_by "$1"
	is_by "$1"
	is_status=$?
	kill "$service"
	gone "$service"
	return $is_status
}

# All four ids of the process, and no group of root's.
is_by() {
	id=$(id -u "$1")
	grep -q "^Uid:	$id	$id	$id	$id$" "/proc/$service/status" &&
	    ! grep -q "^Groups:.*	0 " "/proc/$service/status"
}
claim "root's workers are the owner's of the inbox" working_as daemon
rm -rf "$lib"
install -d -m 700 "$lib"
claim "root's own inbox has root's" working_as root

# says TEXT [COMMAND] - root's command fails with these words.
says() {
	# shellcheck disable=SC2086 # words
	timeout 10 "$app" ${2-status} >"$work/out" 2>"$work/err"
	same 1 $? && has "$work/err" "$1"
}
chmod 1777 "$lib"
rm -f "$lib"/*
claim "root makes no inbox where others may write" says \
    "a folder to which others may write: run vkcb as the user" "work --once"
chmod 777 "$lib"
chown daemon "$lib"
claim "an inbox where everybody may replace it is refused" \
    says "everybody may replace files in its folder: chmod o-w" "work --once"
folder 700 daemon
chown nobody "$inbox"
claim "an inbox in the folder of a third user is refused" \
    says "it belongs to nobody, its folder to daemon: chown both"
chown daemon "$inbox"
chmod 600 "$VKCB_CONF"
claim "root's configuration must be readable for the owner" \
    says "daemon, whom $inbox belongs to, may not read it: chgrp"
chmod 644 "$VKCB_CONF"

# Without an inbox the keys' owner counts, else the log's.
rm -rf "$lib"
install -d -o daemon -m 700 "$lib"
root_conf "keys = $lib/keys"
log=$lib/log
root_conf "keys = $lib/keys"
claim "no link for keys or log leads root to a file of root's" \
    each_command root "$lib/keys" "$lib/keys.lock" "$log"
commands=request
cp "$(task b-1 1 ok)" "$work/request"
claim "... also of a responder" each_command root "$log"
root_conf
claim "... also where there is only a log" each_command root "$log"
rm -f "$log"
vkcb=$app
cgi "$bodies/confirmation.json" >"$work/answer"
claim "a log that root's responder makes is the folder's owner's" \
    same daemon "$(stat -c %U "$log")"
install -d -m 755 "$work/roots"
root_conf "keys = $work/roots/keys"
claim "no link leads root's log out of a user's folder" \
    each_command root "$log"

done_testing
