/* transport.c - the TCP headers of one connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "transport.h"

#include <string.h>

#include "memory.h"
#include "window.h"

/* Unwrapped numbers start here, so that what lies before the first one seen does not go below zero. */
#define SEQ_BASE (UINT64_C(1) << 33)
/* Copies by a mirror port follow their original within this (and carry its IP identification). */
#define COPY_WINDOW_NS KA_MILLISECOND_NS
/* Routers between two capture points of one machine or site. */
enum { ROUTERS_CAPTURED_MAX = 4 };
/* Capturing on several queues swaps packets by microseconds; a clock that was set jumps further. */
#define CLOCK_TOLERANCE_NS KA_MILLISECOND_NS

void ka_transport_init(ka_transport *transport)
{
    memset(transport, 0, sizeof *transport);
    transport->newest.time_ns = KA_NONE;
    for (int d = 0; d < 2; d++) {
        ka_half *half = &transport->half[d];
        half->rtt_min_ns = UINT32_MAX;
        half->data_rtt_min_ns = UINT32_MAX;
        half->last_data_ns = KA_NONE;
    }
}

void ka_transport_fini(ka_transport *transport, const ka_allocator *allocator)
{
    for (int d = 0; d < 2; d++) {
        ka_half *half = &transport->half[d];
        if (half->rare != NULL)
            ka_damage_fini(&half->rare->damage, allocator);
        ka_memory_give(allocator, half->rare);
        ka_memory_give(allocator, half->ending);
        half->rare = NULL;
        if (transport->activity != NULL)
            ka_memory_give(allocator, transport->activity->half[d].stall);
        half->ending = NULL;
    }
    ka_memory_give(allocator, transport->activity);
    transport->activity = NULL;
}

uint64_t ka_transport_unwrap(const ka_half *half, uint32_t seq)
{
    if (half->next == 0)
        return SEQ_BASE + seq;
    return half->next + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)half->next);
}

static uint32_t sign(const ka_segment *s)
{
    uint32_t h = s->seq * 2654435761u ^ s->ack * 2246822519u;
    h ^= (s->len_bytes * 3266489917u) ^ ((uint32_t)s->ip_id << 16 | s->window) * 668265263u;
    return h ^ (uint32_t)s->flags * 374761393u;
}

/* The copy of a payload may come when all is answered and the signatures are given back; and behind a router
 * several in a row, of which only the newest is known: there the time to live tells, for what is sent again
 * has the sender's. */
static bool is_late_copy(const ka_half *half, const ka_segment *s)
{
    if (s->len_bytes == 0 || half->next == 0 || half->last_data_ns == KA_NONE ||
        s->time_ns - half->last_data_ns >= COPY_WINDOW_NS)
        return false;
    uint64_t seq = ka_transport_unwrap(half, s->seq);
    if (s->ip_id != 0 && s->ip_id == half->data_ip_id)
        return seq < half->next;
    bool passed_router =
        !half->ttl_varied && s->ttl < half->ttl && half->ttl - s->ttl <= ROUTERS_CAPTURED_MAX;
    return passed_router && seq + s->len_bytes <= half->next;
}

/* The same segment again within a millisecond, same IP identification: a copy the mirror made. */
static bool is_copy(ka_half_activity *active, const ka_segment *s)
{
    uint32_t signature = sign(s);
    if (s->time_ns - active->signed_at_ns >= COPY_WINDOW_NS)
        active->signature_count = 0;
    for (unsigned i = 0; i < active->signature_count; i++) {
        if (active->signatures[i] == signature)
            return true;
    }
    active->signatures[1] = active->signatures[0];
    active->signatures[0] = signature;
    if (active->signature_count < KA_SIGNATURES)
        active->signature_count++;
    active->signed_at_ns = s->time_ns;
    return false;
}

/* Without an IP identification a bare duplicate ACK looks like a copy; ignoring it changes nothing, but says
 * nothing about the capture either. */
static bool copy_is_certain(const ka_segment *s)
{
    return s->ip_id != 0 || s->len_bytes > 0;
}

