/* nearest.c - which of the known names a mistyped one may have meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

enum {
    NAMES_MAX = 3,
    TYPED_MAX = 32,     /* names are shorter; more was no slip of a finger */
    PART_BYTES_MIN = 3, /* a part of a name, typed alone, is as good as the name: "race" */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters inserted, left out or changed (Levenshtein). */
static size_t distance(ka_slice typed, const char *name)
{
    size_t row[TYPED_MAX + 1];
    for (size_t i = 0; i <= typed.len_bytes; i++)
        row[i] = i;
    for (size_t j = 1; name[j - 1] != '\0'; j++) {
        size_t diagonal = row[0];
        row[0] = j;
        for (size_t i = 1; i <= typed.len_bytes; i++) {
            size_t changed = diagonal + (typed.bytes[i - 1] != name[j - 1]);
            diagonal = row[i];
            row[i] = least(changed, 1 + least(row[i - 1], row[i]));
        }
    }
    return row[typed.len_bytes];
}

static bool is_part(ka_slice typed, const char *name)
{
    char text[TYPED_MAX + 1] = "";
    memcpy(text, typed.bytes, typed.len_bytes);
    return typed.len_bytes >= PART_BYTES_MIN && strlen(text) == typed.len_bytes && strstr(name, text);
}

typedef struct candidate {
    const char *name;
    size_t distance;
} candidate;

/* Keeps the list in order, the nearest first; of equals the first. */
static size_t keep(candidate list[NAMES_MAX], size_t count, candidate added)
{
    size_t at = count;
    while (at > 0 && list[at - 1].distance > added.distance)
        at--;
    if (at == NAMES_MAX)
        return count;
    count = least(count + 1, NAMES_MAX);
    memmove(&list[at + 1], &list[at], (count - at - 1) * sizeof list[0]);
    list[at] = added;
    return count;
}

void nearest(ka_slice typed, nearest_name *name, size_t count, char out[NEAREST_BYTES])
{
    candidate list[NAMES_MAX];
    size_t found = 0;
    out[0] = '\0';
    if (typed.len_bytes == 0 || typed.len_bytes > TYPED_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        size_t apart = is_part(typed, name(i)) ? 1 : distance(typed, name(i));
        if (apart <= 1 + typed.len_bytes / 4)
            found = keep(list, found, (candidate){name(i), apart});
    }
    for (size_t i = 0; i < found; i++) {
        const char *before = i == 0 ? " (did you mean " : i + 1 < found ? ", " : " or ";
        size_t length = strlen(out);
        snprintf(out + length, NEAREST_BYTES - length, "%s%s%s", before, list[i].name,
                 i + 1 < found ? "" : "?)");
    }
}

const char *nearest_finding(size_t index)
{
    return ka_catalogue((ka_finding_id)index)->id;
}

const char *nearest_threshold(size_t index)
{
    size_t count;
    return ka_threshold_rows(&count)[index].option;
}
