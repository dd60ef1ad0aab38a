# check.sh - vkcb check: settings, warnings and errors.
. tests/lib.sh

mkdir "$work/app"
conf=$work/app/vkcb.conf
export VKCB_CONF="$conf"

# checks STATUS [ARGUMENT ...] - check exits so; output in $work/out, $work/err.
checks() {
	checks_status=$1
	shift
	"$vkcb" check "$@" >"$work/out" 2>"$work/err"
	same "$checks_status" $?
}

says() {
	has "$work/out" "$1"
}

warns() {
	has "$work/out" "warning: $1"
}

# A configuration without warnings: mode 600, long secrets.
good() {
	cat >"$conf" <<'END'
[vkcb]
max_body = 64K
body_timeout = 1500ms
[default]
secret = none
confirmation = dddddddd
[group 219876543]
secret_file = secret
old_secret = oldKf7vQ2mXw9aLcR4t
confirmation = 7d1a2b3c
[group 7]
secret = Kf7vQ2mXw9aLcR4tabcd
confirmation = 7777
END
	echo 'Kf7vQ2mXw9aLcR4tfile' >"$work/app/secret"
	chmod 600 "$conf" "$work/app/secret"
}

good
claim "a good configuration: status 0" checks 0
claim "a good configuration: nothing on standard error" \
    same "" "$(cat "$work/err")"
claim "the configuration file is named" says "configuration: $conf"
claim "keys that were set are shown" says "  max_body = 64K"
claim "times are shown as written" says "  body_timeout = 1500ms"
claim "default values are shown" says "  log_level = info"
claim "the groups are shown" says "[group 219876543]"
claim "a secret is shown as set" says "  secret = (set)"
claim "the file of a secret is shown" says "  secret_file = $work/app/secret"
claim "the confirmation string is shown" says "  confirmation = 7d1a2b3c"
claim "the handlers are shown, with event and summary" \
    grep -q '^  talk  *message_new  *does at VK what' "$work/out"
claim "no secret is shown" lacks "$work/out" Kf7v
claim "no value of a group's own is called [default]'s" \
    lacks "$work/out" 'from [default]'
claim "a [default] without a secret is a warning" \
    warns "[default]: without a secret anybody can send events"
claim "a good configuration has no other warning" \
    same 1 "$(grep -c ^warning: "$work/out")"

chmod 644 "$conf"
claim "a file that others can read is a warning" \
    checks 0
claim "the warning has the file's name and advice" \
    warns "$conf: others on this machine can read it: chmod o-rwx"
chmod 604 "$work/app/secret"
checks 0
claim "a secret_file that others can read is a warning" \
    warns "$work/app/secret: others on this machine can read it"
good
sed -i 's/^\[vkcb\]/&\nkeys = keys/' "$conf"
: >"$work/app/keys"
chmod 644 "$work/app/keys"
checks 0
claim "a keys file that others can read is a warning" \
    warns "$work/app/keys: others on this machine can read it"
rm "$work/app/keys"
good

for folder in public_html htdocs www html; do
	mkdir -p "$work/$folder/app"
	cp -p "$work/app/"* "$work/$folder/app"
	VKCB_CONF="$work/$folder/app/vkcb.conf" checks 0
	claim "a file below a folder $folder is a warning" \
	    warns "$work/$folder/app/vkcb.conf: it seems to be inside a document root"
done
: >"$work/app/index.php"
checks 0
claim "a file beside an index.php is a warning" \
    warns "$conf: it seems to be inside"
rm "$work/app/index.php"
# Each file alone in the document root; keys, inbox and log do not exist yet.
mkdir "$work/site"
: >"$work/site/index.html"
for key in keys inbox log secret_file token_file; do
	echo Kf7vQ2mXw9aLcR4tfile >"$work/site/made"
	chmod 600 "$work/site/made"
	case $key in
	*_file) file=$work/site/made ;;
	*) file=$work/site/new ;;
	esac
	good
	case $key in
	secret_file) sed -i "s|^secret_file.*|secret_file = $file|" "$conf" ;;
	token_file) echo "token_file = $file" >>"$conf" ;;
	*) sed -i "s|^\[vkcb\]|&\n$key = $file|" "$conf" ;;
	esac
	rm -f "$work/site/new"
	checks 0
	claim "the file of $key in a document root is a warning" \
	    warns "$file: it seems to be inside a document root"
done
good

cat >"$conf" <<'END'
[group 1]
secret = short
[group 2]
secret = none
confirmation = c
events = message_new, mesage_edit
[group 3]
secret = 123456789012345678901234567890123456789012345678901
confirmation = c
END
checks 0
claim "a misspelt event in \`events\` is a warning with the nearest name" \
    warns \
    "[group 2]: events: mesage_edit is an unknown event: did you mean message_edit"
claim "a secret that VK does not accept is a warning" \
    warns "[group 3]: the secret is longer than the 50 characters"
claim "times are shown in the usual unit" has "$work/out" "keep = 48h"
claim "a short secret is a warning" \
    warns "[group 1]: the secret is short and could be guessed"
claim "a missing secret is a warning" \
    warns "[group 2]: without a secret anybody"
claim "a missing confirmation string is a warning" \
    warns "[group 1]: no confirmation string"
