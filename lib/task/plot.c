#include "task/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/operand.h"
#include "base/outfile.h"
#include "base/terminal.h"
#include "gnuplot/gnuplot.h"
#include "plot/curves.h"
#include "plot/training.h"

static const char *read_run(struct rs_run *run, bool growing)
{
    FILE *stream = rs_operand_open(run->path);
    const char *error = stream ? rs_run_read(run, stream, growing) : rs_error("%s", strerror(errno));
    if (stream)
        rs_operand_close(stream);
    return rs_error_at(rs_operand_name(run->path), error);
}

const char *rs_plot_read(struct rs_run *runs, int count, bool growing)
{
    const char *error = NULL;
    for (int i = 0; !error && i < count; i++) {
        rs_table_free(&runs[i].table);
        error = read_run(&runs[i], growing);
    }
    return error ? error : rs_runs_check(runs, count);
}

static struct rs_canvas canvas_of(const struct rs_plot_options *options)
{
    struct rs_terminal terminal = rs_terminal_of(stdout);
    return (struct rs_canvas){.format = options->format,
                              .columns = terminal.columns,
                              .lines = terminal.lines - 1,
                              .colour = terminal.colour && !options->output};
}

static const char *write_script(FILE *script, const struct rs_plot_options *options,
                                const struct rs_run *runs, int count)
{
    struct rs_canvas canvas = canvas_of(options);
    if (runs[0].kind == RS_RUN_LOG)
        return rs_training_script(script, &canvas, runs, count, options->panels, options->smooth);
    return rs_curves_script(script, &canvas, runs, count);
}

/* What gnuplot begins a page with, a form feed, is for printers. */
static const char *copy(FILE *picture, FILE *out, bool text)
{
    int c;
    errno = 0;
    while ((c = getc(picture)) != EOF)
        if (!(text && c == '\f'))
            putc(c, out);
    return fflush(out) || ferror(out) ? rs_error_write(errno) : NULL;
}

static const char *put(FILE *picture, const struct rs_plot_options *options)
{
    struct rs_outfile out;
    bool text = options->format == RS_CANVAS_TEXT;
    if (!options->output)
        return rs_error_at("stdout", copy(picture, stdout, text));
    const char *error = rs_outfile_open(&out, options->output);
    if (!error) {
        error = copy(picture, out.file, text);
        if (error)
            rs_outfile_abort(&out);
        else
            error = rs_outfile_commit(&out);
    }
    return rs_error_at(options->output, error);
}

static const char *draw(const struct rs_plot_options *options, const struct rs_run *runs, int count,
                        bool again)
{
    FILE *script, *picture;
    const char *error = rs_gnuplot_open(&script);
    if (error)
        return error;
    error = write_script(script, options, runs, count);
    if (!error)
        error = rs_gnuplot_draw(script, &picture);
    fclose(script);
    if (error)
        return error;
    if (again && !options->output)
        fputs("\033[H\033[J", stdout);
    error = put(picture, options);
    fclose(picture);
    return error;
}

const char *rs_plot_draw(const struct rs_plot_options *options, const struct rs_run *runs, int count)
{
    return draw(options, runs, count, false);
}

/* By what a change shows. */
struct stamp {
    struct stat file;
    int columns, lines;
};

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->file.st_size == b->file.st_size && a->file.st_ino == b->file.st_ino &&
           a->file.st_mtim.tv_sec == b->file.st_mtim.tv_sec &&
           a->file.st_mtim.tv_nsec == b->file.st_mtim.tv_nsec && a->columns == b->columns &&
           a->lines == b->lines;
}

/* Whether anything has changed since the last call. A file that is gone has, and reading it says so. */
static bool changed(struct stamp *stamps, const struct rs_run *runs, int count)
{
    bool any = false;
    struct rs_terminal terminal = rs_terminal_of(stdout);
    for (int i = 0; i < count; i++) {
        struct stamp now = {.columns = terminal.columns, .lines = terminal.lines};
        if (stat(runs[i].path, &now.file))
            now.file = (struct stat){.st_size = -1};
        any = any || !same(&now, &stamps[i]);
        stamps[i] = now;
    }
    return any;
}

static const char *redraw(const struct rs_plot_options *options, struct rs_run *runs, int count)
{
    const char *error = rs_plot_read(runs, count, true);
    if (!error)
        error = draw(options, runs, count, true);
    return error == rs_nothing_to_draw ? NULL : error;
}

const char *rs_plot_follow(const struct rs_plot_options *options, struct rs_run *runs, int count, int *signal)
{
    static const struct timespec pause = {.tv_nsec = 300000000};
    struct stamp *stamps = rs_alloc((size_t)count, sizeof *stamps);
    const char *error = NULL;
    for (*signal = 0; !error && !*signal; nanosleep(&pause, NULL)) {
        if (changed(stamps, runs, count))
            error = redraw(options, runs, count);
        int taken = rs_interrupt_take();
        if (rs_interrupt_ends(taken))
            *signal = taken;
    }
    free(stamps);
    return *signal ? NULL : error; /* a signal to all of a terminal's programs ends gnuplot, too */
}
