#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/operand.h"
#include "cli/tool.h"
#include "plot/training.h"
#include "task/plot.h"

static struct rs_plot_options plot = {.panels = RS_ALL_PANELS, .smooth = .9};
static const char *panels;
static int format;
static bool follow;

static struct rs_option options[] = {
    {"output", RS_OUTPUT, &plot.output, .argument = "FILE",
     .help = "a .png, .svg or .txt, instead of standard output"},
    {"format", RS_CHOICE, &format, .argument = "text|png|svg",
     .help = "as FILE ends; else text on a terminal, png elsewhere"},
    {"smooth", RS_REAL, &plot.smooth, 0, .999999, "S",
     .help = "of a log: what a row weighs to the next (.9)"},
    {"panels", RS_TEXT, &panels, .argument = "NAME,...",
     .help = "of a log: these of loss,accuracy,dice,auc,learning_rate"},
    {"follow", RS_FLAG, &follow, .help = "draw again whenever a file grows"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-plot",
    .operands = "[[name=]file ...]",
    .purpose = "draws training logs and curves, by gnuplot",
    .options = options,
    .no_images = true,
    .runs_programs = true,
};

static void choose_format(void)
{
    enum rs_canvas_format chosen = isatty(STDOUT_FILENO) ? RS_CANVAS_TEXT : RS_CANVAS_PNG;
    const char *error = NULL;
    if (rs_tool_given("format"))
        chosen = (enum rs_canvas_format)format;
    else if (plot.output)
        error = rs_canvas_format_of(plot.output, &chosen);
    if (error)
        rs_tool_usage("-output: %s", error);
    if (chosen != RS_CANVAS_TEXT && !plot.output && isatty(STDOUT_FILENO))
        rs_tool_usage("-format: a terminal shows text: -output=FILE takes the picture");
    plot.format = chosen;
}

static void check_options(void)
{
    const char *error = panels ? rs_panels_parse(panels, &plot.panels) : NULL;
    if (error)
        rs_tool_usage("-panels: %s", error);
    choose_format();
    if (follow && !plot.output && !isatty(STDOUT_FILENO))
        rs_tool_usage("-follow draws on a terminal, or to -output=FILE");
}

static struct rs_run *runs_of(char **operands, int *count)
{
    struct rs_run *runs = NULL;
    for (*count = 0; operands[*count]; ++*count) {
        runs = rs_realloc(runs, (size_t)*count + 1, sizeof *runs);
        runs[*count] = rs_run_of(operands[*count]);
    }
    return runs;
}

static void say(const struct rs_run *runs, int count)
{
    for (int i = 0; rs_tool_verbose() && i < count; i++)
        rs_tool_say("%s: %s of %zu rows", runs[i].path, rs_run_kind_name(runs[i].kind), runs[i].table.rows);
}

static void draw(struct rs_run *runs, int count)
{
    rs_tool_check(NULL, rs_plot_read(runs, count, false));
    say(runs, count);
    rs_tool_check(NULL, rs_plot_draw(&plot, runs, count));
}

static void draw_again(struct rs_run *runs, int count)
{
    int ended;
    for (int i = 0; i < count; i++)
        if (rs_operand_is_stdin(runs[i].path))
            rs_tool_usage("-follow wants files, not standard input");
    rs_interrupt_watch(SIGTERM, false);
    rs_interrupt_watch(SIGINT, false);
    rs_interrupt_watch(SIGUSR1, false);
    rs_tool_check(NULL, rs_plot_follow(&plot, runs, count, &ended));
    if (ended != SIGINT)
        rs_interrupt_obey(ended);
}

int main(int argc, char **argv)
{
    int count;
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    struct rs_run *runs = runs_of(argv, &count);
    (follow ? draw_again : draw)(runs, count);
    for (int i = 0; i < count; i++)
        rs_run_free(&runs[i]);
    free(runs);
    return rs_tool_end();
}
