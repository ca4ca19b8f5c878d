/* input.h - one capture file, or standard input: its packets in its own order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_INPUT_H
#define CAPTURE_INPUT_H

#include "problems.h"

#include <pcap/pcap.h>
#include <stdint.h>

/* An odd time stamp, and how it ended. */
enum { INPUT_PROBLEMS_MAX = 2 };

typedef struct input_file {
    const char *path;
    pcap_t *pcap; /* NULL: parked, ended, or never opened */
    char *buffer; /* of its FILE */
    struct bpf_program filter;
    bool has_filter;
    bool is_file; /* a regular file: can be opened again */
    bool is_parked;
    bool has_odd_time;
    bool has_nanoseconds; /* some time stamp so far was no whole number of microseconds */
    uint16_t index;
    int link_type;
    /* The packet that is ready; `header` and `bytes` only while it is not parked. */
    uint64_t frame; /* its number in this file; 0: none read yet */
    int64_t time_ns;
    const struct pcap_pkthdr *header;
    const uint8_t *bytes;
} input_file;

/* Opens path ("-": standard input). False, and a problem told, when there is nothing to read. `path` lives as
 * long as the input. Give it to input_fini in any case. */
bool input_init(input_file *input, const char *path, uint16_t index, problem_list *problems);
void input_fini(input_file *input);

/* Compiles the filter for the link type of the input; one line in `error` when it does not compile. */
bool input_set_filter(input_file *input, const char *expression, char *error, size_t error_bytes);
bool input_passes(const input_file *input);

/* Makes the next packet ready. False at the end; when it is no regular end, a problem is told. */
bool input_read(input_file *input, problem_list *problems);

/* Closes a regular file that has its first packet ready, and opens it again. So thousands of files can wait
 * for their turn without a descriptor each. */
void input_park(input_file *input);
bool input_resume(input_file *input, problem_list *problems);

#endif
