#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gnuplot/gnuplot.h"
#include "plot/curves.h"
#include "plot/training.h"
#include "tap.h"

#define LOG "step\tepoch\tloss\taccuracy\tval_loss\tval_accuracy\tval_dice\tval_auc\tlearning_rate\n"
#define ROC "threshold\tfalse_positive_rate\tsensitivity\n"
#define PR "threshold\tsensitivity\tprecision\n"

/* A run that reads `text`; its error in `*error`. */
static struct rs_run read_bytes(const char *text, size_t size, bool growing, const char **error)
{
    struct rs_run run = rs_run_of("run");
    FILE *stream = fmemopen((void *)(uintptr_t)text, size, "rb");
    *error = rs_run_read(&run, stream, growing);
    fclose(stream);
    return run;
}

static struct rs_run read_text(const char *text, const char **error)
{
    return read_bytes(text, strlen(text), false, error);
}

static void refused(const char *text, const char *part)
{
    const char *error;
    struct rs_run run = read_text(text, &error);
    error_has(error, part, "refused: %s", part);
    rs_run_free(&run);
}

static void test_tables(void)
{
    const char *error;
    struct rs_run run =
        read_text(LOG "5\t1\t.5\t.75\tNA\tNA\tNA\tNA\t1e-3\n7\tNA\t0.25\t1\t.3\t.9\t0\t1\t0\n", &error);
    const struct rs_table *t = &run.table;
    no_error(error, "a log");
    ok(run.kind == RS_RUN_LOG && t->rows == 2 && t->columns == 9, "its size");
    ok(rs_table_column(t, "val_auc") == 7 && rs_table_column(t, "val") == -1, "columns have whole names");
    ok(rs_table_at(t, 1, 0) == 7 && rs_table_at(t, 0, 8) == 1e-3 && rs_table_at(t, 1, 2) == .25, "its cells");
    ok(isnan(rs_table_at(t, 0, 4)) && isnan(rs_table_at(t, 1, 1)), "NA");
    rs_run_free(&run);
    run = read_text("lower\tupper\tcount\tmean_p\tprevalence\n0\t.5\t0\tNA\tNA\n", &error);
    ok(!error && run.kind == RS_RUN_CALIBRATION, "a calibration curve");
    rs_run_free(&run);
}

static void test_refused_tables(void)
{
    static const char zero[] = ROC "1\t0\t0\n1\0";
    const char *error;
    refused("", "empty");
    refused(ROC, "a header alone");
    refused("\n", "neither a log");
    refused("image\tpixels\tcount\n", "neither a log");
    refused(ROC "1\t0", "line 2: the file ends in the middle");
    refused("threshold", "line 1: the file ends in the middle");
    refused(ROC "1\t0\n", "line 2: 2 cells of 3");
    refused(ROC "1\t0\t0\t0\n", "line 2: more than 3 cells");
    refused(ROC "1\t0\t0\n\n", "line 3: threshold: ''");
    refused(ROC "1\t0\tnan\n", "line 2: sensitivity: 'nan'");
    refused(ROC "1\t0\t0x1\n", "sensitivity: '0x1'");
    refused(ROC "1\t0\t1.1\n", "from 0 to 1");
    refused(ROC "1\t0\t 1\n", "sensitivity: ' 1'");
    refused(ROC "1\t0\t1\r\n", "sensitivity: '1?'");
    refused(ROC "1\t.5\t.5\n0\t.25\t1\n", "line 3: false_positive_rate is less");
    refused(LOG "9\t1\t.5\t.5\t.5\t.5\t.5\t.5\t.1\n8\t1\t.5\t.5\t.5\t.5\t.5\t.5\t.1\n",
            "line 3: step is less");
    refused(LOG "NA\t1\t.5\t.5\t.5\t.5\t.5\t.5\t.1\n", "line 2: step is NA");
    struct rs_run run = read_bytes(zero, sizeof zero - 1, false, &error);
    error_has(error, "line 3: a zero byte", "a zero byte");
    rs_run_free(&run);
}

