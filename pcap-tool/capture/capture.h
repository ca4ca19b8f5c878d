/* capture.h - where packets come from: files, standard input. The only room that names libpcap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Several inputs are one capture: their packets are merged by time (ties: by the order in which the inputs
 * are given), numbered from 1 over all input, before the filter, as Wireshark would number the merged file
 * (but for ties: mergecap 4.0 takes the later input first). Compressed ones are decompressed on the way.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    CAPTURE_END,
} capture_status;

typedef struct capture_options {
    const char *const *paths; /* "-": standard input; lives as long as the capture */
    size_t path_count;
    const char *filter; /* a BPF expression, or NULL */
} capture_options;

/* Asked when a signal came while an input is waited for, and now and then: true ends the capture there. Of
 * all captures: signals are the process's. */
void capture_on_interrupt(bool (*gives_up)(void));

/* Opens every input and reads its first packet; with several, regular files are closed until their turn. An
 * input that cannot be opened is a problem told through capture_problem, not a failure,
 * as long as one can be. Returns NULL, and one line in `error`, when none can be opened, the filter does not
 * compile, or memory runs out (*usage tells a filter error, the caller's mistake). */
capture *capture_open(const capture_options *options, char error[CAPTURE_ERROR_BYTES], bool *usage);
void capture_close(capture *capture);

/* The next packet that passes the filter, in time order. An input that is cut short or corrupt ends there,
 * and the others go on. */
capture_status capture_next(capture *capture, capture_packet *out);

/* The coarsest time stamp unit among the inputs, by the packets read so far: 1 or 1000 ns (libpcap does not
 * tell a pcap file's): 1000 until each input showed a time that is no whole number of microseconds; more when
 * a pcapng file says so. */
int64_t capture_tick_ns(const capture *capture);

/* Totals: packets read (before the filter), and bytes they had on the wire. */
uint64_t capture_packets(const capture *capture);
uint64_t capture_bytes(const capture *capture);

/* Problems met so far, one line each, naming the file, the place (frame or offset) and what to do. */
size_t capture_problem_count(const capture *capture);
const char *capture_problem(const capture *capture, size_t index);

/* How many of the inputs were opened. */
size_t capture_input_count(const capture *capture);

/* The file a merged frame came from (its path as given) and its number in that file; false when it is not
 * known any more: the newest million changes from file to file are kept. Meant for ka_writer.locate. */
bool capture_locate(const capture *capture, uint64_t frame, const char **file, uint64_t *file_frame);

#endif
