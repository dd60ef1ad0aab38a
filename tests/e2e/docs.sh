# docs.sh - the documents match the program: nothing missing, nothing invented.
. tests/lib.sh

pages="docs/vkcb.1 docs/vkcb.conf.5 docs/vkcb-handler.7"
for page in $pages; do
	# The page as one line, since the page may break a line anywhere.
	mandoc -T ascii "$page" | sed 's/.\x08//g' | tr -s ' \t\n' ' ' \
	    >"$work/${page#docs/}"
done

# nothing COMMAND ... - the command, which prints faults, prints nothing.
nothing() {
	"$@" >"$work/faults" 2>&1
	[ ! -s "$work/faults" ] && return
	cat "$work/faults"
	return 1
}

# all_said PAGE LINES - each line is in the page.
all_said() {
	printf '%s\n' "$2" >"$work/lines"
	# Without lines, this test no longer finds the strings in the sources.
	[ -n "$2" ] || { echo "nothing to look for"; return 1; }
	nothing unsaid "$1"
}

unsaid() {
	while IFS= read -r line; do
		grep -qF -- "$line" "$work/$1" || echo "docs/$1 lacks: $line"
	done <"$work/lines"
}

#
# The configuration.
#

# check_with TEXT - the output of `vkcb check` for this configuration.
check_with() {
	printf '%b' "$1" >"$work/vkcb.conf"
	VKCB_CONF="$work/vkcb.conf" "$vkcb" check 2>&1
}

in_force() {
	sed '/^configuration:/d;/^warning:/d'
}

defaults=$(check_with '' | in_force)

# keys_of TABLE - the names in a table of src/conf/conf.c.
keys_of() {
	sed -n "/^const struct conf_key $1\[/,/^};/\
s/^	\(MAIN(\|OF_GROUP(\"\)\([a-z_]*\)[\",].*/\2/p" src/conf/conf.c
}

# entry KEY - the key's entry in vkcb.conf(5), as words.
entry() {
	sed -n "/^\.It Ic $1 =/,/^\.\(It\|El\)/p" docs/vkcb.conf.5 |
	    sed '1p; /^\.\(It\|El\)/d; s/^\.[A-Z][a-z] //' | tr '\n' ' '
}

keys_undocumented() {
	for key in $(keys_of conf_keys) $(keys_of conf_group_keys); do
		[ -n "$(entry "$key")" ] || echo "vkcb.conf(5) lacks $key"
		grep -q "^;\{0,1\}$key = " vkcb.conf ||
			echo "vkcb.conf lacks $key"
	done
	for key in $(echo "$defaults" | sed -n 's/^  \([a-z_]*\) = .*/\1/p'); do
		value=$(echo "$defaults" | sed -n "s/^  $key = //p")
		# A wrong value is refused with the bounds: from LOW to HIGH.
		bounds=$(check_with "[vkcb]\n$key = x\n" |
		    sed -n 's/.* \(from [^ ]* to [^ ]*\)$/\1/p')
		case $(entry "$key") in
		*"Default: $value; $bounds. "* | *"Default: $value. "* | \
		    *"Default: $value . "*) ;;
		*) echo "vkcb.conf(5): $key lacks: Default: $value; $bounds" ;;
		esac
	done
}

# keys_invented FILE KEY ... - check tells a key without a value from an
# unknown key.
keys_invented() {
	file=$1 section=vkcb
	shift
	for key in "$@"; do
		[ "$key" != secret ] || section=default
		check_with "[$section]\n$key =\n" | grep -q "$key has no value" ||
			echo "$file: there is no key $key in [$section]"
	done
}

# shellcheck disable=SC2046 # keys have no spaces
{
claim "every key has an entry in vkcb.conf(5), with its default and bounds" \
    nothing keys_undocumented
claim "vkcb.conf(5) has no key that does not exist" nothing keys_invented \
    "vkcb.conf(5)" $(sed -n 's/^\.It Ic \([a-z_]*\) =.*/\1/p' docs/vkcb.conf.5)
claim "vkcb.conf has no key that does not exist" nothing keys_invented \
    vkcb.conf $(sed -n 's/^;\{0,1\}\([a-z_]*\) = .*/\1/p' vkcb.conf)
}

