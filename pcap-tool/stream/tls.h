/* tls.h - where one TLS record begins and ends (RFC 8446 section 5.1). Of the contents only a hello is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include "stream/context.h"
#include "stream/tls_hello.h"

enum {
    TLS_HEADER_BYTES = 5,
    TLS_HANDSHAKE = 22,
    TLS_BODY_BYTES_MAX = 16384 + 2048, /* TLS 1.2's limit (RFC 5246 section 6.2.3); 1.3 allows less */
};

/* One record under way. Pooled, so that idle connections hold none. */
typedef struct tls_walker {
    struct tls_walker *next; /* in the pool */
    ka_bytes record;
    uint32_t body_left;
    uint8_t header[TLS_HEADER_BYTES];
    uint8_t header_bytes; /* how much of it is there */
    tls_hello hello;      /* of a handshake record */
} tls_walker;

typedef enum tls_event {
    TLS_MORE,     /* the run is used up, or the next byte of a header is cut off */
    TLS_HEADER,   /* a header was read: it is one */
    TLS_COMPLETE, /* the record is told by tls_walker.record */
    TLS_NONSENSE,
} tls_event;

/* NULL (and the context failed) when memory runs out. */
tls_walker *tls_walker_new(stream_context *context);
void tls_walker_free(stream_context *context, tls_walker *walker);
void tls_pool_fini(stream_context *context);

/* Takes bytes from the front of the run up to the next event. */
tls_event tls_walk(tls_walker *walker, stream_run *run);

/* So many bytes are missing, or cut off. Returns false when the walker is lost. */
bool tls_skip(tls_walker *walker, uint32_t len_bytes, const ka_moment *at);

bool tls_plausible_header(const uint8_t header[TLS_HEADER_BYTES]);
/* Whether a segment consists of records, the first of them whole: as sure as can be in mid-stream. */
bool tls_plausible_segment(const uint8_t *bytes, size_t len_bytes);

#endif
