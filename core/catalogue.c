/* catalogue.c - the tables of findings, thresholds and names behind the public header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keptalive.h"

#include <string.h>

static const ka_catalogue_row rows[KA_FINDING_COUNT] = {
#define KA_FINDING(symbol, id, severity, fault, title, sentence, remedy, reference)                          \
    [KA_##symbol] = {id, severity, fault, title, sentence, remedy, reference},
#include "findings.def"
#undef KA_FINDING
};

static const ka_threshold_row thresholds[] = {
#define KA_THRESHOLD(field, option, value, unit, reason)                                                     \
    {option, reason, value, unit, offsetof(ka_thresholds, field)},
#include "thresholds.def"
#undef KA_THRESHOLD
};

typedef struct gate_text {
    const char *name;
    const char *reason;
} gate_text;

/* In the order of the bits of ka_gate. */
static const gate_text gates[KA_GATE_COUNT] = {
    {"cap-mid-start", "the capture starts in the middle of the connection"},
    {"cap-one-sided", "only one direction was captured"},
    {"cap-gap", "the capture missed bytes"},
    {"cap-snaplen", "packets were cut by the snapshot length"},
    {"unframed", "the end of a message is not known"},
    {"cap-short-tail", "the capture ends too soon after the event"},
    {"tunnel", "the connection became a tunnel or an event stream"},
    {"mass-close", "the server closed many connections at this moment"},
    {"cap-clock", "time ran backward in the capture"},
    {"cap-port-reuse", "the ports were reused before the close was seen"},
    {"retransmitted", "only a retransmission of a deciding byte was captured"},
    {"tail-limited", "the end of the response waited for the client to take it"},
    {"token-missing", "Keep-Alive came without the keep-alive option in Connection"},
    {"cap-duplicate", "packets were captured twice"},
    {"cap-offload", "segments were merged by offloading before the capture"},
    {"no-rtt", "no handshake was captured to measure round trips"},
    {"lost-state", "the connection was dropped to stay within the memory limit"},
    {"tls-inferred", "without keys it is not sure that the TLS records carry HTTP/1"},
    {"ambiguous-link", "on the other side of the proxy another request fitted as well"},
};

const ka_catalogue_row *ka_catalogue(ka_finding_id id)
{
    return &rows[id];
}

ka_finding_id ka_finding_by_name(ka_slice name)
{
    for (unsigned i = 0; i < KA_FINDING_COUNT; i++) {
        if (strlen(rows[i].id) == name.len_bytes && memcmp(rows[i].id, name.bytes, name.len_bytes) == 0)
            return (ka_finding_id)i;
    }
    return KA_FINDING_COUNT;
}

const ka_threshold_row *ka_threshold_rows(size_t *count)
{
    *count = sizeof thresholds / sizeof thresholds[0];
    return thresholds;
}

void ka_thresholds_init(ka_thresholds *out)
{
    for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0]; i++)
        *(int64_t *)(void *)((char *)out + thresholds[i].offset) = thresholds[i].value;
}

const char *ka_gate_name(unsigned index)
{
    return gates[index].name;
}

const char *ka_gate_reason(unsigned index)
{
    return gates[index].reason;
}

const char *ka_severity_name(ka_severity severity)
{
    static const char *const names[] = {"chat", "note", "warn", "error"};
    return names[severity];
}

const char *ka_fault_name(ka_fault fault)
{
    static const char *const names[] = {"client",  "server", "proxy",  "middle",
                                        "network", "config", "capture"};
    return names[fault];
}

const char *ka_verdict_name(ka_verdict verdict)
{
    static const char *const names[] = {"open",         "busy",  "announced", "unused",
                                        "unadvertised", "early", "punctual",  "late"};
    return names[verdict];
}

const char *ka_side_name(ka_side side)
{
    static const char *const names[] = {"none", "client", "server"};
    return names[side];
}

const char *ka_how_name(ka_how how)
{
    static const char *const names[] = {"none", "fin", "rst"};
    return names[how];
}

const char *ka_tunnel_name(ka_tunnel tunnel)
{
    static const char *const names[] = {"none", "connect", "upgrade"};
    return names[tunnel];
}

const char *ka_max_style_name(ka_max_style style)
{
    static const char *const names[] = {"none", "unknown", "count-down", "fixed"};
    return names[style];
}
