#include "state.h"

#include "input.h"

void mqc_state_enter(mqc_engine *e, mqc_state state)
{
    e->state = (uint8_t)state;
}

void mqc_state_reset(mqc_engine *e)
{
    e->state = MQC_IDLE;
    e->error = MQC_OK;
    e->error_packet = 0;
}

mqc_result mqc_fail(mqc_engine *e, mqc_result error, unsigned packet_type)
{
    e->state = MQC_FAILED;
    e->error = (int8_t)error;
    e->error_packet = (uint8_t)packet_type;
    mqc_input_stop(&e->in);
    return error;
}

mqc_state mqc_get_state(const mqc_engine *e)
{
    return (mqc_state)e->state;
}

mqc_result mqc_error(const mqc_engine *e)
{
    return (mqc_result)e->error;
}

const char *mqc_error_packet(const mqc_engine *e)
{
    return mqc_packet_name(e->error_packet);
}
