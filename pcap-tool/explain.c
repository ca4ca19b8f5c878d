/* explain.c - the catalogue for people: `keptalive explain`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "explain.h"

#include "explanation.h"
#include "number.h"
#include "report/color.h"
#include "report/wrap.h"

#include <string.h>

enum {
    TEXT_INDENT = 2,
    ROW_INDENT = 4,
    LIST_INDENT = 9,   /* behind the longest severity, "warning" */
    NAME_COLUMNS = 18, /* mass-close-percent; the longest product has 17 */
    LINE_BYTES = 512,
};

/* As the report words it. */
static const char *severity_word(ka_severity severity)
{
    static const char *const words[] = {"chat", "note", "warning", "error"};
    return words[severity];
}

static const char *fault_word(ka_fault fault)
{
    return fault == KA_FAULT_CONFIG   ? "the settings of both sides"
           : fault == KA_FAULT_MIDDLE ? "a device on the path"
                                      : ka_fault_name(fault);
}

static void write_severity(FILE *out, bool colored, ka_severity severity, int columns)
{
    fprintf(out, "%s%-*s%s", color(colored, color_of_severity(severity)), columns, severity_word(severity),
            color(colored, COLOR_PLAIN));
}

static void heading(FILE *out, bool colored, const char *text)
{
    fprintf(out, "\n%s%s%s\n", color(colored, COLOR_BOLD), text, color(colored, COLOR_PLAIN));
}

static void paragraph(FILE *out, const char *text)
{
    fprintf(out, "%*s", TEXT_INDENT, "");
    wrap(out, TEXT_INDENT, TEXT_INDENT, text);
}

/* A name, and its text beside it. */
static void row(FILE *out, const char *name, const char *text)
{
    char label[ROW_INDENT + WRAP_COLUMNS];
    snprintf(label, sizeof label, "%*s%-*s  ", ROW_INDENT, "", NAME_COLUMNS, name);
    wrap_labelled(out, label, text);
}

/* ---- All of them ---- */

static void list_one(FILE *out, bool colored, ka_finding_id id)
{
    const ka_catalogue_row *entry = ka_catalogue(id);
    write_severity(out, colored, entry->severity, LIST_INDENT);
    fprintf(out, "%s%s%s\n%*s", color(colored, COLOR_BOLD), entry->id, color(colored, COLOR_PLAIN),
            LIST_INDENT, "");
    wrap(out, LIST_INDENT, LIST_INDENT, entry->title);
}

static void list_all(FILE *out, bool colored)
{
    wrap(out, 0, 0,
         "What Keptalive can find. The severity is that of a sure case; where the capture leaves doubt, a "
         "finding becomes a note. More about one: keptalive explain ID");
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        const char *group = ka_finding_group((ka_finding_id)id);
        if (group)
            heading(out, colored, group);
        list_one(out, colored, (ka_finding_id)id);
    }
}

/* ---- One of them ---- */

static void write_title(FILE *out, bool colored, const ka_catalogue_row *entry)
{
    fprintf(out, "%s%s%s: ", color(colored, COLOR_BOLD), entry->id, color(colored, COLOR_PLAIN));
    write_severity(out, colored, entry->severity, 0);
    fprintf(out, ", at fault: %s\n", fault_word(entry->fault));
    wrap(out, 0, 0, entry->title);
}

static void write_thresholds(FILE *out, ka_finding_id id)
{
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!ka_explanation_names(id, &rows[i]))
            continue;
        char value[NUMBER_TEXT_BYTES], line[LINE_BYTES];
        number_text(rows[i].value, rows[i].unit, value);
        snprintf(line, sizeof line, "%s: %s", value, rows[i].reason);
        if (first)
            fputs("\n  Defaults (change one with --set NAME=VALUE):\n", out);
        row(out, rows[i].option, line);
        first = false;
    }
}

static void write_settings(FILE *out, bool colored, uint32_t groups)
{
    size_t count;
    const ka_setting_row *rows = ka_setting_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (!(groups >> rows[i].group & 1))
            continue;
        if (i == 0 || rows[i].group != rows[i - 1].group) {
            fprintf(out, "\n%s", color(colored, COLOR_CYAN));
            paragraph(out, ka_setting_group_title(rows[i].group));
            fputs(color(colored, COLOR_PLAIN), out);
        }
        row(out, rows[i].product, rows[i].text);
    }
}

static void explain_one(FILE *out, bool colored, ka_finding_id id)
{
    const ka_catalogue_row *entry = ka_catalogue(id);
    const ka_explanation_row *explanation = ka_explanation(id);
    write_title(out, colored, entry);
    heading(out, colored, "What it means");
    paragraph(out, explanation->meaning);
    heading(out, colored, "How it is detected");
    paragraph(out, explanation->detection);
    write_thresholds(out, id);
    heading(out, colored, "What rules it out");
    paragraph(out, explanation->exclusions);
    heading(out, colored, "What to change");
    paragraph(out, entry->remedy);
    write_settings(out, colored, explanation->settings);
    heading(out, colored, "See");
    paragraph(out, entry->reference);
}

void explain_print(FILE *out, bool colored, const char *const *ids, size_t count)
{
    if (count == 0)
        list_all(out, colored);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputs("\n\n", out);
        explain_one(out, colored, ka_finding_by_name((ka_slice){ids[i], strlen(ids[i])}));
    }
}
