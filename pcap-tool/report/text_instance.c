/* text_instance.c - one finding in the text report: where, what, which frames prove it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_instance.h"

#include "color.h"
#include "escape.h"
#include "text_ladder.h"
#include "line.h"
#include "units.h"
#include "wrap.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
    SENTENCE_BYTES =
        640, /* the longest sentence with its numbers, and a detail of which every byte is escaped */
    LINE_BYTES = 1024,
    LIST_INDENT = 12,
    FILE_BYTES = 40, /* of a file name, from its end: directories are the same for all */
};

typedef struct frame_place {
    const char *file; /* NULL: one input, or not known any more */
    uint64_t number;
} frame_place;

/* Both connections of a proxy. */
static void write_pair(const report_options *options, const ka_finding *finding)
{
    char peer[UNITS_PEER_BYTES], left[LINE_BYTES] = "", right[LINE_BYTES] = "";
    const ka_pair_end *up = &finding->upstream;
    FILE *out = options->out;
    units_peer(&finding->client, peer);
    line_append(left, LINE_BYTES, "Stream %" PRIu32 ": client %s,", finding->stream, peer);
    units_peer(&finding->server, peer);
    line_append(right, LINE_BYTES, "proxy %s", peer);
    fprintf(out, "\n  %s", color(options->color, COLOR_BOLD));
    wrap_two(out, 2, 4, left, right);
    left[0] = right[0] = '\0';
    units_peer(&up->client, peer);
    line_append(left, LINE_BYTES, "stream %" PRIu32 ": proxy %s,", up->stream, peer);
    units_peer(&up->server, peer);
    line_append(right, LINE_BYTES, "origin %s", peer);
    fputs("    ", out);
    wrap_two(out, 4, 4, left, right);
    fputs(color(options->color, COLOR_PLAIN), out);
}

static void write_place(const report_options *options, const ka_finding *finding)
{
    char peer[UNITS_PEER_BYTES], client[LINE_BYTES] = "", server[LINE_BYTES] = "";
    FILE *out = options->out;
    if (finding->has_pair) {
        write_pair(options, finding);
        return;
    }
    units_peer(&finding->server, peer);
    line_append(server, LINE_BYTES, finding->has_stream ? "server %s" : "Server %s", peer);
    fprintf(out, "\n  %s", color(options->color, COLOR_BOLD));
    if (finding->has_stream) {
        units_peer(&finding->client, peer);
        line_append(client, LINE_BYTES, "Stream %" PRIu32 ": client %s,", finding->stream, peer);
        if (finding->proxied_for.version != 0) {
            units_peer(&finding->proxied_for, peer);
            line_append(client, LINE_BYTES, " for %s,", peer);
        }
        wrap_two(out, 2, 4, client, server);
    } else {
        wrap(out, 2, 4, server);
    }
    fputs(color(options->color, COLOR_PLAIN), out);
}

static void write_sentence(FILE *out, const ka_finding *finding)
{
    char sentence[SENTENCE_BYTES];
    ka_finding sure = *finding;
    sure.failed_gates = 0; /* the doubts have a line of their own */
    ka_sentence(&sure, sentence, sizeof sentence);
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

/* " in api/client.pcap: ", or " in ...nt/api/client.pcap: "; ": " without a file. */
static void append_file(char line[LINE_BYTES], const char *file)
{
    if (file) {
        char name[FILE_BYTES + 8];
        size_t length = strlen(file);
        bool cut = length > FILE_BYTES;
        escape_text(cut ? file + length - FILE_BYTES : file, cut ? FILE_BYTES : length, name, sizeof name);
        line_append(line, LINE_BYTES, " in %s%s", cut ? "..." : "", name);
    }
    line_append(line, LINE_BYTES, ": ");
}

/* "response_end" to "response end", "first_fin" to "first FIN". */
static void append_role(char line[LINE_BYTES], const char *role)
{
    static const char *const flags[] = {"FIN", "RST", "ACK", "SYN"};
    while (*role != '\0') {
        size_t length = strcspn(role, "_");
        const char *word = role;
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
            if (length == strlen(flags[i]) && strncasecmp(role, flags[i], length) == 0)
                word = flags[i];
        }
        line_append(line, LINE_BYTES, "%.*s ", (int)length, word);
        role += length + (role[length] == '_');
    }
}

static bool same_file(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The deciding frames; the one the finding is told on stands for them when the rule named none. */
static unsigned frames_of(const ka_finding *finding, ka_evidence out[KA_EVIDENCE_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < finding->frame_count; i++) {
        if (finding->frames[i].at.frame != 0)
            out[count++] = finding->frames[i];
    }
    if (count == 0 && finding->at.frame != 0)
        out[count++] = (ka_evidence){"", finding->at};
    return count;
}

/* A line for each file that has some of the frames. */
static void write_frames(const report_options *options, const ka_finding *finding)
{
    ka_evidence frames[KA_EVIDENCE_MAX];
    frame_place places[KA_EVIDENCE_MAX];
    bool written[KA_EVIDENCE_MAX] = {false};
    unsigned count = frames_of(finding, frames);
    for (unsigned i = 0; i < count; i++)
        places[i] = place_of(options, frames[i].at.frame);
    for (unsigned first = 0; first < count; first++) {
        if (written[first])
            continue;
        char line[LINE_BYTES] = "";
        const char *separator = "";
        line_append(line, LINE_BYTES, count == 1 ? "Frame" : "Frames");
        append_file(line, places[first].file);
        for (unsigned i = first; i < count; i++) {
            if (written[i] || !same_file(places[i].file, places[first].file))
                continue;
            line_append(line, LINE_BYTES, "%s", separator);
            append_role(line, frames[i].role);
            line_append(line, LINE_BYTES, "%" PRIu64, places[i].number);
            separator = ", ";
            written[i] = true;
        }
        fputs("    ", options->out);
        wrap(options->out, 4, LIST_INDENT, line);
    }
}

static void write_causes(FILE *out, const ka_finding *finding)
{
    char line[LINE_BYTES] = "";
    for (unsigned i = 0; i < finding->cause_count; i++)
        line_append(line, LINE_BYTES, "%s%s", i == 0 ? "" : ", ", ka_catalogue(finding->causes[i])->id);
    if (line[0] != '\0')
        wrap_labelled(out, "    Caused by: ", line);
}

/* Why a finding is less than it could be. */
static void write_doubts(FILE *out, const ka_finding *finding, ka_severity severity)
{
    char line[LINE_BYTES] = "";
    for (unsigned gate = 0; gate < KA_GATE_COUNT; gate++) {
        if ((finding->failed_gates >> gate & 1) != 0)
            line_append(line, LINE_BYTES, "%s%s", line[0] == '\0' ? "" : "; ", ka_gate_reason(gate));
    }
    if (line[0] == '\0')
        return;
    if (finding->severity != severity)
        line_append(line, LINE_BYTES, " (so here only a %s)", ka_severity_name(finding->severity));
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
    if (finding->has_pair)
        text_ladder_write(options, finding);
    write_frames(options, finding);
    write_causes(out, finding);
    write_doubts(out, finding, severity);
}
