/* tls_facts.c - the TLS records of a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tls_facts.h"

#include "http_facts.h"
#include "memory.h"
#include "wanted.h"

enum {
    RECORD_HEADER_BYTES = 5,
    TYPE_MIN = 20, /* change_cipher_spec */
    TYPE_MAX = 23, /* application_data */
    APPLICATION_DATA = 23,
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
};

static bool read_record(const collect_frame *frame, const field_info *item, ka_bytes *out)
{
    const track *seen = &frame->connection->sides[frame->direction].track;
    if (!tvb_bytes_exist(item->ds_tvb, item->start, RECORD_HEADER_BYTES) ||
        !collect_seq(frame, item->ds_tvb, item->start, &out->seq))
        return false;
    out->direction = (uint8_t)frame->direction;
    out->tls_type = compat_byte(item->ds_tvb, item->start);
    out->len_bytes = RECORD_HEADER_BYTES + (uint64_t)tvb_get_ntohs(item->ds_tvb, item->start + 3);
    const track_piece *first = track_of_byte(seen, out->seq);
    const track_piece *last = track_of_byte(seen, (uint32_t)(out->seq + out->len_bytes - 1));
    if (first == NULL || last == NULL || out->tls_type < TYPE_MIN || out->tls_type > TYPE_MAX)
        return false;
    out->first = first->at;
    out->last = last->at;
    return true;
}

/* `carries`: the type of what is inside, as far as Wireshark can tell. */
static void tell_record(collect_frame *frame, ka_bytes *record, uint32_t carries, bool readable)
{
    collect_connection *connection = frame->connection;
    if (!readable)
        ka_tls_record_seen(frame->all->audit, connection->core, record);
    else if (carries == APPLICATION_DATA)
        return; /* a message, or a part of one */
    else {
        record->tls_type = (uint8_t)carries;
        ka_stray_seen(frame->all->audit, connection->core, record);
    }
    track_forget(&connection->sides[record->direction].track, (uint32_t)(record->seq + record->len_bytes));
}

static void tell_item(collect_frame *frame, const field_info *item, bool readable)
{
    ka_bytes record;
    if (read_record(frame, item, &record))
        tell_record(frame, &record, compat_uinteger(item), readable);
}

/* A record of TLS 1.3 that was decrypted has both types, at the same place. */
static bool is_decrypted(const collect_frame *frame, const field_info *opaque)
{
    unsigned count = wanted_count(frame->tree, WANTED_TLS_TYPE);
    for (unsigned i = 0; i < count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_TLS_TYPE, i);
        if (item->ds_tvb == opaque->ds_tvb && item->start == opaque->start)
            return true;
    }
    return false;
}

static unsigned alpn_of(const field_info *item)
{
    static const struct {
        const char *name;
        unsigned alpn;
    } names[] = {{"h2", KA_ALPN_H2}, {"http/1.1", KA_ALPN_HTTP1}, {"http/1.0", KA_ALPN_HTTP1}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        int len_bytes = (int)strlen(names[i].name);
        if (item->length == len_bytes && tvb_bytes_exist(item->ds_tvb, item->start, len_bytes) &&
            tvb_memeql(item->ds_tvb, item->start, (const uint8_t *)names[i].name, len_bytes) == 0)
            return names[i].alpn;
    }
    return KA_ALPN_OTHER;
}

/* Within one record, which was captured whole. */
static bool is_in_record(const collect_frame *frame, const field_info *item)
{
    unsigned count = wanted_count(frame->tree, WANTED_TLS_TYPE);
    for (unsigned i = 0; i < count; i++) {
        const field_info *record = wanted_item(frame->tree, WANTED_TLS_TYPE, i);
        if (record->ds_tvb != item->ds_tvb || record->start > item->start ||
            !tvb_bytes_exist(record->ds_tvb, record->start, RECORD_HEADER_BYTES))
            continue;
        int len_bytes = RECORD_HEADER_BYTES + tvb_get_ntohs(record->ds_tvb, record->start + 3);
        if (item->start - record->start < len_bytes)
            return tvb_bytes_exist(record->ds_tvb, record->start, len_bytes);
    }
    return false;
}

/* The hello in this frame, as far as it is in one record; 0: none. In one frame there is only one side's. */
static uint32_t hello_of(const collect_frame *frame)
{
    unsigned handshakes = wanted_count(frame->tree, WANTED_TLS_HANDSHAKE);
    uint32_t hello = 0;
    for (unsigned i = 0; i < handshakes && hello == 0; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_TLS_HANDSHAKE, i);
        uint32_t type = compat_uinteger(item);
        bool is_hello = type == CLIENT_HELLO || type == SERVER_HELLO;
        hello = is_hello && is_in_record(frame, item) ? type : 0;
    }
    return hello;
}

/* What the hello names. */
static void tell_alpn(const collect_frame *frame, uint32_t hello)
{
    unsigned alpn = 0, count = wanted_count(frame->tree, WANTED_TLS_ALPN);
    for (unsigned i = 0; i < count; i++)
        alpn |= alpn_of(wanted_item(frame->tree, WANTED_TLS_ALPN, i));
    ka_tls_alpn_seen(frame->all->audit, frame->connection->core, hello == CLIENT_HELLO, alpn);
}

/* The first entry of the list, when it is a host_name (RFC 6066 section 3). */
static void tell_name(const collect_frame *frame)
{
    enum { HEAD_BYTES = 3, HOST_NAME = 0 }; /* type, and length of two */
    if (wanted_count(frame->tree, WANTED_TLS_NAME) == 0)
        return;
    const field_info *item = wanted_item(frame->tree, WANTED_TLS_NAME, 0);
    int head = item->start - HEAD_BYTES;
    if (item->length <= 0 || head < 0 || !tvb_bytes_exist(item->ds_tvb, head, HEAD_BYTES + item->length) ||
        compat_byte(item->ds_tvb, head) != HOST_NAME || tvb_get_ntohs(item->ds_tvb, head + 1) != item->length)
        return;
    ka_slice name = {(const char *)tvb_get_ptr(item->ds_tvb, item->start, item->length),
                     (size_t)item->length};
    ka_tls_name_seen(frame->all->audit, frame->connection->core, frame->direction, name);
}

void tls_facts_tell(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    unsigned type_count = wanted_count(frame->tree, WANTED_TLS_TYPE);
    unsigned opaque_count = wanted_count(frame->tree, WANTED_TLS_OPAQUE_TYPE);
    if (type_count + opaque_count == 0)
        return;
    bool readable = connection->http || connection->h2 || http_facts_decrypted(frame) > 0 ||
                    wanted_count(frame->tree, WANTED_HTTP2) > 0;
    connection->tls = true;
    uint32_t hello = hello_of(frame);
    if (hello != 0)
        tell_alpn(frame, hello);
    for (unsigned i = 0; i < type_count; i++)
        tell_item(frame, wanted_item(frame->tree, WANTED_TLS_TYPE, i), readable);
    /* A direction that has begun to hide its types goes on: these come after. */
    for (unsigned i = 0; i < opaque_count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_TLS_OPAQUE_TYPE, i);
        if (!is_decrypted(frame, item))
            tell_item(frame, item, readable);
    }
    if (hello == CLIENT_HELLO)
        tell_name(frame);
}
