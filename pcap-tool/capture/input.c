/* input.c - one capture file, or standard input: its packets in its own order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Large enough that system calls hardly count, small enough for the first level cache. */
enum { BUFFER_BYTES = 32 * 1024 };

/* Of an open file beside its buffer: the C library's FILE and libpcap's handle, with room for a packet. */
enum { HANDLES_BYTES = 8 * 1024, HANDLES_PACKET_BYTES = 2 * 1024 };

/* libpcap 1.10 (max_snaplen_for_dlt) takes larger packets of two link types: of D-Bus up to 128 MiB, of
 * EBHSCR 8 MiB; and of USB, 1 MiB. */
enum { USUAL_PACKET_BYTES = 256 * 1024, HUGE_PACKET_BYTES = 128 << 20 };

/* Capture time is a count of nanoseconds since 1970 that the core adds and subtracts. Half of the range
 * (until 2116) leaves room for any sum of a time and a duration. */
#define TIME_MAX_NS (INT64_MAX / 2)

enum { MICROSECOND_NS = 1000 };

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *input_name(const input_file *input)
{
    return is_standard_input(input->path) ? "standard input" : input->path;
}

/* ---- Opening and closing ---- */

static void close_file(input_file *input)
{
    if (input->pcap != NULL)
        pcap_close(input->pcap);
    pcapng_close(&input->blocks);
    free(input->buffer);
    memory_claim_set(&input->claim, 0);
    input->pcap = NULL;
    input->source = NULL;
    input->buffer = NULL;
}

/* Standard input is duplicated, so that closing it leaves stdin alone. O_NONBLOCK: a named pipe is waited for
 * where a signal can end that; it means nothing to files. */
