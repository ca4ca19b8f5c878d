/* blocks.h - small blocks from free lists: what a connection needs comes and goes with every message.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An allocator in front of another one. Small blocks are cut from slabs and kept for reuse when they are
 * given back; slabs go back only at the end, or when somebody asks for it because memory is short. Larger
 * ones are handed through. Under AddressSanitizer all are, so that it sees each of them.
 */
#ifndef PCAP_TOOL_BLOCKS_H
#define PCAP_TOOL_BLOCKS_H

#include "keptalive.h"

enum {
    BLOCKS_STEP_BYTES = 16,
    BLOCKS_MAX_BYTES = 512, /* what connections own for a while; histograms and tables are larger */
    BLOCKS_SIZES = BLOCKS_MAX_BYTES / BLOCKS_STEP_BYTES + 1,
};

typedef struct blocks {
    const ka_allocator *base;
    void *free[BLOCKS_SIZES]; /* lists of blocks given back, by size in steps */
    void *slabs;              /* list of all slabs */
    char *fresh;              /* never used, in the newest slab */
    size_t fresh_bytes;
    uint64_t free_bytes; /* of all blocks given back and not reused */
} blocks;

/* The base must outlive the blocks, and they must stay where they are. */
void blocks_init(blocks *self, const ka_allocator *base);
/* Every small block dies with it; larger ones must have been given back. */
void blocks_fini(blocks *self);
/* Gives slabs back of which no block is in use. Takes its time: it looks at every block given back. */
void blocks_reclaim(blocks *self);
/* Blocks are aligned to 8 bytes. */
ka_allocator blocks_allocator(blocks *self);

#endif
