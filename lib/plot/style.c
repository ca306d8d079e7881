#include "plot/style.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

const char *rs_canvas_format_of(const char *path, enum rs_canvas_format *format)
{
    static const char *const ends[] = {".txt", ".png", ".svg"};
    size_t length = strlen(path);
    for (int i = RS_CANVAS_TEXT; i <= RS_CANVAS_SVG; i++)
        if (length > 4 && !strcmp(path + length - 4, ends[i])) {
            *format = (enum rs_canvas_format)i;
            return NULL;
        }
    return rs_error("'%s' does not end in .png, .svg or .txt", path);
}

static const unsigned palette[RS_COLOURS] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                             0xe69f00, 0x56b4e9, 0x000000};
static const unsigned grey = 0x707070;

/* PNG at twice the size: sharp in print, and in proportion the same picture as SVG. */
enum { SCALE = 2 };

void rs_style_begin(FILE *script, const struct rs_canvas *canvas, int width, int height)
{
    switch (canvas->format) {
    case RS_CANVAS_TEXT:
        fprintf(script, "set terminal dumb noenhanced size %d,%d aspect 2,1 %s\n", canvas->columns,
                canvas->lines, canvas->colour ? "ansi256" : "mono");
        break;
    case RS_CANVAS_PNG:
        fprintf(script,
                "set terminal pngcairo noenhanced size %d,%d font 'sans,9' fontscale %d linewidth %d "
                "pointscale %d\n",
                SCALE * width, SCALE * height, SCALE, SCALE, SCALE);
        break;
    case RS_CANVAS_SVG:
        fprintf(script, "set terminal svg noenhanced size %d,%d font 'sans-serif,12' background '#ffffff'\n",
                width, height);
        break;
    }
    fputs("set encoding utf8\nset format '%g'\n", script);
    if (canvas->format != RS_CANVAS_TEXT)
        fputs("set border 3 lw .6 lc rgb '#404040'\n"
              "set tics nomirror out scale .6 tc rgb '#404040'\n"
              "set grid lt 1 lw .5 lc rgb '#e4e4e4'\n"
              "set key noautotitle samplen 3 spacing 1.2\n",
              script);
    else
        fputs("set tics nomirror scale 0\n"
              "set key noautotitle samplen 2\n",
              script);
}

static unsigned paler(unsigned colour)
{
    unsigned pale = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        unsigned part = colour >> shift & 0xff;
        pale |= (part + 2 * (255 - part) / 3) << shift;
    }
    return pale;
}

static unsigned colour_of(const struct rs_stroke *stroke)
{
    unsigned colour = stroke->grey ? grey : palette[stroke->colour % RS_COLOURS];
    return stroke->pale ? paler(colour) : colour;
}

/* In text a curve that is not smoothed is dots, and a dashed one its points. */
static void text_stroke(FILE *script, const struct rs_canvas *canvas, const struct rs_stroke *stroke)
{
    static const char marks[] = "ox+*#@%";
    int colour = stroke->colour % RS_COLOURS;
    if (stroke->pale)
        fputs(" with dots", script);
    else if (stroke->dashed || stroke->alone)
        fprintf(script, " with points pt '%c'", marks[colour]);
    else
        fputs(" with lines", script);
    fprintf(script, " lt %d", colour + 1);
    if (canvas->colour)
        fprintf(script, " lc rgb '#%06x'", colour_of(stroke));
}

void rs_style_stroke(FILE *script, const struct rs_canvas *canvas, const struct rs_stroke *stroke)
{
    static const int points[] = {7, 5, 9, 11, 13};
    static const char *const dashes[2][2] = {{"1", "(9,4)"}, {"(2,2)", "(9,3,2,3)"}};
    if (canvas->format == RS_CANVAS_TEXT) {
        text_stroke(script, canvas, stroke);
        return;
    }
    fprintf(script, " with %s lc rgb '#%06x'",
            stroke->alone    ? "points"
            : stroke->marked ? "linespoints"
                             : "lines",
            colour_of(stroke));
    if (stroke->marked || stroke->alone)
        fprintf(script, " pt %d ps %s", points[stroke->colour % 5], stroke->alone ? "1" : ".45");
    if (!stroke->alone)
        fprintf(script, " lw %s dt %s", stroke->pale ? ".8" : "1.5",
                dashes[stroke->colour / RS_COLOURS % 2][stroke->dashed]);
}

double rs_style_step(double range, int most)
{
    if (!(range > 0) || !isfinite(range))
        return 0;
    double least = range / most, power = pow(10, floor(log10(least)));
    double steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (steps[i] * power >= least * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}
