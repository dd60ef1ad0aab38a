/* conversation.h - the conversation of an event: its events are in order. */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "event/envelope.h"

#define CONVERSATION_MAX 96

/*
 * The name of an event's conversation: its group and its peer, else its user,
 * else its type. The peer of a private conversation is the user, so a user's
 * messages are in order with their other actions in the community.
 */
void conversation_name(const struct envelope *, char out[CONVERSATION_MAX]);

#endif