static void test_long_lines(void)
{
    char *text = calloc(10000, 1);
    for (int columns = RS_TABLE_COLUMNS; columns <= RS_TABLE_COLUMNS + 1; columns++) {
        strcpy(text, "step\tepoch\tloss\taccuracy");
        for (int i = 4; i < columns; i++)
            strcat(text, "\tx");
        strcat(text, "\n");
        refused(text, columns > RS_TABLE_COLUMNS ? "more than 64 columns" : "a header alone");
    }
    memset(text, 'x', 9000);
    refused(text, "line 1: longer than 4095 bytes");
    free(text);
}

/* Whatever is there of a log that grows, up to its last whole line, is read. */
static void test_growing(void)
{
    static const char text[] = LOG "5\t1\t.5\t.75\tNA\tNA\tNA\tNA\t1e-3\n7\tNA\t0.25\t1\t.3\t.9\t0\t1\t0\n";
    int right = 0;
    for (size_t size = 1; size < sizeof text; size++) {
        const char *error;
        size_t lines = 0;
        for (size_t i = 0; i < size; i++)
            lines += text[i] == '\n';
        struct rs_run run = read_bytes(text, size, true, &error);
        right +=
            !error && (lines ? run.table.columns == 9 && run.table.rows == lines - 1 : !run.table.columns);
        rs_run_free(&run);
    }
    ok(right == sizeof text - 1, "a log at each of its %zu bytes", sizeof text - 1);
}

static void check_name(const char *operand, const char *name, const char *path)
{
    struct rs_run run = rs_run_of(operand);
    ok(!strcmp(run.name, name) && !strcmp(run.path, path), "%s is %s, called %s", operand, path, name);
    ok(run.named == (strcmp(operand, path) != 0), "named");
    rs_run_free(&run);
}

static void test_names(void)
{
    check_name("log.tsv", "log", "log.tsv");
    check_name("runs/7/log.tsv", "runs/7/log", "runs/7/log.tsv");
    check_name(".tsv", ".tsv", ".tsv");
    check_name("-", "stdin", "-");
    check_name("U-Net=a=b.tsv", "U-Net", "a=b.tsv");
    check_name("x=-", "x", "-");
    check_name("./a=b.tsv", "./a=b", "./a=b.tsv");
    check_name("=b", "=b", "=b");
}

static void check_string(const char *text, const char *wanted)
{
    char *written;
    size_t size;
    FILE *script = open_memstream(&written, &size);
    rs_gnuplot_text(script, text);
    fclose(script);
    ok(!strcmp(written, wanted), "%s", wanted);
    free(written);
}

static void test_strings(void)
{
    check_string("aZ", "\"aZ\"");
    check_string("(33", "\"\\050\\063\\063\""); /* \05033 would be a code to gnuplot, of Escape */
    check_string("", "\"\"");
    check_string("a\"b\\`c`@d\n", "\"a\\042b\\134\\140c\\140\\100d?\"");
    check_string("'%s'{}_^$", "\"\\047\\045s\\047\\173\\175\\137\\136\\044\"");
    check_string("\x1b\x7f\t", "\"???\"");
    check_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x91\x81", "\"\\303\\244\\342\\202\\254\\360\\237\\221\\201\"");
    check_string("\xc3", "\"?\"");
    check_string("\xc3x\xa4", "\"?x?\"");
    check_string("\xe2\x82", "\"??\"");
    check_string("\xc0\xaf \xed\xa0\x80", "\"??\\040???\"");
    check_string("\xc2\x9b\xf4\x90\x80\x80", "\"??????\"");
    char text[RS_GNUPLOT_TEXT + 2], wanted[RS_GNUPLOT_TEXT + 4];
    memset(text, 'x', sizeof text);
    text[RS_GNUPLOT_TEXT] = 0;
    snprintf(wanted, sizeof wanted, "\"%s\"", text);
    check_string(text, wanted);
    text[RS_GNUPLOT_TEXT] = 'y';
    text[RS_GNUPLOT_TEXT + 1] = 0;
    memcpy(wanted + 1, "...", 3);
    wanted[RS_GNUPLOT_TEXT] = 'y';
    check_string(text, wanted);
}

