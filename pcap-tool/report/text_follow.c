/* text_follow.c - a finding on one line, told as soon as it is decided.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_follow.h"

#include "color.h"
#include "escape.h"
#include "units.h"

#include <inttypes.h>
#include <string.h>

enum { SENTENCE_BYTES = 1024, FILE_BYTES = 256 };

static void write_place(FILE *out, const ka_finding *finding)
{
    char peer[UNITS_PEER_BYTES];
    units_peer(&finding->client, peer);
    if (finding->has_stream)
        fprintf(out, " stream %" PRIu32 ", %s ->", finding->stream, peer);
    units_peer(&finding->server, peer);
    fprintf(out, " %s: ", peer);
}

static void write_frame(const report_options *options, uint64_t frame)
{
    const char *file;
    uint64_t file_frame;
    char name[FILE_BYTES];
    if (frame == 0 || !options->locate || !options->locate(options->locate_user, frame, &file, &file_frame))
        return;
    escape_text(file, strlen(file), name, sizeof name);
    fprintf(options->out, " (frame %" PRIu64 " in %s)", file_frame, name);
}

void text_follow_write(const report_options *options, const ka_finding *finding)
{
    FILE *out = options->out;
    char time[UNITS_TIME_BYTES], sentence[SENTENCE_BYTES];
    units_time(finding->at.time_ns, time);
    ka_sentence(finding, sentence, sizeof sentence);
    fprintf(out, "%s %s%s%s %s", time, color(options->color, color_of_severity(finding->severity)),
            ka_severity_name(finding->severity), color(options->color, COLOR_PLAIN),
            ka_catalogue(finding->id)->id);
    write_place(out, finding);
    fputs(sentence, out);
    write_frame(options, finding->at.frame);
    fputc('\n', out);
}
