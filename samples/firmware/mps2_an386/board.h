#ifndef BOARD_H
#define BOARD_H

/**
 * @file
 * The board: what a program may use of it. Only the files of this folder know its registers, and
 * only semihosting.c knows that it is emulated.
 */

#include <platform/platform.h>
#include <stddef.h>
#include <stdint.h>

/** Exit codes of the emulator. */
enum { BOARD_EXIT_FAULT = 70, BOARD_EXIT_NO_NETWORK = 71 };

/** The clock. No interrupt handler may call it. Its wall clock is that of the emulator's host. */
extern const plat_clock board_clock;

/** Prepares the UART and the clock. The start-up code calls it before main. */
void board_init(void);

/** Writes bytes to the UART. */
void board_write(const char *text, size_t len);

/** Sleeps until an interrupt; SysTick interrupts each millisecond. */
void board_sleep(void);

/** Returns the bytes of stack that were used at most since the start. */
size_t board_stack_peak(void);

/** Ends the program. */
_Noreturn void board_exit(int code);

/** Copies the command line of the emulator, words separated by spaces. Returns false if it does not
 * fit. */
bool board_command_line(char *line, size_t cap);

/** Returns seconds since 1970, or 0. */
int64_t board_wall_s(void);

/** Fills memory with random bytes that are good enough for keys. Returns false without entropy. */
bool board_entropy(void *out, size_t len);

#endif
