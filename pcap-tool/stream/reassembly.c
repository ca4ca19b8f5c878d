/* reassembly.c - one direction's segments into bytes in order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/reassembly.h"

#include "stream/pieces.h"

typedef struct direction_state {
    stream_context *context;
    const reassembly_receiver *receiver;
    stream_flow *flow;
    stream_half *half;
    unsigned direction;
} direction_state;

/* ---- Where a direction begins --------------------------------------------------------------- */

static void start_at(stream_half *half, uint32_t seq, half_content content)
{
    half->started = true;
    half->next_seq = seq;
    if (half->content != HALF_IGNORED)
        half->content = (uint8_t)content;
}

/* A SYN takes one number (RFC 9293 section 3.4). A later one counts only while nothing was delivered: the
 * SYN-ACK of a server that forgot its first, for instance. A FIN before it that does not stand right behind
 * it was forged. */
static void on_syn(stream_half *half, uint32_t seq)
{
    bool forged = half->fin_told && half->fin_seq != seq + 1;
    if (half->moved || (half->fin_seen && !forged))
        return;
    half->fin_seen = half->fin_told = false;
    start_at(half, seq + 1, HALF_START);
}

/* One of the two SYNs was not captured: the SYN-ACK, or the ACK that ends the handshake, tells what it was.
 */
static void on_handshake_ack(stream_flow *flow, const ka_segment *segment)
{
    const stream_half *own = &flow->halves[segment->direction];
    stream_half *other = &flow->halves[!segment->direction];
    bool first_ack =
        flow->began_with_syn && own->content == HALF_START && !own->moved && segment->seq == own->next_seq;
    if (!other->started && (first_ack || segment->flags & KA_SYN))
        start_at(other, segment->ack, HALF_START);
}

static void on_ack(stream_flow *flow, const ka_segment *segment)
{
    stream_half *other = &flow->halves[!segment->direction];
    if (!other->acked_known || seq_minus(segment->ack, other->acked_seq) > 0)
        other->acked_seq = segment->ack;
    other->acked_known = true;
    on_handshake_ack(flow, segment);
}

/* ---- Delivery ------------------------------------------------------------------------------- */

static void tell_fin(const direction_state *state, ka_moment at)
{
    state->half->next_seq++;
    state->half->fin_told = true;
    state->receiver->fin(state->context, state->flow, state->direction, at);
}

/* Returns false when the receiver did not take all. */
static bool deliver(const direction_state *state, stream_run run)
{
    if (run.is_fin) {
        tell_fin(state, run.at);
        return true;
    }
    state->half->moved = true;
    uint32_t taken = state->receiver->bytes(state->context, state->flow, state->direction, run);
    state->half->next_seq += taken;
    return taken == run.len_bytes;
}

static void restart_wait(stream_half *half)
{
    if (half->pieces == NULL)
        return;
    half->pieces->acked_ns = KA_NONE;
    half->pieces->waited_segments = 0;
}

/* Delivers the stretches that no hole precedes. What waits behind the FIN was never sent by this side. */
static void drain(const direction_state *state)
{
    stream_half *half = state->half;
    if (half->fin_told && half->moved)
        pieces_free(state->context, &half->pieces);
    while (half->pieces != NULL && !half->held) {
        stream_run run = half->pieces->first->run;
        int32_t old = seq_minus(half->next_seq, run.seq);
        if (old < 0)
            return;
        if ((uint32_t)old < run.len_bytes) {
            run_advance(&run, (uint32_t)old);
            if (!deliver(state, run))
                return;
        }
        pieces_pop(state->context, &half->pieces);
        restart_wait(half);
        if (half->fin_told && half->moved)
            pieces_free(state->context, &half->pieces);
    }
}

static void step_over_hole(const direction_state *state, uint32_t to_seq)
{
    stream_half *half = state->half;
    uint32_t len_bytes = to_seq - half->next_seq;
    state->context->counts.holes++;
    state->context->counts.hole_bytes += len_bytes;
    half->moved = true;
    half->next_seq = to_seq;
    state->receiver->hole(state->context, state->flow, state->direction, len_bytes);
}

/* ---- Waiting for what is missing ------------------------------------------------------------ */

static bool is_acked(const direction_state *state, uint32_t seq)
{
    const stream_half *half = state->half;
    if (!state->flow->halves[!state->direction].seen) /* captured one-sided: nobody can tell */
        return true;
    return half->acked_known && seq_minus(half->acked_seq, seq) >= 0;
}

/* Whether the bytes before the first stretch will not come any more. Until the other side has them they may
 * be sent again; after that, packets may still have been captured out of order. */
static bool is_given_up(const direction_state *state, reassembly_why why, int64_t now_ns)
{
    stream_pieces *pieces = state->half->pieces;
    if (!is_acked(state, pieces->first->run.seq)) /* behind a reset, they never were received */
        return false;
    if (state->half->fin_seen || state->flow->reset_seen || why == REASSEMBLY_END)
        return true;
    if (pieces->acked_ns == KA_NONE) {
        pieces->acked_ns = now_ns;
        return false;
    }
    const stream_limits *limits = &state->context->limits;
    return now_ns - pieces->acked_ns >= limits->hole_wait_ns ||
           ++pieces->waited_segments >= limits->hole_wait_segments;
}

