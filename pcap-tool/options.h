/* options.h - the command line: argv in, settings out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "capture/capture.h"
#include "keptalive.h"
#include "report/selection.h"
#include "what-if/setting.h"

typedef enum options_format { OPTIONS_TEXT, OPTIONS_NDJSON } options_format;
typedef enum options_color { OPTIONS_COLOR_AUTO, OPTIONS_COLOR_ALWAYS, OPTIONS_COLOR_NEVER } options_color;

/* Addresses of one proxy: its clients' side, its servers' side, and both in IPv6. */
enum { OPTIONS_PROXY_MAX = 8 };

/* To audit while capturing. */
typedef struct options_live {
    const char *interfaces[CAPTURE_INTERFACES_MAX];
    size_t interface_count; /* 0: files are read */
    int64_t duration_ns;    /* 0: until interrupted */
    const char *user;       /* to become once the interfaces are open; NULL: see privileges.h */
    const char *ring;       /* NULL: packets are not kept */
    int64_t ring_file_bytes;
    int64_t ring_files;
} options_live;

typedef struct options {
    /* Of argv: capture files and directories, at least one ("-": standard input) but with interfaces; with
     * OPTIONS_EXPLAIN ids of findings, all known, none: list them. */
    const char *const *paths;
    size_t path_count;
    const char *filter; /* a BPF expression, or NULL */
    const char *output; /* NULL: standard output */
    options_format format;
    options_color color;
    bool recursive;        /* into the directories of directories */
    bool each;             /* every file is a capture of its own */
    unsigned jobs;         /* with `each`: files under way at once; 0: as many as there are processors */
    uint64_t memory_bytes; /* what one run may allocate */
    bool connections;
    bool exchanges;
    bool servers;
    bool has_fail_on;
    ka_severity fail_on;
    ka_address proxy[OPTIONS_PROXY_MAX];
    size_t proxy_count;
    options_live live;
    bool no_sandbox;
    bool no_progress;
    selection selection;
    ka_thresholds thresholds;
    bool asks_what_if; /* the first word was "what-if" */
    what_if_question what_if;
} options;

typedef enum options_status {
    OPTIONS_RUN,
    OPTIONS_EXPLAIN, /* the first word was "explain" */
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG, /* one line is in `error`, without a newline */
} options_status;

enum { OPTIONS_ERROR_BYTES = 320 };

/* More than any machine has processors; each job is a process with some MB. */
enum { OPTIONS_JOBS_MAX = 1024 };

/* Reads the command line; argv is reordered, files last. *out is set for OPTIONS_RUN and OPTIONS_EXPLAIN only
 * and points into argv. */
options_status options_parse(int argc, char **argv, options *out, char error[OPTIONS_ERROR_BYTES]);

#endif
