/* Runs a target without a fuzzer: with the files of its corpus, then with a fixed number of
 * mutations of them, which are the same each time.
 *
 *     fuzz_x FILE_OR_DIRECTORY... [--mutations N] [--seed N]
 *
 * A child process does the work. If it fails, the parent writes the input to crash-<target>. */

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum { FILES_MAX = 512, INPUT_MAX = 4096 };

typedef struct blob {
    size_t len;
    uint8_t bytes[INPUT_MAX];
} blob;

static blob *corpus[FILES_MAX]; /* never freed, because it is needed until the end */
static size_t corpus_count;
static blob *current; /* lies in memory that is shared with the parent process */
static uint64_t seed = 1;

static uint32_t roll(size_t sides)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % sides);
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    FUZZ_CHECK(file != NULL && corpus_count < FILES_MAX);
    blob *b = calloc(1, sizeof *b);
    FUZZ_CHECK(b != NULL);
    b->len = fread(b->bytes, 1, sizeof b->bytes, file);
    (void)fclose(file);
    corpus[corpus_count++] = b;
}

static void add_directory(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);

    FUZZ_CHECK(n >= 0);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            char name[4096];
            (void)snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            add_file(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void add(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        perror(path);
        exit(2);
    }
    if (S_ISDIR(info.st_mode)) {
        add_directory(path);
    } else {
        add_file(path);
    }
}

/* --- mutations ------------------------------------------------------------------------ */

static void erase(blob *b)
{
    size_t at = roll(b->len);
    size_t n = 1 + roll(b->len - at);

    memmove(b->bytes + at, b->bytes + at + n, b->len - at - n);
    b->len -= n;
}

static void insert(blob *b, const uint8_t *bytes, size_t n)
{
    size_t at = roll(b->len + 1);

    n = n < INPUT_MAX - b->len ? n : INPUT_MAX - b->len;
    memmove(b->bytes + at + n, b->bytes + at, b->len - at);
    memcpy(b->bytes + at, bytes, n);
    b->len += n;
}

static void insert_from(blob *b, const blob *from)
{
    if (from->len > 0) {
        uint8_t part[64];
        size_t at = roll(from->len);
        size_t n = 1 + roll(from->len - at < sizeof part ? from->len - at : sizeof part);
        memcpy(part, from->bytes + at, n);
        insert(b, part, n);
    }
}

static void mutate(blob *b)
{
    static const uint8_t edges[] = { 0, 1, 0x7F, 0x80, 0xFF, ' ', '"', '%', '&', '/', '=', ';' };
    const uint8_t any = (uint8_t)roll(256);

    if (b->len == 0) {
        insert_from(b, corpus[roll(corpus_count)]);
        return;
    }
    switch (roll(7)) {
    case 0: b->bytes[roll(b->len)] ^= (uint8_t)(1u << roll(8)); break;
    case 1: b->bytes[roll(b->len)] = any; break;
    case 2: b->bytes[roll(b->len)] = edges[roll(sizeof edges)]; break;
    case 3: erase(b); break;
    case 4: insert(b, &any, 1); break;
    case 5: insert_from(b, b); break;
    default: insert_from(b, corpus[roll(corpus_count)]); break;
    }
}

static void run(const blob *b)
{
    *current = *b;
    /* An exact allocation, so that the sanitizer detects a read past its end. */
    uint8_t *exact = malloc(b->len > 0 ? b->len : 1);

    FUZZ_CHECK(exact != NULL);
    memcpy(exact, b->bytes, b->len);
    (void)LLVMFuzzerTestOneInput(exact, b->len);
    free(exact);
}

static void work(unsigned long mutations)
{
    for (size_t i = 0; i < corpus_count; i++) {
        run(corpus[i]);
    }
    for (unsigned long i = 0; i < mutations; i++) {
        blob b = *corpus[roll(corpus_count)];
        for (uint32_t n = 1 + roll(4); n > 0; n--) {
            mutate(&b);
        }
        run(&b);
    }
}

static int report(const char *program)
{
    const char *slash = strrchr(program, '/');
    char name[256];

    (void)snprintf(name, sizeof name, "crash-%s", slash != NULL ? slash + 1 : program);
    FILE *file = fopen(name, "wb");
    if (file != NULL) {
        (void)fwrite(current->bytes, 1, current->len, file);
        (void)fclose(file);
    }
    fprintf(stderr, "failed; the input is kept in %s\n", name);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0;
    int status = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutations") == 0 && i + 1 < argc) {
            mutations = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            add(argv[i]);
        }
    }
    if (corpus_count == 0) {
        fprintf(stderr, "usage: %s FILE_OR_DIRECTORY... [--mutations N] [--seed N]\n", argv[0]);
        return 2;
    }
    current =
        mmap(NULL, sizeof *current, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FUZZ_CHECK(current != MAP_FAILED);

    printf("%zu files and %lu mutations\n", corpus_count, mutations);
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(mutations);
        exit(0);
    }
    FUZZ_CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status == 0 ? 0 : report(argv[0]);
}
