/* rs-plot: tables read, drawn, and drawn again when they grow. */
#ifndef RS_TASK_PLOT_H
#define RS_TASK_PLOT_H

#include "plot/run.h"
#include "plot/style.h"

struct rs_plot_options {
    enum rs_canvas_format format;
    const char *output; /* the file to be replaced; NULL: standard output */
    unsigned panels;    /* of logs: plot/training.h */
    double smooth;      /* of logs: measure/smooth.h */
};

/* Reads the tables of all runs, and refuses such as do not go together. */
const char *rs_plot_read(struct rs_run *runs, int count, bool growing);

/* Draws what was read. Text is as large as the terminal that it goes to, less the line for the prompt. */
const char *rs_plot_draw(const struct rs_plot_options *options, const struct rs_run *runs, int count);

/* Reads and draws, again and again, when a file or the terminal has changed; a line that is being written
 * is left for the next time. Ends with an error, or by a signal (base/interrupt.h, which has to watch),
 * that `*signal` tells. The runs' paths are files. */
const char *rs_plot_follow(const struct rs_plot_options *options, struct rs_run *runs, int count,
                           int *signal);

#endif
