#include "gnuplot/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

/* In memory: no disk can be full half way through a picture, which gnuplot would not notice. */
static const char *open_memory(FILE **file)
{
    int fd = memfd_create("gnuplot", MFD_CLOEXEC);
    *file = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (*file)
        return NULL;
    const char *error = rs_error("%s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return error;
}

const char *rs_gnuplot_open(FILE **script)
{
    return open_memory(script);
}

/* How many bytes the UTF-8 character at `at` has (RFC 3629); 0 if there is none. */
static int character(const unsigned char *at)
{
    int more = at[0] < 0x80   ? 0
               : at[0] < 0xc2 ? -1
               : at[0] < 0xe0 ? 1
               : at[0] < 0xf0 ? 2
               : at[0] < 0xf5 ? 3
                              : -1;
    if (more < 0)
        return 0;
    for (int i = 1; i <= more; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
                 (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f) ||
                 (at[0] == 0xc2 && at[1] < 0xa0);
    return wrong ? 0 : more + 1;
}

static int step(const unsigned char *at)
{
    int bytes = character(at);
    return bytes ? bytes : 1;
}

static size_t characters(const unsigned char *at)
{
    size_t count = 0;
    for (; *at; at += step(at))
        count++;
    return count;
}

static void write_character(FILE *script, const unsigned char *at, int bytes)
{
    if (!bytes || iscntrl(at[0]))
        fputc('?', script);
    else if (isalpha(at[0])) /* not digits: gnuplot would take one for part of the code before it */
        fputc(at[0], script);
    else
        for (int i = 0; i < bytes; i++)
            fprintf(script, "\\%03o", at[i]);
}

void rs_gnuplot_text(FILE *script, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t count = characters(at);
    fputc('"', script);
    if (count > RS_GNUPLOT_TEXT) {
        fputs("...", script);
        for (; count > RS_GNUPLOT_TEXT - 3; count--)
            at += step(at);
    }
    for (; *at; at += step(at))
        write_character(script, at, character(at));
    fputc('"', script);
}

/* Starts it on the three files; its settings are its own (-d), not those of somebody's home. */
static int start(FILE *script, FILE *picture, FILE *messages, pid_t *child)
{
    char *const words[] = {"gnuplot", "-d", "-", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_adddup2(&files, fileno(script), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(picture), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(messages), STDERR_FILENO);
    posix_spawnattr_setsigdefault(&how, &defaults);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF);
    signal(SIGCHLD, SIG_DFL); /* ignored, there would be nothing to wait for */
    unsetenv("GNUTERM");      /* of a terminal that it does not have gnuplot dies; the script sets one */
    int number = posix_spawnp(child, words[0], &files, &how, words, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return number;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* The last line that is not blank, without the blanks around it; "" if there is none. */
static const char *last_line(FILE *messages)
{
    char line[512], last[512] = "";
    rewind(messages);
    while (fgets(line, sizeof line, messages)) {
        size_t length = strlen(line);
        while (length && isspace((unsigned char)line[length - 1]))
            line[--length] = 0;
        if (length)
            strcpy(last, line + strspn(line, " \t"));
    }
    return rs_error("%s", last);
}

static const char not_run[] = "gnuplot, which draws, cannot be run: is it installed (package gnuplot-nox)?";

static const char *outcome(int status, FILE *picture, FILE *messages)
{
    if (status == -1)
        return rs_error("gnuplot: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return rs_error("gnuplot died of signal %d", WTERMSIG(status));
    if (!status && !fseek(picture, 0, SEEK_END) && ftell(picture) > 0)
        return NULL;
    const char *words = last_line(messages);
    if (WEXITSTATUS(status) == 127 && !*words) /* posix_spawn may say so instead of returning an error */
        return not_run;
    return rs_error("gnuplot failed: %s", *words ? words : "without a word");
}

static const char *run(FILE *script, FILE *picture, FILE *messages)
{
    pid_t child;
    errno = 0;
    if (fflush(script) || ferror(script))
        return rs_error_write(errno);
    rewind(script);
    int number = start(script, picture, messages, &child);
    if (number == ENOENT)
        return not_run;
    return number ? rs_error("gnuplot: %s", strerror(number)) : outcome(wait_for(child), picture, messages);
}

const char *rs_gnuplot_draw(FILE *script, FILE **picture)
{
    FILE *messages;
    const char *error = open_memory(picture);
    if (error)
        return error;
    error = open_memory(&messages);
    if (!error) {
        error = run(script, *picture, messages);
        fclose(messages);
    }
    if (error)
        fclose(*picture);
    else
        rewind(*picture);
    return error;
}
