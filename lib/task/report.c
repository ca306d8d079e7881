#include "task/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/error.h"
#include "measure/bootstrap.h"
#include "measure/curve.h"
#include "measure/temperature.h"

/* Which figure is which. */
enum {
    AUC_ROC = (offsetof(struct rs_scores, auc_roc) - offsetof(struct rs_scores, figures)) / sizeof(double),
    THRESHOLD = (offsetof(struct rs_scores, threshold) - offsetof(struct rs_scores, figures)) / sizeof(double)
};

/* Nine digits tell every k/65536 from its neighbours; with fifteen, a count is whole. */
enum { FIGURE_DIGITS = 6, THRESHOLD_DIGITS = 9, CURVE_DIGITS = 15 };

/* Lines go out one by one, so that a full disk or a reader that left shows at the line that met it. */
static const char *end_line(FILE *out)
{
    errno = 0;
    fputc('\n', out);
    return fflush(out) || ferror(out) ? rs_error_write(errno) : NULL;
}

static void put(FILE *out, double value, int digits)
{
    if (isnan(value))
        fputs("NA", out);
    else
        fprintf(out, "%.*g", digits, value);
}

/* A cell of figure i, and the tab before it. */
static void put_figure(const struct rs_score *score, FILE *out, const struct rs_scores *s, int i)
{
    fputs(i == THRESHOLD && score->options.best_dice ? "\toracle:" : "\t", out);
    put(out, s->figures[i], i == THRESHOLD ? THRESHOLD_DIGITS : FIGURE_DIGITS);
}

static const char *write_header(FILE *out)
{
    fputs("image\tpixels\tcount", out);
    for (int i = 0; i < RS_FIGURES; i++)
        fprintf(out, "\t%s", rs_figure_names[i]);
    return end_line(out);
}

static const char *write_row(const struct rs_score *score, FILE *out, const char *name,
                             const struct rs_scores *s)
{
    fprintf(out, "%s\t%s\t%" PRIu64, name, score->options.pixels.text, s->count);
    for (int i = 0; i < RS_FIGURES; i++)
        put_figure(score, out, s, i);
    return end_line(out);
}

static const char *write_image_row(const struct rs_score *score, FILE *out, uint64_t index,
                                   const struct rs_scores *s)
{
    char name[24];
    snprintf(name, sizeof name, "%" PRIu64, index + 1);
    return write_row(score, out, name, s);
}

const char *rs_report_row(const struct rs_score *score, FILE *out)
{
    const char *error = score->images == 1 ? write_header(out) : NULL;
    if (error || score->options.best_dice)
        return error;
    struct rs_scores s = rs_scores_of(&score->one, score->options.threshold);
    return write_image_row(score, out, score->images - 1, &s);
}

static const char *write_waiting(const struct rs_score *score, FILE *out)
{
    const char *error = NULL;
    double threshold = rs_score_threshold(score);
    struct rs_histogram one = rs_histogram_start(score->all.levels);
    for (uint64_t i = 0; !error && i < score->images; i++) {
        rs_histogram_clear(&one);
        rs_histogram_merge_packed(&one, &score->kept[i]);
        struct rs_scores s = rs_scores_of(&one, threshold);
        error = write_image_row(score, out, i, &s);
    }
    rs_histogram_free(&one);
    return error;
}

static struct rs_bootstrap draws_of(const struct rs_score *score)
{
    return (struct rs_bootstrap){score->images, score->options.draws, score->options.seed};
}

static struct rs_maps maps_of(const struct rs_score *score)
{
    return (struct rs_maps){score->all.levels, rs_score_threshold(score), score->kept};
}

static const char *write_bounds(const struct rs_score *score, FILE *out)
{
    struct rs_scores lower, upper;
    struct rs_bootstrap how = draws_of(score);
    struct rs_maps maps = maps_of(score);
    rs_bootstrap(&how, &maps, &lower, &upper);
    const char *error = write_row(score, out, "lower", &lower);
    return error ? error : write_row(score, out, "upper", &upper);
}

const char *rs_report_table(const struct rs_score *score, FILE *out)
{
    const char *error = score->options.best_dice ? write_waiting(score, out) : NULL;
    if (error)
        return error;
    struct rs_scores s = rs_scores_of(&score->all, rs_score_threshold(score));
    error = write_row(score, out, "all", &s);
    return error || !score->options.draws ? error : write_bounds(score, out);
}

