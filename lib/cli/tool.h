/* What every command shares: its options, its messages, its way out. Only cmd/ includes this; nothing below
 * exits.
 *
 * A command is three beats: rs_tool_begin parses the options that one table describes (the same table prints
 * -help and is what the manual is held to), a loop does the work, rs_tool_end checks the output and returns
 * main's status. */
#ifndef RS_CLI_TOOL_H
#define RS_CLI_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "format/image.h"

/* Files that options name must say so, RS_INPUT or RS_OUTPUT: others cannot be opened (base/sandbox.h). RS_MODEL
 * is an input that need not be given: rs_tool_model. */
enum rs_option_kind {
    RS_FLAG,
    RS_NEGATED,
    RS_INT,
    RS_REAL,
    RS_PAIR,
    RS_TEXT,
    RS_CHOICE,
    RS_INPUT,
    RS_OUTPUT,
    RS_MODEL
};

/* One option, written -name or --name, its argument as -name=7 or -name 7. */
struct rs_option {
    const char *name;
    enum rs_option_kind kind;
    void *
        value; /* bool (flags), int64_t, double, double[2] ("A,B"), int (index of a choice), else const char * */
    double low, high;     /* of numbers */
    const char *argument; /* its name in -help; for RS_CHOICE the words, "a|b|c" */
    const char *help;
    bool given; /* set by rs_tool_begin */
};

struct rs_tool {
    const char *name, *operands, *purpose; /* operands as in a synopsis, or NULL if it takes none */
    struct rs_option *options;             /* ends with a NULL name */
    bool no_images;     /* the operands are none: without the options of the tools that read images */
    bool runs_programs; /* and so gives up no rights */
    const char *(*kernel)(void); /* names what computes, for -version; or NULL */
};

/* Parses; `*argv` becomes the NULL-ended operands ("-" alone if there are none and the tool takes some).
 * Serves -help (with -verbose as TSV, cli/help.h) and -version. A wrong option or operand ends with one line and
 * status 2. From here on the tool can open the operands and the files of its options, and no others. */
void rs_tool_begin(const struct rs_tool *tool, int argc, char ***argv);

bool rs_tool_given(const char *option); /* whether the option was on the command line */
bool rs_tool_quiet(void);               /* -quiet */
bool rs_tool_verbose(void);             /* -verbose */

/* "tool: where: what" and status 1; rs_error_closed ends quietly with 0. `where` may be NULL. */
_Noreturn void rs_tool_fail(const char *where, const char *error);

/* rs_tool_fail if `error` is a text; nothing if it is NULL. */
void rs_tool_check(const char *where, const char *error);

/* "tool: what" and status 2. */
_Noreturn void rs_tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The summary: one line on stderr, unless -quiet. */
void rs_tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "tool: warning: what" on stderr, -quiet or not. */
void rs_tool_warn(const char *text);

/* `path` if it is not NULL, which an RS_MODEL has set; else the model that came with the program (cli/shipped.h), or
 * rs_tool_fail where there is none. */
const char *rs_tool_model(const char *path);

/* Opens an operand ("-" is stdin), or fails. */
FILE *rs_tool_open(const char *path);

int64_t rs_tool_max_pixels(void); /* -max-pixels: what is made of an image is held to it, too */
void rs_tool_say_image(const struct rs_image *image); /* with -verbose: what it is */

/* rs_image_read, held to -max-pixels. */
const char *rs_tool_read(FILE *stream, struct rs_image *image, bool *more);

/* Calls each(context, image, index) for every image of every operand, index from 0; returns how many. Fails
 * at the first error, the file and the image (counted from 1) named, and where there is no image at all.
 * `image` belongs to the loop. With -verbose, says what each image is. */
uint64_t rs_tool_images(char **paths,
                        const char *(*each)(void *context, struct rs_image *image, uint64_t index),
                        void *context);

/* The loop itself: next(context, stream, number, more) reads and does one item, `number` of them before it in all
 * files, until it says that there are no more. */
uint64_t rs_tool_loop(char **paths,
                      const char *(*next)(void *context, FILE *stream, uint64_t number, bool *more),
                      void *context);

/* "file: image 3": where that loop is, for a message; good while the loop is there. */
const char *rs_tool_here(void);

/* Writes to stdout and counts; fails as "tool: stdout: what". */
void rs_tool_put(const struct rs_image *image);
uint64_t rs_tool_written(void);

/* Flushes and closes stdout, or fails; returns 0. */
int rs_tool_end(void);

#endif
