/* findings_tree.c - Statistics: how often each diagnosis was made, by severity.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tree counts the findings of the frames it is given, so that a display filter chooses among them. In later
 * passes a frame's findings are counted at once. In a single pass they are not known by then: a listener of
 * our own, drawn before the tree, counts them last.
 */
#include "compat.h"

#include "findings_tree.h"

#include <epan/tap.h>

#include "tap.h"

/* The frames a tree was given in a single pass; in file scope. */
typedef struct waiting_tree {
    struct waiting_tree *next;
    stats_tree *tree;
    wmem_map_t *frames; /* a set */
} waiting_tree;

static waiting_tree *waiting;
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

/* ---- A single pass ---- */

static void count_waiting(const waiting_tree *self, const results *known)
{
    for (unsigned layer = 0; layer < RESULTS_LAYERS; layer++) {
        for (const results_entry *e = results_first(known, layer); e != NULL; e = e->next) {
            if (e->finding != NULL &&
                wmem_map_contains(self->frames, GUINT_TO_POINTER((guint)e->finding->finding.at.frame)))
                tick(self->tree, &e->finding->finding);
        }
    }
}

static void draw_waiting(void *user)
{
    (void)user;
    const collect *all = tap_audit();
    for (const waiting_tree *each = waiting; each != NULL && all != NULL; each = each->next)
        count_waiting(each, all->results);
    waiting = NULL; /* a tree drawn again has them already */
}

void findings_tree_file_closes(void)
{
    waiting = NULL;
}

/* Listeners are drawn newest first: one that comes after the tree's own is drawn before it. */
static void draw_at_end(void)
{
    static bool listens;
    static int listener; /* a tap listener is named by an address */
    if (listens)
        return;
    listens = true;
    GString *error =
        register_tap_listener(TAP_NAME, &listener, NULL, TL_REQUIRES_NOTHING, NULL, NULL, draw_waiting, NULL);
    if (error != NULL)
        g_string_free(error, TRUE);
}

static waiting_tree *waiting_of(stats_tree *tree)
{
    for (waiting_tree *each = waiting; each != NULL; each = each->next) {
        if (each->tree == tree)
            return each;
    }
    if (waiting == NULL)
        draw_at_end();
    waiting_tree *added = wmem_new(wmem_file_scope(), waiting_tree);
    *added = (waiting_tree){waiting, tree, wmem_map_new(wmem_file_scope(), g_direct_hash, g_direct_equal)};
    waiting = added;
    return added;
}

/* ---- Frames ---- */

static tap_packet_status take_findings(stats_tree *tree, packet_info *pinfo, epan_dissect_t *edt,
                                       const void *data, tap_flags_t flags)
{
    const tap_frame *frame = data;
    (void)edt, (void)flags;
    if (!frame->visited) {
        void *number = GUINT_TO_POINTER(pinfo->num);
        wmem_map_insert(waiting_of(tree)->frames, number, number);
        return TAP_PACKET_DONT_REDRAW;
    }
    for (unsigned layer = 0; layer < RESULTS_LAYERS; layer++) {
        for (const results_finding *each = frame->findings[layer]; each != NULL; each = each->next_on_frame)
            tick(tree, &each->finding);
    }
    return TAP_PACKET_REDRAW;
}

static void forget_waiting(stats_tree *tree)
{
    for (waiting_tree **each = &waiting; *each != NULL; each = &(*each)->next) {
        if ((*each)->tree == tree) {
            *each = (*each)->next;
            return;
        }
    }
}

void findings_tree_register(void)
{
    stats_tree_register_plugin(TAP_NAME, TAP_NAME, "Keep-Alive" COMPAT_MENU "Findings", 0, take_findings,
                               init_findings, forget_waiting);
}
