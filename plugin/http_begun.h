/* http_begun.h - an HTTP/1 message that has begun, but that Wireshark does not show (yet).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_HTTP_BEGUN_H
#define PLUGIN_HTTP_BEGUN_H

#include "collect.h"

/* Looks what begins where the next message must, in a frame in which Wireshark shows none. */
void http_begun_tell(collect_frame *frame);

/* Whether where a message must begin something else does. */
bool http_begun_no_message(const collect_frame *frame, ka_slice bytes, uint32_t seq);

/* These bytes are not what they were taken for. */
void http_begun_give_up(collect_frame *frame);

/* What a head alone tells; of a response, as the oldest outstanding request frames it. */
ka_message http_begun_message(const collect_frame *frame, const http_head *head);

#endif
