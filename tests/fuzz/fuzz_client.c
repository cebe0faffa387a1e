/* Tests a complete client on the fake platform. The input decides what the application, the
 * stream, the time and a hostile hub do; client_life.c makes the checks. */

#include "client_life.h"
#include "fuzz.h"

typedef struct world {
    client_life life; /* first */
    fuzz_input in;
} world;

static uint32_t roll(client_life *l, uint32_t sides)
{
    world *w = (world *)l;

    /* At the end of the input, the side on which nothing happens. */
    return w->in.len > 0 ? fuzz_roll(&w->in, sides) : sides - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = calloc(1, sizeof *w);

    FUZZ_CHECK(w != NULL);
    w->in = (fuzz_input){ data, size };
    w->life.roll = roll;
    w->life.hostile = true;
    client_life_begin(&w->life);
    while (w->in.len > 0) {
        client_life_step(&w->life);
    }
    client_life_end(&w->life);
    free(w);
    return 0;
}
