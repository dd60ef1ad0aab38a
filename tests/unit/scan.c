/*
 * scan.c - the steps of 16 bytes find what the plain ones find, at every
 * length and alignment, and read no byte behind the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "json/scan.h"

#define LONGEST 64

/* What a byte at any place may be, and what may stand around it. */
static const char *const odd[] = {
	"", "\"", "\\", "\x1f", "\n", "\x7f", "я", "ÿ", "\xc2\x80",
	"\xdf\xbf", "—", "🚀", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
	"\xdf", "\xe0",
	"\xff", "\xd0\xd0\x8f", "\xd0\x8f\x8f", "\xd0\"", "\xd0\\", "я\"",
	"\x01я",
};
static const char *const around[] = { "a", "я", "яa", "\xd0" };

/* Text that ends at the end of a page, behind which nothing may be read. */
static char *page_end;

static int
make_page(void **state)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (pages == MAP_FAILED ||
	    mprotect(pages + size, size, PROT_NONE) == -1)
		return -1;
	page_end = pages + size;
	return 0;
}

static void
compare(const char *at, const char *end)
{
	unsigned int byte;

	assert_ptr_equal(scan_plain(at, end), scan_plain_bytes(at, end));
	assert_ptr_equal(scan_quote(at, end), scan_quote_bytes(at, end));
	for (byte = 0; byte <= 16 && end - at >= 16; byte++)
		assert_int_equal(scan_same(at, at + (end - at - 16), byte),
		    memcmp(at, at + (end - at - 16), byte) == 0);
	for (byte = 0; byte < 256 && end - at >= 16; byte += 17)
		assert_int_equal(scan_16((const unsigned char *)at,
		    (unsigned char)byte), scan_16_bytes(
		    (const unsigned char *)at, (unsigned char)byte));
}

/* The text, with something odd at each place, before the end of a page. */
static void
compare_with(const char *text, size_t len)
{
	char copy[LONGEST + 8];
	size_t place, i, size;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (place = 0; place < len; place++) {
			memcpy(copy, text, len);
			size = strlen(odd[i]);
			memcpy(copy + place, odd[i], size);
			memcpy(page_end - len, copy, len);
			compare(page_end - len, page_end);
		}
	}
}

static void
every_length_is_read_to_its_end(void **state)
{
	char text[LONGEST];
	size_t i, n, len, size;

	(void)state;
	for (n = 0; n < sizeof(around) / sizeof(around[0]); n++) {
		size = strlen(around[n]);
		for (i = 0; i < sizeof(text); i++)
			text[i] = around[n][i % size];
		for (len = 0; len <= LONGEST; len++) {
			memcpy(page_end - len, text, len);
			compare(page_end - len, page_end);
			compare_with(text, len);
		}
	}
}

static void
every_alignment_is_read(void **state)
{
	static const char text[] = "abcя—dяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяя\"x";
	char copy[sizeof(text) + LONGEST];
	size_t from, len;

	(void)state;
	for (from = 0; from < LONGEST; from++) {
		memcpy(copy + from, text, sizeof(text));
		for (len = 0; len < sizeof(text); len++)
			compare(copy + from, copy + from + len);
	}
}

static void
any_bytes_are_read_alike(void **state)
{
	static const char bytes[] = "a\"\\\x1f \xd0\x8f\xc2\x80\xe2\xf0"
	    "\x7f\xc1";
	uint32_t seed = 1;
	size_t len, i;
	long n;

	(void)state;
	for (n = 0; n < 200000; n++) {
		seed = seed * 1664525 + 1013904223;
		len = seed >> 24 & (LONGEST - 1);
		for (i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			(page_end - len)[i] = (seed >> 30) != 0 ? 'a' :
			    bytes[(seed >> 20) % (sizeof(bytes) - 1)];
		}
		compare(page_end - len, page_end);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_read_to_its_end),
		cmocka_unit_test(every_alignment_is_read),
		cmocka_unit_test(any_bytes_are_read_alike),
	};

	return cmocka_run_group_tests(tests, make_page, NULL);
}
