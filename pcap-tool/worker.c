/* worker.c - a process that audits one capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "worker.h"

#include "exit_status.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static void release(worker *self)
{
    if (self->report)
        fclose(self->report);
    if (self->errors)
        fclose(self->errors);
    if (self->left)
        munmap(self->left, sizeof *self->left);
    memset(self, 0, sizeof *self);
}

/* Memory of both processes. */
static outcome *shared_outcome(void)
{
    void *memory = mmap(NULL, sizeof(outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool prepare(worker *self)
{
    self->left = shared_outcome();
    self->report = tmpfile();
    self->errors = tmpfile();
    return self->left && self->report && self->errors;
}

/* ---- In the new process ---- */

/* A file that takes the process over must not reach the reports of others. */
static void forget_others(const worker *others, size_t count, const worker *self)
{
    for (size_t i = 0; i < count; i++) {
        if (others[i].state == WORKER_NONE || &others[i] == self)
            continue;
        close(fileno(others[i].report));
        close(fileno(others[i].errors));
        munmap(others[i].left, sizeof *others[i].left);
    }
}

static bool redirect(const worker *self)
{
    int nothing = open("/dev/null", O_RDONLY);
    return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
           dup2(fileno(self->report), STDOUT_FILENO) >= 0 && dup2(fileno(self->errors), STDERR_FILENO) >= 0;
}

static int audit(const worker *self, const options *settings, FILE *out)
{
    setpgid(0, 0); /* the parent tells of an interruption, and a second one kills */
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (out != stdout)
        close(fileno(out));
    if (!redirect(self))
        return EXIT_UNREAD;
    int status = run_capture(settings, self->left);
    fflush(stderr);
    return status;
}

/* ---- In the parent ---- */

bool worker_begin(worker *self, const options *settings, const worker *others, size_t other_count, FILE *out,
                  const sigset_t *mask)
{
    if (!prepare(self)) {
        int why = errno;
        release(self);
        errno = why;
        return false;
    }
    self->process = fork();
    if (self->process == 0) {
        forget_others(others, other_count, self);
        sigprocmask(SIG_SETMASK, mask, NULL);
        _exit(audit(self, settings, out));
    }
    if (self->process < 0) {
        int why = errno;
        release(self);
        errno = why;
        return false;
    }
    self->state = WORKER_RUNS;
    return true;
}

bool worker_ended(worker *self)
{
    if (self->state == WORKER_RUNS && waitpid(self->process, &self->wait_status, WNOHANG) == self->process)
        self->state = WORKER_DONE;
    return self->state == WORKER_DONE;
}

void worker_interrupt(const worker *self)
{
    if (self->state == WORKER_RUNS)
        kill(self->process, SIGTERM);
}

void worker_fini(worker *self)
{
    release(self);
}

int worker_exit_status(const worker *self)
{
    return WIFEXITED(self->wait_status) ? WEXITSTATUS(self->wait_status) : -1;
}
