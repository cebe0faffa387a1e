/* UART, clock and sleep of the MPS2 with the image AN386 (Cortex-M4). Registers: Arm's application
 * note AN386 and the manual of the CMSDK. */
#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA             REGISTER(0x40004000u)
#define UART_STATE            REGISTER(0x40004004u)
#define UART_CONTROL          REGISTER(0x40004008u)
#define UART_DIVIDER          REGISTER(0x40004010u)
#define UART_STATE_FULL       1u
#define UART_CONTROL_TRANSMIT 1u
#define UART_DIVIDER_115200   217u

#define SYSTICK_CONTROL               REGISTER(0xe000e010u)
#define SYSTICK_RELOAD                REGISTER(0xe000e014u)
#define SYSTICK_VALUE                 REGISTER(0xe000e018u)
#define SYSTICK_ENABLE_WITH_INTERRUPT 7u
#define CLOCK_HZ                      25000000u

/* A counter of the FPGA, which a second register divides to 1 kHz. */
#define COUNTER         REGISTER(0x40028018u)
#define COUNTER_DIVIDER REGISTER(0x4002801cu)

void board_on_systick(void);

/* Ends a sleep, and nothing else: while interrupts wait, further ones are lost, so they cannot
 * measure time. */
void board_on_systick(void)
{
}

/* Extends the counter of 32 bits, which wraps around after 49 days; a program asks more often. */
static uint64_t monotonic_ms(const plat_clock *self)
{
    static uint64_t time_ms;

    (void)self;
    time_ms += (uint32_t)(COUNTER - (uint32_t)time_ms);
    return time_ms;
}

static int64_t wall_s(const plat_clock *self)
{
    (void)self;
    return board_wall_s();
}

const plat_clock board_clock = { .monotonic_ms = monotonic_ms, .wall_s = wall_s };

void board_init(void)
{
    UART_DIVIDER = UART_DIVIDER_115200;
    UART_CONTROL = UART_CONTROL_TRANSMIT;
    COUNTER_DIVIDER = CLOCK_HZ / 1000 - 1;
    COUNTER = 0;
    SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = SYSTICK_ENABLE_WITH_INTERRUPT;
}

void board_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while ((UART_STATE & UART_STATE_FULL) != 0) {
        }
        UART_DATA = (uint8_t)text[i];
    }
}

void board_sleep(void)
{
    __asm__ volatile("wfi");
}
