#include "state.h"

void mqc_state_reset(mqc_engine *e)
{
    e->connection.state = MQC_IDLE;
    e->connection.error = MQC_OK;
    e->connection.error_packet = 0;
    e->connection.closing = false;
}

mqc_result mqc_fail(mqc_engine *e, mqc_result error, unsigned packet_type)
{
    e->connection.state = MQC_FAILED;
    e->connection.error = (int8_t)error;
    e->connection.error_packet = (uint8_t)packet_type;
    return error;
}

mqc_state mqc_get_state(const mqc_engine *e)
{
    return (mqc_state)e->connection.state;
}

mqc_result mqc_error(const mqc_engine *e)
{
    return (mqc_result)e->connection.error;
}

const char *mqc_error_packet(const mqc_engine *e)
{
    return mqc_packet_name(e->connection.error_packet);
}
