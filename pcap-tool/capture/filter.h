/* filter.h - a BPF expression, compiled anew for each link type that packets have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one capture; there are hardly more that carry IP. */
enum { FILTER_LINK_TYPES_MAX = 64, FILTER_WHY_BYTES = PCAP_ERRBUF_SIZE + 64 };

typedef struct filter_program {
    struct bpf_program code;
    int link_type;
    bool is_compiled; /* else it is no expression for this link type */
} filter_program;

/* All zero but for the expression, which lives as long: nothing compiled yet. */
typedef struct packet_filter {
    const char *expression; /* NULL: everything passes */
    filter_program programs[FILTER_LINK_TYPES_MAX];
    size_t count;
    size_t latest; /* most packets have the link type of the one before */
} packet_filter;

void filter_fini(packet_filter *filter);

/* Compiles for the usual link types: later there may be no way to look up a name in the expression. */
void filter_prepare(packet_filter *filter);

/* Whether the expression can be asked of this link type; why not, otherwise. */
bool filter_compiles(packet_filter *filter, int link_type, char why[FILTER_WHY_BYTES]);

/* False also where it does not compile. */
bool filter_passes(packet_filter *filter, int link_type, const struct pcap_pkthdr *header,
                   const uint8_t *bytes);

#endif
