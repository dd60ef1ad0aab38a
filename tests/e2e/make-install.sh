# make-install.sh - `make install` and `make uninstall`, into a folder whose name
# has a space.
. tests/lib.sh

dest="$work/a place"
to=$dest/opt/vk
make() {
	command make --no-print-directory "$@" O="$O" DESTDIR="$dest" \
	    PREFIX=/opt/vk
}

claim "make install succeeds" make install
claim "the installed binary runs" "$to/bin/vkcb" --version
for page in man1/vkcb.1 man5/vkcb.conf.5 man7/vkcb-handler.7; do
	claim "$page is installed" cmp "docs/${page#*/}" "$to/share/man/$page"
done
claim "a handler compiles with only the installed headers" \
    cc -fsyntax-only -I "$to/include/vkcb" -I /usr/include/json-c \
    tests/talk/talk.c
cat >"$work/test.c" <<'END'
#include "vkcb_test.h"

extern const struct vkcb_handler handler_talk;

int
main(void)
{
	struct vkcb_test *t = vkcb_test_new();

	return VKCB_TEST_EVENT(t, &handler_talk,
	    "object.message.text=read") != VKCB_OK || vkcb_test_calls(t) != 1;
}
END
sanitizers=
! sanitized "$vkcb" || sanitizers=-fsanitize=address,undefined
its_test() {
	cc $sanitizers -o "$work/test" -I "$to/include/vkcb" "$work/test.c" \
	    tests/talk/talk.c -L "$to/lib" -lvkcb -ljson-c -lfcgi -ldl &&
	    "$work/test"
}
claim "a handler's test compiles with the installed headers, and passes" \
    its_test
for example in apache-fcgid.conf apache-cgi.conf htaccess nginx.conf \
    lighttpd-fastcgi.conf lighttpd-cgi.conf vkcb.socket vkcb@.service; do
	claim "$example is installed" \
	    test -s "$to/share/doc/vkcb/contrib/$example"
done
claim "the installed examples name the installed binary" has \
    "$to/share/doc/vkcb/contrib/nginx.conf" /opt/vk/bin/vkcb
cat "$to/share/doc/vkcb/contrib"/* >"$work/examples"
claim "the installed examples name no other binary" lacks "$work/examples" \
    /usr/local/bin/vkcb
claim "the installed files are readable by all" \
    same "" "$(find "$to" -type f ! -perm -444 -o -type d ! -perm -555)"

# Relinked from a copy of what is built.
cp -a "$O" "$work/build"
claim "STATIC=1 builds" \
    command make -s O="$work/build" STATIC=1 "$work/build/vkcb"
claim "a STATIC=1 binary needs no library but libc" \
    same "libc " "$(libraries "$work/build/vkcb")"
claim "a STATIC=1 binary works" \
    env VKCB_CONF="$root/vkcb.conf" "$work/build/vkcb" check

claim "make uninstall succeeds" make uninstall
claim "make uninstall leaves no file" same "" "$(find "$dest" -type f)"

done_testing