/* Returns the time since the newest segment; 0 for the first. */
static int64_t check_clock(ka_transport *t, const ka_segment *s)
{
    int64_t since_ns = t->newest.time_ns != KA_NONE ? s->time_ns - t->newest.time_ns : 0;
    t->newest.frame = s->frame;
    if (since_ns < 0) {
        int64_t back = -since_ns;
        int64_t back_us = back / 1000 < UINT32_MAX ? back / 1000 : UINT32_MAX;
        if (back_us > t->backward_us)
            t->backward_us = (uint32_t)back_us;
        if (back > CLOCK_TOLERANCE_NS)
            t->failed_gates |= KA_GATE_CLOCK;
        return since_ns;
    }
    t->newest.time_ns = s->time_ns;
    return since_ns;
}

static void round_trip(ka_half *half, int64_t sample_ns, bool handshake)
{
    uint32_t sample = sample_ns < 0 ? 0 : sample_ns >= UINT32_MAX ? UINT32_MAX - 1 : (uint32_t)sample_ns;
    if (sample < half->rtt_min_ns)
        half->rtt_min_ns = sample;
    if (handshake)
        return;
    if (sample < half->data_rtt_min_ns)
        half->data_rtt_min_ns = sample;
    if (sample > half->data_rtt_max_ns)
        half->data_rtt_max_ns = sample;
    if (half->data_rtt_count < UINT8_MAX)
        half->data_rtt_count++;
}

static void start_timing(ka_half_activity *active, uint64_t end, int64_t now_ns, bool handshake)
{
    if (active->timed_end != 0)
        return;
    active->timed_end = end;
    active->timed_at_ns = now_ns;
    active->timed_handshake = handshake;
}

static ka_rare *rare_of(ka_half *half, const ka_allocator *allocator)
{
    if (half->rare == NULL)
        half->rare = ka_memory_take(allocator, sizeof *half->rare);
    return half->rare;
}

static ka_status skip(ka_half *half, const ka_allocator *allocator, bool acknowledged, uint64_t from,
                      uint64_t to, int64_t now_ns)
{
    ka_rare *rare = rare_of(half, allocator);
    return rare != NULL ? ka_damage_add(&rare->damage, allocator, acknowledged, from, to, now_ns)
                        : KA_NO_MEMORY;
}

/* A capture that starts on an idle connection can see a keepalive probe first: its ACK names one number more,
 * of a byte from before the capture. */
static bool began_with_probe(const ka_half *half, uint64_t ack)
{
    return ack == half->next + 1 && half->claimed == half->next && half->last_data_ns == KA_NONE &&
           !half->syn && half->ending == NULL;
}

/* The other side acknowledged this half's bytes up to `ack`. */
static ka_status acknowledge(ka_half *half, ka_half_activity *active, const ka_allocator *allocator,
                             uint64_t ack, ka_moment now)
{
    if (active->timed_end != 0 && ack >= active->timed_end) {
        round_trip(half, now.time_ns - active->timed_at_ns, active->timed_handshake);
        active->timed_end = 0;
    }
    if (half->ending != NULL)
        ka_ending_heard(half->ending, ack, now);
    if (!half->seen) {
        half->next = ack;
        return KA_OK;
    }
    if (half->rare != NULL) {
        ka_probing_heard(&half->rare->probing);
        if (ka_damage_acked(&half->rare->damage, allocator, ack) != KA_OK)
            return KA_NO_MEMORY;
    }
    if (ack <= half->next)
        return KA_OK;
    if (began_with_probe(half, ack)) {
        half->next = half->claimed = ack;
        return KA_OK;
    }
    if (skip(half, allocator, true, half->next, ack, now.time_ns) != KA_OK)
        return KA_NO_MEMORY;
    half->next = ack;
    return KA_OK;
}

typedef enum newness { OLD, FILLED, NEWEST } newness;

