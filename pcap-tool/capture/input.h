/* input.h - one capture file, or standard input: its packets in its own order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_INPUT_H
#define CAPTURE_INPUT_H

#include "pcapng.h"
#include "problems.h"
#include "source.h"

#include <pcap/pcap.h>
#include <stdint.h>

/* Packets without time stamps, an odd time stamp, a filter that does not fit, and how it ended. */
enum { INPUT_PROBLEMS_MAX = 4 };

typedef struct input_file {
    const char *path;
    memory_claim claim; /* while it is open: of its buffers, and of libpcap's */
    pcap_t *pcap;       /* a pcap file; NULL: parked, ended, never opened, or a pcapng file */
    pcapng blocks;      /* a pcapng file */
    source *source;     /* of the bytes of either, while it is open; NULL: they are not compressed */
    char *buffer;       /* of its FILE */
    bool is_file;       /* a regular file: can be opened again */
    bool is_parked;
    bool has_odd_time;
    bool has_no_time;
    bool has_nanoseconds; /* some time stamp so far was no whole number of microseconds */
    bool has_misfit;      /* a link type for which the filter does not compile was told */
    uint64_t size_bytes;  /* of a regular file */
    uint16_t index;
    uint32_t own_number;    /* of its one interface, when it is a pcap file */
    int64_t coarse_tick_ns; /* the longest beyond microseconds of its interfaces that had packets; 0: none */
    /* The packet that is ready; `header` and `bytes` only while it is not parked. */
    uint64_t frame;             /* its number in this file; 0: none read yet */
    uint32_t packet_room_bytes; /* of a pcap file: libpcap has room for such a packet, and that is claimed */
    uint32_t step;              /* from the packet before; more than 1 over records that are no packets */
    int link_type;
    uint32_t *interface; /* the number of its interface, the caller's to give; 0: none yet */
    int64_t time_ns;
    const struct pcap_pkthdr *header;
    const uint8_t *bytes;
    struct pcap_pkthdr blocks_header; /* what `header` points to for a pcapng file */
} input_file;

/* Opens path ("-": standard input). False, and a problem told, when there is nothing to read. `path`, and
 * `memory` (NULL: no limit), live as long as the input. Give it to input_fini in any case. */
bool input_init(input_file *input, const char *path, uint16_t index, memory_share *memory,
                problem_list *problems);
void input_fini(input_file *input);

/* The path, or "standard input". */
const char *input_name(const input_file *input);

/* How much of the file was read, of its size_bytes. */
uint64_t input_position(const input_file *input);
bool input_is_open(const input_file *input);

/* Makes the next packet ready. False at the end; when it is no regular end, a problem is told. */
bool input_read(input_file *input, problem_list *problems);

/* Closes a regular file that has its first packet ready, and opens it again. So thousands of files can wait
 * for their turn without a descriptor each. */
void input_park(input_file *input);
bool input_resume(input_file *input, problem_list *problems);

#endif
