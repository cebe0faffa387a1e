/* Tests a state directory with one damaged file: the hub starts, serves everything else, never
 * serves data that was not written, and names the file. */

#include "hub_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct content {
    char *data;
    size_t len;
} content;

static char *path_of(const hub_fixture *f, const char *name)
{
    return hub_format("%s/%s", f->dir, name);
}

static content read_content(const hub_fixture *f, const char *name)
{
    char *path = path_of(f, name);
    FILE *file = fopen(path, "r");
    char *data = hub_calloc(1, 1 << 20);

    assert_non_null(file);
    size_t len = fread(data, 1, (1 << 20) - 1, file);
    assert_int_equal(fclose(file), 0);
    free(path);
    return (content){ data, len };
}

static void write_content(const hub_fixture *f, const char *name, const char *data, size_t len)
{
    char *path = path_of(f, name);

    (void)rmdir(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static bool remove_aside(const hub_fixture *f, const char *name)
{
    char *path = hub_format("%s/%s.bad", f->dir, name);
    bool there = unlink(path) == 0 || rmdir(path) == 0;

    free(path);
    return there;
}

/* Returns true if each line of `text` is also a line of `all`, in the same order. */
static bool only_lines_of(const char *text, const char *all)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n") + 1;
        while (*all != '\0' && strncmp(all, text, len) != 0) {
            all += strcspn(all, "\n") + 1;
        }
        if (*all == '\0') {
            return false;
        }
        text += len;
        all += len;
    }
    return true;
}

static size_t lines_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '\n' ? 1 : 0;
    }
    return n;
}

/* Returns how many lines may be missing: the module and the three messages of a device are lost
 * with its file, and both events with theirs. */
static size_t most_lines_lost(const char *name)
{
    return strncmp(name, "identity-", 9) == 0 ? 5 : strncmp(name, "events.", 7) == 0 ? 2 : 1;
}

typedef struct trial {
    hub_fixture *fixture;
    const char *name;
    content good;
    char *expected;
    bool quiet; /* the damage cannot be detected, for example a log that ends one line earlier */
} trial;

/* The file on disk is damaged; restarts the hub, checks it, and repairs the file. */
static void check(const trial *t, const char *how)
{
    hub_fixture *f = t->fixture;

    f->notices[0] = '\0';
    fixture_restart(f);
    char *text = world_describe(&f->hub);
    bool same = strcmp(text, t->expected) == 0;
    if (!only_lines_of(text, t->expected) ||
        lines_of(text) + most_lines_lost(t->name) < lines_of(t->expected)) {
        fail_msg("%s %s:\n%s-- instead of\n%s", t->name, how, text, t->expected);
    }
    if (!same && !t->quiet && strstr(f->notices, t->name) == NULL) {
        fail_msg("%s %s: not reported: %s", t->name, how, f->notices);
    }
    bool aside = remove_aside(f, t->name);
    if (!same && !aside && strstr(t->name, "ndjson") == NULL) {
        fail_msg("%s %s: not set aside", t->name, how);
    }
    free(text);
    hub_close(&f->hub);
    write_content(f, t->name, t->good.data, t->good.len);
    fixture_open(f);
    text = world_describe(&f->hub);
    assert_string_equal(text, t->expected);
    free(text);
}

static void damage(const trial *t, const char *data, size_t len, const char *how)
{
    write_content(t->fixture, t->name, data, len);
    check(t, how);
}

static void truncate_file(const trial *t)
{
    for (size_t len = 0; len < t->good.len; len += 1 + t->good.len / 25) {
        trial cut = *t;
        cut.quiet =
            strstr(t->name, "ndjson") != NULL && (len == 0 || t->good.data[len - 1] == '\n');
        damage(&cut, t->good.data, len, "cut off");
    }
    damage(t, t->good.data, t->good.len - 1, "without its last byte");
}

static void flip_bits(const trial *t)
{
    char *data = hub_memdup(t->good.data, t->good.len);

    for (size_t i = 0; i < t->good.len; i += 1 + t->good.len / 60) {
        for (int bit = 0; bit < 8; bit += 3) {
            data[i] = (char)(data[i] ^ 1 << bit);
            damage(t, data, t->good.len, "with a flipped bit");
            data[i] = t->good.data[i];
        }
    }
    free(data);
}

static void put_something_else(const trial *t)
{
    static const char *const texts[] = {
        "{}", "[]", "null", "5", "\"x\"", "{", "{\"number\":1}", "\n", "{\"sequence\":1}\n", "[]\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        damage(t, texts[i], strlen(texts[i]), texts[i]);
    }
    char *zeros = hub_calloc(1, 1 << 20);
    damage(t, zeros, 1 << 20, "with zeros");
    free(zeros);
}

