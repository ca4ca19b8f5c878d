/* explanation.c - the tables behind explanation.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "explanation.h"

#include <assert.h>
#include <string.h>

/* One row a finding: a missing one fails to compile, and so does a second one (-Woverride-init). */
static const ka_explanation_row explanations[KA_FINDING_COUNT] = {
#define KA_EXPLAIN(symbol, meaning, detection, exclusions, settings)                                         \
    [KA_##symbol] = {meaning, detection, exclusions, settings},
#include "explain.def"
#undef KA_EXPLAIN
};

enum {
    EXPLANATION_COUNT = 0
#define KA_EXPLAIN(symbol, meaning, detection, exclusions, settings) +1
#include "explain.def"
#undef KA_EXPLAIN
};
static_assert((int)EXPLANATION_COUNT == (int)KA_FINDING_COUNT, "explain.def: one row for each finding");

static const ka_setting_row settings[] = {
#define KA_SETTING(symbol, product, text) {KA_SET_##symbol##_INDEX, product, text},
#include "settings.def"
};

static const char *const group_titles[KA_SETTING_GROUP_COUNT] = {
#define KA_SETTING_GROUP(symbol, title) title,
#include "settings.def"
};

/* findings.def as it stands: titles of groups between the findings. */
typedef struct catalogue_line {
    const char *group; /* NULL: a finding */
    ka_finding_id id;
} catalogue_line;

static const catalogue_line lines[] = {
#define KA_FINDING_GROUP(title)                                                     {title, KA_FINDING_COUNT},
#define KA_FINDING(symbol, id, severity, fault, title, sentence, remedy, reference) {NULL, KA_##symbol},
#include "findings.def"
#undef KA_FINDING
};

const ka_explanation_row *ka_explanation(ka_finding_id id)
{
    return &explanations[id];
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        const char *start = at;
        if (start - text >= 2 && start[-1] == '-' && start[-2] == '-')
            start -= 2;
        if ((start == text || !is_word_character(start[-1])) && !is_word_character(at[length]))
            return true;
    }
    return false;
}

bool ka_explanation_names(ka_finding_id id, const ka_threshold_row *threshold)
{
    return has_word(explanations[id].detection, threshold->option);
}

const ka_setting_row *ka_setting_rows(size_t *count)
{
    *count = sizeof settings / sizeof settings[0];
    return settings;
}

const char *ka_setting_group_title(ka_setting_group group)
{
    return group_titles[group];
}

const char *ka_finding_group(ka_finding_id id)
{
    for (size_t i = 1; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].group == NULL && lines[i].id == id)
            return lines[i - 1].group;
    }
    return NULL;
}
