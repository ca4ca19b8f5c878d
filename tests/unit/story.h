/* story.h - captures told as stories: who sent what when, as facts for an audit; and what came of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Times are seconds of capture time. Every segment gets the next frame, the next sequence number of its
 * sender, and acknowledges all that the other side has sent, unless the sender is deaf.
 */
#ifndef STORY_H
#define STORY_H

#include "unit.h"

#include "audit.h"
#include "page.h"

enum { CLIENT, SERVER };
enum { STORY_BYTES = 100, STORY_MAX = 64 };

#define MS 0.001
#define US 0.000001

typedef struct story {
    ka_audit *audit;
    uint64_t frame;
    ka_status status; /* the first failure; nothing is told after it */
    /* The allocator */
    long blocks;
    long bytes;
    long taken;  /* allocations until now */
    long refuse; /* the one that fails; 0: none */
    /* The sink */
    ka_record records[STORY_MAX];
    ka_finding findings[STORY_MAX];
    ka_exchange_record exchanges[STORY_MAX];
    ka_endpoint_record endpoints[STORY_MAX];
    unsigned record_count, finding_count, exchange_count, endpoint_count;
    void *settled[STORY_MAX];
    unsigned settled_count;
} story;

enum { STORY_STREAMS = 15536 }; /* as many as have ports of their own */

typedef struct talk {
    story *story;
    ka_connection *connection;
    uint32_t next[2];  /* sequence number each side sends next */
    uint32_t acked[2]; /* ACK number each side sends */
    bool deaf[2];      /* keeps its ACK number: what the other side sends has not arrived */
    bool server_first; /* the server sent the connection's first packet */
    uint16_t ip_id;
} talk;

/* ---- An allocator that counts and can fail, a sink that keeps ---- */

static inline void *story_resize(void *user, void *old, size_t new_bytes)
{
    story *s = user;
    size_t *block = old != NULL ? (size_t *)old - 2 : NULL;
    size_t old_bytes = block != NULL ? block[0] : 0;
    if (new_bytes > 0 && ++s->taken == s->refuse)
        return NULL;
    s->bytes += (long)new_bytes - (long)old_bytes;
    s->blocks += (new_bytes > 0) - (old != NULL);
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, new_bytes + 2 * sizeof *block);
    assert_non_null(block);
    block[0] = new_bytes;
    if (old == NULL)
        memset(block + 2, 0xa5, new_bytes); /* fresh memory is not zero */
    return block + 2;
}

