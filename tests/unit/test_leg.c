/* test_leg.c - what makes two requests alike, and the ring of the newest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "leg.h"

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_bytes);
}

static const ka_allocator heap = {NULL, resize};

static ka_slice text(const char *s)
{
    return (ka_slice){unit_at_page_end(s, strlen(s)), strlen(s)};
}

static ka_likeness like(const char *method, const char *target, const char *id)
{
    ka_field fields[] = {{KA_FIELD_REQUEST_ID, {NULL, 0}}};
    ka_message m = {.method = text(method), .target = text(target), .fields = fields};
    if (id != NULL) {
        fields[0].value = text(id);
        m.field_count = 1;
    }
    ka_likeness out;
    ka_likeness_of(&m, &out);
    return out;
}

static void a_proxys_target_is_the_origins_path(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"/a", "/a", true},
        {"http://host/a", "/a", true},
        {"http://host", "/", true},
        {"http://host:8080/a?u=http://x/", "/a?u=http://x/", true},
        {"/a", "/b", false},
        {"/a", "/a?x", false},
        {"/http://host/a", "/a", false},
        {"host:443", "host:443", true},
        {"", "", true},
        {"*", "*", true},
        {"/abcdefgh", "/abcdefgi", false},
        {"/abcdefghijklmnop", "/abcdefghijklmnop", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(like("GET", rows[i].a, NULL).key == like("GET", rows[i].b, NULL).key, rows[i].same);
    assert_true(like("GET", "/a", NULL).key != like("PUT", "/a", NULL).key);
    assert_true(like("GET", "/shop/cart?id=7/8", NULL).tail == like("GET", "/cart?id=7/8", NULL).tail);
}

static void ids_tell_requests_apart(void **state)
{
    (void)state;
    const char *trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const char *span = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00";
    const char *other = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_int_equal(like("GET", "/a", NULL).id, 0);
    assert_int_equal(like("GET", "/a", "").id, 0);
    assert_true(like("GET", "/x/a", "17").id == like("GET", "/a", "17").id);
    assert_true(like("GET", "/a", "17").id != like("GET", "/a", "18").id);
    assert_true(like("GET", "/a", "17").id != like("GET", "/b", "17").id);
    assert_true(like("GET", "/a", trace).id == like("GET", "/a", span).id);
    assert_true(like("GET", "/a", trace).id != like("GET", "/a", other).id);
    assert_true(like("GET", "/a", trace).by_trace);
    assert_false(like("GET", "/a", "17").by_trace);
}

static void the_ring_forgets_the_oldest(void **state)
{
    (void)state;
    ka_legs legs = {.seed = 7};
    for (uint32_t i = 1; i <= 3 * KA_LEGS_FIRST; i++)
        assert_int_equal(ka_legs_add(&legs, &heap, 0, false, false)->serial, i);
    assert_int_equal(legs.room, KA_LEGS_FIRST);
    assert_null(ka_legs_find(&legs, 0));
    assert_null(ka_legs_find(&legs, 2 * KA_LEGS_FIRST));
    assert_non_null(ka_legs_find(&legs, 2 * KA_LEGS_FIRST + 1));
    ka_legs_fini(&legs, &heap);
}

static void the_ring_grows_for_what_waits(void **state)
{
    (void)state;
    ka_legs legs = {.seed = 7};
    for (uint32_t i = 1; i <= 2 * KA_LEGS_WAITING; i++) {
        ka_leg *leg = ka_legs_add(&legs, &heap, 0, false, false);
        leg->like.key = 5;
        ka_legs_wait(&legs, leg);
    }
    assert_int_equal(legs.room, KA_LEGS_WAITING);
    uint32_t count = 0, serial = legs.serial;
    for (ka_leg *leg = ka_legs_alike(&legs, KA_BY_EITHER, 5); leg != NULL; count++) {
        assert_int_equal(leg->serial, serial--);
        leg = ka_legs_find(&legs, leg->older[KA_BY_EITHER]);
    }
    assert_int_equal(count, KA_LEGS_WAITING);
    ka_legs_answered(&legs, ka_legs_find(&legs, legs.serial));
    assert_int_equal(ka_legs_alike(&legs, KA_BY_EITHER, 5)->serial, legs.serial - 1);
    ka_legs_fini(&legs, &heap);
}

static void failures_are_not_forgotten_until_they_are_half(void **state)
{
    (void)state;
    ka_legs legs = {.seed = 7};
    ka_leg *failed = ka_legs_add(&legs, &heap, 0, true, false);
    failed->attempts = 1;
    for (int i = 0; i < 4 * KA_LEGS_FIRST; i++)
        ka_legs_add(&legs, &heap, INT64_C(20) * i * KA_SECOND_NS, true, false)->status = 200;
    assert_non_null(ka_legs_find(&legs, 1));
    for (int i = 0; i < 3 * KA_LEGS_MAX; i++)
        ka_legs_add(&legs, &heap, 0, true, false)->attempts = 1;
    assert_int_equal(legs.room, KA_LEGS_MAX);
    assert_null(ka_legs_find(&legs, 1));
    assert_true(legs.left_out > 0);
    ka_legs_fini(&legs, &heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxys_target_is_the_origins_path),
        cmocka_unit_test(ids_tell_requests_apart),
        cmocka_unit_test(the_ring_forgets_the_oldest),
        cmocka_unit_test(the_ring_grows_for_what_waits),
        cmocka_unit_test(failures_are_not_forgotten_until_they_are_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