claim "the template vkcb.conf is valid" \
    env VKCB_CONF="$root/vkcb.conf" "$vkcb" check
claim "the handlers can be tried with the template vkcb.conf" \
    env VKCB_CONF="$root/vkcb.conf" "$vkcb" trigger message_new \
    object.message.text=hi
claim "the values in vkcb.conf are the defaults" same "$defaults" \
    "$(VKCB_CONF=$root/vkcb.conf "$vkcb" check 2>&1 | in_force)"
sed 's/^;\([a-z_]* =\)/\1/; /^\[default\]/q' vkcb.conf >"$work/main.conf"
claim "the commented-out values in vkcb.conf are the defaults" \
    same "$defaults" \
    "$(VKCB_CONF=$work/main.conf "$vkcb" check 2>&1 | in_force)"
sed -n '/^;\[group/,$s/^;//p' vkcb.conf | grep -v '^token' >"$work/group.conf"
claim "the sample group in vkcb.conf is valid" \
    env VKCB_CONF="$work/group.conf" "$vkcb" check

#
# Commands.
#

commands=$("$vkcb" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p')
options=$(for command in '' $commands; do
	# shellcheck disable=SC2086 # no command is no argument
	"$vkcb" $command --help
done | grep -o -- '--[a-z][a-z-]*' | sort -u)

claim "vkcb(1) lists the commands of --help, in alphabetical order" \
    same "$(echo "$commands" | sort)" \
    "$(sed -n 's/^\.It Nm Cm \([a-z]*\).*/\1/p' docs/vkcb.1)"
claim "every option of a --help is in vkcb(1)" all_said vkcb.1 "$options"
claim "wrong usage is status 2, as vkcb(1) says" same 2 \
    "$("$vkcb" no-such-command >"$work/log" 2>&1; echo $?)"

#
# Answers and the log: the strings of the sources.
#

# The sources, one statement per line, with each string in one piece.
cat src/*.c src/*/*.c | sed 's,/\*[^*]*\*/,,g' | tr -s '\n\t ' ' ' |
    sed 's/" "//g; s/" PRI[a-z]64 "/d/g; s/; /;\n/g' >"$work/statements"
string='"\([^"\]\|\\.\)*"'

# strings N FUNCTION ... - the first N strings in each call; of a format the
# longest text between its conversions.
strings() {
	n=$1
	shift
	for function in "$@"; do
		grep -o "\<$function([^;]*;" "$work/statements"
	done | while IFS= read -r call; do
		echo "$call" | grep -o "$string" | head -n "$n"
	done | sed 's/^"//; s/"$//; s/\\\\/\\/g; s/\\n$//' | awk '{
		longest = ""
		n = split($0, texts, /%[-.*0-9lz]*[a-z]/)
		for (i = 1; i <= n; i++) {
			gsub(/^[ :]+| +$/, "", texts[i])
			if (length(texts[i]) > length(longest))
				longest = texts[i]
		}
		if (longest != "")
			print longest
	}' | sort -u
}

# A status and its text, as vkcb(1) has them: 403 `Bad Secret'.
answers=$(grep -oE '\<(http_answer|refuse)\([^;"]*[0-9]{3}, "[^"%]*"' \
    "$work/statements" | sed 's/\\n"$/"/; s/ *"$//' |
    sed "s/.*[^0-9]\([0-9]\{3\}\), \"/\1 \`/" | sort -u)

claim "every answer is in vkcb(1), with its status" \
    all_said vkcb.1 "$answers"
claim "every message of the log is in vkcb(1)" \
    all_said vkcb.1 "$(strings 1 log_rule
	strings 9 refuse log_begin log_msg report_trouble pause_for_trouble)"
printf '[group 1]\nsecret = Kf7vQ2mXw9aLcR4t\n' >"$work/vkcb.conf"
VKCB_CONF="$work/vkcb.conf" "$vkcb" trigger message_new secret=wrong \
    >"$work/answer" 2>"$work/refused"
claim "the example of vkcb(1) finds a refused request in the log" \
    has "$work/refused" \
    "$(sed -n 's,^\.Dl \$ grep \(.*\) /var/log/.*,\1,p' docs/vkcb.1)"
claim "every reason for which a body is refused is in vkcb(1)" \
    all_said vkcb.1 "$(grep -o "return $string" src/event/envelope.c |
	sed 's/return "//; s/"$//')"

