/*
 * ini.c - the syntax of vkcb.conf and of the keys file.
 *
 * Anything that is not text is a fault of its line. No secret is copied.
 */
#include "conf/ini.h"

#include <string.h>

#include "banned.h"

#define BLANKS " \t"

void
ini_begin(struct ini *ini, char *text, size_t len)
{
	size_t bom = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*ini = (struct ini){ .at = text + bom, .left = len - bom };
}

/* Cuts the blanks off both ends. */
static char *
ini_trim(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	for (len = strlen(text); len > 0; len--)
		if (strchr(BLANKS, text[len - 1]) == NULL)
			break;
	text[len] = '\0';
	return text;
}

static const char *
ini_fault(const char *line, size_t len)
{
	size_t i;

	if (memchr(line, '\0', len) != NULL)
		return "a NUL byte: this is no text file";
	if (len > INI_LINE_MAX)
		return "longer than 4096 bytes";
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return "a control character: only text and tabs may "
			    "stand here";
	return NULL;
}

char *
ini_line(struct ini *ini)
{
	char *line = ini->at, *newline = memchr(line, '\n', ini->left);
	size_t len = newline != NULL ? (size_t)(newline - line) : ini->left;
	size_t taken = newline != NULL ? len + 1 : len;

	ini->at += taken;
	ini->left -= taken;
	ini->line++;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	ini->fault = ini_fault(line, len);
	line[len] = '\0';
	return ini->fault == NULL ? ini_trim(line) : NULL;
}

static enum ini_kind
ini_section(struct ini *ini, char *line)
{
	char *end = strchr(line, ']');

	ini->fault = "a section that does not end with ]";
	if (end == NULL)
		return INI_FAULT;
	*end++ = '\0';
	end += strspn(end, BLANKS);
	ini->fault = "something behind the section's ]: a key stands on a line "
	    "of its own";
	if (strchr(";#", *end) == NULL)
		return INI_FAULT;
	ini->name = line + 1;
	return INI_SECTION;
}

static enum ini_kind
ini_key(struct ini *ini, char *line)
{
	char *at = line;

	while ((at = strchr(at + 1, ';')) != NULL)
		if (strchr(BLANKS, at[-1]) != NULL)
			break;
	if (at != NULL)
		*at = '\0';
	at = strpbrk(line, "=:");
	ini->fault = "neither a [section] nor `key = value`";
	if (at == NULL)
		return INI_FAULT;
	*at = '\0';
	ini->name = ini_trim(line);
	ini->value = ini_trim(at + 1);
	return INI_KEY;
}

enum ini_kind
ini_next(struct ini *ini)
{
	char *line;

	while (ini->left > 0) {
		line = ini_line(ini);
		if (line == NULL)
			return INI_FAULT;
		if (*line == '[')
			return ini_section(ini, line);
		if (*line != '\0' && *line != ';' && *line != '#')
			return ini_key(ini, line);
	}
	return INI_END;
}
