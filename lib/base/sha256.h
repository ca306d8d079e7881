/* SHA-256 (FIPS 180-4, sections 5.1.1 and 6.2): the name of a file by what is in it, as sha256sum(1) prints it. */
#ifndef RS_BASE_SHA256_H
#define RS_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { RS_SHA256_TEXT = 65 }; /* 64 hexadecimal digits and their end */

struct rs_sha256 {
    uint32_t state[8];
    uint64_t bytes; /* so far */
    unsigned char block[64];
};

struct rs_sha256 rs_sha256_start(void);
void rs_sha256_add(struct rs_sha256 *sha, const void *data, size_t bytes);
void rs_sha256_end(struct rs_sha256 *sha, char text[static RS_SHA256_TEXT]); /* lower case */

#endif
