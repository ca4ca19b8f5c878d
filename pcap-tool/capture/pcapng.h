/* pcapng.h - a reader of pcapng files of our own: several sections and interfaces, of any kind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libpcap 1.10 does not tell a packet's interface, and stops for good at an interface whose link type or
 * snapshot length is not the first one's (raw IP: at any second one), and at a section in the other byte
 * order. On a pipe nobody could go on where it stopped. docs/architecture.md has the whole reason.
 * Read are the blocks of draft-ietf-opsawg-pcapng that make packets: section header, interface description,
 * enhanced, simple and (obsolete) packet. All others are stepped over.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include "memory.h"
#include "pcapng_clock.h"

#include <pcap/pcap.h>
#include <stdio.h>

enum {
    PCAPNG_FIRST_BYTE = 0x0a,      /* of every section header; no pcap file starts with it */
    PCAPNG_BLOCK_MAX = 16 << 20,   /* libpcap's limit; packets have at most 256 KiB */
    PCAPNG_INTERFACES_MAX = 65536, /* of a section: 2 MiB of them; dumpcap -i any has one for each device */
    PCAPNG_WHY_BYTES = 128,
};

typedef struct pcapng_interface {
    uint32_t number;     /* the owner's; 0: none yet */
    uint32_t snap_bytes; /* 0: no limit */
    int link_type;       /* as pcap_datalink would give it */
    pcapng_clock clock;
} pcapng_interface;

typedef struct pcapng {
    FILE *file; /* NULL: not open */
    ka_allocator allocator;
    uint8_t *block;
    size_t block_room;
    pcapng_interface *interfaces; /* of the section */
    size_t interface_count;
    size_t interface_room;
    uint64_t offset; /* in the file, of the block under way */
    bool is_swapped;
    char why[PCAPNG_WHY_BYTES];
} pcapng;

typedef struct pcapng_packet {
    struct pcap_pkthdr header; /* with nanoseconds */
    const uint8_t *bytes;      /* valid until the next call */
    pcapng_interface *interface;
    bool has_time;    /* false: header.ts is 0 */
    uint32_t skipped; /* records before it that are no packets but have frame numbers in Wireshark */
} pcapng_packet;

typedef enum pcapng_status {
    PCAPNG_PACKET,
    PCAPNG_END,
    PCAPNG_CUT,     /* the file ends within a block */
    PCAPNG_DAMAGED, /* self->why tells */
} pcapng_status;

/* Reads the first section header. The file is taken, whatever comes out: pcapng_close closes it. What is
 * allocated is counted in `memory` (NULL: nowhere), which lives as long. */
pcapng_status pcapng_open(pcapng *self, FILE *file, memory_share *memory);
void pcapng_close(pcapng *self);

pcapng_status pcapng_next(pcapng *self, pcapng_packet *out);

#endif
