#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_kv.h"
#include "upload/upload_saved.h"

static upload_saved make(void)
{
    upload_saved s = { .source = "host/d1/a \"b\" 1024 7 0 tag",
                       .outcome = UPLOAD_FAILED,
                       .status = 403 };
    const upload_place p = { "id/1", "store:1", "files", "d1/a", "?sig=secret" };

    s.place = p;
    upload_blocks_add(&s.blocks, 0);
    upload_blocks_add(&s.blocks, 1);
    upload_blocks_add(&s.blocks, 9);
    return s;
}

static void a_state_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    fake_kv kv;
    const upload_saved s = make();
    upload_saved back;
    fake_kv_init(&kv);

    assert_int_equal(upload_saved_get(&kv.base, "u", &back), PLAT_EOF);
    assert_int_equal(upload_saved_put(&kv.base, "u", &s, true), PLAT_OK);
    assert_int_equal(upload_saved_get(&kv.base, "u", &back), PLAT_OK);
    assert_string_equal(back.source, s.source);
    assert_string_equal(back.place.correlation_id, "id/1");
    assert_string_equal(back.place.host, "store:1");
    assert_string_equal(back.place.token, "?sig=secret");
    assert_int_equal(back.outcome, UPLOAD_FAILED);
    assert_int_equal(back.status, 403);
    assert_memory_equal(&back.blocks, &s.blocks, sizeof s.blocks);
    assert_true(upload_saved_has_token(&back));
}

static void the_token_is_stored_only_on_request(void **state)
{
    (void)state;
    fake_kv kv;
    const upload_saved s = make();
    upload_saved back;
    fake_kv_init(&kv);

    assert_int_equal(upload_saved_put(&kv.base, "u", &s, false), PLAT_OK);
    for (size_t i = 0; i + 6 <= kv.values[0].len; i++) {
        assert_memory_not_equal(kv.values[0].data + i, "secret", 6);
    }
    assert_int_equal(upload_saved_get(&kv.base, "u", &back), PLAT_OK);
    assert_false(upload_saved_has_token(&back));
}

static void each_truncation_and_each_changed_byte_is_refused_or_still_valid(void **state)
{
    (void)state;
    fake_kv kv;
    const upload_saved s = make();
    upload_saved back;
    fake_kv_init(&kv);
    assert_int_equal(upload_saved_put(&kv.base, "u", &s, true), PLAT_OK);
    const size_t len = kv.values[0].len;

    for (size_t cut = 0; cut < len; cut++) {
        kv.values[0].len = cut;
        assert_int_equal(upload_saved_get(&kv.base, "u", &back), PLAT_EOF);
        assert_string_equal(back.place.token, "");
    }
    kv.values[0].len = len;
    for (size_t at = 0; at < len; at++) {
        const char old = kv.values[0].data[at];
        for (int bit = 0; bit < 8; bit++) {
            kv.values[0].data[at] = (char)(old ^ (1 << bit));
            plat_result r = upload_saved_get(&kv.base, "u", &back);
            assert_true(r == PLAT_EOF || (r == PLAT_OK && upload_place_valid(&back.place) &&
                                          back.outcome <= UPLOAD_FAILED));
        }
        kv.values[0].data[at] = old;
    }
}

static void failures_of_the_store_are_returned(void **state)
{
    (void)state;
    fake_kv kv;
    const upload_saved s = make();
    upload_saved back;
    fake_kv_init(&kv);

    kv.put_fails = PLAT_ERR_FULL;
    assert_int_equal(upload_saved_put(&kv.base, "u", &s, true), PLAT_ERR_FULL);
    kv.get_fails = PLAT_ERR_STORE;
    assert_int_equal(upload_saved_get(&kv.base, "u", &back), PLAT_ERR_STORE);
}

static void loading_tells_no_state_from_a_store_that_fails(void **state)
{
    (void)state;
    fake_kv kv;
    const upload_saved s = make();
    upload_saved back;
    iothub_error error = { IOTHUB_OK, "" };
    bool found = true;
    fake_kv_init(&kv);

    assert_int_equal(upload_saved_load(NULL, NULL, &back, &found, &error), IOTHUB_OK);
    assert_false(found);
    found = true;
    assert_int_equal(upload_saved_load(&kv.base, "u", &back, &found, &error), IOTHUB_OK);
    assert_false(found);
    assert_int_equal(upload_saved_put(&kv.base, "u", &s, true), PLAT_OK);
    assert_int_equal(upload_saved_load(&kv.base, "u", &back, &found, &error), IOTHUB_OK);
    assert_true(found);
    kv.get_fails = PLAT_ERR_STORE;
    assert_int_equal(upload_saved_load(&kv.base, "u", &back, &found, &error), IOTHUB_ERR_STORE);
    assert_false(found);
    assert_non_null(strstr(error.text, "the state cannot be read"));
}

static void blocks_are_those_of_one_blob(void **state)
{
    (void)state;
    upload_saved s = make();
    upload_place p = s.place;

    assert_true(upload_saved_set_place(&s, &p));
    assert_int_equal(s.blocks.arrived, 3);
    assert_int_equal(s.outcome, UPLOAD_OPEN);
    upload_saved_clear_place_id(&s);
    assert_string_equal(s.place.correlation_id, "");
    assert_string_equal(s.place.token, "");
    assert_true(upload_saved_set_place(&s, &p));
    p.blob[0] = 'e';
    assert_false(upload_saved_set_place(&s, &p));
    assert_int_equal(s.blocks.arrived, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_read_back_as_it_was_written),
        cmocka_unit_test(the_token_is_stored_only_on_request),
        cmocka_unit_test(each_truncation_and_each_changed_byte_is_refused_or_still_valid),
        cmocka_unit_test(failures_of_the_store_are_returned),
        cmocka_unit_test(loading_tells_no_state_from_a_store_that_fails),
        cmocka_unit_test(blocks_are_those_of_one_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
