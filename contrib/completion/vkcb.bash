# vkcb.bash - completion of vkcb for bash. It asks the program itself, so it knows
# what that program knows. Goes to /usr/share/bash-completion/completions/vkcb.

_vkcb() {
	local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
	local command=${COMP_WORDS[1]} words

	if [ "$COMP_CWORD" = 1 ]; then
		words="--help --version $("$program" --help 2>/dev/null |
		    sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')"
	elif [[ $current == -* ]]; then
		words="--help $("$program" "$command" --help 2>/dev/null |
		    grep -o -- '--[a-z][a-z-]*' | sort -u)"
	else
		case $command in
		events | trigger | new)
			words=$("$program" events --names 2>/dev/null) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o bashdefault -o default -F _vkcb vkcb