static void test_steps(void)
{
    near(rs_style_step(600, 5), 200, 0, "600 in 5: 200");
    near(rs_style_step(500, 5), 100, 0, "500 in 5: 100");
    near(rs_style_step(501, 5), 200, 0, "501 in 5: 200");
    near(rs_style_step(.011, 5), .005, 1e-15, "0.011 in 5: 0.005");
    near(rs_style_step(1, 1), 1, 0, "1 in 1");
    near(rs_style_step(7, 1), 10, 0, "7 in 1: 10");
    ok(rs_style_step(0, 5) == 0 && rs_style_step(-1, 5) == 0 && rs_style_step((double)INFINITY, 5) == 0 &&
           rs_style_step((double)NAN, 5) == 0,
       "no range, no step");
}

static void test_panels(void)
{
    unsigned panels = 0;
    no_error(rs_panels_parse("auc,loss", &panels), "two panels");
    ok(panels == (1 | 8), "in any order");
    no_error(rs_panels_parse("loss,accuracy,dice,auc,learning_rate", &panels), "all panels");
    ok(panels == RS_ALL_PANELS, "are all");
    error_has(rs_panels_parse("", &panels), "'' is not", "none");
    error_has(rs_panels_parse("loss,", &panels), "'' is not", "an empty one");
    error_has(rs_panels_parse("loss,los", &panels), "'los' is not", "half of one");
}

static void test_formats(void)
{
    enum rs_canvas_format format = RS_CANVAS_PNG;
    no_error(rs_canvas_format_of("a.svg", &format), "svg");
    ok(format == RS_CANVAS_SVG, "is svg");
    error_has(rs_canvas_format_of("a.gif", &format), "does not end in", "gif");
    error_has(rs_canvas_format_of(".png", &format), "does not end in", "no name before .png");
}

/* The script of one curve. */
static char *script_of(const char *table, const char **error)
{
    char *written;
    size_t size;
    const struct rs_canvas canvas = {.format = RS_CANVAS_SVG};
    FILE *script = open_memstream(&written, &size);
    struct rs_run run = read_text(table, error);
    if (!*error)
        *error = run.kind == RS_RUN_LOG ? rs_training_script(script, &canvas, &run, 1, RS_ALL_PANELS, .5)
                                        : rs_curves_script(script, &canvas, &run, 1);
    fclose(script);
    rs_run_free(&run);
    return written;
}

static void check_script(const char *table, const char *part, bool there, const char *name)
{
    const char *error;
    char *script = script_of(table, &error);
    no_error(error, "%s", name);
    ok((strstr(script, part) != NULL) == there, "%s: %s '%s'", name, there ? "has" : "has not", part);
    free(script);
}

static void test_legends(void)
{
    check_script(ROC "1\t0\t0\n.5\t.25\t.5\n.25\t.5\t1\n0\t1\t1\n", "(AUC 0.7500)", true, "a ROC curve");
    check_script(ROC "1\t0\t0\n.5\t.25\t.5\n.25\t.5\t1\n", "AUC", false, "half a ROC curve");
    check_script(ROC "1\t0\t0\n.5\t.25\t.5\n0\t1\t1\n", "AUC", false, "an operating point");
    check_script(ROC "1\t0\t0\n.5\t.25\t.5\n0\t1\t1\n", "with points", true, "an operating point");
    check_script(ROC ".5\t.25\t.5\n", "with points", true, "an operating point alone");
    check_script(PR ".5\t.5\t1\n.4\t.75\t.5\n0\t1\t.25\n", "(AP 0.6875)", true, "a PR curve");
    check_script(PR ".5\t.75\t.5\n0\t1\t.25\n", "(Dice 0.6000)", true, "an operating point of it");
    check_script(PR ".5\t0\t0\n0\t1\t.25\n", "Dice", false, "one that finds nothing");
    check_script("lower\tupper\tcount\tmean_p\tprevalence\n0\t.5\t3\t.25\t0\n.5\t1\t1\t.75\t1\n",
                 "(ECE 0.2500)", true, "a calibration curve");
}

