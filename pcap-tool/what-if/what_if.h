/* what_if.h - the captured idle gaps under other settings: a sink that keeps them, and the answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The model and its limits: docs/what-if.md.
 */
#ifndef WHAT_IF_H
#define WHAT_IF_H

#include "keptalive.h"
#include "setting.h"

#include <stdio.h>

typedef struct what_if what_if;

/* Everything told goes on to `next`, which lives as long. A reuse within `margin_ns` of the server's deadline
 * is at risk. NULL when memory runs out. */
what_if *what_if_new(const what_if_question *question, int64_t margin_ns, const ka_sink *next,
                     const ka_allocator *allocator);
void what_if_free(what_if *self);

const ka_sink *what_if_sink(const what_if *self);
/* ka_config.gap */
void what_if_on_gap(void *self, const ka_gap_record *gap);

/* Once, after the audit's report. `end_ns`: of the capture. */
void what_if_finish(what_if *self, int64_t end_ns);

/* Connections beyond the limits of memory: not replayed. */
uint64_t what_if_left_out(const what_if *self);

/* Servers by falling number of connections, then by address. */
void what_if_text(const what_if *self, FILE *out, bool colored);
void what_if_ndjson(const what_if *self, FILE *out);

#endif
