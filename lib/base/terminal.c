#include "base/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"

enum { LEAST_COLUMNS = 20, LEAST_LINES = 8, MOST = 1000 };

/* A nonsensical variable is as good as none: shells and window managers set them, not the user. */
static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    int64_t value = otherwise;
    if (text)
        rs_parse_int(text, 1, MOST, &value);
    return (int)value;
}

static int within(int value, int least)
{
    return value < least ? least : value > MOST ? MOST : value;
}

struct rs_terminal rs_terminal_of(FILE *stream)
{
    struct winsize size;
    const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
    struct rs_terminal t = {.is = isatty(fileno(stream))};
    t.colour = t.is && !(no_colour && *no_colour) && kind && strcmp(kind, "dumb") != 0;
    if (t.is && !ioctl(fileno(stream), TIOCGWINSZ, &size) && size.ws_col && size.ws_row) {
        t.columns = size.ws_col;
        t.lines = size.ws_row;
    } else {
        t.columns = from_environment("COLUMNS", 80);
        t.lines = from_environment("LINES", 24);
    }
    t.columns = within(t.columns, LEAST_COLUMNS);
    t.lines = within(t.lines, LEAST_LINES);
    return t;
}
