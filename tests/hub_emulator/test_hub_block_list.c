/* Tests how the storage reads block ids and block lists. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "blobs/block_list.h"

static void a_list_keeps_the_order_and_the_sources(void **state)
{
    static const char *const texts[] = {
        "<BlockList><Latest>YQ==</Latest><Committed>YmI=</Committed><Uncommitted>Y2Nj</Uncommitted>"
        "</BlockList>",
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<BlockList>\n  "
        "<Latest>YQ==</Latest>\n<Committed>YmI=</Committed> <Uncommitted>Y2Nj</Uncommitted>\n"
        "</BlockList>\n",
    };
    static const char *const ids[] = { "a", "bb", "ccc" };
    hub_block_list list;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(hub_block_list_read(&list, texts[i]));
        assert_int_equal(list.count, 3);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(list.items[k].source, k);
            assert_int_equal(list.items[k].id.len, k + 1);
            assert_memory_equal(list.items[k].id.bytes, ids[k], k + 1);
        }
        hub_block_list_free(&list);
    }
    assert_true(hub_block_list_read(&list, "<BlockList></BlockList>"));
    assert_int_equal(list.count, 0);
    hub_block_list_free(&list);
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "<BlockList>",
        "<?xml <BlockList></BlockList>",
        "<BlockList></BlockList>x",
        "<BlockList><Latest>YQ==</Latest>",
        "<BlockList><Latest>YQ==</Committed></BlockList>",
        "<BlockList><Latest></Latest></BlockList>",
        "<BlockList><Latest>!</Latest></BlockList>",
        "<BlockList><Other>YQ==</Other></BlockList>",
        "<BlockList>YQ==</BlockList>",
    };
    hub_block_list list;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(hub_block_list_read(&list, texts[i]));
        assert_null(list.items);
    }
}

static void a_list_has_fifty_thousand_blocks_at_most(void **state)
{
    hub_block_list list;
    hub_text t = { 0 };

    (void)state;
    hub_text_str(&t, "<BlockList>");
    for (int i = 0; i < HUB_BLOCKS_MAX; i++) {
        hub_text_str(&t, "<Latest>YQ==</Latest>");
    }
    const size_t len = t.len;
    hub_text_str(&t, "</BlockList>");
    assert_true(hub_block_list_read(&list, t.p));
    assert_int_equal(list.count, HUB_BLOCKS_MAX);
    hub_block_list_free(&list);
    hub_text_cut(&t, len);
    hub_text_str(&t, "<Latest>YQ==</Latest></BlockList>");
    assert_false(hub_block_list_read(&list, t.p));
    hub_text_free(&t);
}

static void an_id_has_one_to_sixty_four_bytes(void **state)
{
    char text[89 + 4];
    hub_block_id id;

    (void)state;
    assert_false(hub_block_id_read(&id, ""));
    assert_false(hub_block_id_read(&id, "YQ"));
    assert_true(hub_block_id_read(&id, "YQ=="));
    memset(text, 'A', sizeof text);
    (void)strcpy(text + 86, "==");
    assert_true(hub_block_id_read(&id, text));
    assert_int_equal(id.len, 64);
    memset(text, 'A', sizeof text);
    (void)strcpy(text + 87, "=");
    assert_false(hub_block_id_read(&id, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_the_order_and_the_sources),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_list_has_fifty_thousand_blocks_at_most),
        cmocka_unit_test(an_id_has_one_to_sixty_four_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
