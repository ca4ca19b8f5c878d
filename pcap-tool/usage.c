/* usage.c - what --help and --version print.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "usage.h"

#include "keptalive.h"
#include "number.h"
#include "report/wrap.h"

#include <string.h>

typedef struct usage_row {
    const char *option; /* NULL: `text` is the group's example */
    const char *text;
} usage_row;

static const usage_row input_rows[] = {
    {"-r, --recursive", "of a directory, read the captures in its sub-directories, too"},
    {"--each", "every file is a capture of its own: a report for each, and one over all"},
    {"--jobs N", "with --each, files worked on at once (default: one for each processor)"},
    {"--memory SIZE",
     "what a capture may take in memory, with suffix K, M or G (default 1G); beyond it connections idle for "
     "longest are given up, and told"},
    {"--filter EXPR", "look only at packets that match this BPF expression, as tcpdump takes it"},
    {"--proxy ADDR[,ADDR]", "addresses of one proxy, of its clients' side and its servers' side; found "
                            "without this where they are one, or enough requests went through"},
    {NULL, "keptalive --filter 'tcp port 8080' client.pcap server.pcapng"},
    {NULL, "keptalive --each -r captures/ | less"},
};

static const usage_row live_rows[] = {
    {"-i, --interface IF", "audit while capturing there; any: all interfaces; as often as needed"},
    {"--duration TIME", "end and report after that (30s, 10m), else on Ctrl-C"},
    {"--ring FILE", "keep the newest packets in files FILE-01, FILE-02, ... (before the suffix)"},
    {"--ring-size SIZE", "of each at most (default 100M)"},
    {"--ring-files N", "how many (default 10)"},
    {"--user NAME", "once it captures, go on as that user (default: who called sudo, else nobody)"},
    {NULL, "keptalive -i eth0 --ring /var/tmp/api.pcapng --filter 'tcp port 8080'"},
};

static const usage_row report_rows[] = {
    {"--format FORMAT", "text (default), to read; or ndjson, one JSON object a line, for programs"},
    {"--connections", "add a table of all connections to the text (ndjson always tells them)"},
    {"--exchanges", "add every request with its response and the idle time before it"},
    {"--servers", "add each server at length to the text: timers, what to set, distributions"},
    {"--color WHEN", "auto (default: on a terminal, unless NO_COLOR is set), always or never"},
    {"-o, --output FILE", "write there instead of to standard output"},
    {NULL, "keptalive --connections api.pcap | less"},
};

static const usage_row selection_rows[] = {
    {"--only ID[,ID]", "show and count only these findings; keptalive explain lists them"},
    {"--ignore ID[,ID]", "show and count all but these"},
    {"--min-severity SEV", "only those of at least this severity: chat (default), note, warn or error"},
    {NULL, "keptalive --ignore race-exposure --min-severity note api.pcap"},
};

static const usage_row what_if_rows[] = {
    {"--client-idle TIME", "the client closes connections idle for so long"},
    {"--server-idle TIME", "the server does (when it really closes, not what it advertises)"},
    {"--max-requests N", "connections end with so many requests"},
    {"--steps N", "of one of these given as a range, 1s..120s: values to try (default 12)"},
    {"--price L:C:S", "what a lost request, a new connection and a second open cost, to choose the cheapest "
                      "(default 1000:1:0.01)"},
    {"--server ADDR:PORT", "only this server; of IPv6 [ADDR]:PORT"},
    {NULL, "keptalive what-if --client-idle 1s..120s api.pcap"},
};

static const usage_row check_rows[] = {
    {"--fail-on SEVERITY",
     "exit with status 1 when there is a selected finding of at least this severity: chat, note, "
     "warn or error"},
    {NULL, "keptalive --fail-on warn --output report.txt test-run.pcap"},
};

static const usage_row other_rows[] = {
    {"--no-progress", "no progress bar on a terminal; SIGUSR1 tells how far it is, anyhow"},
    {"--no-sandbox", "do not confine the reading of captures (see docs/capturing.md)"},
    {"-h, --help", "print this and exit"},
    {"-V, --version", "print the version and exit"},
};

static const usage_row status_rows[] = {
    {"0", "done"},
    {"1", "done, and --fail-on found something"},
    {"2", "wrong usage"},
    {"3", "some input could not be read whole, or reading was interrupted; the rest is reported"},
    {"4", "the report could not be written"},
};

enum { OPTION_INDENT = 2, TEXT_INDENT = 22, STATUS_INDENT = 5, REASON_INDENT = 6 };

