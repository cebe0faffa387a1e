#include <stdlib.h>

#include "client_life.h"

/* A random generator with a seed, so that each run can be repeated. */
typedef struct soak {
    client_life life; /* first */
    uint32_t seed;
} soak;

static uint32_t roll(client_life *l, uint32_t sides)
{
    soak *s = (soak *)l;

    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % sides;
}

static void live(uint32_t seed, bool hostile, bool stored)
{
    soak *s = calloc(1, sizeof *s);

    s->seed = seed;
    s->life.roll = roll;
    s->life.hostile = hostile;
    s->life.stored = stored;
    client_life_begin(&s->life);
    for (int n = 0; n < 3000; n++) {
        client_life_step(&s->life);
    }
    client_life_end(&s->life);
    assert_true(s->life.accepted > 100);
    assert_true(s->life.replaced > 10);
    free(s);
}

static void each_request_ends_once_whatever_happens(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        live(seed, false, false);
    }
}

static void each_request_ends_once_with_a_hub_that_lies_and_breaks_the_rules(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        live(seed, true, false);
    }
}

static void each_request_ends_once_with_a_store_that_fails(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        live(seed, seed % 2 == 0, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_ends_once_whatever_happens),
        cmocka_unit_test(each_request_ends_once_with_a_hub_that_lies_and_breaks_the_rules),
        cmocka_unit_test(each_request_ends_once_with_a_store_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
