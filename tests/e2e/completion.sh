# completion.sh - completion for bash and zsh offers the program's own words.
. tests/lib.sh

# bash_offers WORD ... - prints bash's completions of the last word.
bash_offers() {
	bash -c '
		. contrib/completion/vkcb.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vkcb
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$@"
}

# zsh_offers WORD ... - prints zsh's completions of the last word.
zsh_offers() {
	zsh -f -c '
		words=("$@") CURRENT=$#
		_describe() {
			print -l -- ${${(P)2}%%:*} | grep "^$words[CURRENT]"
		}
		_files() {
			print -l -- $words[CURRENT]*
		}
		. contrib/completion/_vkcb
	' zsh "$@"
}

HOME=$work
export HOME
mkdir "$work/bin"
ln -s "$vkcb" "$work/bin/vkcb"
cp "$bodies/like_add.json" "$work/saved.json"
commands="check events inbox new setup status trigger work"

for shell in bash zsh; do
	# offers WANTED WORD ... - the completions are WANTED, sorted, on a line.
	offers() {
		wanted=$1
		shift
		same "$wanted" "$("${shell}_offers" "$@" | sort |
		    tr '\n' ' ' | sed 's/ $//')"
	}
	# offers_events WORD ...
	offers_events() {
		same "$("$vkcb" events --names | sort)" \
		    "$("${shell}_offers" "$@" | grep -vx any | sort)"
	}
	claim "$shell: a command" offers "trigger" "$vkcb" tr
	claim "$shell: all commands" \
	    offers "--help --version $commands" "$vkcb" ""
	# shellcheck disable=SC2088 # completion gets the ~ unexpanded
	claim "$shell: commands of a program named by ~" \
	    offers "trigger" "~/bin/vkcb" tr
	claim "$shell: an option" offers --markdown "$vkcb" events --m
	claim "$shell: an event" offers message_event "$vkcb" events message_ev
	claim "$shell: events for trigger" offers_events "$vkcb" trigger ""
	claim "$shell: events for trigger after an option" \
	    offers_events "$vkcb" trigger --retry 2 ""
	claim "$shell: only one event for trigger" \
	    offers "" "$vkcb" trigger like_add ""
	claim "$shell: files for --file" \
	    offers "$work/saved.json" "$vkcb" trigger --file "$work/sa"
	claim "$shell: no event after --file" \
	    offers "" "$vkcb" trigger --file "$work/saved.json" ""
	claim "$shell: nothing for a number" \
	    offers "" "$vkcb" trigger --count ""
	claim "$shell: the actions of inbox" \
	    offers "drop list retry show tail" "$vkcb" inbox ""
	claim "$shell: events for --type" \
	    offers_events "$vkcb" inbox list --type ""
	claim "$shell: no name for a new handler" offers "" "$vkcb" new ""
	claim "$shell: events for a new handler" \
	    offers_events "$vkcb" new greet ""
	claim "$shell: any for a new handler" offers any "$vkcb" new greet an
done
done_testing
