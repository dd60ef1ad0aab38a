# completion.sh - the shells' completions know what the program knows.
. tests/lib.sh

# bash_completes WORD ... - what bash offers for the last of these words.
bash_completes() {
	bash -c '
		. contrib/completion/vkcb.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vkcb
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$vkcb" "$@"
}

claim "bash completes a command" \
    same events "$(bash_completes ev)"
claim "bash completes an event" \
    same message_edit "$(bash_completes events message_e | head -n 1)"
claim "bash completes an option" \
    same --markdown "$(bash_completes events --m)"
claim "zsh takes its completion without complaint" \
    zsh -n contrib/completion/_vkcb

done_testing
