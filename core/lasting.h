/* lasting.h - how long connections stayed idle until one side closed them, and how long they did without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The samples an idle timer is inferred from. An idle period that something else ended (a request, the other
 * side, the end of the capture) is a censored sample: the timer is longer, nobody knows how much.
 */
#ifndef KA_LASTING_H
#define KA_LASTING_H

#include "histogram.h"

/* Of each histogram: 4 KiB at most. Closes of one timer lie within an octave, which leaves them in buckets of
 * 1/512; censored times may spread over ten, in buckets of 1/32, which is enough to say how many were longer.
 */
enum { KA_LASTING_BUCKETS = 512 };

typedef struct ka_lasting {
    ka_histogram closed;       /* by that side */
    ka_histogram lasted;       /* until something else ended them */
    int64_t longest_worked_ns; /* of those in `lasted` that ended in a sign of life, and of shorter ones */
    uint32_t moments;          /* closes that were not together with another one */
} ka_lasting;

void ka_lasting_init(ka_lasting *lasting, const ka_allocator *allocator);
void ka_lasting_fini(ka_lasting *lasting);
/* As if every sample added to `from` had been added to `into`. */
ka_status ka_lasting_merge(ka_lasting *into, const ka_lasting *from);

/* That side closed; `together` with another connection, or at a moment of its own. */
ka_status ka_lasting_closed(ka_lasting *lasting, int64_t idle_ns, bool together);
/* It did not, for so long. Times below least_ns are no samples: no timer is that short. `worked`: what ended
 * it shows that the connection was still there. */
ka_status ka_lasting_lasted(ka_lasting *lasting, int64_t least_ns, int64_t idle_ns, bool worked);

#endif
