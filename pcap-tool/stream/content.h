/* content.h - what a direction's bytes are, and what the core is told of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decides between HTTP/1, TLS, HTTP/2 in clear and others by the first bytes of either side, hands the bytes
 * to the parser of that protocol, matches responses with the methods of their requests, and finds the way
 * back after a hole.
 */
#ifndef STREAM_CONTENT_H
#define STREAM_CONTENT_H

#include "stream/reassembly.h"

extern const reassembly_receiver content_receiver;

/* Drops what a direction holds: the message or record under way, and what waits behind a hole. */
void content_drop(stream_context *context, stream_half *half);

#endif
