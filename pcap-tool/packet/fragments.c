/* fragments.c - IP fragments until their datagram is whole (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fragments.h"

#include "bytes.h"
#include "tunnel.h"

#include <string.h>

enum {
    DATAGRAMS_MAX = 4096,      /* far more than are ever under way at once */
    HELD_BYTES_MAX = 16 << 20, /* what they hold together: 256 of the longest */
    PIECES_MAX = 1024,         /* 8 KiB, the largest packet of usual links, in the smallest pieces */
    UNIT_BYTES = 8,            /* of a fragment's offset */
};

/* Linux' own limit (RFC 8200 allows 60 s); behind it the identification may have come round. */
#define WAIT_NS (30 * KA_SECOND_NS)
/* Copies by a mirror port follow their originals within this. */
#define COPY_NS (10 * KA_MILLISECOND_NS)

typedef struct fragment_piece {
    struct fragment_piece *next;
    uint32_t offset;
    uint32_t wire_bytes;
    uint32_t captured_bytes;
    uint8_t bytes[];
} fragment_piece;

typedef struct fragment_key {
    uint8_t source[16];
    uint8_t target[16];
    uint32_t id;
    uint16_t path; /* tenants may have equal addresses */
    uint8_t version;
    uint8_t protocol; /* IPv4 only */
} fragment_key;

typedef struct fragment_datagram {
    fragment_key key;
    struct fragment_datagram *in_bucket;
    struct fragment_datagram *older;
    struct fragment_datagram *newer;
    fragment_piece *pieces; /* by offset; none overlap */
    fragment_piece *last;
    int64_t since_ns; /* of the first fragment; once whole or given up, of that */
    uint32_t fragment_count;
    uint32_t piece_count;
    uint32_t piece_bytes; /* of all pieces, on the wire */
    uint32_t total_bytes; /* 0: the last piece is missing */
    uint8_t protocol;     /* of what it carries, by the first piece */
    bool interesting;     /* it carries TCP or a tunnel, as far as known */
    bool whole;           /* was told; kept a moment against copies */
    bool given_up;        /* its pieces contradict each other: kept so that the rest is not begun anew */
} fragment_datagram;

/* ---- The table -------------------------------------------------------------------------------- */

static void *resize(const fragment_table *table, void *old, size_t new_bytes)
{
    return table->allocator->resize(table->allocator->user, old, new_bytes);
}

static fragment_key key_of(const ip_packet *ip, uint16_t path)
{
    fragment_key key;
    memset(&key, 0, sizeof key); /* compared as bytes */
    uint32_t ip_bytes = ip->version == 4 ? 4 : 16;
    memcpy(key.source, ip->source, ip_bytes);
    memcpy(key.target, ip->target, ip_bytes);
    key.id = ip->fragment_id;
    key.path = path;
    key.version = ip->version;
    key.protocol = ip->version == 4 ? ip->protocol : 0;
    return key;
}

