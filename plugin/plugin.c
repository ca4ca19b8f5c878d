/* plugin.c - registration: the protocol, its post-dissector, and what happens when a file opens and closes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"

#include <epan/proto.h>
#include <epan/tap.h>

#include "collect.h"
#include "fields.h"
#include "findings_tree.h"
#include "frame_facts.h"
#include "preferences.h"
#include "report.h"
#include "show.h"
#include "tables.h"
#include "tap.h"
#include "wanted.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char plugin_version[];
EXPORT extern const int plugin_want_major;
EXPORT extern const int plugin_want_minor;
EXPORT void plugin_register(void);
EXPORT uint32_t plugin_describe(void);

const char plugin_version[] = KEPTALIVE_VERSION;
const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

static int protocol_id = -1;
static int tap_id;
static dissector_handle_t handle;
static collect *audit; /* of the file that is open; NULL: none, or switched off */

const collect *tap_audit(void)
{
    if (audit != NULL)
        results_refresh(audit->results, audit->audit, audit->facts);
    return audit;
}

/* ---- One frame ---- */

static void queue_tap(packet_info *pinfo, const tap_frame *told)
{
    tap_frame *kept = wmem_new(pinfo->pool, tap_frame);
    *kept = *told;
    tap_queue_packet(tap_id, pinfo, kept);
}

static void first_pass(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    const collect_connection *connection = collect_take(audit, pinfo, tree);
    show_frame frame = {.facts = frame_facts_of(pinfo), .findings = {audit->noted, NULL}};
    if (frame.facts != NULL || audit->noted != NULL)
        show(&frame, tvb, pinfo, tree);
    if (have_tap_listener(tap_id) && connection != NULL)
        queue_tap(pinfo, &(tap_frame){.all = audit, .stream = connection->stream, .has_stream = true});
}

static void later_pass(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    const results *known = audit->results;
    results_refresh(audit->results, audit->audit, audit->facts);
    show_frame frame = {
        .facts = frame_facts_of(pinfo),
        .findings = {results_on_frame(known, RESULTS_SETTLED, pinfo->num),
                     results_on_frame(known, RESULTS_OPEN, pinfo->num)},
        .results = known,
    };
    if (frame.facts == NULL && frame.findings[RESULTS_SETTLED] == NULL &&
        frame.findings[RESULTS_OPEN] == NULL)
        return;
    show(&frame, tvb, pinfo, tree);
    queue_tap(pinfo, &(tap_frame){.all = audit,
                                  .stream = frame.facts != NULL ? frame.facts->stream : 0,
                                  .has_stream = frame.facts != NULL,
                                  .visited = true,
                                  .findings = {frame.findings[0], frame.findings[1]}});
}

static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    (void)data;
    if (audit == NULL)
        return 0;
    (PINFO_FD_VISITED(pinfo) ? later_pass : first_pass)(tvb, pinfo, tree);
    return 0;
}

/* ---- One file ---- */

static void on_file_open(void)
{
    ka_thresholds thresholds;
    bool on = preferences_enabled() && proto_is_protocol_enabled(find_protocol_by_id(protocol_id));
    set_postdissector_wanted_hfids(handle, on ? wanted_ids() : NULL);
    if (!on)
        return;
    ka_address proxy[PREFERENCES_PROXY_MAX];
    preferences_thresholds(&thresholds);
    audit = collect_new(&thresholds, proxy, preferences_proxy(proxy));
}

static void on_file_close(void)
{
    findings_tree_file_closes();
    if (audit != NULL)
        collect_free(audit);
    audit = NULL;
}

/* ---- Registration ---- */

static void register_protocol(void)
{
    protocol_id = proto_register_protocol("Keep-Alive audit", "Keptalive", "keptalive");
    fields_register(protocol_id);
    frame_facts_register(protocol_id);
    show_register(protocol_id);
    preferences_register(protocol_id);
    tap_id = register_tap(TAP_NAME);
    tables_register();
    findings_tree_register();
    report_register();
    handle = create_dissector_handle(dissect, protocol_id);
    register_postdissector(handle);
    register_init_routine(on_file_open);
    register_cleanup_routine(on_file_close);
}

void plugin_register(void)
{
    static proto_plugin self = {.register_protoinfo = register_protocol};
    proto_register_plugin(&self);
}

/* Since 4.4: what it does. */
uint32_t plugin_describe(void)
{
    enum { DESCRIBES_DISSECTOR = 1 }; /* WS_PLUGIN_DESC_DISSECTOR, whose header 4.0 does not install */
    return DESCRIBES_DISSECTOR;
}
