#include "cli/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/number.h"
#include "base/operand.h"
#include "base/progress.h"
#include "base/sandbox.h"
#include "cli/help.h"
#include "cli/shipped.h"
#include "cli/version.h"
#include "format/pam.h"

enum { MOST_OPTIONS = 48 };

static const struct rs_tool *tool;
static bool quiet, verbose, help, version;
static int64_t max_pixels = RS_USUAL_PIXELS;
static uint64_t written;
static const char *here_path;
static uint64_t here_image;

static struct rs_option of_images[] = {
    {"max-pixels", RS_INT, &max_pixels, 1, RS_MAX_PIXELS, "N", .help = "refuse larger images (178956970)"},
    {0},
};

static struct rs_option of_all[] = {
    {"quiet", RS_FLAG, &quiet, .help = "no summary and no progress"},
    {"verbose", RS_FLAG, &verbose, .help = "say what every input is"},
    {"help", RS_FLAG, &help, .help = "show this and exit"},
    {"version", RS_FLAG, &version, .help = "show the version and exit"},
    {0},
};

/* The tool's own, then those that it shares; NULL behind the last. */
static struct rs_option *tables[4];

static void list_tables(void)
{
    int count = 0;
    tables[count++] = tool->options;
    if (tool->operands && !tool->no_images)
        tables[count++] = of_images;
    tables[count] = of_all;
}

static struct rs_option *find(const char *name)
{
    for (struct rs_option **table = tables; *table; table++)
        for (struct rs_option *o = *table; o->name; o++)
            if (!strcmp(o->name, name))
                return o;
    return NULL;
}

bool rs_tool_given(const char *option)
{
    return find(option)->given;
}

bool rs_tool_quiet(void)
{
    return quiet;
}

bool rs_tool_verbose(void)
{
    return verbose;
}

_Noreturn void rs_tool_fail(const char *where, const char *error)
{
    if (error == rs_error_closed)
        exit(0);
    if (where)
        error = rs_error_at(where, error);
    rs_progress_clear();
    fprintf(stderr, "%s: %s\n", tool->name, error);
    exit(1);
}

void rs_tool_check(const char *where, const char *error)
{
    if (error)
        rs_tool_fail(where, error);
}

_Noreturn void rs_tool_usage(const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s: %s (%s -help shows the options)\n", tool->name, rs_error("%s", text), tool->name);
    exit(2);
}

void rs_tool_say(const char *format, ...)
{
    if (quiet)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", tool->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void rs_tool_warn(const char *text)
{
    fprintf(stderr, "%s: warning: %s\n", tool->name, text);
}

static _Noreturn void show_help(void)
{
    if (verbose)
        rs_help_list(tables);
    else
        rs_help_show(tool, tables);
    exit(rs_tool_end());
}

static const char *choose(const struct rs_option *option, const char *word)
{
    int index = 0;
    for (const char *at = option->argument;; index++) {
        size_t length = strcspn(at, "|");
        if (strlen(word) == length && !strncmp(at, word, length)) {
            *(int *)option->value = index;
            return NULL;
        }
        if (!at[length])
            return rs_error("'%s' is not one of %s", word, option->argument);
        at += length + 1;
    }
}

static const char *set(struct rs_option *option, const char *argument)
{
    option->given = true;
    switch (option->kind) {
    case RS_FLAG:
        *(bool *)option->value = true;
        return NULL;
    case RS_NEGATED:
        *(bool *)option->value = false;
        return NULL;
    case RS_INT:
        return rs_parse_int(argument, (int64_t)option->low, (int64_t)option->high, option->value);
    case RS_REAL:
        return rs_parse_real(argument, option->low, option->high, option->value);
    case RS_PAIR:
        return rs_parse_reals(argument, option->low, option->high, 2, option->value);
    case RS_TEXT:
    case RS_INPUT:
    case RS_OUTPUT:
    case RS_MODEL:
        *(const char **)option->value = argument;
        return argument[0] ? NULL : rs_error("an empty name");
    case RS_CHOICE:
        return choose(option, argument);
    }
    return NULL;
}

static int list_options(struct option *list)
{
    int count = 0;
    for (struct rs_option **table = tables; *table; table++)
        for (const struct rs_option *o = *table; o->name && count < MOST_OPTIONS; o++) {
            bool flag = o->kind == RS_FLAG || o->kind == RS_NEGATED;
            list[count++] = (struct option){o->name, flag ? no_argument : required_argument, NULL, 0};
        }
    return count;
}

static void parse(int argc, char **argv)
{
    struct option list[MOST_OPTIONS + 1] = {0};
    list_options(list);
    opterr = 0;
    for (;;) {
        int index = 0;
        int c = getopt_long_only(argc, argv, ":", list, &index);
        if (c == -1)
            return;
        if (c == ':')
            rs_tool_usage("%s wants an argument", argv[optind - 1]);
        if (c == '?')
            rs_tool_usage("%s is not an option", argv[optind - 1]);
        const char *error = set(find(list[index].name), optarg);
        if (error)
            rs_tool_usage("-%s: %s", list[index].name, error);
    }
}

/* Closed descriptors would go to the next files opened, and messages into a log or a model. In their place
 * stands what cannot be used the wrong way either: reading or writing it fails. */
static void fill_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            exit(1);
}

