# events.sh - `vkcb events` and `vkcb new`.
. tests/lib.sh

"$vkcb" events >"$work/list"
"$vkcb" events --names >"$work/names"
claim "every body among the tests has an event in the list" sh -c '
	for body in '"$bodies"'/*.json; do
		grep -qx "$(basename "$body" .json)" '"$work"'/names || exit 1
	done'
claim "the list describes each event" \
    finds_none "$work/list" -vE '^[a-z_]+ +[A-Z].*\.$'

"$vkcb" events message_new >"$work/message_new"
claim "an event is explained with the struct its handler gets" \
    has "$work/message_new" "const struct vk_message_new *"
claim "a field is described by kind and meaning" \
    grep -Eq '^  reply_message +OBJ message +[a-z]' "$work/message_new"
claim "a nested object is described once" \
    same 1 "$(grep -c '^struct vk_message:' "$work/message_new")"
claim "the sample is JSON that vkcb accepts" sh -c "
	printf '[default]\nsecret = none\n' >$work/vkcb.conf
	sed '1,/^sample:/d' $work/message_new >$work/body
	GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
	    CONTENT_LENGTH=\$(stat -c %s $work/body) \
	    VKCB_CONF=$work/vkcb.conf $vkcb <$work/body | grep -q '^ok'"
claim "an unknown event is an error that names the nearest one" sh -c "
	! $vkcb events mesage_new 2>$work/err &&
	grep -q 'did you mean message_new' $work/err"
claim "a field that a public source has is in the catalogue" sh -c "
	cd $root/tests/catalogue &&
	awk -f held.awk left-out.tsv $root/src/objects.def fields.tsv \
	    >$work/held && cat $work/held && [ ! -s $work/held ]"
claim "docs/events.md is what vkcb events --markdown prints" sh -c "
	$vkcb events --markdown | cmp - docs/events.md"

# unwritten COMMAND ... - fails with a line, since its output cannot be written.
unwritten() {
	! "$vkcb" "$@" >/dev/full 2>"$work/err" &&
	    has "$work/err" "vkcb: standard output: " &&
	    ! "$vkcb" "$@" >&- 2>"$work/err" &&
	    has "$work/err" "vkcb: standard output: "
}
for command in events "events --names" "events --markdown" --help \
    "trigger --print like_add"; do
	# shellcheck disable=SC2086 # words
	claim "vkcb $command fails if it cannot print" unwritten $command
done

# Each event has a handler that compiles as written, warnings or not.
mkdir "$work/handlers"
cd "$work" || exit 1
claim "vkcb new writes a handler for every event" sh -c '
	for event in $('"$vkcb"' events --names) any; do
		[ $event = confirmation ] ||
		    '"$vkcb"' new on-$event $event || exit 1
	done'
claim "each new handler compiles without a warning" sh -c '
	cat handlers/*.c >all.c
	'"${CC:-cc}"' -std=c11 -Wall -Wextra -Werror -I'"$root"' \
	    -fsyntax-only all.c'
claim "an existing file is left alone" sh -c "
	cp handlers/on-any.c before
	! $vkcb new on-any message_new 2>err && cmp before handlers/on-any.c"
claim "an existing file is named" has err "on-any.c: File exists"
claim "make refuses a second file for a handler's name" sh -c "
	$vkcb new on_any any
	! '$root/src/event/list-handlers' handlers 2>err &&
	grep -q 'handlers/on_any.c and handlers/on-any.c: both mean' err
	rm handlers/on_any.c"
claim "a name that make would refuse is refused" sh -c "
	$vkcb new ../evil any; [ \$? = 2 ]"
claim "a handler for confirmation is refused" sh -c "
	! $vkcb new x confirmation"

done_testing
