/* capture.c - several inputs as one capture: merged by time, numbered, filtered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "capture.h"

#include "filter.h"
#include "input.h"
#include "live.h"
#include "merge.h"
#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* capture_packet.input has 16 bits. */
enum { INPUTS_MAX = UINT16_MAX };

/* Of each input, whether it is open or not: its row in three tables. */
#define INPUT_BYTES (sizeof(input_file) + sizeof(input_file *) + INPUT_PROBLEMS_MAX * sizeof(char *))

struct capture {
    live *live; /* NULL: the inputs are files */
    input_file *inputs;
    size_t path_count; /* inputs tried so far */
    size_t opened_count;
    merge_heap merge;
    packet_filter filter;
    bool head_used;      /* the packet of the first input was handed out or filtered away */
    uint32_t interfaces; /* numbered so far */
    uint64_t frames;     /* packets, and records of pcapng that have frame numbers and are none */
    uint64_t packets;
    uint64_t bytes;
    origin_map origin;
    problem_list problems;
    memory_claim claim; /* of the tables of inputs */
};

void capture_on_interrupt(bool (*gives_up)(void))
{
    source_on_interrupt(gives_up);
}

capture_filter *capture_filter_new(const char *expression)
{
    packet_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL)
        return NULL;
    filter->expression = expression;
    filter_prepare(filter);
    return filter;
}

void capture_filter_free(capture_filter *filter)
{
    if (filter != NULL)
        filter_fini(filter);
    free(filter);
}

static capture *new_capture(const capture_options *options, memory_share *memory)
{
    capture *cap = calloc(1, sizeof *cap);
    if (cap == NULL)
        return NULL;
    cap->claim.share = cap->origin.claim.share = memory;
    if (!memory_claim_set(&cap->claim, options->path_count * INPUT_BYTES)) {
        capture_close(cap);
        return NULL;
    }
    cap->filter.expression = options->filter;
    cap->inputs = calloc(options->path_count, sizeof *cap->inputs);
    cap->merge.heads = calloc(options->path_count, sizeof *cap->merge.heads);
    if (cap->inputs == NULL || cap->merge.heads == NULL ||
        !problems_init(&cap->problems, options->path_count * INPUT_PROBLEMS_MAX)) {
        capture_close(cap);
        return NULL;
    }
    return cap;
}

static bool is_standard_input_again(const capture_options *options, size_t index)
{
    if (strcmp(options->paths[index], "-") != 0)
        return false;
    for (size_t i = 0; i < index; i++) {
        if (strcmp(options->paths[i], "-") == 0)
            return true;
    }
    return false;
}

/* Whether the filter compiles for the packet that is ready; one line in `error` otherwise. */
static bool filter_fits(capture *cap, const input_file *input, char *error)
{
    char why[FILTER_WHY_BYTES];
    if (filter_compiles(&cap->filter, input->link_type, why))
        return true;
    snprintf(error, CAPTURE_ERROR_BYTES, "filter \"%s\": %s (for %s)", cap->filter.expression, why,
             input_name(input));
    return false;
}

/* Where no input has a packet: a mistyped filter is told all the same. */
static bool filter_makes_sense(capture *cap, char *error)
{
    char why[FILTER_WHY_BYTES];
    if (cap->filter.count > 0 || filter_compiles(&cap->filter, DLT_EN10MB, why))
        return true;
    snprintf(error, CAPTURE_ERROR_BYTES, "filter \"%s\": %s", cap->filter.expression, why);
    return false;
}

/* Opens one input and has its first packet ready. False when the filter does not compile for that. */
static bool add_input(capture *cap, const capture_options *options, char *error)
{
    size_t index = cap->path_count;
    input_file *input = &cap->inputs[index];
    if (is_standard_input_again(options, index)) {
        problems_add(&cap->problems, "standard input: is given more than once; it was read once");
        return true;
    }
    if (!input_init(input, options->paths[index], (uint16_t)index, cap->claim.share, &cap->problems))
        return true;
    cap->opened_count++;
    if (!input_read(input, &cap->problems))
        return true;
    if (!filter_fits(cap, input, error))
        return false;
    merge_add(&cap->merge, input);
    if (options->path_count > 1 && input->is_file)
        input_park(input);
    return true;
}

