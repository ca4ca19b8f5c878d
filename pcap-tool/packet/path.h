/* path.h - what a segment's IP packet was wrapped in, from the outside in: VLANs, labels, tunnels.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Each different path is kept once and has a number. Its tenant is the number of the same path without the
 * layers that are no address space of their own.
 */
#ifndef PACKET_PATH_H
#define PACKET_PATH_H

#include "packet.h"

typedef enum path_kind {
    PATH_VLAN, /* id: VLAN; 0, a mere priority, is no layer */
    PATH_VXLAN,
    PATH_GENEVE,
    PATH_GRE_KEY,
    PATH_TENANT_COUNT, /* those above tell tenants apart */
    PATH_MPLS = PATH_TENANT_COUNT,
    PATH_PPPOE,
    PATH_GRE,
    PATH_PPTP,
    PATH_ERSPAN,
    PATH_GTP_U,
    PATH_4IN4,
    PATH_4IN6,
    PATH_6IN4,
    PATH_6IN6,
} path_kind;

typedef struct path_layer {
    uint32_t kind; /* path_kind */
    uint32_t id;
} path_layer;

/* Provider networks get to eight (two tags, three labels, a pseudowire's tag, PPPoE, a tunnel); more than
 * twice that is a crafted packet. It also bounds how deep tunnels nest. */
enum { PATH_LAYERS_MAX = 16 };

typedef struct packet_path {
    uint32_t count;
    path_layer layers[PATH_LAYERS_MAX];
} packet_path;

/* False: there are too many. */
static inline bool path_add(packet_path *path, path_kind kind, uint32_t id)
{
    if (path->count == PATH_LAYERS_MAX)
        return false;
    path->layers[path->count++] = (path_layer){kind, id};
    return true;
}

struct path_entry;

/* All zero but for the allocator and the seed: empty. */
typedef struct path_table {
    const ka_allocator *allocator;
    uint64_t seed;
    struct path_entry **entries; /* path n at n - 1 */
    uint16_t *slots;             /* open addressing; 0: empty */
    uint32_t count;
    uint32_t slot_count;
    uint16_t newest; /* found last: most likely the next one too */
} path_table;

void path_table_fini(path_table *table);

/* The path's number, 0 for the empty one; PACKET_PATH_UNKNOWN when the table or memory is full. */
uint16_t path_number(path_table *table, const packet_path *path);
/* Of a path and its number. */
uint16_t path_tenant(path_table *table, const packet_path *path, uint16_t number);
size_t path_text(const path_table *table, uint16_t number, char *out, size_t size);

#endif
