/* Gives up what a filter has no use for once its files are named, so that a mistake in a reader is worth little to
 * whoever feeds it: no other program, no socket, no file but those named here. By Landlock (files) and seccomp
 * (calls to the kernel), in every thread there is or will be. Nothing here fails: what the kernel does not have is
 * left out, and all of it where the environment has RS_SANDBOX=0. */
#ifndef RS_BASE_SANDBOX_H
#define RS_BASE_SANDBOX_H

#include <stdint.h>

struct rs_sandbox {
    int ruleset;      /* a descriptor, or -1: no Landlock */
    uint64_t handled; /* the rights that this kernel can take away */
};

struct rs_sandbox rs_sandbox_start(void);

/* `path` may be opened for reading, if it is there by now. */
void rs_sandbox_read(const struct rs_sandbox *box, const char *path);

/* `path` may be read and written, and replaced by base/outfile.h, for which files of its folder may be written, made
 * and removed, not read. A device or a pipe may be written, and its folder is left alone. */
void rs_sandbox_write(const struct rs_sandbox *box, const char *path);

/* From here on nothing else; closes what rs_sandbox_start opened. Calls that are refused fail as EPERM, files as
 * EACCES. */
void rs_sandbox_enter(struct rs_sandbox *box);

#endif
