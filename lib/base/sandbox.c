#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/calls.h"
#include "base/memory.h"

/* Younger than the headers of some systems */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

enum {
    IN_PLACE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE,
    IN_FOLDER = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |
                LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REFER
};

static bool wanted(void)
{
    const char *value = getenv("RS_SANDBOX");
    return !value || strcmp(value, "0");
}

/* All rights that a version knows, one bit each: a kernel refuses a ruleset with a bit it does not know. */
static uint64_t rights_of(long version)
{
    const int bits[] = {0, 13, 14, 15, 15, 16};
    const long last = sizeof bits / sizeof *bits - 1;
    return (1ULL << bits[version < last ? version : last]) - 1;
}

static void allow(const struct rs_sandbox *box, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {rights & box->handled, open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, box->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

/* A folder opens and is then found to be no file, as ever. */
void rs_sandbox_read(const struct rs_sandbox *box, const char *path)
{
    struct stat status;
    if (box->ruleset >= 0 && !stat(path, &status))
        allow(box, path,
              S_ISDIR(status.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : LANDLOCK_ACCESS_FS_READ_FILE);
}

struct rs_sandbox rs_sandbox_start(void)
{
    struct rs_sandbox box = {.ruleset = -1};
    long version =
        wanted() ? syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) : 0;
    if (version < 1)
        return box;
    box.handled = rights_of(version);
    struct landlock_ruleset_attr rules = {.handled_access_fs = box.handled};
    box.ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    rs_sandbox_read(&box, "/dev/urandom"); /* jansson keys its hashes by it */
    return box;
}

static void allow_folder_of(const struct rs_sandbox *box, const char *path)
{
    char *copy = rs_strdup(path);
    allow(box, dirname(copy), IN_FOLDER);
    free(copy);
}

void rs_sandbox_write(const struct rs_sandbox *box, const char *path)
{
    struct stat status;
    bool there = !stat(path, &status);
    if (box->ruleset < 0 || (there && S_ISDIR(status.st_mode)))
        return;
    if (there)
        allow(box, path, IN_PLACE);
    if (there && !S_ISREG(status.st_mode))
        return;
    allow_folder_of(box, path);
    char *real = there ? realpath(path, NULL) : NULL; /* what a link names is replaced where it is */
    if (real)
        allow_folder_of(box, real);
    free(real);
}

/* Landlock binds the thread that asks for it and those it starts. A library may have started some before main, as
 * OpenBLAS does: each of them is interrupted, to ask for itself. */
static int ruleset;
static sem_t restricted;

static void restrict_thread(int number)
{
    int saved = errno;
    (void)number;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_landlock_restrict_self, ruleset, 0);
    sem_post(&restricted);
    errno = saved;
}

/* How many other threads were sent the signal. */
static int interrupt_others(int number)
{
    int sent = 0;
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && (entry = readdir(threads));) {
        pid_t thread = atoi(entry->d_name); /* 0 for "." and ".." */
        if (thread && thread != gettid() && !tgkill(getpid(), thread, number))
            sent++;
    }
    if (threads)
        closedir(threads);
    return sent;
}

/* The signal is one that does nothing if it comes too late. */
static void restrict_all(void)
{
    struct sigaction before, ours = {.sa_handler = restrict_thread, .sa_flags = SA_RESTART};
    struct timespec until;
    sem_init(&restricted, 0, 0);
    sigaction(SIGURG, &ours, &before);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    for (int sent = interrupt_others(SIGURG);
         sent && !TEMP_FAILURE_RETRY(sem_timedwait(&restricted, &until));)
        sent--;
    sigaction(SIGURG, &before, NULL);
    restrict_thread(0);
}

void rs_sandbox_enter(struct rs_sandbox *box)
{
    if (!wanted())
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (box->ruleset >= 0) {
        ruleset = box->ruleset;
        restrict_all();
        close(box->ruleset);
        box->ruleset = -1;
    }
    rs_calls_refuse();
}