/* Sequence space [from, to) was seen, payload or not. */
static ka_status advance(ka_half *half, const ka_allocator *allocator, uint64_t from, uint64_t to,
                         int64_t now_ns, newness *what)
{
    newness is =
        half->rare != NULL && ka_damage_fill(&half->rare->damage, allocator, from, to, now_ns) ? FILLED : OLD;
    if (to > half->next) {
        if (from > half->next && skip(half, allocator, false, half->next, from, now_ns) != KA_OK)
            return KA_NO_MEMORY;
        half->next = to;
        is = NEWEST;
    }
    *what = is;
    return KA_OK;
}

static ka_status note_ending(ka_transport *t, const ka_allocator *allocator, const ka_segment *s,
                             uint64_t fin_seq, ka_segment_news *news)
{
    ka_half *half = &t->half[s->direction];
    if (half->ending == NULL && (half->ending = ka_memory_take(allocator, sizeof *half->ending)) == NULL)
        return KA_NO_MEMORY;
    if (s->flags & KA_FIN)
        news->fin = ka_ending_fin(half->ending, s, fin_seq, half->acked, t->half[!s->direction].acked);
    if (s->flags & KA_RST)
        news->rst = ka_ending_rst(half->ending, s, half->acked);
    return KA_OK;
}

static void note_data(ka_half *half, ka_half_activity *active, const ka_segment *s, uint64_t from,
                      uint64_t to)
{
    ka_unclaimed here = {from, half->acked, {s->time_ns, s->frame}};
    half->last_data_ns = s->time_ns;
    half->data_ip_id = s->ip_id;
    if (from >= active->latest.seq)
        active->latest = here;
    if (to <= half->claimed)
        return;
    if (here.seq < half->claimed)
        here.seq = half->claimed;
    if (active->unclaimed.seq == 0 || here.seq < active->unclaimed.seq)
        active->unclaimed = here;
}

/* RFC 9293 section 3.8.4: no or one old byte at the last sequence number, to hear whether the peer is there.
 * One byte that is not acknowledged yet is sent again for its own sake. */
static bool is_probe(const ka_half *half, const ka_half *peer, const ka_segment *s, uint64_t from)
{
    bool old =
        half->seen && s->len_bytes <= 1 && !(s->flags & (KA_SYN | KA_FIN | KA_RST)) && from + 1 == half->next;
    return old && (s->len_bytes == 0 || peer->acked == 0 || peer->acked >= half->next);
}

static void note_syn(ka_half *half, ka_half_activity *active, const ka_segment *s, uint64_t end)
{
    if (half->syn) { /* Karn: what was sent twice is not timed, its ACK could belong to either */
        active->timed_end = 0;
        half->retransmissions++;
        return;
    }
    half->syn = true;
    half->mss = s->mss;
    start_timing(active, end, s->time_ns, true);
}

static ka_status note_payload(ka_transport *t, const ka_allocator *allocator, const ka_segment *s,
                              uint64_t from, newness what, ka_segment_news *news)
{
    ka_half *half = &t->half[s->direction];
    ka_half_activity *active = &t->activity->half[s->direction];
    uint16_t mss = t->half[!s->direction].mss;

    if (mss != 0 && s->len_bytes > mss)
        t->failed_gates |= KA_GATE_OFFLOAD;
    if (what == OLD) {
        half->retransmissions++;
        active->timed_end = 0;
        bool head = from == active->unclaimed.seq || from < active->expect_end;
        if (head && from + s->len_bytes > t->half[!s->direction].acked)
            active->resent_ns = s->time_ns;
        news->stalled = active->stall != NULL && ka_stall_resent(active->stall, s, from);
        return KA_OK;
    }
    news->new_data = true;
    if (active->unclaimed.seq != 0)
        news->paused_ns = s->time_ns - half->last_data_ns;
    note_data(half, active, s, from, from + s->len_bytes);
    if (what == NEWEST)
        start_timing(active, from + s->len_bytes, s->time_ns, false);
    else
        active->timed_end = 0; /* an ACK that waited for a hole to be filled measures the loss */
    if (news->silence_ns < KA_SILENCE_NS || active->stall != NULL)
        return KA_OK;
    if (ka_stall_begin(&active->stall, allocator, s, from, news->silence_ns) != KA_OK)
        return KA_NO_MEMORY;
    active->stall->lossy = half->retransmissions > 0;
    return KA_OK;
}

