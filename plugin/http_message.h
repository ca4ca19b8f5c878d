/* http_message.h - one HTTP/1 message whose head was read: told when its last byte has gone by.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_HTTP_MESSAGE_H
#define PLUGIN_HTTP_MESSAGE_H

#include "collect.h"

/* What a head alone tells; of a response, as the oldest outstanding request frames it. */
ka_message http_message_of(const collect_frame *frame, const http_head *head);

/* Its head has gone by, its end has not: tells the core where that matters. A request's seq must be set. */
void http_message_head(const collect_frame *frame, const http_head *head, const ka_message *message);
/* Its length and its first byte are known: tells it now, or keeps it until it is complete. */
void http_message_take(collect_frame *frame, const http_head *head, ka_message *message);
/* Likewise, but nothing will be told of it, or it is told by the caller. */
void http_message_begun(collect_connection *connection, const http_head *head);
/* Tells the message that was kept, if this frame completes it. */
void http_message_tell_waiting(collect_frame *frame);

/* Whether where a message must begin something else does. */
bool http_message_none(const collect_frame *frame, ka_slice bytes, uint32_t seq);
/* Whether these are the first bytes behind the last message. */
bool http_message_must_begin(const collect_frame *frame, uint32_t seq);
/* The bytes are not what they were taken for. */
void http_message_give_up(collect_frame *frame);

#endif