static bool add_inputs(capture *cap, const capture_options *options, char *error, bool *usage)
{
    for (; cap->path_count < options->path_count; cap->path_count++) {
        if (!add_input(cap, options, error)) {
            cap->path_count++; /* it is half open */
            *usage = true;
            return false;
        }
    }
    *usage = true;
    if (cap->opened_count > 0)
        return filter_makes_sense(cap, error);
    *usage = false;
    const char *first = capture_problem(cap, 0);
    if (options->path_count == 1)
        snprintf(error, CAPTURE_ERROR_BYTES, "%s", first);
    else
        snprintf(error, CAPTURE_ERROR_BYTES, "%s (nor could any of the other %zu inputs be read)", first,
                 options->path_count - 1);
    return false;
}

static bool is_count_possible(const capture_options *options, char *error, bool *usage)
{
    *usage = true;
    if (options->path_count > 0 && options->path_count <= INPUTS_MAX)
        return true;
    snprintf(error, CAPTURE_ERROR_BYTES, "%zu inputs are given; it takes 1 to %d", options->path_count,
             INPUTS_MAX);
    return false;
}

capture *capture_open_filtered(const capture_options *options, capture_filter *filter, memory_share *memory,
                               char error[CAPTURE_ERROR_BYTES], bool *usage)
{
    bool possible = is_count_possible(options, error, usage);
    capture *cap = possible ? new_capture(options, memory) : NULL;
    if (cap != NULL && filter != NULL) {
        cap->filter = *filter;
        *filter = (packet_filter){.count = 0};
    }
    capture_filter_free(filter);
    if (!possible)
        return NULL;
    if (cap == NULL) {
        snprintf(error, CAPTURE_ERROR_BYTES, "out of memory");
        *usage = false;
        return NULL;
    }
    if (!add_inputs(cap, options, error, usage)) {
        capture_close(cap);
        return NULL;
    }
    return cap;
}

capture *capture_open(const capture_options *options, char error[CAPTURE_ERROR_BYTES], bool *usage)
{
    return capture_open_filtered(options, NULL, NULL, error, usage);
}

/* What ended, and that the ring could not be written. */
enum { LIVE_PROBLEMS_MAX = CAPTURE_INTERFACES_MAX + 1 };

capture *capture_open_live(const capture_live_options *options, char error[CAPTURE_ERROR_BYTES],
                           capture_failure *why)
{
    capture *cap = calloc(1, sizeof *cap);
    if (cap == NULL || !problems_init(&cap->problems, LIVE_PROBLEMS_MAX)) {
        snprintf(error, CAPTURE_ERROR_BYTES, "out of memory");
        *why = CAPTURE_FAILED_READING;
    } else {
        cap->live = live_new(options, error, why);
    }
    if (cap == NULL || cap->live != NULL)
        return cap;
    capture_close(cap);
    return NULL;
}

void capture_close(capture *cap)
{
    if (cap == NULL)
        return;
    live_free(cap->live);
    for (size_t i = 0; i < cap->path_count; i++)
        input_fini(&cap->inputs[i]);
    filter_fini(&cap->filter);
    origin_fini(&cap->origin);
    problems_fini(&cap->problems);
    free(cap->merge.heads);
    free(cap->inputs);
    memory_claim_set(&cap->claim, 0);
    free(cap);
}

/* The input with the next packet, which is in memory; NULL at the end. */
static input_file *next_head(capture *cap)
{
    input_file *head;
    while ((head = merge_first(&cap->merge)) != NULL && (cap->head_used || head->is_parked)) {
        bool has_packet =
            cap->head_used ? input_read(head, &cap->problems) : input_resume(head, &cap->problems);
        cap->head_used = false;
        if (has_packet)
            merge_first_moved(&cap->merge);
        else
            merge_first_ended(&cap->merge);
    }
    return head;
}

/* A link type that came up later than the first packet, for which the filter makes no sense. */
static void tell_misfit(capture *cap, input_file *input)
{
    char why[FILTER_WHY_BYTES];
    if (input->has_misfit || filter_compiles(&cap->filter, input->link_type, why))
        return;
    input->has_misfit = true;
    problems_add(&cap->problems, "%s: packet %llu: filter \"%s\": %s; such packets were left out",
                 input_name(input), (unsigned long long)input->frame, cap->filter.expression, why);
}

