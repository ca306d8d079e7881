#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* The temporary at hand, for an exit on the way: out of memory. */
static const char *pending;

static void remove_pending(void)
{
    if (pending)
        unlink(pending);
}

static void note_pending(const char *temporary)
{
    static bool registered;
    pending = temporary;
    registered = registered || !atexit(remove_pending);
}

static void forget(struct rs_outfile *out)
{
    pending = NULL;
    free(out->path);
    free(out->temporary);
    *out = (struct rs_outfile){0};
}

/* Where `path` leads: a link stays, and what it names is replaced. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : rs_strdup(path);
}

/* As mkstemp, but for writing alone, which is all that a sandbox allows in a folder, and with the usual mode. `path`
 * gets its end. */
static int create(char *path, size_t size)
{
    size_t length = strlen(path);
    int fd;
    do {
        uint32_t number;
        if (getrandom(&number, sizeof number, 0) < 0)
            return -1;
        snprintf(path + length, size - length, ".%08" PRIx32, number);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

const char *rs_outfile_open(struct rs_outfile *out, const char *path)
{
    struct stat status;
    bool there = !stat(path, &status);
    if (there && !S_ISREG(status.st_mode))
        return rs_error("not a regular file, which alone can be replaced");
    if (!there && !lstat(path, &status)) /* it would be replaced itself */
        return rs_error("a link to what is not there");
    *out = (struct rs_outfile){.path = resolve(path)};
    size_t size = strlen(out->path) + sizeof ".12345678";
    out->temporary = rs_alloc(size, 1);
    strcpy(out->temporary, out->path);
    int fd = create(out->temporary, size);
    if (fd < 0) {
        int number = errno;
        forget(out);
        return rs_error("%s", strerror(number));
    }
    note_pending(out->temporary);
    out->file = fdopen(fd, "wb");
    if (!out->file) {
        const char *error = rs_error("%s", strerror(errno));
        close(fd);
        rs_outfile_abort(out);
        return error;
    }
    return NULL;
}

static void sync_directory(const char *path)
{
    char *copy = rs_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

const char *rs_outfile_commit(struct rs_outfile *out)
{
    errno = 0;
    bool failed = ferror(out->file) || fflush(out->file) || fsync(fileno(out->file));
    int number = errno;
    if (fclose(out->file) && !failed) {
        failed = true;
        number = errno;
    }
    out->file = NULL;
    if (!failed && rename(out->temporary, out->path)) {
        failed = true;
        number = errno;
    }
    if (failed) {
        rs_outfile_abort(out);
        return rs_error_write(number);
    }
    sync_directory(out->path);
    forget(out);
    return NULL;
}

void rs_outfile_abort(struct rs_outfile *out)
{
    if (out->file)
        fclose(out->file);
    if (out->temporary)
        unlink(out->temporary);
    forget(out);
}

const char *rs_outfile_try(const char *path)
{
    struct rs_outfile out;
    const char *error = rs_outfile_open(&out, path);
    if (!error)
        rs_outfile_abort(&out);
    return error;
}
