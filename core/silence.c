/* silence.c - one side speaks, and nothing is heard of the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "silence.h"

#include "memory.h"

ka_status ka_stall_begin(ka_stall **stall, const ka_allocator *allocator, const ka_segment *s, uint64_t from,
                         int64_t silence_ns)
{
    if (*stall != NULL)
        return KA_OK;
    if ((*stall = ka_memory_take(allocator, sizeof **stall)) == NULL)
        return KA_NO_MEMORY;
    (*stall)->seq = from;
    (*stall)->first = (ka_moment){s->time_ns, s->frame};
    (*stall)->silence_ns = silence_ns;
    return KA_OK;
}

bool ka_stall_resent(ka_stall *stall, const ka_segment *s, uint64_t from)
{
    if (from > stall->seq || from + s->len_bytes <= stall->seq)
        return false;
    stall->resent++;
    stall->again = (ka_moment){s->time_ns, s->frame};
    return true;
}

void ka_stall_end(ka_stall **stall, const ka_allocator *allocator)
{
    ka_memory_give(allocator, *stall);
    *stall = NULL;
}

void ka_probing_sent(ka_probing *p, uint64_t next, ka_moment now)
{
    if (p->after != next)
        *p = (ka_probing){.after = next, .first = now};
    p->latest = now;
    p->sent++;
    if (p->unanswered++ == 0)
        p->unheard_from = now;
}

void ka_probing_heard(ka_probing *p)
{
    if (p->unanswered == 0)
        return;
    p->answered++;
    p->unanswered = 0;
    p->unheard_from = (ka_moment){0, 0};
}