static void print_group(FILE *out, const char *title, const usage_row *rows, size_t count, size_t text_indent)
{
    fprintf(out, "\n%s\n", title);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].option) {
            fprintf(out, "\n  Example: %s\n", rows[i].text);
            continue;
        }
        int column = (int)text_indent - OPTION_INDENT;
        fprintf(out, "%*s%-*s", OPTION_INDENT, "", column, rows[i].option);
        wrap(out, text_indent, text_indent, rows[i].text);
    }
}

static void print_thresholds(FILE *out)
{
    fputs("\nThresholds\n", out);
    fputs("  ", out);
    wrap(out, OPTION_INDENT, OPTION_INDENT,
         "What the verdicts compare with: --NAME VALUE, or --set NAME=VALUE, as often as needed. A duration "
         "is in "
         "seconds (0.05) or has a suffix: 50ms, 2s, 10m.");
    fputs("\n  Example: keptalive --set early-tolerance=200ms --close-wait 30 proxy.pcap\n\n", out);
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char value[NUMBER_TEXT_BYTES];
        number_text(rows[i].value, rows[i].unit, value);
        const char *kind = rows[i].unit == KA_NS        ? "DURATION"
                           : rows[i].unit == KA_PERCENT ? "PERCENT"
                                                        : "NUMBER";
        fprintf(out, "  --%s %s (default %s)\n%*s", rows[i].option, kind, value, REASON_INDENT, "");
        wrap(out, REASON_INDENT, REASON_INDENT, rows[i].reason);
    }
}

void usage_version(FILE *out)
{
    static const struct {
        bool there;
        const char *without;
    } libraries[] = {
        {KEPTALIVE_HAS_ZLIB, "zlib: no gzip"},
        {KEPTALIVE_HAS_ZSTD, "libzstd: no zstd"},
        {KEPTALIVE_HAS_LZ4, "liblz4: no lz4"},
        {KEPTALIVE_HAS_LZMA, "liblzma: no xz"},
        {KEPTALIVE_HAS_NGHTTP2, "libnghttp2: no h2-connection-field"},
        {KEPTALIVE_HAS_SECCOMP, "libseccomp: the sandbox limits files only"},
    };
    fputs("keptalive " KEPTALIVE_VERSION "\n", out);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (!libraries[i].there)
            fprintf(out, "built without %s\n", libraries[i].without);
    }
}

#define PRINT_GROUP(title, rows, indent) print_group(out, title, rows, sizeof rows / sizeof rows[0], indent)

void usage_print(FILE *out)
{
    fputs("Usage: keptalive [OPTIONS] FILE...\n"
          "       keptalive [OPTIONS] --interface NAME...\n"
          "       keptalive explain [--color WHEN] [ID...]\n"
          "       keptalive what-if [OPTIONS] FILE...\n\n",
          out);
    wrap(out, 0, 0,
         "Tells from packet captures whether HTTP connections were kept alive as promised: who closed them, "
         "after "
         "how long idle, which requests were lost by it, and which setting to change.");
    fputc('\n', out);
    wrap(out, 0, 0,
         "FILE is a pcap or pcapng capture, also compressed with gzip, zstd, lz4 or xz; - is standard input; "
         "of a directory, all captures in it are read. Several files are read as one capture, merged by "
         "time.");
    fputc('\n', out);
    wrap(out, 0, 0,
         "explain lists all findings, or tells of each ID what it means, how it is detected, what rules it "
         "out "
         "and what to change in which product.");
    fputc('\n', out);
    wrap(out, 0, 0,
         "what-if replays the captured idle times under other timeouts, and tells how many requests would "
         "have "
         "been lost and connections opened. A capture called explain or what-if is ./explain, or goes behind "
         "--.");
    PRINT_GROUP("Input", input_rows, TEXT_INDENT);
    PRINT_GROUP("While capturing", live_rows, TEXT_INDENT);
    PRINT_GROUP("Report", report_rows, TEXT_INDENT);
    PRINT_GROUP("Selection", selection_rows, TEXT_INDENT);
    PRINT_GROUP("What if (keptalive what-if; docs/what-if.md has the model)", what_if_rows, TEXT_INDENT);
    PRINT_GROUP("Checks in scripts", check_rows, TEXT_INDENT);
    PRINT_GROUP("Other", other_rows, TEXT_INDENT);
    PRINT_GROUP("Exit status (the highest that applies)", status_rows, STATUS_INDENT);
    print_thresholds(out);
}
