/* paths.c - the files that the arguments mean: a directory stands for the captures in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "paths.h"

#include "recognise.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    NAMES_TOLD = 3, /* of the files left out */
    NAMES_BYTES = 256,
    LINES_PER_ARGUMENT = 4,
};

/* One directory given, while it is read. */
typedef struct walk {
    path_list *list;
    bool recursive;
    bool failed; /* out of memory */
    size_t left_out;
    size_t directories_left_out;
    size_t unreadable;
    char names[NAMES_BYTES]; /* of the first that were left out */
    char why[NAMES_BYTES];   /* the first directory could not be read */
} walk;

/* Takes the path, which was allocated. */
static bool add(path_list *list, char *path)
{
    if (path != NULL && list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        char **grown = realloc(list->paths, room * sizeof *grown);
        if (grown == NULL) {
            free(path);
            return false;
        }
        list->paths = grown;
        list->room = room;
    }
    if (path != NULL)
        list->paths[list->count++] = path;
    return path != NULL;
}

static void leave_out(walk *self, const char *name)
{
    size_t length = strlen(self->names);
    if (self->left_out++ < NAMES_TOLD)
        snprintf(self->names + length, NAMES_BYTES - length, "%s%s", length > 0 ? ", " : "", name);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Not strcoll: the order is the same everywhere. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_directory(walk *self, const char *path, unsigned depth);

/* Takes the path. Only a regular file is opened: a pipe would wait for its writer. */
static void see_entry(walk *self, char *path, const char *name, unsigned depth)
{
    struct stat status;
    bool known = lstat(path, &status) == 0;
    if (known && S_ISDIR(status.st_mode) && self->recursive && depth < PATHS_DEPTH_MAX) {
        read_directory(self, path, depth + 1);
    } else if (known && S_ISDIR(status.st_mode)) {
        self->directories_left_out++;
    } else if (known && S_ISREG(status.st_mode) && recognise_capture(path) != RECOGNISED_OTHER) {
        self->failed |= !add(self->list, path);
        return;
    } else {
        leave_out(self, name);
    }
    free(path);
}

static void read_directory(walk *self, const char *path, unsigned depth)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_entry, by_name);
    if (count < 0) {
        if (self->unreadable++ == 0)
            snprintf(self->why, sizeof self->why, "%s: cannot be read: %s", path, strerror(errno));
        return;
    }
    const char *slash = path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++) {
        char *below;
        if (self->failed || asprintf(&below, "%s%s%s", path, slash, entries[i]->d_name) < 0)
            self->failed = true;
        else
            see_entry(self, below, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
}

static void tell(const walk *self, const char *path, size_t found)
{
    path_list *list = self->list;
    if (self->unreadable > 1)
        problems_add(&list->problems, "%s (and %zu more directories)", self->why, self->unreadable - 1);
    else if (self->unreadable == 1)
        problems_add(&list->problems, "%s", self->why);
    if (found == 0)
        problems_add(&list->problems, "%s: there is no capture in this directory", path);
    if (self->left_out > 0)
        problems_add(&list->notes, "%s: left out what is no capture file: %s%s", path, self->names,
                     self->left_out > NAMES_TOLD ? ", ..." : "");
    if (self->directories_left_out > 0)
        problems_add(&list->notes, "%s: left out %zu director%s in it%s", path, self->directories_left_out,
                     self->directories_left_out == 1 ? "y" : "ies",
                     self->recursive ? ", too deep" : "; -r reads those, too");
}

static bool expand(path_list *list, const char *argument, bool recursive)
{
    struct stat status;
    if (strcmp(argument, "-") == 0 || stat(argument, &status) != 0 || !S_ISDIR(status.st_mode))
        return add(list, strdup(argument));
    walk self = {.list = list, .recursive = recursive};
    size_t before = list->count;
    read_directory(&self, argument, 0);
    tell(&self, argument, list->count - before);
    return !self.failed;
}

bool paths_expand(const char *const *arguments, size_t count, bool recursive, path_list *out)
{
    *out = (path_list){.count = 0};
    if (!problems_init(&out->notes, count * LINES_PER_ARGUMENT) ||
        !problems_init(&out->problems, count * LINES_PER_ARGUMENT))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!expand(out, arguments[i], recursive))
            return false;
    }
    return true;
}

void paths_fini(path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    problems_fini(&list->notes);
    problems_fini(&list->problems);
}
