/* To be preloaded: from the start of main to the last of what the tool does at exit, refuses the REFUSE_AT-th request
 * for memory, with REFUSE_ON every one from it on, and writes into the file REFUSE_MARK to say that it came to that.
 * Requests are those of malloc and its kin, and every mmap, of REFUSE_LEAST bytes at least; what comes before and after is
 * the affair of the loader, OpenBLAS and, in a build that counts lines, gcov. OpenBLAS asks for its buffers again until it
 * has them: so much is never refused twice. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

enum { BUFFER = 16 << 20 };

static long at, count;
static size_t least;
static bool running, on;
static int mark;

static bool refused(size_t bytes)
{
    if (!running || bytes < least)
        return false;
    long now = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    if (now < at || (now > at && (!on || bytes >= BUFFER)))
        return false;
    if (now == at)
        (void)!write(mark, "x", 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return refused(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return refused(number * size) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    return refused(size) ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t number, size_t size)
{
    if (refused(number * size))
        return NULL;
    if (!size || number <= SIZE_MAX / size)
        return __libc_realloc(old, number * size);
    errno = ENOMEM;
    return NULL;
}

void *memalign(size_t alignment, size_t size)
{
    return refused(size) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return refused(size) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **to, size_t alignment, size_t size)
{
    if (refused(size))
        return ENOMEM;
    *to = __libc_memalign(alignment, size);
    return *to ? 0 : ENOMEM;
}

void *mmap(void *wanted, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (refused(size))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, wanted, size, protection, flags, fd, offset);
}

/* While files can still be made, and out of the way of those that the tool opens. */
static bool open_mark(const char *name)
{
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    mark = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    close(fd);
    return mark >= 0;
}

static int (*tool)(int, char **, char **);

static void stop(void)
{
    running = false;
}

/* What the tool registers with atexit runs before `stop`, what libraries end with runs behind it. */
static int run(int argc, char **argv, char **environment)
{
    atexit(stop);
    const char *number = getenv("REFUSE_AT"), *bytes = getenv("REFUSE_LEAST");
    at = number ? atol(number) : 0;
    least = bytes ? (size_t)atol(bytes) : 0;
    on = getenv("REFUSE_ON");
    running = at > 0 && strstr(argv[0], "/rs-") && open_mark(getenv("REFUSE_MARK")); /* not what a tool runs */
    return tool(argc, argv, environment);
}

/* Only here is it known that main comes next. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void),
                 void *) = dlsym(RTLD_NEXT, "__libc_start_main");
    tool = main;
    return start(run, argc, argv, init, fini, rtld_fini, stack_end);
}
