/* Memory: sizes are checked before they are multiplied, and running out ends the process with a message. */
#ifndef RS_BASE_MEMORY_H
#define RS_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* count * size bytes, zeroed; free() it. On overflow or refusal: "tool: out of memory (N x M bytes)", exit 1. */
void *rs_alloc(size_t count, size_t size);

/* Grows or shrinks `old` (NULL at first) to count * size bytes; new bytes are not zeroed. Fails as rs_alloc.
 */
void *rs_realloc(void *old, size_t count, size_t size);

/* Room for one more in an array of `count` things that has grown by nothing else: it doubles. Fails as rs_alloc. */
void *rs_grow(void *old, size_t count, size_t size);

/* A copy of `text` to be freed; fails as rs_alloc. */
char *rs_strdup(const char *text);

/* The sum of one region cut into many arrays, aligned to 64 bytes. Two passes over the same code fill it: the
 * first, on an arena of {0}, counts and gets NULL for every array; rs_arena_reserve then allocates, and the
 * second pass hands out the arrays, zeroed. */
struct rs_arena {
    char *base;        /* NULL while counting */
    size_t size, used; /* bytes */
};

void *rs_arena_take(struct rs_arena *arena, size_t count, size_t size);
void rs_arena_reserve(struct rs_arena *arena); /* after the counting pass */
void rs_arena_free(struct rs_arena *arena);

/* Touches all of it on the pool's threads, each its own pages: two that touch one page at once both wait for it. Where
 * threads are to share arrays; not within rs_parallel. */
void rs_arena_touch(const struct rs_arena *arena);

#endif