static fragment_datagram **bucket_of(fragment_table *table, const fragment_key *key)
{
    uint64_t hash = table->seed;
    for (size_t i = 0; i < sizeof *key; i += 4) {
        uint32_t word;
        memcpy(&word, (const char *)key + i, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 31;
    }
    return &table->buckets[hash % FRAGMENT_BUCKETS];
}

static void drop_pieces(fragment_table *table, fragment_datagram *datagram)
{
    for (fragment_piece *piece = datagram->pieces, *next; piece != NULL; piece = next) {
        next = piece->next;
        table->held_bytes -= sizeof *piece + piece->captured_bytes;
        resize(table, piece, 0);
    }
    datagram->pieces = datagram->last = NULL;
    datagram->piece_count = 0;
}

static void count_lost(fragment_table *table, fragment_datagram *datagram)
{
    if (!datagram->whole && datagram->interesting)
        table->lost_count += datagram->fragment_count;
    datagram->fragment_count = 0;
}

static void remove_datagram(fragment_table *table, fragment_datagram *datagram)
{
    fragment_datagram **link = bucket_of(table, &datagram->key);
    while (*link != datagram)
        link = &(*link)->in_bucket;
    *link = datagram->in_bucket;
    *(datagram->older != NULL ? &datagram->older->newer : &table->oldest) = datagram->newer;
    *(datagram->newer != NULL ? &datagram->newer->older : &table->newest) = datagram->older;
    count_lost(table, datagram);
    drop_pieces(table, datagram);
    table->datagram_count--;
    resize(table, datagram, 0);
}

void fragments_fini(fragment_table *table)
{
    while (table->oldest != NULL)
        remove_datagram(table, table->oldest);
    resize(table, table->whole, 0);
    table->whole = NULL;
}

uint64_t fragments_lost(const fragment_table *table)
{
    uint64_t lost_count = table->lost_count;
    for (const fragment_datagram *each = table->oldest; each != NULL; each = each->newer)
        if (!each->whole && each->interesting)
            lost_count += each->fragment_count;
    return lost_count;
}

static void make_room(fragment_table *table, int64_t now_ns)
{
    while (table->oldest != NULL &&
           (now_ns - table->oldest->since_ns > WAIT_NS || table->datagram_count >= DATAGRAMS_MAX ||
            table->held_bytes > HELD_BYTES_MAX - FRAGMENT_DATAGRAM_BYTES))
        remove_datagram(table, table->oldest);
}

static fragment_datagram *add_datagram(fragment_table *table, const fragment_key *key, int64_t now_ns)
{
    fragment_datagram *added = resize(table, NULL, sizeof *added);
    if (added == NULL)
        return NULL;
    fragment_datagram **bucket = bucket_of(table, key);
    *added =
        (fragment_datagram){.key = *key, .in_bucket = *bucket, .older = table->newest, .since_ns = now_ns};
    *bucket = added;
    *(table->newest != NULL ? &table->newest->newer : &table->oldest) = added;
    table->newest = added;
    table->datagram_count++;
    return added;
}

/* The datagram of a fragment, made when there is none; NULL when memory ran out. */
static fragment_datagram *find_datagram(fragment_table *table, const fragment_key *key, int64_t now_ns)
{
    make_room(table, now_ns);
    fragment_datagram *found = *bucket_of(table, key);
    while (found != NULL && memcmp(&found->key, key, sizeof *key) != 0)
        found = found->in_bucket;
    if (found != NULL && found->whole && now_ns - found->since_ns > COPY_NS) {
        remove_datagram(table, found); /* the identification was used again */
        found = NULL;
    }
    return found != NULL ? found : add_datagram(table, key, now_ns);
}

/* ---- Pieces ----------------------------------------------------------------------------------- */

typedef enum insert_result { INSERTED, INSERT_COPY, INSERT_CONFLICT, INSERT_NO_MEMORY } insert_result;

static bool is_same(const fragment_piece *piece, const packet_bytes *payload)
{
    uint32_t both =
        piece->captured_bytes < payload->captured_bytes ? piece->captured_bytes : payload->captured_bytes;
    return piece->wire_bytes == payload->wire_bytes && memcmp(piece->bytes, payload->bytes, both) == 0;
}

/* Nobody cuts a datagram so that pieces overlap: RFC 5722 forbids it for IPv6, and for IPv4 what a receiver
 * takes depends on its system (teardrop, Ptacek and Newsham). So an overlap that is no copy is a conflict. */
static insert_result insert(fragment_table *table, fragment_datagram *datagram, uint32_t offset,
                            const packet_bytes *payload)
{
    fragment_piece **link = &datagram->pieces;
    if (datagram->last != NULL && datagram->last->offset + datagram->last->wire_bytes <= offset)
        link = &datagram->last->next; /* as they usually come */
    while (*link != NULL && (*link)->offset + (*link)->wire_bytes <= offset)
        link = &(*link)->next;
    fragment_piece *after = *link;
    if (after != NULL && after->offset < offset + payload->wire_bytes)
        return after->offset == offset && is_same(after, payload) ? INSERT_COPY : INSERT_CONFLICT;
    if (datagram->piece_count == PIECES_MAX)
        return INSERT_CONFLICT;
    fragment_piece *added = resize(table, NULL, sizeof *added + payload->captured_bytes);
    if (added == NULL)
        return INSERT_NO_MEMORY;
    *added = (fragment_piece){after, offset, payload->wire_bytes, payload->captured_bytes};
    memcpy(added->bytes, payload->bytes, payload->captured_bytes);
    *link = added;
    if (after == NULL)
        datagram->last = added;
    table->held_bytes += sizeof *added + payload->captured_bytes;
    datagram->piece_count++;
    datagram->piece_bytes += payload->wire_bytes;
    return INSERTED;
}

/* What is known of the whole from this piece. False: it contradicts another. */
static bool note_ends(fragment_datagram *datagram, uint32_t offset, const ip_packet *ip)
{
    uint32_t end = offset + ip->payload.wire_bytes;
    bool last = !(ip->fragment & IP_MORE_FRAGMENTS);
    if (datagram->total_bytes != 0 && (end > datagram->total_bytes || (last && end != datagram->total_bytes)))
        return false;
    for (const fragment_piece *piece = datagram->pieces; last && piece != NULL; piece = piece->next)
        if (piece->offset + piece->wire_bytes > end)
            return false;
    if (last)
        datagram->total_bytes = end;
    if (offset == 0)
        datagram->protocol = ip->protocol;
    if (ip->protocol != IP_UDP || (offset == 0 && tunnel_is_udp(&ip->payload)))
        datagram->interesting = true;
    return true;
}

static void give_up(fragment_table *table, fragment_datagram *datagram)
{
    drop_pieces(table, datagram);
    count_lost(table, datagram);
    datagram->given_up = true;
}

/* Makes *ip the whole datagram. Its bytes are known up to where the capture cut a piece. */
static bool put_together(fragment_table *table, fragment_datagram *datagram, ip_packet *ip)
{
    if (table->whole == NULL && (table->whole = resize(table, NULL, FRAGMENT_DATAGRAM_BYTES)) == NULL)
        return false;
    uint32_t captured = 0;
    for (const fragment_piece *piece = datagram->pieces; piece != NULL; piece = piece->next) {
        if (captured == piece->offset) {
            memcpy(table->whole + captured, piece->bytes, piece->captured_bytes);
            captured += piece->captured_bytes;
        }
    }
    ip->source = datagram->key.source;
    ip->target = datagram->key.target;
    ip->payload = (packet_bytes){table->whole, captured, datagram->total_bytes};
    ip->protocol = datagram->protocol;
    ip->fragment = 0;
    return true;
}

packet_verdict fragments_add(fragment_table *table, uint16_t path, int64_t time_ns, ip_packet *ip)
{
    uint32_t offset = (ip->fragment & IP_FRAGMENT_OFFSET) * (uint32_t)UNIT_BYTES;
    uint32_t len_bytes = ip->payload.wire_bytes;
    bool more = (ip->fragment & IP_MORE_FRAGMENTS) != 0;
    if (len_bytes == 0 || (more && len_bytes % UNIT_BYTES != 0) || len_bytes > FRAGMENT_DATAGRAM_BYTES ||
        offset + len_bytes > FRAGMENT_DATAGRAM_BYTES)
        return PACKET_MALFORMED;
    fragment_key key = key_of(ip, path);
    fragment_datagram *datagram = find_datagram(table, &key, time_ns);
    if (datagram == NULL) {
        table->lost_count++;
        return PACKET_FRAGMENT;
    }
    if (datagram->whole)
        return PACKET_OTHER;
    datagram->fragment_count++;
    if (datagram->given_up) {
        count_lost(table, datagram);
        return PACKET_FRAGMENT;
    }
    insert_result result =
        note_ends(datagram, offset, ip) ? insert(table, datagram, offset, &ip->payload) : INSERT_CONFLICT;
    if (result == INSERT_COPY) {
        datagram->fragment_count--;
        return PACKET_OTHER;
    }
    bool whole = result == INSERTED && datagram->piece_bytes == datagram->total_bytes;
    if (result != INSERTED || (whole && !put_together(table, datagram, ip))) {
        give_up(table, datagram);
        return PACKET_FRAGMENT;
    }
    if (!whole)
        return PACKET_FRAGMENT;
    drop_pieces(table, datagram);
    datagram->whole = true;
    datagram->since_ns = time_ns;
    return PACKET_TCP;
}
