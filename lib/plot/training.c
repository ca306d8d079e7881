#include "plot/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "gnuplot/gnuplot.h"
#include "measure/smooth.h"

enum { TRAINING, VALIDATION, PARTS };

static const struct panel {
    const char *name, *title, *columns[PARTS];
    bool smoothed;
    enum { AS_IT_SUITS, FROM_ZERO, LOGARITHMIC } axis; /* that one if it can be */
} all_panels[RS_PANELS] = {
    {"loss", "log loss", {"loss", "val_loss"}, true, LOGARITHMIC},
    {"accuracy", "accuracy", {"accuracy", "val_accuracy"}, true, AS_IT_SUITS},
    {"dice", "Dice", {NULL, "val_dice"}, true, AS_IT_SUITS},
    {"auc", "AUC", {NULL, "val_auc"}, true, AS_IT_SUITS},
    {"learning_rate", "learning rate", {"learning_rate", NULL}, false, FROM_ZERO},
};

/* What is to be drawn. */
struct training {
    const struct rs_canvas *canvas;
    const struct rs_run *runs;
    int count; /* of the runs */
    double smooth;
    int panels[RS_PANELS], shown;
    int columns, rows;  /* of the cells */
    int most_x, most_y; /* intervals between tics */
};

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int find_panel(const char *name, size_t length)
{
    for (int i = 0; i < RS_PANELS; i++)
        if (strlen(all_panels[i].name) == length && !memcmp(all_panels[i].name, name, length))
            return i;
    return -1;
}

const char *rs_panels_parse(const char *text, unsigned *panels)
{
    unsigned found = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        int panel = find_panel(at, length);
        if (panel < 0)
            return rs_error("'%.*s' is not loss, accuracy, dice, auc or learning_rate",
                            length > 60 ? 60 : (int)length, at);
        found |= 1u << panel;
        at += length;
        if (!*at)
            break;
    }
    *panels = found;
    return NULL;
}

/* How many values run has of a part of a panel. */
static size_t values_of(const struct rs_run *run, const struct panel *panel, int part)
{
    size_t values = 0;
    int column = panel->columns[part] ? rs_table_column(&run->table, panel->columns[part]) : -1;
    for (size_t i = 0; column >= 0 && i < run->table.rows; i++)
        values += !isnan(rs_table_at(&run->table, i, column));
    return values;
}

static size_t values_of_all(const struct training *t, const struct panel *panel, int part)
{
    size_t values = 0;
    for (int i = 0; i < t->count; i++)
        values += values_of(&t->runs[i], panel, part);
    return values;
}

static void choose_panels(struct training *t, unsigned wanted)
{
    for (int i = 0; i < RS_PANELS; i++)
        if (wanted >> i & 1 &&
            values_of_all(t, &all_panels[i], TRAINING) + values_of_all(t, &all_panels[i], VALIDATION))
            t->panels[t->shown++] = i;
}

/* The data of a curve: step, value, smoothed. */
static void write_block(FILE *script, const struct training *t, int run, int panel, int part)
{
    const struct rs_table *table = &t->runs[run].table;
    size_t rows = table->rows;
    int column = rs_table_column(table, all_panels[panel].columns[part]),
        step = rs_table_column(table, "step");
    double *raw = rs_alloc(rows, sizeof *raw), *smooth = rs_alloc(rows, sizeof *smooth);
    for (size_t i = 0; i < rows; i++)
        raw[i] = rs_table_at(table, i, column);
    rs_smooth(rows, raw, all_panels[panel].smoothed ? t->smooth : 0, smooth);
    fprintf(script, "$curve_%d_%d_%d << END\n", panel, run, part);
    for (size_t i = 0; i < rows; i++)
        if (!isnan(raw[i]))
            fprintf(script, "%.15g %.9g %.9g\n", rs_table_at(table, i, step), raw[i], smooth[i]);
    fputs("END\n", script);
    free(smooth);
    free(raw);
}

static void write_blocks(FILE *script, const struct training *t)
{
    for (int i = 0; i < t->shown; i++)
        for (int run = 0; run < t->count; run++)
            for (int part = 0; part < PARTS; part++)
                if (values_of(&t->runs[run], &all_panels[t->panels[i]], part))
                    write_block(script, t, run, t->panels[i], part);
}

/* Of one run training and validation have a colour each, of several each run has one. */
static struct rs_stroke stroke_of(const struct training *t, int run, int part, bool pale)
{
    return (struct rs_stroke){
        .colour = t->count == 1 ? part : run, .dashed = part == VALIDATION, .pale = pale};
}

