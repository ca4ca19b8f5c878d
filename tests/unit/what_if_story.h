/* what_if_story.h - records as an audit tells them, for the tests of what-if.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WHAT_IF_STORY_H
#define WHAT_IF_STORY_H

#include "unit.h"

#include "keptalive.h"

#define S  KA_SECOND_NS
#define MS KA_MILLISECOND_NS

static inline ka_address what_if_address(uint8_t last, uint16_t port)
{
    return (ka_address){.ip = {192, 0, 2, last}, .port = port, .version = 4};
}

static inline ka_gap_record what_if_gap_of(uint32_t stream, uint64_t number, int64_t idle_ns, int64_t end_ns)
{
    return (ka_gap_record){stream, what_if_address(1, 80), number, idle_ns, end_ns};
}

/* Opened at `opened_ns`, closed by that side `life_ns` later after `idle_ns` without a request. */
static inline ka_record what_if_record_of(uint32_t stream, ka_side by, int64_t opened_ns, int64_t life_ns,
                                          int64_t idle_ns, uint64_t requests)
{
    return (ka_record){
        .stream = stream,
        .protocol = "http/1.1",
        .client = what_if_address(10, (uint16_t)(50000 + stream)),
        .server = what_if_address(1, 80),
        .first = {opened_ns, 1},
        .last = {opened_ns + life_ns, 2},
        .requests = requests,
        .responses = requests,
        .timeout_s = KA_NONE,
        .max = KA_NONE,
        .idle_total_ns = idle_ns,
        .close = {by,
                  by == KA_SIDE_NONE ? KA_HOW_NONE : KA_HOW_FIN,
                  {opened_ns + life_ns, 2},
                  idle_ns,
                  by == KA_SIDE_NONE ? KA_VERDICT_OPEN : KA_VERDICT_UNADVERTISED},
        .rtt_client_ns = KA_NONE,
        .rtt_server_ns = KA_NONE,
    };
}

static inline ka_finding what_if_race_of(uint32_t stream, ka_severity severity, int64_t at_ns)
{
    return (ka_finding){.id = KA_KEEPALIVE_RACE,
                        .severity = severity,
                        .has_stream = true,
                        .stream = stream,
                        .frames = {{"response_end", {at_ns - S, 1}}, {"request", {at_ns, 3}}},
                        .frame_count = 2};
}

#endif
