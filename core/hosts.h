/* hosts.h - a set of addresses, without ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_HOSTS_H
#define KA_HOSTS_H

#include "keptalive.h"

typedef struct ka_hosts {
    ka_address *slots; /* open addressing; version 0: free */
    uint32_t slot_count;
    uint32_t count;
} ka_hosts;

void ka_hosts_fini(ka_hosts *hosts, const ka_allocator *allocator);
/* `seed` must stay the same; secret where captures may be made to collide. */
ka_status ka_hosts_add(ka_hosts *hosts, const ka_allocator *allocator, uint64_t seed, const ka_address *host);
bool ka_hosts_has(const ka_hosts *hosts, uint64_t seed, const ka_address *host);

#endif