static const char *write_names(FILE *out, const char *names)
{
    fputs(names, out);
    return end_line(out);
}

static const char *write_numbers(FILE *out, const double *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        fputs(i ? "\t" : "", out);
        put(out, numbers[i], CURVE_DIGITS);
    }
    return end_line(out);
}

static const char *write_roc(FILE *out, const struct rs_curve *curve)
{
    const char *error = write_names(out, "threshold\tfalse_positive_rate\tsensitivity");
    for (size_t i = 0; !error && i < curve->count; i++) {
        const struct rs_curve_point *at = &curve->at[i];
        error = write_numbers(out, (double[]){at->threshold, at->false_positive_rate, at->sensitivity}, 3);
    }
    return error;
}

/* Without the first point, which marks nothing and so has no precision. */
static const char *write_pr(FILE *out, const struct rs_curve *curve)
{
    const char *error = write_names(out, "threshold\tsensitivity\tprecision");
    for (size_t i = 1; !error && i < curve->count; i++) {
        const struct rs_curve_point *at = &curve->at[i];
        error = write_numbers(out, (double[]){at->threshold, at->sensitivity, at->precision}, 3);
    }
    return error;
}

static const char *write_calibration(FILE *out, const struct rs_histogram *h)
{
    struct rs_bin bins[RS_ECE_BINS];
    rs_calibration_of(h, bins);
    const char *error = write_names(out, "lower\tupper\tcount\tmean_p\tprevalence");
    for (int i = 0; !error && i < RS_ECE_BINS; i++) {
        const struct rs_bin *b = &bins[i];
        error =
            write_numbers(out, (double[]){b->lower, b->upper, (double)b->count, b->mean, b->prevalence}, 5);
    }
    return error;
}

const char *rs_report_curve(const struct rs_score *score, enum rs_report_curve which, FILE *out)
{
    if (which == RS_CURVE_CALIBRATION)
        return write_calibration(out, &score->all);
    struct rs_curve curve = rs_curve_of(&score->all);
    const char *error = which == RS_CURVE_ROC ? write_roc(out, &curve) : write_pr(out, &curve);
    free(curve.at);
    return error;
}

const char *rs_report_choice(const struct rs_score *score, FILE *out)
{
    const struct rs_histogram *h = &score->all;
    double temperature = rs_best_temperature(h), threshold = rs_best_dice_threshold(h);
    double dice = rs_scores_of(h, threshold).dice;
    const char *error = write_names(out, "threshold\ttemperature\tdice\tlog_loss");
    return error ? error
                 : write_numbers(out,
                                 (double[]){rs_temper_threshold(threshold, temperature), temperature, dice,
                                            rs_tempered_log_loss(h, temperature)},
                                 4);
}

static const char *write_difference(FILE *out, double difference, const struct rs_difference *drawn)
{
    const double numbers[] = {difference, drawn->lower, drawn->upper, drawn->p};
    for (int i = 0; i < 4; i++) {
        fputc('\t', out);
        put(out, numbers[i], FIGURE_DIGITS);
    }
    return end_line(out);
}

const char *rs_report_comparison(const struct rs_score *first, const struct rs_score *second, FILE *out)
{
    struct rs_bootstrap how = draws_of(first);
    struct rs_maps a_maps = maps_of(first), b_maps = maps_of(second);
    struct rs_scores a = rs_scores_of(&first->all, a_maps.threshold);
    struct rs_scores b = rs_scores_of(&second->all, b_maps.threshold);
    struct rs_difference drawn[RS_FIGURES];
    rs_bootstrap_paired(&how, &a_maps, &b_maps, drawn);
    drawn[THRESHOLD] = (struct rs_difference){(double)NAN, (double)NAN, (double)NAN};
    const char *error = write_names(out, "figure\tfirst\tsecond\tdifference\tlower\tupper\tp");
    for (int i = AUC_ROC; !error && i < RS_FIGURES; i++) {
        fputs(rs_figure_names[i], out);
        put_figure(first, out, &a, i);
        put_figure(second, out, &b, i);
        error = write_difference(out, a.figures[i] - b.figures[i], &drawn[i]);
    }
    return error;
}
