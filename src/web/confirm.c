/*
 * confirm.c - answers VK's request of type confirmation with the string that
 * the configuration names or that VK gives for the group's token.
 *
 * VK changes the string from time to time, so the stored one may be old: VK is
 * asked for it if it answers at once, else the stored one is used.
 */
#include "conf/conf.h"
#include "json/tree.h"
#include "log.h"
#include "vk/api.h"
#include "vk/rate.h"
#include "web/receive.h"

#include "banned.h"

#define CONFIRMATION_MS 1500	/* for VK's answer */
#define STRANGER_MS 10000	/* between two calls for strangers */

/*
 * VK is asked only where the section does not name the string. A request with
 * the right secret may cause a call each time. A stranger's request may not
 * where there is a string and a secret, and otherwise only once in ten seconds
 * for all processes: calls are few, and handlers need them.
 */
static bool
may_ask(const struct receipt *receipt)
{
	const struct conf_group *group = receipt->group;

	if (!group->asks_vk || receipt->authenticated)
		return group->asks_vk;
	return (group->confirmation == NULL || group->no_secret) &&
	    rate_once(receipt->receiver->conf->state, group->token,
	    STRANGER_MS);
}

/* Returns VK's string, valid until api_forget(), or NULL. */
static const char *
ask_vk(struct api *api, int64_t group_id)
{
	struct json_object *response;
	const char *code;

	api->limit = CONFIRMATION_MS;
	if (api_call(api, "groups.getCallbackConfirmationCode", VK_PARAMS(
	    "group_id", VK_INT(group_id)), &response) != VKCB_OK)
		return NULL;
	code = vk_get_str(response, "code");
	return *code != '\0' ? code : NULL;
}

void
confirm(struct receipt *receipt)
{
	int64_t id = receipt->envelope.group_id;
	const char *code = NULL;
	struct log_line line;
	struct api api;

	api_init(&api, receipt->receiver->conf, receipt->group->token, 0);
	if (may_ask(receipt))
		code = ask_vk(&api, id);
	if (code == NULL)
		code = receipt->group->confirmation;
	if (code == NULL) {
		(void)receipt_refuse(receipt, 404, "No Confirmation String",
		    "no confirmation string for this group", NULL);
	} else {
		http_answer(receipt->answer, 200, "%s", code);
		log_begin(&line, LOG_LEVEL_INFO, "confirmed");
		log_int(&line, "group", id);
		log_end(&line);
	}
	api_forget(&api);
}
