/* How much room a terminal has, and whether to show colours. */
#ifndef RS_BASE_TERMINAL_H
#define RS_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct rs_terminal {
    bool is;     /* a terminal it is */
    bool colour; /* that may show colours: not with NO_COLOR, nor if TERM is "dumb" */
    int columns,
        lines; /* at least 20 and 8; what is no terminal has those of COLUMNS and LINES, or 80 and 24 */
};

struct rs_terminal rs_terminal_of(FILE *stream);

#endif
