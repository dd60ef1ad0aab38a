/*
 * setup_key.c - the secret and the confirmation string of a group.
 *
 * Both are on disk before VK is told to use them: VK's confirmation request may
 * come while a call is still under way, to a responder in another process.
 */
#include "setup/setup.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "json/tree.h"

#include "banned.h"

const struct key *
setup_key(const struct setup *setup)
{
	return keys_find(setup->keys, setup->vk.group->id);
}

bool
setup_secret_is_from_conf(const struct setup *setup)
{
	return setup->vk.group->secret != NULL &&
	    !setup->vk.group->secret_from_keys_file;
}

const char *
setup_secret(const struct setup *setup)
{
	const struct key *key = setup_key(setup);

	if (setup_secret_is_from_conf(setup))
		return setup->vk.group->secret;
	return key != NULL ? key->secret : "";
}

/* A new secret has letters and digits, each as likely as the others. */
const char *
setup_choose_secret(struct setup *setup, char fresh[SETUP_SECRET_MAX])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned int n = sizeof(letters) - 1;
	const char *secret = setup_secret(setup);
	unsigned char byte;
	size_t i = 0;

	if (*secret != '\0' || setup->vk.group->no_secret)
		return secret;
	while (i < SETUP_SECRET_MAX - 1) {
		if (getrandom(&byte, 1, 0) != 1) {
			(void)group_api_fail(&setup->vk, "no new secret: the "
			    "system gives no random bytes");
			return NULL;
		}
		if (byte < 256 / n * n)
			fresh[i++] = letters[byte % n];
	}
	fresh[i] = '\0';
	return fresh;
}

static bool
is_same(const char *new, const char *stored)
{
	return new == NULL || strcmp(new, stored) == 0;
}

int
setup_store(struct setup *setup, const char *secret, const char *confirmation)
{
	struct key *key = keys_get(setup->keys, setup->vk.group->id);
	char error[KEYS_ERROR_MAX];

	if (key == NULL)
		return group_api_fail(&setup->vk, "out of memory");
	if (setup_secret_is_from_conf(setup))
		secret = NULL;
	if (setup->dry_run || (is_same(secret, key->secret) &&
	    is_same(confirmation, key->confirmation) &&
	    is_same(setup->url, key->url) &&
	    key->server_id == setup->server_id))
		return 0;
	if (!is_same(secret, key->secret))
		snprintf(key->secret, sizeof(key->secret), "%s", secret);
	if (confirmation != NULL)
		snprintf(key->confirmation, sizeof(key->confirmation), "%s",
		    confirmation);
	key->server_id = setup->server_id;
	snprintf(key->url, sizeof(key->url), "%s", setup->url);
	return keys_write(setup->keys, setup->vk.conf->keys, error) == 0 ? 0 :
	    group_api_fail(&setup->vk, "%s", error);
}

int
setup_store_confirmation(struct setup *setup, const char *secret)
{
	struct group_api *vk = &setup->vk;
	struct json_object *response;
	const char *code;

	if (group_api_call(vk, "groups.getCallbackConfirmationCode",
	    GROUP_ID(vk), &response) == -1)
		return -1;
	code = json_get_string(response, "code");
	if (*code == '\0')
		return group_api_fail(vk, "groups.getCallbackConfirmationCode"
		    ": " API_NOT_VK);
	if (!keys_is_confirmation(code))
		return group_api_fail(vk, "VK's confirmation string cannot be "
		    "stored: it is long, or has more in it than letters, "
		    "digits, _ and -");
	if (vk->group->confirmation != NULL &&
	    !vk->group->confirmation_from_keys_file &&
	    strcmp(vk->group->confirmation, code) != 0)
		return group_api_fail(vk, "the configuration's confirmation is "
		    "not the one that VK's API gives: remove that line, setup "
		    "stores the right one");
	return setup_store(setup, secret, code);
}
