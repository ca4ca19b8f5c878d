/* text_findings.c - the findings of the text report, by diagnosis, the worst first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text_findings.h"

#include "color.h"
#include "text_instance.h"
#include "line.h"
#include "units.h"
#include "wrap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const fault_texts[] = {
    [KA_FAULT_CLIENT] = "the client",
    [KA_FAULT_SERVER] = "the server",
    [KA_FAULT_PROXY] = "the proxy",
    [KA_FAULT_MIDDLE] = "a device between client and server",
    [KA_FAULT_NETWORK] = "the network",
    [KA_FAULT_CONFIG] = "the settings: client and server do not fit together",
    [KA_FAULT_CAPTURE] = "the capture, not the connection",
};
enum { FAULTS = sizeof fault_texts / sizeof fault_texts[0] };

void text_findings_init(text_findings *findings)
{
    memset(findings, 0, sizeof *findings);
}

static int64_t value_named(const ka_finding *finding, const char *name, int64_t otherwise)
{
    for (unsigned i = 0; i < finding->value_count; i++) {
        if (strcmp(finding->values[i].name, name) == 0)
            return finding->values[i].number;
    }
    return otherwise;
}

/* Keeps `kept` in order of severity, then of arrival. */
static void keep(text_diagnosis *diagnosis, const ka_finding *finding)
{
    size_t at = diagnosis->kept_count;
    while (at > 0 && diagnosis->kept[at - 1].severity < finding->severity)
        at--;
    if (at == TEXT_FINDINGS_KEPT)
        return;
    if (diagnosis->kept_count < TEXT_FINDINGS_KEPT)
        diagnosis->kept_count++;
    size_t moved = diagnosis->kept_count - at - 1;
    memmove(&diagnosis->kept[at + 1], &diagnosis->kept[at], moved * sizeof diagnosis->kept[0]);
    diagnosis->kept[at] = *finding;
}

void text_findings_add(text_findings *findings, const ka_finding *finding)
{
    text_diagnosis *diagnosis = &findings->diagnoses[finding->id];
    diagnosis->count++;
    diagnosis->faults |= 1u << finding->fault;
    if (finding->severity > diagnosis->severity)
        diagnosis->severity = finding->severity;
    if (finding->has_stream)
        diagnosis->occurrences += (uint64_t)value_named(finding, "count", 1);
    else
        diagnosis->server_wide++;
    keep(diagnosis, finding);
}

static void write_title(const report_options *options, ka_finding_id id, const text_diagnosis *diagnosis)
{
    static const char *const labels[] = {"CHAT     ", "NOTE     ", "WARNING  ", "ERROR    "};
    const char *label = labels[diagnosis->severity];
    FILE *out = options->out;
    fprintf(out, "\n%s%s%s%s", color(options->color, color_of_severity(diagnosis->severity)), label,
            color(options->color, COLOR_PLAIN), color(options->color, COLOR_BOLD));
    wrap(out, strlen(label), strlen(label), ka_catalogue(id)->title);
    fputs(color(options->color, COLOR_PLAIN), out);
}

static void write_fault(FILE *out, const text_diagnosis *diagnosis)
{
    char line[256] = "";
    for (unsigned fault = 0; fault < FAULTS; fault++) {
        if ((diagnosis->faults >> fault & 1) == 0)
            continue;
        line_append(line, sizeof line, "%s%s", line[0] == '\0' ? "" : ", or ", fault_texts[fault]);
    }
    wrap_labelled(out, "  At fault  ", line);
}

/* "closed-early: 31 times on 5 connections" */
static void write_extent(FILE *out, ka_finding_id id, const text_diagnosis *diagnosis)
{
    char line[256], number[UNITS_COUNT_BYTES];
    uint64_t connections = diagnosis->count - diagnosis->server_wide;
    snprintf(line, sizeof line, "%s, ", ka_catalogue(id)->id);
    if (diagnosis->occurrences > connections) {
        units_count(diagnosis->occurrences, number);
        line_append(line, sizeof line, "%s times on ", number);
    }
    if (connections > 0) {
        units_count(connections, number);
        line_append(line, sizeof line, "%s connection%s", number, units_plural(connections));
    }
    if (diagnosis->server_wide > 0) {
        units_count(diagnosis->server_wide, number);
        line_append(line, sizeof line, "%s%s event%s", connections > 0 ? ", and " : "", number,
                    units_plural(diagnosis->server_wide));
    }
    wrap_labelled(out, "  Found     ", line);
}

