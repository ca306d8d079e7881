/* What the fuzz targets share. A target is a page with LLVMFuzzerTestOneInput: libFuzzer (`make fuzz`) feeds it
 * bytes of its own making, replay.c those that are kept in corpus/ and found/. */
#ifndef RS_TESTS_FUZZ_H
#define RS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input; where it does not, the process dies of it. */
#define must(condition)                                                                                      \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition), abort()))

/* A stream that reads the bytes. */
static inline FILE *fuzz_stream(const uint8_t *data, size_t size)
{
    FILE *stream = fmemopen((void *)(uintptr_t)data, size, "rb");
    must(stream);
    return stream;
}

/* The path of a file, the same in every call, that holds the bytes. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    must(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

/* The bytes as a text, to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    must(text);
    if (size)
        memcpy(text, data, size);
    return text;
}

#endif
