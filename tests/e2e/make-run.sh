# make-run.sh - `make run`: the demonstration, with and without a terminal.
. tests/lib.sh

mkdir "$work/tmp"
export TMPDIR="$work/tmp"

claim "make run without a terminal exits with status 0" \
    make --no-print-directory run O="$O" </dev/null
cp "$work/claim.out" "$work/shown"
claim "a confirmation is shown" has "$work/shown" "  answer   200 7d1a2b3c"
if [ -e handlers/greet.c ]; then
	claim "a greeting is shown" has "$work/shown" "  answer   200 ok"
	claim "the log line of the handler is shown" \
	    has "$work/shown" "handler=greet outcome=ok"
	claim "the reply to the sender is shown" \
	    has "$work/shown" "И тебе привет!"
fi
claim "a wrong secret is shown" has "$work/shown" "  answer   403 Bad Secret"
claim "the log line of a wrong secret is shown" \
    has "$work/shown" 'msg="wrong secret"'
claim "a curl command to try is shown" grep -q "^  curl -d '{.*http://127" \
    "$work/shown"
claim "no file remains" same "" "$(ls "$work/tmp")"

claim "handlers without greet: status 0" \
    env VKCB="$vkcb" contrib/demo </dev/null
cp "$work/claim.out" "$work/shown"
claim "handlers without greet: a line says so" \
    has "$work/shown" "handlers/greet.c is not here"

# A vkcb that lists the handler but does not greet must be noticed.
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
claim "an unexpected answer: status 1" not_as_expected

# The shown command, run as it is.
try_it() {
	grep '^  curl -d' "$work/screen" | tr -d '\r' >"$work/try"
	same 7d1a2b3c "$(sh "$work/try" 2>/dev/null)"
}
mkfifo "$work/keys"
# Background processes and their children ignore INT. script starts a shell,
# $SHELL or sh, which Ctrl-C must not end.
env --default-signal=INT script -qec "exec contrib/demo" /dev/null \
    <"$work/keys" >"$work/screen" 2>&1 &
ends $!
terminal=$!
exec 3>"$work/keys"
claim "make run stays up on a terminal" \
    until_true 20 grep -q 'until Ctrl-C' "$work/screen"
claim "the shown curl command works" try_it
printf '\003' >&3
claim "Ctrl-C ends make run" gone $terminal
exec 3>&-
claim "make run on a terminal exits with status 0" wait $terminal
claim "no file remains after Ctrl-C" same "" "$(ls "$work/tmp")"

# A machine without dpkg and with few programs.
mkdir "$work/bin"
for program in sh cat sed grep tr; do
	ln -s "$(command -v $program)" "$work/bin"
done
claim "packages succeeds without dpkg" env PATH="$work/bin" \
    sh tests/packages run check
cp "$work/claim.out" "$work/shown"
claim "packages names missing packages without dpkg" has "$work/shown" "missing: gcc make"

done_testing
