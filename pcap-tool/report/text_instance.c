/* text_instance.c - one finding in the text report: where, what, which frames prove it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_instance.h"

#include "color.h"
#include "escape.h"
#include "units.h"
#include "wrap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    SENTENCE_BYTES =
        640, /* the longest sentence with its numbers, and a detail of which every byte is escaped */
    LINE_BYTES = 1024,
    FILE_BYTES = 40, /* of a file name, from its end: directories are the same for all */
};

typedef struct frame_place {
    const char *file; /* NULL: one input, or not known any more */
    uint64_t number;
} frame_place;

__attribute__((format(printf, 2, 3))) static void append(char line[LINE_BYTES], const char *format, ...)
{
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, LINE_BYTES - length, format, arguments);
    va_end(arguments);
}

static void write_place(const report_options *options, const ka_finding *finding)
{
    char client[UNITS_PEER_BYTES], server[UNITS_PEER_BYTES], line[LINE_BYTES] = "";
    units_peer(&finding->server, server);
    fprintf(options->out, "\n  %s", color(options->color, COLOR_BOLD));
    if (finding->has_stream) {
        units_peer(&finding->client, client);
        append(line, "Stream %" PRIu32 ": client %s, server %s", finding->stream, client, server);
    } else {
        append(line, "Server %s", server);
    }
    wrap(options->out, 2, 4, line);
    fputs(color(options->color, COLOR_PLAIN), options->out);
}

static void write_sentence(FILE *out, const ka_finding *finding)
{
    char sentence[SENTENCE_BYTES];
    ka_sentence(finding, sentence, sizeof sentence);
    wrap_labelled(out, "    ", sentence);
    for (unsigned i = 0; finding->has_stream && i < finding->value_count; i++) {
        char count[UNITS_COUNT_BYTES];
        if (strcmp(finding->values[i].name, "count") != 0 || finding->values[i].number < 2)
            continue;
        units_count((uint64_t)finding->values[i].number, count);
        fprintf(out, "    This is the first of %s times on this connection.\n", count);
    }
}

static frame_place place_of(const report_options *options, uint64_t frame)
{
    frame_place place = {NULL, frame};
    if (options->locate && !options->locate(options->locate_user, frame, &place.file, &place.number))
        place = (frame_place){NULL, frame};
    return place;
}

/* "api/client.pcap", or "...nt/api/client.pcap" */
static void append_file(char line[LINE_BYTES], const char *file)
{
    char name[FILE_BYTES + 8];
    size_t length = strlen(file);
    bool cut = length > FILE_BYTES;
    escape_text(cut ? file + length - FILE_BYTES : file, cut ? FILE_BYTES : length, name, sizeof name);
    append(line, "%s%s", cut ? "..." : "", name);
}

/* "response_end" to "response end", "fin" to "FIN". */
static void append_role(char line[LINE_BYTES], const char *role)
{
    static const char *const flags[] = {"fin", "FIN", "rst", "RST", "ack", "ACK", "syn", "SYN"};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i += 2) {
        if (strcmp(role, flags[i]) == 0)
            role = flags[i + 1];
    }
    size_t length = strlen(line);
    append(line, "%s ", role);
    for (char *at = line + length; *at; at++) {
        if (*at == '_')
            *at = ' ';
    }
}

static void append_frame(char line[LINE_BYTES], const report_options *options, uint64_t frame)
{
    frame_place place = place_of(options, frame);
    if (place.file) {
        append_file(line, place.file);
        append(line, ":");
    }
    append(line, "%" PRIu64, place.number);
}

static void write_frames(const report_options *options, const ka_finding *finding)
{
    char line[LINE_BYTES] = "";
    for (unsigned i = 0; i < finding->frame_count; i++) {
        if (finding->frames[i].at.frame == 0)
            continue;
        append(line, "%s", line[0] == '\0' ? "" : ", ");
        append_role(line, finding->frames[i].role);
        append_frame(line, options, finding->frames[i].at.frame);
    }
    if (line[0] == '\0' && finding->at.frame != 0)
        append_frame(line, options, finding->at.frame);
    if (line[0] != '\0')
        wrap_labelled(options->out, "    Frames: ", line);
}

static void write_causes(FILE *out, const ka_finding *finding)
{
    char line[LINE_BYTES] = "";
    for (unsigned i = 0; i < finding->cause_count; i++)
        append(line, "%s%s", i == 0 ? "" : ", ", ka_catalogue(finding->causes[i])->id);
    if (line[0] != '\0')
        wrap_labelled(out, "    Caused by: ", line);
}

/* Why a finding is less than it could be. */
static void write_doubts(FILE *out, const ka_finding *finding, ka_severity severity)
{
    char line[LINE_BYTES] = "";
    if (finding->severity != severity)
        append(line, "only %s: ", ka_severity_name(finding->severity));
    size_t bare = strlen(line);
    for (unsigned gate = 0; gate < KA_GATE_COUNT; gate++) {
        if ((finding->failed_gates >> gate & 1) != 0)
            append(line, "%s%s", strlen(line) == bare ? "" : "; ", ka_gate_reason(gate));
    }
    if (strlen(line) > bare)
        wrap_labelled(out, "    Not sure: ", line);
}

void text_instance_write(const report_options *options, const ka_finding *finding, ka_severity severity,
                         bool with_fault)
{
    FILE *out = options->out;
    write_place(options, finding);
    write_sentence(out, finding);
    if (with_fault)
        fprintf(out, "    At fault: %s\n", ka_fault_name(finding->fault));
    write_frames(options, finding);
    write_causes(out, finding);
    write_doubts(out, finding, severity);
}
