/* options.h - the command line: argv in, settings out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "keptalive.h"

typedef enum options_format { OPTIONS_TEXT, OPTIONS_NDJSON } options_format;
typedef enum options_color { OPTIONS_COLOR_AUTO, OPTIONS_COLOR_ALWAYS, OPTIONS_COLOR_NEVER } options_color;

typedef struct options {
    const char *const *paths; /* of argv, at least one; "-": standard input */
    size_t path_count;
    const char *filter; /* a BPF expression, or NULL */
    const char *output; /* NULL: standard output */
    options_format format;
    options_color color;
    bool connections;
    bool exchanges;
    bool has_fail_on;
    ka_severity fail_on;
    ka_thresholds thresholds;
} options;

typedef enum options_status {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG, /* one line is in `error`, without a newline */
} options_status;

enum { OPTIONS_ERROR_BYTES = 256 };

/* Reads the command line; argv is reordered, files last. *out is set for OPTIONS_RUN only and points into
 * argv. */
options_status options_parse(int argc, char **argv, options *out, char error[OPTIONS_ERROR_BYTES]);

#endif
