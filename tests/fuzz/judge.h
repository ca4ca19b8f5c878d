/* judge.h - a whole run of the command on bytes from a fuzzer, without its files, and a check of what it
 * prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "packet/packet.h"
#include "report/report.h"
#include "stream/stream.h"

typedef struct judge {
    ka_audit *audit;
    stream_table *streams;
    report *report;
    FILE *out;
    char *text;
    size_t text_bytes;
    report_format format;
    ka_status status;
} judge;

/* What libFuzzer calls; also called by run_corpus.c. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

void judge_init(judge *self, report_format format, const stream_limits *limits);
/* Takes one packet's segment; nothing after a failure. */
void judge_segment(judge *self, packet_tcp *packet);
void judge_quoted(judge *self, const packet_tcp *packet);
/* Reports, and aborts unless the report is lines of printable ASCII: of at most 80 columns as text, else of
 * one JSON object each. */
void judge_fini(judge *self);

#endif
