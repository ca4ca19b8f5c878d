/* main.c - the keptalive command: what was asked for, and the exit status.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "batch.h"
#include "exit_status.h"
#include "explain.h"
#include "interrupt.h"
#include "options.h"
#include "output.h"
#include "run.h"
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int print_and_close(options_status wanted, const options *settings)
{
    if (wanted == OPTIONS_HELP)
        usage_print(stdout);
    else if (wanted == OPTIONS_EXPLAIN)
        explain_print(stdout, output_color(settings, stdout), settings->paths, settings->path_count);
    else
        usage_version(stdout);
    errno = 0;
    if ((ferror(stdout) | fclose(stdout)) != 0)
        return complain(EXIT_UNWRITTEN, "standard output", strerror(errno != 0 ? errno : EIO));
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    options settings;
    char error[OPTIONS_ERROR_BYTES];
    interrupt_install();
    options_status status = options_parse(argc, argv, &settings, error);
    if (status == OPTIONS_WRONG)
        return complain(EXIT_USAGE, error, NULL);
    if (status != OPTIONS_RUN)
        return print_and_close(status, &settings);
    return settings.each ? batch_run(&settings) : run_capture(&settings, NULL);
}