static void note_ttl(ka_half *half, uint8_t ttl)
{
    half->ttl_varied |= half->ttl != 0;
    half->ttl = ttl;
}

static ka_status note_probe(ka_half *half, const ka_allocator *allocator, const ka_segment *s)
{
    ka_rare *rare = rare_of(half, allocator);
    if (rare == NULL)
        return KA_NO_MEMORY;
    ka_probing_sent(&rare->probing, half->next, (ka_moment){s->time_ns, s->frame});
    return KA_OK;
}

static ka_status take_sequence(ka_transport *t, const ka_allocator *allocator, const ka_segment *s,
                               ka_segment_news *news)
{
    ka_half *half = &t->half[s->direction];
    uint64_t from = ka_transport_unwrap(half, s->seq);
    uint64_t data_from = from + ((s->flags & KA_SYN) ? 1 : 0);
    uint64_t data_to = data_from + s->len_bytes;
    uint64_t to = data_to + ((s->flags & KA_FIN) ? 1 : 0);
    newness what = OLD;

    if (s->flags & KA_RST) /* its payload, if any, is text about the reason (RFC 9293 section 3.5.3) */
        return note_ending(t, allocator, s, 0, news);
    if (s->ttl != half->ttl)
        note_ttl(half, s->ttl);
    if (is_probe(half, &t->half[!s->direction], s, from))
        return note_probe(half, allocator, s);
    if (!half->seen) {
        half->seen = true;
        half->next = from;
        half->claimed = data_from;
    }
    if (to > from && advance(half, allocator, from, to, s->time_ns, &what) != KA_OK)
        return KA_NO_MEMORY;
    if (s->flags & KA_SYN)
        note_syn(half, &t->activity->half[s->direction], s, data_from);
    if (s->len_bytes > 0 && note_payload(t, allocator, s, data_from, what, news) != KA_OK)
        return KA_NO_MEMORY;
    return (s->flags & KA_FIN) ? note_ending(t, allocator, s, data_to, news) : KA_OK;
}

static ka_status take_ack(ka_transport *t, const ka_allocator *allocator, const ka_segment *s)
{
    ka_half_activity *acked = &t->activity->half[!s->direction];
    ka_half *half = &t->half[s->direction];
    ka_half *other = &t->half[!s->direction];
    uint64_t ack = ka_transport_unwrap(other, s->ack);

    if (s->flags & KA_RST) {
        acked->timed_end = 0; /* who knows from where it came */
        if (other->next != 0 && ack > other->next)
            return KA_OK; /* the ACK number of an RST is no proof of bytes received */
    } else if (acked->stall != NULL) {
        ka_stall_end(&acked->stall, allocator);
    }
    if (ack > half->acked)
        half->acked = ack;
    return acknowledge(other, acked, allocator, ack, (ka_moment){s->time_ns, s->frame});
}

static bool is_quiet(const ka_half_activity *active)
{
    return active->timed_end == 0 && active->unclaimed.seq == 0 && active->stall == NULL;
}

static void rest(ka_transport *t, const ka_allocator *allocator)
{
    if (t->activity == NULL || !is_quiet(&t->activity->half[0]) || !is_quiet(&t->activity->half[1]))
        return;
    ka_memory_give(allocator, t->activity);
    t->activity = NULL;
}

ka_status ka_transport_segment(ka_transport *t, const ka_allocator *allocator, const ka_segment *s,
                               ka_segment_news *news)
{
    memset(news, 0, sizeof *news);
    if (t->activity == NULL && (t->activity = ka_memory_take(allocator, sizeof *t->activity)) == NULL)
        return KA_NO_MEMORY;
    news->silence_ns = check_clock(t, s);
    if (is_copy(&t->activity->half[s->direction], s) || is_late_copy(&t->half[s->direction], s)) {
        news->copy = true;
        if (copy_is_certain(s))
            t->failed_gates |= KA_GATE_DUPLICATE;
        return KA_OK;
    }
    if (s->captured_bytes < s->len_bytes)
        t->failed_gates |= KA_GATE_SNAPLEN;
    if ((s->flags & KA_RST) && !ka_window_takes_reset(&t->half[s->direction], &t->half[!s->direction], s))
        return KA_OK;
    if (!t->half[s->direction].seen && ka_window_is_older(&t->half[s->direction], &t->half[!s->direction], s))
        return KA_OK;
    ka_window_note(&t->half[s->direction], s);
    if ((s->flags & KA_ACK) && take_ack(t, allocator, s) != KA_OK)
        return KA_NO_MEMORY;
    ka_status status = take_sequence(t, allocator, s, news);
    if (s->len_bytes == 0)
        rest(t, allocator);
    return status;
}

