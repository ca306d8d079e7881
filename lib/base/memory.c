#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/thread.h"

enum { ALIGNMENT = 64, PAGE = 4096, HUGE_PAGE = 1 << 21 };

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "%s: out of memory (%zu x %zu bytes)\n", program_invocation_short_name, count, size);
    exit(1);
}

void *rs_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory(count, size);
    return p;
}

void *rs_realloc(void *old, size_t count, size_t size)
{
    void *p = reallocarray(old, count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory(count, size);
    return p;
}

void *rs_grow(void *old, size_t count, size_t size)
{
    bool full = !(count & (count - 1)); /* a power of two, or none yet */
    return full ? rs_realloc(old, count ? 2 * count : 1, size) : old;
}

char *rs_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(rs_alloc(size, 1), text, size);
}

void *rs_arena_take(struct rs_arena *arena, size_t count, size_t size)
{
    size_t bytes, end;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(arena->used, bytes + ALIGNMENT - 1, &end) || end < bytes)
        out_of_memory(count, size);
    void *p = arena->base ? arena->base + arena->used : NULL;
    arena->used = end / ALIGNMENT * ALIGNMENT;
    return p;
}

/* mmap rather than calloc: huge pages make the first touch several times cheaper. */
void rs_arena_reserve(struct rs_arena *arena)
{
    arena->size = arena->used ? arena->used : ALIGNMENT;
    arena->used = 0;
    arena->base = mmap(NULL, arena->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena->base == MAP_FAILED)
        out_of_memory(1, arena->size);
    madvise(arena->base, arena->size, MADV_HUGEPAGE);
}

static void touch_page(void *context, int number, int worker)
{
    const struct rs_arena *arena = context;
    uintptr_t base = (uintptr_t)arena->base,
              from = base / HUGE_PAGE * HUGE_PAGE + (uintptr_t)number * HUGE_PAGE;
    (void)worker;
    for (uintptr_t at = from < base ? base : from; at < from + HUGE_PAGE && at < base + arena->size;
         at += PAGE)
        *(volatile char *)at = 0;
}

void rs_arena_touch(const struct rs_arena *arena)
{
    size_t pages = arena->size / HUGE_PAGE + 2;
    rs_parallel(touch_page, (void *)(uintptr_t)arena, pages < INT_MAX ? (int)pages : INT_MAX);
}

void rs_arena_free(struct rs_arena *arena)
{
    if (arena->base)
        munmap(arena->base, arena->size);
    *arena = (struct rs_arena){0};
}
