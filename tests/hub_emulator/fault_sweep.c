#include "fault_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faulty_disk.h"

typedef struct expected {
    const fault_world *world;
    const fault_request *request;
    char *before;
    char *after;
} expected;

static void expect(hub_fixture *f, const expected *e, const char *one, const char *other,
                   const char *when, unsigned call)
{
    char *text = e->world->describe(f);

    if (strcmp(text, one) != 0 && strcmp(text, other) != 0) {
        fail_msg("%s, call %u, %s:\n%s-- instead of\n%s-- or\n%s-- %s", e->request->name, call,
                 when, text, one, other, f->notices);
    }
    free(text);
}

static void restart(hub_fixture *f, const expected *e, const char *one, const char *other,
                    const char *when, unsigned call)
{
    e->world->restart(f);
    expect(f, e, one, other, when, call);
    if (e->world->check != NULL) {
        e->world->check(f);
    }
}

/* --- failures --- */

static bool fail_in_call(const expected *e, faulty_mode mode, unsigned call, int error)
{
    hub_fixture *f = e->world->make();

    faulty_disk(mode, call, error);
    bool ok = e->request->make(f);
    bool reached = faulty_disk_end();
    const char *now = ok ? e->after : e->before;

    expect(f, e, now, now, ok ? "after success" : "after failure", call);
    restart(f, e, now, now, ok ? "restarted after success" : "restarted after failure", call);
    e->world->end(f);
    return reached;
}

static void sweep_failures(const expected *e)
{
    static const int errors[] = { ENOSPC, EIO, EMFILE };
    unsigned calls = 0;

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        for (calls = 0; fail_in_call(e, FAULTY_ONCE, calls, errors[i]); calls++) {
        }
        for (calls = 0; fail_in_call(e, FAULTY_FROM_NOW_ON, calls, errors[i]); calls++) {
        }
    }
    assert_true(calls > 0);
}

/* --- kills --- */

static bool kill_in_call(const expected *e, faulty_mode mode, unsigned call)
{
    hub_fixture *f = e->world->make();
    int status;

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faulty_disk(mode, call, 0);
        (void)e->request->make(f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    bool killed = WEXITSTATUS(status) == FAULTY_KILLED;
    restart(f, e, killed ? e->before : e->after, e->after, "after a kill", call);
    e->world->end(f);
    return killed;
}

static void sweep_kills(const expected *e)
{
    unsigned calls;

    for (calls = 0; kill_in_call(e, FAULTY_KILL_BEFORE, calls); calls++) {
    }
    assert_true(calls > 0);
    for (calls = 0; kill_in_call(e, FAULTY_KILL_AFTER, calls); calls++) {
    }
}

/* --- all requests --- */

static char *describe_after(const fault_world *w, const fault_request *r, bool made)
{
    hub_fixture *f = w->make();

    assert_true(!made || r->make(f));
    char *text = w->describe(f);
    w->restart(f);
    char *restarted = w->describe(f);
    assert_string_equal(text, restarted);
    free(restarted);
    w->end(f);
    return text;
}

static void sweep(const fault_world *w, void (*one)(const expected *e))
{
    for (size_t i = 0; i < w->count; i++) {
        expected e = {
            .world = w,
            .request = &w->requests[i],
            .before = describe_after(w, &w->requests[i], false),
            .after = describe_after(w, &w->requests[i], true),
        };
        assert_string_not_equal(e.before, e.after);
        one(&e);
        free(e.before);
        free(e.after);
    }
}

void fault_sweep_failures(const fault_world *world)
{
    sweep(world, sweep_failures);
}

void fault_sweep_kills(const fault_world *world)
{
    sweep(world, sweep_kills);
}
