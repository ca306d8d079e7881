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

/* A file in memory, one for all: its descriptor. */
static inline int fuzz_fd(void)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", 0);
    must(fd >= 0);
    return fd;
}

/* Puts the bytes, and nothing else, into the file. Its pages stay, which is much cheaper than new ones. */
static inline void fuzz_put(const uint8_t *data, size_t size)
{
    must(pwrite(fuzz_fd(), data, size, 0) == (ssize_t)size && !ftruncate(fuzz_fd(), (off_t)size));
}

/* The file opened anew, from its beginning. */
static inline FILE *fuzz_open(const char *mode)
{
    FILE *stream = fdopen(dup(fuzz_fd()), mode);
    must(stream && !fseek(stream, 0, SEEK_SET));
    return stream;
}

/* Its path. */
static inline const char *fuzz_path(void)
{
    static char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fuzz_fd());
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