static FILE *open_stream(input_file *input)
{
    bool is_standard = is_standard_input(input->path);
    int descriptor = is_standard ? dup(STDIN_FILENO) : open(input->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return NULL;
    struct stat status;
    input->is_file = !is_standard && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (input->is_file)
        input->size_bytes = (uint64_t)status.st_size;
    input->buffer =
        memory_claim_set(&input->claim, BUFFER_BYTES + HANDLES_BYTES) ? malloc(BUFFER_BYTES) : NULL;
    if (input->buffer == NULL) {
        close(descriptor);
        errno = ENOMEM;
        return NULL;
    }
    return source_open(descriptor, input->buffer, BUFFER_BYTES, input->claim.share, &input->source);
}

static void tell_given_up(const input_file *input, problem_list *problems)
{
    problems_add(problems, "%s: was interrupted before anything of it was read", input_name(input));
}

static void tell_nothing_to_read(const input_file *input, FILE *file, problem_list *problems)
{
    int error = ferror(file) ? errno : 0;
    char fault[SOURCE_FAULT_BYTES];
    const char *compression = source_compression(input->source);
    if (source_given_up(input->source))
        tell_given_up(input, problems);
    else if (source_fault(input->source, fault))
        problems_add(problems, "%s: %s; nothing of it could be read", input_name(input), fault);
    else if (error == EISDIR)
        problems_add(problems, "%s: is a directory; give the capture files in it", input_name(input));
    else if (error != 0)
        problems_add(problems, "%s: cannot be read: %s", input_name(input), strerror(error));
    else if (compression != NULL)
        problems_add(problems, "%s: is empty, once its %s data is decompressed", input_name(input),
                     compression);
    else
        problems_add(problems, "%s: is empty, not even a capture file's header was written",
                     input_name(input));
}

/* The first byte, still to be read; EOF, and a problem told, when there is none. */
static int first_byte(const input_file *input, FILE *file, problem_list *problems)
{
    errno = 0;
    int first = getc(file);
    if (first == EOF)
        tell_nothing_to_read(input, file, problems);
    else
        ungetc(first, file);
    return first;
}

/* No packet was read. `why` is the reader's, which does not know what was wrong with the compressed bytes. */
static void tell_no_capture(const input_file *input, bool is_cut, const char *why, problem_list *problems)
{
    char fault[SOURCE_FAULT_BYTES];
    if (source_given_up(input->source))
        tell_given_up(input, problems);
    else if (source_fault(input->source, fault))
        problems_add(problems, "%s: %s; there is no packet before it", input_name(input), fault);
    else if (is_cut)
        problems_add(problems, "%s: ends within the file header; there is no packet in it",
                     input_name(input));
    else
        problems_add(problems, "%s: is not a capture that can be read (%s); give a pcap or pcapng file",
                     input_name(input), why);
}

static bool open_pcapng(input_file *input, FILE *file, problem_list *problems)
{
    pcapng_status status = pcapng_open(&input->blocks, file, input->claim.share);
    if (status == PCAPNG_PACKET)
        return true;
    tell_no_capture(input, status == PCAPNG_CUT, input->blocks.why, problems);
    return false;
}

/* libpcap's room for a packet grows to the next power of two. */
static bool claim_packet(input_file *input, uint64_t len_bytes)
{
    uint64_t room_bytes = HANDLES_PACKET_BYTES;
    while (room_bytes < len_bytes)
        room_bytes *= 2;
    uint64_t all_bytes = BUFFER_BYTES + HANDLES_BYTES - HANDLES_PACKET_BYTES + room_bytes;
    if (all_bytes > input->claim.bytes && !memory_claim_set(&input->claim, all_bytes))
        return false;
    input->packet_room_bytes = (uint32_t)room_bytes;
    return true;
}

/* Before any packet of those is read; of others it is counted once there is one. */
static uint64_t huge_packet_bytes(pcap_t *pcap)
{
    int link_type = pcap_datalink(pcap);
    uint64_t snap_bytes = (uint64_t)pcap_snapshot(pcap);
    bool may_be = link_type == DLT_DBUS || link_type == DLT_EBHSCR;
    if (!may_be || snap_bytes <= USUAL_PACKET_BYTES)
        return 0;
    return snap_bytes < HUGE_PACKET_BYTES ? snap_bytes : HUGE_PACKET_BYTES;
}

static bool open_pcap(input_file *input, FILE *file, problem_list *problems)
{
    char why[PCAP_ERRBUF_SIZE];
    input->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (input->pcap != NULL) {
        input->link_type = pcap_datalink(input->pcap); /* these three are so for each packet */
        input->interface = &input->own_number;
        input->step = 1;
        if (claim_packet(input, huge_packet_bytes(input->pcap)))
            return true;
        problems_add(
            problems,
            "%s: packets of its link type (%s) may be so large that --memory leaves no room to read them",
            input_name(input), pcap_datalink_val_to_name(input->link_type));
        return false;
    }
    tell_no_capture(input, strstr(why, "truncated") != NULL, why, problems);
    fclose(file);
    return false;
}

static void tell_unopened(const input_file *input, int error, problem_list *problems)
{
    const char *remedy = error == EMFILE   ? "; raise the limit (ulimit -n) or merge files first (mergecap)"
                         : error == ENOMEM ? "; give more --memory, or merge files first (mergecap)"
                                           : "";
    if (error == EINTR)
        tell_given_up(input, problems);
    else
        problems_add(problems, "%s: cannot be opened: %s%s", input_name(input), strerror(error), remedy);
}

static bool open_capture(input_file *input, problem_list *problems)
{
    FILE *file = open_stream(input);
    if (file == NULL) {
        tell_unopened(input, errno, problems);
        close_file(input);
        return false;
    }
    int first = first_byte(input, file, problems);
    bool is_open = false;
    if (first == EOF)
        fclose(file);
    else if (first == PCAPNG_FIRST_BYTE)
        is_open = open_pcapng(input, file, problems);
    else
        is_open = open_pcap(input, file, problems);
    if (!is_open)
        close_file(input);
    return is_open;
}

bool input_init(input_file *input, const char *path, uint16_t index, memory_share *memory,
                problem_list *problems)
{
    *input = (input_file){.path = path, .index = index, .claim = {.share = memory}};
    return open_capture(input, problems);
}

void input_fini(input_file *input)
{
    close_file(input);
}

bool input_is_open(const input_file *input)
{
    return input->pcap != NULL || input->blocks.file != NULL;
}

uint64_t input_position(const input_file *input)
{
    if (input->is_parked)
        return 0;
    if (!input_is_open(input))
        return input->size_bytes;
    if (input->source != NULL)
        return source_position(input->source);
    off_t at = ftello(input->pcap != NULL ? pcap_file(input->pcap) : input->blocks.file);
    return at > 0 ? (uint64_t)at : 0;
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

/* ---- Times ---- */

/* Both readers give nanoseconds in tv_usec, and whatever a damaged or hostile file says. */
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

static inline void set_time(input_file *input, problem_list *problems)
{
    bool odd;
    input->time_ns = time_of(&input->header->ts, &odd);
    if (!input->has_nanoseconds && input->header->ts.tv_usec % MICROSECOND_NS != 0)
        input->has_nanoseconds = true;
    if (!odd || input->has_odd_time)
        return;
    input->has_odd_time = true;
    problems_add(problems,
                 "%s: packet %llu has an impossible time stamp (%lld s, %lld ns); such times are set to the "
                 "nearest possible ones, so durations around them are wrong",
                 input_name(input), (unsigned long long)input->frame, (long long)input->header->ts.tv_sec,
                 (long long)input->header->ts.tv_usec);
}

/* The time of the packet before stays. */
static void keep_time(input_file *input, problem_list *problems)
{
    if (input->has_no_time)
        return;
    input->has_no_time = true;
    problems_add(
        problems,
        "%s: packet %llu has no time stamp (a Simple Packet Block); such packets get the time of the "
        "one before, so durations around them are wrong",
        input_name(input), (unsigned long long)input->frame);
}

static void see_tick(input_file *input, const pcapng_clock *clock)
{
    int64_t tick_ns = pcapng_clock_tick_ns(clock);
    if (tick_ns > MICROSECOND_NS && tick_ns > input->coarse_tick_ns)
        input->coarse_tick_ns = tick_ns;
}

/* ---- Reading ---- */

/* An interruption is no fault of the input's: whoever gave up knows. */
static void tell_break(const input_file *input, bool is_cut, const char *why, problem_list *problems)
{
    unsigned long long frame = input->frame + 1;
    char fault[SOURCE_FAULT_BYTES];
    if (source_given_up(input->source))
        return;
    if (source_fault(input->source, fault))
        problems_add(problems, "%s: %s, at packet %llu; everything before it was used", input_name(input),
                     fault, frame);
    else if (is_cut)
        problems_add(problems,
                     "%s: ends in the middle of packet %llu; everything before it was used (the capture was "
                     "probably still being written)",
                     input_name(input), frame);
    else
        problems_add(problems, "%s: is damaged at packet %llu (%s); everything before it was used",
                     input_name(input), frame, why);
}

static bool read_pcap(input_file *input, problem_list *problems)
{
    struct pcap_pkthdr *header;
    int result = pcap_next_ex(input->pcap, &header, &input->bytes);
    if (result != 1) {
        const char *why = pcap_geterr(input->pcap);
        if (result == PCAP_ERROR)
            tell_break(input, strstr(why, "truncated") != NULL, why, problems);
        close_file(input);
        return false;
    }
    if (header->caplen > input->packet_room_bytes && !claim_packet(input, header->caplen)) {
        tell_break(input, false, "no memory (--memory) for a packet so large", problems);
        close_file(input);
        return false;
    }
    input->header = header;
    input->frame++;
    set_time(input, problems);
    return true;
}

static void tell_damaged_block(const input_file *input, problem_list *problems)
{
    char why[PCAPNG_WHY_BYTES + 64];
    snprintf(why, sizeof why, "byte %llu: %s", (unsigned long long)input->blocks.offset, input->blocks.why);
    tell_break(input, false, why, problems);
}

static bool read_pcapng(input_file *input, problem_list *problems)
{
    pcapng_packet packet = {.interface = NULL};
    pcapng_status status = pcapng_next(&input->blocks, &packet);
    if (status != PCAPNG_PACKET) {
        if (status == PCAPNG_CUT)
            tell_break(input, true, NULL, problems);
        else if (status == PCAPNG_DAMAGED)
            tell_damaged_block(input, problems);
        close_file(input);
        return false;
    }
    input->blocks_header = packet.header;
    input->header = &input->blocks_header;
    input->bytes = packet.bytes;
    input->link_type = packet.interface->link_type;
    input->interface = &packet.interface->number;
    input->step = packet.skipped + 1;
    input->frame += input->step;
    if (packet.has_time) {
        set_time(input, problems);
        see_tick(input, &packet.interface->clock);
    } else {
        keep_time(input, problems);
    }
    return true;
}

bool input_read(input_file *input, problem_list *problems)
{
    return input->pcap != NULL ? read_pcap(input, problems) : read_pcapng(input, problems);
}
