# inbox-misbehave.sh - who takes what is not theirs: it costs nobody else.
. tests/inbox.sh

# failed_with STATUS COMMAND ...
failed_with() {
	wanted=$1
	shift
	"$@"
	[ $? = "$wanted" ]
}

# The lock in other hands; its text names a process that has nothing to do with
# it.
with_inbox
: >"$inbox-lock"
sleep 60 &
other=$!
ends $other
mkfifo "$work/held"
flock "$inbox-lock" cat "$work/held" &
ends $!
exec 3>"$work/held"
echo "$other until-idle" >"$inbox-lock"
claim "workers that find the lock held by nobody they know fail" \
    failed_with 1 timeout 30 sh -c "$app work 2>$work/said"
claim "... and say so" has "$work/said" "-lock is locked, and not by workers"
claim "... and end no other process" kill -0 "$other"
exec 3>&-

done_testing
