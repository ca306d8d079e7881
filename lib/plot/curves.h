/* ROC, PR and calibration curves, one over the other. */
#ifndef RS_PLOT_CURVES_H
#define RS_PLOT_CURVES_H

#include <stdio.h>

#include "plot/run.h"
#include "plot/style.h"

/* Writes gnuplot's script for curves of one kind. The legend has of each what its points tell: the area
 * under the ROC curve by trapezoids, average precision, or the expected calibration error. A curve of one
 * point, but for those that every map has (nothing, everything called vessel), is an operating point and
 * drawn as a mark; of a PR curve the legend has its Dice. rs_nothing_to_draw if a curve has no row yet, an
 * error if all that it has is NA. */
const char *rs_curves_script(FILE *script, const struct rs_canvas *canvas, const struct rs_run *runs,
                             int count);

#endif
