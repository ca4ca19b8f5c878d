/* text_ladder.c - a failure behind a proxy as a ladder.
 *
 *                      client                    proxy                    origin
 *        0.000000        |--- request, frame 59 --->|                        |
 *        0.000104        |                          |--- request, frame 60 ->|
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_ladder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Columns: "    " and a time of 12, then the three lines, 26 apart. */
enum { TIME_WIDTH = 16, FIRST_LINE = 20, BETWEEN = 26, LADDER_BYTES = 80 };

typedef enum rung_leg { DOWNSTREAM, UPSTREAM } rung_leg;

typedef struct rung_kind {
    const char *role;
    rung_leg leg;
    bool to_client; /* leftwards */
    const char *label;
} rung_kind;

static const rung_kind kinds[] = {
    {"upstream_response_end", UPSTREAM, true, "last answer"},
    {"downstream_request", DOWNSTREAM, false, "request"},
    {"upstream_request", UPSTREAM, false, "request"},
    {"upstream_response", UPSTREAM, true, "answer"},
    {"upstream_challenge", UPSTREAM, true, "challenge"},
    {"upstream_login", UPSTREAM, false, "login"},
    {"upstream_fin", UPSTREAM, true, "FIN"},
    {"upstream_rst", UPSTREAM, true, "RST"},
    {"proxy_fin", UPSTREAM, false, "FIN"},
    {"proxy_rst", UPSTREAM, false, "RST"},
    {"downstream_response", DOWNSTREAM, true, "answer"},
    {"downstream_response_end", DOWNSTREAM, true, "end of answer"},
    {"downstream_fin", DOWNSTREAM, true, "FIN"},
    {"downstream_rst", DOWNSTREAM, true, "RST"},
    {"client_fin", DOWNSTREAM, false, "FIN"},
    {"client_rst", DOWNSTREAM, false, "RST"},
};

typedef struct rung {
    const rung_kind *kind;
    ka_moment at; /* of several clocks set right */
} rung;

static const rung_kind *kind_of(const char *role)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].role, role) == 0)
            return &kinds[i];
    }
    return NULL;
}

static int64_t value_of(const ka_finding *finding, const char *name)
{
    for (unsigned i = 0; i < finding->value_count; i++) {
        if (strcmp(finding->values[i].name, name) == 0)
            return finding->values[i].number;
    }
    return 0;
}

/* By time, then by frame. */
static unsigned rungs_of(const ka_finding *finding, rung out[KA_EVIDENCE_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < finding->frame_count; i++) {
        rung added = {kind_of(finding->frames[i].role), finding->frames[i].at};
        if (added.kind == NULL || added.at.frame == 0)
            continue;
        unsigned at = count++;
        for (; at > 0 &&
               (out[at - 1].at.time_ns > added.at.time_ns ||
                (out[at - 1].at.time_ns == added.at.time_ns && out[at - 1].at.frame > added.at.frame));
             at--)
            out[at] = out[at - 1];
        out[at] = added;
    }
    return count;
}

static uint64_t frame_number(const report_options *options, uint64_t frame)
{
    const char *file;
    uint64_t number;
    bool known = options->locate && options->locate(options->locate_user, frame, &file, &number);
    return known ? number : frame;
}

/* "-- text --" over the whole room between two lines, with its arrowhead. */
static void draw(char *room, const char *text, bool to_client)
{
    size_t length = strlen(text), width = BETWEEN - 1;
    size_t before = length + 2 < width ? (width - length - 2) / 2 : 0;
    memset(room, '-', width);
    if (length + 2 <= width) {
        room[before] = ' ';
        memcpy(room + before + 1, text, length);
        room[before + 1 + length] = ' ';
    }
    room[to_client ? 0 : width - 1] = to_client ? '<' : '>';
}

static void write_rung(const report_options *options, const ka_finding *finding, const rung *r,
                       int64_t start_ns)
{
    char line[LADDER_BYTES] = "", text[BETWEEN], time[TIME_WIDTH];
    int64_t status = value_of(finding, "status");
    uint64_t frame = frame_number(options, r->at.frame);
    memset(line, ' ', sizeof line - 1);
    for (unsigned i = 0; i < 3; i++)
        line[FIRST_LINE + i * BETWEEN] = '|';
    if (strcmp(r->kind->role, "downstream_response") == 0 && status != 0)
        snprintf(text, sizeof text, "%" PRId64 ", frame %" PRIu64, status, frame);
    else
        snprintf(text, sizeof text, "%s, frame %" PRIu64, r->kind->label, frame);
    draw(&line[FIRST_LINE + 1 + (r->kind->leg == UPSTREAM ? BETWEEN : 0)], text, r->kind->to_client);
    line[FIRST_LINE + 2 * BETWEEN + 1] = '\0';
    ka_seconds_text(r->at.time_ns - start_ns, 6, time, sizeof time);
    fprintf(options->out, "%*s%s\n", TIME_WIDTH - 1, time, line + TIME_WIDTH - 1);
}

void text_ladder_write(const report_options *options, const ka_finding *finding)
{
    rung rungs[KA_EVIDENCE_MAX];
    unsigned count = rungs_of(finding, rungs);
    if (count == 0)
        return;
    fprintf(options->out, "%*s%*s%*s%*s\n", TIME_WIDTH - 1, "seconds", FIRST_LINE + 4 - TIME_WIDTH + 1,
            "client", BETWEEN, "proxy", BETWEEN, "origin");
    for (unsigned i = 0; i < count; i++)
        write_rung(options, finding, &rungs[i], rungs[0].at.time_ns);
}
