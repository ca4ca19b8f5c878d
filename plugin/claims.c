/* claims.c - which captured bytes messages have accounted for, and the gate that fails when Wireshark skipped
 * some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "claims.h"

void claims_add(collect_side *side, uint32_t end_seq)
{
    side->claimed_seq = end_seq;
    side->has_claimed = true;
    track_forget(&side->track, end_seq);
}

/* Bytes that came out of order and that no message claimed by the time what follows them did: Wireshark has
 * lost a message (tcp.reassemble_out_of_order is off by default). */
void claims_check(const collect_connection *connection, const collect_side *side, uint32_t until_seq)
{
    if (side->fin.frame != 0 && seq_minus(until_seq, side->fin_seq) > 0)
        until_seq = side->fin_seq; /* the FIN's number is no byte */
    if (side->reordered && seq_minus(until_seq, side->claimed_seq) > 0)
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
}

bool claims_can_end(const collect_side *side)
{
    uint32_t at = side->claimed_seq;
    if (side->fin.frame == 0)
        return false;
    while (seq_minus(side->fin_seq, at) > 0) {
        const track_piece *piece = track_of_byte(&side->track, at);
        if (piece == NULL)
            return false;
        at = piece->seq + piece->len_bytes;
    }
    return true;
}

/* Bytes before a message that no message claimed, though they were captured: Wireshark did not put a head or
 * a body together, as it was told or because the traffic is odd. */
static void note_skipped(const collect_connection *connection, const collect_side *side, const ka_message *m)
{
    const track *seen = &side->track;
    if (connection->tls || connection->cut || seen->first == seen->count ||
        (!side->has_claimed && !connection->began_with_syn))
        return;
    uint32_t from = side->has_claimed ? side->claimed_seq : seen->pieces[seen->first].seq;
    if (seq_minus(m->seq, from) > 0 && track_of_byte(seen, from) != NULL)
        ka_gate_failed(connection->core, KA_GATE_UNFRAMED);
}

void claims_before(const collect_connection *connection, const ka_message *m)
{
    const collect_side *side = &connection->sides[m->direction];
    claims_check(connection, side, m->seq);
    note_skipped(connection, side, m);
    if (!m->is_response)
        claims_check(connection, &connection->sides[!m->direction], m->ack);
}
