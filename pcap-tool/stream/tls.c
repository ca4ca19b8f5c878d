/* tls.c - where one TLS record begins and ends (RFC 8446 section 5.1). Of the contents only a hello is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/tls.h"

#include <string.h>

enum {
    POOL_MAX = 1024, /* idle walkers kept: 100 kB */
    TYPE_MIN = 20,   /* change_cipher_spec */
    TYPE_MAX = 24,   /* heartbeat (RFC 6520); the last assigned to records of TLS over TCP */
};

tls_walker *tls_walker_new(stream_context *context)
{
    tls_walker *walker = context->idle_walkers;
    if (walker != NULL) {
        context->idle_walkers = walker->next;
        context->idle_walker_count--;
    } else {
        walker = context_resize(context, NULL, sizeof *walker);
        if (walker == NULL) {
            context_failed(context, KA_NO_MEMORY);
            return NULL;
        }
    }
    memset(walker, 0, sizeof *walker);
    return walker;
}

void tls_walker_free(stream_context *context, tls_walker *walker)
{
    if (context->idle_walker_count >= POOL_MAX) {
        context_resize(context, walker, 0);
        return;
    }
    walker->next = context->idle_walkers;
    context->idle_walkers = walker;
    context->idle_walker_count++;
}

void tls_pool_fini(stream_context *context)
{
    for (tls_walker *at = context->idle_walkers, *next; at != NULL; at = next) {
        next = at->next;
        context_resize(context, at, 0);
    }
    context->idle_walkers = NULL;
    context->idle_walker_count = 0;
}

static uint32_t body_bytes(const uint8_t header[TLS_HEADER_BYTES])
{
    return (uint32_t)header[3] << 8 | header[4];
}

bool tls_plausible_header(const uint8_t header[TLS_HEADER_BYTES])
{
    return header[0] >= TYPE_MIN && header[0] <= TYPE_MAX && header[1] == 3 && header[2] <= 4 &&
           body_bytes(header) <= TLS_BODY_BYTES_MAX;
}

bool tls_plausible_segment(const uint8_t *bytes, size_t len_bytes)
{
    bool whole = false;
    while (len_bytes >= TLS_HEADER_BYTES && tls_plausible_header(bytes)) {
        size_t record_bytes = TLS_HEADER_BYTES + body_bytes(bytes);
        if (record_bytes > len_bytes)
            return whole;
        bytes += record_bytes;
        len_bytes -= record_bytes;
        whole = true;
    }
    return whole && len_bytes == 0;
}

static void take(tls_walker *walker, stream_run *run, uint32_t len_bytes)
{
    walker->record.len_bytes += len_bytes;
    walker->record.last = run->at;
    run_advance(run, len_bytes);
}

static tls_event read_header(tls_walker *walker, stream_run *run)
{
    if (walker->header_bytes == 0) {
        walker->record.seq = run->seq;
        walker->record.first = run->at;
    }
    while (run->captured_bytes > 0 && walker->header_bytes < TLS_HEADER_BYTES) {
        walker->header[walker->header_bytes++] = run->bytes[0];
        take(walker, run, 1);
    }
    if (walker->header_bytes < TLS_HEADER_BYTES)
        return TLS_MORE;
    if (!tls_plausible_header(walker->header))
        return TLS_NONSENSE;
    walker->record.tls_type = walker->header[0];
    walker->body_left = body_bytes(walker->header);
    return TLS_HEADER;
}

tls_event tls_walk(tls_walker *walker, stream_run *run)
{
    if (walker->header_bytes < TLS_HEADER_BYTES)
        return read_header(walker, run);
    uint32_t len_bytes = run->len_bytes < walker->body_left ? run->len_bytes : walker->body_left;
    if (walker->record.tls_type == TLS_HANDSHAKE && run->captured_bytes > 0)
        tls_hello_read(&walker->hello, run->bytes,
                       len_bytes < run->captured_bytes ? len_bytes : run->captured_bytes);
    if (len_bytes > run->captured_bytes)
        tls_hello_give_up(&walker->hello); /* cut off */
    if (len_bytes > 0)
        take(walker, run, len_bytes);
    walker->body_left -= len_bytes;
    return walker->body_left == 0 ? TLS_COMPLETE : TLS_MORE;
}

bool tls_skip(tls_walker *walker, uint32_t len_bytes, const ka_moment *at)
{
    if (walker->header_bytes < TLS_HEADER_BYTES || len_bytes > walker->body_left)
        return false;
    tls_hello_give_up(&walker->hello);
    walker->body_left -= len_bytes;
    walker->record.len_bytes += len_bytes;
    if (at != NULL)
        walker->record.last = *at;
    return true;
}