/* Flaws of the capture are all alike, and the findings they weakened say so: their streams are enough. */
static void write_streams(FILE *out, const text_diagnosis *diagnosis)
{
    char line[256] = "", number[UNITS_COUNT_BYTES];
    for (size_t i = 0; i < diagnosis->kept_count; i++)
        line_append(line, sizeof line, "%s%" PRIu32, i > 0 ? ", " : "", diagnosis->kept[i].stream);
    if (diagnosis->count > diagnosis->kept_count) {
        units_count(diagnosis->count - diagnosis->kept_count, number);
        line_append(line, sizeof line, " ... and %s more", number);
    }
    wrap_labelled(out, diagnosis->count == 1 ? "  Stream    " : "  Streams   ", line);
}

static void write_instances(const report_options *options, const text_diagnosis *diagnosis)
{
    bool one_fault = (diagnosis->faults & (diagnosis->faults - 1)) == 0;
    for (size_t i = 0; i < diagnosis->kept_count; i++)
        text_instance_write(options, &diagnosis->kept[i], diagnosis->severity, !one_fault);
    if (diagnosis->count > diagnosis->kept_count) {
        char more[UNITS_COUNT_BYTES];
        units_count(diagnosis->count - diagnosis->kept_count, more);
        fprintf(options->out, "\n    ... and %s more\n", more);
    }
}

static void write_diagnosis(const report_options *options, ka_finding_id id, const text_diagnosis *diagnosis)
{
    FILE *out = options->out;
    const ka_catalogue_row *row = ka_catalogue(id);
    write_title(options, id, diagnosis);
    fputc('\n', out);
    write_fault(out, diagnosis);
    write_extent(out, id, diagnosis);
    if (diagnosis->faults == 1u << KA_FAULT_CAPTURE && diagnosis->server_wide == 0)
        write_streams(out, diagnosis);
    else
        write_instances(options, diagnosis);
    fprintf(out, "\n  %sRemedy%s    ", color(options->color, COLOR_BOLD), color(options->color, COLOR_PLAIN));
    wrap(out, 12, 12, row->remedy);
    if (row->reference[0] != '\0')
        wrap_labelled(out, "  See       ", row->reference);
}

typedef struct ranked {
    const text_diagnosis *diagnosis;
    ka_finding_id id;
} ranked;

/* Severity, then count, both falling; then the id. */
static int compare(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->diagnosis->severity != b->diagnosis->severity)
        return a->diagnosis->severity > b->diagnosis->severity ? -1 : 1;
    if (a->diagnosis->count != b->diagnosis->count)
        return a->diagnosis->count > b->diagnosis->count ? -1 : 1;
    return strcmp(ka_catalogue(a->id)->id, ka_catalogue(b->id)->id);
}

static const char *about_frames(const report_options *options)
{
    if (options->locate)
        return "\nFrame numbers are those of the file named: in Wireshark, Ctrl-G jumps to one.\n";
    if (options->interface_count > 0)
        return "\nFrame numbers count the packets captured; --ring would have kept them.\n";
    return "\nFrame numbers are Wireshark's: Ctrl-G jumps to one; tcp.stream == N filters.\n";
}

void text_findings_write(const text_findings *findings, const report_options *options)
{
    ranked order[KA_FINDING_COUNT];
    size_t count = 0;
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (findings->diagnoses[id].count > 0)
            order[count++] = (ranked){&findings->diagnoses[id], (ka_finding_id)id};
    }
    if (count == 0)
        return;
    qsort(order, count, sizeof order[0], compare);
    fputs(about_frames(options), options->out);
    fputs("keptalive explain NAME: how a finding is made, what rules it out, what to set.\n", options->out);
    for (size_t i = 0; i < count; i++)
        write_diagnosis(options, order[i].id, order[i].diagnosis);
}