static void allow_option(const struct rs_sandbox *box, const struct rs_option *option)
{
    if (option->given && (option->kind == RS_INPUT || option->kind == RS_MODEL))
        rs_sandbox_read(box, *(const char **)option->value);
    if (option->given && option->kind == RS_OUTPUT)
        rs_sandbox_write(box, *(const char **)option->value);
    if (!option->given && option->kind == RS_MODEL)
        rs_sandbox_read(box, rs_shipped_model());
}

/* The files that are named, and no others. */
static void enter_sandbox(char **operands)
{
    struct rs_sandbox box = rs_sandbox_start();
    for (struct rs_option **table = tables; *table; table++)
        for (const struct rs_option *o = *table; o->name; o++)
            allow_option(&box, o);
    for (; *operands; operands++)
        rs_sandbox_read(&box, *operands);
    rs_sandbox_enter(&box);
}

void rs_tool_begin(const struct rs_tool *described, int argc, char ***argv)
{
    static char *stdin_alone[] = {"-", NULL};
    tool = described;
    list_tables();
    fill_standard();
    signal(SIGPIPE, SIG_IGN); /* a reader that stops early shows as EPIPE, which is no failure */
    parse(argc, *argv);
    if (help)
        show_help();
    if (version) {
        printf("%s (rs-tools) %s\n", tool->name, RS_VERSION);
        if (tool->kernel)
            printf("kernel: %s\n", tool->kernel());
        exit(rs_tool_end());
    }
    *argv += optind;
    if (!**argv && tool->operands)
        *argv = stdin_alone;
    else if (**argv && !tool->operands)
        rs_tool_usage("%s: takes no operand", **argv);
    if (!tool->runs_programs)
        enter_sandbox(*argv);
}

const char *rs_tool_model(const char *path)
{
    if (path)
        return path;
    if (access(rs_shipped_model(), F_OK))
        rs_tool_fail(rs_shipped_model(), "no model came with the program; -model=FILE names one");
    return rs_shipped_model();
}

FILE *rs_tool_open(const char *path)
{
    FILE *file = rs_operand_open(path);
    if (!file)
        rs_tool_fail(path, strerror(errno));
    return file;
}

const char *rs_tool_here(void)
{
    return rs_error("%.500s: image %ju", here_path, (uintmax_t)here_image);
}

void rs_tool_say_image(const struct rs_image *image)
{
    char kind[RS_KIND_SIZE];
    rs_image_kind(image, kind);
    if (verbose)
        rs_tool_say("%s: %s %dx%d, maxval %d", rs_tool_here(), kind, image->width, image->height,
                    image->maxval);
}

int64_t rs_tool_max_pixels(void)
{
    return max_pixels;
}

const char *rs_tool_read(FILE *stream, struct rs_image *image, bool *more)
{
    return rs_image_read(stream, max_pixels, image, more);
}

uint64_t rs_tool_loop(char **paths,
                      const char *(*next)(void *context, FILE *stream, uint64_t number, bool *more),
                      void *context)
{
    uint64_t count = 0;
    for (; *paths; paths++) {
        FILE *stream = rs_tool_open(*paths);
        uint64_t first = count;
        here_path = rs_operand_name(*paths);
        for (bool more = true;; count++) {
            here_image = count - first + 1;
            const char *error = next(context, stream, count, &more);
            if (error)
                rs_tool_fail(rs_tool_here(), error);
            if (!more)
                break;
        }
        if (count == first)
            rs_tool_fail(here_path, "no image in input");
        rs_operand_close(stream);
    }
    return count;
}

struct images {
    struct rs_image image;
    const char *(*each)(void *context, struct rs_image *image, uint64_t index);
    void *context;
};

static const char *next_image(void *context, FILE *stream, uint64_t number, bool *more)
{
    struct images *images = context;
    const char *error = rs_tool_read(stream, &images->image, more);
    if (error || !*more)
        return error;
    rs_tool_say_image(&images->image);
    return images->each(images->context, &images->image, number);
}

uint64_t rs_tool_images(char **paths,
                        const char *(*each)(void *context, struct rs_image *image, uint64_t index),
                        void *context)
{
    struct images images = {.each = each, .context = context};
    uint64_t count = rs_tool_loop(paths, next_image, &images);
    rs_image_free(&images.image);
    return count;
}

void rs_tool_put(const struct rs_image *image)
{
    rs_tool_check("stdout", rs_image_write(stdout, image));
    written++;
}

uint64_t rs_tool_written(void)
{
    return written;
}

int rs_tool_end(void)
{
    errno = 0;
    bool failed = fflush(stdout) || ferror(stdout); /* tries once more what failed before: errno says why */
    int number = errno;
    if (fclose(stdout) && !failed) {
        failed = true;
        number = errno;
    }
    if (failed)
        rs_tool_fail("stdout", rs_error_write(number));
    return 0;
}