#
# The interface for handlers.
#

# section START - vkcb.h from this line to the end of the block.
section() {
	sed -n "/^$1/,/^}/p" vkcb.h
}

names=$(
	sed -n 's/^[a-z].*\<\(vkcb_[a-z_]*\)(.*/\1/p' vkcb.h
	section 'enum vkcb_outcome {' |
	    sed -n '/only through/d; s/^	\(VKCB_[A-Z]*\),.*/\1/p'
	section 'struct vkcb_event {' |
	    sed -n 's/^	.*[ *]\([a-z_]*\);.*/\1/p'
	sed -n 's/^#define \(ON[A-Z_]*\|vk_[a-z]*\)(.*/\1/p' vkcb.h
	# The kinds, as the comment above the structs has them.
	grep -o '^ \*	[A-Z]*  ' vkcb.h | tr -d ' *\t'
)
claim "vkcb-handler(7) has every function, outcome, field and kind of vkcb.h" \
    all_said vkcb-handler.7 "$names"

# compiles NAME TEXT - the text is a handler that defines handler_NAME.
compiles() {
	printf '%s\n' "$2" >"$work/$1.c"
	# shellcheck disable=SC2046 # words
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
	    -DVKCB_HANDLER="handler_$1" -I. -Isrc \
	    $(pkg-config --cflags json-c) -c -o "$work/$1.o" "$work/$1.c" &&
	    src/event/check-handler "${CC:-cc}" "$1.c" "handler_$1" "$work/$1.o" &&
	    [ -e "$work/$1.o" ]
}

# markdown_c FILE - the C in it.
markdown_c() {
	sed -n '/^```c$/,/^```$/{/^```/d;p;}' "$1"
}

# listing TEXT - the listing of vkcb-handler(7) in which the text stands.
listing() {
	sed 's/\\e/\\/g' docs/vkcb-handler.7 | awk -v wanted="$1" '
	    /^\.Bd -literal/ { text = ""; next }
	    /^\.Ed/ { if (index(text, wanted)) printf "%s", text; next }
	    { text = text $0 "\n" }'
}

claim "README's handler compiles" compiles hello "$(markdown_c README.md)"
claim "README's handler has ten lines" \
    test "$(markdown_c README.md | grep -c .)" -le 10
claim "the Russian README has the same handler" \
    same "$(markdown_c README.md)" "$(markdown_c docs/README.ru.md)"
claim "the example at the top of vkcb.h compiles" compiles greet \
    "$(sed -n '/^ \*	#include "vkcb.h"/,/^ \*	};/s/^ \*	\{0,1\}//p' \
	vkcb.h)"
claim "the synopsis of vkcb-handler(7) compiles" compiles greet \
    "#include \"vkcb.h\"
$(listing handler_greet)"
claim "the example of buttons compiles" \
    compiles order "$(listing handler_order)"
claim "the example for every event compiles" \
    compiles 10_audit "$(listing handler_10_audit)"
claim "the example of retrying compiles" \
    compiles members "$(listing handler_members)"

#
# Names of files.
#

# The files that a document names: in Markdown in backquotes or as links.
named() {
	case $1 in
	*.md) sed 's/`[^`]*`/\n&\n/g; s/](\([^)]*\))/\n`\1`\n/g' "$1" |
		sed -n 's/^`\(man \)\{0,1\}\([^` ]*\)`$/\2/p' |
		grep -E '/|^vkcb\.|^[A-Z]+\.md$|^[A-Z]{5,}$' ;;
	*) grep -oE '(src|docs|contrib|tests|handlers)/[a-z0-9_./-]+' "$1" |
		sed 's/\.$//' ;;
	esac | grep -vE '\*|NAME|ИМЯ|^/|^https?:|^vkcb\.cgi$|_$' |
	    grep -vE '(hello|greet|10-audit)\.c$|^handlers/tests/?$'
}

names_of_nothing() {
	for file in *.md docs/*.md handlers/*.md $pages vkcb.conf vkcb.[ch]; do
		for name in $(named "$file"); do
			[ -e "$name" ] || [ -e "${file%/*}/$name" ] ||
				echo "$file names $name, which does not exist"
		done
	done
}
claim "every file that the documents name exists" nothing names_of_nothing

done_testing
