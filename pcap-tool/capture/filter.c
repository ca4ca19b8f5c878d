/* filter.c - a BPF expression, compiled anew for each link type that packets have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "filter.h"

#include <stdio.h>

enum { SNAP_BYTES = 262144 }; /* libpcap's largest; only what a program returns for "all of it" */

/* NULL, and the reason in `why`, when it does not compile. */
static bool compile(filter_program *program, const char *expression, char why[FILTER_WHY_BYTES])
{
    pcap_t *link = pcap_open_dead(program->link_type, SNAP_BYTES);
    if (link == NULL) {
        snprintf(why, FILTER_WHY_BYTES, "out of memory");
        return false;
    }
    bool compiled = pcap_compile(link, &program->code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    const char *name = pcap_datalink_val_to_name(program->link_type);
    if (!compiled && name != NULL)
        snprintf(why, FILTER_WHY_BYTES, "%s (link type %s)", pcap_geterr(link), name);
    else if (!compiled)
        snprintf(why, FILTER_WHY_BYTES, "%s (link type %d)", pcap_geterr(link), program->link_type);
    pcap_close(link);
    return compiled;
}

/* The program for a link type, made when it is the first of its kind; NULL when there are too many. */
static filter_program *program_of(packet_filter *filter, int link_type, char why[FILTER_WHY_BYTES])
{
    if (filter->count > 0 && filter->programs[filter->latest].link_type == link_type)
        return &filter->programs[filter->latest];
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->programs[i].link_type == link_type) {
            filter->latest = i;
            return &filter->programs[i];
        }
    }
    if (filter->count == FILTER_LINK_TYPES_MAX)
        return NULL;
    filter->latest = filter->count++;
    filter_program *added = &filter->programs[filter->latest];
    *added = (filter_program){.link_type = link_type};
    added->is_compiled = compile(added, filter->expression, why);
    return added;
}

void filter_fini(packet_filter *filter)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->programs[i].is_compiled)
            pcap_freecode(&filter->programs[i].code);
    }
}

void filter_prepare(packet_filter *filter)
{
    static const int usual[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,
                                DLT_NULL,   DLT_LOOP,      DLT_PPP,        DLT_IEEE802_11_RADIO};
    char why[FILTER_WHY_BYTES];
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (program_of(filter, usual[i], why)->is_compiled)
            continue;
        filter->latest = 0;
        filter->count--; /* tried again when it is wanted, to tell why */
        if (i == 0)
            return; /* hardly for any: each would wait for the same name */
    }
}

bool filter_compiles(packet_filter *filter, int link_type, char why[FILTER_WHY_BYTES])
{
    if (filter->expression == NULL)
        return true;
    snprintf(why, FILTER_WHY_BYTES, "it does not compile for link type %d either", link_type);
    const filter_program *program = program_of(filter, link_type, why);
    if (program == NULL)
        snprintf(why, FILTER_WHY_BYTES, "there are more than %d link types", (int)FILTER_LINK_TYPES_MAX);
    return program != NULL && program->is_compiled;
}

bool filter_passes(packet_filter *filter, int link_type, const struct pcap_pkthdr *header,
                   const uint8_t *bytes)
{
    if (filter->expression == NULL)
        return true;
    char why[FILTER_WHY_BYTES];
    const filter_program *program = program_of(filter, link_type, why);
    return program != NULL && program->is_compiled && pcap_offline_filter(&program->code, header, bytes) != 0;
}
