/*
 * decode.c - an event's object, checked JSON, into the structs of vkcb.h.
 *
 * objects.def is read as tables with a row for each key, in which no pointer
 * costs the start of the program anything. Texts are copied, so that the JSON
 * stays as it was sent.
 *
 * The values come from outside and are of any type. A value is taken if nothing
 * of it is lost; any other one leaves its field empty and is reported. A field
 * never has a wrong value. Depth was bounded when the JSON was checked.
 *
 * The last of several equal keys counts, and an earlier one is not reported.
 * So the first pass, for the JSON that VK really sends, reports nothing, and
 * only notes that a key was met twice or a value not taken. Then a second pass
 * asks first, in each object, where its keys come last.
 *
 * Out of memory: the field stays empty, the arena notes it, and decode_event()
 * looks there at its end.
 */
#include "event/event.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json/check.h"
#include "json/scan.h"
#include "json/walk.h"

#include "banned.h"

#define KEY_MAX 32
#define ROWS_MAX 128		/* keys of one object */
#define PART_SIZE 640		/* bytes of a list's elements, or one */
#define EXACT_BELOW 0x1p53	/* whole numbers, in a double */

enum row_kind {
	KIND_INT,
	KIND_BOOL,
	KIND_DOUBLE,
	KIND_STR,
	KIND_JSON,
	KIND_OBJ,
	KIND_OBJ_TEXT,
	KIND_LIST,
	KIND_ROWS,
	KIND_INTS,
	KIND_STRS,
	KIND_AKA,	/* the next row has the field */
	KIND_ALSO,	/* the next row has the field; so may a later one */
};

enum tag {
#define OBJECT(tag, text) TAG_##tag,
#include "objects.def"
};

struct row {
	unsigned char kind;
	unsigned char len;	/* of the key */
	unsigned short offset;	/* of the field in its struct */
	unsigned short n_offset;	/* of a list's number of elements */
	unsigned short tag;	/* of OBJ and LIST */
	char key[KEY_MAX];
};

struct type {
	const struct row *rows;
	const unsigned char *marks;	/* MARK() of each row's key */
	size_t n;
	size_t size;
	size_t json_offset;
	const void *none;		/* the all-zero object */
};

struct decode {
	const char *at;
	const char *end;
	char *text;		/* room for texts: no more than the JSON has */
	struct arena *arena;
	decode_mismatch_fn *mismatch;
	void *arg;
	bool second;		/* the pass that reports */
	bool odd;		/* a second pass is needed */
};

/* A place in the object: a chain from the field up to "object". */
struct decode_place {
	struct decode *decode;
	const struct decode_place *up;
	const char *key;	/* NULL: element number `index` */
	int len;
	size_t index;
};

/* All-zero objects, for absent ones. */

static const int64_t none_integer;
static const char *const none_string = "";

#define OBJECT(tag, text) static const struct vk_##tag none_##tag;
#include "objects.def"

#define OBJECT(tag, text) static const struct vk_##tag none_##tag = {
#define STR(name, example, text) .name = "",
#define OBJ(name, tag, text) .name = &none_##tag,
#define OBJ_TEXT(name, tag, text) .name = &none_##tag,
#define LIST(name, tag, text) .name = &none_##tag,
#define INTS(name, example, text) .name = &none_integer,
#define STRS(name, example, text) .name = &none_string,
#define END(tag) .json = { NULL, 0 } };
#include "objects.def"

/* A member's key is the field's name, less the _ of a keyword. */
#define KEY_LEN(name) (sizeof(name) - 1 - ((name)[sizeof(name) - 2] == '_'))

/* Most keys of an object differ in this byte. */
#define MARK(key, len) ((unsigned char)((len) + (key)[0] * 3u + \
	(key)[(len) / 2] * 5u + (key)[(len) - 1] * 7u))

