/* conversation.h - which events wait for each other: a conversation. */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "event/envelope.h"

#define CONVERSATION_MAX 96

/*
 * The name of an event's conversation: its group and its peer, else its user,
 * else its type. A private conversation's peer is the user, so what a user does
 * elsewhere in the community is in order with what they write.
 */
void conversation_name(const struct envelope *, char out[CONVERSATION_MAX]);

#endif