static void advance(const direction_state *state, reassembly_why why, int64_t now_ns)
{
    drain(state);
    while (state->half->pieces != NULL && !state->half->held && is_given_up(state, why, now_ns)) {
        step_over_hole(state, state->half->pieces->first->run.seq);
        drain(state);
    }
}

void reassembly_advance(stream_context *context, const reassembly_receiver *receiver, stream_flow *flow,
                        unsigned direction, reassembly_why why, int64_t now_ns)
{
    stream_half *half = &flow->halves[direction];
    if (half->pieces != NULL)
        advance(&(direction_state){context, receiver, flow, half, direction}, why, now_ns);
}

void reassembly_drop(stream_context *context, stream_half *half)
{
    pieces_free(context, &half->pieces);
}

/* To make room, neither holes nor a held direction are waited for any longer, oldest first. */
static void make_room(const direction_state *state, uint32_t captured_bytes)
{
    stream_half *half = state->half;
    while (!pieces_fit(state->context, half->pieces, captured_bytes) &&
           (half->held || half->pieces != NULL)) {
        state->context->counts.buffer_drops++;
        if (half->held)
            state->receiver->overflow(state->context, state->flow, state->direction);
        else
            step_over_hole(state, half->pieces->first->run.seq);
        drain(state);
    }
}

/* Copies what cannot be delivered yet. */
static void keep(const direction_state *state, stream_run run)
{
    stream_half *half = state->half;
    make_room(state, run.captured_bytes);
    int32_t old = seq_minus(half->next_seq, run.seq);
    if (old > 0)
        run_advance(&run, (uint32_t)old < run.len_bytes ? (uint32_t)old : run.len_bytes);
    if (run.len_bytes == 0)
        return;
    if (pieces_fit(state->context, half->pieces, run.captured_bytes)) {
        pieces_insert(state->context, &half->pieces, run);
        return;
    }
    /* Other connections use up the limit. */
    state->context->counts.buffer_drops++;
    if (run.seq != half->next_seq)
        step_over_hole(state, run.seq);
    deliver(state, run);
}

/* ---- One segment ---------------------------------------------------------------------------- */

/* Takes away what was delivered before and what lies behind the FIN; returns false when nothing is left. */
static bool trim(const stream_half *half, stream_run *run)
{
    int32_t old = seq_minus(half->next_seq, run->seq);
    if (old > 0 && (uint32_t)old >= run->len_bytes)
        return false;
    if (old > 0)
        run_advance(run, (uint32_t)old);
    if (half->fin_seen && !run->is_fin) {
        int32_t left = seq_minus(half->fin_seq, run->seq);
        if (left <= 0)
            return false;
        if ((uint32_t)left < run->len_bytes)
            run_cut(run, (uint32_t)left);
    }
    return true;
}

static void on_run(const direction_state *state, stream_run run)
{
    stream_half *half = state->half;
    if (!trim(half, &run))
        return;
    bool apart =
        half->pieces == NULL || seq_minus(half->pieces->first->run.seq, run.seq + run.len_bytes) >= 0;
    if (run.seq != half->next_seq || half->held || !apart) {
        keep(state, run);
        return;
    }
    uint32_t before = half->next_seq;
    if (!deliver(state, run)) {
        run_advance(&run, half->next_seq - before);
        keep(state, run);
    }
}

static void on_fin(const direction_state *state, stream_run run)
{
    if (state->half->fin_seen)
        return;
    state->half->fin_seen = true;
    state->half->fin_seq = run.seq;
    run.is_fin = true;
    run.len_bytes = 1;
    run.captured_bytes = 0;
    on_run(state, run);
}

void reassembly_segment(stream_context *context, const reassembly_receiver *receiver, stream_flow *flow,
                        const ka_segment *segment, const uint8_t *payload)
{
    stream_half *half = &flow->halves[segment->direction];
    direction_state state = {context, receiver, flow, half, segment->direction};
    half->seen = true;
    if (segment->flags & KA_RST) /* its payload is a diagnostic at most (RFC 9293 section 3.5.3) */
        return;
    if (segment->flags & KA_SYN)
        on_syn(half, segment->seq);
    if (segment->flags & KA_ACK)
        on_ack(flow, segment);
    stream_run run = {.bytes = payload,
                      .captured_bytes = segment->captured_bytes,
                      .len_bytes = segment->len_bytes,
                      .seq = segment->seq + (segment->flags & KA_SYN ? 1 : 0),
                      .ack = segment->flags & KA_ACK ? segment->ack : 0,
                      .at = {segment->time_ns, segment->frame},
                      .starts_segment = true};
    if (!half->started && (run.len_bytes > 0 || segment->flags & KA_FIN))
        start_at(half, run.seq, HALF_LOST);
    if (run.len_bytes > 0)
        on_run(&state, run);
    if (segment->flags & KA_FIN) {
        run.seq += run.len_bytes;
        on_fin(&state, run);
    }
}
