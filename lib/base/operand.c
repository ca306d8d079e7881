#include "base/operand.h"

#include <string.h>

bool rs_operand_is_stdin(const char *path)
{
    return !strcmp(path, "-");
}

FILE *rs_operand_open(const char *path)
{
    return rs_operand_is_stdin(path) ? stdin : fopen(path, "rb");
}

void rs_operand_close(FILE *file)
{
    if (file != stdin)
        fclose(file);
}

const char *rs_operand_name(const char *path)
{
    return rs_operand_is_stdin(path) ? "stdin" : path;
}