cat >"$conf" <<'END'
[default]
secret = short
confirmation = "c"
events = mesage_edit
[group 1]
title = Bot
[group 2]
secret = Kf7vQ2mXw9aLcR4tabcd
END
checks 0
claim "a value that a group takes from [default] is shown so" sh -c "
	sed -n '/^.group 1/,/^.group 2/p' '$work/out' |
	grep -qF '  secret = (set)  ; from [default]'"
claim "one that a group has itself is not, nor one that is not set" same \
    '"c" mesage_edit' "$(sed -n '/^.group 2/,$s/^  .* = \(.*\)  ; from .*/\1/p' \
    "$work/out" | tr '\n' ' ' | sed 's/ $//')"
claim "a weak secret of [default] is warned of" \
    warns "[default]: the secret is short"
claim "a value of [default] is warned of once" \
    lacks "$work/out" "warning: [group"
cat >"$conf" <<'END'
[default]
title = Bot
[group 1]
secret = Kf7vQ2mXw9aLcR4t
confirmation = c
END
checks 0
claim "a [default] without a secret is not warned of" \
    lacks "$work/out" "warning: [default]"
cat >"$conf" <<'END'
[group 1]
secret = Kf7vQ2mXw9aLcR4t # my secret
confirmation = "693d0ba9"
[group 2]
secret = Kf7vQ2mXw9aLcR4tabcd
old_secret = a
confirmation = 693d_0ba-9
[group 3]
secret_file = secret
old_secret = ключКлючключ
confirmation = 693d0ba9
END
echo "'Kf7vQ2mXw9aLcR4t'" >"$work/app/secret"
checks 0
claim "a comment that became part of the secret is a warning" \
    warns "[group 1]: the secret has characters other than the letters and digits"
claim "quotes around a confirmation string are a warning" \
    warns "[group 1]: the confirmation is not up to 50 letters"
claim "a short old_secret is a warning" \
    warns "[group 2]: the old_secret is short"
claim "quotes in a secret_file are a warning" \
    warns "[group 3]: the secret has characters other"
claim "letters that VK does not accept are a warning" \
    warns "[group 3]: the old_secret has characters other"
claim "these groups have no other warning" same 5 \
    "$(grep ^warning: "$work/out" | grep -vc 'others on this machine')"
printf '[vkcb]\nkeys = keys\n[group 1]\ntoken = t\n' >"$conf"
checks 0
claim "a group without setup has only the warning to run setup" \
    same "warning: [group 1]: no secret yet: run vkcb setup" \
    "$(grep ^warning: "$work/out")"
claim "a group without setup is not shown as one without a secret" \
    says "  secret = (not set)"
echo '[vkcb]' >"$conf"
checks 0
claim "a file without groups is a warning" warns "$conf: no group"
good

# refused LINE TEXT ... - check reports an error at LINE, with each TEXT.
refused() {
	checks 1 || return 1
	has "$work/err" "vkcb: configuration: $conf:$1: " || return 1
	same 1 "$(wc -l <"$work/err")" || return 1
	shift
	for words in "$@"; do
		has "$work/err" "$words" || return 1
	done
}
typo() {
	good
	sed -i "$1" "$conf"
}
typo s/max_body/maxbody/
claim "a misspelt key: the line, the word and the right word" \
    refused 2 '"maxbody"' 'did you mean "max_body"?'
typo 's/^confirmation = 7d/confirmaton = 7d/'
claim "a misspelt key of a group: the right word" \
    refused 10 '"confirmaton"' '"confirmation"'
typo 's/\[default/[defualt/'
claim "a misspelt section: the right word" refused 4 '[defualt]' '[default]'
typo s/64K/64Q/
claim "a wrong value: the right values" \
    refused 2 64Q '4096, 64K or 1M' 'from 1K to 64M'
typo '12d'
claim "a group without a secret: advice" refused 11 'no secret' \
    'secret = none'
typo 's/= secret$/= elsewhere/'
claim "a missing secret_file: its path" \
    refused 8 "$work/app/elsewhere" "No such file"
claim "no error message has a secret" lacks "$work/err" Kf7v
good

no_file() {
	VKCB_CONF="$work/none.conf" checks 1
}
claim "a missing file: status 1" no_file
claim "a missing file: its name" \
    has "$work/err" "vkcb: configuration: $work/none.conf: No such file"
claim "an unknown argument: status 2" checks 2 --on-line
claim "an unknown argument is named" has "$work/err" "--on-line"
claim "wrong usage: the usage on standard error" \
    has "$work/err" "usage: vkcb check"
claim "a second argument: status 2" checks 2 --online more
claim "--help: status 0, usage on standard output" checks 0 --help
claim "the first line of --help is the usage" \
    same "usage: vkcb check [--online]" "$(head -n 1 "$work/out")"

command_typo() {
	"$vkcb" chekc 2>"$work/err"
	same 2 $? && has "$work/err" "did you mean check?"
}
claim "a misspelt command: status 2, the right word" command_typo
no_command() {
	env -u GATEWAY_INTERFACE "$vkcb" 2>"$work/err" </dev/null
	same 2 $? && has "$work/err" "usage: vkcb COMMAND"
}
claim "no command: status 2, the usage" no_command
claim "--version prints the name" \
    same "vkcb" "$("$vkcb" --version | cut -d' ' -f1)"

beside_the_program() {
	cp "$vkcb" "$work/app/vkcb"
	env -u VKCB_CONF "$work/app/vkcb" check >"$work/out"
	has "$work/out" "configuration: $work/app/vkcb.conf"
}
claim "without VKCB_CONF the file beside the program is read" \
    beside_the_program

done_testing