enum { FEW = 30 }; /* values so few that each has a mark */

static void plot_curve(FILE *script, const struct training *t, int run, int panel, int part, bool pale)
{
    size_t values = values_of(&t->runs[run], &all_panels[panel], part);
    struct rs_stroke stroke = stroke_of(t, run, part, pale);
    if (!values || (pale && !(all_panels[panel].smoothed && t->smooth > 0)))
        return;
    stroke.marked = values <= FEW && !pale;
    fprintf(script, ", $curve_%d_%d_%d using 1:%d", panel, run, part, pale ? 2 : 3);
    rs_style_stroke(script, t->canvas, &stroke);
}

/* From the least to the greatest value of a column of all runs, taken into `range`. */
static void extend(double range[2], const struct training *t, const char *name)
{
    for (int run = 0; run < t->count; run++) {
        const struct rs_table *table = &t->runs[run].table;
        int column = rs_table_column(table, name);
        for (size_t i = 0; column >= 0 && i < table->rows; i++) {
            range[0] = fmin(range[0], rs_table_at(table, i, column)); /* fmin and fmax pass over NaN */
            range[1] = fmax(range[1], rs_table_at(table, i, column));
        }
    }
}

static void set_tics(FILE *script, char axis, double range, int most)
{
    double step = rs_style_step(range, most);
    if (step > 0)
        fprintf(script, "set %ctics %.9g\n", axis, step);
    else
        fprintf(script, "set %ctics autofreq\n", axis);
}

/* Tics at 1, 2 and 5 times the powers of ten. */
static void set_logarithmic(FILE *script, double low, double high)
{
    const double steps[] = {1, 2, 5};
    const char *separator = "";
    fprintf(script, "set logscale y\nset yrange [%.9g:%.9g]\nset ytics (", low, high);
    for (double power = pow(10, floor(log10(low))); power <= high; power *= 10)
        for (int i = 0; i < 3; i++)
            if (steps[i] * power >= low && steps[i] * power <= high) {
                fprintf(script, "%s%.9g", separator, steps[i] * power);
                separator = ", ";
            }
    fputs(")\n", script);
}

/* Whether such tics are enough, and not too many. */
static bool suits_logarithm(double low, double high)
{
    return low > 0 && high >= 4 * low && high <= 1e4 * low;
}

static void set_axes(FILE *script, const struct training *t, const struct panel *panel)
{
    double steps[2] = {0, 0}, values[2] = {(double)INFINITY, (double)-INFINITY};
    extend(steps, t, "step");
    for (int part = 0; part < PARTS; part++)
        if (panel->columns[part])
            extend(values, t, panel->columns[part]);
    if (panel->axis == FROM_ZERO)
        values[0] = 0;
    set_tics(script, 'x', steps[1] - steps[0], t->most_x);
    if (steps[1] > 0)
        fprintf(script, "set xrange [0:%.15g]\n", steps[1]);
    if (panel->axis == LOGARITHMIC && suits_logarithm(values[0], values[1])) {
        set_logarithmic(script, .95 * values[0], 1.05 * values[1]);
        return;
    }
    fprintf(script, "unset logscale y\nset yrange [%s:*]\n", panel->axis == FROM_ZERO ? "0" : "*");
    set_tics(script, 'y', values[1] - values[0], t->most_y);
}

static void plot_panel(FILE *script, const struct training *t, int panel)
{
    set_axes(script, t, &all_panels[panel]);
    fprintf(script, "set title '%s' offset 0,-.5\nplot NaN", all_panels[panel].title);
    for (int pale = 1; pale >= 0; pale--)
        for (int part = 0; part < PARTS; part++)
            for (int run = 0; run < t->count; run++)
                plot_curve(script, t, run, panel, part, pale);
}

static void legend_entry(FILE *script, const struct training *t, const char *name,
                         const struct rs_stroke *stroke)
{
    fputs(", NaN title ", script);
    rs_gnuplot_text(script, name);
    rs_style_stroke(script, t->canvas, stroke);
}

static bool has_part(const struct training *t, int part)
{
    for (int i = 0; i < t->shown; i++)
        if (values_of_all(t, &all_panels[t->panels[i]], part))
            return true;
    return false;
}

static bool any_smoothed(const struct training *t)
{
    for (int i = 0; i < t->shown; i++)
        if (all_panels[t->panels[i]].smoothed)
            return true;
    return false;
}