static bool passes(capture *cap, input_file *input)
{
    if (cap->filter.expression == NULL ||
        filter_passes(&cap->filter, input->link_type, input->header, input->bytes))
        return true;
    tell_misfit(cap, input);
    return false;
}

/* Counted over all input, in the order of their first packets. */
static uint16_t interface_number(capture *cap, const input_file *input)
{
    if (*input->interface == 0)
        *input->interface = ++cap->interfaces;
    return *input->interface <= UINT16_MAX ? (uint16_t)(*input->interface - 1) : UINT16_MAX;
}

static capture_status next_live(capture *cap, capture_packet *out)
{
    live_status status = live_next(cap->live, out, &cap->problems);
    if (status != LIVE_PACKET)
        return status == LIVE_QUIET ? CAPTURE_QUIET : CAPTURE_END;
    out->frame = ++cap->frames;
    cap->packets++;
    cap->bytes += out->wire_bytes;
    live_keep(cap->live, out, &cap->problems);
    return CAPTURE_PACKET;
}

capture_status capture_next(capture *cap, capture_packet *out)
{
    if (cap->live != NULL)
        return next_live(cap, out);
    for (input_file *head; (head = next_head(cap)) != NULL;) {
        cap->head_used = true;
        cap->packets++;
        cap->frames += head->step;
        cap->bytes += head->header->len;
        origin_note(&cap->origin, cap->frames, head->index, head->frame);
        if (!passes(cap, head))
            continue;
        *out = (capture_packet){
            .time_ns = head->time_ns,
            .frame = cap->frames,
            .bytes = head->bytes,
            .captured_bytes = head->header->caplen,
            .wire_bytes = head->header->len,
            .link_type = head->link_type,
            .interface = interface_number(cap, head),
            .input = head->index,
        };
        return CAPTURE_PACKET;
    }
    return CAPTURE_END;
}

int64_t capture_quiet_ns(const capture *cap)
{
    (void)cap;
    return live_time_ns();
}

void capture_drops(const capture *cap, uint64_t *by_kernel, uint64_t *by_interface)
{
    *by_kernel = *by_interface = 0;
    if (cap->live != NULL)
        live_drops(cap->live, by_kernel, by_interface);
}

int64_t capture_tick_ns(const capture *cap)
{
    if (cap->live != NULL)
        return live_tick_ns(cap->live);
    int64_t tick_ns = cap->packets > 0 ? 1 : 1000;
    for (size_t i = 0; i < cap->path_count; i++) {
        const input_file *input = &cap->inputs[i];
        if (input->frame > 0 && !input->has_nanoseconds && tick_ns < 1000)
            tick_ns = 1000;
        if (input->coarse_tick_ns > tick_ns)
            tick_ns = input->coarse_tick_ns;
    }
    return tick_ns;
}

uint64_t capture_packets(const capture *cap)
{
    return cap->packets;
}

uint64_t capture_bytes(const capture *cap)
{
    return cap->bytes;
}

void capture_position(const capture *cap, uint64_t *read_bytes, uint64_t *all_bytes)
{
    bool known = true;
    *read_bytes = *all_bytes = 0;
    for (size_t i = 0; i < cap->path_count; i++) {
        const input_file *input = &cap->inputs[i];
        known &= input->is_file || !input_is_open(input);
        *read_bytes += input_position(input);
        *all_bytes += input->size_bytes;
    }
    if (!known)
        *all_bytes = 0;
}

size_t capture_problem_count(const capture *cap)
{
    return cap->problems.count;
}

const char *capture_problem(const capture *cap, size_t index)
{
    return cap->problems.lines[index];
}

size_t capture_input_count(const capture *cap)
{
    return cap->opened_count;
}

bool capture_locate(const capture *cap, uint64_t frame, const char **file, uint64_t *file_frame)
{
    uint16_t index;
    if (cap->live != NULL)
        return live_find(cap->live, frame, file, file_frame);
    if (!origin_find(&cap->origin, frame, &index, file_frame))
        return false;
    *file = cap->inputs[index].path;
    return true;
}
