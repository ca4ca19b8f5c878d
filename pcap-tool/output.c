/* output.c - where the report goes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "output.h"

#include "exit_status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NDJSON has a line for every connection: large writes keep the system calls out of the profile. */
enum { OUTPUT_BUFFER_BYTES = 256 * 1024 };

static const char *output_name(const options *settings)
{
    return settings->output ? settings->output : "standard output";
}

static int unwritten(const options *settings, int error)
{
    return complain(EXIT_UNWRITTEN, output_name(settings), strerror(error != 0 ? error : EIO));
}

/* Opening the output would empty the capture. */
static bool is_an_input(const options *settings)
{
    struct stat output, input;
    if (stat(settings->output, &output) != 0 || !S_ISREG(output.st_mode))
        return false;
    for (size_t i = 0; i < settings->path_count; i++) {
        bool known = strcmp(settings->paths[i], "-") == 0 ? fstat(STDIN_FILENO, &input) == 0
                                                          : stat(settings->paths[i], &input) == 0;
        if (known && input.st_dev == output.st_dev && input.st_ino == output.st_ino)
            return true;
    }
    return false;
}

int output_open(const options *settings, FILE **out)
{
    const char *path = settings->output;
    if (path && is_an_input(settings))
        return complain(EXIT_USAGE, "--output", "the file is one of the captures; try keptalive --help");
    FILE *opened = path ? fopen(path, "w") : stdout;
    if (!opened)
        return unwritten(settings, errno);
    /* While capturing somebody waits for each line. */
    setvbuf(opened, NULL, settings->live.interface_count > 0 ? _IOLBF : _IOFBF, OUTPUT_BUFFER_BYTES);
    *out = opened;
    return EXIT_DONE;
}

int output_close(const options *settings, FILE *out, int error)
{
    errno = 0;
    if ((ferror(out) | fclose(out)) != 0 && error == 0)
        error = errno != 0 ? errno : EIO;
    return error != 0 ? unwritten(settings, error) : EXIT_DONE;
}

bool output_color(const options *settings, FILE *out)
{
    if (settings->color != OPTIONS_COLOR_AUTO)
        return settings->color == OPTIONS_COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: any value but the empty one */
    const char *terminal = getenv("TERM");
    return (!no_color || no_color[0] == '\0') && terminal && strcmp(terminal, "dumb") != 0 &&
           isatty(fileno(out));
}
