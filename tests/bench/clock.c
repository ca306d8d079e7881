/* clock PARTS COMMAND...: runs a command that writes PARTS equally long results to its stdout, which is read and
 * thrown away, and prints, seen from outside and alike for every command:
 *
 *   seconds of a process with one result (start and end included, later results not)
 *   seconds from one result to the next (0 where PARTS is 1)
 *   peak resident memory in MiB of the process, which made all of them */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARRIVALS = 1 << 20, CHUNK = 1 << 16 };

/* When how much of the output was there. */
struct arrival {
    double seconds;
    size_t bytes;
};

static struct arrival arrivals[MAX_ARRIVALS];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static pid_t start(char **command, int *output)
{
    int ends[2];
    if (pipe(ends))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(*command, command);
        perror(*command);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

/* How many arrivals there were; too many are an error, 0. */
static size_t drain(int output)
{
    static char chunk[CHUNK];
    size_t count = 0, bytes = 0;
    ssize_t got;
    while ((got = read(output, chunk, sizeof chunk)) > 0) {
        if (count == MAX_ARRIVALS)
            return 0;
        bytes += (size_t)got;
        arrivals[count++] = (struct arrival){now(), bytes};
    }
    return got < 0 ? 0 : count;
}

static double arrived(size_t bytes)
{
    size_t i = 0;
    while (arrivals[i].bytes < bytes)
        i++;
    return arrivals[i].seconds;
}

/* Seconds from one result to the next, from the middle of the first to that of the last: ends may wait in the command's
 * buffer for what follows. */
static double between(size_t bytes, int parts)
{
    size_t half = bytes / (size_t)parts / 2;
    return parts > 1 ? (arrived(bytes - half) - arrived(half)) / (parts - 1) : 0;
}

int main(int argc, char **argv)
{
    int output, status, parts = argc > 2 ? atoi(argv[1]) : 0;
    struct rusage usage;
    if (parts < 1) {
        fputs("usage: clock PARTS COMMAND...\n", stderr);
        return 2;
    }
    double begun = now();
    pid_t child = start(argv + 2, &output);
    size_t count = child > 0 ? drain(output) : 0;
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    double spent = now() - begun;
    if (count == 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "clock: %s failed\n", argv[2]);
        return 1;
    }
    double further = between(arrivals[count - 1].bytes, parts);
    printf("%.4f\t%.4f\t%.1f\n", spent - further * (parts - 1), further, (double)usage.ru_maxrss / 1024);
    return fflush(stdout) ? 1 : 0;
}
