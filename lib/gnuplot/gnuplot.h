/* Pictures by gnuplot(1), the one program that is run: it gets a script and its data in memory, and no
 * name of a file, no word of a shell. */
#ifndef RS_GNUPLOT_GNUPLOT_H
#define RS_GNUPLOT_GNUPLOT_H

#include <stdio.h>

/* An empty script, to be written; `*script` belongs to the caller. */
const char *rs_gnuplot_open(FILE **script);

/* Writes `text` as a string of gnuplot's, with its quotes. No byte of it can end the string or be a
 * command: control characters, and bytes that are no UTF-8, become '?', and all but ASCII's letters is
 * written in codes. Of a text of more than RS_GNUPLOT_TEXT characters the end is kept. */
enum { RS_GNUPLOT_TEXT = 48 };
void rs_gnuplot_text(FILE *script, const char *text);

/* Draws it; `*picture` is what gnuplot wrote to its standard output, to be read from the beginning and
 * closed by the caller. An error if there is no gnuplot, or if it failed, with the last line of its
 * message. */
const char *rs_gnuplot_draw(FILE *script, FILE **picture);

#endif