/* What the strokes mean, of text in words: its lines have no shade. */
static void explain(FILE *script, const struct training *t, const char *words, const char *of_text,
                    struct rs_stroke stroke)
{
    bool text = t->canvas->format == RS_CANVAS_TEXT && t->count > 1;
    stroke.grey = t->count > 1;
    if (text)
        fprintf(script, ", NaN title '%s' with points pt ' '", of_text);
    else
        legend_entry(script, t, words, &stroke);
}

/* Names in their colours, and what the strokes mean. */
static void plot_legend(FILE *script, const struct training *t)
{
    for (int run = 0; t->count > 1 && run < t->count; run++)
        legend_entry(script, t, t->runs[run].name, &(struct rs_stroke){.colour = run});
    if (has_part(t, TRAINING))
        explain(script, t, "training", "lines: training", stroke_of(t, 0, TRAINING, false));
    if (has_part(t, VALIDATION))
        explain(script, t, "validation", "marks: validation", stroke_of(t, 0, VALIDATION, false));
    if (t->smooth > 0 && any_smoothed(t))
        explain(script, t, "not smoothed", "dots: not smoothed",
                (struct rs_stroke){.grey = true, .pale = true});
}

static void set_key(FILE *script, const struct training *t, const char *where)
{
    fprintf(script, "set key %s Left reverse maxcols 1", where);
    if (t->count == 1 && t->runs[0].named) {
        fputs(" title ", script);
        rs_gnuplot_text(script, t->runs[0].name);
    }
    fputc('\n', script);
}

/* One panel has its legend where its curves are least likely to be. */
static void draw_one(FILE *script, const struct training *t)
{
    const struct panel *panel = &all_panels[t->panels[0]];
    set_key(script, t, panel->axis == AS_IT_SUITS ? "bottom right" : "top right");
    plot_panel(script, t, t->panels[0]);
    plot_legend(script, t);
    fputc('\n', script);
}

static void draw_all(FILE *script, const struct training *t)
{
    for (int i = 0; i < t->shown; i++) {
        plot_panel(script, t, t->panels[i]);
        fputc('\n', script);
    }
    fputs("unset title\nunset xlabel\nunset tics\nunset grid\nunset logscale y\nset border 0\n", script);
    set_key(script, t, "at graph .5,.5 center center");
    fputs("plot [0:1][0:1] NaN", script);
    plot_legend(script, t);
    fputc('\n', script);
}

/* A cell a panel, and one for the legend, unless there is one panel alone. */
static void lay_out(struct training *t)
{
    int cells = t->shown == 1 ? 1 : t->shown + 1;
    t->columns = cells == 1 ? 1 : cells <= 4 ? 2 : 3;
    t->rows = (cells + t->columns - 1) / t->columns;
    t->most_x = t->most_y = 5;
    if (t->canvas->format == RS_CANVAS_TEXT) {
        t->most_x = most(1, (t->canvas->columns / t->columns - 9) / 8);
        t->most_y = most(1, (t->canvas->lines / t->rows - 3) / 2);
    }
}

/* Cells of 320 x 240 pixels, one alone larger, or text, in which all axes stand in line. */
static void begin(FILE *script, const struct training *t)
{
    int width = t->shown == 1 ? 480 : 320 * t->columns, height = t->shown == 1 ? 320 : 240 * t->rows;
    rs_style_begin(script, t->canvas, width, height);
    write_blocks(script, t);
    fprintf(script, "set multiplot layout %d,%d", t->rows, t->columns);
    if (t->canvas->format == RS_CANVAS_TEXT)
        fputs("\nset lmargin 8\nset rmargin 2\nset tmargin 1\nset bmargin 2\n", script);
    else
        fprintf(script, " margins screen %g,%g,%g,%g spacing screen %g,%g\nset xlabel 'step' offset 0,.6\n",
                48. / width, 1 - 26. / width, 52. / height, 1 - 30. / height, 64. / width, 86. / height);
}

const char *rs_training_script(FILE *script, const struct rs_canvas *canvas, const struct rs_run *runs,
                               int count, unsigned panels, double smooth)
{
    struct training t = {.canvas = canvas, .runs = runs, .count = count, .smooth = smooth};
    choose_panels(&t, panels);
    if (!t.shown)
        return rs_nothing_to_draw;
    lay_out(&t);
    begin(script, &t);
    (t.shown == 1 ? draw_one : draw_all)(script, &t);
    fputs("unset multiplot\n", script);
    return NULL;
}
