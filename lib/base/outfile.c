#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

static void forget(struct rs_outfile *out)
{
    free(out->path);
    free(out->temporary);
    *out = (struct rs_outfile){0};
}

const char *rs_outfile_open(struct rs_outfile *out, const char *path)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    *out = (struct rs_outfile){.path = rs_strdup(path), .temporary = rs_alloc(size, 1)};
    snprintf(out->temporary, size, "%s.XXXXXX", path);
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd < 0) {
        int number = errno;
        forget(out);
        return rs_error("%s", strerror(number));
    }
    mode_t mask = umask(0); /* mkstemp makes files for the owner alone; a model is an ordinary file */
    umask(mask);
    fchmod(fd, 0666 & ~mask);
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
