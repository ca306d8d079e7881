/* The course of trainings, a panel a figure, one over the other. */
#ifndef RS_PLOT_TRAINING_H
#define RS_PLOT_TRAINING_H

#include <stdio.h>

#include "plot/run.h"
#include "plot/style.h"

/* The panels, in the order that they stand in. */
enum { RS_PANELS = 5, RS_ALL_PANELS = (1 << RS_PANELS) - 1 };

/* "loss,dice" into bits, 1 for the first panel; an error lists the names. */
const char *rs_panels_parse(const char *text, unsigned *panels);

/* Writes gnuplot's script for the logs. Of the panels asked for those are drawn that some run has values for;
 * rs_nothing_to_draw if none has. `smooth` as in measure/smooth.h; learning rates are not smoothed. */
const char *rs_training_script(FILE *script, const struct rs_canvas *canvas, const struct rs_run *runs,
                               int count, unsigned panels, double smooth);

#endif
