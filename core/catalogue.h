/* catalogue.h - thresholds, diagnoses and gates: the tables thresholds.def and findings.def.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Part of the public header: front ends include keptalive.h.
 */
#ifndef KA_CATALOGUE_H
#define KA_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

/* ---- Options ------------------------------------------------------------------------------- */

/* Every threshold the rules use; name, default, unit and reason are rows of thresholds.def. */
typedef struct ka_thresholds {
#define KA_THRESHOLD(field, option, value, unit, reason) int64_t field;
#include "thresholds.def"
#undef KA_THRESHOLD
} ka_thresholds;

typedef enum ka_unit {
    KA_COUNT,   /* a plain number */
    KA_NS,      /* a duration or time in nanoseconds, shown in seconds */
    KA_PERCENT, /* hundredths: 5 is 5 % */
    KA_BYTES,
} ka_unit;

typedef struct ka_threshold_row {
    const char *option; /* "early-tolerance" */
    const char *reason; /* why the default has its value */
    int64_t value;      /* the default */
    ka_unit unit;
    size_t offset; /* of the field in ka_thresholds */
} ka_threshold_row;

/* All rows, in the order of thresholds.def; *count is set. */
const ka_threshold_row *ka_threshold_rows(size_t *count);
void ka_thresholds_init(ka_thresholds *out);

/* ---- The catalogue -------------------------------------------------------------------------- */

/* Wireshark's expert levels, lowest first. */
typedef enum ka_severity { KA_CHAT, KA_NOTE, KA_WARN, KA_ERROR } ka_severity;

typedef enum ka_fault {
    KA_FAULT_CLIENT,
    KA_FAULT_SERVER,
    KA_FAULT_PROXY,
    KA_FAULT_MIDDLE,
    KA_FAULT_NETWORK,
    KA_FAULT_CONFIG,
    KA_FAULT_CAPTURE,
} ka_fault;

typedef enum ka_finding_id {
#define KA_FINDING(symbol, id, severity, fault, title, sentence, remedy, reference) KA_##symbol,
#include "findings.def"
#undef KA_FINDING
    KA_FINDING_COUNT
} ka_finding_id;

typedef struct ka_catalogue_row {
    const char *id; /* "closed-early" */
    ka_severity severity;
    ka_fault fault;
    const char *title;
    const char *sentence; /* with {name} placeholders for the finding's values */
    const char *remedy;
    const char *reference;
} ka_catalogue_row;

const ka_catalogue_row *ka_catalogue(ka_finding_id id);
const char *ka_severity_name(ka_severity severity);
const char *ka_fault_name(ka_fault fault);

/* Gates: what must be sure before a verdict can be. Bits of a mask; names by ka_gate_name. */
typedef enum ka_gate {
    KA_GATE_MID_START = 1 << 0,      /* G1 the SYN was not captured */
    KA_GATE_ONE_SIDED = 1 << 1,      /* G2 one direction was never seen */
    KA_GATE_GAP = 1 << 2,            /* G3 bytes the capture missed */
    KA_GATE_SNAPLEN = 1 << 3,        /* G3 bytes cut off by the snapshot length */
    KA_GATE_UNFRAMED = 1 << 4,       /* G4 where a message ends is not known */
    KA_GATE_SHORT_TAIL = 1 << 5,     /* G5 the capture ends too soon after the event */
    KA_GATE_TUNNEL = 1 << 6,         /* G6 Upgrade, CONNECT, event stream */
    KA_GATE_MASS_CLOSE = 1 << 7,     /* G7 closed with many others: a restart, not a timeout */
    KA_GATE_CLOCK = 1 << 8,          /* G8 time ran backward */
    KA_GATE_PORT_REUSE = 1 << 9,     /* G9 ports reused before the close was seen */
    KA_GATE_RETRANSMITTED = 1 << 10, /* only the retransmission of a deciding byte was captured */
    KA_GATE_TAIL_LIMITED = 1 << 11,  /* the response's tail waited for the client's ACKs */
    KA_GATE_TOKEN_MISSING = 1 << 12, /* Keep-Alive without the option in Connection */
    KA_GATE_DUPLICATE = 1 << 13,     /* copies of packets, as a mirror port makes them */
    KA_GATE_OFFLOAD = 1 << 14,       /* segments larger than the MSS */
    KA_GATE_NO_RTT = 1 << 15,        /* no handshake: round trips are estimates */
    KA_GATE_LOST_STATE = 1 << 16,    /* dropped by the front end to stay within its memory limit */
    KA_GATE_TLS_INFERRED = 1 << 17,  /* told by TLS records that may carry something else than HTTP/1 */
    KA_GATE_LINK = 1 << 18,          /* another request fitted as well, on the other side of a proxy */
    KA_GATE_COUNT = 19
} ka_gate;

/* The name as it stands in `confidence`, for bit number index. */
const char *ka_gate_name(unsigned index);
/* One sentence: why this gate makes the verdict uncertain. */
const char *ka_gate_reason(unsigned index);

#endif
