#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/control.h"

const char rs_error_closed[] = "output closed by its reader";

static char *next_text(size_t *size)
{
    static _Thread_local char ring[8][1024];
    static _Thread_local unsigned turn;
    *size = sizeof ring[0];
    return ring[turn++ % 8];
}

const char *rs_error(const char *format, ...)
{
    size_t size;
    char *text = next_text(&size);
    va_list args;
    va_start(args, format);
    vsnprintf(text, size, format, args);
    va_end(args);
    rs_control_hide(text);
    return text;
}

const char *rs_error_at(const char *where, const char *error)
{
    if (!error || error == rs_error_closed)
        return error;
    return rs_error("%.600s: %s", where, error); /* a path of any length leaves room for what is wrong */
}

const char *rs_error_write(int number)
{
    if (number == EPIPE)
        return rs_error_closed;
    return number ? rs_error("%s", strerror(number)) : "write failed";
}