static void make_it_huge(const trial *t)
{
    size_t len = (size_t)20 << 20;
    char *data = hub_calloc(1, len);

    memset(data, 'x', len);
    memcpy(data, t->good.data, t->good.len);
    damage(t, data, len, "20 MB large");
    data[len - 1] = '\n';
    damage(t, data, len, "20 MB large with a line end");
    free(data);
}

static void make_it_a_directory(const trial *t)
{
    char *path = path_of(t->fixture, t->name);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    check(t, "as a directory");
    free(path);
}

static void sweep(void (*harm)(const trial *t))
{
    hub_fixture *f = world_make();
    struct dirent **entries = NULL;

    fixture_restart(f);
    int count = scandir(f->dir, &entries, NULL, alphasort);
    assert_true(count > 8);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (name[0] != '.') {
            trial t = { f, name, read_content(f, name), world_describe(&f->hub), false };
            harm(&t);
            free(t.good.data);
            free(t.expected);
        }
        free(entries[i]);
    }
    free(entries);
    world_end(f);
}

static void a_file_that_was_cut_off_costs_no_other(void **state)
{
    (void)state;
    sweep(truncate_file);
}

static void a_flipped_bit_shows(void **state)
{
    (void)state;
    sweep(flip_bits);
}

static void a_file_of_another_kind_is_set_aside(void **state)
{
    (void)state;
    sweep(put_something_else);
}

static void a_huge_file_is_set_aside(void **state)
{
    (void)state;
    sweep(make_it_huge);
}

static void a_directory_in_place_of_a_file_is_set_aside(void **state)
{
    (void)state;
    sweep(make_it_a_directory);
}

/* --- what belongs together ---------------------------------------------- */

static void modules_and_messages_wait_for_the_repair_of_their_device(void **state)
{
    (void)state;
    hub_fixture *f = world_make();
    char *expected = NULL;
    hub_exchange x = { .fixture = f };

    fixture_restart(f);
    expected = world_describe(&f->hub);
    char *name = hub_identity_file(fixture_device(f, "a")->number);
    content good = read_content(f, name);
    write_content(f, name, "{", 1);
    fixture_restart(f);
    assert_null(hub_registry_find_client(&f->hub.registry, "a"));
    assert_null(hub_registry_find_client(&f->hub.registry, "a/m"));
    fixture_restart(f); /* the damaged file must also survive a second start */
    assert_int_equal(hub_ask(&x, "PUT", "/devices/other", "{}"), 200);
    assert_int_equal(hub_ask(&x, "DELETE", "/devices/other", NULL), 204);
    hub_close(&f->hub);
    assert_true(remove_aside(f, name));
    write_content(f, name, good.data, good.len);
    fixture_open(f);
    char *text = world_describe(&f->hub);
    assert_string_equal(text, expected);
    hub_exchange_end(&x);
    free(good.data);
    free(name);
    free(text);
    free(expected);
    world_end(f);
}

static void a_number_whose_file_was_set_aside_is_not_given_again(void **state)
{
    (void)state;
    hub_fixture *f = world_make();
    hub_exchange x = { .fixture = f };
    unsigned last = f->hub.registry.identities.last_number;
    char *name = hub_identity_file(last);

    write_content(f, name, "", 0);
    fixture_restart(f);
    assert_int_equal(hub_ask(&x, "PUT", "/devices/other", "{}"), 200);
    assert_int_equal(fixture_device(f, "other")->number, last + 1);
    hub_exchange_end(&x);
    free(name);
    world_end(f);
}

static void files_of_an_earlier_version_are_read(void **state)
{
    (void)state;
    hub_fixture *f = world_make();
    struct dirent **entries = NULL;

    fixture_restart(f);
    char *expected = world_describe(&f->hub);
    hub_close(&f->hub);
    int count = scandir(f->dir, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            content c = read_content(f, entries[i]->d_name);
            char *check;
            /* Removes the checksum, which files of older versions do not have. */
            while ((check = strstr(c.data, ",\"check\":\"")) != NULL) {
                memmove(check, check + 27, strlen(check + 27) + 1);
            }
            write_content(f, entries[i]->d_name, c.data, strlen(c.data));
            free(c.data);
        }
        free(entries[i]);
    }
    free(entries);
    f->notices[0] = '\0';
    fixture_open(f);
    char *text = world_describe(&f->hub);
    assert_string_equal(text, expected);
    assert_string_equal(f->notices, "");
    free(text);
    free(expected);
    world_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_was_cut_off_costs_no_other),
        cmocka_unit_test(a_flipped_bit_shows),
        cmocka_unit_test(a_file_of_another_kind_is_set_aside),
        cmocka_unit_test(a_huge_file_is_set_aside),
        cmocka_unit_test(a_directory_in_place_of_a_file_is_set_aside),
        cmocka_unit_test(modules_and_messages_wait_for_the_repair_of_their_device),
        cmocka_unit_test(a_number_whose_file_was_set_aside_is_not_given_again),
        cmocka_unit_test(files_of_an_earlier_version_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
