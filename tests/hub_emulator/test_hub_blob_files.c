/* Tests the files of blobs and blocks. */

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "blobs/blob_files.h"

#define BLOB "device1/a b"

static hub_store store;
static char dir[64];

static int start(void **state)
{
    (void)state;
    (void)strcpy(dir, "/tmp/test_hub_blob_files.XXXXXX");
    assert_non_null(mkdtemp(dir));
    hub_store_open(&store, dir, NULL, NULL);
    return 0;
}

/* Counts the files whose names start with this; removes them if asked to. */
static int files(const char *prefix, bool drop)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    int n = 0;

    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            n++;
            if (drop) {
                (void)unlinkat(dirfd(d), entry->d_name, 0);
            }
        }
    }
    (void)closedir(d);
    return n;
}

static int stop(void **state)
{
    (void)state;
    (void)files("", true);
    hub_store_close(&store);
    return rmdir(dir);
}

static void put(const char *blob, const char *text)
{
    hub_blob_writer w;
    hub_fault fault;

    assert_int_equal(hub_blob_writer_open(&w, &store, &fault), HUB_OK);
    hub_blob_writer_add(&w, text, strlen(text));
    assert_int_equal(hub_blob_writer_end_blob(&w, blob, &fault), HUB_OK);
}

static hub_block_id id_of(char letter)
{
    return (hub_block_id){ .bytes = { (uint8_t)letter }, .len = 1 };
}

static void put_block(const char *blob, char letter, const char *text)
{
    const hub_block_id id = id_of(letter);
    hub_blob_writer w;
    hub_fault fault;

    assert_int_equal(hub_blob_writer_open(&w, &store, &fault), HUB_OK);
    hub_blob_writer_add(&w, text, strlen(text));
    assert_int_equal(hub_blob_writer_end_block(&w, blob, &id, &fault), HUB_OK);
}

static hub_result make(const char *blob, const char *letters, hub_block_source source)
{
    hub_block_item items[8];
    const hub_block_list list = { items, strlen(letters) };
    hub_fault fault;

    for (size_t i = 0; i < list.count; i++) {
        items[i] = (hub_block_item){ id_of(letters[i]), source };
    }
    return hub_blob_make(&store, blob, &list, &fault);
}

static void expect(const char *blob, const char *text)
{
    char got[256];
    hub_blob_info info = { 0 };
    hub_blob_info looked = { 0 };
    int fd = hub_blob_open(&store, blob, &info);

    assert_true(fd >= 0);
    assert_int_equal(info.size, strlen(text));
    assert_int_equal(read(fd, got, sizeof got), (ssize_t)info.size);
    assert_memory_equal(got, text, (size_t)info.size);
    assert_true(hub_blob_look(&store, blob, &looked));
    assert_int_equal(looked.size, info.size);
    assert_int_equal(looked.version, info.version);
    assert_int_equal(looked.changed_ms, info.changed_ms);
    (void)close(fd);
}

static void a_blob_is_replaced_as_a_whole(void **state)
{
    hub_blob_info first;
    hub_blob_info second;

    (void)state;
    assert_int_equal(hub_blob_open(&store, BLOB, &first), -1);
    assert_false(hub_blob_look(&store, BLOB, &first));
    put(BLOB, "one");
    expect(BLOB, "one");
    assert_true(hub_blob_look(&store, BLOB, &first));
    put(BLOB, "");
    assert_true(hub_blob_look(&store, BLOB, &second));
    assert_int_not_equal(first.version, second.version);
    expect(BLOB, "");
    assert_int_equal(files("", false), 1);
}

static void what_is_cancelled_leaves_nothing(void **state)
{
    hub_blob_writer w;
    hub_fault fault;

    (void)state;
    put(BLOB, "old");
    assert_int_equal(hub_blob_writer_open(&w, &store, &fault), HUB_OK);
    hub_blob_writer_add(&w, "new", 3);
    hub_blob_writer_cancel(&w);
    hub_blob_writer_cancel(&w);
    expect(BLOB, "old");
    assert_int_equal(files("", false), 1);
}

/* Names that are long, or differ only in what is encoded. */
static void blobs_have_files_of_their_own(void **state)
{
    char names[4][1100] = { "d/a%2Fb", "d/a/b" };

    (void)state;
    memset(names[2], 'x', 1000);
    memset(names[3], 'x', 1000);
    names[3][999] = 'y';
    for (size_t i = 0; i < 4; i++) {
        char text[2] = { (char)('0' + i), '\0' };
        put(names[i], text);
        put_block(names[i], 'b', text);
    }
    for (size_t i = 0; i < 4; i++) {
        char text[2] = { (char)('0' + i), '\0' };
        expect(names[i], text);
        assert_int_equal(make(names[i], "b", HUB_BLOCK_LATEST), HUB_OK);
        expect(names[i], text);
    }
}

static void a_blob_is_made_of_blocks_in_the_order_of_the_list(void **state)
{
    (void)state;
    put_block(BLOB, 'c', "third");
    put_block(BLOB, 'a', "wrong");
    put_block(BLOB, 'a', "first ");
    put_block(BLOB, 'b', "");
    put_block(BLOB, 'z', "not used");
    assert_int_equal(make(BLOB, "abc", HUB_BLOCK_LATEST), HUB_OK);
    expect(BLOB, "first third");
    assert_int_equal(files("block-", false), 0);
}

