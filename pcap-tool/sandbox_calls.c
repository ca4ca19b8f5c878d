/* sandbox_calls.c - seccomp: which system calls can be made. The others fail (EPERM), as if there were no
 * right to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sandbox.h"

#if KEPTALIVE_HAS_SECCOMP
#include <errno.h>
#include <seccomp.h>
#include <sys/ioctl.h>

/* By name: which of them there are depends on the architecture. */
static const char *const calls[] = {
    /* what is open */
    "read", "readv", "pread64", "write", "pwrite64", "writev", "lseek", "_llseek", "close", "fcntl",
    "fcntl64", "dup", "ftruncate", "ftruncate64", "poll", "ppoll", "ppoll_time64", "select", "_newselect",
    "pselect6", "pselect6_time64",
    /* looking at files: what they are called is no secret, what is in them needs open */
    "fstat", "fstat64", "newfstatat", "fstatat64", "stat", "stat64", "lstat", "lstat64", "statx", "statfs",
    "fstatfs", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents",
    "getdents64",
    /* memory */
    "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise",
    /* time and signals */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    "time", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "restart_syscall",
    /* this process; libpcap's counters of an interface */
    "getpid", "gettid", "tgkill", "getuid", "geteuid", "getgid", "getegid", "getrusage", "prlimit64",
    "sysinfo", "uname", "futex", "futex_time64", "sched_yield", "getrandom", "rseq", "getsockopt", "exit",
    "exit_group",
    /* the seal */
    "landlock_create_ruleset", "landlock_restrict_self"};

/* For files that come later; which of them may be opened is for Landlock to say. */
static const char *const opening_calls[] = {"open", "openat", "unlink", "unlinkat"};

/* Nothing here makes them: whoever does is no part of this program. */
static const char *const deadly_calls[] = {"execve", "execveat", "ptrace", "process_vm_readv",
                                           "process_vm_writev"};

static bool add(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number >= 0 && seccomp_rule_add(filter, action, number, 0) != 0)
            return false;
    }
    return true;
}

static bool allow_ioctl(scmp_filter_ctx filter, uint32_t request)
{
    const struct scmp_arg_cmp is_request = {1, SCMP_CMP_EQ, request, 0};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &is_request) == 0;
}

/* Whether something is a terminal, and how wide. */
static bool allow_terminals(scmp_filter_ctx filter)
{
    return allow_ioctl(filter, TCGETS) && allow_ioctl(filter, TIOCGWINSZ);
}

#define COUNT(names) (sizeof names / sizeof names[0])

bool sandbox_limit_calls(const sandbox_rules *rules)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return false;
    bool holds = add(filter, SCMP_ACT_ALLOW, calls, COUNT(calls)) &&
                 (!rules->opens || add(filter, SCMP_ACT_ALLOW, opening_calls, COUNT(opening_calls))) &&
                 add(filter, SCMP_ACT_KILL_PROCESS, deadly_calls, COUNT(deadly_calls)) &&
                 allow_terminals(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return holds;
}
#else
bool sandbox_limit_calls(const sandbox_rules *rules)
{
    (void)rules;
    return false;
}
#endif