#define STORY_KEEP(name, type)                                                                               \
    static inline void story_keep_##name(void *user, const type *told)                                       \
    {                                                                                                        \
        story *s = user;                                                                                     \
        assert_true(s->name##_count < STORY_MAX);                                                            \
        s->name##s[s->name##_count++] = *told;                                                               \
    }
STORY_KEEP(record, ka_record)
STORY_KEEP(finding, ka_finding)
STORY_KEEP(exchange, ka_exchange_record)
STORY_KEEP(endpoint, ka_endpoint_record)

static inline void story_settled(void *user, void *owner)
{
    story *s = user;
    assert_true(s->settled_count < STORY_MAX);
    s->settled[s->settled_count++] = owner;
}

static inline ka_sink story_sink(story *s)
{
    return (ka_sink){
        s, story_keep_record, story_keep_finding, story_keep_exchange, story_keep_endpoint, NULL, NULL};
}

static inline ka_allocator story_allocator(story *s)
{
    return (ka_allocator){s, story_resize};
}

/* ---- Beginning and end ---- */

static inline void story_begin_refusing(story *s, long refuse)
{
    memset(s, 0, sizeof *s);
    s->refuse = refuse;
    ka_config config = {
        .allocator = story_allocator(s), .sink = story_sink(s), .settled = story_settled, .settled_user = s};
    ka_thresholds_init(&config.thresholds);
    s->status = ka_audit_new(&config, &s->audit);
}

static inline void story_begin(story *s)
{
    story_begin_refusing(s, 0);
    assert_int_equal(s->status, KA_OK);
}

/* Asks for the report; what was kept before stays. */
static inline void story_report(story *s)
{
    ka_sink sink = story_sink(s);
    if (s->status == KA_OK)
        s->status = ka_audit_report(s->audit, &sink);
}

/* All memory must be back. May be called again. */
static inline void story_end(story *s)
{
    ka_audit_free(s->audit);
    s->audit = NULL;
    assert_int_equal(s->blocks, 0);
    assert_int_equal(s->bytes, 0);
}

/* Reports, checks that nothing failed, and frees; the only connection's record. */
static inline ka_record story_only_record(story *s)
{
    story_report(s);
    assert_int_equal(s->status, KA_OK);
    story_end(s);
    assert_int_equal(s->record_count, 1);
    return s->records[0];
}

/* Records as they are told: their bytes in memory differ in the padding. */
static inline void story_same_record(const ka_record *a, const ka_record *b)
{
    page pages[2];
    ka_writer writers[2] = {page_writer(&pages[0]), page_writer(&pages[1])};
    assert_true(ka_write_connection(&writers[0], a));
    assert_true(ka_write_connection(&writers[1], b));
    assert_string_equal(pages[0].text, pages[1].text);
    assert_memory_equal(a->finding_severity, b->finding_severity, sizeof a->finding_severity);
}

static inline bool story_has(const story *s, ka_finding_id id)
{
    for (unsigned i = 0; i < s->finding_count; i++) {
        if (s->findings[i].id == id)
            return true;
    }
    return false;
}

static inline ka_address story_address(uint8_t host, uint16_t port)
{
    return (ka_address){{192, 0, 2, host}, port, 4};
}

static inline int64_t story_ns(double seconds)
{
    return (int64_t)(seconds * 1e9 + (seconds < 0 ? -0.5 : 0.5));
}

/* A connection of client port 50000 + stream to 192.0.2.80:80. */
static inline talk talk_open(story *s, uint32_t stream, bool server_first)
{
    talk t = {.story = s, .next = {1000, 7000}, .acked = {7000, 1000}, .server_first = server_first};
    static ka_address kept[STORY_STREAMS][2];
    assert_true(stream < STORY_STREAMS);
    ka_address *ends = kept[stream];
    ends[0] = story_address(1, (uint16_t)(50000 + stream));
    ends[1] = story_address(80, 80);
    if (server_first) {
        ka_address client = ends[0];
        ends[0] = ends[1];
        ends[1] = client;
    }
    if (s->status == KA_OK)
        s->status =
            ka_connection_open(s->audit, stream, ends, (void *)(uintptr_t)(stream + 1), &t.connection);
    return t;
}

/* ---- Segments ---- */

static inline uint8_t talk_direction(const talk *t, int side)
{
    return (uint8_t)(t->server_first ? !side : side);
}

/* The segment that would be next; nothing is told or moved on. */
static inline ka_segment segment_of(talk *t, double at, int side, uint8_t flags, uint32_t len_bytes)
{
    if (!t->deaf[side])
        t->acked[side] = t->next[!side];
    return (ka_segment){.time_ns = story_ns(at),
                        .frame = t->story->frame + 1,
                        .seq = t->next[side],
                        .ack = flags & KA_ACK ? t->acked[side] : 0,
                        .len_bytes = len_bytes,
                        .captured_bytes = len_bytes,
                        .window = 500,
                        .mss = flags & KA_SYN ? 1460 : 0,
                        .ip_id = ++t->ip_id,
                        .flags = flags,
                        .ttl = 64,
                        .direction = talk_direction(t, side)};
}

/* Tells it as it is: retransmissions, probes, copies. */
static inline ka_moment tell(talk *t, ka_segment segment)
{
    story *s = t->story;
    segment.frame = ++s->frame;
    if (s->status == KA_OK)
        s->status = ka_segment_seen(s->audit, t->connection, &segment);
    return (ka_moment){segment.time_ns, segment.frame};
}

static inline void moved_on(talk *t, int side, const ka_segment *segment)
{
    t->next[side] += segment->len_bytes + ((segment->flags & (KA_SYN | KA_FIN)) ? 1 : 0);
}

static inline ka_moment sends(talk *t, double at, int side, uint8_t flags, uint32_t len_bytes)
{
    ka_segment segment = segment_of(t, at, side, flags, len_bytes);
    moved_on(t, side, &segment);
    return tell(t, segment);
}

/* What the capture does not hold. */
static inline ka_segment sends_unseen(talk *t, double at, int side, uint8_t flags, uint32_t len_bytes)
{
    ka_segment segment = segment_of(t, at, side, flags, len_bytes);
    moved_on(t, side, &segment);
    return segment;
}

static inline ka_moment acks(talk *t, double at, int side)
{
    return sends(t, at, side, KA_ACK, 0);
}

static inline ka_moment fins(talk *t, double at, int side)
{
    return sends(t, at, side, KA_FIN | KA_ACK, 0);
}

static inline ka_moment resets(talk *t, double at, int side)
{
    return sends(t, at, side, KA_RST | KA_ACK, 0);
}

/* SYN at `at`, SYN-ACK rtt_server later, ACK another rtt_client later. */
static inline void handshake(talk *t, double at, double rtt_server, double rtt_client)
{
    sends(t, at, CLIENT, KA_SYN, 0);
    sends(t, at + rtt_server, SERVER, KA_SYN | KA_ACK, 0);
    acks(t, at + rtt_server + rtt_client, CLIENT);
}

/* ---- Messages ---- */

typedef struct words {
    const char *connection;
    const char *keep_alive;
    uint8_t version;    /* 0: 11 */
    ka_framing framing; /* NONE for requests, LENGTH for responses unless set */
    const char *host;   /* of a request */
    bool to_origin;     /* it asks for a path */
} words;

/* A message of the bytes [seq, seq + len_bytes). status 0: a request. */
typedef struct line {
    int side;
    uint16_t status;
    uint32_t seq;
    uint32_t ack;
    uint32_t len_bytes;
    ka_moment first;
    ka_moment last;
    words say;
} line;

static inline ka_field story_field(ka_field_name name, const char *value)
{
    return (ka_field){name, {value, strlen(value)}};
}

static inline void says(talk *t, line l)
{
    ka_field fields[3];
    ka_message m = {.direction = talk_direction(t, l.side),
                    .is_response = l.status != 0,
                    .version = l.say.version != 0 ? l.say.version : 11,
                    .status = l.status,
                    .method = {"GET", l.status != 0 ? 0 : 3},
                    .origin_form = l.say.to_origin,
                    .framing = l.say.framing,
                    .seq = l.seq,
                    .len_bytes = l.len_bytes,
                    .ack = l.ack,
                    .first = l.first,
                    .last = l.last,
                    .fields = fields};
    if (m.is_response && m.framing == KA_FRAMING_NONE)
        m.framing = KA_FRAMING_LENGTH;
    if (l.say.connection != NULL)
        fields[m.field_count++] = story_field(KA_FIELD_CONNECTION, l.say.connection);
    if (l.say.keep_alive != NULL)
        fields[m.field_count++] = story_field(KA_FIELD_KEEP_ALIVE, l.say.keep_alive);
    if (l.say.host != NULL)
        fields[m.field_count++] = story_field(KA_FIELD_HOST, l.say.host);
    if (t->story->status == KA_OK)
        t->story->status = ka_message_seen(t->story->audit, t->connection, &m);
}

/* Segments only: the message they make, to be told with says(). */
static inline line sends_message(talk *t, double at, int side, uint16_t status, words say)
{
    ka_segment segment = segment_of(t, at, side, KA_PSH | KA_ACK, STORY_BYTES);
    moved_on(t, side, &segment);
    ka_moment now = tell(t, segment);
    return (line){side, status, segment.seq, segment.ack, STORY_BYTES, now, now, say};
}

/* One segment, one message. */
static inline line asks(talk *t, double at)
{
    line l = sends_message(t, at, CLIENT, 0, (words){0});
    says(t, l);
    return l;
}

static inline line answers(talk *t, double at, uint16_t status, words say)
{
    line l = sends_message(t, at, SERVER, status, say);
    says(t, l);
    return l;
}

/* 200 that advertises. */
static inline line advertises(talk *t, double at, const char *keep_alive)
{
    return answers(t, at, 200, (words){.connection = "keep-alive", .keep_alive = keep_alive});
}

#endif
