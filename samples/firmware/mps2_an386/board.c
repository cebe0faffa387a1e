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

static volatile uint32_t ticks_low, ticks_high;

void board_on_systick(void);

void board_on_systick(void)
{
    ticks_low++;
    if (ticks_low == 0) {
        ticks_high++;
    }
}

static uint64_t monotonic_ms(const plat_clock *self)
{
    uint32_t high, low;

    (void)self;
    do { /* an interrupt between the two reads may carry */
        high = ticks_high;
        low = ticks_low;
    } while (high != ticks_high);
    return ((uint64_t)high << 32) | low;
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
