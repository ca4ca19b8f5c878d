/* inference.h - samples of idle periods in, the idle timer out; or the reason why there is none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pure. docs/inference.md has the definitions and their limits.
 */
#ifndef KA_INFERENCE_H
#define KA_INFERENCE_H

#include "lasting.h"

/* `side` chooses among the products in timer_hints.def. */
void ka_infer(const ka_lasting *samples, ka_side side, const ka_thresholds *limits, ka_inferred *out);

/* The shortest idle time that the timer allows: of KA_TIMER_FIXED its p10, of KA_TIMER_SEVERAL that of the
 * shortest; else KA_NONE. */
int64_t ka_inferred_contract_ns(const ka_inferred *timer);

#endif
