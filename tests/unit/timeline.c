/* timeline.c - a test's story of some connections.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "timeline.h"

#include <math.h>
#include <stdio.h>

/* Some clock time far from zero, as captures have it. */
#define EPOCH_NS (INT64_C(1700000000) * KA_SECOND_NS)

enum { REQUEST_BYTES = 100, RESPONSE_BYTES = 300, CLIENT_ISN = 0xfffffe00u, SERVER_ISN = 0x7fffff00u };

static const int64_t client_part_ns[VIEWPOINT_COUNT] = {0, 10 * KA_MILLISECOND_NS, ONE_WAY_NS};

static int64_t ns(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

/* ---- Writing the story ---- */

void timeline_begin(timeline *t, viewpoint seen_from)
{
    memset(t, 0, sizeof *t);
    t->seen_from = seen_from;
    ka_thresholds_init(&t->limits);
}

static mark *add(conversation *c, side from, double at_s, uint8_t flags, uint32_t len_bytes)
{
    timeline *t = c->in;
    assert_true(t->mark_count < MARKS_MAX);
    mark *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->in = c;
    m->from = from;
    m->sent_ns = ns(at_s);
    m->flags = flags;
    m->len_bytes = len_bytes;
    m->version = 11;
    m->ttl = 60;
    t->marks[t->mark_count++] = m;
    return m;
}

conversation *connect_to(timeline *t, double at_s, uint8_t server)
{
    assert_true(t->conversation_count < CONVERSATIONS_MAX);
    conversation *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->in = t;
    c->stream = (uint32_t)t->conversation_count;
    c->seen_from = -1e6;
    c->ends[CLIENT] = (ka_address){{192, 0, 2, 1}, (uint16_t)(50000 + c->stream), 4};
    c->ends[SERVER] = (ka_address){{198, 51, 100, server}, 80, 4};
    t->conversations[t->conversation_count++] = c;
    add(c, CLIENT, at_s, KA_SYN, 0);
    add(c, SERVER, at_s + 0.025, KA_SYN | KA_ACK, 0);
    return c;
}

conversation *connect_at(timeline *t, double at_s)
{
    return connect_to(t, at_s, 1);
}

mark *part(conversation *c, side from, double at_s)
{
    return add(c, from, at_s, KA_ACK | KA_PSH, from == CLIENT ? REQUEST_BYTES : RESPONSE_BYTES);
}

mark *request(conversation *c, double at_s, const char *fields)
{
    mark *m = part(c, CLIENT, at_s);
    m->message_from = m;
    m->fields = fields;
    m->method = "GET";
    return m;
}

mark *answer(conversation *c, double at_s, uint16_t status, const char *fields)
{
    mark *m = part(c, SERVER, at_s);
    m->message_from = m;
    m->fields = fields;
    m->status = status;
    m->framing = KA_FRAMING_LENGTH;
    return m;
}

mark *response(conversation *c, double at_s, const char *fields)
{
    return answer(c, at_s, 200, fields);
}

mark *response_end(conversation *c, double at_s, mark *first, const char *fields)
{
    mark *m = response(c, at_s, fields);
    m->message_from = first;
    return m;
}

mark *stray_line(conversation *c, double at_s)
{
    mark *m = add(c, CLIENT, at_s, KA_ACK | KA_PSH, 2);
    m->stray = true;
    return m;
}

mark *tls_record(conversation *c, side from, double at_s, uint8_t type, uint32_t len_bytes)
{
    mark *m = add(c, from, at_s, KA_ACK | KA_PSH, len_bytes);
    m->tls_type = type;
    return m;
}

mark *h2_frame(conversation *c, side from, double at_s, uint8_t type, uint8_t flags, uint32_t stream)
{
    mark *m = part(c, from, at_s);
    c->protocol = KA_PROTOCOL_H2C;
    m->is_h2 = true;
    m->h2_type = type;
    m->h2_flags = flags;
    m->h2_stream = stream;
    return m;
}

mark *fin(conversation *c, side from, double at_s)
{
    return add(c, from, at_s, KA_FIN | KA_ACK, 0);
}

mark *rst(conversation *c, side from, double at_s)
{
    return add(c, from, at_s, KA_RST | KA_ACK, 0);
}

mark *resend(conversation *c, double at_s, mark *what)
{
    mark *m = add(c, what->from, at_s, what->flags, what->len_bytes);
    m->again = what;
    return m;
}

mark *probe(conversation *c, side from, double at_s)
{
    mark *m = add(c, from, at_s, KA_ACK, 0);
    m->probe = true;
    return m;
}

mark *bare_ack(conversation *c, side from, double at_s)
{
    return add(c, from, at_s, KA_ACK, 0);
}

void ports_reused(conversation *c, double at_s)
{
    add(c, CLIENT, at_s, 0, 0)->ends = true;
}

void exchange(conversation *c, double at_s, const char *request_fields, const char *response_fields)
{
    request(c, at_s, request_fields);
    response(c, at_s + 0.1, response_fields);
}

/* ---- Playing it ---- */

static uint32_t width(const mark *m)
{
    return m->len_bytes + ((m->flags & (KA_SYN | KA_FIN)) ? 1 : 0);
}

/* Nobody acknowledges after an RST; a server that has sent its FIN answers no payload any more. */
static bool is_gone(const timeline *t, size_t count, const mark *arriving)
{
    int64_t arrival_ns = arriving->sent_ns + ONE_WAY_NS;
    for (size_t i = 0; i < count; i++) {
        const mark *m = t->marks[i];
        int64_t known_ns = m->from == arriving->from ? m->sent_ns + ONE_WAY_NS : m->sent_ns;
        if (m->in != arriving->in || known_ns > arrival_ns)
            continue;
        if (m->flags & KA_RST)
            return true;
        if ((m->flags & KA_FIN) && m->from == SERVER && arriving->from == CLIENT && arriving->len_bytes > 0)
            return true;
    }
    return false;
}

/* Whoever receives something acknowledges it at once. */
static void acknowledge_everything(timeline *t)
{
    size_t count = t->mark_count;
    for (size_t i = 0; i < count; i++) {
        const mark *m = t->marks[i];
        if ((width(m) == 0 && !m->probe) || m->flags == KA_SYN || m->in->mute[!m->from] ||
            is_gone(t, count, m))
            continue;
        mark *ack = add(m->in, !m->from, 0, KA_ACK, 0);
        ack->sent_ns = m->sent_ns + ONE_WAY_NS;
    }
}

static int by_sending(const void *left, const void *right)
{
    const mark *a = *(mark *const *)left;
    const mark *b = *(mark *const *)right;
    if (a->sent_ns != b->sent_ns)
        return a->sent_ns < b->sent_ns ? -1 : 1;
    return (width(a) == 0) - (width(b) == 0); /* a bare ACK after what is sent with it */
}

static int by_capture(const void *left, const void *right)
{
    const mark *a = *(mark *const *)left;
    const mark *b = *(mark *const *)right;
    int64_t a_ns = a->at.time_ns - a->clock_ns, b_ns = b->at.time_ns - b->clock_ns;
    return a_ns != b_ns ? (a_ns < b_ns ? -1 : 1) : by_sending(left, right);
}

/* qsort is not stable: marks of one time keep their order by their place. */
static void sort(timeline *t, int (*compare)(const void *, const void *))
{
    for (size_t i = 1; i < t->mark_count; i++) {
        mark *m = t->marks[i];
        size_t j = i;
        for (; j > 0 && compare(&t->marks[j - 1], &m) > 0; j--)
            t->marks[j] = t->marks[j - 1];
        t->marks[j] = m;
    }
}

static void number(timeline *t, conversation *c)
{
    uint32_t next[2] = {CLIENT_ISN, SERVER_ISN};
    for (size_t i = 0; i < t->mark_count; i++) {
        mark *m = t->marks[i];
        if (m->in != c)
            continue;
        m->seq = m->again != NULL ? m->again->seq : next[m->from] - (m->probe ? 1 : 0);
        if (m->again == NULL)
            next[m->from] += width(m);
        m->ack_number = m->from == CLIENT ? SERVER_ISN + 1 : CLIENT_ISN + 1;
        for (size_t j = 0; j < i; j++) {
            const mark *p = t->marks[j];
            if (p->in == c && p->from != m->from && p->again == NULL && !(p->flags & KA_RST) &&
                p->sent_ns + ONE_WAY_NS <= m->sent_ns)
                m->ack_number = p->seq + width(p);
        }
        if (m->ack != NULL)
            m->ack_number = *m->ack;
        int64_t on_the_way_ns = client_part_ns[t->seen_from];
        if (m->from == SERVER)
            on_the_way_ns = ONE_WAY_NS - on_the_way_ns;
        m->at.time_ns = EPOCH_NS + m->sent_ns + on_the_way_ns + m->clock_ns;
        m->uncaptured |= c->unseen[m->from] || m->sent_ns < ns(c->seen_from);
    }
}

static ka_field_name field_name(const char *line, size_t len_bytes)
{
    static const char *const names[KA_FIELD_COUNT] = {
        [KA_FIELD_CONNECTION] = "Connection",
        [KA_FIELD_KEEP_ALIVE] = "Keep-Alive",
        [KA_FIELD_PROXY_CONNECTION] = "Proxy-Connection",
        [KA_FIELD_EXPECT] = "Expect",
        [KA_FIELD_VIA] = "Via",
        [KA_FIELD_UPGRADE] = "Upgrade",
        [KA_FIELD_HOST] = "Host",
        [KA_FIELD_CONTENT_TYPE] = "Content-Type",
        [KA_FIELD_SERVER] = "Server",
        [KA_FIELD_AUTHENTICATE] = "Authorization",
    };
    for (unsigned i = 0; i < KA_FIELD_COUNT; i++) {
        if (names[i] != NULL && strlen(names[i]) == len_bytes && memcmp(names[i], line, len_bytes) == 0)
            return (ka_field_name)i;
    }
    fail_msg("no such field: %.*s", (int)len_bytes, line);
    return KA_FIELD_COUNT;
}

static size_t split_fields(const char *lines, ka_field *out)
{
    size_t count = 0;
    while (lines != NULL && *lines != '\0') {
        size_t len_bytes = strcspn(lines, "\n");
        const char *colon = memchr(lines, ':', len_bytes);
        assert_non_null(colon);
        assert_true(count < MARK_FIELDS_MAX);
        size_t name_bytes = (size_t)(colon - lines);
        size_t value_at = name_bytes + 1 + strspn(colon + 1, " ");
        size_t value_bytes = len_bytes - value_at;
        out[count++] = (ka_field){field_name(lines, name_bytes),
                                  {unit_at_page_end(lines + value_at, value_bytes), value_bytes}};
        lines += len_bytes + (lines[len_bytes] == '\n' ? 1 : 0);
    }
    return count;
}

static void tell_message(conversation *c, const mark *carrier, const mark *m)
{
    ka_field fields[MARK_FIELDS_MAX];
    const mark *first = m->message_from;
    ka_message message = {
        .direction = m->from != c->first_sender,
        .is_response = m->status != 0,
        .version = m->version,
        .status = m->status,
        .origin_form = m->origin_form,
        .framing = m->framing,
        .seq = first->seq,
        .len_bytes = m->seq + m->len_bytes - first->seq,
        .ack = first == m ? carrier->ack_number : first->ack_number,
        .first = first == m ? carrier->at : first->at,
        .last = carrier->at,
        .body = m->body_from != NULL ? m->body_from->at : (ka_moment){0, 0},
        .fields = fields,
    };
    if (m->method != NULL)
        message.method = (ka_slice){m->method, strlen(m->method)};
    message.field_count = split_fields(m->fields, fields);
    assert_int_equal(ka_message_seen(c->in->audit, c->handle, &message), KA_OK);
}

static void tell_head(conversation *c, const mark *m)
{
    ka_field fields[MARK_FIELDS_MAX];
    ka_message head = {.direction = m->from != c->first_sender,
                       .is_response = m->from == SERVER,
                       .version = m->version,
                       .framing = m->framing,
                       .seq = m->seq,
                       .len_bytes = m->len_bytes,
                       .fields = fields};
    head.field_count = split_fields(m->head_fields, fields);
    ka_head_seen(c->handle, &head);
}

static void tell_framed(conversation *c, const mark *m, uint8_t direction)
{
    if (m->tls_type != 0) {
        ka_bytes record = {direction, m->tls_type, m->seq, m->len_bytes, m->at, m->at};
        assert_int_equal(ka_tls_record_seen(c->in->audit, c->handle, &record), KA_OK);
    }
    if (m->is_h2) {
        ka_h2_frame f = {direction, m->h2_type,   m->h2_flags, m->h2_stream, m->h2_last_stream,
                         m->seq,    m->len_bytes, m->at,       m->at};
        assert_int_equal(ka_h2_frame_seen(c->in->audit, c->handle, &f), KA_OK);
    }
}

static void tell(timeline *t, mark *m, uint64_t frame)
{
    conversation *c = m->in;
    m->at.frame = frame;
    ka_segment segment = {
        .time_ns = m->at.time_ns,
        .frame = frame,
        .seq = m->seq,
        .ack = m->ack_number,
        .len_bytes = m->len_bytes,
        .captured_bytes = m->len_bytes,
        .window = 1000,
        .mss = (m->flags & KA_SYN) ? 1460 : 0,
        .ip_id = (uint16_t)(frame * 7 + 1),
        .flags = m->flags,
        .ttl = m->ttl,
    };
    if (m->ends) {
        assert_int_equal(ka_connection_end(t->audit, c->handle, KA_GATE_PORT_REUSE), KA_OK);
        return;
    }
    if (c->handle == NULL) {
        c->first_sender = m->from;
        c->told_ends[0] = c->ends[m->from];
        c->told_ends[1] = c->ends[!m->from];
        assert_int_equal(ka_connection_open(t->audit, c->stream, c->told_ends, c, &c->handle), KA_OK);
        if (c->gates != 0)
            ka_gate_failed(c->handle, c->gates);
        if (c->protocol != KA_PROTOCOL_NONE)
            ka_protocol_seen(c->handle, c->protocol);
    }
    segment.direction = m->from != c->first_sender;
    if (c->said_hello && m->tls_type != 0)
        assert_int_equal(ka_tls_alpn_seen(t->audit, c->handle, true, c->alpn), KA_OK);
    assert_int_equal(ka_segment_seen(t->audit, c->handle, &segment), KA_OK);
    const mark *original = m->again != NULL ? m->again : m;
    if (m->again != NULL && !m->again->uncaptured)
        return;
    tell_framed(c, m, segment.direction);
    if (original->stray)
        ka_stray_seen(t->audit, c->handle,
                      &(ka_bytes){.direction = segment.direction,
                                  .seq = m->seq,
                                  .len_bytes = 2,
                                  .first = m->at,
                                  .last = m->at});
    if (original->head_fields != NULL)
        tell_head(c, original);
    if (original->message_from != NULL &&
        !(original->message_from != original && original->message_from->uncaptured))
        tell_message(c, m, original);
}

/* ---- What the audit says ---- */

static void keep_finding(void *user, const ka_finding *f)
{
    timeline *t = user;
    assert_true(t->finding_count < FINDINGS_MAX);
    t->findings[t->finding_count++] = *f;
}

static void keep_record(void *user, const ka_record *r)
{
    timeline *t = user;
    assert_true(t->record_count < CONVERSATIONS_MAX);
    t->records[t->record_count++] = *r;
}

static void settled(void *user, void *owner)
{
    (void)user;
    ((conversation *)owner)->handle = NULL;
}

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes != 0)
        return realloc(old, new_bytes);
    free(old);
    return NULL;
}

