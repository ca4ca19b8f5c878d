/* explanation.h - the catalogue at length: what a finding means, how it is detected, and what to change
 * where.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The core's second public header, for front ends that print the catalogue. All texts are string literals:
 * plain ASCII, one paragraph each. Rows: explain.def and settings.def.
 */
#ifndef KA_EXPLANATION_H
#define KA_EXPLANATION_H

#include "keptalive.h"

/* Groups of settings, by what they do: KA_SET_CLIENT_IDLE_INDEX, ... and a bit of a mask for each. */
typedef enum ka_setting_group {
#define KA_SETTING_GROUP(symbol, title) KA_SET_##symbol##_INDEX,
#include "settings.def"
    KA_SETTING_GROUP_COUNT
} ka_setting_group;

enum {
#define KA_SETTING_GROUP(symbol, title) KA_SET_##symbol = 1 << KA_SET_##symbol##_INDEX,
#include "settings.def"
};

typedef struct ka_explanation_row {
    const char *meaning;    /* what happened, and what users saw */
    const char *detection;  /* the conditions; thresholds by the name of their option */
    const char *exclusions; /* neighbours that look like it, and which finding stands instead */
    uint32_t settings;      /* KA_SET_* bits: what to change; 0: nothing */
} ka_explanation_row;

const ka_explanation_row *ka_explanation(ka_finding_id id);

/* Whether the detection names this threshold, as a whole word, with or without leading dashes. */
bool ka_explanation_names(ka_finding_id id, const ka_threshold_row *threshold);

/* What to set in one product. */
typedef struct ka_setting_row {
    ka_setting_group group;
    const char *product; /* "nginx" */
    const char *text;
} ka_setting_row;

/* All rows, group by group; *count is set. */
const ka_setting_row *ka_setting_rows(size_t *count);
const char *ka_setting_group_title(ka_setting_group group);

/* The group of findings that begins with this one, as findings.def has them; NULL: it is not the first of
 * its group. */
const char *ka_finding_group(ka_finding_id id);

#endif
