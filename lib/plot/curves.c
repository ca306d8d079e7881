#include "plot/curves.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "gnuplot/gnuplot.h"
#include "measure/curve.h"

/* By enum rs_run_kind: axes in the field's words, the columns that are on them, where the legend is least
 * in the way, and the line that a map without any worth, or one of perfect calibration, has. */
static const struct look {
    const char *x_label, *y_label, *x_column, *y_column, *legend, *line;
} looks[] = {
    [RS_RUN_ROC] = {"1 - specificity", "sensitivity", "false_positive_rate", "sensitivity", "bottom right",
                    "chance"},
    [RS_RUN_PR] = {"sensitivity (recall)", "precision", "sensitivity", "precision", "bottom left", NULL},
    [RS_RUN_CALIBRATION] = {"mean probability", "share of vessel", "mean_p", "prevalence", "bottom right",
                            "perfect"},
};

struct curve {
    const struct rs_run *run;
    struct rs_point *at; /* [count]; owned */
    size_t count;
    const struct rs_point *alone; /* the operating point, or NULL */
};

static void read_points(struct curve *curve, const struct rs_run *run)
{
    const struct rs_table *table = &run->table;
    int x = rs_table_column(table, looks[run->kind].x_column),
        y = rs_table_column(table, looks[run->kind].y_column);
    *curve = (struct curve){.run = run, .at = rs_alloc(table->rows, sizeof *curve->at)};
    for (size_t i = 0; i < table->rows; i++) {
        struct rs_point at = {rs_table_at(table, i, x), rs_table_at(table, i, y)};
        if (!isnan(at.x) && !isnan(at.y))
            curve->at[curve->count++] = at;
    }
}

/* The one point beside those that every map has. */
static const struct rs_point *operating_point(const struct curve *curve)
{
    const struct rs_point *first = curve->at, *last = first + curve->count - 1;
    bool roc = curve->run->kind == RS_RUN_ROC;
    if (curve->run->kind == RS_RUN_CALIBRATION)
        return NULL;
    if (roc && first < last && first->x == 0 && first->y == 0)
        first++;
    if (first < last && last->x == 1 && (!roc || last->y == 1))
        last--;
    return first == last ? first : NULL;
}

static bool whole_roc(const struct curve *curve)
{
    const struct rs_point *first = curve->at, *last = first + curve->count - 1;
    return first->x == 0 && first->y == 0 && last->x == 1 && last->y == 1;
}

static double calibration_error(const struct rs_table *table)
{
    struct rs_bin *bins = rs_alloc(table->rows, sizeof *bins);
    for (size_t i = 0; i < table->rows; i++) {
        double count = rs_table_at(table, i, rs_table_column(table, "count"));
        bins[i] = (struct rs_bin){.count = count > 0 && count < 0x1p63 ? (uint64_t)count : 0,
                                  .mean = rs_table_at(table, i, rs_table_column(table, "mean_p")),
                                  .prevalence = rs_table_at(table, i, rs_table_column(table, "prevalence"))};
    }
    double error = rs_calibration_error(bins, (int)table->rows);
    free(bins);
    return error;
}

/* What the points tell, and its name; NULL where they tell none. */
static const char *figure_of(const struct curve *curve, double *value)
{
    switch (curve->run->kind) {
    case RS_RUN_ROC:
        *value = rs_area_of_trapezoids(curve->at, curve->count);
        return !curve->alone && whole_roc(curve) ? "AUC" : NULL;
    case RS_RUN_PR:
        *value = rs_area_of_steps(curve->at, curve->count);
        if (!curve->alone)
            return curve->at[curve->count - 1].x == 1 ? "AP" : NULL;
        *value = 2 * curve->alone->x * curve->alone->y / (curve->alone->x + curve->alone->y);
        return *value > 0 ? "Dice" : NULL;
    default:
        *value = calibration_error(&curve->run->table);
        return isnan(*value) ? NULL : "ECE";
    }
}

static void write_title(FILE *script, const struct curve *curve)
{
    double value;
    const char *figure = figure_of(curve, &value);
    fputs(" title ", script);
    rs_gnuplot_text(script, curve->run->name);
    if (figure)
        fprintf(script, ".\" (%s %.4f)\"", figure, value);
}

/* Points that lie closer to the one before than the eye can tell are left out. */
static void write_block(FILE *script, const struct curve *curve, int number)
{
    const double close = 5e-4;
    struct rs_point last = {-1, -1};
    fprintf(script, "$curve_%d << END\n", number);
    for (size_t i = 0; i < curve->count; i++) {
        struct rs_point at = curve->alone ? *curve->alone : curve->at[i];
        if (hypot(at.x - last.x, at.y - last.y) < close && i + 1 < curve->count)
            continue;
        fprintf(script, "%.9g %.9g\n", at.x, at.y);
        last = at;
    }
    fputs("END\n", script);
}

static void plot_curve(FILE *script, const struct rs_canvas *canvas, const struct curve *curve, int number)
{
    struct rs_stroke stroke = {
        .colour = number, .alone = curve->alone != NULL, .marked = curve->run->kind == RS_RUN_CALIBRATION};
    fprintf(script, ", $curve_%d using 1:2", number);
    rs_style_stroke(script, canvas, &stroke);
    write_title(script, curve);
}

/* A square, but in text, which takes what there is. */
static void begin(FILE *script, const struct rs_canvas *canvas, const struct look *look)
{
    rs_style_begin(script, canvas, 400, 400);
    fprintf(script,
            "set xlabel '%s'\nset ylabel '%s'\nset xrange [0:1]\nset yrange [0:1]\n"
            "set xtics .2\nset ytics .2\nset key %s Left reverse\n",
            look->x_label, look->y_label, look->legend);
    if (canvas->format != RS_CANVAS_TEXT)
        fputs("set size square\nset border 15\n", script);
}

static void draw(FILE *script, const struct rs_canvas *canvas, const struct curve *curves, int count)
{
    const struct look *look = &looks[curves[0].run->kind];
    begin(script, canvas, look);
    for (int i = 0; i < count; i++)
        write_block(script, &curves[i], i);
    fputs("plot NaN", script);
    if (look->line) {
        fputs(", x", script);
        rs_style_stroke(script, canvas, &(struct rs_stroke){.grey = true, .pale = true});
        fprintf(script, " title '%s'", look->line);
    }
    for (int i = 0; i < count; i++)
        plot_curve(script, canvas, &curves[i], i);
    fputc('\n', script);
}

const char *rs_curves_script(FILE *script, const struct rs_canvas *canvas, const struct rs_run *runs,
                             int count)
{
    const char *error = NULL;
    struct curve *curves = rs_alloc((size_t)count, sizeof *curves);
    for (int i = 0; !error && i < count; i++) {
        read_points(&curves[i], &runs[i]);
        if (curves[i].count)
            curves[i].alone = operating_point(&curves[i]);
        else
            error = runs[i].table.rows ? rs_error("%s: every point is NA", runs[i].name) : rs_nothing_to_draw;
    }
    if (!error)
        draw(script, canvas, curves, count);
    for (int i = 0; i < count; i++)
        free(curves[i].at);
    free(curves);
    return error;
}
