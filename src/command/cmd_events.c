/*
 * cmd_events.c - `vkcb events`: the catalogue as text.
 *
 * Without an argument the events are listed. For one event the output is what
 * a handler gets: each field of the object and of the objects in it, and a
 * sample body.
 */
#include "command/command.h"

#include <stdio.h>
#include <unistd.h>

#include <json-c/json.h>

#include "event/catalogue.h"
#include "command/body.h"
#include "json/tree.h"

#include "banned.h"

#define OBJECTS_MAX 256		/* more than objects.def has */

static int cmd_events(int, char **);

const struct command command_events = {
	.name = "events",
	.args = "[--names | --markdown | EVENT]",
	.summary = "lists the events, or describes one with its fields",
	.help = "--names     only the names, one a line\n"
	    "--markdown  the whole catalogue as docs/events.md has it\n",
	.run = cmd_events,
};

/* An object and the objects in it, each once, in the order they are met. */
static size_t
reach(const struct object_type *types[OBJECTS_MAX], const char *tag)
{
	const struct object_type *type;
	const struct field *field;
	size_t n = 1, i, j;

	types[0] = object_type(tag);
	for (i = 0; i < n; i++)
		for (field = types[i]->fields; field->name != NULL; field++) {
			if (field->object == NULL || n == OBJECTS_MAX)
				continue;
			type = object_type(field->object);
			for (j = 0; j < n && types[j] != type; j++)
				;
			if (j == n)
				types[n++] = type;
		}
	return n;
}

static void
print_object(const struct object_type *type, bool as_markdown)
{
	const struct field *field;
	const char *object;
	char kind[128];

	printf(as_markdown ? "\n### vk_%s\n\n%s\n\n"
	    "| field | kind | meaning |\n| --- | --- | --- |\n" :
	    "\nstruct vk_%s: %s\n", type->tag, type->text);
	for (field = type->fields; field->name != NULL; field++) {
		object = field->object;
		if (object == NULL)
			snprintf(kind, sizeof(kind), "%s", field->kind_name);
		else if (as_markdown)
			snprintf(kind, sizeof(kind), "%s [%s](#vk_%s)",
			    field->kind_name, object, object);
		else
			snprintf(kind, sizeof(kind), "%s %s",
			    field->kind_name, object);
		printf(as_markdown ? "| `%s` | %s | %s |\n" :
		    "  %-24s %-24s %s\n", field->name, kind, field->text);
	}
}

static void
print_sample(const struct event_info *info)
{
	struct json_object *body = sample_body(info);

	json_put(body, "event_id",
	    json_object_new_string("13eeb4e12f5948aca176e3a950f7dd397b94e846"));
	command_print_json(body, true);
}

/* The function that takes this event, as C. */
static void
print_signature(const struct event_info *info)
{
	if (!info->has_handlers)
		printf("no handler: vkcb answers it\n");
	else if (info->object == NULL)
		printf("enum vkcb_outcome f(struct vkcb_event *, "
		    "const struct vk_json *object);\n");
	else
		printf("enum vkcb_outcome f(struct vkcb_event *, "
		    "const struct vk_%s *);\n", info->object);
}

static void
print_remarks(const struct event_info *info)
{
	if (info->alias_of != NULL)
		printf("Handlers of %s take it too.\n", info->alias_of);
	else if (!info->settable && info->has_handlers)
		printf("It cannot be enabled through VK's API, only on VK's "
		    "pages, if at all.\n");
}

static int
cmd_events_explain(const char *name)
{
	const struct event_info *info = command_event(name);
	const struct object_type *types[OBJECTS_MAX];
	size_t n, i;

	if (info == NULL)
		return EXIT_ERROR;
	printf("%s: %s\n", info->name, info->text);
	print_remarks(info);
	print_signature(info);
	if (info->object != NULL) {
		n = reach(types, info->object);
		for (i = 0; i < n; i++)
			print_object(types[i], false);
	}
	printf("\nsample:\n");
	print_sample(info);
	return EXIT_OK;
}

static void
cmd_events_list(bool names_alone)
{
	const struct event_info *info;

	for (info = event_infos; info->name != NULL; info++)
		if (names_alone)
			puts(info->name);
		else
			printf("%-32s %s\n", info->name, info->text);
}

static void
markdown_event(const struct event_info *info)
{
	printf("\n### %s\n\n%s\n\n", info->name, info->text);
	if (info->object != NULL)
		printf("Object: [%s](#vk_%s).\n", info->object, info->object);
	print_remarks(info);
	printf("\n```c\n");
	print_signature(info);
	printf("```\n\n```json\n");
	print_sample(info);
	printf("```\n");
}

static void
markdown(void)
{
	const struct object_type *type;
	const struct event_info *info;

	printf("# Events\n\nMade by `vkcb events --markdown` from "
	    "`src/events.def` and `src/objects.def`.\n\n");
	printf("| event | when |\n| --- | --- |\n");
	for (info = event_infos; info->name != NULL; info++)
		printf("| [%s](#%s) | %s |\n", info->name, info->name,
		    info->text);
	printf("\n## Each event\n");
	for (info = event_infos; info->name != NULL; info++)
		markdown_event(info);
	printf("\n## Objects\n\nKinds: INT `int64_t`, BOOL `bool`, DOUBLE "
	    "`double`, STR `const char *`,\nOBJ `const struct vk_X *`, LIST "
	    "the same with `size_t n_FIELD`, INTS and STRS lists of\nnumbers "
	    "and texts, JSON `struct vk_json`.\n");
	for (type = object_types; type->tag != NULL; type++)
		print_object(type, true);
}

static int
cmd_events(int argc, char **argv)
{
	bool names = false, as_markdown = false;
	const struct command_option options[] = {
		{ "names", .flag = &names },
		{ "markdown", .flag = &as_markdown },
		{ .name = NULL },
	};

	if (command_options(&command_events, options, argc, argv, 1) != EXIT_OK)
		return EXIT_USAGE;
	if (argc > 2)
		return command_misused(&command_events, "one event at a time");
	if (optind < argc && !as_markdown)
		return cmd_events_explain(argv[optind]);
	if (as_markdown)
		markdown();
	else
		cmd_events_list(names);
	return EXIT_OK;
}
