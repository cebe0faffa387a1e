/* What newlib needs from the system: the console, and memory for its own buffers. */
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "board.h"

extern char board_heap_start[], board_heap_end[]; /* link.ld */

int _write(int file, const char *text, int len);
int _read(int file, char *text, int len);
int _close(int file);
int _fstat(int file, struct stat *out);
int _isatty(int file);
int _lseek(int file, int offset, int whence);
int _getpid(void);
int _kill(int process, int signal);
void *_sbrk(ptrdiff_t len);
_Noreturn void _exit(int code);

int _write(int file, const char *text, int len)
{
    (void)file;
    board_write(text, (size_t)len);
    return len;
}

int _read(int file, char *text, int len)
{
    (void)file;
    (void)text;
    (void)len;
    return 0;
}

int _close(int file)
{
    (void)file;
    return 0;
}

int _fstat(int file, struct stat *out)
{
    (void)file;
    out->st_mode = S_IFCHR;
    return 0;
}

int _isatty(int file)
{
    (void)file;
    return 1;
}

int _lseek(int file, int offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

int _getpid(void)
{
    return 1;
}

int _kill(int process, int signal)
{
    (void)process;
    board_exit(signal);
}

void *_sbrk(ptrdiff_t len)
{
    static char *end = board_heap_start;

    if (len > board_heap_end - end) {
        errno = ENOMEM;
        return (void *)-1; /* NOLINT(performance-no-int-to-ptr): the contract of sbrk */
    }
    char *start = end;
    end += len;
    return start;
}

_Noreturn void _exit(int code)
{
    board_exit(code);
}
