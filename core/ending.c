/* ending.c - how one direction of a connection ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ending.h"

void ka_ending_heard(ka_ending *ending, uint64_t ack, ka_moment now)
{
    if (ending->fin.frame != 0 && ending->fin_acked.frame == 0 && ack > ending->fin_seq)
        ending->fin_acked = now;
    ending->fin_resent = 0;
    ending->unheard = now;
}

bool ka_ending_fin(ka_ending *ending, const ka_segment *s, uint64_t fin_seq, uint64_t acked,
                   uint64_t other_acked)
{
    ka_moment now = {s->time_ns, s->frame};
    if (ending->fin.frame != 0) {
        ending->fin_again = now;
        ending->fin_resent++;
        return false;
    }
    ending->fin = now;
    ending->fin_seq = fin_seq;
    ending->fin_ack = acked;
    ka_ending_heard(ending, other_acked, now); /* the capture may swap FIN and ACK */
    return true;
}

bool ka_ending_rst(ka_ending *ending, const ka_segment *s, uint64_t acked)
{
    if (ending->rst.frame != 0)
        return false;
    ending->rst = (ka_moment){s->time_ns, s->frame};
    ending->rst_ack = acked;
    ending->rst_ttl = s->ttl;
    ending->rst_bare = !(s->flags & KA_ACK);
    return true;
}
