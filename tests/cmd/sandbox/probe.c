/* To be preloaded into a tool: when it first reads anything, or at the end if it reads nothing, tries what a sandboxed
 * tool must not do, in its main thread, in one that was there before main, and in one that starts then. PROBE_REPORT
 * gets a line each: thread, attempt, "allowed" or the error. PROBE_ELSEWHERE is a folder with a file `file`,
 * PROBE_BESIDE another. With PROBE_OLD the kernel seems to have neither Landlock nor seccomp, and nothing is tried. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int report;
static char inside[4096], made[4096], folder[4096], beside[4096], new_beside[4096];
static sem_t asked, answered;

static void tell(const char *thread, const char *attempt, long result)
{
    dprintf(report, "%s\t%s\t%s\n", thread, attempt, result < 0 ? strerrorname_np(errno) : "allowed");
}

static long open_and_close(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);
    return fd < 0 ? fd : close(fd);
}

static void try_files(const char *thread)
{
    tell(thread, "read a file", open_and_close(inside, O_RDONLY));
    tell(thread, "list a folder", open_and_close(folder, O_RDONLY | O_DIRECTORY));
    tell(thread, "write a file", open_and_close(inside, O_WRONLY));
    tell(thread, "make a file", open_and_close(made, O_WRONLY | O_CREAT));
    tell(thread, "make a folder", mkdir(made, 0777));
    tell(thread, "make a link", symlink("/", made));
    tell(thread, "rename a file", rename(inside, made));
    tell(thread, "remove a file", unlink(inside));
    tell(thread, "read beside", open_and_close(beside, O_RDONLY));
    tell(thread, "make beside", open_and_close(new_beside, O_WRONLY | O_CREAT));
}

static void try_calls(const char *thread)
{
    char *words[] = {"true", NULL}, *none[] = {NULL};
    char zeros[256] = {0};
    tell(thread, "socket inet", socket(AF_INET, SOCK_STREAM, 0));
    tell(thread, "socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
    tell(thread, "socket netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    tell(thread, "socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
    tell(thread, "io_uring", syscall(SYS_io_uring_setup, 1, zeros));
    tell(thread, "ptrace", ptrace(PTRACE_PEEKDATA, 0, NULL, NULL));
    tell(thread, "chmod", chmod(inside, 0600));
    tell(thread, "chown", chown(inside, getuid(), getgid()));
    tell(thread, "truncate", truncate(inside, 0));
    tell(thread, "type", ioctl(STDERR_FILENO, TIOCSTI, "x"));
    tell(thread, "execveat", syscall(SYS_execveat, AT_FDCWD, "/nonesuch", words, none, 0));
    tell(thread, "execve", execve("/nonesuch", words, none));
}

static void try_all(const char *thread)
{
    try_files(thread);
    try_calls(thread);
}

static void *wait_and_try(void *name)
{
    while (sem_wait(&asked))
        ;
    try_all(name);
    sem_post(&answered);
    return NULL;
}

static void start_thread(const char *name)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_and_try, (void *)name))
        abort();
    pthread_detach(thread);
}

static void run_thread(void)
{
    sem_post(&asked);
    while (sem_wait(&answered))
        ;
}

static void try_everywhere(void)
{
    static bool tried;
    if (tried || getenv("PROBE_OLD"))
        return;
    tried = true;
    int saved = errno;
    try_all("main");
    run_thread();
    start_thread("newer");
    run_thread();
    errno = saved;
}

/* The report is opened while it can be, and out of the way of the tool's files. */
__attribute__((constructor)) static void prepare(void)
{
    const char *elsewhere = getenv("PROBE_ELSEWHERE"), *other = getenv("PROBE_BESIDE");
    int fd = open(getenv("PROBE_REPORT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    report = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    close(fd);
    snprintf(folder, sizeof folder, "%s", elsewhere);
    snprintf(inside, sizeof inside, "%s/file", elsewhere);
    snprintf(made, sizeof made, "%s/new", elsewhere);
    snprintf(beside, sizeof beside, "%s/file", other);
    snprintf(new_beside, sizeof new_beside, "%s/new", other);
    sem_init(&asked, 0, 0);
    sem_init(&answered, 0, 0);
    start_thread("older");
}

__attribute__((destructor)) static void at_the_end(void)
{
    try_everywhere();
}

int getc(FILE *stream)
{
    int (*real)(FILE *) = dlsym(RTLD_NEXT, "getc");
    try_everywhere();
    return real(stream);
}

size_t fread(void *to, size_t size, size_t count, FILE *stream)
{
    size_t (*real)(void *, size_t, size_t, FILE *) = dlsym(RTLD_NEXT, "fread");
    try_everywhere();
    return real(to, size, count, stream);
}

/* What the tools call the kernel by where the C library has no function. */
long syscall(long number, ...)
{
    long (*real)(long, ...) = dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (getenv("PROBE_OLD") &&
        ((number >= SYS_landlock_create_ruleset && number <= SYS_landlock_restrict_self) ||
         number == SYS_seccomp)) {
        dprintf(report, "main\tasked\t%ld\n", number);
        errno = ENOSYS;
        return -1;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
