/* test_sandbox.c - what a confined process cannot do any more, tried in children.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What a child says by its exit status. */
enum { HELD = 0, BROKEN = 1, ABSENT = 2 };

static char folder[] = "/tmp/keptalive-sandbox-XXXXXX";
static char inside[64], within[64], outside[64], made[64];

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(inside, sizeof inside, "%s/inside", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    snprintf(within, sizeof within, "%s/sub/within", folder);
    snprintf(made, sizeof made, "%s/sub/made", folder);
    char sub[64];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    write_file(inside, "in");
    write_file(outside, "out");
    write_file(within, "within");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char sub[64];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    unlink(inside);
    unlink(outside);
    unlink(within);
    unlink(made);
    rmdir(sub);
    return rmdir(folder);
}

/* The status of a child that was confined and then did this; skips the test where a part is missing. */
static int confined(unsigned part, const sandbox_rules *rules, int (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(sandbox_enter(rules) & part ? act() : ABSENT);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == ABSENT) {
        print_message("skipped: this system, or this build, has no such part of the sandbox\n");
        skip();
    }
    return status;
}

static void assert_held(int status)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), HELD);
}

static bool opens(const char *path, int flags)
{
    int descriptor = open(path, flags, 0600);
    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

static bool is_denied(const char *path, int flags)
{
    errno = 0;
    return !opens(path, flags) && errno == EACCES;
}

/* One of each at most. */
static int confined_to(const char *readable, const char *writable, unsigned part, int (*act)(void))
{
    const sandbox_rules rules = {
        .readable = {&readable, 1}, .writable = {&writable, writable != NULL ? 1 : 0}, .opens = true};
    return confined(part, &rules, act);
}

static int open_files(void)
{
    bool held = opens(inside, O_RDONLY) && is_denied(inside, O_WRONLY) && is_denied(outside, O_RDONLY) &&
                is_denied(outside, O_WRONLY) && is_denied("/etc/passwd", O_RDONLY) &&
                is_denied(made, O_WRONLY | O_CREAT) && unlink(inside) != 0 && errno == EACCES;
    return held ? HELD : BROKEN;
}

static void only_the_inputs_can_be_opened(void **state)
{
    (void)state;
    assert_held(confined_to(inside, NULL, SANDBOX_FILES, open_files));
    assert_true(opens(inside, O_RDONLY));
}

static int open_in_directory(void)
{
    return opens(within, O_RDONLY) && is_denied(inside, O_RDONLY) ? HELD : BROKEN;
}

static void a_directory_is_what_is_in_it(void **state)
{
    (void)state;
    char sub[64];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_held(confined_to(sub, NULL, SANDBOX_FILES, open_in_directory));
}

static int make_and_seal(void)
{
    int descriptor = open(made, O_WRONLY | O_CREAT, 0600);
    if (descriptor < 0 || !is_denied(outside, O_WRONLY))
        return BROKEN;
    sandbox_seal();
    bool held = write(descriptor, "x", 1) == 1 && ftruncate(descriptor, 0) == 0 &&
                is_denied(made, O_WRONLY) && is_denied(within, O_WRONLY) && unlink(made) != 0 &&
                opens(inside, O_RDONLY);
    return held ? HELD : BROKEN;
}

static void the_seal_ends_writing(void **state)
{
    (void)state;
    char sub[64];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_held(confined_to(inside, sub, SANDBOX_FILES, make_and_seal));
}

static int leave_by_calls(void)
{
    errno = 0;
    bool held = socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM;
    errno = 0;
    held = held && fork() < 0 && errno == EPERM;
    errno = 0;
    held = held && kill(getppid(), SIGUSR1) < 0 && errno == EPERM;
    errno = 0;
    held = held && chmod(inside, 0777) < 0 && errno == EPERM;
    return held ? HELD : BROKEN;
}

static void no_network_no_process(void **state)
{
    (void)state;
    assert_held(confined_to(inside, NULL, SANDBOX_CALLS, leave_by_calls));
}

static int execute(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return BROKEN;
}

static void another_program_is_death(void **state)
{
    (void)state;
    int status = confined_to(inside, NULL, SANDBOX_CALLS, execute);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int open_nothing(void)
{
    errno = 0;
    return !opens(inside, O_RDONLY) && errno == EPERM ? HELD : BROKEN;
}

static void without_files_none_is_opened(void **state)
{
    (void)state;
    assert_held(confined(SANDBOX_CALLS, &(sandbox_rules){.opens = false}, open_nothing));
}

/* What the C library does of its own accord goes on working. */
static int work(void)
{
    char *memory = malloc(64 << 20);
    if (memory == NULL)
        return BROKEN;
    memset(memory, 1, 64 << 20);
    free(memory);
    FILE *file = fopen(inside, "r");
    int letter = file != NULL ? getc(file) : EOF;
    return letter == 'i' && fclose(file) == 0 && printf("%s", "") == 0 ? HELD : BROKEN;
}

static void reading_goes_on(void **state)
{
    (void)state;
    assert_held(confined_to(inside, NULL, SANDBOX_WHOLE, work));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_inputs_can_be_opened),
        cmocka_unit_test(a_directory_is_what_is_in_it),
        cmocka_unit_test(the_seal_ends_writing),
        cmocka_unit_test(no_network_no_process),
        cmocka_unit_test(another_program_is_death),
        cmocka_unit_test(without_files_none_is_opened),
        cmocka_unit_test(reading_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
