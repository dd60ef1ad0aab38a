# make-build.sh - what make says of a machine, and that a build from another
# folder, or into another one, has the same bytes.
. tests/lib.sh
unset MAKEFLAGS MFLAGS MAKELEVEL DEV

# copy NAME - another copy of the sources.
copy() {
	mkdir -p "$work/$1"
	cp -R Makefile vkcb.c vkcb.h vkcb_test.h src handlers "$work/$1"
}

# build FOLDER [NAME=VALUE ...]
build() {
	build_in=$1
	shift
	make -s -C "$build_in" CC="$cc" CFLAGS='-O0 -g' "$@"
}

copy one
copy 'иное место'
for cc in gcc clang; do
	claim "$cc builds" build "$work/one" O=build
	claim "$cc builds in another place, into another folder" \
	    build "$work/иное место" O="$work/out" "$work/out/vkcb"
	claim "$cc builds the same bytes in another place" \
	    cmp "$work/one/build/vkcb" "$work/out/vkcb"
	mv "$work/иное место/handlers" "$work/mine"
	claim "$cc builds with handlers in a third folder" \
	    build "$work/иное место" O=o HANDLERS="$work/mine" o/vkcb
	claim "$cc builds the same bytes with handlers in a third folder" \
	    cmp "$work/one/build/vkcb" "$work/иное место/o/vkcb"
	mv "$work/mine" "$work/иное место/handlers"
	rm -rf "$work/иное место/o" "$work/out"
done

unbuilt() {
	! build "$work/one" "$@" >"$work/out" 2>&1
}
cc=no-such-compiler
claim "a build without a compiler fails" unbuilt O=none
claim "the missing compiler is named" \
    has "$work/out" "missing: a C compiler, no-such-compiler"
cc=gcc
claim "a build without libraries fails" unbuilt O=none CPPFLAGS=-nostdinc
claim "the packages of missing libraries are named" has "$work/out" \
    "missing: libjson-c-dev libfcgi-dev"

# The file has each compiled source, with a command that compiles it.
database() {
	build "$work/one" compile_commands.json
	sed -n 's/^ "file": "\(.*\)",$/\1/p' "$work/one/compile_commands.json" |
	    sort -u >"$work/files"
	(cd "$work/one" && find vkcb.c src handlers -name '*.c' | sort) |
	    diff - "$work/files"
}
claim "compile_commands.json has every source" database
one_command() {
	sed -n 's/^ "command": "\(.*src.log.c\)"},/\1/p' \
	    "$work/one/compile_commands.json" >"$work/command"
	has "$work/command" "$cc" && (cd "$work/one" && sh "$work/command")
}
claim "a command in compile_commands.json compiles its source" one_command

done_testing
