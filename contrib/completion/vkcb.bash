# vkcb.bash - completion of vkcb for bash. The program itself is asked, so that the
# completion matches it. Goes to /usr/share/bash-completion/completions/vkcb.

_vkcb() {
	local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
	local command=${COMP_WORDS[1]} help words='' value='' plain=0 i option

	program=${program/#~\//$HOME/}
	if [ "$COMP_CWORD" = 1 ]; then
		command=	# the command itself is completed
	fi
	help=$("$program" $command --help 2>/dev/null)
	# The argument of the preceding option, and the number of plain words.
	for ((i = 2; i < COMP_CWORD; i++)); do
		option=${COMP_WORDS[i]//[^a-z-]/}
		if [ -n "$value" ]; then
			value=
		elif [[ $option == --* ]]; then
			value=$(sed -n "s/^ *$option \([A-Z]*\) .*/\1/p" \
			    <<<"$help")
			# A saved body replaces the event.
			[ "$value" != FILE ] || plain=1
		else
			plain=$((plain + 1))
		fi
	done
	if [[ -z $value && $current == -* ]]; then
		value=option
	fi
	COMPREPLY=()
	case $command:${value:-$plain} in
	:*)
		words="--help --version $(sed -n \
		    's/^  \([a-z][a-z]*\) .*/\1/p' <<<"$help")" ;;
	*:option)
		words="--help $(grep -o -- '--[a-z][a-z-]*' <<<"$help" |
		    sort -u)" ;;
	*:FILE)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return ;;
	inbox:0)
		words=$(sed -n 's/^usage: [^[]*\[\([a-z|]*\)\].*/\1/p' \
		    <<<"$help" | tr '|' ' ') ;;
	new:1)
		words="any $("$program" events --names 2>/dev/null)" ;;
	*:TYPE | events:0 | trigger:0)
		words=$("$program" events --names 2>/dev/null) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _vkcb vkcb
