/* From reset to main: vector table, memory, floating-point unit; and what happens on a fault. */
#include <stdio.h>
#include <string.h>

#include "board.h"

extern uint32_t board_data_load[], board_data_start[], board_data_end[]; /* link.ld */
extern uint32_t board_bss_start[], board_bss_end[];
extern uint32_t board_stack_start[], board_stack_end[];

#define CPACR                 (*(volatile uint32_t *)0xe000ed88u)
#define CPACR_FPU_FULL_ACCESS (0xfu << 20)
#define CFSR                  (*(volatile uint32_t *)0xe000ed28u)
#define BFAR                  (*(volatile uint32_t *)0xe000ed38u)

#define STACK_PAINT 0xa5a5a5a5u

int main(void);
void board_reset(void);
void board_hard_fault(void);
void board_report_fault(const uint32_t *frame);
void board_on_systick(void);

typedef void (*handler)(void);

_Noreturn static void unexpected(void)
{
    static const char text[] = "unexpected interrupt\r\n";

    board_write(text, sizeof text - 1);
    board_exit(BOARD_EXIT_FAULT);
}

/* Table B1-4 of the ARMv7-M Architecture Reference Manual. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    handler handlers[15];
} vectors = {
    board_stack_end,
    { board_reset, unexpected, board_hard_fault, unexpected, unexpected, unexpected, NULL, NULL,
      NULL, NULL, unexpected, unexpected, NULL, unexpected, board_on_systick },
};

/* Paints the unused stack, so that board_stack_peak can see how deep it was used. The margin is for
 * the frame of this function. */
static void paint_stack(void)
{
    enum { MARGIN = 256 };
    const uintptr_t end = (uintptr_t)__builtin_frame_address(0) - MARGIN;

    for (volatile uint32_t *p = board_stack_start; (uintptr_t)p < end; p++) {
        *p = STACK_PAINT;
    }
}

size_t board_stack_peak(void)
{
    const uint32_t *p = board_stack_start;

    while (p < board_stack_end && *p == STACK_PAINT) {
        p++;
    }
    return (size_t)((const char *)board_stack_end - (const char *)p);
}

void board_reset(void)
{
    CPACR |= CPACR_FPU_FULL_ACCESS;
    __asm__ volatile("dsb\n isb" ::: "memory");
    memcpy(board_data_start, board_data_load,
           (size_t)((char *)board_data_end - (char *)board_data_start));
    memset(board_bss_start, 0, (size_t)((char *)board_bss_end - (char *)board_bss_start));
    paint_stack();
    board_init();
    board_exit(main());
}

/* Passes on where the processor has stored the registers. After an overflow of the stack that is
 * outside of the memory, so the report gets the whole stack. */
__attribute__((naked)) void board_hard_fault(void)
{
    __asm__ volatile("mrs r0, msp\n"
                     "movw r1, #:lower16:board_stack_start\n"
                     "movt r1, #:upper16:board_stack_start\n"
                     "cmp r0, r1\n"
                     "bhs 1f\n"
                     "movw r1, #:lower16:board_stack_end\n"
                     "movt r1, #:upper16:board_stack_end\n"
                     "mov sp, r1\n"
                     "1: b board_report_fault\n");
}

void board_report_fault(const uint32_t *frame)
{
    static const char *const names[] = { "r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr" };

    printf("hard fault: cfsr %08lx bfar %08lx\n", (unsigned long)CFSR, (unsigned long)BFAR);
    if (frame < board_stack_start) {
        printf("  the stack has overflowed\n");
        board_exit(BOARD_EXIT_FAULT);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        printf("  %-4s %08lx\n", names[i], (unsigned long)frame[i]);
    }
    board_exit(BOARD_EXIT_FAULT);
}
