/* capture.h - where packets come from: files, standard input, interfaces. The only room that names libpcap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Several inputs are one capture: their packets are merged by time (ties: by the order in which the inputs
 * are given), numbered from 1 over all input, before the filter, as Wireshark would number the merged file
 * (but for ties: mergecap 4.0 takes the later input first). Compressed ones are decompressed on the way.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct capture capture;

/* One packet; `bytes` is valid until the next call. */
typedef struct capture_packet {
    int64_t time_ns;
    uint64_t frame;
    const uint8_t *bytes;
    uint32_t captured_bytes;
    uint32_t wire_bytes;
    int link_type; /* of this packet: a file may have several */
    uint16_t
        interface;  /* of all files, from 0 in the order of their first packets; the last stands for more */
    uint16_t input; /* index of its file in the paths given */
} capture_packet;

enum { CAPTURE_ERROR_BYTES = 512 };

typedef enum capture_status {
    CAPTURE_PACKET,
    CAPTURE_QUIET, /* of interfaces only: no packet is ready; the next call waits for one */
    CAPTURE_END,
} capture_status;

typedef struct capture_options {
    const char *const *paths; /* "-": standard input; lives as long as the capture */
    size_t path_count;
    const char *filter; /* a BPF expression, or NULL */
} capture_options;

/* The newest packets of interfaces, kept in files: "ring.pcapng" becomes ring-01.pcapng, ring-02.pcapng, ...,
 * then the first again. Files of these names are overwritten. */
typedef struct capture_ring_options {
    const char *path;   /* NULL: none are kept */
    int64_t file_bytes; /* each at most, and at least CAPTURE_RING_BYTES_MIN */
    unsigned file_count;
    uid_t owner; /* of the files; -1: whoever runs this */
    gid_t group;
} capture_ring_options;

enum { CAPTURE_INTERFACES_MAX = 16, CAPTURE_RING_BYTES_MIN = 1 << 20, CAPTURE_RING_FILES_MAX = 1000 };

typedef struct capture_live_options {
    const char *const *interfaces; /* "any": all; lives as long as the capture */
    size_t interface_count;        /* at most CAPTURE_INTERFACES_MAX */
    const char *filter;
    int64_t duration_ns; /* 0: until interrupted */
    capture_ring_options ring;
} capture_live_options;

typedef enum capture_failure {
    CAPTURE_FAILED_READING,
    CAPTURE_FAILED_USAGE,
    CAPTURE_FAILED_WRITING, /* the ring */
} capture_failure;

/* Opens every interface, with the filter in the kernel: needs the right to (CAP_NET_RAW), which can be
 * dropped then. NULL, and one line in `error`, when one of them cannot be opened. Packets of all interfaces
 * come in the order of time as far as they are there: nothing waits for another interface. */
capture *capture_open_live(const capture_live_options *options, char error[CAPTURE_ERROR_BYTES],
                           capture_failure *why);

/* Of CAPTURE_QUIET: the time up to which there were no more packets than those told. */
int64_t capture_quiet_ns(const capture *capture);

/* Packets that interfaces had and this does not: lost because nobody read them in time, and before that, by
 * the interface or its driver (of all its traffic). 0 for files. */
void capture_drops(const capture *capture, uint64_t *by_kernel, uint64_t *by_interface);

/* Asked when a signal came while an input is waited for, and now and then: true ends the capture there. Of
 * all captures: signals are the process's. */
void capture_on_interrupt(bool (*gives_up)(void));

/* Opens every input and reads its first packet; with several, regular files are closed until their turn. An
 * input that cannot be opened is a problem told through capture_problem, not a failure,
 * as long as one can be. Returns NULL, and one line in `error`, when none can be opened, the filter does not
 * compile, or memory runs out (*usage tells a filter error, the caller's mistake). */
capture *capture_open(const capture_options *options, char error[CAPTURE_ERROR_BYTES], bool *usage);
void capture_close(capture *capture);

typedef struct packet_filter capture_filter;

/* The filter of files, early, while the names in it (of hosts, services, protocols) can be looked up. Told
 * are faults of it later, by capture_open_filtered. NULL when memory runs out. */
capture_filter *capture_filter_new(const char *expression);
void capture_filter_free(capture_filter *filter);
/* capture_open with this filter, of the same expression; it is taken, whatever comes out, and may be NULL.
 * What reading takes is counted in `memory` (NULL: nowhere), which lives as long as the capture: windows of
 * decoders, blocks, packets, which file frames came from. A file for which it has no room ends there, which
 * is a problem told. */
capture *capture_open_filtered(const capture_options *options, capture_filter *filter, memory_share *memory,
                               char error[CAPTURE_ERROR_BYTES], bool *usage);

/* The next packet that passes the filter, in time order; *out is set for CAPTURE_PACKET only. An input that
 * is cut short or corrupt ends there, and the others go on. */
capture_status capture_next(capture *capture, capture_packet *out);

/* The coarsest time stamp unit among the inputs, by the packets read so far: 1 or 1000 ns (libpcap does not
 * tell a pcap file's): 1000 until each input showed a time that is no whole number of microseconds; more when
 * a pcapng file says so. */
int64_t capture_tick_ns(const capture *capture);

/* Totals: packets read (before the filter), and bytes they had on the wire. */
uint64_t capture_packets(const capture *capture);
uint64_t capture_bytes(const capture *capture);

/* How much of the files was read, and their size (0 when some input is no regular file). */
void capture_position(const capture *capture, uint64_t *read_bytes, uint64_t *all_bytes);

/* Problems met so far, one line each, naming the file, the place (frame or offset) and what to do. */
size_t capture_problem_count(const capture *capture);
const char *capture_problem(const capture *capture, size_t index);

/* How many of the inputs were opened; interfaces do not count. */
size_t capture_input_count(const capture *capture);

/* The file a merged frame came from (its path as given) and its number in that file; false when it is not
 * known any more: the newest million changes from file to file are kept. Of interfaces: the file of the ring
 * that holds it, false when none does. Meant for ka_writer.locate. */
bool capture_locate(const capture *capture, uint64_t frame, const char **file, uint64_t *file_frame);

#endif
