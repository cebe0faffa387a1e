#include "conformance/conf_run.h"

#include <string.h>

enum { LINE = 200 };

struct line {
    char text[LINE];
    size_t len;
};

static void put(struct line *l, const char *text)
{
    const size_t room = LINE - 1 - l->len;
    const size_t len = strlen(text);
    const size_t n = len < room ? len : room;

    memcpy(l->text + l->len, text, n);
    l->len += n;
    l->text[l->len] = '\0';
}

static void put_number(struct line *l, unsigned n)
{
    char digits[12];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(l, digits + at);
}

static void print(const struct conf_run *run, const struct line *l)
{
    run->c->print(run->c->user, l->text);
}

void conf_run_begin(struct conf_run *run, const plat_conformance *c, struct conf_bytes *bytes)
{
    *run = (struct conf_run){ .c = c, .in = bytes->in, .out = bytes->out };
}

void conf_run_group(struct conf_run *run, const char *name)
{
    struct line l = { .len = 0 };

    put(&l, "checking ");
    put(&l, name);
    print(run, &l);
}

void conf_run_leave_out(struct conf_run *run, const char *name, const char *why)
{
    struct line l = { .len = 0 };

    put(&l, "not checked: ");
    put(&l, name);
    put(&l, ", because ");
    put(&l, why);
    print(run, &l);
    run->left_out++;
}

bool conf_run_rule(struct conf_run *run, bool holds, const char *function, const char *rule)
{
    struct line l = { .len = 0 };

    run->rules++;
    if (holds) {
        return true;
    }
    run->broken++;
    put(&l, "BROKEN ");
    put(&l, function);
    put(&l, ": ");
    put(&l, rule);
    print(run, &l);
    return false;
}

void conf_run_end(struct conf_run *run)
{
    struct line l = { .len = 0 };

    put_number(&l, run->rules);
    put(&l, " rules checked, ");
    put_number(&l, run->broken);
    put(&l, " broken, ");
    put_number(&l, run->left_out);
    put(&l, " groups left out");
    print(run, &l);
}

uint64_t conf_run_now(const struct conf_run *run)
{
    const plat_clock *clock = run->c->platform->clock;

    return clock->monotonic_ms(clock);
}

void conf_run_sleep(const struct conf_run *run, uint32_t ms)
{
    const plat_net *net = run->c->platform->net;
    const uint64_t begin = conf_run_now(run);

    for (uint32_t i = 0; i <= ms; i++) { /* each wait may return early */
        const uint64_t passed = conf_run_now(run) - begin;
        if (passed >= ms) {
            return;
        }
        net->wait(net, NULL, 0, (int)(ms - passed));
    }
}

uint8_t conf_run_byte(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}
