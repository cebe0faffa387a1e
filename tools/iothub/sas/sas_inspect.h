#ifndef SAS_SAS_INSPECT_H
#define SAS_SAS_INSPECT_H

/**
 * Explains a token on standard output. With a key (base64; NULL: none) it also prints whether the
 * token was made with it, and returns EXIT_FAILURE if it was not.
 */
int inspect_token(const char *token, const char *key);

#endif
