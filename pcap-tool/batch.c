/* batch.c - --each: a process for each capture, several at once, and their reports in the order given.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "batch.h"

#include "exit_status.h"
#include "inputs.h"
#include "interrupt.h"
#include "memory.h"
#include "output.h"
#include "report/escape.h"
#include "report/overall.h"
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file that takes long holds up the reports behind it, not the work: reports of so many files for each job
 * may wait in temporary files. */
enum { WINDOW_EACH = 4 };
enum { REASON_BYTES = 256, COPY_BYTES = 16384 };

typedef struct batch {
    options settings; /* its paths are those of `inputs` */
    path_list inputs;
    FILE *out;
    worker *workers; /* a ring: of file number i, workers[i % window] */
    size_t window;
    size_t jobs;
    size_t running;
    size_t begun;   /* files */
    size_t written; /* files whose report was copied, or told to have failed */
    size_t reports; /* copied */
    bool stopped;   /* nothing more is begun: wrong usage, no memory, or the output failed */
    bool told_stop;
    int write_error; /* errno of the first write that failed */
    int status;      /* the highest so far */
    overall all;
    sigset_t mask; /* of signals, while waiting */
} batch;

/* ---- Opening ---- */

static size_t processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        return (size_t)CPU_COUNT(&allowed);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

static void on_child(int signal_number)
{
    (void)signal_number; /* only wakes sigsuspend */
}

/* Signals come while the batch waits, and only then: none is missed between looking and waiting. */
static void hold_signals(batch *self)
{
    sigset_t held;
    struct sigaction wake = {.sa_handler = on_child};
    sigemptyset(&wake.sa_mask);
    sigaction(SIGCHLD, &wake, NULL);
    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &self->mask);
}

static int open_all(batch *self)
{
    int status = inputs_find(&self->settings, &self->inputs);
    if (status == EXIT_DONE)
        status = output_open(&self->settings, &self->out);
    if (status != EXIT_DONE)
        return status;
    self->settings.color =
        output_color(&self->settings, self->out) ? OPTIONS_COLOR_ALWAYS : OPTIONS_COLOR_NEVER;
    self->jobs = self->settings.jobs > 0 ? self->settings.jobs : processors();
    if (self->jobs > self->settings.path_count)
        self->jobs = self->settings.path_count;
    self->window = WINDOW_EACH * self->jobs;
    self->workers = calloc(self->window, sizeof *self->workers);
    overall_init(&self->all, &memory_heap);
    hold_signals(self);
    return self->workers ? EXIT_DONE : complain(EXIT_UNREAD, "not enough memory to start", NULL);
}

/* ---- Working ---- */

static void raise_status(batch *self, int status)
{
    if (status > self->status)
        self->status = status;
}

static void stop(batch *self, int status)
{
    self->stopped = true;
    raise_status(self, status);
}

static bool goes_on(const batch *self)
{
    return !interrupted() && !self->stopped;
}

/* The errno of the first write that failed: there is no use in going on then. */
static void check_output(batch *self)
{
    if ((fflush(self->out) != 0 || ferror(self->out)) && self->write_error == 0) {
        self->write_error = errno != 0 ? errno : EIO;
        stop(self, EXIT_UNWRITTEN);
    }
}

static worker *worker_of(const batch *self, size_t number)
{
    return &self->workers[number % self->window];
}

static void begin_next(batch *self)
{
    options one = self->settings;
    one.paths += self->begun;
    one.path_count = 1;
    one.output = NULL;
    if (worker_begin(worker_of(self, self->begun), &one, self->workers, self->window, self->out,
                     &self->mask)) {
        self->begun++;
        self->running++;
    } else if (self->running == 0) { /* else there will be room when one of them has ended */
        stop(self, complain(EXIT_UNREAD, "no process to read a capture", strerror(errno)));
    }
}

static void begin_more(batch *self)
{
    size_t before;
    do {
        before = self->begun;
        if (goes_on(self) && self->running < self->jobs && self->begun < self->settings.path_count &&
            self->begun < self->written + self->window)
            begin_next(self);
    } while (self->begun > before);
}

static void notice_ended(batch *self)
{
    for (size_t i = self->written; i < self->begun; i++) {
        worker *each = worker_of(self, i);
        if (each->state == WORKER_RUNS && worker_ended(each))
            self->running--;
    }
}

/* Until a process ends, or somebody wants an end. */
static void wait_for_news(batch *self)
{
    if (!goes_on(self) && !self->told_stop) {
        self->told_stop = true;
        for (size_t i = self->written; i < self->begun; i++)
            worker_interrupt(worker_of(self, i));
    }
    if (interrupt_asks_progress())
        fprintf(stderr, "keptalive: %zu of %zu files told, %zu under way\n", self->written,
                self->settings.path_count, self->running);
    size_t before = self->running;
    notice_ended(self);
    if (self->running == before)
        sigsuspend(&self->mask);
    notice_ended(self);
}

/* ---- Writing ---- */

static bool copy(FILE *from, FILE *to)
{
    char block[COPY_BYTES];
    rewind(from);
    for (size_t length; (length = fread(block, 1, sizeof block, from)) > 0;)
        fwrite(block, 1, length, to);
    return !ferror(from);
}

