/* messages.h - HTTP messages as an API's client and server exchange them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

enum { MESSAGE_BYTES = 1400 }; /* of the longest head with its body, one segment */

/* What a response says about itself. */
typedef struct message_response {
    unsigned timeout_s; /* advertised */
    unsigned max;       /* advertised */
    uint64_t body_bytes;
    bool chunked; /* Transfer-Encoding: chunked */
} message_response;

/* Each writes to out, which holds MESSAGE_BYTES, and returns the length. */
uint32_t message_request(char *out, uint64_t id);
uint32_t message_response_head(char *out, const message_response *response);
/* The head and a body of JSON, response->body_bytes long (at most 600). */
uint32_t message_response_whole(char *out, const message_response *response, uint64_t id);

#endif
