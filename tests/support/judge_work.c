#include "judge_work.h"

#include "wolfssl/x509/signature.h"

judge_work judge_work_done;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): prescribed by ld */
plat_result __real_plat_signature_verify(const plat_signed *s, plat_der key);
plat_result __wrap_plat_signature_verify(const plat_signed *s, plat_der key);
bool __real_plat_der_take(plat_der *in, uint8_t tag, plat_der *content);
bool __wrap_plat_der_take(plat_der *in, uint8_t tag, plat_der *content);

plat_result __wrap_plat_signature_verify(const plat_signed *s, plat_der key)
{
    judge_work_done.signatures++;
    return __real_plat_signature_verify(s, key);
}

bool __wrap_plat_der_take(plat_der *in, uint8_t tag, plat_der *content)
{
    judge_work_done.elements++;
    return __real_plat_der_take(in, tag, content);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