/* The first line of what it complained about, without the program's name. */
static void reason_of(FILE *errors, char reason[REASON_BYTES])
{
    static const char name[] = "keptalive: ";
    char line[REASON_BYTES] = "";
    rewind(errors);
    if (!fgets(line, sizeof line, errors))
        snprintf(line, sizeof line, "not read");
    line[strcspn(line, "\n")] = '\0';
    const char *text = strncmp(line, name, sizeof name - 1) == 0 ? line + sizeof name - 1 : line;
    snprintf(reason, REASON_BYTES, "%s", text);
}

/* Of a process that crashed nothing but that is told: its report may end anywhere. */
static bool write_crashed(batch *self, const worker *ended, const char *path)
{
    char shown[REASON_BYTES / 2], reason[REASON_BYTES];
    escape_text(path, strlen(path), shown, sizeof shown);
    snprintf(reason, REASON_BYTES, "%s: the process that read it crashed (%s), please report it", shown,
             WIFSIGNALED(ended->wait_status) ? strsignal(WTERMSIG(ended->wait_status)) : "it ended early");
    copy(ended->errors, stderr);
    raise_status(self, complain(EXIT_UNREAD, reason, NULL));
    return overall_add_failed(&self->all, path, reason);
}

static bool write_failed(batch *self, const worker *ended, const char *path, int status)
{
    char reason[REASON_BYTES];
    reason_of(ended->errors, reason);
    copy(ended->errors, stderr);
    (status == EXIT_UNREAD ? raise_status : stop)(self, status);
    return overall_add_failed(&self->all, path, reason);
}

static void write_rule(const batch *self)
{
    static const char rule[] =
        "================================================================================";
    if (self->settings.format == OPTIONS_TEXT && self->reports > 0)
        fprintf(self->out, "\n%s\n\n", rule);
}

static bool write_report(batch *self, const worker *ended, const char *path, int status)
{
    outcome result;
    outcome_take(ended->left, &result);
    copy(ended->errors, stderr);
    write_rule(self);
    self->reports++;
    if (!copy(ended->report, self->out))
        stop(self, complain(EXIT_UNWRITTEN, "temporary file", strerror(errno)));
    raise_status(self, status);
    return overall_add(&self->all, path, &result);
}

static void write_one(batch *self, const worker *ended)
{
    const char *path = self->settings.paths[self->written];
    int status = worker_exit_status(ended);
    bool read = status == EXIT_DONE || status == EXIT_FOUND || status == EXIT_UNREAD;
    bool failed = status == EXIT_UNREAD || status == EXIT_USAGE || status == EXIT_UNWRITTEN;
    bool kept = read && ended->left->reported ? write_report(self, ended, path, status)
                : failed                      ? write_failed(self, ended, path, status)
                                              : write_crashed(self, ended, path);
    if (!kept)
        stop(self, complain(EXIT_UNREAD, "memory ran out: the rest was not read", NULL));
    check_output(self);
}

/* Once the command itself was wrong there is nothing more to tell. */
static void write_next(batch *self)
{
    worker *ended = worker_of(self, self->written);
    if (self->status != EXIT_USAGE && self->write_error == 0)
        write_one(self, ended);
    worker_fini(ended);
    self->written++;
}

static void work(batch *self)
{
    for (;;) {
        begin_more(self);
        notice_ended(self);
        if (self->written < self->begun && worker_of(self, self->written)->state == WORKER_DONE)
            write_next(self);
        else if (self->running > 0)
            wait_for_news(self);
        else
            return;
    }
}

/* ---- The end ---- */

static void list_lost(batch *self)
{
    const path_list *inputs = &self->inputs;
    for (size_t i = 0; i < inputs->problems.count; i++)
        overall_lost(&self->all, &(incomplete_row){"input", inputs->problems.lines[i], 1, true, true});
    const incomplete_row rest = {interrupted() ? "interrupted" : "memory", "captures that were not begun",
                                 self->settings.path_count - self->begun, true, false};
    overall_lost(&self->all, &rest);
    for (size_t i = 0; i < inputs->notes.count; i++)
        overall_lost(&self->all, &(incomplete_row){"left-out", inputs->notes.lines[i], 1, false, true});
}

static void write_overall(batch *self)
{
    report_options wanted = {
        .format = self->settings.format == OPTIONS_NDJSON ? REPORT_NDJSON : REPORT_TEXT,
        .out = self->out,
        .paths = self->settings.paths,
        .path_count = self->settings.path_count,
        .filter = self->settings.filter,
        .color = self->settings.color == OPTIONS_COLOR_ALWAYS,
        .selection = self->settings.selection,
    };
    list_lost(self);
    write_rule(self);
    overall_write(&self->all, &wanted);
    if (self->all.incomplete.unread)
        raise_status(self, EXIT_UNREAD);
}

static int finish(batch *self)
{
    FILE *out = self->out;
    self->out = NULL;
    int closed = output_close(&self->settings, out, self->write_error);
    return closed != EXIT_DONE ? closed : self->status;
}

static void close_all(batch *self)
{
    for (size_t i = self->written; i < self->begun; i++)
        worker_fini(worker_of(self, i));
    free(self->workers);
    if (self->all.allocator.resize)
        overall_fini(&self->all);
    paths_fini(&self->inputs);
    if (self->out)
        fclose(self->out);
}

int batch_run(const options *settings)
{
    batch self = {.settings = *settings};
    int status = open_all(&self);
    if (status == EXIT_DONE) {
        work(&self);
        if (self.status != EXIT_USAGE)
            write_overall(&self);
        status = finish(&self);
    }
    close_all(&self);
    return status;
}
