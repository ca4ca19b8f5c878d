/* findings_tree.c - Statistics: how often each diagnosis was made, by severity.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tree only counts events: in a single pass it has the findings of connections that settled, in two all.
 */
#include "compat.h"

#include "findings_tree.h"

#include "tap.h"

static int findings_node;

static void init_findings(stats_tree *tree)
{
    findings_node = stats_tree_create_node(tree, "Findings", 0, STAT_DT_INT, TRUE);
}

static void tick(stats_tree *tree, const ka_finding *finding)
{
    const char *severity = ka_severity_name(finding->severity);
    tick_stat_node(tree, "Findings", 0, TRUE);
    int node = tick_stat_node(tree, severity, findings_node, TRUE);
    tick_stat_node(tree, ka_catalogue(finding->id)->id, node, FALSE);
}

static tap_packet_status take_findings(stats_tree *tree, packet_info *pinfo, epan_dissect_t *edt,
                                       const void *data, tap_flags_t flags)
{
    const tap_frame *frame = data;
    (void)pinfo, (void)edt, (void)flags;
    for (unsigned layer = 0; layer < RESULTS_LAYERS; layer++) {
        for (const results_finding *each = frame->findings[layer]; each != NULL; each = each->next_on_frame)
            tick(tree, &each->finding);
    }
    for (const results_entry *e = tap_first_settled(frame); e != NULL; e = e->next) {
        if (e->finding != NULL)
            tick(tree, &e->finding->finding);
        if (e == frame->settled_to)
            break;
    }
    return TAP_PACKET_REDRAW;
}

void findings_tree_register(void)
{
    stats_tree_register_plugin(TAP_NAME, TAP_NAME, "Keep-Alive" COMPAT_MENU "Findings", 0, take_findings,
                               init_findings, NULL);
}
