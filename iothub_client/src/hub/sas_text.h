#ifndef IOTHUB_SAS_TEXT_H
#define IOTHUB_SAS_TEXT_H

/**
 * @file
 * Writes SAS tokens whose signature is made elsewhere.
 */

#include "text/text_writer.h"

/** A token that is being written. */
typedef struct sas_draft {
    size_t resource_at; /* where its percent-encoded resource begins */
    size_t resource_end;
} sas_draft;

/**
 * Writes the beginning of a token and returns the text that must be signed: the percent-encoded
 * resource, a line feed and the expiry. The text is part of *t until sas_text_end.
 */
mqc_span sas_text_begin(iothub_text *t, mqc_span resource, uint64_t expiry_s, sas_draft *draft);

/** Completes the token. signature is in base64; policy may be empty. */
void sas_text_end(iothub_text *t, const sas_draft *draft, mqc_span signature, uint64_t expiry_s,
                  mqc_span policy);

#endif
