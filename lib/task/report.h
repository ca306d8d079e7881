/* What rs-score writes of its counts: tab-separated values with a header line, NA where a figure is NaN.
 * Errors as rs_error_write. */
#ifndef RS_TASK_REPORT_H
#define RS_TASK_REPORT_H

#include <stdio.h>

#include "task/score.h"

/* The table, what can be written of it after the image just added: its row and before the first the header;
 * nothing where rows have to wait for the threshold. */
const char *rs_report_row(const struct rs_score *score, FILE *out);

/* Its end: the rows that waited, "all", and with draws "lower" and "upper". */
const char *rs_report_table(const struct rs_score *score, FILE *out);

enum rs_report_curve { RS_CURVE_ROC, RS_CURVE_PR, RS_CURVE_CALIBRATION };

/* A curve of the pixels of all images. */
const char *rs_report_curve(const struct rs_score *score, enum rs_report_curve which, FILE *out);

/* What the pixels of all images choose: a row of the temperature of the lowest log loss, the threshold of the best Dice
 * as one of tempered probabilities, and that Dice and that log loss. */
const char *rs_report_choice(const struct rs_score *score, FILE *out);

/* The pooled figures of two streams, the differences, first minus second, and their bounds by the paired
 * bootstrap. Both streams have draws, and rs_score_pair found nothing in any pair of images. The thresholds
 * are not drawn, so that their difference has no bounds. */
const char *rs_report_comparison(const struct rs_score *first, const struct rs_score *second, FILE *out);

#endif