static void blocks_of_a_blob_can_be_used_again(void **state)
{
    (void)state;
    put_block(BLOB, 'a', "A");
    put_block(BLOB, 'b', "BB");
    assert_int_equal(make(BLOB, "ab", HUB_BLOCK_UNCOMMITTED), HUB_OK);
    assert_int_equal(make(BLOB, "ab", HUB_BLOCK_LATEST), HUB_OK); /* a repetition changes nothing */
    expect(BLOB, "ABB");
    put_block(BLOB, 'a', "new");
    assert_int_equal(make(BLOB, "bab", HUB_BLOCK_LATEST), HUB_OK);
    expect(BLOB, "BBnewBB");
    assert_int_equal(make(BLOB, "a", HUB_BLOCK_COMMITTED), HUB_OK);
    expect(BLOB, "new");
    assert_int_equal(make(BLOB, "", HUB_BLOCK_LATEST), HUB_OK);
    expect(BLOB, "");
}

static void a_list_with_a_missing_block_changes_nothing(void **state)
{
    (void)state;
    put(BLOB, "old");
    put_block(BLOB, 'a', "A");
    assert_int_equal(make(BLOB, "ab", HUB_BLOCK_LATEST), HUB_ERR_ARGUMENT);
    assert_int_equal(make(BLOB, "a", HUB_BLOCK_COMMITTED), HUB_ERR_ARGUMENT);
    expect(BLOB, "old");
    assert_int_equal(make(BLOB, "a", HUB_BLOCK_LATEST), HUB_OK);
    assert_int_equal(make(BLOB, "a", HUB_BLOCK_UNCOMMITTED), HUB_ERR_ARGUMENT);
    expect(BLOB, "A");
}

static void the_blocks_are_listed_with_their_sizes(void **state)
{
    static const char begin[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
    static const char committed[] = "<CommittedBlocks><Block><Name>YQ==</Name><Size>1</Size>"
                                    "</Block></CommittedBlocks>";
    static const char uncommitted[] = "<UncommittedBlocks><Block><Name>Yg==</Name><Size>2</Size>"
                                      "</Block></UncommittedBlocks>";

    (void)state;
    put_block(BLOB, 'a', "A");
    assert_int_equal(make(BLOB, "a", HUB_BLOCK_LATEST), HUB_OK);
    put_block(BLOB, 'b', "BB");
    put_block("another", 'c', "C");
    for (unsigned which = HUB_BLOB_COMMITTED; which <= HUB_BLOB_ALL; which++) {
        hub_text xml = { 0 };
        char *want = hub_format("%s%s%s</BlockList>", begin,
                                (which & HUB_BLOB_COMMITTED) != 0 ? committed : "",
                                (which & HUB_BLOB_UNCOMMITTED) != 0 ? uncommitted : "");
        hub_blob_list_blocks(&store, BLOB, (hub_blob_blocks)which, &xml);
        assert_string_equal(xml.p, want);
        hub_text_free(&xml);
        free(want);
    }
}

static void what_is_not_complete_is_dropped_for_one_blob_or_at_a_start(void **state)
{
    hub_blob_writer w;
    hub_fault fault;

    (void)state;
    put(BLOB, "kept");
    put_block(BLOB, 'a', "A");
    put_block("another", 'a', "A");
    hub_blob_drop_blocks(&store, BLOB);
    assert_int_equal(files("block-", false), 1);
    assert_int_equal(hub_blob_writer_open(&w, &store, &fault), HUB_OK);
    hub_blob_files_tidy(&store);
    assert_int_equal(files("", false), 1);
    expect(BLOB, "kept");
    hub_blob_writer_cancel(&w);
}

static void a_disk_that_fails_leaves_the_old_blob(void **state)
{
    hub_blob_writer w;
    hub_fault fault;

    (void)state;
    put(BLOB, "old");
    assert_int_equal(hub_blob_writer_open(&w, &store, &fault), HUB_OK);
    (void)close(w.fd); /* the next write fails */
    w.fd = open("/dev/full", O_WRONLY);
    hub_blob_writer_add(&w, "new", 3);
    assert_int_equal(hub_blob_writer_end_blob(&w, BLOB, &fault), HUB_ERR_STATE);
    expect(BLOB, "old");
    (void)files("upload-part-", true);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blob_is_replaced_as_a_whole),
        TEST(what_is_cancelled_leaves_nothing),
        TEST(blobs_have_files_of_their_own),
        TEST(a_blob_is_made_of_blocks_in_the_order_of_the_list),
        TEST(blocks_of_a_blob_can_be_used_again),
        TEST(a_list_with_a_missing_block_changes_nothing),
        TEST(the_blocks_are_listed_with_their_sizes),
        TEST(what_is_not_complete_is_dropped_for_one_blob_or_at_a_start),
        TEST(a_disk_that_fails_leaves_the_old_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