void timeline_play(timeline *t, double until_s)
{
    ka_config config = {.allocator = {NULL, resize},
                        .sink = {.user = t, .connection = keep_record, .finding = keep_finding},
                        .settled = settled};
    config.thresholds = t->limits;
    assert_int_equal(ka_audit_new(&config, &t->audit), KA_OK);

    acknowledge_everything(t);
    /* Somebody else's packet ends the capture. */
    conversation *other = connect_to(t, until_s, 255);
    free(t->marks[--t->mark_count]); /* nobody answers it */
    sort(t, by_sending);
    for (size_t i = 0; i < t->conversation_count; i++)
        number(t, t->conversations[i]);
    sort(t, by_capture);
    uint64_t frame = 0;
    for (size_t i = 0; i < t->mark_count; i++) {
        if (!t->marks[i]->uncaptured && t->marks[i]->sent_ns <= ns(until_s))
            tell(t, t->marks[i], ++frame);
    }
    assert_non_null(other->handle);
    assert_int_equal(ka_audit_report(t->audit, &config.sink), KA_OK);
    ka_audit_free(t->audit);
}

void timeline_end(timeline *t)
{
    for (size_t i = 0; i < t->mark_count; i++)
        free(t->marks[i]);
    for (size_t i = 0; i < t->conversation_count; i++)
        free(t->conversations[i]);
    t->mark_count = 0;
    t->conversation_count = 0;
}
