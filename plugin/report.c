/* report.c - `tshark -z keptalive,report`: the tool's NDJSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Wireshark does not tell a plugin the name of the file it reads: `files` is empty, and one in the summary.
 */
#include "compat.h"

#include "report.h"

#include <epan/stat_tap_ui.h>
#include <epan/tap.h>

#include "tap.h"

typedef struct counts {
    uint64_t connections;
    uint64_t by_id[KA_FINDING_COUNT];
} counts;

static bool write_bytes(void *user, const char *bytes, size_t len_bytes)
{
    return fwrite(bytes, 1, len_bytes, user) == len_bytes;
}

static void write_layer(const ka_writer *writer, const results *known, results_layer layer, counts *sum)
{
    for (const results_entry *e = results_first(known, layer); e != NULL; e = e->next) {
        if (e->connection != NULL) {
            sum->connections++;
            ka_write_connection(writer, e->connection);
        } else if (e->finding != NULL) {
            sum->by_id[e->finding->finding.id]++;
            ka_write_finding(writer, &e->finding->finding);
        } else if (e->endpoint != NULL) {
            ka_write_endpoint(writer, e->endpoint);
        } else {
            ka_write_pair(writer, e->pair);
        }
    }
}

static void write_summary(FILE *out, const collect *all, const counts *sum)
{
    const char *comma = "";
    fprintf(out,
            "{\"type\":\"summary\",\"files\":1,\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
            ",\"connections\":%" PRIu64 ",\"findings\":{",
            all->packets, all->bytes, sum->connections);
    for (unsigned id = 0; id < KA_FINDING_COUNT; id++) {
        if (sum->by_id[id] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, comma, ka_catalogue((ka_finding_id)id)->id, sum->by_id[id]);
        comma = ",";
    }
    fputs("},\"incomplete\":[]}\n", out);
}

static void draw(void *user)
{
    (void)user;
    counts sum = {0};
    const collect *all = tap_audit();
    if (all == NULL)
        return;
    ka_writer writer = {.user = stdout, .write = write_bytes};
    fputs("{\"type\":\"capture\",\"schema\":\"" KA_SCHEMA "\",\"version\":\"" KEPTALIVE_VERSION
          "\",\"files\":[],\"filter\":null}\n",
          stdout);
    write_layer(&writer, all->results, RESULTS_SETTLED, &sum);
    write_layer(&writer, all->results, RESULTS_OPEN, &sum);
    write_summary(stdout, all, &sum);
}

static compat_started start(const char *argument, void *user)
{
    static int listener; /* a tap listener is named by an address */
    (void)argument;
    (void)user;
    GString *error =
        register_tap_listener(TAP_NAME, &listener, NULL, TL_REQUIRES_NOTHING, NULL, NULL, draw, NULL);
    if (error != NULL) {
        fprintf(stderr, "keptalive: %s\n", error->str);
        g_string_free(error, TRUE);
        COMPAT_STARTED(false);
    } else {
        COMPAT_STARTED(true);
    }
}

void report_register(void)
{
    static stat_tap_ui ui = {
        .group = REGISTER_STAT_GROUP_GENERIC,
        .cli_string = TAP_NAME ",report",
        .tap_init_cb = start,
    };
    register_stat_tap_ui(&ui, NULL);
}
