/* What the emulator does for the program: arguments, wall clock, entropy and the exit. A real board
 * replaces this file. Calls: "Semihosting for AArch32 and AArch64", chapter "Semihosting
 * operations". */
#include <stdbool.h>
#include <string.h>

#include "board.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_READ = 0x06,
    SYS_TIME = 0x11,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};
enum { OPEN_RB = 1 };
#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

static intptr_t call(int operation, const void *arguments)
{
    register intptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

_Noreturn void board_exit(int code)
{
    const uintptr_t arguments[] = { ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)code };

    for (;;) {
        call(SYS_EXIT_EXTENDED, arguments);
    }
}

bool board_command_line(char *line, size_t cap)
{
    uintptr_t arguments[] = { (uintptr_t)line, cap };

    return call(SYS_GET_CMDLINE, arguments) == 0 && memchr(line, '\0', cap) != NULL;
}

int64_t board_wall_s(void)
{
    const intptr_t seconds = call(SYS_TIME, NULL);

    return seconds > 0 ? seconds : 0;
}

bool board_entropy(void *out, size_t len)
{
    static const char path[] = "/dev/urandom";
    const uintptr_t open[] = { (uintptr_t)path, OPEN_RB, sizeof path - 1 };
    const intptr_t file = call(SYS_OPEN, open);
    if (file < 0) {
        return false;
    }
    const uintptr_t read[] = { (uintptr_t)file, (uintptr_t)out, len };
    const bool ok = call(SYS_READ, read) == 0; /* the number of bytes that were not read */
    const uintptr_t close[] = { (uintptr_t)file };
    call(SYS_CLOSE, close);
    return ok;
}
