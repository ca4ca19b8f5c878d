/* test_capture_paths.c - what a directory stands for: the captures in it, in order, and what is left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "capture_files.h"

#include "capture/paths.h"
#include "capture/recognise.h"

#include <sys/stat.h>

static void expand_into(path_list *list, const char *argument, bool recursive)
{
    assert_true(paths_expand(&argument, 1, recursive, list));
    for (size_t i = 0; i < list->notes.count; i++)
        print_message("note: %s\n", list->notes.lines[i]);
    for (size_t i = 0; i < list->problems.count; i++)
        print_message("problem: %s\n", list->problems.lines[i]);
}

/* The list is these names below the directory, up to a NULL. */
static void expect_paths(const path_list *list, const char *directory, const char *const *names)
{
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        assert_in_range(count, 0, list->count - 1);
        size_t length = strlen(directory);
        assert_memory_equal(list->paths[count], directory, length);
        assert_string_equal(list->paths[count] + length, names[count]);
    }
    assert_int_equal(list->count, count);
}

static const char *make_directory(const char *name)
{
    const char *path = path_of(name);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

/* Captures, what is none, and what must not even be opened. */
static const char *make_tree(void)
{
    const char *tree = make_directory("tree");
    write_plain("tree/b.pcap", three, 3);
    write_plain("tree/B.cap", three, 3);
    write_plain("tree/.hidden", NULL, 0);
    write_bytes("tree/a", "\n\r\r\n\x1c\0\0\0", 8); /* cut, and a pcapng file all the same */
    write_text("tree/README", "a\n");
    write_text("tree/empty.pcap", "");
    write_text("tree/zipped.txt.gz", "\x1f\x8b\x08\x00");
    assert_int_equal(mkfifo(path_of("tree/pipe"), 0600), 0);
    assert_int_equal(symlink("b.pcap", path_of("tree/latest.pcap")), 0);
    assert_int_equal(symlink("..", path_of("tree/loop")), 0);
    make_directory("tree/sub");
    write_plain("tree/sub/c.pcap", three, 3);
    make_directory("tree/sub/none");
    return tree;
}

static void test_directory(void **state)
{
    (void)state;
    const char *tree = make_tree();
    path_list list;
    expand_into(&list, tree, false);
    static const char *const flat[] = {"/.hidden", "/B.cap", "/a", "/b.pcap", "/zipped.txt.gz", NULL};
    expect_paths(&list, tree, flat);
    assert_int_equal(list.problems.count, 0);
    assert_int_equal(list.notes.count, 2);
    assert_non_null(strstr(list.notes.lines[0],
                           "tree: left out what is no capture file: README, empty.pcap, latest.pcap, ..."));
    assert_non_null(strstr(list.notes.lines[1], "tree: left out 1 directory in it; -r reads those, too"));
    paths_fini(&list);

    expand_into(&list, tree, true);
    static const char *const deep[] = {"/.hidden",    "/B.cap",         "/a", "/b.pcap",
                                       "/sub/c.pcap", "/zipped.txt.gz", NULL};
    expect_paths(&list, tree, deep);
    assert_int_equal(list.notes.count, 1);
    paths_fini(&list);
}

static void test_directory_without_captures(void **state)
{
    (void)state;
    const char *directory = make_directory("none");
    path_list list;
    expand_into(&list, directory, true);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.problems.count, 1);
    assert_non_null(strstr(list.problems.lines[0], "none: there is no capture in this directory"));
    paths_fini(&list);
}

static void test_other_arguments_stay(void **state)
{
    (void)state;
    const char *arguments[] = {path_of("missing"), "-", write_text("any.txt", "no capture"),
                               path_of("order")};
    make_directory("order");
    write_plain("order/1.pcap", three, 3);
    path_list list;
    assert_true(paths_expand(arguments, 4, false, &list));
    assert_int_equal(list.count, 4);
    for (int i = 0; i < 3; i++)
        assert_string_equal(list.paths[i], arguments[i]);
    assert_non_null(strstr(list.paths[3], "order/1.pcap"));
    assert_int_equal(list.problems.count, 0);
    assert_int_equal(list.notes.count, 0);
    paths_fini(&list);
    assert_true(paths_expand(NULL, 0, false, &list));
    assert_int_equal(list.count, 0);
    paths_fini(&list);
}

static void test_too_deep(void **state)
{
    (void)state;
    char name[4 * PATHS_DEPTH_MAX] = "deep";
    make_directory(name);
    for (int i = 0; i <= PATHS_DEPTH_MAX; i++) {
        strcat(name, "/d");
        make_directory(name);
    }
    strcat(name, "/x.pcap");
    write_plain(name, three, 3);
    path_list list;
    expand_into(&list, path_of("deep"), true);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.notes.count, 1);
    assert_non_null(strstr(list.notes.lines[0], "left out 1 directory in it, too deep"));
    paths_fini(&list);
}

static void test_recognise(void **state)
{
    (void)state;
    static const char *const captures[] = {"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1",
                                           "\xa1\xb2\x3c\x4d", "\x34\xcd\xb2\xa1", "\n\r\r\n"};
    static const char *const others[] = {"", "\xd4\xc3\xb2", "GET ", "\x1f\x9d\x90\x41", "PK\3\4"};
    for (int i = 0; i < 6; i++)
        assert_int_equal(recognise_capture(write_text("it", captures[i])), RECOGNISED_CAPTURE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(recognise_capture(write_text("it", others[i])), RECOGNISED_OTHER);
    assert_int_equal(recognise_capture(path_of("missing")), RECOGNISED_UNREADABLE);
    assert_int_equal(recognise_capture(write_text("it", "\xfd\x37zXZ")), RECOGNISED_OTHER);
    assert_int_equal(recognise_capture(write_text("it", "\x28\xb5\x2f\xfd")), RECOGNISED_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_directory_without_captures),
        cmocka_unit_test(test_other_arguments_stay),
        cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_recognise),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