void ka_transport_claim(ka_transport *t, const ka_allocator *allocator, unsigned direction, uint64_t end,
                        ka_moment last, uint64_t ack)
{
    ka_half *half = &t->half[direction];
    if (end <= half->claimed)
        return;
    half->claimed = end;
    if (t->activity == NULL)
        return;
    ka_half_activity *active = &t->activity->half[direction];
    active->expect_end = 0;
    if (active->unclaimed.seq == 0 || active->unclaimed.seq >= end)
        return;
    bool fin = half->ending != NULL && half->ending->fin.frame != 0;
    if (half->next - (fin ? 1 : 0) <= end || ka_transport_unseen(half, end, end + 1))
        active->unclaimed = (ka_unclaimed){0, 0, {0, 0}};
    else if (active->latest.seq <=
             end) /* what follows, in the same segment or its own, begins the next one */
        active->unclaimed = (ka_unclaimed){end, active->latest.ack, active->latest.at};
    else
        active->unclaimed = (ka_unclaimed){end, ack, last};
    rest(t, allocator);
}

ka_unclaimed ka_transport_unclaimed(const ka_transport *t, unsigned direction)
{
    return t->activity != NULL ? t->activity->half[direction].unclaimed : (ka_unclaimed){0, 0, {0, 0}};
}

bool ka_transport_unseen(const ka_half *half, uint64_t from, uint64_t to)
{
    return half->rare != NULL && ka_damage_overlaps(&half->rare->damage, from, to);
}

bool ka_transport_late(const ka_half *half, uint64_t seq)
{
    return half->rare != NULL && ka_damage_is_late(&half->rare->damage, seq);
}

uint64_t ka_transport_missed_bytes(const ka_half *half)
{
    return half->rare != NULL ? ka_ranges_total(half->rare->damage.missed) : 0;
}

ka_stall *ka_transport_stall(const ka_transport *t, unsigned direction)
{
    return t->activity != NULL ? t->activity->half[direction].stall : NULL;
}

ka_moment ka_transport_ended(const ka_half *half, ka_how *how)
{
    *how = KA_HOW_NONE;
    if (half->ending == NULL)
        return (ka_moment){0, 0};
    const ka_moment *fin = &half->ending->fin;
    const ka_moment *rst = &half->ending->rst;
    bool is_fin = fin->frame != 0 && (rst->frame == 0 || fin->frame <= rst->frame);
    *how = is_fin ? KA_HOW_FIN : KA_HOW_RST;
    return is_fin ? *fin : *rst;
}

int64_t ka_transport_open_ns(const ka_transport *t, int64_t from_ns, int64_t to_ns)
{
    for (int d = 0; d < 2; d++) {
        ka_how how;
        ka_moment ended = ka_transport_ended(&t->half[d], &how);
        if (how != KA_HOW_NONE && ended.time_ns < to_ns)
            to_ns = ended.time_ns;
    }
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

int64_t ka_transport_rtt_ns(const ka_half *half)
{
    return half->rtt_min_ns == UINT32_MAX ? KA_NONE : (int64_t)half->rtt_min_ns;
}

int64_t ka_transport_jitter_ns(const ka_half *half)
{
    /* Below three samples the largest says more about delayed ACKs than about the path. */
    return half->data_rtt_count < 3 ? 0 : (int64_t)half->data_rtt_max_ns - (int64_t)half->data_rtt_min_ns;
}