static void test_nothing(void)
{
    const char *error;
    free(script_of(ROC "1\tNA\t0\n0\tNA\t1\n", &error));
    error_has(error, "every point is NA", "a ROC curve without background");
    free(script_of(LOG "5\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n", &error));
    ok(error == rs_nothing_to_draw, "a log of NA");
}

static void test_scripts(void)
{
    const char *error;
    char *script =
        script_of(LOG "5\t1\t1\t.5\tNA\tNA\tNA\tNA\t.1\n9\t1\t.5\t.5\t.25\tNA\tNA\tNA\t.1\n", &error);
    no_error(error, "a log");
    ok(strstr(script, "\n5 1 1\n9 0.5 0.666666667\nEND\n") != NULL, "its loss, as it is and smoothed");
    ok(strstr(script, "\n9 0.25 0.25\nEND\n") != NULL, "the validation's");
    ok(strstr(script, "\n5 0.1 0.1\n9 0.1 0.1\nEND\n") != NULL, "the learning rate");
    ok(!strstr(script, "Dice") && strstr(script, "accuracy"), "panels without values are left out");
    ok(!strstr(script, "nan"), "no NaN");
    free(script);
}

/* Two losses of a log. */
static void check_axis(const char *high, const char *low, const char *tics, bool logarithmic)
{
    const char *error;
    char table[400];
    snprintf(table, sizeof table, LOG "5\t1\t%s\t.5\tNA\tNA\tNA\tNA\tNA\n9\t1\t%s\t.5\tNA\tNA\tNA\tNA\tNA\n",
             high, low);
    char *script = script_of(table, &error);
    no_error(error, "losses of %s and %s", high, low);
    ok((strstr(script, "\nset logscale y") != NULL) == logarithmic, "%slogarithmic",
       logarithmic ? "" : "not ");
    ok(strstr(script, tics) != NULL, "%s", tics);
    free(script);
}

static void test_axes(void)
{
    check_axis("0.6", "0.06", "set ytics (0.1, 0.2, 0.5)\n", true);
    check_axis("0.8", "0.2", "set ytics (0.2, 0.5)\n", true);
    check_axis("100", "0.01", "set ytics (0.01, 0.02, 0.05, 0.1,", true);
    check_axis("0.6", "0.16", "set ytics 0.1\n", false);
    check_axis("0.5", "0", "set ytics 0.1\n", false);
    check_axis("101", "0.01", "set ytics 50\n", false);
    check_axis("0.5", "0.5", "set ytics autofreq\n", false);
}

/* All that lies within half a thousandth of its neighbour goes, but not the last point. */
static void test_thinning(void)
{
    enum { POINTS = 20000 };
    const char *error;
    char *table, *script;
    size_t size, lines = 0;
    FILE *out = open_memstream(&table, &size);
    fputs(ROC, out);
    for (int i = 0; i <= POINTS; i++)
        fprintf(out, "%.9g\t%.9g\t%.9g\n", 1 - (double)i / POINTS, (double)i / POINTS, (double)i / POINTS);
    fclose(out);
    script = script_of(table, &error);
    no_error(error, "20001 points");
    for (const char *c = script; *c; c++)
        lines += *c == '\n';
    ok(lines > 1000 && lines < 3000, "of which %zu lines are drawn", lines);
    ok(strstr(script, "\n0 0\n") && strstr(script, "\n1 1\n"), "the ends among them");
    ok(strstr(script, "(AUC 0.5000)") != NULL, "and the area is that of all");
    free(script);
    free(table);
}

int main(void)
{
    test_tables();
    test_refused_tables();
    test_long_lines();
    test_growing();
    test_names();
    test_strings();
    test_steps();
    test_panels();
    test_formats();
    test_legends();
    test_nothing();
    test_scripts();
    test_axes();
    test_thinning();
    return done();
}
