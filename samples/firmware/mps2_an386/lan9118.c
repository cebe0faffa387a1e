#include "lan9118.h"

/* Registers: data sheet of the LAN9118, chapters 5.2 to 5.4. */
#define BASE             0x40200000u
#define REGISTER(offset) (*(volatile uint32_t *)(BASE + (offset)))

#define RX_DATA      REGISTER(0x00)
#define TX_DATA      REGISTER(0x20)
#define RX_STATUS    REGISTER(0x40)
#define TX_STATUS    REGISTER(0x48)
#define BYTE_TEST    REGISTER(0x64)
#define RX_CFG       REGISTER(0x6c)
#define TX_CFG       REGISTER(0x70)
#define HW_CFG       REGISTER(0x74)
#define RX_FIFO_INF  REGISTER(0x7c)
#define TX_FIFO_INF  REGISTER(0x80)
#define MAC_CSR_CMD  REGISTER(0xa4)
#define MAC_CSR_DATA REGISTER(0xa8)

#define BYTE_TEST_VALUE          0x87654321u
#define HW_CFG_RESET             1u
#define HW_CFG_STORE_AND_FORWARD (1u << 20)
#define HW_CFG_TX_FIFO_5_KB      (5u << 16)
#define TX_CFG_ON                2u
#define MAC_BUSY                 (1u << 31)
#define MAC_READ                 (1u << 30)
#define MAC_CR                   1u
#define MAC_ADDRESS_HIGH         2u
#define MAC_ADDRESS_LOW          3u
#define MAC_CR_RECEIVE           (1u << 2)
#define MAC_CR_TRANSMIT          (1u << 3)
#define MAC_CR_FULL_DUPLEX       (1u << 20)
#define MAC_CR_ALL_MULTICAST     (1u << 19)
#define RX_STATUS_ERROR          (1u << 15)
#define TX_FIRST_AND_LAST        ((1u << 13) | (1u << 12))

enum { CHECK_SUM = 4, PATIENCE = 100000, TX_COMMANDS = 8 };

static bool wait_until_clear(volatile uint32_t *reg, uint32_t bit)
{
    for (int i = 0; i < PATIENCE; i++) {
        if ((*reg & bit) == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t mac_read(uint32_t index)
{
    MAC_CSR_CMD = MAC_BUSY | MAC_READ | index;
    return wait_until_clear(&MAC_CSR_CMD, MAC_BUSY) ? MAC_CSR_DATA : 0;
}

static bool mac_write(uint32_t index, uint32_t value)
{
    MAC_CSR_DATA = value;
    MAC_CSR_CMD = MAC_BUSY | index;
    return wait_until_clear(&MAC_CSR_CMD, MAC_BUSY);
}

bool lan9118_init(uint8_t address[6])
{
    if (BYTE_TEST != BYTE_TEST_VALUE) {
        return false;
    }
    HW_CFG = HW_CFG_RESET;
    if (!wait_until_clear(&HW_CFG, HW_CFG_RESET)) {
        return false;
    }
    HW_CFG = HW_CFG_STORE_AND_FORWARD | HW_CFG_TX_FIFO_5_KB;
    const uint32_t low = mac_read(MAC_ADDRESS_LOW);
    const uint32_t high = mac_read(MAC_ADDRESS_HIGH);
    for (int i = 0; i < 4; i++) {
        address[i] = (uint8_t)(low >> (8 * i));
    }
    address[4] = (uint8_t)high;
    address[5] = (uint8_t)(high >> 8);
    TX_CFG = TX_CFG_ON;
    RX_CFG = 0; /* data begin at the first byte of a word */
    return mac_write(MAC_CR,
                     MAC_CR_RECEIVE | MAC_CR_TRANSMIT | MAC_CR_FULL_DUPLEX | MAC_CR_ALL_MULTICAST);
}

static size_t words(size_t len)
{
    return (len + 3) / 4;
}

/* Reads the words of a frame and, behind them, its check sum. */
void lan9118_read(uint32_t *out, size_t len)
{
    const size_t count = words(len);

    for (size_t i = 0; i < words(len + CHECK_SUM); i++) {
        const uint32_t word = RX_DATA;
        if (out != NULL && i < count) {
            out[i] = word;
        }
    }
}

size_t lan9118_received(void)
{
    while (((RX_FIFO_INF >> 16) & 0xff) > 0) {
        const uint32_t status = RX_STATUS;
        const size_t total = (status >> 16) & 0x3fff;
        const size_t len = total > CHECK_SUM ? total - CHECK_SUM : 0;
        if ((status & RX_STATUS_ERROR) == 0 && len > 0) {
            return len;
        }
        lan9118_read(NULL, len);
    }
    return 0;
}

bool lan9118_send(const uint32_t *data, size_t len)
{
    while (((TX_FIFO_INF >> 16) & 0xff) > 0) {
        (void)TX_STATUS; /* nobody asks how earlier frames were sent: TCP repeats them */
    }
    if ((TX_FIFO_INF & 0xffff) < 4 * words(len) + TX_COMMANDS) {
        return false;
    }
    TX_DATA = TX_FIRST_AND_LAST | (uint32_t)len;
    TX_DATA = (uint32_t)len;
    for (size_t i = 0; i < words(len); i++) {
        TX_DATA = data[i];
    }
    return true;
}
