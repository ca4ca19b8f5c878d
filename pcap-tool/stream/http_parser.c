/* http_parser.c - the parsers' pool, and their copies of what outlives its packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/http_parts.h"

#include <string.h>

enum {
    POOL_MAX = 256,         /* idle parsers kept: 400 kB, and copies; more are in use only in bursts */
    POOL_COPY_BYTES = 4096, /* copies larger than that, rare, are not kept with them */
};

/* ---- Pool ----------------------------------------------------------------------------------- */

void http_reset(http_parser *parser)
{
    half_role role = parser->role;
    char *copy = parser->copy;
    uint32_t copy_room = parser->copy_room;
    memset(parser, 0, offsetof(http_parser, fields));
    memset(&parser->scan, 0, sizeof *parser - offsetof(http_parser, scan));
    parser->role = (uint8_t)role;
    parser->copy = copy;
    parser->copy_room = copy_room;
}

http_parser *http_parser_new(stream_context *context, half_role role)
{
    http_parser *parser = context->idle_parsers;
    if (parser != NULL) {
        context->idle_parsers = parser->next;
        context->idle_parser_count--;
        context->buffered_bytes += parser->copy_room;
    } else {
        parser = context_resize(context, NULL, sizeof *parser);
        if (parser == NULL) {
            context_failed(context, KA_NO_MEMORY);
            return NULL;
        }
        parser->copy = NULL;
        parser->copy_room = 0;
    }
    parser->role = (uint8_t)role;
    http_reset(parser);
    return parser;
}

static void drop(stream_context *context, http_parser *parser)
{
    context_resize(context, parser->copy, 0);
    context_resize(context, parser, 0);
}

void http_parser_free(stream_context *context, http_parser *parser)
{
    context->buffered_bytes -= parser->copy_room;
    if (context->idle_parser_count >= POOL_MAX) {
        drop(context, parser);
        return;
    }
    if (parser->copy_room > POOL_COPY_BYTES) {
        context_resize(context, parser->copy, 0);
        parser->copy = NULL;
        parser->copy_room = 0;
    }
    parser->next = context->idle_parsers;
    context->idle_parsers = parser;
    context->idle_parser_count++;
}

void http_pool_fini(stream_context *context)
{
    for (http_parser *at = context->idle_parsers, *next; at != NULL; at = next) {
        next = at->next;
        drop(context, at);
    }
    context->idle_parsers = NULL;
    context->idle_parser_count = 0;
}

/* ---- Copies --------------------------------------------------------------------------------- */

static bool reserve(stream_context *context, http_parser *parser, size_t room)
{
    if (room <= parser->copy_room)
        return true;
    size_t new_room = parser->copy_room == 0 ? 512 : parser->copy_room;
    while (new_room < room)
        new_room *= 2;
    size_t more = new_room - parser->copy_room;
    if (context->buffered_bytes + more > context->limits.total_bytes) {
        context->counts.buffer_drops++;
        return false;
    }
    char *copy = context_resize(context, parser->copy, new_room);
    if (copy == NULL) {
        context_failed(context, KA_NO_MEMORY);
        return false;
    }
    parser->copy = copy;
    parser->copy_room = (uint32_t)new_room;
    context->buffered_bytes += more;
    return true;
}

bool http_append(stream_context *context, http_parser *parser, const void *bytes, size_t len_bytes)
{
    if (!reserve(context, parser, parser->copy_bytes + len_bytes))
        return false;
    if (len_bytes > 0)
        memcpy(parser->copy + parser->copy_bytes, bytes, len_bytes);
    parser->copy_bytes += (uint32_t)len_bytes;
    return true;
}

/* Copies the slice to where room was made before. */
static void keep_slice(http_parser *parser, ka_slice *slice)
{
    if (slice->len_bytes > 0)
        memcpy(parser->copy + parser->copy_bytes, slice->bytes, slice->len_bytes);
    slice->bytes = parser->copy + parser->copy_bytes;
    parser->copy_bytes += (uint32_t)slice->len_bytes;
}

bool http_keep_fields(stream_context *context, http_parser *parser)
{
    if (!parser->borrowed)
        return true;
    size_t len_bytes = parser->message.method.len_bytes + parser->message.target.len_bytes;
    for (size_t i = 0; i < parser->message.field_count; i++)
        len_bytes += parser->fields[i].value.len_bytes;
    if (!reserve(context, parser, len_bytes + 1))
        return false;
    parser->copy_bytes = 0;
    keep_slice(parser, &parser->message.method);
    keep_slice(parser, &parser->message.target);
    for (size_t i = 0; i < parser->message.field_count; i++)
        keep_slice(parser, &parser->fields[i].value);
    parser->borrowed = false;
    return true;
}
