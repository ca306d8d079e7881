/* FNV-1a, 64 bits (Fowler, Noll and Vo): tells a damaged file from a sound one; no defence against malice. */
#ifndef RS_BASE_HASH_H
#define RS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define RS_HASH_START 0xcbf29ce484222325u

uint64_t rs_hash(uint64_t hash, const void *data, size_t bytes); /* goes on from `hash` */

#endif