#define OBJECT(tag, text) \
static const unsigned char marks_of_##tag[ROWS_MAX] = {
#define KEY(name) MARK(name, KEY_LEN(name)),
#define INT(name, example, text) KEY(#name)
#define BOOL(name, example, text) KEY(#name)
#define DOUBLE(name, example, text) KEY(#name)
#define STR(name, example, text) KEY(#name)
#define JSON(name, example, text) KEY(#name)
#define OBJ(name, tag, text) KEY(#name)
#define OBJ_TEXT(name, tag, text) KEY(#name)
#define LIST(name, tag, text) KEY(#name)
#define INTS(name, example, text) KEY(#name)
#define STRS(name, example, text) KEY(#name)
#define AKA(name, other) KEY(other)
#define ALSO(name, other) KEY(other)
#define END(tag) };
#include "objects.def"

static struct type
type_of(enum tag tag)
{
	switch (tag) {
#define ROW(kind, name, offset, n_offset, tag) \
	{ KIND_##kind, KEY_LEN(name), offset, n_offset, tag, name },
#define FIELD(kind, name) ROW(kind, #name, offsetof(here, name), 0, 0)
#define OBJECT(tag, text) \
	case TAG_##tag: { \
		typedef struct vk_##tag here; \
		static const struct row rows[] = {
#define INT(name, example, text) FIELD(INT, name)
#define BOOL(name, example, text) FIELD(BOOL, name)
#define DOUBLE(name, example, text) FIELD(DOUBLE, name)
#define STR(name, example, text) FIELD(STR, name)
#define JSON(name, example, text) FIELD(JSON, name)
#define OBJ(name, tag, text) \
	ROW(OBJ, #name, offsetof(here, name), 0, TAG_##tag)
#define OBJ_TEXT(name, tag, text) \
	ROW(OBJ_TEXT, #name, offsetof(here, name), 0, TAG_##tag)
#define ELEMENTS(kind, name, tag) \
	ROW(kind, #name, offsetof(here, name), offsetof(here, n_##name), tag)
#define LIST(name, tag, text) ELEMENTS(LIST, name, TAG_##tag)
#define ROWS(name, tag, example, text) ELEMENTS(ROWS, name, TAG_##tag)
#define INTS(name, example, text) ELEMENTS(INTS, name, 0)
#define STRS(name, example, text) ELEMENTS(STRS, name, 0)
#define AKA(name, other) ROW(AKA, other, 0, 0, 0)
#define ALSO(name, other) ROW(ALSO, other, 0, 0, 0)
#define END(tag) \
		}; \
		_Static_assert(sizeof(rows) <= ROWS_MAX * sizeof(rows[0]) && \
		    sizeof(here) <= USHRT_MAX, "struct row has room"); \
		return (struct type){ rows, marks_of_##tag, \
		    sizeof(rows) / sizeof(rows[0]), sizeof(here), \
		    offsetof(here, json), &none_##tag }; \
	}
#include "objects.def"
	}
	abort();
}

/* The row of a key, from number n on; NULL: there is none. */
static const struct row *
find_row_slowly(const struct type *type, const char *key, size_t len, size_t n)
{
	for (; n < type->n; n++)
		if (type->rows[n].len == len &&
		    memcmp(type->rows[n].key, key, len) == 0)
			return &type->rows[n];
	return NULL;
}

/* The row of a key in text up to `end`; NULL: there is none. */
static const struct row *
find_row(const struct type *type, const char *key, size_t len, const char *end)
{
	unsigned int bits;
	size_t i, n;

	if (len == 0)
		return NULL;
	for (i = 0; i < type->n; i += 16) {
		bits = scan_16(type->marks + i, MARK(key, len));
		for (; bits != 0; bits &= bits - 1) {
			n = i + (size_t)__builtin_ctz(bits);
			if (n >= type->n || type->rows[n].len != len)
				continue;
			if (len > 16 || end - key < 16)
				return find_row_slowly(type, key, len, n);
			if (scan_same(key, type->rows[n].key, len))
				return &type->rows[n];
		}
	}
	return NULL;
}

void
decode_path(const struct decode_place *place, char out[DECODE_PATH_MAX])
{
	size_t len;

	out[0] = '\0';
	if (place->up != NULL)
		decode_path(place->up, out);
	len = strlen(out);
	if (place->key == NULL)
		snprintf(out + len, DECODE_PATH_MAX - len, "[%zu]",
		    place->index);
	else
		snprintf(out + len, DECODE_PATH_MAX - len, "%s%.*s",
		    len > 0 ? "." : "", place->len, place->key);
}

static const char *
name_of_number(const char *at, enum row_kind wanted)
{
	if (wanted == KIND_BOOL)
		return "number other than 0 and 1";
	if (wanted == KIND_DOUBLE)
		return "number out of range";
	if (wanted != KIND_INT)
		return "number";
	return fabs(strtod(at, NULL)) < EXACT_BELOW ?
	    "number with a fraction" : "integer out of range";
}

static const char *
name_of_value(const char *at, enum row_kind wanted)
{
	switch (json_kind_of(*at)) {
	case JSON_NULL:
		return "null";
	case JSON_FALSE:
	case JSON_TRUE:
		return "boolean";
	case JSON_STRING:
		return "string";
	case JSON_ARRAY:
		return "array";
	case JSON_OBJECT:
		return "object";
	default:
		return name_of_number(at, wanted);
	}
}

/* The value at `at` is not what was wanted, and is passed over. */
static void
decode_refuse(const struct decode_place *place, const char *at,
    enum row_kind kind)
{
	static const char wanted[][16] = {
		[KIND_INT] = "64-bit integer", [KIND_BOOL] = "boolean",
		[KIND_DOUBLE] = "number", [KIND_STR] = "string",
		[KIND_OBJ] = "object", [KIND_OBJ_TEXT] = "coordinates",
		[KIND_LIST] = "array",
	};
	struct decode *decode = place->decode;

	decode->odd = true;
	if (decode->second)
		decode->mismatch(decode->arg, place, name_of_value(at, kind),
		    wanted[kind]);
	decode->at = json_skip(at, decode->end);
}

/*
 * A string's text, to be looked at before the next one; not ended by a NUL.
 * It stands in place, or without its escapes in the room for texts.
 */
static const char *
peek_string(struct decode *decode, size_t *len)
{
	const char *start = decode->at + 1;
	const char *close = json_string_end(start, decode->end);

	decode->at = close + 1;
	*len = (size_t)(close - start);
	if (memchr(start, '\\', *len) == NULL)
		return start;
	close = json_unescape_into(decode->text, start, close);
	*len = (size_t)(close - decode->text);
	decode->text[*len] = '\0';
	return decode->text;
}

/* The functions below take the value at `at`; false: it is not to be had. */

static bool
take_number(struct decode *decode, int64_t *out)
{
	const char *start = decode->at, *at = start + (*start == '-');
	const char *end = at + 18;	/* digits that always fit */
	uint64_t number = 0;
	unsigned int digit;

	for (; at < end && (digit = (unsigned char)*at - '0') < 10; at++)
		number = number * 10 + digit;
	decode->at = json_number_end(at);
	if (decode->at > at)
		return json_integer(start, (size_t)(decode->at - start), out);
	*out = *start == '-' ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool
take_int(struct decode *decode, int64_t *out)
{
	const char *text;
	size_t len;

	if (*decode->at == '"') {
		text = peek_string(decode, &len);
		return json_integer(text, len, out);
	}
	return json_kind_of(*decode->at) == JSON_NUMBER &&
	    take_number(decode, out);
}

static bool
take_bool(struct decode *decode, bool *out)
{
	enum json_kind kind = json_kind_of(*decode->at);
	int64_t number = kind == JSON_TRUE;

	if (kind == JSON_TRUE || kind == JSON_FALSE)
		decode->at = json_skip(decode->at, decode->end);
	else if (!take_int(decode, &number))
		return false;
	if (number != 0 && number != 1)
		return false;
	*out = number == 1;
	return true;
}

/*
 * strtod(), which costs more than a point on a map: up to 15 digits, and the
 * power of ten below them, are doubles, and the nearest one to their quotient
 * is the number's.
 */
static double
read_decimal(const char *text)
{
	const char *at = text + (*text == '-'), *end = at + 16;
	int64_t digits = 0, tens = 0;

	for (; at < end; at++) {
		if (*at == '.' && tens == 0)
			tens = 1;
		else if (*at >= '0' && *at <= '9') {
			digits = 10 * digits + *at - '0';
			tens *= 10;
		} else
			break;
	}
	if (at == end || tens == 0 || *at == 'e' || *at == 'E')
		return strtod(text, NULL);
	return (*text == '-' ? -(double)digits : (double)digits) /
	    (double)tens;
}

/* A fraction may be rounded, a whole number never. */
static bool
take_exact(const char *text, double *out)
{
	double number = read_decimal(text);

	if (!(fabs(number) < EXACT_BELOW))
		return false;
	*out = number;
	return true;
}

static bool
take_double(struct decode *decode, double *out)
{
	const char *text = decode->at;
	size_t len;

	if (*text == '"') {
		text = peek_string(decode, &len);
		return json_is_number(text, len) && take_exact(text, out);
	}
	if (json_kind_of(*text) != JSON_NUMBER)
		return false;
	decode->at = json_number_end(text);
	return take_exact(text, out);
}

/* A number is taken as it is written. */
static bool
take_string(struct decode *decode, const char **out)
{
	const char *start = decode->at, *close;
	char *text = decode->text, *end;

	if (*start == '"') {
		close = scan_quote(++start, decode->end);
		decode->at = close + 1;
	} else if (json_kind_of(*start) == JSON_NUMBER) {
		close = decode->at = json_number_end(start);
	} else {
		return false;
	}
	if (*close == '\\') {
		close = json_string_end(close, decode->end);
		decode->at = close + 1;
		end = json_unescape_into(text, start, close);
	} else {
		memcpy(text, start, (size_t)(close - start));
		end = text + (close - start);
	}
	*end = '\0';
	*out = text;
	decode->text = end + 1;
	return true;
}

/* Posts have their coordinates as a string: "55.75 37.61". */
static bool
take_coordinates(struct decode *decode, struct vk_coordinates *out)
{
	const char *start = decode->at;
	size_t len, first;
	const char *text = peek_string(decode, &len);

	*out = none_coordinates;
	out->json = (struct vk_json){ start, (size_t)(decode->at - start) };
	for (first = 0; first < len && text[first] != ' '; first++)
		;
	return first < len && json_is_number(text, first) &&
	    json_is_number(text + first + 1, len - first - 1) &&
	    take_exact(text, &out->latitude) &&
	    take_exact(text + first + 1, &out->longitude);
}

/* Absent objects and lists come as null, false or an empty container. */
static bool
is_absent(const char *at, char opening)
{
	return *at == 'n' || *at == 'f' || (*at == opening &&
	    *json_space(at + 1) == opening + 2);
}

static void decode_object(const struct decode_place *, enum tag, void *out);

/* NULL: no object. */
static const void *
decode_pointed(const struct decode_place *place, const struct row *row)
{
	struct decode *decode = place->decode;
	const char *start = decode->at;
	bool is_text = row->kind == KIND_OBJ_TEXT && *start == '"';
	void *object = NULL;

	if (*start == '{' || is_text)
		object = arena_alloc(decode->arena,
		    type_of(row->tag).size);
	if (object == NULL) {
		if (*start == '{' || is_text || is_absent(start, '['))
			decode->at = json_skip(start, decode->end);
		else
			decode_refuse(place, start, KIND_OBJ);
	} else if (!is_text) {
		decode_object(place, row->tag, object);
	} else if (!take_coordinates(decode, object)) {
		decode_refuse(place, start, KIND_OBJ_TEXT);
		object = NULL;
	}
	return object;
}

/*
 * A part of a list, whose length is not known before its end. Most lists have
 * one part.
 */
struct part {
	struct part *older;
	_Alignas(max_align_t) char elements[];
};

/* The n elements of some parts, each but the newest with `room` of them. */
static const void *
join_parts(struct decode *decode, const struct part *part, size_t n,
    size_t room, size_t size)
{
	size_t last = n == 0 ? 0 : (n - 1) % room + 1;
	char *list;

	if (n <= room)
		return n == 0 ? NULL : part->elements;
	list = arena_alloc(decode->arena, n * size);
	for (; list != NULL && n > 0; part = part->older) {
		n -= last;
		memcpy(list + n * size, part->elements, last * size);
		last = room;
	}
	return list;
}

static void decode_row(const struct decode_place *, enum tag, char *out);

static bool
take_element(const struct decode_place *place, const struct row *row,
    void *out)
{
	struct decode *decode = place->decode;

	if (row->kind == KIND_INTS)
		return take_int(decode, out);
	if (row->kind == KIND_STRS)
		return take_string(decode, out);
	if (row->kind == KIND_ROWS && *decode->at == '[')
		decode_row(place, row->tag, out);
	else if (*decode->at == '{')
		decode_object(place, row->tag, out);
	else
		return false;
	return true;
}

static void
decode_list(const struct decode_place *place, const struct row *row,
    size_t *n, const void **out)
{
	static const unsigned char kinds[] = {
		[KIND_LIST] = KIND_OBJ, [KIND_ROWS] = KIND_LIST,
		[KIND_INTS] = KIND_INT, [KIND_STRS] = KIND_STR,
	};
	struct decode *decode = place->decode;
	struct decode_place here = { .decode = decode, .up = place };
	size_t size = row->kind == KIND_INTS ? sizeof(int64_t) :
	    row->kind == KIND_STRS ? sizeof(char *) : type_of(row->tag).size;
	size_t room = size < PART_SIZE ? PART_SIZE / size : 1, left = 0;
	struct part *part = NULL, *older;
	const char *start = decode->at, *at;

	decode->at++;
	for (; json_goes_on(&decode->at, ']'); here.index++) {
		if (left == 0) {
			older = part;
			part = arena_alloc(decode->arena,
			    sizeof(*part) + room * size);
			if (part == NULL) {
				decode->at = json_skip(start, decode->end);
				return;
			}
			part->older = older;
			left = room;
		}
		at = decode->at;
		if (take_element(&here, row, part->elements +
		    (room - left) * size)) {
			++*n;
			left--;
		} else {
			decode_refuse(&here, at, kinds[row->kind]);
		}
	}
	/* A part whose first element was refused. */
	if (part != NULL && left == room)
		part = part->older;
	*out = join_parts(decode, part, *n, room, size);
}

/* A row of a keyboard is its list of buttons, or {} if there are none. */
static void
decode_row(const struct decode_place *place, enum tag tag, char *out)
{
	const struct type type = type_of(tag);
	const struct row *list = &type.rows[0];
	const char *start = place->decode->at;
	const void *made = NULL;

	memcpy(out, type.none, type.size);
	decode_list(place, list, (size_t *)(void *)(out + list->n_offset),
	    &made);
	if (made != NULL)
		memcpy(out + list->offset, &made, sizeof(made));
	*(struct vk_json *)(void *)(out + type.json_offset) =
	    (struct vk_json){ start, (size_t)(place->decode->at - start) };
}

static bool
take_scalar(struct decode *decode, const struct row *row, void *field)
{
	struct vk_json *json;

	switch (row->kind) {
	case KIND_INT:
		return take_int(decode, field);
	case KIND_BOOL:
		return take_bool(decode, field);
	case KIND_DOUBLE:
		return take_double(decode, field);
	case KIND_STR:
		return take_string(decode, field);
	default:
		json = field;
		json->text = decode->at;
		decode->at = json_skip(decode->at, decode->end);
		json->len = (size_t)(decode->at - json->text);
		return true;
	}
}

/* Takes a value that is not null into its field. */
static void
decode_field(const struct decode_place *place, const struct row *row,
    char *object)
{
	struct decode *decode = place->decode;
	char *field = object + row->offset;
	const char *start = decode->at;
	const void *made = NULL;
	size_t *n;

	switch (row->kind) {
	case KIND_OBJ:
	case KIND_OBJ_TEXT:
		made = decode_pointed(place, row);
		break;
	case KIND_LIST:
	case KIND_ROWS:
	case KIND_INTS:
	case KIND_STRS:
		n = (size_t *)(void *)(object + row->n_offset);
		*n = 0;
		if (*start == '[')
			decode_list(place, row, n, &made);
		else if (is_absent(start, '{'))
			decode->at = json_skip(start, decode->end);
		else
			decode_refuse(place, start, KIND_LIST);
		break;
	default:
		if (!take_scalar(decode, row, field))
			decode_refuse(place, start, row->kind);
		return;
	}
	if (made != NULL)
		memcpy(field, &made, sizeof(made));
}

/* The keys of an object: those met, and in the second pass each one's last. */
struct keys {
	uint64_t met[ROWS_MAX / 64];
	const char *last[ROWS_MAX];
};

/* A key with escapes, which are no part of what it spells. */
static const struct row *
find_spelled(const struct type *type, const char *start, const char *close)
{
	char key[6 * KEY_MAX];
	const char *end;

	if ((size_t)(close - start) > sizeof(key))
		return NULL;
	end = json_unescape_into(key, start, close);
	return find_row_slowly(type, key, (size_t)(end - key), 0);
}

/* The row of the key at `at`, which moves to the value; NULL: it has none. */
static const struct row *
next_row(struct decode *decode, const struct type *type)
{
	const char *start = decode->at + 1;
	const char *close = scan_quote(start, decode->end);
	const struct row *row;

	if (*close == '"') {
		row = find_row(type, start, (size_t)(close - start),
		    decode->end);
	} else {
		close = json_string_end(close, decode->end);
		row = find_spelled(type, start, close);
	}
	/* Behind the colon. */
	decode->at = json_space(json_space(close + 1) + 1);
	return row;
}

static void
find_last(const struct decode *decode, const struct type *type,
    struct keys *keys)
{
	struct decode ahead = *decode;
	const struct row *row;
	const char *key;

	ahead.at++;
	while (json_goes_on(&ahead.at, '}')) {
		key = ahead.at;
		row = next_row(&ahead, type);
		if (row != NULL)
			keys->last[row - type->rows] = key;
		ahead.at = json_skip(ahead.at, ahead.end);
	}
}

/* Is this key the last of its kind, as far as the pass knows? */
static bool
key_counts(struct decode *decode, struct keys *keys, size_t row,
    const char *key)
{
	uint64_t bit = UINT64_C(1) << row % 64;

	if (decode->second)
		return keys->last[row] == key;
	if ((keys->met[row / 64] & bit) != 0)
		decode->odd = true;
	keys->met[row / 64] |= bit;
	return true;
}

/*
 * The row for a value whose key has this one. A key of ALSO fills the field of
 * the next row, if that is still empty, and may have a row of its own.
 */
static const struct row *
row_of_value(struct decode *decode, const struct type *type,
    const struct row *row, char *object)
{
	const char *start = decode->at;
	int64_t *also;

	if (row->kind == KIND_AKA)
		return row + 1;
	if (row->kind != KIND_ALSO)
		return row;
	also = (int64_t *)(void *)(object + row[1].offset);
	if (*also == 0)
		(void)take_int(decode, also);
	decode->at = start;
	return find_row_slowly(type, row->key, row->len,
	    (size_t)(row + 1 - type->rows));
}

static void
decode_member(struct decode_place *place, const struct type *type,
    struct keys *keys, char *object)
{
	struct decode *decode = place->decode;
	const char *key = decode->at;
	const struct row *row = next_row(decode, type);

	if (row != NULL && key_counts(decode, keys,
	    (size_t)(row - type->rows), key) && *decode->at != 'n')
		row = row_of_value(decode, type, row, object);
	else
		row = NULL;
	if (row == NULL) {
		decode->at = json_skip(decode->at, decode->end);
		return;
	}
	place->key = row->key;
	place->len = row->len;
	decode_field(place, row, object);
}

static void
decode_object(const struct decode_place *up, enum tag tag, void *out)
{
	struct decode *decode = up->decode;
	const struct type type = type_of(tag);
	struct decode_place here = { .decode = decode, .up = up };
	const char *start = decode->at;
	struct vk_json *json;
	struct keys keys;

	memcpy(out, type.none, type.size);
	memset(keys.met, 0, sizeof(keys.met));
	if (decode->second)
		find_last(decode, &type, &keys);
	decode->at++;
	while (json_goes_on(&decode->at, '}'))
		decode_member(&here, &type, &keys, out);
	json = (struct vk_json *)(void *)((char *)out + type.json_offset);
	*json = (struct vk_json){ start, (size_t)(decode->at - start) };
}

/* Before API 5.103 the object of message_new was the message itself. */
static bool
is_bare_message(const struct vk_json *object)
{
	const char *at = object->text + 1;
	struct json_value key, value;
	bool is_bare = false;

	while (json_walk(&at, object->text + object->len, &key, &value)) {
		if (json_spells(&key, "message", 7))
			return false;
		is_bare |= json_spells(&key, "from_id", 7) ||
		    json_spells(&key, "peer_id", 7);
	}
	return is_bare;
}

static void
decode_bare_message(const struct decode_place *place,
    const struct vk_json *object, struct vk_message_new *new)
{
	struct decode *decode = place->decode;
	struct vk_message *message;

	if (vk_has(new->message) || !is_bare_message(object))
		return;
	message = arena_alloc(decode->arena, sizeof(*message));
	decode->text = arena_alloc(decode->arena, object->len);
	if (message == NULL || decode->text == NULL)
		return;
	decode->at = object->text;
	decode_object(place, TAG_message, message);
	new->message = message;
}

/* -1: an event without a struct. */
static int
tag_of_event(enum vkcb_event_type type)
{
	switch (type) {
#define EVENT(event, tag, settable, text) \
	case VKCB_EVENT_##event: \
		return TAG_##tag;
#include "events.def"
	default:
		return -1;
	}
}

const void *
decode_event(enum vkcb_event_type type, const struct vk_json *object,
    struct arena *arena, decode_mismatch_fn *mismatch, void *arg)
{
	struct decode decode = { .arena = arena, .mismatch = mismatch,
	    .arg = arg };
	const struct decode_place place = { &decode, NULL, "object", 6, 0 };
	int tag = tag_of_event(type);
	void *typed;
	char *text;

	if (tag == -1 || object->text == NULL || *object->text != '{')
		return NULL;
	decode.end = object->text + object->len;
	text = arena_alloc(arena, object->len);
	typed = arena_alloc(arena, type_of((enum tag)tag).size);
	if (text == NULL || typed == NULL)
		return NULL;
	for (;;) {
		decode.text = text;
		decode.at = object->text;
		decode_object(&place, (enum tag)tag, typed);
		if (type == VKCB_EVENT_message_new)
			decode_bare_message(&place, object, typed);
		if (!decode.odd || decode.second)
			return arena->failed ? NULL : typed;
		decode.second = true;
	}
}
