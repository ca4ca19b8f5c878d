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

/* Where it allocates what it keeps of the capture, to the end; and what it needs beside that, at the end most
 * of all. When the former is used up, connections are left out and counted. */
typedef struct what_if_memory {
    ka_allocator history;
    ka_allocator work;
} what_if_memory;

/* Everything told goes on to `next`, which lives as long. A reuse within `margin_ns` of the server's deadline
 * is at risk. NULL when memory runs out. */
what_if *what_if_new(const what_if_question *question, int64_t margin_ns, const ka_sink *next,
                     const what_if_memory *memory);
void what_if_free(what_if *self);

const ka_sink *what_if_sink(const what_if *self);
/* ka_config.gap */
void what_if_on_gap(void *self, const ka_gap_record *gap);

/* Once, after the audit's report. `end_ns`: of the capture. */
void what_if_finish(what_if *self, int64_t end_ns);

/* Connections for which there was no memory: not replayed. */
uint64_t what_if_left_out(const what_if *self);
/* Servers whose name and timer, as the core tells them, there was no memory for: their connections were
 * replayed without. */
uint64_t what_if_servers_unknown(const what_if *self);

/* Servers by falling number of connections, then by address. */
void what_if_text(const what_if *self, FILE *out, bool colored);
void what_if_ndjson(const what_if *self, FILE *out);

#endif
