# make-run.sh - `make run`: the demonstration, with and without a terminal.
. tests/lib.sh

mkdir "$work/tmp"
export TMPDIR="$work/tmp"

claim "without a terminal it ends with status 0" \
    make --no-print-directory run O="$O" </dev/null
cp "$work/claim.out" "$work/shown"
claim "a confirmation is shown" has "$work/shown" "  answer   200 7d1a2b3c"
if [ -e handlers/greet.c ]; then
	claim "a greeting is shown" has "$work/shown" "  answer   200 ok"
	claim "and the handler's log line" \
	    has "$work/shown" "handler=greet outcome=ok"
	claim "and what the sender reads" has "$work/shown" "И тебе привет!"
fi
claim "a wrong secret is shown" has "$work/shown" "  answer   403 Bad Secret"
claim "and the log's line" has "$work/shown" 'msg="wrong secret"'
claim "a curl line to try is shown" grep -q "^  curl -d '{.*http://127" \
    "$work/shown"
claim "nothing of it stays" same "" "$(ls "$work/tmp")"

claim "handlers without greet: that is said, and is nothing wrong" \
    env VKCB="$vkcb" contrib/demo </dev/null
cp "$work/claim.out" "$work/shown"
claim "... in a line" has "$work/shown" "handlers/greet.c is not here"

# One that does not greet, though it lists the handler: this must be noticed.
cat >"$work/vkcb" <<END
#!/bin/sh
[ "\${1-}" != check ] || echo '  greet  message_new'
exec "$root/$O/tests/handlers/vkcb" "\$@"
END
chmod 755 "$work/vkcb"
not_as_expected() {
	VKCB=$work/vkcb contrib/demo </dev/null
	same 1 $?
}
claim "an answer that is not as expected: status 1" not_as_expected

# The line that was shown, taken at its word.
try_it() {
	grep '^  curl -d' "$work/screen" | tr -d '\r' >"$work/try"
	same 7d1a2b3c "$(sh "$work/try" 2>/dev/null)"
}
mkfifo "$work/keys"
# In the background INT is ignored, by whatever is started from there too. And
# script starts a shell, $SHELL or sh, in which Ctrl-C must not end as well.
env --default-signal=INT script -qec "exec contrib/demo" /dev/null \
    <"$work/keys" >"$work/screen" 2>&1 &
ends $!
terminal=$!
exec 3>"$work/keys"
claim "on a terminal it stays up" \
    until_true 20 grep -q 'until Ctrl-C' "$work/screen"
claim "and the curl line works" try_it
printf '\003' >&3
claim "Ctrl-C ends it" gone $terminal
exec 3>&-
claim "with status 0" wait $terminal
claim "and nothing stays" same "" "$(ls "$work/tmp")"

done_testing
