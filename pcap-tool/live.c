/* live.c - auditing while capturing: what a run does about interfaces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "live.h"

#include "confine.h"
#include "exit_status.h"

#include <stdio.h>

static int status_of(capture_failure why)
{
    switch (why) {
    case CAPTURE_FAILED_USAGE:
        return EXIT_USAGE;
    case CAPTURE_FAILED_WRITING:
        return EXIT_UNWRITTEN;
    case CAPTURE_FAILED_READING:
        break;
    }
    return EXIT_UNREAD;
}

int live_open(live_run *self, const options *settings, capture **out)
{
    char error[CAPTURE_ERROR_BYTES];
    if (!privileges_find(settings->live.user, &self->becomes, error))
        return complain(EXIT_USAGE, error, NULL);
    const privileges_user *owner = &self->becomes;
    capture_live_options wanted = {
        .interfaces = settings->live.interfaces,
        .interface_count = settings->live.interface_count,
        .filter = settings->filter,
        .duration_ns = settings->live.duration_ns,
        .ring = {.path = settings->live.ring,
                 .file_bytes = settings->live.ring_file_bytes,
                 .file_count = (unsigned)settings->live.ring_files,
                 .owner = owner->is_person ? owner->user : (uid_t)-1,
                 .group = owner->is_person ? owner->group : (gid_t)-1},
    };
    capture_failure why;
    capture *opened = capture_open_live(&wanted, error, &why);
    if (!opened)
        return complain(status_of(why), error, why == CAPTURE_FAILED_USAGE ? "try keptalive --help" : NULL);
    *out = opened;
    return EXIT_DONE;
}

int live_begin(const live_run *self, const options *settings)
{
    char error[PRIVILEGES_ERROR_BYTES];
    if (!privileges_drop(&self->becomes, error))
        return complain(EXIT_UNREAD, error, NULL);
    confine_run(settings);
    fputs("keptalive: capturing on", stderr);
    for (size_t i = 0; i < settings->live.interface_count; i++)
        fprintf(stderr, "%s %s", i > 0 ? "," : "", settings->live.interfaces[i]);
    fputs("; Ctrl-C ends it and reports\n", stderr);
    return EXIT_DONE;
}
