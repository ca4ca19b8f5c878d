/* measure.c - runs a command with its output thrown away, and prints what it cost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Usage: measure COMMAND [ARGUMENT...]
 * Prints "CPU_US WALL_US PEAK_KB STATUS"; processor time is user and system. A program of its own because a
 * child's peak memory, as the kernel counts it, includes that of the process that forked it: this one is
 * small.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void run(char **command)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* an interrupted benchmark leaves nothing running */
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0)
        execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("Usage: measure COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    long long begun_us = now_us();
    pid_t child = fork();
    if (child == 0)
        run(argv + 1);
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 1;
    }
    long long wall_us = now_us() - begun_us;
    int shown = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%lld %lld %ld %d\n", microseconds(usage.ru_utime) + microseconds(usage.ru_stime), wall_us,
           usage.ru_maxrss, shown);
    return 0;
}
