/* Passes every truncation, and many changes of every byte, of each certificate in a directory to
 * fuzz_certificate.
 *
 *     certificate_sweep DIRECTORY */

#include <dirent.h>

#include "fuzz.h"
#include "wolfssl/x509/certificate.h"

enum { LONGEST = 8192 };

/* Passes a copy on the heap, so that the sanitizer detects a read past its end. */
static void try(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void truncate_everywhere(const uint8_t *bytes, size_t len)
{
    plat_certificate c;
    for (size_t n = 0; n < len; n++) {
        FUZZ_CHECK(!plat_certificate_read(&c, (plat_der){ bytes, n }));
        try(bytes, n);
    }
}

static void change_everywhere(uint8_t *bytes, size_t len)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF };
    for (size_t at = 0; at < len; at++) {
        const uint8_t was = bytes[at];
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] = (uint8_t)(was ^ 1u << bit);
            try(bytes, len);
        }
        for (size_t i = 0; i < sizeof values; i++) {
            bytes[at] = values[i];
            try(bytes, len);
        }
        bytes[at] = was;
    }
}

static void sweep(const char *path)
{
    uint8_t bytes[LONGEST];
    FILE *f = fopen(path, "rb");
    FUZZ_CHECK(f != NULL);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    truncate_everywhere(bytes, len);
    change_everywhere(bytes, len);
}

int main(int argc, char **argv)
{
    DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    unsigned count = 0;
    if (directory == NULL) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(directory)) != NULL) {
        char path[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
            sweep(path);
            count++;
        }
    }
    (void)closedir(directory);
    printf("%u certificates\n", count);
    return count > 0 ? 0 : 1;
}
