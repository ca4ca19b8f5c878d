/* test_reassembly.c - out-of-order bytes against a simple model: an array of bytes, the first copy wins.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "memory.h"
#include "stream/pieces.h"

enum { MODEL_BYTES = 400, BASE_SEQ = 0xffffff00 }; /* wraps in the middle */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* Each insertion fills its bytes with its own number; where the model has none yet, it takes it. */
static void insert_random(stream_context *context, stream_pieces **pieces, uint8_t *model, uint8_t number)
{
    uint32_t from = pick(MODEL_BYTES - 1);
    uint32_t len = 1 + pick(MODEL_BYTES - from < 60 ? MODEL_BYTES - from : 60);
    uint8_t bytes[60];
    if (from + len > MODEL_BYTES)
        len = MODEL_BYTES - from;
    memset(bytes, number, sizeof bytes);
    pieces_insert(context, pieces,
                  (stream_run){.bytes = unit_at_page_end(bytes, len),
                               .captured_bytes = len,
                               .len_bytes = len,
                               .seq = BASE_SEQ + from,
                               .at = {number, number}});
    for (uint32_t i = from; i < from + len; i++)
        if (model[i] == 0)
            model[i] = number;
}

static void expect_model(const stream_context *context, const stream_pieces *pieces, const uint8_t *model)
{
    uint32_t next = 0;
    size_t count = 0, used_bytes = 0;
    for (const stream_piece *at = pieces->first; at != NULL; at = at->next) {
        for (; next != at->run.seq - BASE_SEQ; next++)
            assert_int_equal(model[next], 0);
        for (uint32_t i = 0; i < at->run.len_bytes; i++, next++) {
            assert_int_equal(at->run.bytes[i], model[next]);
            assert_int_equal(at->run.at.frame, model[next]);
        }
        count++;
        used_bytes += sizeof *at + at->room_bytes;
        assert_true(at->next != NULL || at == pieces->last);
    }
    for (; next < MODEL_BYTES; next++)
        assert_int_equal(model[next], 0);
    assert_int_equal(count, pieces->count);
    assert_int_equal(used_bytes, pieces->used_bytes);
    assert_int_equal(used_bytes, context->buffered_bytes);
}

static void the_first_copy_wins(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        stream_context context = {.allocator = memory_heap};
        uint8_t model[MODEL_BYTES] = {0};
        stream_pieces *pieces = NULL;
        for (uint8_t number = 1; number <= 30; number++) {
            insert_random(&context, &pieces, model, number);
            expect_model(&context, pieces, model);
        }
        for (unsigned i = pick(5); i > 0 && pieces != NULL; i--)
            pieces_pop(&context, &pieces);
        pieces_free(&context, &pieces);
        assert_null(pieces);
        assert_int_equal(context.buffered_bytes, 0);
    }
}

static void cut_bytes_are_counted_only(void **state)
{
    (void)state;
    stream_context context = {.allocator = memory_heap};
    stream_pieces *pieces = NULL;
    stream_run cut = {.bytes = (const uint8_t *)"ab", .captured_bytes = 2, .len_bytes = 10, .seq = 100};
    pieces_insert(&context, &pieces, cut);
    cut.seq = 95; /* five bytes before it, three of them cut off */
    pieces_insert(&context, &pieces, cut);
    assert_int_equal(pieces->count, 2);
    assert_int_equal(pieces->first->run.seq, 95);
    assert_int_equal(pieces->first->run.len_bytes, 5);
    assert_int_equal(pieces->first->run.captured_bytes, 2);
    pieces_free(&context, &pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_copy_wins),
        cmocka_unit_test(cut_bytes_are_counted_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
