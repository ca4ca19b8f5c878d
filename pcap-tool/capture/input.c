/* input.c - one capture file, or standard input: its packets in its own order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Large enough that system calls hardly count, small enough for the first level cache. */
enum { BUFFER_BYTES = 32 * 1024 };

/* Capture time is a count of nanoseconds since 1970 that the core adds and subtracts. Half of the range
 * (until 2116) leaves room for any sum of a time and a duration. */
#define TIME_MAX_NS (INT64_MAX / 2)

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *name_of(const input_file *input)
{
    return is_standard_input(input->path) ? "standard input" : input->path;
}

static void close_file(input_file *input)
{
    if (input->pcap != NULL)
        pcap_close(input->pcap);
    free(input->buffer);
    input->pcap = NULL;
    input->buffer = NULL;
}

/* The file, known to have at least one byte; NULL and a problem told otherwise. Standard input is duplicated,
 * so that closing it and freeing its buffer leaves stdin alone. */
static FILE *open_file(input_file *input, problem_list *problems)
{
    FILE *file = is_standard_input(input->path) ? fdopen(dup(STDIN_FILENO), "rb") : fopen(input->path, "rb");
    if (file == NULL) {
        problems_add(problems, "%s: cannot be opened: %s%s", name_of(input), strerror(errno),
                     errno == EMFILE ? "; raise the limit (ulimit -n) or merge files first (mergecap)" : "");
        return NULL;
    }
    struct stat status;
    input->is_file =
        !is_standard_input(input->path) && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    input->buffer = malloc(BUFFER_BYTES);
    if (input->buffer != NULL)
        setvbuf(file, input->buffer, _IOFBF, BUFFER_BYTES);
    int first = getc(file);
    if (first != EOF) {
        ungetc(first, file);
        return file;
    }
    if (ferror(file) && errno == EISDIR)
        problems_add(problems, "%s: is a directory; give the capture files in it", name_of(input));
    else if (ferror(file))
        problems_add(problems, "%s: cannot be read: %s", name_of(input), strerror(errno));
    else
        problems_add(problems, "%s: is empty, not even a capture file's header was written", name_of(input));
    fclose(file);
    return NULL;
}

static bool open_capture(input_file *input, problem_list *problems)
{
    FILE *file = open_file(input, problems);
    if (file == NULL) {
        close_file(input);
        return false;
    }
    char why[PCAP_ERRBUF_SIZE];
    input->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (input->pcap != NULL) {
        input->link_type = pcap_datalink(input->pcap);
        return true;
    }
    fclose(file);
    close_file(input);
    if (strstr(why, "truncated") != NULL)
        problems_add(problems, "%s: ends within the file header; there is no packet in it", name_of(input));
    else
        problems_add(problems, "%s: is not a capture that libpcap can read (%s); give a pcap or pcapng file",
                     name_of(input), why);
    return false;
}

bool input_init(input_file *input, const char *path, uint16_t index, problem_list *problems)
{
    *input = (input_file){.path = path, .index = index};
    return open_capture(input, problems);
}

void input_fini(input_file *input)
{
    close_file(input);
    if (input->has_filter)
        pcap_freecode(&input->filter);
}

bool input_set_filter(input_file *input, const char *expression, char *error, size_t error_bytes)
{
    if (pcap_compile(input->pcap, &input->filter, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        const char *link_name = pcap_datalink_val_to_name(input->link_type);
        snprintf(error, error_bytes, "filter \"%s\": %s (for %s, link type %s)", expression,
                 pcap_geterr(input->pcap), name_of(input), link_name != NULL ? link_name : "unknown");
        return false;
    }
    input->has_filter = true;
    return true;
}

bool input_passes(const input_file *input)
{
    return !input->has_filter || pcap_offline_filter(&input->filter, input->header, input->bytes) != 0;
}

/* libpcap gives nanoseconds in tv_usec, and whatever a damaged or hostile file says. */
static int64_t time_of(const struct timeval *stamp, bool *odd)
{
    int64_t seconds = stamp->tv_sec;
    int64_t nanoseconds = stamp->tv_usec;
    *odd = nanoseconds < 0 || nanoseconds >= 1000000000 || seconds < 0 || seconds >= TIME_MAX_NS / 1000000000;
    if (!*odd)
        return seconds * 1000000000 + nanoseconds;
    if (seconds < 0)
        return 0;
    return seconds >= TIME_MAX_NS / 1000000000 ? TIME_MAX_NS : seconds * 1000000000;
}

static void set_time(input_file *input, problem_list *problems)
{
    bool odd;
    input->time_ns = time_of(&input->header->ts, &odd);
    if (!input->has_nanoseconds && input->header->ts.tv_usec % 1000 != 0)
        input->has_nanoseconds = true;
    if (!odd || input->has_odd_time)
        return;
    input->has_odd_time = true;
    problems_add(problems,
                 "%s: packet %llu has an impossible time stamp (%lld s, %lld ns); such times are set to the "
                 "nearest possible ones, so durations around them are wrong",
                 name_of(input), (unsigned long long)input->frame, (long long)input->header->ts.tv_sec,
                 (long long)input->header->ts.tv_usec);
}

static void tell_break(const input_file *input, problem_list *problems)
{
    const char *why = pcap_geterr(input->pcap);
    unsigned long long frame = input->frame + 1;
    if (strstr(why, "truncated") != NULL)
        problems_add(problems,
                     "%s: ends in the middle of packet %llu; everything before it was used (the capture was "
                     "probably still being written)",
                     name_of(input), frame);
    else if (strstr(why, "of the first interface") != NULL)
        problems_add(
            problems,
            "%s: libpcap cannot read on at packet %llu (%s); everything before it was used; split the "
            "file by interface (tshark -Y frame.interface_id==0 -w ...) and give the parts",
            name_of(input), frame, why);
    else
        problems_add(problems, "%s: is damaged at packet %llu (%s); everything before it was used",
                     name_of(input), frame, why);
}

bool input_read(input_file *input, problem_list *problems)
{
    struct pcap_pkthdr *header;
    int result = pcap_next_ex(input->pcap, &header, &input->bytes);
    if (result != 1) {
        if (result == PCAP_ERROR)
            tell_break(input, problems);
        close_file(input);
        return false;
    }
    input->header = header;
    input->frame++;
    set_time(input, problems);
    return true;
}

void input_park(input_file *input)
{
    close_file(input);
    input->is_parked = true;
}

bool input_resume(input_file *input, problem_list *problems)
{
    input->is_parked = false;
    input->frame = 0;
    return open_capture(input, problems) && input_read(input, problems);
}
