/* sandbox_files.c - Landlock: which files can be opened. Raw system calls, as the C library has none of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sandbox.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every architecture; older headers do not know them. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

/* Rights to files (linux/landlock.h). */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,
    IOCTL_DEV = 1 << 15,
    OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
    TO_READ = READ_FILE | READ_DIR,
    TO_WRITE = WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | MAKE_REG | REMOVE_FILE,
};

/* By version of the interface: how many rights to files it knows, from bit 0. */
static const unsigned right_counts[] = {13, 14, 15, 15, 16};
enum {
    VERSIONS = sizeof right_counts / sizeof right_counts[0],
    VERSION_NETWORK = 4, /* from here on TCP can be denied, */
    VERSION_SCOPE = 6,   /* and signals to other processes, and their abstract sockets */
};

/* Members that this kernel does not know are zero, and taken. */
typedef struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
} ruleset;

typedef struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t parent;
} path_rule;

static long landlock_version(void)
{
    return syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
}

static uint64_t all_rights(long version)
{
    return (UINT64_C(1) << right_counts[version < VERSIONS ? version - 1 : VERSIONS - 1]) - 1;
}

/* What cannot be opened will be told by whoever opens it. */
static void allow(int rules, const char *path, uint64_t rights)
{
    struct stat status;
    int descriptor = open(path, O_PATH | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (fstat(descriptor, &status) == 0 && !S_ISDIR(status.st_mode))
        rights &= OF_A_FILE;
    syscall(ADD_RULE, rules, RULE_PATH_BENEATH, &(path_rule){rights, descriptor}, 0);
    close(descriptor);
}

static void allow_all(int rules, const sandbox_paths *paths, uint64_t rights)
{
    for (size_t i = 0; i < paths->count; i++)
        allow(rules, paths->paths[i], rights);
}

static bool restrict_self(int rules)
{
    bool holds = syscall(RESTRICT_SELF, rules, 0) == 0;
    close(rules);
    return holds;
}

bool sandbox_limit_files(const sandbox_rules *rules)
{
    long version = landlock_version();
    if (version < 1)
        return false;
    uint64_t all = all_rights(version);
    ruleset limited = {.files = all,
                       .network = version >= VERSION_NETWORK ? 3 : 0, /* bind, connect */
                       .scoped = version >= VERSION_SCOPE ? 3 : 0};
    int made = (int)syscall(CREATE_RULESET, &limited, sizeof limited, 0);
    if (made < 0)
        return false;
    allow_all(made, &rules->readable, TO_READ & all);
    allow_all(made, &rules->writable, TO_WRITE & all);
    return restrict_self(made);
}

/* One more layer, without exceptions: layers only take away. */
bool sandbox_limit_writing(void)
{
    long version = landlock_version();
    if (version < 1)
        return false;
    ruleset limited = {.files =
                           all_rights(version) & ~(uint64_t)(EXECUTE | READ_FILE | READ_DIR | IOCTL_DEV)};
    int made = (int)syscall(CREATE_RULESET, &limited, sizeof limited, 0);
    return made >= 0 && restrict_self(made);
}
