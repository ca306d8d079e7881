/* How pictures look, in gnuplot's words. */
#ifndef RS_PLOT_STYLE_H
#define RS_PLOT_STYLE_H

#include <stdbool.h>
#include <stdio.h>

enum rs_canvas_format { RS_CANVAS_TEXT, RS_CANVAS_PNG, RS_CANVAS_SVG };

/* That which the name of a file ends with: .txt, .png, .svg. */
const char *rs_canvas_format_of(const char *path, enum rs_canvas_format *format);

/* What is drawn on. */
struct rs_canvas {
    enum rs_canvas_format format;
    int columns, lines; /* of text */
    bool colour;        /* whether text may have it */
};

/* The head of every script: the terminal, and what all pictures share. `width` and `height` are in the
 * pixels of SVG; PNG has twice as many, text has its own size. */
void rs_style_begin(FILE *script, const struct rs_canvas *canvas, int width, int height);

/* How a curve is drawn. */
struct rs_stroke {
    int colour; /* 0 and up: RS_COLOURS of the palette, then the same once more, dashed otherwise */
    bool grey, pale, dashed; /* grey: in place of the colour */
    bool marked, alone;      /* a mark at each of its points; nothing but that */
};

/* That blind to red or green tell apart, as on paper (Okabe and Ito, Color Universal Design, 2008), but
 * for their yellow, which white drowns. */
enum { RS_COLOURS = 7 };

/* " with lines ..." */
void rs_style_stroke(FILE *script, const struct rs_canvas *canvas, const struct rs_stroke *stroke);

/* The distance of tics, 1, 2 or 5 times a power of ten, that makes `most` intervals of `range` at most; 0
 * where the range is nothing. */
double rs_style_step(double range, int most);

#endif
