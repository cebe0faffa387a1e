#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

#define MEMBERS 5
#define STEPS   20000

typedef struct member {
    int number;
    hub_link link;
} member;

/* Returns the numbers from the first member on as text. */
static const char *text_of(const hub_list *l)
{
    static char text[64];
    size_t len = 0;

    text[0] = '\0';
    for (const member *m = hub_list_first(l); m != NULL; m = hub_list_next(&m->link)) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%d", m->number);
    }
    return text;
}

static void a_member_that_is_pushed_is_the_first(void **state)
{
    member m[MEMBERS] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
    hub_list l = { 0 };

    (void)state;
    assert_null(hub_list_first(&l));
    for (size_t i = 0; i < 3; i++) {
        hub_list_push(&l, &m[i].link, &m[i]);
        assert_ptr_equal(hub_list_first(&l), &m[i]);
    }
    assert_string_equal(text_of(&l), "210");
}

static void a_member_stays_where_it_is_when_it_is_pushed_again(void **state)
{
    member m[2] = { { .number = 0 }, { .number = 1 } };
    hub_list l = { 0 };

    (void)state;
    hub_list_push(&l, &m[0].link, &m[0]);
    hub_list_push(&l, &m[1].link, &m[1]);
    hub_list_push(&l, &m[0].link, &m[0]);
    assert_string_equal(text_of(&l), "10");
}

static void each_member_can_be_removed_and_pushed_again(void **state)
{
    (void)state;
    for (size_t gone = 0; gone < 3; gone++) {
        member m[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
        static const char *const left[] = { "21", "20", "10" };
        hub_list l = { 0 };
        char again[8];

        for (size_t i = 0; i < 3; i++) {
            hub_list_push(&l, &m[i].link, &m[i]);
        }
        hub_list_remove(&m[gone].link);
        assert_string_equal(text_of(&l), left[gone]);
        hub_list_remove(&m[gone].link); /* the member is in no list now */
        assert_string_equal(text_of(&l), left[gone]);
        hub_list_push(&l, &m[gone].link, &m[gone]);
        (void)snprintf(again, sizeof again, "%zu%s", gone, left[gone]);
        assert_string_equal(text_of(&l), again);
    }
}

/* Compares the list with an array of the numbers 0 to 4 in any order. */
static void random_changes_agree_with_an_array(void **state)
{
    member m[MEMBERS] = { { .number = 0 } };
    char wanted[MEMBERS + 1] = "";
    hub_list l = { 0 };
    unsigned random = 1;

    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        m[i].number = i;
    }
    for (int step = 0; step < STEPS; step++) {
        random = random * 1103515245u + 12345u;
        size_t i = (random >> 16) % MEMBERS;
        char *at = strchr(wanted, (char)('0' + i));
        if ((random >> 24) % 2 == 0) {
            hub_list_push(&l, &m[i].link, &m[i]);
            if (at == NULL) {
                memmove(wanted + 1, wanted, strlen(wanted) + 1);
                wanted[0] = (char)('0' + i);
            }
        } else {
            hub_list_remove(&m[i].link);
            if (at != NULL) {
                memmove(at, at + 1, strlen(at));
            }
        }
        assert_string_equal(text_of(&l), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_is_pushed_is_the_first),
        cmocka_unit_test(a_member_stays_where_it_is_when_it_is_pushed_again),
        cmocka_unit_test(each_member_can_be_removed_and_pushed_again),
        cmocka_unit_test(random_changes_agree_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
